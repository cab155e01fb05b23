"""What is kept of a prompt where its text may not be: coarse, and cheap whatever is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.gateway.profile import FUNCTION_WORDS, profile

CODE = "import os\n\ndef f(x):\n    return os.path.join(x, 'a')\n"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I find out which of our servers still accept it?", "en"),
        ("Wie finde ich heraus, wer das ist und von wo?", "de"),
        ("Comment vérifier si cette facture est fausse pour nous ?", "fr"),
        ("Как узнать, кто заходит на наш сервер ночью?", "other"),
        ("nmap 10.0.0.1", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_language_is_told_by_its_commonest_words(text: str, language: str) -> None:
    assert profile(text, len(text)).language == language


def test_the_share_of_code_is_that_of_its_lines() -> None:
    assert profile(CODE, 0).code > 90
    assert profile("Why does my program stop when the last task is done?", 0).code == 0
    assert 20 < profile(f"Why does this stop when I run it?\n{CODE}Thank you for your help with this.", 0).code < 80


@given(st.text(max_size=3_000))
def test_every_text_has_a_profile(text: str) -> None:
    found = profile(text, len(text))
    assert found.characters == len(text)
    assert 0 <= found.code <= 100
    assert found.language in {*FUNCTION_WORDS, "other", "unknown"}
