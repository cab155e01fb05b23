"""What rules look for as plain text is told from their patterns; a wrong answer would lose findings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.interp.late_pattern import late_pattern
from glasshouse.scan.lowered import literal_places, opening
from glasshouse.scan.rules.loader import load_rules

PIECES = st.sampled_from(
    ["a", "b", "AK", r"\.", "[ab]", "(a|b)", "(?P<secret>b|a)", "|", "?", "{1,2}", "(a(b|c))", "-"]
)


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join), st.text("abcAK.-|", max_size=12))
def test_what_a_pattern_finds_begins_with_its_opening(pattern: str, text: str) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    for found in compiled.finditer(text):
        assert found.group().startswith(opening(pattern))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?P<secret>AKIA[A-Z]{16})", "AKIA"),
        (r"hooks\.example\.com/T[A-Z]+", "hooks.example.com/T"),
        ("(?P<secret>sq0(atp|csp)-[a-z]+)", "sq0"),
        ("AK?IA", "A"),
        ("(?P<secret>ab|cd)", ""),
        ("(?P<secret>ab)?c", ""),
        ("(?i)abc", ""),
        ("[a|b]x", ""),
    ],
)
def test_the_opening_is_the_constant_text_before_anything_that_varies(pattern: str, text: str) -> None:
    assert opening(pattern) == text


def test_most_token_formats_have_an_opening() -> None:
    patterns = {pattern for rule in load_rules(["python"]).rules.values() for pattern in rule.literal}
    assert sum(1 for pattern in patterns if len(opening(pattern)) > 1) >= 0.8 * len(patterns)


def test_a_token_is_found_wherever_it_stands() -> None:
    places = literal_places("x\nkey: AKIAQWERTYUIOPASDFGH\n", "(?P<secret>AKIA[A-Z2-7]{16})")
    assert [span >> 36 for span, _ in places] == [2]


def test_a_late_pattern_answers_like_a_compiled_one() -> None:
    pattern = late_pattern("a+b")
    assert pattern is late_pattern("a+b")
    assert pattern.search("xaab") is not None
    assert pattern.fullmatch("xaab") is None
    assert not hasattr(pattern, "pattern")
