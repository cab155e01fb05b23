"""What a language front end offers."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from glasshouse.scan.ir import File


class LowerLimits(msgspec.Struct, frozen=True):
    """Bounds for one file.  Past a bound the front end stops, keeps what it has and says so in ``File.notes``."""

    max_nodes: int = 2_000_000
    max_function_nodes: int = 200_000
    max_depth: int = 400
    max_seconds: float = 20.0


class FrontEnd(Protocol):
    """Lowers one file of one language.

    ``lower`` never raises on any bytes: syntax errors become ``File.errors``, bounds become ``File.notes``.
    ``source`` is valid UTF-8 (discovery decodes other encodings and replaces NUL bytes).
    """

    language: str

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File: ...


@runtime_checkable
class ReadsNeighbours(Protocol):
    """A front end whose files include others (COBOL's copybooks): it is told where the file lies.

    It reads inside the scanned tree only, and names what it read in ``File.imports``; such a file is lowered anew at
    each scan in which anything changed.
    """

    def lower_at(self, source: bytes, path: str, limits: LowerLimits, absolute: str) -> File: ...
