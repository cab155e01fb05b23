"""Mechanical fixes are offered only when there is exactly one way to make them."""

from __future__ import annotations

import msgspec
import pytest

from glasshouse.scan.fixes import mechanical
from glasshouse.scan.rules.loader import load_rules
from glasshouse.scan.rules.schema import Edit, Rule
from glasshouse.words.location import Location


@pytest.fixture(scope="module")
def rule() -> Rule:
    found = load_rules(["python"]).rules["py-tls-verification-off"]
    return msgspec.structs.replace(found, edits=(Edit(r"verify\s*=\s*False", "verify=True", "verify it"),))


def place(lines: list[bytes]) -> Location:
    return Location("a.py", 1, 1, len(lines), len(lines[-1]) + 1)


def test_a_fix_replaces_exactly_the_text_that_the_edit_names(rule: Rule) -> None:
    lines = [b"get(u, verify = False)"]
    fix = mechanical(rule, place(lines), lines)
    assert fix is not None
    assert fix.replacement == "verify=True"
    assert (fix.location.column, fix.location.end_column) == (8, 22)


def test_a_fix_is_found_on_a_later_line_of_the_place(rule: Rule) -> None:
    lines = [b"get(", b"    u,", b"    verify=False)"]
    fix = mechanical(rule, place(lines), lines)
    assert fix is not None
    assert (fix.location.line, fix.location.column) == (3, 5)


def test_no_fix_is_offered_when_two_pieces_of_text_fit(rule: Rule) -> None:
    lines = [b"get(f(verify=False), verify=False)"]
    assert mechanical(rule, place(lines), lines) is None


def test_text_before_the_finding_is_left_alone(rule: Rule) -> None:
    lines = [b"verify = False; get(u)"]
    assert mechanical(rule, Location("a.py", 1, 17, 1, 23), lines) is None


def test_a_file_that_has_become_shorter_gets_no_fix(rule: Rule) -> None:
    assert mechanical(rule, Location("a.py", 3, 1, 3, 5), [b"x"]) is None


def test_every_shipped_edit_changes_the_text_it_fits() -> None:
    for found in load_rules().rules.values():
        for edit in found.edits:
            assert edit.description, found.id
            assert edit.replacement, found.id
