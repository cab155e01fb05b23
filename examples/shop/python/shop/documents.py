"""Invoices on disk, their conversion, and baskets that travel in a cookie."""

import base64
import json
import pickle
import subprocess
from pathlib import Path

from flask import abort

INVOICES = Path("/srv/shop/invoices")
FORMATS = {"pdf", "html", "csv"}


def read_invoice(name):
    """The text of an invoice."""
    with open(f"/srv/shop/invoices/{name}") as file:
        return file.read()


def read_invoice_safely(name):
    path = (INVOICES / name).resolve()
    if not path.is_relative_to(INVOICES):
        abort(404)
    return path.read_text()


def convert(name, target):
    """Convert an invoice with the office suite."""
    subprocess.run(f"soffice --headless --convert-to {target} '{name}'", shell=True, check=True)


def convert_safely(target):
    if target not in FORMATS:
        abort(400)
    subprocess.run(["soffice", "--headless", "--convert-to", target, "current.odt"], check=True)


def load_basket(cookie):
    """The basket that the browser kept."""
    return pickle.loads(base64.b64decode(cookie))


def load_basket_safely(cookie):
    return json.loads(base64.b64decode(cookie))
