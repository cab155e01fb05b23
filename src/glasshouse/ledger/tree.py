"""The growing tree and the proofs made from its nodes: pure functions of leaf hashes (RFC 6962, section 2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from glasshouse.ledger.audit.proofs import EMPTY_ROOT, TILE, node_hash, perfect_root

Node = Callable[[int, int], bytes]
"""The hash of the perfect subtree at (level, index): it covers the leaves from ``index << level`` on."""


class Tile(NamedTuple):
    """A full tile: 256 hashes of one level, and the hash over them."""

    level: int
    number: int
    root: bytes
    hashes: bytes


class Frontier:
    """What must be known of a tree to append to it: the roots of its perfect subtrees, and the tiles not yet full."""

    def __init__(self, size: int = 0, open_tiles: list[list[bytes]] | None = None) -> None:
        self.size = size
        self.open = open_tiles or [[]]
        self.stack: list[bytes] = []
        for hashes in reversed(self.open):
            start = 0
            for bit in range(7, -1, -1):
                if len(hashes) >> bit & 1:
                    self.stack.append(perfect_root(hashes[start : start + (1 << bit)]))
                    start += 1 << bit

    def copy(self) -> Frontier:
        """Another one that can be thrown away."""
        twin = Frontier.__new__(Frontier)
        twin.size, twin.stack, twin.open = self.size, self.stack.copy(), [hashes.copy() for hashes in self.open]
        return twin

    def append(self, leaves: list[bytes]) -> list[Tile]:
        """Adds leaf hashes; returns the tiles that became full."""
        sha256, stack, full = hashlib.sha256, self.stack, []
        lowest = self.open[0]
        for found in leaves:
            lowest.append(found)
            self.size += 1
            rest, level = self.size, 0
            while not rest & 1:
                found = sha256(b"\1" + stack.pop() + found).digest()
                rest >>= 1
                level += 1
                if not level & 7:
                    full.append(self._close(level // 8 - 1, found))
                    lowest = self.open[0]
            stack.append(found)
        return full

    def _close(self, level: int, root: bytes) -> Tile:
        hashes, self.open[level] = self.open[level], []
        if level + 1 == len(self.open):
            self.open.append([])
        self.open[level + 1].append(root)
        return Tile(level, (self.size >> 8 * (level + 1)) - 1, root, b"".join(hashes))

    def root(self) -> bytes:
        """The root of the tree."""
        if not self.stack:
            return EMPTY_ROOT
        found = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            found = node_hash(left, found)
        return found


def range_hash(first: int, end: int, node: Node) -> bytes:
    """The hash over leaves ``first`` to ``end``; ``first`` is a multiple of the largest power of two in between."""
    parts = []
    while first < end:
        level = (end - first).bit_length() - 1
        parts.append(node(level, first >> level))
        first += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found


def _split(width: int) -> int:
    return 1 << ((width - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root of ``size`` leaves, lowest first."""
    assert 0 <= index < size
    first, end, path = 0, size, []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    return [range_hash(*each, node) for each in reversed(path)]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """The hashes that lead from the root of ``old`` leaves (> 0) to the root of ``new`` leaves."""
    assert 0 < old <= new
    first, end, path = 0, new, []
    while old < end:
        middle = first + _split(end - first)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    start = [range_hash(first, end, node)] if first else []
    return start + [range_hash(*each, node) for each in reversed(path)]


class TileNodes:
    """Nodes from tiles: hashes inside a tile are computed when asked for; a bounded number of both is kept."""

    MAX_TILES = 256
    MAX_NODES = 65_536

    def __init__(self, fetch: Callable[[int, int, int, bytes], bytes]) -> None:
        self._fetch = fetch  # (level, number, hashes needed at least, those known) -> hashes
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        found = self._nodes.get((level, index))
        if found is None:
            found = self._compute(level, index)
            if len(self._nodes) >= self.MAX_NODES:
                self._nodes.clear()
            self._nodes[level, index] = found
        return found

    def _compute(self, level: int, index: int) -> bytes:
        height, inside = divmod(level, 8)
        number, start = divmod(index << inside, TILE)
        end = start + (1 << inside)
        hashes = self._tiles.get((height, number), b"")
        if len(hashes) < 32 * end:
            hashes = self._fetch(height, number, end, hashes)
            if len(self._tiles) >= self.MAX_TILES:
                self._tiles.clear()
            self._tiles[height, number] = hashes
        return perfect_root([hashes[at : at + 32] for at in range(32 * start, 32 * end, 32)])
