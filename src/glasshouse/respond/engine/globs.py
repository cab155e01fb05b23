"""Wildcard patterns without backtracking: piece by piece from the left, in time linear in the value."""

from __future__ import annotations

import re

from glasshouse.respond.sigma.ir import MARK, STAR


def pieces(pattern: str) -> list[str]:
    """The parts of a pattern between its stars; the first and the last are empty when the pattern is open there."""
    return pattern.split(STAR)


def longest_literal(pattern: str) -> str:
    """The longest text that every match contains; empty when there is none."""
    return max(re.split("\x00[*?]", pattern), key=len)


class Glob:
    """A compiled wildcard pattern; ``?`` stands for one character."""

    __slots__ = ("_first", "_last", "_middle", "_whole")

    def __init__(self, pattern: str) -> None:
        parts = pieces(pattern)
        compiled = [self._piece(part) for part in parts]
        self._whole = compiled[0] if len(parts) == 1 else None
        self._first, self._last = compiled[0], compiled[-1]
        self._middle = [piece for piece, part in zip(compiled[1:-1], parts[1:-1], strict=True) if part]

    @staticmethod
    def _piece(part: str) -> tuple[re.Pattern[str], int]:
        length = len(part.replace(MARK, "."))
        return re.compile(".".join(re.escape(each) for each in part.split(MARK)), re.DOTALL), length

    def matches(self, value: str) -> bool:
        """Whether the whole value follows the pattern."""
        if self._whole is not None:
            return self._whole[0].fullmatch(value) is not None
        first, length = self._first
        if first.match(value) is None:
            return False
        at = length
        for piece, _ in self._middle:
            found = piece.search(value, at)
            if found is None:
                return False
            at = found.end()
        last, length = self._last
        start = len(value) - length
        return start >= at and last.match(value, start) is not None
