"""Where in a page a piece of output lands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.page import QUOTED, SCRIPT, TEXT, UNQUOTED, URL, Page

PLACES = {
    "<p>": TEXT,
    "<p ": UNQUOTED,
    "<p title=": UNQUOTED,
    "<p title='": QUOTED,
    "<p title=\"a' ": QUOTED,
    "<p title='a'>": TEXT,
    "<p onclick='f(": SCRIPT,
    "<p style='color: ": UNQUOTED,
    "<a href='": URL,
    "<a href='/x/": QUOTED,
    "<a href='javascript:": SCRIPT,
    "<script>": SCRIPT,
    "<script>x = '": QUOTED,
    "<script>x = 'a\\'": QUOTED,
    "<script>x = 'a'; ": SCRIPT,
    "<SCRIPT>x = 1</script>": TEXT,
    "<style>": UNQUOTED,
    "<!-- <script> ": TEXT,
    "<!-- --><b class=": UNQUOTED,
    "a < b": TEXT,
    "<": UNQUOTED,
    "</": UNQUOTED,
}


@pytest.mark.parametrize("before", PLACES)
def test_literal_text_tells_what_comes_next(before: str) -> None:
    page = Page()
    page.feed(before)
    assert page.place() == PLACES[before]


def test_data_in_a_value_without_quotes_lasts_until_a_space() -> None:
    page = Page()
    page.feed("<p title=")
    page.data()
    page.feed(" class='")
    assert page.place() == QUOTED


@given(st.lists(st.text("<>!-/='\" abscriptyle\\\n", max_size=30), max_size=6))
def test_a_page_fed_in_pieces_is_the_page_fed_at_once_or_ends_at_least(pieces: list[str]) -> None:
    page = Page()
    for piece in pieces:
        page.feed(piece)
    assert page.place() in {TEXT, QUOTED, UNQUOTED, SCRIPT, URL}
