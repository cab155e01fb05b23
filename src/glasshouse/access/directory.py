"""Looking callers up by key: records are kept in memory for as long as the store's generation stays the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from glasshouse.access import keys
from glasshouse.access.facts import record_is_live
from glasshouse.store.watch import Watch
from glasshouse.words.errors import CredentialError
from glasshouse.words.halt import Halt
from glasshouse.words.party import Caller, KeyRecord

if TYPE_CHECKING:
    from glasshouse.store.records import Tables

POLL_S = 0.2
MAX_CACHED = 20_000


class _Known:
    """What was read since one generation of the store; a new generation starts with an empty one.

    A thread that read a record before the change keeps it in the old one, which nobody asks any more.
    """

    def __init__(self, generation: int | None, halts: tuple[Halt, ...]) -> None:
        self.generation, self.halts = generation, halts
        self.records: dict[str, KeyRecord] = {}
        self.callers: dict[str, Caller] = {}
        self.proven: dict[bytes, KeyRecord] = {}
        """Keys that matched their record, by a digest with the pepper."""

    def keep(self, record: KeyRecord) -> None:
        if len(self.records) >= MAX_CACHED:
            self.records.clear()
            self.callers.clear()
            self.proven.clear()
        self.records[record.public_id] = record


class Directory:
    """Resolves keys to callers and knows the halts in force.

    What it remembers is at most ``poll_s`` old: after that it asks the store's generation again, and forgets
    everything when that has changed.  So a revocation ordered in any process holds here within ``poll_s``.
    """

    def __init__(
        self,
        tables: Callable[[], Tables],
        watch: Watch,
        pepper: Callable[[], bytes],
        monotonic: Callable[[], float] = time.monotonic,
        poll_s: float = POLL_S,
    ) -> None:
        self._tables, self._watch, self._pepper = tables, watch, pepper
        self._monotonic, self._poll_s = monotonic, poll_s
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._known = _Known(None, ())

    def resolve(self, text: str, now: int) -> Caller:
        """The caller whose key this is; `CredentialError` (never saying which part was wrong) for any other text."""
        known = self._current()
        pepper = self._pepper()
        name = sha256(pepper + text.encode("utf-8", "surrogatepass")).digest()
        record = known.proven.get(name)
        if record is None:
            key = keys.parse(text)
            record = known.records.get(key.public_id) or self._tables().keys.find(key.public_id)
            if not keys.matches(key, record, pepper) or record is None:
                raise CredentialError("the key is not known here")
            known.keep(record)
            known.proven[name] = record
        if not record_is_live(record, now):
            why = "revoked" if record.state == "revoked" else "expired or not yet valid"
            raise CredentialError(f"the key {record.public_id} is {why}")
        return self._caller(known, record)

    def again(self, caller: Caller) -> Caller:
        """The same caller as the store knows it now: state, roles, engagement and key may have changed since."""
        if caller.key is None:
            return caller
        known = self._current()
        record = known.records.get(caller.key.public_id)
        if record is None:
            record = self._tables().keys.get(caller.key.public_id)
            known.keep(record)
        return self._caller(known, record)

    def halts(self) -> tuple[Halt, ...]:
        """The halts in force, at most ``poll_s`` old.  `StoreError` when they cannot be read: then nothing may act."""
        return self._current().halts

    def _current(self) -> _Known:
        """What is known; the store's generation is asked first if the last look is too old."""
        if self._monotonic() - self._looked_at < self._poll_s:
            return self._known
        with self._lock:
            looked_at = self._monotonic()
            generation = self._watch.generation()
            if generation != self._known.generation:
                self._known = _Known(generation, self._watch.halts())
            self._looked_at = looked_at
            return self._known

    def _caller(self, known: _Known, record: KeyRecord) -> Caller:
        caller = known.callers.get(record.public_id)
        if caller is None:
            caller = msgspec.structs.replace(self.caller_of(record.holder, record.engagement), key=record)
            known.callers[record.public_id] = caller
        return caller

    def caller_of(self, holder: str, engagement: str) -> Caller:
        """The caller that a person or workload would be under an engagement, without a key (to explain policy)."""
        tables = self._tables()
        person = tables.people.find(holder)
        found = person or tables.workloads.get(holder)
        return Caller(
            kind="person" if person is not None else "workload",
            id=found.id,
            organisation=tables.organisations.get(found.organisation),
            engagement=tables.engagements.get(engagement),
            roles=found.roles,
            country=person.country if person else "",
            employer=person.employer if person else "",
            clearance=person.clearance if person else 0,
            active=found.active,
        )
