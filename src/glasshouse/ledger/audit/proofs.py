"""Hashes and proofs of the log's tree: RFC 6962, section 2.1."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

MAX_PROOF_HASHES = 63
TILE = 256  # hashes in a full tile, entries in a full bundle


class Fault(Exception):  # noqa: N818 - the word auditors use
    """Something does not hold: what, in which file or part, and the first index at fault if one can be named."""

    def __init__(self, what: str, *, where: str = "", index: int | None = None) -> None:
        place = f"{where}: " if where else ""
        super().__init__(f"{place}entry {index}: {what}" if index is not None else f"{place}{what}")
        self.what, self.where, self.index = what, where, index


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def leaf_hashes(entries: list[bytes]) -> list[bytes]:
    """The hashes of many leaves."""
    sha256 = hashlib.sha256
    return [sha256(b"\0" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


def only_hashes(hashes: Iterable[bytes]) -> None:
    """Raises ``Fault`` unless each is 32 bytes long; before any walk, or an empty leaf would equal an empty root."""
    if any(len(each) != 32 for each in hashes):
        raise Fault("a hash is not 32 bytes long")


def check_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    """Raises ``Fault`` unless ``proof`` shows ``leaf`` to be number ``index`` of the ``size`` leaves under ``root``."""
    only_hashes([leaf, root, *proof])
    if not 0 <= index < size or len(proof) > MAX_PROOF_HASHES:
        raise Fault(f"no inclusion proof can show entry {index} in a log of {size}")
    position, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            raise Fault("the inclusion proof has extra hashes")
        if position & 1 or position == last:
            found = node_hash(each, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, each)
        position, last = position >> 1, last >> 1
    if last or found != root:
        raise Fault("the inclusion proof does not lead to the root in the checkpoint", index=index)


def check_consistency(old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raises ``Fault`` unless ``proof`` shows that the ``new`` leaves begin with the ``old`` ones (at least one)."""
    only_hashes([old_root, new_root, *proof])
    if not 0 < old <= new or len(proof) > MAX_PROOF_HASHES:
        raise Fault(f"no consistency proof leads from size {old} to {new}")
    if old == new:
        if proof or old_root != new_root:
            raise Fault(f"two roots for one size, {old}" if old_root != new_root else "the proof has extra hashes")
        return
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes:
        raise Fault("the consistency proof is empty")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise Fault("the consistency proof has extra hashes")
        if position & 1 or position == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, each)
        position, last = position >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise Fault(f"the log of size {new} does not contain the log of size {old}")


def perfect_root(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


class Tree:
    """The tree while it grows tile by tile; ``open[level]`` are the hashes of the tile that is not yet full."""

    def __init__(self) -> None:
        self.size = 0
        self.open: list[list[bytes]] = [[]]

    def add(self, leaves: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
        """Appends leaves that fill the open tile at most; yields the tiles that are full now: level, number, hashes."""
        self.size += len(leaves)
        self.open[0] += leaves
        level = 0
        while len(self.open[level]) == TILE:
            full, self.open[level] = self.open[level], []
            yield level, (self.size >> 8 * (level + 1)) - 1, b"".join(full)
            level += 1
            if level == len(self.open):
                self.open.append([])
            self.open[level].append(perfect_root(full))

    def root(self, more: list[bytes] | None = None) -> bytes:
        """The root, or what it would be with ``more`` leaves that do not fill the open tile."""
        found = b""
        for level, hashes in enumerate(self.open):
            rest = hashes + more if more and level == 0 else hashes
            width = 1
            while rest:
                if len(rest) & width:
                    part, rest = perfect_root(rest[-width:]), rest[:-width]
                    found = node_hash(part, found) if found else part
                width *= 2
        return found or EMPTY_ROOT
