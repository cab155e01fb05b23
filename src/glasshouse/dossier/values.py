"""What a value in a document rests on: computed from the log, attested by a person, an outside document, or nothing."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

Basis = Literal["computed", "attested", "external", "missing"]
BASES: tuple[Basis, ...] = ("computed", "attested", "external", "missing")


class Value(msgspec.Struct, frozen=True):
    """A text and its basis.

    ``entries`` are the log entries that a computed or attested value rests on, or ``span`` the first and last of all
    that were counted; ``digest`` (sha256:<hex>) is that of the
    record or outside file; ``who`` and ``at`` belong to attestations; ``needs`` says how a missing value is given.
    """

    text: str
    basis: Basis
    entries: tuple[int, ...] = ()
    span: tuple[int, int] | None = None
    digest: str = ""
    who: str = ""
    at: dt.datetime | None = None
    needs: str = ""

    def __post_init__(self) -> None:
        if self.basis == "computed" and not (self.entries or self.digest or self.span):
            raise ValueError("a computed value names the entries or the digest that it was computed from")
        if self.basis == "attested" and not (self.who and self.at):
            raise ValueError("an attested value names who said it, and when")
        if self.basis == "external" and not self.digest:
            raise ValueError("an outside document has a digest")


def computed(text: object, entries: tuple[int, ...] = (), digest: str = "") -> Value:
    """A value computed from records; the entries are kept in order, each once."""
    return Value(str(text), "computed", tuple(sorted(set(entries))), digest=digest)


def counted(text: object, span: tuple[int, int]) -> Value:
    """A value computed over all entries from the first to the last of ``span``."""
    return Value(str(text), "computed", span=span)


def missing(needs: str) -> Value:
    """A value that nothing supports, with the way to give it."""
    return Value("", "missing", needs=needs)


class Shares(msgspec.Struct, frozen=True):
    """How many values of a document have which basis: its honest headline."""

    computed: int = 0
    attested: int = 0
    external: int = 0
    missing: int = 0

    @property
    def total(self) -> int:
        """All values."""
        return self.computed + self.attested + self.external + self.missing

    def percent(self, basis: Basis) -> float:
        """The share of one basis in per cent; 0 for an empty document."""
        count: int = getattr(self, basis)
        return 100 * count / self.total if self.total else 0.0


def shares(values: list[Value]) -> Shares:
    """Counts the values by basis."""
    return Shares(**{basis: sum(value.basis == basis for value in values) for basis in BASES})
