"""The code along a finding's path: one excerpt per run of steps in the same file, with the steps marked in it."""

from __future__ import annotations

import msgspec

from glasshouse.scan.render.source import Line, SourceLines
from glasshouse.words.display import expand
from glasshouse.words.finding import Step

CONTEXT_LINES = 2
MAX_SHOWN_CHARACTERS = 240


class ExcerptLine(msgspec.Struct, frozen=True):
    """One line as shown: text before, inside and after the marked region; ``gap`` stands for lines left out."""

    number: int = 0
    pieces: tuple[str, str, str] = ("", "", "")
    steps: tuple[int, ...] = ()
    role: str = ""  # "source", "sink", "step"
    gap: bool = False


class Excerpt(msgspec.Struct, frozen=True):
    """Lines of one file."""

    path: str
    lines: tuple[ExcerptLine, ...]


def excerpts(steps: list[tuple[int, Step]], source: SourceLines) -> list[Excerpt]:
    """Excerpts in the order of the path; steps that follow each other in one file share an excerpt."""
    groups: list[list[tuple[int, Step]]] = []
    for numbered in steps:
        if groups and groups[-1][0][1].location.path == numbered[1].location.path:
            groups[-1].append(numbered)
        else:
            groups.append([numbered])
    last = steps[-1][0] if steps else 0
    return [made for group in groups if (made := _excerpt(group, last, source)).lines]


def _excerpt(group: list[tuple[int, Step]], last: int, source: SourceLines) -> Excerpt:
    lines: dict[int, Line] = {}
    at: dict[int, list[tuple[int, Step]]] = {}
    for position, step in group:
        for line in source.around(step.location, CONTEXT_LINES, CONTEXT_LINES, step.snippet):
            lines.setdefault(line.number, line)
        at.setdefault(step.location.line, []).append((position, step))
    shown: list[ExcerptLine] = []
    previous = 0
    for number in sorted(lines):
        if previous and number > previous + 1:
            shown.append(ExcerptLine(gap=True))
        previous = number
        shown.append(_line(lines[number], at.get(number, []), last))
    return Excerpt(group[0][1].location.path, tuple(shown))


def _line(line: Line, steps: list[tuple[int, Step]], last: int) -> ExcerptLine:
    numbers = tuple(position for position, _ in steps)
    start, end = _region(line, [step for _, step in steps])
    pieces = tuple(expand_piece(line.text, a, b) for a, b in ((0, start), (start, end), (end, len(line.text))))
    role = "" if not numbers else "sink" if last in numbers else "source" if 1 in numbers else "step"
    return ExcerptLine(line.number, (pieces[0], pieces[1], pieces[2]), numbers, role)


def expand_piece(text: str, start: int, end: int) -> str:
    """The part of a line between two columns as it looks inside the whole line (tabs depend on what precedes)."""
    end = min(end, MAX_SHOWN_CHARACTERS)
    if start >= end:
        return ""
    whole, _ = expand(text[:end])
    before, _ = expand(text[:start])
    return whole[len(before) :]


def _region(line: Line, steps: list[Step]) -> tuple[int, int]:
    """Columns (from 0) to mark: from the first marked character to the last one of all steps in this line."""
    text = line.text
    if not steps or not text.strip():
        return 0, 0
    if not line.exact:
        return 0, len(text)
    starts: list[int] = []
    ends: list[int] = []
    for step in steps:
        location = step.location
        ends_here = location.end_line in (0, location.line)
        starts.append(min(max(0, location.column - 1), len(text)))
        ends.append(
            min(location.end_column - 1, len(text)) if ends_here and location.end_column else len(text.rstrip())
        )
    start = min(starts)
    return start, max(start, *ends)
