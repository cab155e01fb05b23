"""The Python front end on deep and huge input, beyond what every front end keeps to (`contract/test_front_ends`)."""

from __future__ import annotations

import gc
from typing import Any

import msgspec
import pytest
from tests.contract.front_ends.python import CASE
from tests.unit.scan.language.python_lowering import body, lower

from glasshouse.scan import ir
from glasshouse.scan.language.interface import LowerLimits

DEEP = {
    **CASE.nested,
    **CASE.chains,
    "loops": "[x" + " for x in y" * 3_000 + "]",
    "types": "x: " + "a[" * 5_000 + "1" + "]" * 5_000,
    "texts": "x = " + "'a' " * 50_000,
    "branches": "if " + "a and b or " * 9_000 + "1: pass",
}


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


@pytest.mark.parametrize("kind", DEEP)
def test_what_is_kept_of_deep_source_is_not_deep(kind: str) -> None:
    """It is read again with the interpreter's ordinary bound of recursion."""
    file = lower(DEEP[kind])
    assert all(depth(function.body) < 700 for function in file.functions)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(file), type=ir.File) == file


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


def test_left_nested_chains_are_lowered_in_full() -> None:
    assert len(lower("x = " + "a + " * 5000 + "1").functions[0].body) == 5001
    assert lower("x = " + "a + " * 5000 + "1").notes == []
