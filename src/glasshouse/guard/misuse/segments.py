"""A text cut into sentences of bounded length, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.guard.misuse.shapes import MARKS

MAX_SENTENCE = 400
"""Characters after which a sentence without an end is cut at a space, or anywhere if there is none."""

_STOPS = ".!?;:\u3002\uff01\uff1f"
_CLOSING = "\"')]"
_MARK = re.compile(rf"[{_STOPS}\n]")
_END = re.compile(rf"[{_STOPS}][{re.escape(_CLOSING)}]*\s+|\n+")


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence in characters; together they cover the text."""
    found: list[tuple[int, int]] = []
    start = 0
    for end in _ends(text):
        if end - start <= MAX_SENTENCE:
            found.append((start, end))
        else:
            found += _bounded(text, start, end)
        start = end
    if start < len(text):
        found += _bounded(text, start, len(text))
    return found


def _ends(text: str) -> list[int]:
    """Where sentences end, the last one only if the text shows it."""
    if not text.isascii():
        return [match.end() for match in _END.finditer(text)]
    ends: list[int] = []
    marks = text.encode().translate(MARKS)  # looking for one byte costs a tenth of trying an expression everywhere
    place = marks.find(b".")
    while place >= 0:
        match = _END.match(text, place)
        if match is None:
            place = marks.find(b".", place + 1)
        else:
            ends.append(match.end())
            place = marks.find(b".", match.end())
    return ends


def may_end_soon(text: str) -> bool:
    """Whether the next characters may complete a sentence that ``text`` ends, without a mark of their own."""
    bare = text.rstrip()
    return "\n" in text[len(bare) :] or bare.rstrip(_CLOSING)[-1:] in _STOPS


def has_mark(text: str) -> bool:
    """Whether something that may end a sentence is in ``text``."""
    return _MARK.search(text) is not None


def complete_until(text: str, looked_at: int = 0) -> int:
    """How many characters from the start are whole sentences, which more text cannot change.

    In the first ``looked_at`` characters none was whole when they were the text, so they are not looked at again.
    """
    last = 0
    for match in _END.finditer(text, _open_from(text, looked_at) if looked_at else 0):
        if match.end() < len(text):
            last = match.end()
    if len(text) - last > MAX_SENTENCE:
        last += (len(text) - last) // MAX_SENTENCE * MAX_SENTENCE
    return last


def _open_from(text: str, end: int) -> int:
    """Where a sentence's end may begin that the first ``end`` characters do not show in full."""
    while end and text[end - 1].isspace():
        end -= 1
    while end and text[end - 1] in _CLOSING:
        end -= 1
    return end - 1 if end and text[end - 1] in _STOPS else end


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_SENTENCE:
        cut = text.rfind(" ", start + MAX_SENTENCE // 2, start + MAX_SENTENCE) + 1 or start + MAX_SENTENCE
        yield start, cut
        start = cut
    if end > start:
        yield start, end
