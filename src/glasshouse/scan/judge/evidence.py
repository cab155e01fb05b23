"""What the engine knows of a finding besides its text, and what the ranker reads of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from glasshouse.words.finding import Finding

OWN = frozenset(["argv", "env", "file"])
"""Kinds of sources that as a rule belong to whoever runs the program."""
Lines = Callable[[str], list[bytes]]


class Evidence(NamedTuple):
    """How a finding came about.

    ``kind``: ``flow``, ``pattern`` (of calls and values), ``detector`` or ``literal``.  ``origin``: the kind of source
    (``request``, ``parameter``, ...; "" without data flow).  ``built``: the data stands in constant text.  ``calls``:
    summarised calls on the path.  ``function``: first and last line of the function around the place (0, 0: not known).
    ``capped``: the function was analysed only in part.  ``widened``: it has calls with too many possible targets.
    ``broken``: lines from the place to the nearest region that did not parse, -1 for none.
    """

    kind: str
    origin: str = ""
    built: bool = False
    calls: int = 0
    function: tuple[int, int] = (0, 0)
    capped: bool = False
    widened: bool = False
    broken: int = -1


class Candidate(NamedTuple):
    """A finding before it is judged."""

    finding: Finding
    evidence: Evidence
