"""What a detector is: a pure function from one lowered file to places worth reporting.

A detector never raises on any ``ir.File`` a front end can make, keeps no state, and its work grows linearly with the
number of instructions.  The rule that names it (``Rule.detector``) supplies title, severity and texts; ``options`` are
that rule's ``options``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec

from glasshouse.scan import ir
from glasshouse.words.finding import Confidence, Mode


class Hit(msgspec.Struct, frozen=True):
    """One place.  ``span`` is packed as in the IR; ``function_index`` points into ``File.functions``.

    ``mode`` is "library" where the data comes from a parameter of a function that nobody calls here.
    ``message_args`` fill the placeholders of the rule's message (``name``, ``value``, ``source``, ``sink``).
    ``confidence`` replaces the rule's own when it is given.  ``inside``: path and span of a place in another file,
    where it goes wrong in a function that is called here.
    """

    span: int
    function_index: int
    message_args: dict[str, str] = {}
    confidence: Confidence | None = None
    mode: Mode = "application"
    inside: tuple[str, int] | None = None


class Detector(Protocol):
    """Yields the hits of one file, in the order of its functions."""

    def __call__(self, file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]: ...
