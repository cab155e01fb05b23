"""The store's contract: what one commit writes, all of it or nothing, and what can be read back."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from glasshouse.ledger.tree import Tile


class State(NamedTuple):
    """The signer's state: trusted, and compared with the newest entries at every start."""

    size: int
    root: bytes
    time: int
    latest: str
    """The newest checkpoint, a signed note."""
    cosigned: str | None
    """The newest checkpoint that reached the witness quorum."""


class StoredPayload(NamedTuple):
    """A sealed payload with its place: 16 times the entry's index, plus its position."""

    id: int
    engagement: str
    sealed: bytes


class Batch(NamedTuple):
    """All that one commit changes; nothing is written unless the store holds ``old_size`` and ``old_root``."""

    old_size: int
    old_root: bytes
    state: State
    bodies: list[bytes]
    payloads: list[StoredPayload]
    tiles: list[Tile]
    chain: dict[str, tuple[int, bytes]]
    opened: list[int]
    closed: list[int]
    erased: dict[int, int]
    held: dict[int, int]
    released: list[int]


class Store(Protocol):
    """One log's database.  Writing is for the committer alone; reading is safe from any thread."""

    def load(self) -> State | None:
        """The signer's state, or None in a store where no log was created yet."""

    def create(self, state: State) -> None:
        """Begins a log; fails if there is one."""

    def commit(self, batch: Batch) -> None:
        """Writes a batch durably; raises ``LedgerFullError`` when nothing changed, else ``LedgerStoppedError``."""

    def tidy(self) -> None:
        """Between batches: what the store has to do now and then.  Nothing committed depends on it."""

    def set_notes(self, size: int, *, latest: str | None = None, cosigned: str | None = None) -> None:
        """Replaces the notes of the state while it still has that size: more signatures under the same checkpoint."""

    def forget_cosigned(self) -> None:
        """Drops the newest cosigned checkpoint: it was cosigned under another policy."""

    def scrub(self) -> bool:
        """Makes sure that nothing erased is left in files beside the tables; False while a reader prevents it."""

    def bodies(self, first: int, end: int) -> list[bytes]:
        """Entries, in order."""

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a full tile."""

    def tile_roots(self, level: int, first: int, end: int) -> list[bytes]:
        """The hashes over full tiles of one level: hashes of the level above."""

    def chain(self, key: str) -> tuple[int, bytes] | None:
        """Count and leaf hash of a key's newest entry."""

    def opened(self) -> list[int]:
        """Entries that wait for their outcome, in order."""

    def payload(self, number: int) -> StoredPayload | None:
        """A payload by its place; all zeros when erased."""

    def erased(self, index: int) -> int | None:
        """The entry that erased this entry's payloads."""

    def held(self, index: int) -> int | None:
        """The entry that put this one under a legal hold."""

    def close(self) -> None:
        """Lets go of the database."""
