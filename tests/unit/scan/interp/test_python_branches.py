"""Control flow in Python: what cannot run changes nothing, and what a condition says is believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[[str], bool]
Lines = Callable[[str, str, int], list[int]]


def test_a_branch_that_cannot_be_taken_changes_nothing(reaches: Reaches) -> None:
    assert not reaches("value = 'ls'\nif 1 > 2:\n    value = data\nos.system(value)")
    assert reaches("value = 'ls'\nif 2 > 1:\n    value = data\nos.system(value)")


def test_a_constant_decides_a_branch_through_containers(reaches: Reaches) -> None:
    code = "table = {{'mode': {}}}\nvalue = 'ls'\nif table['mode'] == 1:\n    value = data\nos.system(value)"
    assert reaches(code.format(1))
    assert not reaches(code.format(2))


def test_a_match_statement_on_a_constant_enters_one_case(reaches: Reaches) -> None:
    code = """
        kind = '{}'
        match kind:
            case 'a':
                value = data
            case _:
                value = 'ls'
        os.system(value)
        """
    assert reaches(code.format("a"))
    assert not reaches(code.format("b"))


def test_a_positional_class_pattern_reads_the_field_the_class_names(reaches: Reaches) -> None:
    code = """
        class Pair:
            __match_args__ = ('left', 'right')
            def __init__(self, left, right):
                self.left, self.right = left, right
        match Pair(data, 'ls'):
            case Pair(a, b):
                os.system({})
        """
    assert reaches(code.format("a"))
    assert not reaches(code.format("b"))


def test_a_loop_over_nothing_does_not_run(reaches: Reaches) -> None:
    assert not reaches("value = 'ls'\nfor number in range(0):\n    value = data\nos.system(value)")


def test_a_loop_over_a_known_range_runs(reaches: Reaches) -> None:
    assert not reaches("value = data\nfor number in range(2):\n    value = 'ls'\nos.system(value)")


def test_a_loop_that_may_not_run_leaves_what_was_before(reaches: Reaches) -> None:
    assert reaches("value = data\nfor letter in data:\n    value = 'ls'\nos.system(value)")


def test_data_goes_round_a_loop(reaches: Reaches) -> None:
    assert reaches("value = 'ls'\nwhile len(data) > 3:\n    os.system(value)\n    value = data")


def test_the_right_side_of_and_is_the_result_where_the_left_holds(reaches: Reaches) -> None:
    assert not reaches("os.system(data and 'ls')")
    assert reaches("os.system(data or 'ls')")


def test_equality_with_a_constant_makes_a_value_that_constant(reaches: Reaches) -> None:
    assert not reaches("if data == 'ls':\n    os.system(data)")
    assert reaches("if data != 'ls':\n    os.system(data)")


@pytest.mark.parametrize("allowed", ["['ls', 'pwd']", "{'ls', 'pwd'}", "('ls', 'pwd')", "{'ls': 1}"])
def test_membership_in_constants_makes_a_value_harmless(reaches: Reaches, allowed: str) -> None:
    assert not reaches(f"if data in {allowed}:\n    os.system(data)")
    assert reaches(f"if data not in {allowed}:\n    os.system(data)")


def test_a_check_that_leaves_early_holds_for_what_follows(reaches: Reaches) -> None:
    assert not reaches("if data not in ('ls', 'pwd'):\n    sys.exit(1)\n    raise SystemExit\nos.system(data)")


def test_a_pattern_that_lets_no_metacharacter_through_is_a_check(reaches: Reaches) -> None:
    assert not reaches("import re\nif re.fullmatch(r'[a-z]+', data):\n    os.system(data)")
    assert reaches("import re\nif re.match(r'[a-z]+', data):\n    os.system(data)")


def test_a_normalised_path_with_a_checked_prefix_is_inside(lines: Lines) -> None:
    code = """
from flask import Flask, request
import os
app = Flask(__name__)

@app.route("/")
def read():
    path = {}(os.path.join("/srv", request.args["name"]))
    if path.startswith("/srv/"):
        return open(path).read()
"""
    for function in ("os.path.realpath", "os.path.abspath", "os.path.normpath"):
        assert lines("python", code.format(function), 22) == []
    assert lines("python", code.format("str"), 22) == [10]


def test_a_normalised_path_without_a_check_is_not(lines: Lines) -> None:
    code = "import os, sys\nopen(os.path.realpath(sys.argv[1]))\n"
    assert lines("python", code, 22) == [2]


@pytest.mark.parametrize(
    "check",
    [
        "os.path.commonpath([base, os.path.realpath(path)]) == base",
        "os.path.commonprefix((os.path.realpath(path), base)) == base",
        "os.path.realpath(path).startswith(base)",
    ],
)
def test_a_check_of_the_real_path_covers_the_path_itself(lines: Lines, check: str) -> None:
    code = f"import os, sys\nbase = '/srv/'\npath = os.path.join(base, sys.argv[1])\nif {check}:\n    open(path)\n"
    assert lines("python", code, 22) == []


def test_a_handler_sees_what_the_body_had_done(reaches: Reaches) -> None:
    assert reaches(
        """
        def check(text):
            if len(text) > 3:
                raise ValueError
        value = 'ls'
        try:
            value = data
            check(value)
            value = 'ls'
        except ValueError:
            os.system(value)
        """
    )


def test_finally_runs_after_both(reaches: Reaches) -> None:
    assert not reaches("try:\n    value = data\nfinally:\n    value = 'ls'\nos.system(value)")


def test_data_travels_in_an_exception(reaches: Reaches) -> None:
    assert reaches("try:\n    raise ValueError(data)\nexcept ValueError as error:\n    os.system(str(error))")
