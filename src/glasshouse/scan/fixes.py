"""Mechanical fixes: a replacement of text inside a finding's place, when it is certain what to replace."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from glasshouse.scan.rules.schema import Rule
from glasshouse.words.finding import Fix
from glasshouse.words.location import Location

MAX_LINES = 20  # a place over more lines than this gets no fix
MAX_CHARACTERS = 4000


def mechanical(rule: Rule, place: Location, lines: Sequence[bytes]) -> Fix | None:
    """The first of the rule's edits that fits exactly one piece of the place's text."""
    if not rule.edits or place.end_line - place.line >= MAX_LINES or place.end_line > len(lines):
        return None
    texts = [line.decode("utf-8", "replace") for line in lines[place.line - 1 : place.end_line]]
    texts[-1] = texts[-1][: place.end_column - 1] if place.end_line > place.line else texts[-1]
    if sum(map(len, texts)) > MAX_CHARACTERS:
        return None
    for edit in rule.edits:
        found = []
        for number, text in enumerate(texts):
            start = place.column - 1 if number == 0 else 0
            found += [(number, match) for match in compiled(edit.pattern).finditer(text, start)]
        if len(found) == 1:
            number, match = found[0]
            line = place.line + number
            where = Location(place.path, line, match.start() + 1, line, match.end() + 1)
            return Fix(edit.description, where, match.expand(edit.replacement))
    return None


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
