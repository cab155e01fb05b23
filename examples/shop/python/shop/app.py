"""HTTP routes of the back office.  Each route hands the request's values to the module that knows the subject."""

import logging

from flask import Flask, abort, jsonify, make_response, redirect, request
from markupsafe import escape

from shop import accounts, catalogue, documents, suppliers

app = Flask(__name__)
log = logging.getLogger("shop")

LANDING_PAGES = {"orders": "/orders", "stock": "/stock", "suppliers": "/suppliers"}


@app.route("/products")
def products():
    term = request.args.get("q", "")
    return jsonify(catalogue.search(term, order="name"))


@app.route("/products/by-sku")
def product_by_sku():
    return jsonify(catalogue.by_sku(request.args.get("sku", "")))


@app.route("/products/sorted")
def products_sorted():
    return jsonify(catalogue.listed(request.args.get("by", "name")))


@app.route("/greeting")
def greeting():
    name = request.args.get("name", "guest")
    return "<h1>Welcome back, " + name + "</h1>"


@app.route("/greeting/safe")
def greeting_safe():
    name = request.args.get("name", "guest")
    return "<h1>Welcome back, " + str(escape(name)) + "</h1>"


@app.route("/login", methods=["POST"])
def login():
    user = accounts.check(request.form["user"], request.form["password"])
    if user is None:
        abort(401)
    response = redirect(request.args.get("next", "/orders"))
    response.set_cookie("session", accounts.new_session(user), httponly=False, secure=False)
    return response


@app.route("/login/safe", methods=["POST"])
def login_safe():
    user = accounts.check_safely(request.form["user"], request.form["password"])
    if user is None:
        abort(401)
    response = redirect(LANDING_PAGES.get(request.args.get("next", ""), "/orders"))
    response.set_cookie("session", accounts.new_session_safely(user), httponly=True, secure=True, samesite="Lax")
    return response


@app.route("/invoices/<name>")
def invoice(name):
    return make_response(documents.read_invoice(name))


@app.route("/invoices/<name>/safe")
def invoice_safe(name):
    return make_response(documents.read_invoice_safely(name))


@app.route("/invoices/convert", methods=["POST"])
def convert():
    documents.convert(request.form["file"], request.form["format"])
    return "", 204


@app.route("/invoices/convert/safe", methods=["POST"])
def convert_safe():
    documents.convert_safely(request.form["format"])
    return "", 204


@app.route("/basket")
def basket():
    return jsonify(documents.load_basket(request.cookies.get("basket", "")))


@app.route("/basket/safe")
def basket_safe():
    return jsonify(documents.load_basket_safely(request.cookies.get("basket", "")))


@app.route("/suppliers/stock")
def supplier_stock():
    return jsonify(suppliers.stock(request.args["url"]))


@app.route("/suppliers/stock/safe")
def supplier_stock_safe():
    return jsonify(suppliers.stock_safely(request.args["supplier"]))


@app.route("/suppliers/feedback", methods=["POST"])
def feedback():
    log.warning("feedback from %s", request.form["who"])
    return "", 204


@app.route("/suppliers/feedback/safe", methods=["POST"])
def feedback_safe():
    log.warning("feedback from %s", request.form["who"].replace("\r", "").replace("\n", ""))
    return "", 204
