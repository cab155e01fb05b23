"""Words that a document of evidence never uses: whether a law is met is for authorities and courts to say."""

from __future__ import annotations

import re

from glasshouse.words.errors import VocabularyError

BANNED = (
    "compliant",
    "non-compliant",
    "noncompliant",
    "certified",
    "certificate of compliance",
    "guarantees compliance",
)
_PATTERN = re.compile(r"(?<![\w-])(" + "|".join(re.escape(word) for word in BANNED) + r")(?![\w-])", re.IGNORECASE)


def banned_words(text: str) -> list[str]:
    """The banned words that occur, in order, each as it is written."""
    return [match.group(1) for match in _PATTERN.finditer(text)]


def check(text: str, where: str) -> None:
    """Raises `VocabularyError` naming the first banned word and its surroundings."""
    match = _PATTERN.search(text)
    if match is not None:
        around = text[max(0, match.start() - 40) : match.end() + 40].replace("\n", " ")
        raise VocabularyError(f"the word `{match.group(1)}` occurs in: ...{around}...", where=where)
