"""A text cut into sentences of bounded length, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SENTENCE = 400
"""Characters after which a sentence without an end is cut at a space, or anywhere if there is none."""

_END = re.compile(r"(?<=[.!?;:\u3002\uff01\uff1f])[\"')\]]*\s+|\n+")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence in characters; together they cover the text."""
    start = 0
    for match in _END.finditer(text):
        yield from _bounded(text, start, match.end())
        start = match.end()
    if start < len(text):
        yield from _bounded(text, start, len(text))


def complete_until(text: str) -> int:
    """How many characters from the start are whole sentences, which more text cannot change."""
    last = 0
    for match in _END.finditer(text):
        if match.end() < len(text):
            last = match.end()
    if len(text) - last > MAX_SENTENCE:
        last += (len(text) - last) // MAX_SENTENCE * MAX_SENTENCE
    return last


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_SENTENCE:
        cut = text.rfind(" ", start + MAX_SENTENCE // 2, start + MAX_SENTENCE) + 1 or start + MAX_SENTENCE
        yield start, cut
        start = cut
    if end > start:
        yield start, end
