"""Replacements and tag filters that miss what they are meant to catch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scan.detect.javascript_source import hits, lines

from glasshouse.scan.detect.javascript.sanitization import class_members, literal_text


@pytest.mark.parametrize(
    "call",
    [
        """s.replace("'", "")""",
        """s.replace("<", "&lt;")""",
        """s.replace('"', '&quot;')""",
        """s.replace(/'/, "''")""",
        """s.replace(/[<>]/, '')""",
        """s.replace("\\n", "")""",
        """s.replace('../', '')""",
        """s.replace("|", "")""",
        """s.replace(/'/g, "\\\\'")""",
        """s.replace(/(['"])/g, '\\\\$1')""",
    ],
)
def test_an_escape_of_one_occurrence_or_without_backslash_is_incomplete(call: str) -> None:
    assert len(hits("incomplete-sanitization", f"function f(s) {{ return {call}; }}")) == 1


@pytest.mark.parametrize(
    "call",
    [
        """s.replace(/'/g, "")""",
        """s.replaceAll("'", "")""",
        """s.replace("x", "y")""",
        """s.replace(/^'/, "")""",
        """s.replace('[', '').replace(']', '')""",
        """s.replace(/\\\\/g, '\\\\\\\\').replace(/'/g, "\\\\'")""",
        """s.replace(/([\\\\'"])/g, '\\\\$1')""",
        """'constant'.replace("'", '')""",
        """JSON.stringify(s).replace(/'/g, "\\\\'")""",
    ],
)
def test_a_complete_or_harmless_replacement_is_silent(call: str) -> None:
    assert hits("incomplete-sanitization", f"function f(s) {{ return {call}; }}") == []


def test_a_replacement_repeated_in_a_loop_is_complete() -> None:
    text = "function f(s) { while (s.indexOf('\"') >= 0) { s = s.replace('\"', ''); } return s; }"
    assert hits("incomplete-sanitization", text) == []


@pytest.mark.parametrize(
    "pattern",
    [r"/<script.*?>/gi", r"/<!--/g", r"/\.\.\//g", r"/<script[\s\S]*?<\/script>/gi", r"/\son\w+=/g", r"/\.\.[\/\\]/g"],
)
def test_removing_dangerous_text_once_may_leave_it(pattern: str) -> None:
    assert len(hits("incomplete-multi-character-sanitization", f"exports.f = (s) => s.replace({pattern}, '');")) == 1


@pytest.mark.parametrize("pattern", [r"/[<>]/g", r"/^\.\//", r"/\s+/g", r"/one/g"])
def test_removing_single_characters_or_words_is_silent(pattern: str) -> None:
    assert hits("incomplete-multi-character-sanitization", f"exports.f = (s) => s.replace({pattern}, '');") == []


def test_escaping_the_ampersand_last_is_double_escaping() -> None:
    text = "function f(s) {\n  s = s.replace(/</g, '&lt;');\n  s = s.replace(/&/g, '&amp;');\n  return s;\n}"
    assert lines("double-escaping", text) == [3]


def test_undoing_the_ampersand_first_is_double_unescaping() -> None:
    text = "function f(s) {\n  s = s.replace(/&amp;/g, '&');\n  return s.replace(/&quot;/g, '\"');\n}"
    assert lines("double-escaping", text) == [2]


def test_undoing_backslashes_first_is_double_unescaping() -> None:
    text = r"exports.f = (s) => s.replace(/\\\\/g, '\\').replace(/\\'/g, '\'');"
    assert len(hits("double-escaping", text)) == 1


def test_the_right_order_of_escapes_is_silent() -> None:
    text = "exports.f = (s) => s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');"
    assert hits("double-escaping", text) == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"/<script\b[^>]*>([\s\S]*?)<\/script>/gi",
        r"/<script.*?>.*?<\/script\s*>/i",
        r"/<script\b[^>]*>[\s\S]*?<\/script\s*>/",
        r"/<!--[\s\S]*?-->/g",
        r"/<!--.*--!?>/g",
    ],
)
def test_a_tag_filter_that_browsers_read_differently_is_reported(pattern: str) -> None:
    assert len(hits("bad-tag-filter", f"exports.f = (s) => {pattern}.test(s);")) == 1


@pytest.mark.parametrize("pattern", [r"/<script\b[\s\S]*?<\/script[^>]*>/gi", r"/<!--[\s\S]*?--!?>/g", r"/<b>.*<\/b>/"])
def test_a_wide_tag_filter_is_silent(pattern: str) -> None:
    assert hits("bad-tag-filter", f"exports.f = (s) => {pattern}.test(s);") == []


@given(st.text(alphabet="abc<>'\" &", max_size=8))
def test_text_without_operators_stands_for_itself(text: str) -> None:
    assert literal_text(text) == text


@given(st.text(max_size=12))
def test_reading_patterns_never_raises(text: str) -> None:
    literal_text(text)
    class_members(text)
    class_members(f"[{text}]")
