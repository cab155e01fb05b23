"""No input makes the Python front end crash or hang; what it leaves out it says."""

from __future__ import annotations

import gc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scan.language.python_lowering import FRONT_END, body, lower

from glasshouse.scan import ir
from glasshouse.scan.language.interface import LowerLimits

SAMPLE = b'''
import a.b as c, d
from .e import (f, g as h)
__all__ = ["K"]

@c.route("/x", methods=["GET"])
async def view(request, i: "int" = 3, *args, flag: Optional[a.B] = None, **kw) -> str | None:
    """doc"""
    global G
    x, *y, (z, w.q) = request.GET["a"][1:], 2
    x += f"a{x!r}{{b{y:>10}{z:d}" "tail\\n" b"\\xff"
    if a and not b or isinstance(x, (str, m.B)):
        return os.path.join(x, y).strip().a
    elif x < 3 < y: pass
    else:
        with open(x, mode="r") as f, g() as (h, i):
            z = [k.a for k in f if k if k.b and k.c for j in k]
    try: del a.b, a[1], q
    except (A, B.c) as e: raise X from e
    except E, v: print >>f, "s"
    finally: exec "code" in ns
    while x is not None:
        if y: break
    else: b = (n := 5) if c else -1
    match x, y:
        case [1, *rest] if rest: pass
        case P(x=q) | None: f(q)
        case {"k": v, **r}: pass
        case _: await foo(*a, k=lambda q, r=1: q + r, **d)

class K(Base, mod.C[int], metaclass=M):
    x: int = 1
    @property
    def p(self): return super().p
    @p.setter
    def p(self, v): yield from v
    m = {"a": 1, **b, c: [1, *d]}; `x`
'''


def encoded(source: bytes, limits: LowerLimits | None = None) -> bytes:
    """Lowered and stored with the interpreter's ordinary recursion bound in mind: the nesting must stay small."""
    file = FRONT_END.lower(source, "a.py", limits or LowerLimits())
    assert all(depth(function.body) < 700 for function in file.functions)
    data = msgspec.msgpack.encode(file)
    assert msgspec.msgpack.decode(data, type=ir.File).path == "a.py"
    return data


def depth(value: Any) -> int:
    """How deep lists are nested."""
    deepest = 0
    pending = [(value, 1)]
    while pending:
        each, level = pending.pop()
        if isinstance(each, list):
            deepest = max(deepest, level)
            pending += [(item, level + 1) for item in each]
    return deepest


def written_temporaries(block: list[Any]) -> list[int]:
    written: list[int] = []
    for instr in block:
        if instr[0] not in (ir.SET_ATTR, ir.SET_ITEM, ir.DEL_ITEM, ir.BREAK, ir.CONTINUE, ir.RETURN, ir.RAISE):
            target = instr[3] if instr[0] == ir.FOREACH else instr[2]
            if instr[0] <= ir.IMPORT or instr[0] in (ir.FOREACH, ir.YIELD, ir.AWAIT, ir.IS_TYPE):
                written += [target] if isinstance(target, int) else []
        for field in instr[2:]:
            written += written_in(field)
    return written


def written_in(field: Any) -> list[int]:
    """Temporaries written in the blocks that a field is or holds."""
    if not isinstance(field, list) or not field:
        return []
    if all(
        isinstance(each, list) and len(each) > 1 and each[1].__class__ is int and each[1] >= 1 << 36 for each in field
    ):
        return written_temporaries(field)
    return [temp for each in field if isinstance(each, list) for temp in written_in(each)]


@given(st.data())
def test_a_damaged_source_is_lowered_without_an_error(data: st.DataObject) -> None:
    source = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 60)))
        change = data.draw(st.sampled_from(["cut", "double", "truncate", "insert", "move"]))
        if change == "cut":
            del source[start:end]
        elif change == "double":
            source[end:end] = source[start:end]
        elif change == "truncate":
            del source[max(start, 20) :]
        elif change == "insert":
            token = data.draw(
                st.sampled_from([b"(", b"]", b"'", b'"""', b"\n", b":", b"{", b"def ", b"\\", b"*", b"f'{"])
            )
            source[start:start] = token
        else:
            piece = bytes(source[start:end])
            source = source[:start] + source[end:]
            source += piece
    encoded(bytes(source))


@given(st.text(max_size=200))
def test_any_text_is_lowered_without_an_error(code: str) -> None:
    encoded(code.encode("utf-8", "replace"))


@given(st.binary(max_size=200))
def test_any_bytes_are_lowered_without_an_error(source: bytes) -> None:
    encoded(source)


def test_each_temporary_is_written_by_exactly_one_instruction() -> None:
    for function in lower(SAMPLE).functions:
        written = written_temporaries(function.body)
        assert sorted(written) == list(range(function.temps)), function.qualname


