"""What one handler of a request keeps for another is followed from who wrote it to where it is used."""

from __future__ import annotations

import pytest
from tests.unit.scan.interp.marked import differences

FLASK = {
    "app.py": """import os
from flask import Flask, g, request, session
app = Flask(__name__)

@app.before_request
def load():
    g.lang = request.args["lang"]
    g.page = int(request.args["page"])
    g.user = {"id": 7, "name": request.cookies["name"]}
    g.checked = request.args["mode"] if request.args["mode"] in ("a", "b") else "a"
    session["draft"] = request.form["draft"]
    g.copy = session.get("draft")
""",
    "use.py": """import os
from flask import g, session

def use():
    os.system("echo " + g.lang)  # told 78
    os.system("echo " + g.get("lang"))  # told 78
    os.system(f"head -n {g.page}")
    os.system(f"id {g.user['id']}")
    os.system(f"id {g.user['name']}")  # told 78
    os.system("mode " + g.checked)
    os.system("echo " + g.nobody_writes_this)
    os.system("echo " + session["draft"])  # told 78
    os.system("echo " + g.copy)  # told 78
    if g.lang in ("de", "en"):
        os.system("echo " + g.lang)
""",
}
VARIABLES = {
    "state.py": """import os, threading
from contextvars import ContextVar
from dataclasses import dataclass
from flask import Flask, request

@dataclass
class Context:
    customer: str
    number: int

current: ContextVar[Context] = ContextVar("current")
plain = ContextVar("plain", default="")
other = ContextVar("other")
local = threading.local()
app = Flask(__name__)

@app.before_request
def begin():
    current.set(Context(request.headers["X-Customer"], 7))
    plain.set(request.args["q"])
    other.set("constant")
    local.tenant = request.args["t"]

def use():
    os.system("echo " + current.get().customer)  # told 78
    os.system("echo " + str(current.get().number))
    os.system("echo " + plain.get())  # told 78
    os.system("echo " + other.get())
    os.system("echo " + local.tenant)  # told 78
    os.system("echo " + local.nothing)
""",
}
DJANGO = {
    "middleware.py": """class TenantMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.tenant = request.headers["X-Tenant"]
        request.session["step"] = request.POST["step"]
        return self.get_response(request)
""",
    "views.py": """import os
from django.http import HttpResponse

def show(request):
    os.system("echo " + request.tenant)  # told 78
    os.system("echo " + request.session["step"])  # told 78
    os.system("echo " + request.method)
    return HttpResponse()
""",
}
STARLETTE = {
    "app.py": """import os
from starlette.middleware.base import BaseHTTPMiddleware

class Upstream(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        request.state.up = request.headers["x-up"]
        return await call_next(request)

async def use(request):
    os.system("echo " + request.state.up)  # told 78
    os.system("echo " + request.state.down)
""",
}
EXPRESS = {
    "app.js": """const app = require('express')();
const { use } = require('./use');
const { load } = require('./load');
app.get('/early', use);
app.use(load);
""",
    "load.js": """exports.load = (req, res, next) => {
  res.locals.tenant = req.get('x-tenant');
  res.locals.page = parseInt(req.query.page, 10);
  req.user = { id: 7, nick: req.query.nick };
  next();
};
""",
    "use.js": """const { execSync } = require('child_process');
exports.use = (req, res) => {
  execSync('echo ' + res.locals.tenant); // told 78
  execSync('echo ' + res.locals.page);
  execSync('echo ' + req.user.nick); // told 78
  execSync('echo ' + req.user.id);
  const { tenant, other } = res.locals;
  execSync('echo ' + tenant); // told 78
  execSync('echo ' + other);
};
""",
}
SERVERS = {
    "koa.js": """const { execSync } = require('child_process');
const Koa = require('koa');
const app = new Koa();
app.use(async (ctx) => { execSync('echo ' + ctx.state.lang); }); // told 78
app.use(async (ctx, next) => { ctx.state.lang = ctx.query.lang; await next(); });
""",
    "fastify.js": """const { execSync } = require('child_process');
const app = require('fastify')();
app.decorateRequest('realm', '');
app.addHook('preHandler', async (request) => { request.realm = request.headers['x-realm']; });
app.get('/a', async (request) => { execSync('echo ' + request.realm); return {}; }); // told 78
""",
    "hapi.js": """const { execSync } = require('child_process');
const server = require('@hapi/hapi').server();
server.ext('onPreHandler', (request, h) => { request.app.zone = request.headers['x-zone']; return h.continue; });
server.route({ method: 'GET', path: '/', handler: (request, h) => execSync('echo ' + request.app.zone) }); // told 78
""",
    "hono.ts": """import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { execSync } from 'child_process';
const app = new Hono();
const load = createMiddleware(async (c, next) => {
  c.set('team', c.req.header('x-team'));
  c.set('size', Number(c.req.query('size')));
  await next();
});
app.use(load);
app.get('/a', (c) => {
  execSync('echo ' + c.get('team')); // told 78
  execSync('echo ' + c.var.team); // told 78
  execSync('echo ' + c.get('size'));
  return c.text('');
});
""",
    "chat.js": """const { execSync } = require('child_process');
const { Server } = require('socket.io');
const io = new Server();
io.use((socket, next) => { socket.data.nick = socket.handshake.query.nick; next(); });
io.on('connection', (socket) => { socket.on('go', () => { execSync('echo ' + socket.data.nick); }); }); // told 78
""",
}
CONTEXTS = {
    "trpc.ts": """import { initTRPC } from '@trpc/server';
import { execSync } from 'child_process';
export const createContext = ({ req }: CreateExpressContextOptions) => ({ account: req.headers['x-account'], n: 1 });
const t = initTRPC.context().create();
const procedure = t.procedure.use(({ ctx, next }) => next({ ctx: { ...ctx, id: ctx.account } }));
export const router = t.router({
  a: procedure.query(({ ctx }) => execSync('echo ' + ctx.id)), // told 78
  b: procedure.query(({ ctx }) => execSync('echo ' + ctx.n)),
});
""",
    "graphql.ts": """import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { execSync } from 'child_process';
const resolvers = { Query: {
  a: (_, args, ctx) => execSync('echo ' + ctx.region), // told 78
  b: (_, args, ctx) => execSync('echo ' + ctx.build),
} };
const server = new ApolloServer({ typeDefs, resolvers });
startStandaloneServer(server, { context: async ({ req }) => ({ region: req.headers['x-region'], build: 7 }) });
""",
    "hooks.ts": """import type { Handle } from '@sveltejs/kit';
export const handle: Handle = async ({ event, resolve }) => {
  event.locals.folder = event.cookies.get('folder');
  return resolve(event);
};
""",
    "page.ts": """import { execSync } from 'child_process';
import type { PageServerLoad } from './$types';
export const load: PageServerLoad = async ({ locals }) => {
  execSync('ls ' + locals.folder); // told 78
  execSync('ls ' + locals.other);
};
""",
    "local.ts": """import { AsyncLocalStorage } from 'node:async_hooks';
import { execSync } from 'child_process';
import express from 'express';
const storage = new AsyncLocalStorage();
const app = express();
app.use((req, res, next) => storage.run({ tenant: req.query.tenant, id: 7 }, next));
export function use() {
  execSync('echo ' + storage.getStore().tenant); // told 78
  execSync('echo ' + storage.getStore().id);
}
""",
}
PROGRAMS = {
    "flask": FLASK,
    "context variables": VARIABLES,
    "django": DJANGO,
    "starlette": STARLETTE,
    "express": EXPRESS,
    "servers": SERVERS,
    "contexts": CONTEXTS,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_nobody_made_dangerous_is_silent(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[0] == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_kept_for_another_handler_is_followed(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[1] == set()
