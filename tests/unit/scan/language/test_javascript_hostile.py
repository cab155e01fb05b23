"""The JavaScript front end on broken, huge and deep input: it never raises, and what it leaves out it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scan.language.javascript_lowering import FRONT_END, function, lower, shown

from glasshouse.scan import ir
from glasshouse.scan.ir import File
from glasshouse.scan.language.interface import LowerLimits

DEEP = 50_000
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
    "additions": ("x = " + " + ".join(["a"] * 20_000), 20_000),
    "calls": ("a" + ".b()" * 20_000, 20_000),
    "members": ("x = a" + ".b" * 20_000, 20_001),
    "items": ("x = a" + "[0]" * 20_000, 20_001),
    "sequence": (", ".join(["f()"] * 20_000), 20_000),
}


WRITES = {
    *[ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.TEMPLATE, ir.MAKE, ir.CLOSURE, ir.CLASS],
    *[ir.MOVE, ir.IMPORT, ir.YIELD, ir.AWAIT, ir.CAST, ir.IS_TYPE],
}


def temporaries(block: list[Any]) -> Iterator[int]:
    """Temporaries that a block writes, once for each instruction that does."""
    for field in block:
        if isinstance(field, list):
            is_instruction = len(field) > 2 and isinstance(field[0], int) and isinstance(field[1], int)
            if is_instruction and field[1] >= 1 << 36:
                place = 2 if field[0] in WRITES else 3 if field[0] == ir.FOREACH else 0
                if place and isinstance(field[place], int):
                    yield field[place]
            yield from temporaries(field)


def encoded(file: File) -> bytes:
    return msgspec.msgpack.encode(file)


@pytest.mark.parametrize("code", NESTED.values(), ids=NESTED.keys())
def test_deep_nesting_is_bounded_and_said(code: str) -> None:
    file = lower(code)
    assert encoded(file)
    assert file.notes or file.errors


@pytest.mark.parametrize(("code", "count"), CHAINS.values(), ids=CHAINS.keys())
def test_long_chains_are_lowered_whole(code: str, count: int) -> None:
    file = lower(code)
    assert len(file.functions[0].body) in (count - 1, count, count + 1)
    assert not file.notes
    assert encoded(file)


def test_long_chains_of_else_if_do_not_nest() -> None:
    assert encoded(lower("if (a) b();" + " else if (c) d();" * 5000))


def test_a_syntax_error_is_reported_and_the_rest_is_lowered() -> None:
    file = lower("function f() { return a }\n)]} @@ ;\nfunction g() { return b }")
    assert file.errors
    assert shown(file, file.functions.index(function(file, "f"))) == ["return a"]
    assert shown(file, file.functions.index(function(file, "g"))) == ["return b"]


def test_a_function_with_too_many_nodes_is_capped_and_said() -> None:
    file = lower(
        "function f() {" + "g(1);" * 1000 + "} function h() { return 1 }", limits=LowerLimits(max_function_nodes=500)
    )
    assert function(file, "f").capped == "nodes"
    assert 0 < len(function(file, "f").body) < 1000
    assert not function(file, "h").capped
    assert file.notes


def test_a_table_with_too_many_nodes_is_capped_and_said() -> None:
    file = lower("x = [" + "{a: 1, b: [2]}," * 5000 + "]", limits=LowerLimits(max_function_nodes=500))
    assert len(encoded(file)) < 50_000
    assert file.functions[0].capped == "nodes"


def test_a_file_out_of_time_is_capped_and_said() -> None:
    file = lower("f(" + "g(1)," * 1000 + "1)", limits=LowerLimits(max_seconds=0.0))
    assert file.functions[0].capped == "time"
    assert file.notes


def test_bounds_of_one_file_do_not_reach_the_next() -> None:
    lower("f(" + "g(1)," * 1000 + "1)", limits=LowerLimits(max_seconds=0.0, max_depth=2, max_function_nodes=1))
    file = lower("f(g(1))")
    assert not file.notes
    assert not file.functions[0].capped


def test_the_same_source_always_gives_the_same_bytes() -> None:
    first = encoded(FRONT_END.lower(SAMPLE, "a.js", LowerLimits()))
    FRONT_END.lower(TYPED, "a.ts", LowerLimits())
    FRONT_END.lower(b"let zz = {", "a.js", LowerLimits())
    assert encoded(FRONT_END.lower(SAMPLE, "a.js", LowerLimits())) == first


def test_the_samples_have_no_syntax_errors() -> None:
    assert not FRONT_END.lower(SAMPLE, "a.js", LowerLimits()).errors
    assert len(FRONT_END.lower(TYPED, "a.ts", LowerLimits()).errors) <= 1


@pytest.mark.parametrize(("source", "path"), [(SAMPLE, "a.js"), (TYPED, "a.ts")])
def test_every_temporary_is_written_once(source: bytes, path: str) -> None:
    for each in FRONT_END.lower(source, path, LowerLimits()).functions:
        written = list(temporaries(each.body))
        assert len(written) == len(set(written))
        assert sorted(written) == list(range(each.temps))


@st.composite
def mutations(draw: st.DrawFn) -> tuple[bytes, str]:
    source, path = draw(st.sampled_from([(SAMPLE, "a.js"), (TYPED, "a.ts"), (SAMPLE + TYPED, "a.tsx")]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(source)))
        end = draw(st.integers(start, min(len(source), start + 80)))
        kind = draw(st.sampled_from(["cut", "repeat", "insert", "truncate"]))
        if kind == "cut":
            source = source[:start] + source[end:]
        elif kind == "repeat":
            source = source[:end] + source[start:end] * draw(st.integers(1, 4)) + source[end:]
        elif kind == "insert":
            source = source[:start] + draw(st.binary(max_size=8)) + source[start:]
        else:
            source = source[:start]
    return source.decode("utf-8", "replace").encode("utf-8"), path


@settings(max_examples=300, deadline=None)
@given(mutations(), st.sampled_from([LowerLimits(), LowerLimits(max_depth=5, max_function_nodes=60)]))
def test_no_mutation_of_a_source_file_raises(mutation: tuple[bytes, str], limits: LowerLimits) -> None:
    source, path = mutation
    file = FRONT_END.lower(source, path, limits)
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    assert encoded(lower(text.encode("utf-8", "replace").decode()))
