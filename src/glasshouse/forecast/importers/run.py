"""One import: files to facts in the store; what was left out is counted and listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from glasshouse.forecast.facts import Day, Fact, iso
from glasshouse.forecast.importers.files import documents
from glasshouse.forecast.importers.interface import Document, Importer, Rejected, Yield
from glasshouse.forecast.store import BATCH, FactStore
from glasshouse.inventory.advisory import Advisory

MAX_LISTED = 200
"""Records left out that are named; all are counted."""
SMALL = 1_000_000
"""Documents up to this many bytes are added together, so that a folder of small files is quick."""


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did.  ``known`` counts documents whose content had been imported before."""

    kind: str
    documents: int
    known: int
    facts: int
    advisories: int
    rejected: int
    listed: tuple[Rejected, ...]


class _Tally:
    def __init__(self) -> None:
        self.documents = self.known = self.facts = self.advisories = self.rejected = 0
        self.listed: list[Rejected] = []
        self._last: Rejected | None = None

    def reject(self, item: Rejected) -> None:
        """Counts a record once, also where each of its facts, one after the other, is left out for one reason."""
        if item == self._last:
            return
        self._last = item
        self.rejected += 1
        if len(self.listed) < MAX_LISTED:
            self.listed.append(item)


def import_records(
    store: FactStore,
    importer: Importer,
    paths: list[Path],
    *,
    today: Day,
    known_at: Day | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Imports every document below the paths.

    ``known_at`` is the day for sources without dates of their own (today when not given).  A fact dated after
    ``today`` is left out and named: a feed from the future would leak into every earlier forecast.
    """
    tally = _Tally()
    waiting: list[tuple[Document, bytes, list[Yield]]] = []
    size = 0
    for found in documents(paths, importer.suffixes):
        if isinstance(found, Rejected):
            tally.reject(found)
            continue
        tally.documents += 1
        digest = hashlib.blake2b(found.content, digest_size=16).digest()
        if known_at is not None:
            digest += known_at.to_bytes(4, "big")
        if store.has_file(importer.kind, digest):
            tally.known += 1
        elif len(found.content) <= SMALL:
            items = list(importer.read(found, known_at or today))
            waiting.append((Document(found.name, b""), digest, items))
            size += len(items)
            if size >= BATCH or len(waiting) >= BATCH:
                _flush(store, importer.kind, waiting, today, tally)
                waiting, size = [], 0
        else:
            _stream(store, importer, found, digest, known_at or today, today, tally)
        if progress is not None and tally.documents % 100 == 0:
            progress(tally.documents)
    _flush(store, importer.kind, waiting, today, tally)
    return ImportReport(
        importer.kind, tally.documents, tally.known, tally.facts, tally.advisories, tally.rejected, tuple(tally.listed)
    )


def _flush(
    store: FactStore, kind: str, waiting: list[tuple[Document, bytes, list[Yield]]], today: Day, tally: _Tally
) -> None:
    items = [item for _, _, found in waiting for item in found]
    facts, advisories = _sorted_out(items, today, tally)
    tally.facts += store.add(facts)
    tally.advisories += store.add_advisories(advisories)
    for document, digest, found in waiting:
        if not _is_refused(found) and not _has_future(found, today):
            store.note_file(kind, digest, document.name[-300:], today, len(found))


def _stream(
    store: FactStore, importer: Importer, found: Document, digest: bytes, known_at: Day, today: Day, tally: _Tally
) -> None:
    """A large document, in batches; it counts as imported only when it was read to its end."""
    batch: list[Yield] = []
    again = False
    total = 0
    for item in importer.read(found, known_at):
        batch.append(item)
        total += 1
        if len(batch) >= BATCH:
            again = again or _has_future(batch, today)
            _add(store, batch, today, tally)
            batch = []
    again = again or _has_future(batch, today) or (total == len(batch) and _is_refused(batch))
    _add(store, batch, today, tally)
    if not again:
        store.note_file(importer.kind, digest, found.name[-300:], today, total)


def _add(store: FactStore, batch: Iterable[Yield], today: Day, tally: _Tally) -> None:
    facts, advisories = _sorted_out(batch, today, tally)
    tally.facts += store.add(facts)
    tally.advisories += store.add_advisories(advisories)


def _sorted_out(items: Iterable[Yield], today: Day, tally: _Tally) -> tuple[list[Fact], list[Advisory]]:
    facts: list[Fact] = []
    advisories: list[Advisory] = []
    for item in items:
        if isinstance(item, Rejected):
            tally.reject(item)
        elif isinstance(item, Advisory):
            advisories.append(item)
        elif item.known_at > today:
            tally.reject(Rejected(item.cve, f"dated {iso(item.known_at)}, after {iso(today)}"))
        else:
            facts.append(item)
    return facts, advisories


def _is_refused(found: Iterable[Yield]) -> bool:
    """Whether nothing but refusals came out, so that a repaired copy or a later release may be tried again."""
    items: Iterator[Yield] = iter(found)
    first = next(items, None)
    return isinstance(first, Rejected) and all(isinstance(item, Rejected) for item in items)


def _has_future(found: Iterable[Yield], today: Day) -> bool:
    """Whether something was left out today that a later import may take."""
    return any(isinstance(item, Fact) and item.known_at > today for item in found)
