"""Small programs as people write them with Python's frameworks: weak places beside their safe twins."""

from __future__ import annotations

import pytest
from tests.unit.scan.interp.marked import differences

FASTAPI = {
    "app/__init__.py": "",
    "app/deps.py": """from enum import Enum
from typing import Annotated
from fastapi import Depends, Header, HTTPException, Query
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
SessionLocal = async_sessionmaker(create_async_engine("sqlite://"))
async def get_session():
    async with SessionLocal() as session:
        yield session
SessionDep = Annotated[AsyncSession, Depends(get_session)]
class Order(str, Enum):
    asc = "asc"
    desc = "desc"
COLUMNS = {"name": "products.name", "price": "products.price"}
def sort_column(sort: str = Query("name")) -> str:
    if sort not in COLUMNS:
        raise HTTPException(400)
    return COLUMNS[sort]
def raw_sort(sort: str = Query("name")) -> str:
    return sort
class Paging:
    def __init__(self, limit: int = 10, after: str = ""):
        self.limit = limit
        self.after = after
""",
    "app/models.py": """import re
from typing import Literal, Optional
from pydantic import BaseModel, Field, constr, field_validator
class Filter(BaseModel):
    text: str
    limit: int = Field(20, le=100)
    direction: Literal["asc", "desc"] = "asc"
    table: constr(pattern=r"^[a-z_]+$")
    loose: constr(pattern=r"[a-z_]+")
    schema_name: Optional[str] = Field(None, pattern="^[a-z]+$")
    title: str
    other: str
    @field_validator("title")
    @classmethod
    def plain(cls, value):
        if not re.fullmatch(r"[A-Za-z0-9]+", value):
            raise ValueError("bad")
        return value
""",
    "app/main.py": """from typing import Annotated
from fastapi import APIRouter, Depends, Path
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from sqlalchemy import text
from .deps import Order, Paging, SessionDep, raw_sort, sort_column
from .models import Filter
router = APIRouter()
@router.get("/raw")
async def raw(session: SessionDep, sort: Annotated[str, Depends(raw_sort)]):
    await session.execute("select * from p order by " + sort)  # told 89
@router.get("/sorted")
async def by_column(session: SessionDep, sort: Annotated[str, Depends(sort_column)], order: Order = Order.asc):
    await session.execute(f"select * from p order by {sort} {order.value}")
@router.get("/default")
async def by_default(session: SessionDep, sort: str = Depends(sort_column), other: str = Depends(raw_sort)):
    await session.execute("select * from p order by " + sort)
    await session.execute("select * from p order by " + other)  # told 89
@router.get("/paged")
async def paged(session: SessionDep, paging: Paging = Depends()):
    await session.execute(f"select * from p limit {paging.limit}")
    await session.execute("select * from p where b > '" + paging.after + "'")  # told 89
@router.get("/paged2")
async def paged2(session: SessionDep, paging: Annotated[Paging, Depends(Paging)]):
    await session.execute(f"select * from p limit {paging.limit}")
    await session.execute("select * from p where id > '" + paging.after + "'")  # told 89
@router.post("/search")
async def search(f: Filter, session: SessionDep):
    await session.execute(f"select * from {f.table} order by a {f.direction} limit {f.limit}")
    await session.execute("select * from p where a = '" + f.text + "'")  # told 89
    await session.execute("select * from " + f.loose)  # told 89
    await session.execute(f"select * from {f.schema_name}.p")
    await session.execute("select * from p where a = '" + f.title + "'")
    await session.execute("select * from p where a = '" + f.other + "'")  # told 89
@router.get("/sku/{sku}")
async def sku(sku: Annotated[str, Path(pattern=r"^[A-Z]{3}-\\d{4}$")], session: SessionDep):
    await session.execute(f"select * from p where sku = '{sku}'")
@router.get("/go")
def go(to: str):
    return RedirectResponse(url=to)  # told 601
@router.get("/file")
def file(name: str):
    return FileResponse(path="/srv/" + name)  # told 22
@router.get("/page")
def page(name: str):
    return HTMLResponse(content="<p>" + name)  # told 79
""",
}
FORMS = {
    "forms.py": """from django import forms
from rest_framework import serializers
class Contact(forms.Form):
    body = forms.CharField()
    kind = forms.ChoiceField(choices=[("a", "A")])
    count = forms.IntegerField()
class Hook(serializers.Serializer):
    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=["a"])
""",
    "views.py": """import os
from django.views import View
from rest_framework.decorators import api_view
from .forms import Contact, Hook
class Contacts(View):
    def post(self, request):
        form = Contact(request.POST)
        if form.is_valid():
            os.system("note " + form.cleaned_data["body"])  # told 78
            os.system("note " + form.cleaned_data["kind"] + str(form.cleaned_data["count"]))
@api_view(["POST"])
def hook(request):
    data = Hook(data=request.data)
    data.is_valid(raise_exception=True)
    os.system("hook " + data.validated_data["mode"])
    os.system("hook " + data.validated_data["name"])  # told 78
""",
}
HOSTS = {
    "hosts.py": """import requests
from urllib.parse import urljoin, urlparse, urlsplit
from flask import Flask, abort, redirect, request
app = Flask(__name__)
ALLOWED = {"a.example.com"}
@app.get("/listed")
def listed():
    url = request.args["u"]
    if urlparse(url).hostname not in ALLOWED:
        abort(400)
    requests.get(url)
@app.get("/same")
def same():
    parts = urlsplit(request.args["u"])
    if parts.scheme != "https" or parts.hostname != "a.example.com":
        abort(400)
    requests.get(parts.geturl())
@app.get("/below")
def below():
    url = request.args["u"]
    host = urlparse(url).hostname
    if not host.endswith(".example.com"):
        abort(400)
    requests.get(url)
@app.get("/relative")
def relative():
    url = request.args["u"]
    parts = urlparse(url)
    if parts.scheme or parts.netloc:
        abort(400)
    return redirect(url)
def is_safe(target):
    ours = urlparse(request.host_url)
    theirs = urlparse(urljoin(request.host_url, target))
    return theirs.scheme in ("http", "https") and ours.netloc == theirs.netloc
@app.get("/next")
def go_on():
    target = request.args.get("next")
    if not target or not is_safe(target):
        abort(400)
    return redirect(target)
@app.get("/scheme")
def scheme():
    url = request.args["u"]
    if urlparse(url).scheme != "https":
        abort(400)
    requests.get(url)  # told 918
@app.get("/path")
def path():
    url = request.args["u"]
    if urlparse(url).path != "/x":
        abort(400)
    requests.get(url)  # told 918
@app.get("/other")
def other():
    url = request.args["u"]
    if urlparse(url).hostname in ALLOWED:
        return ""
    requests.get(url)  # told 918
@app.get("/theirs")
def theirs():
    if urlparse(request.args["a"]).hostname != urlparse(request.args["b"]).hostname:
        abort(400)
    requests.get(request.args["a"])  # told 918
""",
}
PAGES = {
    "small.py": """from bottle import Bottle, request, static_file
from jinja2 import Environment, select_autoescape
app = Bottle()
env = Environment(autoescape=select_autoescape())
@app.get("/hello")
def hello():
    return "<b>" + request.query.name  # told 79
@app.get("/file/<name>")
def file(name):
    return static_file(name, root="/srv/files")
@app.get("/folder/<name>")
def folder(name):
    return static_file("index.html", root="/srv/" + name)  # told 22
@app.get("/template")
def template():
    return env.from_string("<p>{{ x }}</p>").render(x=request.query.name)
""",
    "cloud.py": """import boto3
s3 = boto3.client("s3")
def handler(event, context):
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        s3.download_file("bucket", key, "/tmp/" + key)  # told 22
        s3.download_file("bucket", key, "/tmp/in.zip")
""",
    "socket.py": """import os, pymongo
from aiohttp import web
users = pymongo.MongoClient().app.users
async def talk(request):
    sock = web.WebSocketResponse()
    async for message in sock:
        os.system("say " + message.data)  # told 78
    users.find({"$where": "this.name == '" + request.query["n"] + "'"})  # told 943
    users.find({"name": request.query["n"]})
""",
    "chat.py": """import tornado.web
class Item(tornado.web.RequestHandler):
    def get(self, slug):
        self.write({"slug": slug})
        self.write("<p>" + slug)  # told 79
""",
}
IDIOMS = {
    "idioms.py": """import io, json, os, subprocess, zipfile
from enum import Enum
from pathlib import Path
from flask import Flask, abort, make_response, request, send_file
app = Flask(__name__)
ROOT = Path("/srv/data")
class Action(Enum):
    START = "start"
@app.get("/enum")
def by_enum():
    os.system("svc " + Action(request.args["a"]).value)
    return {}
@app.get("/list")
def by_list():
    options = ["tool"]
    if request.args.get("v"):
        options.append("-v")
    options.append(request.args["n"])
    subprocess.run(options)
    return {}
@app.get("/inserted")
def inserted():
    options = ["tool"]
    if request.args.get("v"):
        options.append("-v")
    options.insert(0, request.args["n"])
    subprocess.run(options)  # told 78
    return {}
@app.get("/match")
def by_match():
    match request.args.get("format"):
        case "pdf" | "html" as kind:
            os.system("report --" + kind)
        case "txt":
            os.system("report --txt")
        case other:
            os.system("report --" + other)  # told 78
    return {}
@app.post("/zip")
def unzip():
    with zipfile.ZipFile(request.files["f"]) as archive:
        archive.namelist()
    with zipfile.ZipFile(io.BytesIO(request.files["f"].read())) as archive:
        archive.namelist()
    with zipfile.ZipFile("/srv/" + request.args["n"]) as archive:  # told 22
        archive.namelist()
    return {}
@app.get("/folder")
def in_folder():
    path = Path(ROOT, request.args["n"])
    if path.parent != ROOT:
        abort(404)
    return send_file(path)
@app.get("/headers")
def headers():
    return json.dumps({"q": request.args["q"]}), 200, {"Content-Type": "application/json"}
@app.get("/html")
def html():
    return "<p>" + request.args["q"], 200, {"Content-Type": "text/html"}  # told 79
@app.get("/later")
def later():
    answer = make_response(request.args["q"])
    answer.headers["Content-Type"] = "application/json"
    other = make_response(request.args["q"])
    other.mimetype = "text/plain"
    return answer
@app.get("/given")
def given():
    return make_response(request.args["q"], 200, {"Content-Type": "application/json"})
@app.get("/page")
def page():
    answer = make_response(request.args["q"])  # told 79
    answer.mimetype = "text/html"
    return answer
""",
    "middleware.py": """import os
class Language:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        os.system("lang " + request.GET["lang"])  # told 78
        return self.get_response(request)
""",
}
COMMAND_LINES = {
    "parsed.py": """import argparse, os
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--level", choices=["debug", "info"])
    parser.add_argument("-j", "--jobs", type=int)
    parser.add_argument("--wait", dest="pause", type=float)
    parser.add_argument("--out-dir")
    args = parser.parse_args()
    os.system(f"make -j {args.jobs} LEVEL={args.level} {args.pause}")
    os.system(f"make {args.out_dir}")  # told 78
""",
    "clicked.py": """import os
import click
@click.command()
@click.argument("kind", type=click.Choice(["a", "b"]))
@click.option("--dry-run", "-n", type=int)
@click.option("--name")
def build(kind, dry_run, name):
    os.system(f"make {kind} {dry_run}")
    os.system(f"make {name}")  # told 78
""",
    "tornado_app.py": """import json, os
import tornado.web, tornado.websocket
class Base(tornado.web.RequestHandler):
    def prepare(self):
        self.account = self.get_query_argument("account", "none")
class Account(Base):
    def get(self):
        os.system("sync " + self.account)  # told 78
class Chat(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        eval(json.loads(message)["expr"])  # told 95
""",
}
PROGRAMS = {
    "command lines": COMMAND_LINES,
    "idioms": IDIOMS,
    "fastapi": FASTAPI,
    "forms": FORMS,
    "hosts": HOSTS,
    "pages": PAGES,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_safe_twins_in_a_program_are_silent(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[0] == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_weak_places_in_a_program_are_told(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[1] == set()
