"""JavaScript and TypeScript."""

from __future__ import annotations

from tests.contract.front_ends.case import DEEP, Case

from glasshouse.scan.language.javascript import JavaScriptFrontEnd

SAMPLE = rb"""'use strict'; const {a: {b}, c = 1, ...d} = require("m"); import e, {f as g} from 'h'; export * from "i";
@J('k') export default class L extends M.N {
  #o = 1; static p = `q${r}s`; constructor(t) { super(t); } async *u() { yield* v; } get w() { return this.#o }
}
function w({x, y: [z] = []} = {}, ...aa) { let x2 = 1; { let x2 = () => aa; } return x ? y : z || aa && !b ?? c; }
for (const [k, v] of Object.entries(o)) { if (k === 'a') continue; else if (k) break; else delete o[k]; }
l: for (let i = 0, j; i < 10; i++) { switch (i) { case 1: case 'x': continue l; default: o[i] += i--; } }
try { throw new Error(`m ${w}`) } catch ({message}) { exports.m = message.n?.[0]("p", ...q)(r)`s${t}u` }
finally { while (1) do x(); while (y) }
const el = <div a="b" {...c} d={e}>{f} &amp; <G.H/></div>; w.prototype.m = async () => await /re\\/g/gi.test(el);
module.exports = {w, get n() { return 1 }};
"""
TYPED = b"""import a = require('b'); enum C { D = 1, E } namespace F.G { export const h: string[] = <any>i!; }
@J() class K<T> implements L, M {
  private n?: O<P> = q as R; constructor(private readonly s: T, @U() v = 1) {} @Get('w') w(@Body() {x}: X): void {}
}
function x(this: Y, z?: number): asserts z is number; export = K; type AA = { [k in keyof B]?: C };
"""
NESTED = {
    "parentheses": "(" * DEEP + "x" + ")" * DEEP,
    "open parentheses": "(" * DEEP,
    "arrays": "x = " + "[" * DEEP + "]" * DEEP,
    "objects": "x = " + "{a:" * DEEP + "1" + "}" * DEEP,
    "blocks": "{" * DEEP + "}" * DEEP,
    "ifs": "if (a) " * DEEP + "b",
    "functions": "function f() {" * 5000 + "}" * 5000,
    "arrows": "a => " * 5000 + "1",
    "negations": "x = " + "!" * DEEP + "a",
    "assignments": "a = " * DEEP + "1",
    "conditionals": "x = " + "a ? b : " * DEEP + "c",
    "templates": "x = " + "`${" * 500 + "}`" * 500,
    "elements": "x = " + "<a>" * 5000 + "</a>" * 5000,
    "classes": "class A { m() {" * 1000 + "}}" * 1000,
    "patterns": "let " + "[" * 5000 + "a" + "]" * 5000 + " = x",
    "tries": "try {" * 1000 + "} catch (e) {}" * 1000,
    "switches": "switch (a) { case 1: " * 1000 + "}" * 1000,
}
CHAINS = {
    "additions": "x = " + " + ".join(["a"] * 20_000),
    "calls": "a" + ".b()" * 20_000,
    "members": "x = a" + ".b" * 20_000,
    "items": "x = a" + "[0]" * 20_000,
    "sequences": ", ".join(["f()"] * 20_000),
    "else-if arms": "if (a) b();" + " else if (c) d();" * 5_000,
}

CASE = Case(
    JavaScriptFrontEnd(),
    {"a.js": SAMPLE, "a.ts": TYPED, "a.tsx": SAMPLE + TYPED},
    "%s",
    NESTED,
    CHAINS,
    100_000,
    "function t() { return [" + "1," * 20_000 + "1] }\nfunction m() { f() }",
    "function a() { return a }\n)]} @@ ;\nfunction b() { f() }",
)
