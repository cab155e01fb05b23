"""From bytes to logical lines: fixed format (sequence area, indicator, 72 columns) and free format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

FIRST, LAST = 7, 72
"""Text of a fixed-format line: columns 8 to 72."""
SAMPLE = 400
_FORMAT = r"(?im)^.{0,7}\s*(?:>>\s*SOURCE(?:\s+FORMAT)?(?:\s+IS)?\s+|\$SET\s+SOURCEFORMAT\s*\(?\s*[\"']?)"
_FREE, _FIXED = re.compile(_FORMAT + "FREE"), re.compile(_FORMAT + "FIXED")
_FIXED_LINE = re.compile(r"^(?:[ 0-9]{6}|[A-Z0-9 ]{6})[ *\-/D$d]", re.ASCII)
_STARTS_EARLY = re.compile(r"(?i)^\s{0,6}(?:IDENTIFICATION|ID|ENVIRONMENT|DATA|PROCEDURE)\s+DIVISION")


class Line(NamedTuple):
    """One physical line's text, without areas and comments.  ``column`` is where ``text`` starts, in characters from 0.

    ``joins``: it goes on where the line before ended, inside a literal or a word.
    """

    number: int
    column: int
    text: str
    joins: bool = False


def logical_lines(text: str) -> list[Line]:
    """The lines that hold code."""
    raw = text.split("\n")
    return _free(raw) if is_free(text, raw) else _fixed(raw)


def is_free(text: str, raw: Sequence[str]) -> bool:
    """Whether the source is in free format, by its own word or by how its lines look."""
    head = text[:20_000]
    if _FREE.search(head):
        return True
    if _FIXED.search(head):
        return False
    lines = [line.expandtabs(8) for line in raw[:SAMPLE] if line.strip()]
    if any(_STARTS_EARLY.match(line) for line in lines):
        return True
    fixed = sum(bool(_FIXED_LINE.match(line.ljust(7))) and len(line.rstrip()) <= 80 for line in lines)
    return bool(lines) and fixed < 0.8 * len(lines)


def _free(raw: Sequence[str]) -> list[Line]:
    found = []
    for number, line in enumerate(raw, start=1):
        text = _without_remark(line.rstrip("\r"))
        if text.strip() and not text.lstrip().startswith((">>", "$SET", "$set")):
            found.append(Line(number, 0, text))
    return found


def _fixed(raw: Sequence[str]) -> list[Line]:
    found: list[Line] = []
    for number, line in enumerate(raw, start=1):
        full = line.rstrip("\r").expandtabs(8)
        indicator = full[6:7]
        if indicator in ("*", "/", "D", "d", "$") or full[7:9] == ">>":
            continue
        text = _without_remark(full[FIRST:LAST])
        if not text.strip():
            continue
        if indicator == "-" and found:
            found.append(_continued(number, text, found[-1].text))
        else:
            found.append(Line(number, FIRST, text))
    return found


def _continued(number: int, text: str, before: str) -> Line:
    """A line that goes on: inside a literal its first quotation mark only opens it again."""
    stripped = text.lstrip()
    column = FIRST + len(text) - len(stripped)
    if _open_quote(before) and stripped[:1] in ('"', "'"):
        return Line(number, column + 1, stripped[1:], joins=True)
    return Line(number, column, stripped, joins=True)


def _open_quote(text: str) -> bool:
    quote = ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
    return bool(quote)


def _without_remark(text: str) -> str:
    at = text.find("*>")
    while at >= 0:
        if not _open_quote(text[:at]):
            return text[:at]
        at = text.find("*>", at + 2)
    return text
