"""Carets stand under the characters they speak of, whatever stands before them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.render.source import Line
from glasshouse.scan.render.text import MAX_SHOWN_WIDTH, underline
from glasshouse.words.display import character_width, expand, visible
from glasshouse.words.location import Location

TEXT = st.text(alphabet=st.sampled_from("ab c\t報é\u0301\x1b\u202e\U0001f600(=)"), max_size=60)


def carets(text: str, column: int, end_column: int = 0, *, line: int = 1, end_line: int = 1) -> str:
    """Underline of one line's region."""
    return underline(Line(line, text), Location("a.py", 1, column, end_line, end_column))


def test_carets_cover_exactly_the_region() -> None:
    assert carets("    os.system(line)", 5, 20) == "    ^^^^^^^^^^^^^^^"


def test_a_tab_before_the_region_counts_as_wide_as_it_is_shown() -> None:
    shown, _ = expand("\tx = y")
    assert carets("\tx = y", 6, 7) == " " * shown.index("y") + "^"


def test_a_wide_character_takes_two_carets() -> None:
    assert carets("a = '報告'", 6, 8) == "     ^^^^"


def test_without_an_end_one_character_is_marked() -> None:
    assert carets("abc", 2, 0, end_line=0) == " ^"


def test_a_region_of_several_lines_marks_each_line_to_its_end() -> None:
    region = Location("a.py", 1, 5, 2, 4)
    assert underline(Line(1, "x = f("), region) == "    ^^"
    assert underline(Line(2, "  a)"), region) == "  ^"
    assert underline(Line(3, "b"), region) == ""


def test_a_snippet_whose_columns_are_not_known_gets_no_carets() -> None:
    assert underline(Line(1, "os.system(x)", exact=False), Location("a.py", 1, 1, 1, 5)) == ""


@given(TEXT, st.integers(-5, 90), st.integers(-5, 90))
def test_carets_never_leave_the_shown_line(text: str, column: int, end_column: int) -> None:
    marks = carets(text, column, end_column)
    shown, _ = expand(text.rstrip())
    width = sum(character_width(character) for character in shown)
    assert set(marks) <= {" ", "^"}
    assert len(marks) <= min(max(width, 0) + 1, MAX_SHOWN_WIDTH)


@given(st.text(max_size=200))
def test_shown_text_is_one_line_and_cannot_act(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert all(character.isprintable() or character == "\ufffd" for character in shown)


@given(TEXT)
def test_columns_grow_with_the_text_and_end_at_its_width(text: str) -> None:
    shown, columns = expand(text)
    assert len(columns) == len(text) + 1
    assert columns == sorted(columns)
    assert columns[-1] == sum(character_width(character) for character in shown)
