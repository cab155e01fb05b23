"""Lines of a stream, bounded in length, and events gathered into chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.read.interface import CHUNK_EVENTS, READ_BYTES, Chunk, Input
from glasshouse.words.incident import NotRead

CHUNK_BYTES = 8_000_000


class Faults:
    """Counts damage of one kind and tells of it once."""

    def __init__(self, source: str, code: str, reason: str) -> None:
        self.source, self.code, self.reason = source, code, reason
        self.count = 0
        self.first = 0

    def note(self, line: int) -> None:
        """Damage at ``line`` (from 1)."""
        if not self.count:
            self.first = line
        self.count += 1

    def told(self, records: int) -> Iterator[NotRead]:
        """The notice, when there was damage."""
        if self.count:
            where = f"{self.count:,} line{'s' if self.count > 1 else ''}, the first is line {self.first:,}"
            yield NotRead(self.source, self.code, f"{self.reason} ({where})", records)


def blocks(source: Input) -> Iterator[list[bytes]]:
    """The lines of an input, many at a time, without line ends; a last line without an end counts.

    A line longer than the limit comes as an empty one, so that numbers of lines stay right.
    """
    rest = b""
    skipping = False
    while True:
        data = source.stream.read(READ_BYTES)
        if not data:
            break
        lines = data.split(b"\n")
        if skipping:
            if len(lines) == 1:
                continue
            lines[0], skipping = b"", False
        else:
            lines[0] = rest + lines[0]
        rest = lines.pop()
        if len(rest) > source.limits.line_bytes:
            rest, skipping = b"", True
        if lines:
            yield lines
    if rest and not skipping:
        yield [rest]


def chunks(
    source: Input, events: Iterable[tuple[dict[str, Any], int]], tag: SourceTag | None = None
) -> Iterator[Chunk]:
    """Pairs of event and size, as chunks."""
    gathered: list[dict[str, Any]] = []
    first = size = 0
    for event, length in events:
        gathered.append(event)
        size += length
        if len(gathered) >= CHUNK_EVENTS or size >= CHUNK_BYTES:
            yield Chunk(source.name, first, gathered, size, tag)
            first += len(gathered)
            gathered, size = [], 0
    if gathered:
        yield Chunk(source.name, first, gathered, size, tag)
