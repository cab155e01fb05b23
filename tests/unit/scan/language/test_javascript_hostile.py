"""The JavaScript front end on huge files, beyond what every front end keeps to (`contract/test_front_ends`)."""

from __future__ import annotations

import msgspec
from tests.contract.front_ends.javascript import CASE
from tests.unit.scan.language.javascript_lowering import function, lower

from glasshouse.scan.language.interface import LowerLimits


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
    assert len(msgspec.msgpack.encode(file)) < 50_000
    assert file.functions[0].capped == "nodes"


def test_a_file_out_of_time_is_capped_and_said() -> None:
    file = lower("f(" + "g(1)," * 1000 + "1)", limits=LowerLimits(max_seconds=0.0))
    assert file.functions[0].capped == "time"
    assert file.notes


def test_the_samples_have_no_syntax_errors() -> None:
    assert not CASE.lower(CASE.samples["a.js"], "a.js").errors
    assert len(CASE.lower(CASE.samples["a.ts"], "a.ts").errors) <= 1
