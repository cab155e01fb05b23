"""What every importer does: bytes of one document in; facts, advisories and rejected records out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from glasshouse.forecast.facts import Day, Fact
from glasshouse.inventory.advisory import Advisory


class Document(msgspec.Struct, frozen=True):
    """One file, or one member of an archive; ``name`` shows where it came from."""

    name: str
    content: bytes


class Rejected(msgspec.Struct, frozen=True):
    """A record that was left out, and why; the rest of the document goes on."""

    where: str
    why: str


Yield = Fact | Advisory | Rejected


class Importer(Protocol):
    """One kind of source."""

    @property
    def kind(self) -> str:
        """The name a user types."""
        ...

    @property
    def about(self) -> str:
        """What it reads, in a line."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Ends of the names of files that it reads."""
        ...

    def read(self, document: Document, known_at: Day) -> Iterator[Yield]:
        """The claims of a document.  ``known_at`` is the day for a source that carries no dates of its own."""
        ...
