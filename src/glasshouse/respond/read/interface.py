"""What every log reader offers, and the limits that all of them keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import msgspec

from glasshouse.respond.engine.route import SourceTag
from glasshouse.words.incident import NotRead

CHUNK_EVENTS = 2_000
HEAD_BYTES = 65_536
READ_BYTES = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """Bounds of reading.  ``file_bytes`` counts after decompression."""

    line_bytes: int = 16_000_000
    file_bytes: int = 1 << 38
    files: int = 200_000
    depth: int = 32


class Chunk(msgspec.Struct, frozen=True):
    """Some events of one input, in order; ``first`` is the number of the first, from 0; ``size`` their bytes.

    ``tag`` is set when the reader knows the log source; otherwise every event is recognised by its fields.
    """

    source: str
    first: int
    events: list[dict[str, Any]]
    size: int
    tag: SourceTag | None = None


class Input(msgspec.Struct, frozen=True):
    """An opened input: ``name`` for reports, ``stream`` at its start and decompressed, ``head`` its first bytes."""

    name: str
    stream: BinaryIO
    head: bytes
    limits: Limits


class Reader(Protocol):
    """One log format."""

    name: str

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether an input that starts with ``head`` and is called ``name`` is in this format."""
        ...

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        """The events, in chunks, and what could not be read."""
        ...
