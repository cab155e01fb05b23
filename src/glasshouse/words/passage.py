"""What came of an act that was admitted."""

from __future__ import annotations

from typing import Literal

import msgspec

OutcomeStatus = Literal["done", "withheld", "stopped", "failed", "interrupted"]


class ByteRange(msgspec.Struct, frozen=True):
    """Bytes ``start`` (inclusive) to ``end`` (exclusive) of what was returned."""

    start: int
    end: int


class Screened(msgspec.Struct, frozen=True):
    """What a screener looked at: byte ranges, with which model (digest), the highest score in per cent, what it held.

    Only a screener writes this; nothing is called screened that it did not see.
    """

    model: str
    ranges: tuple[ByteRange, ...]
    highest: int
    withheld: tuple[ByteRange, ...] = ()
    categories: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """How an act ended.

    ``digest`` is the SHA-256 of what was returned, ``items`` and ``size_bytes`` its extent.  ``code`` is the error's
    code when it did not end well.  ``counts`` are totals worth searching by (findings, tokens).  ``events`` are further
    OCSF events, such as findings; they go sealed into the outcome's payload, and so does ``answer``, what was returned,
    where the engagement has it kept.
    """

    status: OutcomeStatus
    digest: str
    items: int = 0
    size_bytes: int = 0
    code: str = ""
    counts: dict[str, int] = {}
    screened: tuple[Screened, ...] = ()
    events: tuple[bytes, ...] = ()
    answer: bytes = b""