def test_the_same_source_gives_the_same_bytes() -> None:
    first = encoded(SAMPLE)
    encoded(b"x = [y for y in z]")
    assert encoded(SAMPLE) == first


MANY = 50_000


@pytest.mark.parametrize(
    "source",
    [
        b"(" * MANY,
        b"x = " + b"(" * MANY + b")" * MANY,
        b"x = " + b"-" * MANY + b"1",
        b"x = a" + b".a" * MANY,
        b"x = a" + b"()" * MANY,
        b"x = " + b"a + " * MANY + b"1",
        b"x = " + b"a and " * MANY + b"1",
        b"if " + b"a and b or " * 9000 + b"1: pass",
        b"if a: pass\n" + b"elif b == 1: pass\n" * 9000,
        b"a = " * 20_000 + b"b",
        b"x = " + b"'a' " * MANY,
        b"a < " * MANY + b"b",
        b"a if b else " * 9000 + b"c",
        b"lambda: " * 9000 + b"1",
        b"(" * 9000 + b"a" + b",)" * 9000 + b" = x",
        b"[" * 900 + b"x" + b" for x in y]" * 900,
        b"[x" + b" for x in y" * 3000 + b"]",
        b"\n".join(b" " * i + b"if a and b or c:" for i in range(600)) + b"\n" + b" " * 600 + b"pass",
        b"\n".join(b" " * i + b"def f():" for i in range(600)) + b"\n" + b" " * 600 + b"pass",
        b"match x:\n case " + b"[" * 5000 + b"a" + b"]" * 5000 + b": pass",
        b"@a\n" * 5000 + b"def f(): pass",
        b"f'{" * 3000,
        b"x: " + b"a[" * 5000 + b"1" + b"]" * 5000,
    ],
    ids=lambda source: source[:20].decode(),
)
def test_deep_nesting_and_long_chains_are_bounded(source: bytes) -> None:
    encoded(source)


def test_left_nested_chains_are_lowered_in_full() -> None:
    assert len(lower("x = " + "a + " * 5000 + "1").functions[0].body) == 5001
    assert lower("x = " + "a + " * 5000 + "1").notes == []


def test_nesting_beyond_the_bound_is_an_unknown_value_and_noted_once() -> None:
    file = lower("x = " + "[" * 9 + "]" * 9 + ", " + "[" * 9 + "]" * 9, limits=LowerLimits(max_depth=5))
    assert file.notes == ["expressions nested deeper than 5 are unknown values"]
    assert [instr[3] for instr in file.functions[0].body if instr[0] == ir.MOVE][:2] == ["$opaque", "$opaque"]


def test_a_function_beyond_its_nodes_is_capped_and_the_next_one_is_not() -> None:
    code = "def f():\n" + " x = g(1)\n" * 100 + "def h():\n return 1\n"
    file = lower(code, limits=LowerLimits(max_function_nodes=200))
    assert file.functions[1].capped == "more than 200 nodes"
    assert file.functions[2].capped == ""
    assert len(file.notes) == 1


def test_a_huge_table_does_not_hide_the_rest_of_the_module() -> None:
    file = lower("x = [" + "1," * 1000 + "]\ny = f(x)\n", limits=LowerLimits(max_function_nodes=500))
    assert file.functions[0].capped
    assert [instr[0] for instr in file.functions[0].body] == [ir.CALL, ir.MOVE]


def test_a_file_beyond_its_nodes_says_so() -> None:
    file = lower("x = g(1)\n" * 100, limits=LowerLimits(max_nodes=200))
    assert file.notes == ["line 21: left out, the file has more than 200 nodes"]


def test_time_bounds_parsing_and_lowering() -> None:
    stopped = lower(b"\\\n" * 30_000, limits=LowerLimits(max_seconds=0.05))
    assert stopped.notes == ["parsing stopped after 0.05 seconds"]
    assert stopped.functions[0].capped
    late = lower("x = f(1)\n" * 1000, limits=LowerLimits(max_seconds=0.0))
    assert late.notes == ["lowering stopped after 0 seconds"]
    assert body("x = 1") == "x = 1"  # the parser is ready for the next file


def test_what_does_not_parse_is_located_and_the_rest_is_lowered() -> None:
    file = lower("x = f(1)\ny = = 2\nz = g(3)\n")
    assert [ir.unpack_span(span)[0] for span in file.errors] == [2]
    assert [instr[3] for instr in file.functions[0].body if instr[0] == ir.CALL] == ["f", "g"]


def test_lowering_leaves_the_garbage_collector_as_it_was() -> None:
    assert gc.isenabled()
    lower("x = 1")
    assert gc.isenabled()
