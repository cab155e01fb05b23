"""Node files: every hash of the tree in one flat file a level, so that a proof is a handful of reads.

They hold nothing that the entries do not give; they may be deleted at any time, and a proof made from them is checked
against the signed root like any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from glasshouse.ledger.audit.proofs import node_hash

DIRECTORY = "nodes"
MAX_LEVELS = 63
_CHUNK = 1 << 16  # hashes read at a time while a level grows


class NodeFiles:
    """The node files of one log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._open: dict[int, tuple[int, int]] = {}  # level -> descriptor, hashes in it

    def get(self, level: int, index: int) -> bytes | None:
        """The hash at (level, index), or None where the files do not reach."""
        descriptor, count = self._open.get(level) or self._look(level)
        if index >= count:
            if descriptor < 0:
                return None
            count = os.fstat(descriptor).st_size // 32
            self._open[level] = (descriptor, count)
            if index >= count:
                return None
        return os.pread(descriptor, 32, 32 * index)

    def _look(self, level: int) -> tuple[int, int]:
        try:
            descriptor = os.open(self.directory / str(level), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return -1, 0
        found = (descriptor, os.fstat(descriptor).st_size // 32)
        self._open[level] = found
        return found

    @property
    def size(self) -> int:
        """How many leaves the files hold."""
        return self._count(0)

    def _count(self, level: int) -> int:
        try:
            return (self.directory / str(level)).stat().st_size // 32
        except FileNotFoundError:
            return 0

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Adds joined leaf hashes, and every node that is complete now."""
        self.directory.mkdir(exist_ok=True)
        _append(self.directory / "0", self._count(0), leaves)
        below, level = self._count(0), 1
        while below > 1 and level <= MAX_LEVELS:
            done = self._count(level)
            _append(self.directory / str(level), done, self._parents(level, done, below // 2))
            below, level = below // 2, level + 1

    def _parents(self, level: int, first: int, end: int) -> Iterable[bytes]:
        with (self.directory / str(level - 1)).open("rb") as file:
            file.seek(64 * first)
            while first < end:
                count = min(_CHUNK, end - first)
                data = file.read(64 * count)
                yield b"".join(node_hash(data[at : at + 32], data[at + 32 : at + 64]) for at in range(0, len(data), 64))
                first += count

    def close(self) -> None:
        """Lets go of the files."""
        for descriptor, _ in self._open.values():
            os.close(descriptor)
        self._open.clear()


def _append(path: Path, count: int, data: Iterable[bytes]) -> None:
    with path.open("ab") as file:
        file.truncate(32 * count)  # a torn hash at the end of an interrupted run
        for each in data:
            file.write(each)
