"""From requests to one batch: every entry gets index, time, count and previous entry; nothing is written here."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from glasshouse.ledger.audit.sources import MAX_ENTRY_BYTES, MAX_PAYLOADS
from glasshouse.ledger.entry import OWN_NAME, Entry, NewEntry, encode
from glasshouse.ledger.seal import Sealed
from glasshouse.ledger.store.interface import Store, StoredPayload
from glasshouse.words.errors import EntryError

MAX_KEYS_KEPT = 100_000
MAX_OPEN = 1_000_000  # entries that wait for their outcome


class Made(NamedTuple):
    """An entry that was given its place."""

    place: int
    leaf: bytes
    body: bytes


class Chains:
    """Count and last leaf of every key: a bounded memory of what the store knows, and the changes of the open batch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, tuple[int, bytes]] = {}
        self.changed: dict[str, tuple[int, bytes]] = {}

    def get(self, key: str) -> tuple[int, bytes] | None:
        """The newest count and leaf hash of a key."""
        found = self.changed.get(key) or self._kept.get(key)
        return found or self._store.chain(key)

    def keep(self) -> None:
        """The batch is durable."""
        if len(self._kept) + len(self.changed) > MAX_KEYS_KEPT:
            self._kept.clear()
        self._kept.update(self.changed)
        self.changed = {}

    def forget(self) -> None:
        """The batch was not written."""
        self.changed = {}


class Assembly:
    """The entries of one batch while they are put together."""

    def __init__(self, first: int, time: int, chains: Chains, opened: set[int]) -> None:
        self.first, self.time = first, time
        self.chains, self._open_before = chains, opened
        self.bodies: list[bytes] = []
        self.leaves: list[bytes] = []
        self.payloads: list[StoredPayload] = []
        self.opened: set[int] = set()
        self.closed: set[int] = set()
        self.erased: dict[int, int] = {}
        self.held: dict[int, int] = {}
        self.released: list[int] = []

    def add_call(self, entries: tuple[NewEntry, ...], sealed: list[list[Sealed]]) -> list[Made]:
        """Gives the entries of a call their places; raises ``EntryError``, and takes none, when one does not fit."""
        if len(self._open_before) + len(self.opened) > MAX_OPEN and any(entry.part == "opens" for entry in entries):
            raise EntryError(f"more than {MAX_OPEN} entries wait for their outcome", where=entries[0].kind)
        if len(entries) == 1 and entries[0].about is None:
            return [self.add(entries[0], None, sealed[0])]
        start = self.first + len(self.bodies)
        abouts = [self._target(entry, start + at) for at, entry in enumerate(entries)]
        self._check_outcomes(entries, abouts, start)
        return [self.add(*each) for each in zip(entries, abouts, sealed, strict=True)]

    def add(self, new: NewEntry, about: int | None, sealed: list[Sealed]) -> Made:
        """Gives one checked entry its place."""
        index, key = self.first + len(self.bodies), new.key
        known = self.chains.get(key)
        count, previous = (known[0] + 1, known[1].hex()) if known else (1, None)
        commitments = tuple(each.commitment for each in sealed)
        body = encode(
            Entry(
                about, count, new.decision, key, new.kind, new.organisation, new.part,
                commitments, new.policy, previous, self.time, 1,
            )
        )  # fmt: skip
        assert len(body) <= MAX_ENTRY_BYTES  # the alphabets' limits see to it
        leaf = hashlib.sha256(b"\0" + body).digest()
        self.chains.changed[key] = (count, leaf)
        self.bodies.append(body)
        self.leaves.append(leaf)
        for position, each in enumerate(sealed):
            self.payloads.append(StoredPayload(index * MAX_PAYLOADS + position, each.engagement, each.blob))
        if new.part == "opens":
            self.opened.add(index)
        elif new.part == "closes" and about is not None:
            self.opened.discard(about) if about in self.opened else self.closed.add(about)
        return Made(index, leaf, body)

    def add_own(self, kind: str, about: int | None, sealed: list[Sealed], decision: str = "none") -> Made:
        """An entry that the log writes itself."""
        new = NewEntry(kind=kind, organisation=OWN_NAME, key=OWN_NAME, decision=decision)
        return self.add(new, about, sealed)

    def _target(self, entry: NewEntry, index: int) -> int | None:
        if entry.about is None:
            return None
        about = index + entry.about if entry.about < 0 else entry.about
        if about >= index:
            raise EntryError(f"it is about entry {about}, which does not exist yet", where=entry.kind)
        return about

    def _check_outcomes(self, entries: tuple[NewEntry, ...], abouts: list[int | None], start: int) -> None:
        here: set[int] = set()
        gone: set[int] = set()
        for index, (entry, about) in enumerate(zip(entries, abouts, strict=True), start=start):
            if entry.part == "opens":
                here.add(index)
            elif entry.part == "closes" and about is not None:
                before = about in self._open_before and about not in self.closed
                if about in gone or not (before or about in here or about in self.opened):
                    raise EntryError(f"entry {about} does not wait for an outcome", where=entry.kind)
                gone.add(about)


def own_payload(**facts: object) -> bytes:
    """The content of a payload of the log's own entries."""
    return msgspec.json.encode(facts, order="deterministic")
