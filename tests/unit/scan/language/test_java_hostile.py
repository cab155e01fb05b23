"""The Java front end on broken, huge and deep input: it never raises, and what it leaves out it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scan.language.java_lowering import FRONT_END, function, lower, shown

from glasshouse.scan import ir
from glasshouse.scan.ir import File
from glasshouse.scan.language.interface import LowerLimits

DEEP = 50_000
SAMPLE = b"""package a.b;
import java.util.*;
@Q("x") public class A<T> extends B implements C {
  static final int X = 1; String[] y = {"a", "\\u0041"};
  @GET public <U> String m(@P("id") List<String> a, int... c) throws E {
    for (int i = 0, j = 1; i < 3; i++, j--) { if (a == null && i > 2 || x()) continue; else y[i] += "b" + 'c'; }
    try (var in = new F(a) { int z; }) { in.read(); } catch (X | Y e) { throw e; } finally { f.g().h(); }
    var r = switch (a) { case String s when s.x() -> { yield 1; } case P(int q, var w) -> 2; default -> c -> c; };
    l: while (true) { break l; } do { x++; } while (a instanceof Z z); synchronized (this) { assert a : "b"; }
    return (String) a.b(this::m, A::new, int[]::new) ? new int[3][] : new int[]{1}[0];
  }
  enum K { R, S(1) { void f() {} }; } record T(int a) { T { } } interface I { default void f() {} }
}
"""
PAGE = b"""<%@ page import="a.B" %><%! int f() { return 1; } %>
<% if (x) { %> ${param.a} <%= y %> <% } %><c:out value="${z}"/>"""
WRITES = {ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.MAKE, ir.CLOSURE, ir.CLASS, ir.CAST}

NESTED = {
    "parentheses": ("int x = " + "(" * DEEP + "1" + ")" * DEEP + ";"),
    "blocks": "{" * DEEP + "}" * DEEP,
    "branches": "if (a) {" * DEEP + "}" * DEEP,
    "conditional expressions": "x = " + "a ? b : " * DEEP + "c;",
    "calls": "x = " + "f(" * DEEP + ")" * DEEP + ";",
    "lambdas": "x = " + "a -> " * DEEP + "1;",
    "switches": "switch (a) { case 1: " * 5_000 + "}" * 5_000,
    "handlers": "try {} catch (E e) {" * 5_000 + "}" * 5_000,
    "anonymous classes": "x = " + "new A() { Object x = " * 5_000 + "1" + "; }" * 5_000 + ";",
    "array initialisers": "int[] x = " + "{" * DEEP + "}" * DEEP + ";",
}
CHAINS = {
    "method calls": "a" + ".b()" * DEEP + ";",
    "fields": "x = a" + ".b" * DEEP + ";",
    "sums": "x = a" + " + a" * DEEP + ";",
    "conjunctions": "x = a" + " && a" * DEEP + ";",
    "assignments": "x = " * DEEP + "1;",
    "else-if arms": "if (a) b(); else " * 10_000 + "c();",
}


def encoded(file: File) -> bytes:
    return msgspec.msgpack.encode(file)


@pytest.mark.parametrize("kind", NESTED)
def test_deep_nesting_is_cut_with_a_note(kind: str) -> None:
    file = lower("class A { void m() { " + NESTED[kind] + " } }")
    assert any("nesting limit" in note for note in file.notes)
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@pytest.mark.parametrize("kind", CHAINS)
def test_long_chains_are_lowered_whole(kind: str) -> None:
    file = lower("class A { void m() { " + CHAINS[kind] + " } }")
    assert file.notes == []
    assert len(encoded(file)) > 100_000


def test_a_huge_table_caps_its_function_and_the_next_function_is_whole() -> None:
    limits = LowerLimits(max_function_nodes=1_000)
    file = lower("class A { int[] t = {" + "1," * 20_000 + "1}; void m() { f(); } }", limits=limits)
    assert function(file, "<fields>").capped
    assert any("node limit" in note for note in file.notes)
    assert not function(file, "m").capped
    assert shown(function(file, "m")) == ["CALL_METHOD %0 this f [] []"]


def test_the_node_limit_of_a_file_ends_its_lowering() -> None:
    code = "class A { " + "".join(f"void m{i}() {{ f(); g(); }} " for i in range(2_000)) + "}"
    file = lower(code, limits=LowerLimits(max_nodes=500))
    assert any("node limit" in note for note in file.notes)


def test_the_time_limit_ends_lowering() -> None:
    file = lower("class A { void m() { f(); } }", limits=LowerLimits(max_seconds=-1.0))
    assert any("time limit" in note for note in file.notes)


def test_the_time_limit_ends_parsing_of_large_files() -> None:
    file = lower("<%$#@!" * 100_000, limits=LowerLimits(max_seconds=-1.0))
    assert any("time limit" in note for note in file.notes)
    assert file.errors


def test_a_syntax_error_is_reported_and_the_rest_is_lowered() -> None:
    file = lower("class A {\n  void a() { int x = ; }\n  void b() { f(); }\n}")
    assert [ir.unpack_span(span)[0] for span in file.errors] == [2]
    assert shown(function(file, "b")) == ["CALL_METHOD %0 this f [] []"]


def test_methods_of_a_class_that_never_ends_are_lowered() -> None:
    file = lower("public class A {\n  public void a(String s) { f(s); }\n  public void b() {\n    if (x) {\n")
    assert file.errors
    assert "CALL_METHOD %0 this f [s] []" in shown(function(file, "a"))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([SAMPLE, PAGE]))
def test_mutated_source_never_raises_and_can_be_encoded(data: st.DataObject, sample: bytes) -> None:
    source = bytearray(sample)
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
    text = bytes(source).decode("utf-8", "replace").encode()
    file = FRONT_END.lower(text, "a.jsp" if sample is PAGE else "A.java", LowerLimits())
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_file(source: bytes) -> None:
    for path in ("A.java", "a.jsp"):
        encoded(FRONT_END.lower(source.decode("utf-8", "replace").encode(), path, LowerLimits()))


def test_lowering_is_deterministic() -> None:
    assert encoded(FRONT_END.lower(SAMPLE, "A.java", LowerLimits())) == encoded(
        FRONT_END.lower(SAMPLE, "A.java", LowerLimits())
    )


def written_temporaries(block: list[Any]) -> Iterator[int]:
    """The temporaries that the instructions of a block (and of the blocks in it) write."""
    for instruction in block:
        if instruction[0] in WRITES and isinstance(instruction[2], int):
            yield instruction[2]
        for field in instruction[2:]:
            if isinstance(field, list):
                yield from _nested_temporaries(field)


def _nested_temporaries(field: list[Any]) -> Iterator[int]:
    if field and isinstance(field[0], list) and len(field[0]) > 2 and field[0][:1] and isinstance(field[0][0], int):
        yield from written_temporaries(field)
        return
    for part in field:
        if isinstance(part, list):
            yield from _nested_temporaries(part)


def test_every_temporary_is_written_by_one_instruction() -> None:
    for each in FRONT_END.lower(SAMPLE, "A.java", LowerLimits()).functions:
        written = list(written_temporaries(each.body))
        assert len(written) == len(set(written)), each.qualname
