"""Constant texts under credential-like names in PHP are told from plain words, in time that grows with the text."""

from __future__ import annotations

import time

import pytest

from glasshouse.scan.detect.php.checks import WORDS, find_hardcoded_credentials
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end


def names(code: str) -> list[str]:
    file = front_end("php").lower(f"<?php\n{code}\n".encode(), "a.php", LowerLimits())
    return [hit.message_args["name"] for hit in find_hardcoded_credentials(file, {})]


def test_a_label_in_an_array_is_no_credential() -> None:
    assert names("$labels = ['password' => 'Your new password:'];") == []
    assert names("$settings = ['password' => 'T7!kq_pW92'];") == ["password"]


@pytest.mark.parametrize("text", ["a" * 199 + "1", "ab " * 66 + "1", "a-" * 100, "é" * 200 + "9"])
def test_a_long_text_is_told_from_words_at_once(text: str) -> None:
    start = time.process_time()
    assert WORDS.fullmatch(text) is None
    assert time.process_time() - start < 1
