"""Places in source text."""

from __future__ import annotations

import msgspec


class Location(msgspec.Struct, frozen=True, order=True):
    """A region of a file.

    ``path`` is relative to the scan root with forward slashes.  Lines and columns count from 1; columns count Unicode
    code points; ``end_column`` is the column after the last character.
    """

    path: str
    line: int
    column: int = 1
    end_line: int = 0
    end_column: int = 0
