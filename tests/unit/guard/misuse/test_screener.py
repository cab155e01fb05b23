"""The screener as others see it: bounded scores, honest byte ranges, weights that are checked before use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.guard.misuse import CATEGORIES, Screener, Span
from glasshouse.guard.misuse.screener import EXPLAINED_FROM
from glasshouse.words.errors import ModelError

SCREENER = Screener.load()
ANY_TEXT = st.text(st.characters(), max_size=300)


@given(ANY_TEXT)
def test_any_text_gets_a_score_between_0_and_1_and_every_byte_is_looked_at(text: str) -> None:
    score = SCREENER.score(text)
    assert 0.0 <= score.value <= 1.0
    assert score.complete
    assert score.size == len(text.encode("utf-8", "surrogatepass"))
    if score.value >= EXPLAINED_FROM:
        assert {each.name for each in score.categories} == set(CATEGORIES)
        assert sum(each.value for each in score.categories) == pytest.approx(1.0)
        assert score.category == score.categories[0].name
        assert score.windows[0].value == score.value
    assert all(0 <= each.span.start < each.span.end <= score.size for each in score.windows)


def test_what_lies_beyond_the_limit_is_reported_as_not_screened() -> None:
    score = SCREENER.score("é" * 10 + "x" * 90, max_characters=20)
    assert score.screened == (Span(0, 30),)
    assert not score.complete


def test_the_same_text_gets_the_same_score_and_names_the_weights() -> None:
    assert SCREENER.score("How do I rotate keys?") == Screener.load().score("How do I rotate keys?")
    assert SCREENER.score("").model == SCREENER.digest
    assert SCREENER.digest.startswith("sha256:")


def test_weights_with_another_digest_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.msgpack"
    file.write_bytes(b"\x80")
    with pytest.raises(ModelError, match="digest"):
        Screener.load(file, sha256="0" * 64)
    with pytest.raises(ModelError, match="cannot be read"):
        Screener.load(tmp_path / "none", sha256="0" * 64)
