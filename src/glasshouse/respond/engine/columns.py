"""Dictionary-encoded columns: each distinct value of a field once, with the rows that hold it.

A set of rows is a Python integer used as a bit set (bit n is row n): and, or and not of ten thousand rows cost less
than a microsecond each, and no array library is needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from glasshouse.respond.engine.texts import Event, joined, lookup, texts
from glasshouse.respond.sigma.ir import KEYWORD_FIELD

SPARSE_ROWS = 24
"""Up to here, adding bits one by one is quicker than filling a byte array."""


def bits_of(rows: Sequence[int], size: int) -> int:
    """The bit set of some rows."""
    if len(rows) == 1:
        return 1 << rows[0]
    if len(rows) <= SPARSE_ROWS:
        found = 0
        for row in rows:
            found |= 1 << row
        return found
    packed = bytearray((size >> 3) + 1)
    for row in rows:
        packed[row >> 3] |= 1 << (row & 7)
    return int.from_bytes(packed, "little")


def rows_of(bits: int) -> Iterator[int]:
    """The rows in a bit set, ascending."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


class Column:
    """One field of a group of events."""

    __slots__ = ("_bits", "_present", "cells", "size")

    def __init__(self, cells: dict[str, list[int]], size: int) -> None:
        self.cells = cells
        self.size = size
        self._bits: dict[str, int] = {}
        self._present: int | None = None

    def bits(self, value: str) -> int:
        """The rows that hold ``value``."""
        found = self._bits.get(value)
        if found is None:
            found = self._bits[value] = bits_of(self.cells[value], self.size)
        return found

    @property
    def present(self) -> int:
        """The rows that hold any value."""
        if self._present is None:
            rows: Iterable[int] = (row for each in self.cells.values() for row in each)
            self._present = bits_of(list(rows), self.size)
        return self._present


def column(events: Sequence[Event], name: str) -> Column:
    """The column of field ``name``; with the keyword field, of everything in the event."""
    cells: defaultdict[str, list[int]] = defaultdict(list)
    if name == KEYWORD_FIELD:
        for row, event in enumerate(events):
            cells[joined(event)].append(row)
        return Column(cells, len(events))
    dotted = "." in name
    for row, event in enumerate(events):
        value = event.get(name)
        if value is None and dotted:
            value = lookup(event, name)
        if type(value) is str:
            if value:
                cells[value].append(row)
        elif value is not None:
            for each in texts(value):
                rows = cells[each]
                if not rows or rows[-1] != row:
                    rows.append(row)
    return Column(cells, len(events))
