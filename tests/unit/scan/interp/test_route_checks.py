"""What stands in a route beside its handlers: checks, converters, wrappers, pages of errors; listeners; addresses."""

from __future__ import annotations

import pytest
from tests.unit.scan.interp.marked import differences

from glasshouse.scan.analysis import analyse
from glasshouse.scan.interp.findings import Fact, Flow
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

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
INSIDE = {
    "build.js": """const Fastify = require('fastify');
const { execSync } = require('child_process');
const body = { type: 'object', properties: { n: { type: 'integer' }, s: { type: 'string' } } };
function build(opts) {
  const app = Fastify(opts);
  app.post('/a', { schema: { body } }, async (request, reply) => {
    execSync('a ' + request.body.n);
    execSync('a ' + request.body.s); // told 78
    [1].forEach((x) => execSync('b ' + request.body.n + x));
    [1].forEach((x) => execSync('b ' + request.body.s)); // told 78
    return {};
  });
  app.get('/b', async (request, reply) => { execSync('a ' + request.query.n); }); // told 78
  return app;
}
module.exports = build;
""",
    "main.ts": """import Fastify from 'fastify';
import { execSync } from 'child_process';
async function main() {
  const app = Fastify({});
  const properties = { id: { type: 'string', format: 'uuid' }, s: { type: 'string' } };
  app.get('/a/:id', { schema: { params: { type: 'object', properties } } }, async (req, reply) => {
    execSync('a ' + req.params.id);
    execSync('a ' + req.params.s); // told 78
  });
  await app.listen({ port: 1 });
}
main();
""",
    "plugin.js": """const { execSync } = require('child_process');
const body = { type: 'object', properties: { n: { type: 'integer' }, s: { type: 'string' } } };
module.exports = async function (fastify, opts) {
  fastify.post('/a', { schema: { body } }, async (request, reply) => {
    execSync('a1 ' + request.body.n);
    execSync('a2 ' + request.body.s); // told 78
  });
  fastify.route({ method: 'POST', url: '/b', schema: { body }, handler: async function (request, reply) {
    execSync('a3 ' + request.body.n);
    execSync('a4 ' + request.body.s); // told 78
  } });
  fastify.post('/c', { schema: { body } }, handler);
  fastify.post('/d', { schema: { body } }, both);
  fastify.post('/e', both);
};
async function handler(request, reply) {
  execSync('a5 ' + request.body.n);
  execSync('a6 ' + request.body.s); // told 78
}
async function both(request, reply) { execSync('a7 ' + request.body.n); } // told 78
""",
    "init.js": """const Hapi = require('@hapi/hapi'), Joi = require('joi');
const { execSync } = require('child_process');
const init = async () => {
  const server = Hapi.server({ port: 3000 });
  const params = Joi.object({ file: Joi.string().alphanum() });
  server.route({ method: 'GET', path: '/a/{file}', options: { validate: { params } },
    handler: async (request, h) => {
      return execSync('a ' + request.params.file);
    } });
  server.route({ path: '/b/{file}', handler: (request, h) => execSync('b ' + request.params.file) }); // told 78
  await server.start();
};
init();
""",
    "pages.js": """const Joi = require('joi'); const { execSync } = require('child_process');
const show = async (request, h) => execSync('a1 ' + request.params.file);
const open = async (request, h) => execSync('a2 ' + request.params.file); // told 78
const params = Joi.object({ file: Joi.string().alphanum() });
module.exports = [
  { method: 'GET', path: '/a/{file}', handler: show, options: { validate: { params } } },
  { method: 'GET', path: '/b/{file}', handler: open },
];
""",
    "start.js": """const Hapi = require('@hapi/hapi'); const routes = require('./pages');
async function init() { const server = Hapi.server({}); server.route(routes); await server.start(); return server; }
module.exports = { init };
""",
    "api.ts": """import express, { Request, Response } from 'express';
import { body, validationResult } from 'express-validator';
import { execSync } from 'child_process';
import asyncHandler from 'express-async-handler';
import { catchAsync } from './elsewhere';
const ask = (req, res, next) => { if (!validationResult(req).isEmpty()) return res.sendStatus(400); next(); };
export class Api {
  app = express();
  constructor() {
    this.app.post('/a', body('n').isInt(), ask, this.a);
    this.app.post('/b', body('n').isInt(), ask, this.b.bind(this));
    this.app.post('/c', body('n').isInt(), ask, asyncHandler(this.c));
    this.app.post('/d', body('n').isInt(), ask, catchAsync(async (req: Request, res: Response) => {
      execSync('x1 ' + req.body.n);
      execSync('x2 ' + req.body.s); // told 78
    }));
  }
  a(req: Request, res: Response) {
    execSync('x3 ' + req.body.n);
    execSync('x4 ' + req.body.s); // told 78
  }
  b(req: Request, res: Response) {
    execSync('x5 ' + req.body.n);
    execSync('x6 ' + req.body.s); // told 78
  }
  async c(req: Request, res: Response) {
    execSync('x7 ' + req.body.n);
    execSync('x8 ' + req.body.s); // told 78
  }
}
""",
}
WRAPPED = {
    "wrapped.js": """const { body, param, validationResult } = require('express-validator');
const { execSync } = require('child_process');
const asyncHandler = require('express-async-handler');
const wrap = (fn) => (req, res, next) => Promise.resolve(fn(req, res, next)).catch(next);
const other = (fn) => async (req, res, next) => { try { await fn(req, res, next); } catch (e) { next(e); } };
const app = require('express')();
const ask = (req, res, next) => { if (!validationResult(req).isEmpty()) return res.sendStatus(400); next(); };
app.post('/a', body('n').isInt(), ask, wrap(async (req, res) => {
  execSync('x1 ' + req.body.n);
  execSync('x2 ' + req.body.s); // told 78
}));
app.post('/b', body('n').isInt(), other(async (req, res, next) => {
  if (!validationResult(req).isEmpty()) return res.sendStatus(400);
  execSync('x3 ' + req.body.n);
  execSync('x4 ' + req.body.s); // told 78
}));
app.post('/c', body('n').isInt(), wrap(async (req, res) => { execSync('x5 ' + req.body.n); })); // told 78
app.post('/d', body('n').isInt(), ask, asyncHandler(async (req, res) => {
  execSync('x6 ' + req.body.n);
  execSync('x7 ' + req.body.s); // told 78
}));
function more(app, ask) { // hands on what asks, to another route
  app.post('/f', body('n').isInt(), ask, (req, res) => { execSync('y1 ' + req.body.n); });
  app.post('/g', body('n').isInt(), (req, res) => { execSync('y2 ' + req.body.n); }); // told 78
  app.post('/h', body('n').isInt(), ask, helped);
}
more(app, ask);
const twice = (req, res) => { execSync('y5 ' + req.body.n); }; // told 78
app.post('/i', body('n').isInt(), ask, twice);
exports.also = (other) => require('express')().post('/j', twice);
function helped(req, res) { help(req, req.body.n, req.body.s); }
function help(req, n, s) {
  execSync('y3 ' + n);
  execSync('y4 ' + s); // told 78
}
app.post('/e', asyncHandler(async (req, res) => { execSync('x8 ' + req.body.n); })); // told 78
""",
    "router.js": """const { body, validationResult } = require('express-validator');
const { execSync } = require('child_process');
const express = require('express');
const { wrap } = require('./lib');
module.exports = function routes(app) {
  const router = express.Router();
  const ask = (req, res, next) => { if (!validationResult(req).isEmpty()) return res.sendStatus(400); next(); };
  router.post('/a', body('n').isInt(), ask, wrap(async (req, res) => {
    execSync('x1 ' + req.body.n);
    execSync('x2 ' + req.body.s); // told 78
  }));
  router.post('/b', body('n').isInt(), ask, (req, res) => {
    execSync('x3 ' + req.body.n);
    execSync('x4 ' + req.body.s); // told 78
  });
  router.post('/c', body('n').isInt(), ask, plain);
  router.post('/d', plain);
  app.use(router);
};
function plain(req, res) { execSync('x5 ' + req.body.n); } // told 78
""",
    "lib.js": """exports.wrap = function wrap(handler) {
  return async function (req, res, next) {
    try { await handler(req, res, next); } catch (error) { next(error); }
  };
};
""",
    "controller.js": """const { execSync } = require('child_process');
const catchAsync = require('./caught');
exports.one = catchAsync(async (req, res) => {
  execSync('x1 ' + req.body.n);
  execSync('x2 ' + req.body.s); // told 78
});
exports.two = catchAsync(async (req, res) => { execSync('x3 ' + req.body.n); }); // told 78
""",
    "caught.js": """module.exports = fn => { return (req, res, next) => { fn(req, res, next).catch(next); }; };
""",
    "routes.js": """const { celebrate, Joi } = require('celebrate');
const controller = require('./controller');
const router = require('express').Router();
router.route('/a').post(celebrate({ body: Joi.object({ n: Joi.number(), s: Joi.string() }) }), controller.one);
router.post('/b', controller.two);
module.exports = router;
""",
}
PROGRAMS = {"validators": VALIDATORS, "pages": PAGES, "routes": ROUTES, "inside": INSIDE, "wrapped": WRAPPED}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_route_has_checked_is_silent(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[0] == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_route_lets_through_is_told(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[1] == set()


@pytest.mark.parametrize("name", ["inside", "wrapped"])
def test_what_a_route_has_checked_does_not_depend_on_the_order_of_files_or_parts(name: str) -> None:
    files = list(PROGRAMS[name].items())
    whole = places(files, large=10**9)
    assert whole
    assert places(files[::-1], large=10**9) == whole
    assert places(files, large=40) == whole


def test_a_helper_that_gets_a_checked_request_is_still_told_for_its_other_parameters() -> None:
    app = """const { body, validationResult } = require('express-validator');
const { execSync } = require('child_process');
exports.run = (req, name) => execSync('a ' + name);
require('express')().post('/a', body('n').isInt(), (req, res) => {
  if (validationResult(req).isEmpty()) exports.run(req, req.body.n);
});
"""
    told = [rule for rule, _, _ in places([("app.js", app)], large=10**9)]
    assert told == ["js-command-injection"]


def places(files: list[tuple[str, str]], large: int) -> set[tuple[str, str, int]]:
    lowered = [front_end("javascript").lower(code.encode(), path, LowerLimits()) for path, code in files]
    found = analyse(lowered, {"javascript": load_rules(["javascript"])}, jobs=1, large=large)
    assert found.problems == ()
    items: list[Flow | Fact] = [*found.flows, *found.library, *found.facts]
    return {(item.rule.id, item.fn.module.path, item.span) for item in items}
