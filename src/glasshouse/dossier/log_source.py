"""A ledger as the evidence pass reads it: envelopes of all entries, payloads only of those that documents count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from glasshouse.dossier.collect import RECORD_KINDS, Observed
from glasshouse.dossier.document import Basis
from glasshouse.dossier.events import HELD_UP, VOTE
from glasshouse.dossier.involvement import Looked
from glasshouse.dossier.months import WITH_EVENTS
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import EntryError, ErasedError

if TYPE_CHECKING:
    from glasshouse.ledger import LogReader, SignedCheckpoint

NO_LOG = Basis("none", 0, "", dt.datetime.fromtimestamp(0, dt.UTC))


def observed(reader: LogReader, size: int) -> Iterator[Observed]:
    """The first ``size`` entries in order; a payload that was erased is None."""
    for index, entry in reader.entries(0, size):
        at = dt.datetime.fromtimestamp(entry.time / 1000, dt.UTC)
        record = _payload(reader, index, "record") if entry.kind in RECORD_KINDS else None
        event = _payload(reader, index, "event") if entry.kind in WITH_EVENTS else None
        yield Observed(index, at, entry.kind, entry.decision, record, event, entry.about, entry.organisation, entry.key)


def looked(reader: LogReader, size: int, wanted: frozenset[int]) -> Iterator[Looked]:
    """What incidents are read from: the wanted entries, their outcomes, votes, and what their keys were denied."""
    named = [(index, reader.entry(index)) for index in sorted(wanted) if index < size]
    acts = wanted | {entry.about for _, entry in named if entry.about is not None}
    keys = {entry.key for _, entry in named}
    for index, entry in reader.entries(0, size):
        if index in acts or entry.about in acts or entry.kind == VOTE or (entry.kind in HELD_UP and entry.key in keys):
            at = dt.datetime.fromtimestamp(entry.time / 1000, dt.UTC)
            event = _payload(reader, index, "event")
            erased = event is None and any(each.name == "event" for each in entry.payloads)
            yield Looked(index, at, entry.kind, entry.decision, entry.key, entry.about, event, erased)


def _payload(reader: LogReader, index: int, name: str) -> bytes | None:
    try:
        return reader.payload(index, name)
    except (ErasedError, EntryError):
        return None


def basis_of(reader: LogReader, checkpoint: SignedCheckpoint) -> Basis:
    """What documents over this checkpoint rest on; the time is that of the last entry, never of now."""
    last = reader.entry(checkpoint.size - 1).time if checkpoint.size else 0
    digest = sha256_of(checkpoint.note.encode())
    return Basis(reader.origin, checkpoint.size, digest, dt.datetime.fromtimestamp(last / 1000, dt.UTC))
