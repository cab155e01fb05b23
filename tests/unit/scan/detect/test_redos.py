"""Which regular expressions are called slow."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan import report
from glasshouse.scan.detect import automaton, redos, regex, secrets
from glasshouse.scan.detect.php import checks as php_checks
from glasshouse.scan.detect.redos import is_slow
from glasshouse.scan.interp.php import text as php_text
from glasshouse.scan.rules import check, parse
from glasshouse.scan.rules.loader import load_rules

SLOW = [
    r"^(a+)+$",
    r"^(\w+\s?)*$",
    r"(a|a)*b",
    r"(a|b|ab)*c",
    r"^(a*)*$",
    r"(a?b?)*c",
    r"(x+x+)+y",
    r"<!--(?:.|\s)*?-->",
    r"([a-z]+)*\d",
    r"^(?:[a-z0-9]|[a-z]){2,}$",
    r"^(a{1,50}){1,50}$",
    r"(?=(a+)+$)x",
    r"(?i)(a|A)*b",
    r"(?P<word>\w+)*!",
    r"(?<word>\w+)*!",
    r"(\p{L}+)*!",
    r"(?:[^<>]+)*>",
    r"\d+\d+\d+x",
    r"\s*\s*x",
    r"(?:\r\n|\r|\n)+x",
]
FAST = [
    r"^\w+(\s\w+)*$",
    r"(a+)+",
    r"^(a+)+.*",
    r"[a-z]+@[a-z]+\.com",
    r"\s+$",
    r"^\s+|\s+$",
    r".*foo.*bar",
    r"(?:[^\"\\]|\\.)*\"",
    r"(a++)+$",
    r"(?>a+)+$",
    r"(\d{1,3}\.){3}\d{1,3}",
    r"^(?:a|b)*c",
    r"([\s\S]*?)end",
    r"^[\w.-]+$",
    r"(ab)*(cd)*x",
    r"(foo|bar|baz)*qux",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_ambiguous_loops_are_slow(pattern: str) -> None:
    assert is_slow(pattern)


@pytest.mark.parametrize("pattern", FAST)
def test_loops_with_one_way_through_are_fast(pattern: str) -> None:
    assert is_slow(pattern) is None


def test_a_loop_that_may_end_anywhere_is_slow_only_where_the_whole_text_must_match() -> None:
    assert is_slow("(a+)+") is None
    assert is_slow("(a+)+", "f")


def test_the_answer_names_a_character_to_repeat() -> None:
    assert is_slow(r"^(\w+\s?)*$") == "the time doubles with each further 'a'"


def test_flags_change_what_overlaps() -> None:
    assert is_slow(r"(a|A)*b") is None
    assert is_slow(r"(a|A)*b", "i")
    assert is_slow(r"(.|\n)*x") is None
    assert is_slow(r"(.|\n)*x", "s")


@pytest.mark.parametrize(
    "pattern", ["(", ")", "[", "a{99999999}", "(?<", "\\", "*", "a**", "(?z)", "[z-a]", "\\u{zz}", "(?"]
)
def test_what_is_not_a_regular_expression_is_not_reported(pattern: str) -> None:
    assert is_slow(pattern) is None


def test_deep_and_long_patterns_are_bounded() -> None:
    assert is_slow("(" * 5000 + ")" * 5000) is None
    assert is_slow("(" * 500 + "a" + ")*" * 500) is None
    assert is_slow("(?:a|b)*" * 300) is None
    assert is_slow("a" * 5000) is None


@given(st.text(alphabet="ab|()[]{}*+?.\\^$,-1dwsb<=!:P&", max_size=40), st.sampled_from(["", "i", "s", "x", "f"]))
def test_no_pattern_makes_it_fail(pattern: str, flags: str) -> None:
    answer = is_slow(pattern, flags)
    assert answer is None or answer


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(pattern: str) -> None:
    answer = is_slow(pattern)
    assert answer is None or answer


@given(st.text(alphabet="abc", min_size=1, max_size=8))
def test_a_plain_word_is_never_slow(word: str) -> None:
    assert is_slow(word, "f") is None
    assert is_slow(f"(?:{word})*", "f") is None


@given(st.text(alphabet="abc", min_size=1, max_size=5))
def test_a_loop_around_a_loop_is_always_slow(word: str) -> None:
    assert is_slow(f"^(?:(?:{word})+)+$")


@given(st.text(alphabet="abc", min_size=1, max_size=4), st.text(alphabet="abc", min_size=1, max_size=4))
def test_two_equal_branches_in_a_loop_are_always_slow(left: str, right: str) -> None:
    assert (is_slow(f"^(?:{left}|{right})*$") is not None) == (left + right == right + left)


@pytest.mark.parametrize("module", [automaton, redos, regex, secrets, check, parse])
def test_our_own_patterns_are_not_slow(module: object) -> None:
    """These are matched against text from outside."""
    for value in vars(module).values():
        if isinstance(value, re.Pattern):
            flags = ("f" if value.pattern else "") + ("x" if value.flags & re.VERBOSE else "")
            assert is_slow(value.pattern, flags + ("i" if value.flags & re.IGNORECASE else "")) is None, value.pattern


def test_patterns_for_token_formats_are_not_slow() -> None:
    for rule in load_rules().rules.values():
        for pattern in rule.literal:
            assert is_slow(pattern) is None, rule.id


def test_the_stack_is_not_used_up_by_nesting() -> None:
    depth = sys.getrecursionlimit()
    assert is_slow("(?:" * depth + "a" + ")" * depth) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (php_text.CONVERSION, "%" + "0" * 20_000),
        (php_text.CONVERSION, "%" + " 0" * 10_000),
        (php_checks.WORDS, "a" * 3_000 + "1"),
        (report.QUOTED, '"' + "\\" * 20_000 + "\n"),
    ],
)
def test_expressions_of_our_own_read_hostile_text_in_one_pass(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.fullmatch(text) is None
    assert sum(1 for _ in pattern.finditer(text)) < len(text)
