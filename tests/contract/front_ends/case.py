"""What a front end is tested with: samples, and programs that are deep, long, huge or broken."""

from __future__ import annotations

from typing import NamedTuple

from glasshouse.scan.ir import File
from glasshouse.scan.language.interface import FrontEnd, LowerLimits

DEEP = 50_000


class Case(NamedTuple):
    """One language.  ``around`` is a function or file in which statements stand, with one ``%s`` for them."""

    front_end: FrontEnd
    samples: dict[str, bytes]  # by path
    around: str
    nested: dict[str, str]  # statements that nest deeper than any person writes
    chains: dict[str, str]  # statements that are long, and nest in the tree only
    smallest_chain: int  # bytes of what the shortest of these is lowered to
    table: str  # a function with a huge table, then a function m that calls f
    broken: str  # line 2 does not parse; a function b after it calls f

    @property
    def path(self) -> str:
        return next(iter(self.samples))

    def lower(self, code: str | bytes, path: str = "", limits: LowerLimits | None = None) -> File:
        source = code.encode() if isinstance(code, str) else code
        return self.front_end.lower(source, path or self.path, limits or LowerLimits())
