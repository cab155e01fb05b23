"""Reading a log: entries, payloads, checkpoints and proofs, beside the committer or without one."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from glasshouse.ledger.audit.notes import Key, parse_checkpoint, parse_note
from glasshouse.ledger.audit.policy import Policy
from glasshouse.ledger.audit.proofs import (
    EMPTY_ROOT,
    TILE,
    Fault,
    check_consistency,
    check_inclusion,
    leaf_hash,
    leaf_hashes,
)
from glasshouse.ledger.audit.sources import MAX_PAYLOADS
from glasshouse.ledger.audit.verify import DATABASE, OWN_POLICY, read_policy
from glasshouse.ledger.entry import Entry, decode
from glasshouse.ledger.keys import EngagementKeys
from glasshouse.ledger.nodes import DIRECTORY, NodeFiles
from glasshouse.ledger.receipt import SignedCheckpoint, proof_text
from glasshouse.ledger.seal import unseal
from glasshouse.ledger.store.interface import State, Store
from glasshouse.ledger.tree import TileNodes, consistency_proof, inclusion_proof, range_hash
from glasshouse.words.errors import EntryError, ErasedError, LedgerKeyError, PathError, VerificationError

PAGE_ENTRIES = 1_024


class LogReader(AbstractContextManager["LogReader"]):
    """A log that can be read; safe to use from any thread."""

    def __init__(self, store: Store, directory: Path) -> None:
        self._store, self.directory = store, directory
        self._wrapping = EngagementKeys(directory / "keys" / "engagements")
        self._tiles = TileNodes(self._hashes)
        self._files = NodeFiles(directory / DIRECTORY)
        self._nodes_lock = threading.Lock()

    def _state(self) -> State:
        state = self._store.load()
        if state is None:
            raise PathError("no log was created here", where=str(self.directory / DATABASE))
        return state

    def checkpoint(self) -> SignedCheckpoint:
        """What the log has signed last."""
        state = self._state()
        return SignedCheckpoint(state.size, state.root, state.latest)

    def cosigned_checkpoint(self) -> SignedCheckpoint | None:
        """The newest checkpoint that reached the witness quorum."""
        note = self._state().cosigned
        if note is None:
            return None
        found = parse_checkpoint(parse_note(note.encode()).body)
        return SignedCheckpoint(found.size, found.root, note)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.checkpoint().note.partition("\n")[0]

    def body(self, index: int) -> bytes:
        """The bytes of an entry."""
        bodies = self._store.bodies(index, index + 1) if index >= 0 else []
        if not bodies:
            raise EntryError(f"there is no entry {index}; the log has {self.checkpoint().size}")
        return bodies[0]

    def entry(self, index: int) -> Entry:
        """An entry."""
        return decode(self.body(index))

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[tuple[int, Entry]]:
        """Entries with their indexes, in order, up to ``end`` or to what is signed now."""
        for index, body in self.bodies(first, end):
            yield index, decode(body)

    def bodies(self, first: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """The bytes of entries with their indexes."""
        end = self.checkpoint().size if end is None else end
        while first < end:
            page = self._store.bodies(first, min(end, first + PAGE_ENTRIES))
            yield from enumerate(page, start=first)
            if not page:
                return
            first += len(page)

    def unanswered(self) -> list[int]:
        """Entries with ``part="opens"`` that still wait for their outcome, in order."""
        return self._store.opened()

    def payload(self, index: int, name: str) -> bytes:
        """The content of a payload, checked against the entry; raises ``ErasedError`` when it was erased."""
        by = self._store.erased(index)
        for position, commitment in enumerate(self.entry(index).payloads):
            if commitment.name == name:
                if by is not None:
                    raise ErasedError(f"the payloads of entry {index} were erased under entry {by}")
                stored = self._store.payload(index * MAX_PAYLOADS + position)
                if stored is None:
                    raise VerificationError(f"payload {name} of entry {index} is missing", where=str(self.directory))
                return unseal(stored.sealed, stored.engagement, commitment, self._wrapping)
        raise EntryError(f"entry {index} has no payload named {name[:80]!r}")

    def erased_by(self, index: int) -> int | None:
        """The entry under which this entry's payloads were erased."""
        return self._store.erased(index)

    def held_by(self, index: int) -> int | None:
        """The entry that put this one under a legal hold."""
        return self._store.held(index)

    # --- proofs

    def proof(self, index: int, checkpoint: SignedCheckpoint | None = None) -> str:
        """The ``.tlog-proof`` of an entry, with the entry in it.

        Under the checkpoint given, or else the newest cosigned one that covers the entry, or else the newest.
        """
        if checkpoint is None:
            cosigned = self.cosigned_checkpoint()
            checkpoint = cosigned if cosigned is not None and index < cosigned.size else self.checkpoint()
        if not 0 <= index < checkpoint.size:
            raise EntryError(f"there is no entry {index} under the checkpoint of size {checkpoint.size}")
        body = self.body(index)
        hashes = self.inclusion(index, checkpoint.size)
        try:
            check_inclusion(index, checkpoint.size, leaf_hash(body), hashes, checkpoint.root)
        except Fault as fault:
            raise VerificationError(f"the stored log does not give its own root: {fault}") from None
        return proof_text(index, hashes, checkpoint.note, body)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The hashes that prove an entry's place in the log of that size."""
        with self._nodes_lock:
            return inclusion_proof(index, size, self._node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that prove that the log of size ``new`` contains the log of size ``old`` (> 0)."""
        with self._nodes_lock:
            return consistency_proof(old, new, self._node)

    def root_at(self, size: int) -> bytes:
        """The root of the log's first ``size`` entries."""
        with self._nodes_lock:
            return range_hash(0, size, self._node) if size else EMPTY_ROOT

    def log_keys(self) -> tuple[Key, ...]:
        """The log's public keys."""
        return self.policy().logs

    def policy(self) -> Policy:
        """The log's own policy: its keys, its witnesses, its quorum."""
        try:
            return read_policy(self.directory / OWN_POLICY)
        except Fault as fault:
            raise LedgerKeyError(fault.what, where=fault.where) from None

    def check_consistent(self, old: SignedCheckpoint, new: SignedCheckpoint) -> list[bytes]:
        """The same, checked against both roots."""
        hashes = self.consistency(old.size, new.size)
        try:
            check_consistency(old.size, new.size, hashes, old.root, new.root)
        except Fault as fault:
            raise VerificationError(f"{fault}", where=str(self.directory)) from None
        return hashes

    def tile(self, level: int, number: int, width: int) -> bytes:
        """The first hashes of a tile."""
        return read_tile(self._store, level, number, width)[: 32 * width]

    def index(self) -> int:
        """Writes the node files up to what is signed now, which makes proofs in a big log quicker; returns the size.

        Files that do not give the signed root are removed, and ``VerificationError`` is raised.
        """
        checkpoint = self.checkpoint()
        with self._nodes_lock:
            first = self._files.size
            pages = range(first, checkpoint.size, PAGE_ENTRIES)
            self._files.extend(
                b"".join(leaf_hash(body) for body in self._store.bodies(at, min(at + PAGE_ENTRIES, checkpoint.size)))
                for at in pages
            )
            if checkpoint.size and range_hash(0, checkpoint.size, self._node) != checkpoint.root:
                self._files.close()
                shutil.rmtree(self.directory / DIRECTORY)
                raise VerificationError("the node files do not give the signed root and were removed; run it again")
        return checkpoint.size

    def _node(self, level: int, index: int) -> bytes:
        return self._files.get(level, index) or self._tiles(level, index)

    def _hashes(self, level: int, number: int, needed: int, known: bytes) -> bytes:
        return read_tile(self._store, level, number, needed, known)

    def close(self) -> None:
        """Lets go of the files."""
        self._files.close()
        self._store.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def read_tile(store: Store, level: int, number: int, needed: int, known: bytes = b"") -> bytes:
    """The hashes of a tile: all of a full one, else what there is; raises when there are fewer than ``needed``.

    ``known`` are the first ones, from an earlier call: only what came since is read.
    """
    hashes = store.tile(level, number)
    if hashes is None:
        first, end = number * TILE + len(known) // 32, (number + 1) * TILE
        newer = leaf_hashes(store.bodies(first, end)) if level == 0 else store.tile_roots(level - 1, first, end)
        hashes = known + b"".join(newer)
    if len(hashes) < 32 * needed:
        raise VerificationError(f"tile {level}/{number} has {len(hashes) // 32} hashes; {needed} are needed")
    return hashes
