"""Small programs as people write them with frameworks of JavaScript and TypeScript: weak places beside safe twins."""

from __future__ import annotations

import pytest
from tests.unit.scan.interp.marked import differences

EXPRESS = {
    "hosts.js": """const axios = require('axios'), https = require('https'), url = require('url');
const app = require('express')();
const LIST = ['a.example.com'], SET = new Set(LIST);
app.get('/same', async (req, res) => {
  let u;
  try { u = new URL(req.query.u); } catch { return res.sendStatus(400); }
  if (u.protocol !== 'https:' || u.hostname !== 'a.example.com') return res.sendStatus(400);
  await axios.get(u.href);
});
app.get('/listed', async (req, res) => {
  const target = req.query.u;
  const { hostname } = new URL(target);
  if (!LIST.includes(hostname)) return res.sendStatus(400);
  await axios.get(target);
});
app.get('/set', async (req, res) => {
  if (!SET.has(new URL(req.query.u).hostname)) return res.sendStatus(400);
  await axios.get(req.query.u);
});
app.get('/parsed', async (req, res) => {
  const p = url.parse(req.query.u);
  if (p.host !== 'a.example.com') return res.sendStatus(400);
  res.redirect(req.query.u);
});
app.get('/protocol', async (req, res) => {
  const u = new URL(req.query.u);
  if (u.protocol !== 'https:') return res.sendStatus(400);
  await axios.get(u.href); // told 918
});
app.get('/options', (req, res) => {
  https.get({ hostname: 'example.com', path: '/' + req.query.p }, () => {});
  https.get({ hostname: req.query.h, path: '/' }, () => {}); // told 918
});
""",
    "types.js": """const http = require('http'), app = require('express')();
http.createServer((req, res) => {
  res.setHeader('Content-Type', 'application/json');
  res.end('{"u":"' + req.url + '"}');
});
http.createServer((req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/html' });
  res.end(req.url); // told 79
});
app.get('/a', (req, res) => { res.status(200).type('text/plain').send(req.query.q); });
app.get('/b', (req, res) => { res.set('Content-Type', 'text/csv'); res.send(req.query.q); });
app.get('/c', (req, res) => { res.type('json'); res.send(req.query.q); });
app.get('/d', (req, res) => { res.type('html'); res.send(req.query.q); }); // told 79
app.get('/e', (req, res) => { res.set({ 'content-type': 'image/svg+xml' }).send(req.query.q); }); // told 79
app.get('/f', (req, res) => { if (req.query.j) res.type('json'); res.send(req.query.q); }); // told 79
""",
    "uploads.js": """const express = require('express'), multer = require('multer'), fs = require('fs');
const cors = require('cors'), path = require('path'), ejs = require('ejs'), archiver = require('archiver');
const app = express(), upload = multer({ dest: '/tmp' }), ALLOWED = ['https://a.example.com'];
multer.diskStorage({
  filename: (req, file, cb) => cb(null, file.originalname), // told 22
});
app.post('/up', upload.single('f'), (req, res) => {
  fs.readFile(req.file.path, () => {});
  fs.writeFileSync('/srv/' + req.file.originalname, req.file.buffer); // told 22
  archiver('zip').file(path.join('/srv', req.query.f), {}); // told 22
  res.send(ejs.render('<p><%= name %></p>', { name: req.query.name }));
  res.send(ejs.render('<p><%- name %></p>', { name: req.query.name })); // told 79
});
app.use(cors({ credentials: true, origin: (origin, callback) => { callback(null, origin); } })); // told 346
app.use(cors({ origin: (origin, done) => done(null, ALLOWED.includes(origin)) }));
app.use(cors({ origin: (origin, done) => { if (ALLOWED.includes(origin)) done(null, origin); } }));
""",
    "koa.js": """const Koa = require('koa'), Router = require('@koa/router');
const db = require('knex')({ client: 'pg' }), router = new Router();
router.get('/rows', async (ctx) => {
  ctx.body = await db('t').where({ name: ctx.query.name }).orderBy('name');
});
router.get('/json', async (ctx) => { ctx.body = { q: ctx.query.q }; });
router.get('/page', async (ctx) => { ctx.body = '<p>' + ctx.query.q; }); // told 79
new Koa().use(router.routes());
""",
}
SCHEMAS = {
    "zod.ts": """import express from 'express';
import { z } from 'zod';
import Joi from 'joi';
import { execSync } from 'child_process';
const app = express();
const Body = z.object({
  name: z.string(), kind: z.enum(['a', 'b']), id: z.string().uuid(), size: z.coerce.number().int(),
  word: z.string().regex(/^[a-z]+$/), loose: z.string().regex(/[a-z]+/), inner: z.object({ kind: z.literal('x') }),
  list: z.array(z.enum(['a'])), either: z.union([z.literal('a'), z.number()]),
  wide: z.union([z.literal('a'), z.string()]),
});
app.post('/parse', (req, res) => {
  const body = Body.parse(req.body);
  execSync('a ' + body.kind + body.id + body.size + body.word + body.inner.kind + body.list[0] + body.either);
  execSync('a ' + body.name); // told 78
  execSync('a ' + body.loose); // told 78
  execSync('a ' + body.wide); // told 78
});
app.post('/safe', (req, res) => {
  const parsed = Body.extend({ more: z.boolean() }).safeParse(req.body);
  if (!parsed.success) return res.sendStatus(400);
  execSync('a ' + parsed.data.kind + parsed.data.more);
  execSync('a ' + parsed.data.name); // told 78
});
const rules = Joi.object({ mode: Joi.string().valid('fast', 'slow').required(), n: Joi.number(), name: Joi.string() });
app.post('/joi', (req, res) => {
  const { error, value } = rules.validate(req.body);
  if (error) return res.sendStatus(400);
  execSync('a ' + req.body.mode + req.body.n);
  execSync('a ' + value.mode);
  execSync('a ' + req.body.name); // told 78
});
""",
    "trpc.ts": """import { initTRPC } from '@trpc/server';
import { z } from 'zod';
import { execSync } from 'child_process';
const t = initTRPC.context().create();
export const router = t.router({
  run: t.procedure.input(z.object({ id: z.string().uuid(), name: z.string() })).mutation(({ input }) => {
    execSync('job ' + input.id);
    execSync('job ' + input.name); // told 78
  }),
  plain: t.procedure.input(z.string()).query(({ input }) => execSync('job ' + input)), // told 78
});
""",
    "fastify.ts": """import Fastify from 'fastify';
import { execSync } from 'child_process';
const app = Fastify();
app.post('/a', { schema: { body: { type: 'object', properties: {
  n: { type: 'integer' }, kind: { enum: ['a'] }, id: { type: 'string', format: 'uuid' }, name: { type: 'string' },
} } } }, async (request) => {
  execSync('a ' + request.body.n + request.body.kind + request.body.id);
  execSync('a ' + request.body.name); // told 78
  execSync('a ' + request.query.n); // told 78
});
""",
    "nest.ts": """import { Body, Controller, Get, Param, ParseEnumPipe, ParseUUIDPipe, Post } from '@nestjs/common';
import { Query, Redirect } from '@nestjs/common';
import { IsEnum, IsInt, IsString, Matches } from 'class-validator';
import { HttpService } from '@nestjs/axios';
import { execSync } from 'child_process';
enum Kind { A = 'a' }
class Dto {
  @IsString() name: string;
  @IsInt() limit: number;
  @IsEnum(Kind) kind: Kind;
  @Matches(/^[a-z]+$/) word: string;
  @Matches(/[a-z]+/) loose: string;
}
@Controller()
export class Things {
  constructor(private readonly http: HttpService) {}
  @Post() make(@Body() dto: Dto) {
    execSync('a ' + dto.limit + dto.kind + dto.word);
    execSync('a ' + dto.name); // told 78
    execSync('a ' + dto.loose); // told 78
  }
  @Get(':id') one(@Param('id', ParseUUIDPipe) id: string, @Query('k', new ParseEnumPipe(Kind)) kind: Kind) {
    execSync('a ' + id + kind);
  }
  @Get() other(@Param('id') id: string) {
    execSync('a ' + id); // told 78
    return this.http.axiosRef.get(id); // told 918
  }
  @Get('away') @Redirect() away(@Query('to') to: string) {
    return { url: to }; // told 601
  }
}
""",
}
APPS = {
    "src/lib/db.ts": """import mysql from 'mysql2/promise';
const pool = mysql.createPool({});
export const search = (q: string) => pool.query(`select * from t where a = '${q}'`); // told 89
export const searchSafe = (q: string) => pool.query('select * from t where a = ?', [q]);
""",
    "src/app/api/route.ts": """import { NextResponse } from 'next/server';
import { readFile } from 'fs/promises';
import { search, searchSafe } from '@/lib/db';
export async function GET(request: Request, { params }: { params: { id: string } }) {
  const { searchParams } = new URL(request.url);
  await searchSafe(searchParams.get('q')!);
  await search(searchParams.get('q')!);
  await readFile('/srv/' + params.id); // told 22
  return NextResponse.json({ q: searchParams.get('q') });
}
export async function POST(request: Request) {
  const body = await request.json();
  await fetch(body.url); // told 918
  return new Response('<p>' + body.name, { headers: { 'content-type': 'text/html' } }); // told 79
}
""",
    "src/pages/profile.tsx": """export const getServerSideProps = async (context) => {
  if (context.query.to) return { redirect: { destination: context.query.to, permanent: false } }; // told 601
  return { props: {} };
};
""",
    "src/app/actions.ts": """'use server';
import { redirect } from 'next/navigation';
export async function leave(formData: FormData) {
  redirect(formData.get('next') as string); // told 601
}
""",
    "src/routes/files.server.ts": """import { redirect } from '@remix-run/node';
import { execSync } from 'child_process';
export async function loader({ request, params }) {
  execSync('a ' + params.slug); // told 78
  return redirect(new URL(request.url).searchParams.get('to')); // told 601
}
""",
    "src/routes/hooks.server.ts": """import { error, redirect } from '@sveltejs/kit';
export const POST = async ({ request }) => {
  const body = await request.json();
  await fetch(body.source); // told 918
  redirect(303, body.next); // told 601
};
""",
    "src/hono.ts": """import { Hono } from 'hono';
import { html } from 'hono/html';
import { cors } from 'hono/cors';
const app = new Hono();
app.use('/api/*', cors({ credentials: true, origin: (origin) => origin })); // told 346
app.get('/a', (c) => c.html(`<p>${c.req.query('q')}</p>`)); // told 79
app.get('/b', (c) => c.html(html`<p>${c.req.query('q')}</p>`));
app.get('/c', (c) => c.redirect(c.req.query('to')!)); // told 601
app.post('/d', async (c) => {
  const body = await c.req.json();
  await fetch(body.url); // told 918
  return c.json(body);
});
""",
    "src/resolvers.ts": """import { ApolloServer } from '@apollo/server';
import { execSync } from 'child_process';
const resolvers = {
  Query: { a: (_, { name }) => execSync('a ' + name) }, // told 78
  Mutation: { b(parent, args) { execSync('a ' + args.name); } }, // told 78
};
new ApolloServer({ typeDefs: '', resolvers });
""",
    "src/hapi.ts": """import Hapi from '@hapi/hapi';
const server = Hapi.server({ port: 1 });
server.route([
  { method: 'GET', path: '/a', handler: (request, h) => `<p>${request.query.q}</p>` }, // told 79
  { method: 'GET', path: '/b', handler: (request, h) => h.redirect(request.query.to) }, // told 601
]);
""",
    "src/page.component.ts": """import { ElementRef } from '@angular/core';
import { ActivatedRoute } from '@angular/router';
export class Page {
  constructor(private route: ActivatedRoute, private el: ElementRef) {}
  ngOnInit() {
    this.el.nativeElement.innerHTML = this.route.snapshot.paramMap.get('id'); // told 79
    this.route.queryParamMap.subscribe((p) => {
      window.location.href = p.get('to')!; // told 601
    });
  }
}
""",
}
HELPERS = {
    "helpers.js": """const { execSync } = require('child_process'), fs = require('fs'), path = require('path');
const app = require('express')();
const nameOf = (request) => request.query.name;
class Job {
  #name;
  constructor(name) { this.#name = name; }
  static from(r) { return new Job(r.body.name); }
  run() { execSync('job ' + this.#name); } // told 78
}
app.get('/a', (req, res) => { execSync('job ' + nameOf(req)); }); // told 78
app.get('/b', (req, res) => { Job.from(req).run(); });
app.get('/c', (req, res) => {
  switch (req.query.kind) {
    case 'a': case 'b': execSync('job ' + req.query.kind); break;
    default: execSync('job ' + req.query.kind); // told 78
  }
});
app.get('/d', (req, res) => {
  if (/^\\/[a-z]+$/.test(req.query.to)) res.redirect(req.query.to);
  if (/^\\/[a-z/]*$/.test(req.query.to)) res.redirect(req.query.to); // told 601
  fs.writeFileSync('/srv/new' + path.extname(req.query.name), '');
});
""",
}
PROGRAMS = {"helpers": HELPERS, "express": EXPRESS, "schemas": SCHEMAS, "apps": APPS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_safe_twins_in_a_program_are_silent(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[0] == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_weak_places_in_a_program_are_told(name: str) -> None:
    assert differences(tuple(PROGRAMS[name].items()))[1] == set()
