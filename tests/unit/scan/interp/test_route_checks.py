"""What stands in a route beside its handlers: checks, converters, pages of errors; listeners; texts of addresses."""

from __future__ import annotations

import pytest
from tests.unit.scan.interp.marked import differences

VALIDATORS = {
    "chains.js": """const { body, param, query, check, matchedData, validationResult } = require('express-validator');
const { execSync } = require('child_process');
const app = require('express')();
const ask = (req, res, next) => {
  if (!validationResult(req).isEmpty()) return res.sendStatus(400);
  next();
};
app.get('/a/:id', param('id').isInt(), ask, (req, res) => { execSync('a ' + req.params.id); });
app.get('/b', [query('sort').trim().isIn(['a', 'b']), query('q').notEmpty()], ask, (req, res) => {
  execSync('a ' + req.query.sort);
  execSync('a ' + req.query.q); // told 78
});
app.post('/c', body('host').matches(/^[a-z]+$/), (req, res) => {
  if (!validationResult(req).isEmpty()) return res.sendStatus(400);
  execSync('a ' + req.body.host);
  execSync('a ' + req.body.other); // told 78
});
app.post('/d', body('host').matches(/^[a-z]+$/), (req, res) => { execSync('a ' + req.body.host); }); // told 78
app.post('/e', body('host').matches(/[a-z]/), ask, (req, res) => { execSync('a ' + req.body.host); }); // told 78
app.post('/f', body('host').not().isIn(['a']), ask, (req, res) => { execSync('a ' + req.body.host); }); // told 78
app.post('/g', check('n').isAlphanumeric(), ask, (req, res) => { execSync('a ' + matchedData(req).n); });
""",
    "celebrated.js": """const { celebrate, Joi, Segments } = require('celebrate');
const { execSync } = require('child_process');
const router = require('express').Router();
const schema = Joi.object({ name: Joi.string().alphanum(), note: Joi.string() });
router.post('/a', celebrate({ [Segments.BODY]: schema }), (req, res) => {
  execSync('a ' + req.body.name);
  execSync('a ' + req.body.note); // told 78
  execSync('a ' + req.query.name); // told 78
});
""",
    "routes.js": """const Hapi = require('@hapi/hapi'), Joi = require('joi');
const { execSync } = require('child_process');
const server = Hapi.server();
const params = Joi.object({ file: Joi.string().alphanum().required() });
server.route([
  { path: '/a/{file}', options: { validate: { params } }, handler: (request, h) => {
    return execSync('a ' + request.params.file);
  } },
  { method: 'GET', path: '/b/{file}', handler: (request, h) => execSync('a ' + request.params.file) }, // told 78
  { path: '/c', config: { validate: { query: { n: Joi.number() } } }, handler: (request, h) => {
    return execSync('a ' + request.query.n);
  } },
]);
""",
    "hono.ts": """import { Hono } from 'hono';
import { zValidator } from '@hono/zod-validator';
import { z } from 'zod';
import { execSync } from 'child_process';
const app = new Hono();
app.post('/a', zValidator('json', z.object({ slug: z.string().regex(/^\\w+$/), to: z.string() })), (c) => {
  const { slug, to } = c.req.valid('json');
  execSync('a ' + slug);
  execSync('a ' + to); // told 78
  execSync('a ' + c.req.query('slug')); // told 78
  return c.text('');
});
""",
    "forms.ts": """import { execSync } from 'child_process';
import { z } from 'zod';
const Input = z.object({ slug: z.string().regex(/^[a-z]+$/), title: z.string() });
export async function save(formData: FormData) {
  const parsed = Input.safeParse(Object.fromEntries(formData));
  if (!parsed.success) return;
  execSync('a ' + parsed.data.slug);
  execSync('a ' + parsed.data.title); // told 78
}
""",
}
PAGES = {
    "widget.js": """(function ($) {
  const title = new URLSearchParams(location.search).get('title');
  $('#a').html('<b>' + title + '</b>'); // told 79
  $('#b').text(title);
})(jQuery);
""",
    "card.tsx": """import { useSearchParams } from '@remix-run/react';
export function Card() {
  const [params] = useSearchParams();
  const go = () => { window.location.href = params.get('to')!; }; // told 601
  return <button onClick={go}>{params.get('label')}</button>;
}
""",
    "addresses.js": """const axios = require('axios'), path = require('path'), fs = require('fs');
const app = require('express')();
app.get('/a', async (req, res) => {
  await axios.get(`https://api.example.com/${req.query.a}/${req.query.b}`);
  await axios.get(`${process.env.API}/items/${encodeURIComponent(req.query.id)}`);
  await axios.get(`https://${req.query.host}/a`); // told 918
  fs.readFileSync(path.join('/srv', ...req.query.p.split('/'))); // told 22
  res.set('X-Name', req.query.name);
});
app.get('/b', async (req, res) => {
  const u = new URL(req.query.u);
  if (u.hostname === 'a.example.com' && req.query.b) await axios.get(u.href);
  if (u.protocol === 'https:' && u.hostname === 'a.example.com') await axios.get(u.href);
  if (u.protocol === 'https:' && req.query.b) await axios.get(u.href); // told 918
  if (u.hostname === 'a.example.com' || req.query.b) await axios.get(u.href); // told 918
});
""",
}
ROUTES = {
    "app.py": """import functools, os, sqlite3
from flask import Flask, request
app = Flask(__name__)

def with_cursor(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return fn(sqlite3.connect("a").cursor(), *args, **kwargs)
    return inner

@app.get("/a/<int:number>/<name>")
def a(number, name):
    os.system(f"a {number}")
    os.system(f"a {name}")  # told 78

@app.get("/rows")
@with_cursor
def rows(cur):
    cur.execute("SELECT name FROM t ORDER BY " + request.args["o"])  # told 89
    return cur.fetchall()

@app.errorhandler(404)
def missing(error):
    return "<p>No page at %s</p>" % request.path, 404  # told 79
""",
    "urls.py": """from django.urls import path
from . import orders
urlpatterns = [path("orders/<int:pk>/<str:name>/", orders.show)]
""",
    "orders.py": """import os
from django.http import HttpResponse
from rest_framework import serializers, viewsets
from django import forms
from django.core.validators import RegexValidator

class Search(forms.Form):
    region = forms.CharField(validators=[RegexValidator(r"^[A-Z]{2}\\Z")])
    other = forms.CharField(validators=[RegexValidator(r"[A-Z]")])

def show(request, pk, name):
    os.system(f"a {pk}")
    os.system(f"a {name}")  # told 78
    form = Search(request.GET)
    if form.is_valid():
        data = form.cleaned_data
        os.system("a " + data["region"])
        os.system("a " + data["other"])  # told 78
    return HttpResponse()

class Documents(viewsets.ModelViewSet):
    def perform_create(self, serializer):
        os.system("a " + serializer.validated_data["path"])  # told 78
""",
    "files.py": """import pathlib, random, requests
from starlette.responses import FileResponse

async def get(request):
    name = pathlib.PurePath(request.path_params["name"]).name
    requests.get(f"https://api.example.com/{request.query_params['a']}/{request.query_params['b']}")
    requests.get(f"https://{request.query_params['a']}.example.com/b")  # told 918
    return FileResponse(pathlib.Path("/srv") / name)

async def whole(request):
    return FileResponse(pathlib.Path("/srv") / request.path_params["name"])  # told 22
""",
    "function.py": """def handler(event, context):
    name = event["pathParameters"]["name"]
    if event.get("json"):
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": name}
    return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": f"<h1>{name}</h1>"}  # told 79
""",
}
PROGRAMS = {"validators": VALIDATORS, "pages": PAGES, "routes": ROUTES}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_route_has_checked_is_silent(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[0] == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_route_lets_through_is_told(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[1] == set()
