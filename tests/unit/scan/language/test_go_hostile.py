"""The Go front end on broken, huge and deep input: it never raises, and what it leaves out it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.scan import ir
from glasshouse.scan.ir import File, Function
from glasshouse.scan.language.go import GoFrontEnd
from glasshouse.scan.language.interface import LowerLimits

FRONT_END = GoFrontEnd()
DEEP = 50_000
WRITES = {ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.MAKE, ir.CLOSURE, ir.CAST}
SAMPLE = b"""package a
import ("os"; x "os/exec"; . "fmt"; "m/v2")
type A struct { B; *C; n, m string; f func(int) string; q [2]string; e struct{ z int } }
type I interface { Speak(s string) (string, error); E }
const ( K = iota; L )
var g, h = 1, "\\u0041"
func init() { g++ }
func (a *A) M(p, q string, r ...int) (res string, err error) {
  defer func() { if r := recover(); r != nil { err = r.(error) } }()
  go a.M("x", "y")
  x, m := []string{"a", 2: "b"}, map[string]T{"k": {A: 1}}
  for i := 0; i < 3; i++ { continue }
  for k, v := range m { _, _ = k, v }
  for range 3 { break }
  if v, ok := m["x"]; ok { f(v) } else if b || c && d { } else { }
  switch t := y.(type) { case string, int: f(t); default: }
  switch z := 1; z { case 1, 2: fallthrough; case 3: break; default: }
  switch { case a > b: }
  select { case v := <-ch: f(v); case ch <- 1: ; default: }
outer:
  for { break outer }
  goto end
  a.n, x[0] = f(x[1:2], *p, &q, y.(string)), `raw`
  *p, s := 'a', fmt.Sprintf("%s %d %%", q, 0x1F)
end:
  return G[int](3), nil
}
"""
NESTED = {
    "parentheses": "x := " + "(" * DEEP + "1" + ")" * DEEP,
    "blocks": "{" * DEEP + "}" * DEEP,
    "branches": "if a {" * DEEP + "}" * DEEP,
    "calls": "x := " + "f(" * DEEP + ")" * DEEP,
    "function literals": "x := " + "func() int { return " * 5_000 + "1" + "}" * 5_000,
    "literals": "x := " + "[]T{" * DEEP + "}" * DEEP,
    "pointers": "x := " + "*" * DEEP + "p",
}
CHAINS = {
    "method calls": "a" + ".b()" * DEEP,
    "fields": "x := a" + ".b" * DEEP,
    "sums": "x := a" + " + a" * DEEP,
    "else-if arms": "if a { b() } else " * 5_000 + "{ c() }",
}


def lower(code: str, limits: LowerLimits | None = None) -> File:
    return FRONT_END.lower(code.encode(), "a.go", limits or LowerLimits())


def inside(statements: str) -> str:
    return "package a\nfunc m() {\n" + statements + "\n}\n"


def encoded(file: File) -> bytes:
    return msgspec.msgpack.encode(file)


def function(file: File, name: str) -> Function:
    return next(each for each in file.functions if each.name == name)


@pytest.mark.parametrize("kind", NESTED)
def test_deep_nesting_is_cut_with_a_note(kind: str) -> None:
    file = lower(inside(NESTED[kind]))
    assert any("nesting limit" in note for note in file.notes) or file.errors
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@pytest.mark.parametrize("kind", CHAINS)
def test_long_chains_are_lowered_whole(kind: str) -> None:
    file = lower(inside(CHAINS[kind]))
    assert file.notes == []
    assert len(encoded(file)) > 50_000


def test_a_huge_table_caps_its_function_and_the_next_function_is_whole() -> None:
    limits = LowerLimits(max_function_nodes=1_000)
    file = lower("package a\nfunc t() { x := []int{" + "1," * 20_000 + "1} }\nfunc m() { f() }", limits)
    assert function(file, "t").capped
    assert not function(file, "m").capped
    assert [instruction[0] for instruction in function(file, "m").body] == [ir.CALL]


def test_the_time_limit_ends_lowering() -> None:
    file = lower(inside("f()\n" * 1_000), LowerLimits(max_seconds=-1.0))
    assert any("time limit" in note for note in file.notes)


def test_a_syntax_error_is_reported_and_the_rest_is_lowered() -> None:
    file = lower("package a\nfunc a() { x := := }\nfunc b() { f() }\n")
    assert [ir.unpack_span(span)[0] for span in file.errors][:1] == [2]
    assert [instruction[0] for instruction in function(file, "b").body] == [ir.CALL]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_mutated_source_never_raises_and_can_be_encoded(data: st.DataObject) -> None:
    source = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 30)))
        change = data.draw(st.sampled_from(["delete", "duplicate", "insert", "truncate", "move"]))
        if change == "delete":
            del source[start:end]
        elif change == "duplicate":
            source[start:start] = source[start:end]
        elif change == "insert":
            source[start:start] = data.draw(st.text(max_size=6)).encode("utf-8", "replace")
        elif change == "truncate":
            del source[start:]
        else:
            source += source[start:end]
    file = FRONT_END.lower(bytes(source).decode("utf-8", "replace").encode(), "a.go", LowerLimits())
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_file(source: bytes) -> None:
    encoded(FRONT_END.lower(source.decode("utf-8", "replace").encode(), "a.go", LowerLimits()))


def test_lowering_is_deterministic() -> None:
    assert encoded(FRONT_END.lower(SAMPLE, "a.go", LowerLimits())) == encoded(
        FRONT_END.lower(SAMPLE, "a.go", LowerLimits())
    )


def written_temporaries(block: list[Any]) -> Iterator[int]:
    """The temporaries that the instructions of a block (and of the blocks in it) write."""
    for instruction in block:
        if instruction[0] in WRITES and isinstance(instruction[2], int):
            yield instruction[2]
        for field in instruction[2:]:
            if isinstance(field, list):
                yield from nested_temporaries(field)


def nested_temporaries(field: list[Any]) -> Iterator[int]:
    if field and isinstance(field[0], list) and len(field[0]) > 2 and isinstance(field[0][0], int):
        yield from written_temporaries(field)
        return
    for part in field:
        if isinstance(part, list):
            yield from nested_temporaries(part)


def test_every_temporary_is_written_by_one_instruction() -> None:
    for each in FRONT_END.lower(SAMPLE, "a.go", LowerLimits()).functions:
        written = list(written_temporaries(each.body))
        assert len(written) == len(set(written)), each.qualname
