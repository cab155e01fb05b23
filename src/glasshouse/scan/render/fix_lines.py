"""A suggested fix as lines of a small diff."""

from __future__ import annotations

import msgspec

from glasshouse.scan.render.source import SourceLines
from glasshouse.words.display import expand
from glasshouse.words.finding import Fix

MAX_FIX_LINES = 12
MAX_LINE_CHARACTERS = 160


class FixLines(msgspec.Struct, frozen=True):
    """Lines before and after; ``removed`` is empty when the source cannot be shown."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


def fix_lines(fix: Fix, source: SourceLines) -> FixLines:
    """The lines that a fix changes, without indentation; only the replacement when the line is not at hand."""
    place = fix.location
    line = source.at(place)
    if line is None or not line.exact or place.end_line not in (0, place.line) or not place.end_column:
        return FixLines((), _shown(fix.replacement))
    before, after = line.text[: place.column - 1], line.text[place.end_column - 1 :]
    return FixLines(_shown(line.text.strip()), _shown(f"{before}{fix.replacement}{after}".strip()))


def _shown(text: str) -> tuple[str, ...]:
    lines = [expand(line)[0] for line in text.split("\n")[:MAX_FIX_LINES]]
    return tuple(
        line if len(line) <= MAX_LINE_CHARACTERS else line[: MAX_LINE_CHARACTERS - 3] + "..." for line in lines
    )
