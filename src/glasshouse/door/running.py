"""Which acts of which process are under way, so that a crash leaves nothing open for ever.

Each process keeps one journal in the home's ``running`` folder, locked for as long as it lives, with the indices of its
open requests.  The next start of any process finds the journals of the dead ones.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterable
from pathlib import Path

from glasshouse.words.errors import DoorClosedError

GRACE_MS = 60_000  # an open request of no journal (its process died between append and note) is closed after this time
FIRST_PLACES = 1_024
MAX_JOURNAL_BYTES = 16 << 20
_PLACE = struct.Struct("<Q")


class Journal:
    """This process's own journal: a mapped table of numbers, so that a note costs no system call.

    The file outlives the process that maps it, however that ends.  A place holds the index of a request plus one, or 0.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{os.getpid()}-{os.urandom(6).hex()}"
        self._file, unlocked = folder / name, folder / f".{name}"
        self._handle = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        os.rename(unlocked, self._file)  # nobody sees it before it is locked
        self._places: dict[int, int] = {}
        self._free: list[int] = []
        self._size = 0
        self._memory: mmap.mmap | None = None
        self._lock = threading.Lock()
        self._grow()

    def begins(self, index: int) -> None:
        """Notes that the act of this request entry runs here."""
        with self._lock:
            if not self._free:
                self._grow()
            place = self._places[index] = self._free.pop()
            self._write(place, index + 1)

    def ends(self, index: int) -> None:
        """Notes that its outcome is in the log."""
        with self._lock:
            place = self._places.pop(index, None)
            if place is not None:
                self._write(place, 0)
                self._free.append(place)

    def close(self) -> None:
        """Removes the journal when nothing is open; otherwise leaves it to the next start."""
        with self._lock:
            if self._handle < 0:
                return
            if not self._places:
                self._file.unlink(missing_ok=True)
            if self._memory is not None:
                self._memory.close()
            os.close(self._handle)
            self._handle = -1

    def _write(self, place: int, value: int) -> None:
        assert self._memory is not None, "mapped from the start"
        _PLACE.pack_into(self._memory, place, value)

    def _grow(self) -> None:
        before = self._size
        size = 2 * before or FIRST_PLACES * _PLACE.size
        try:
            os.posix_fallocate(self._handle, 0, size)  # a full disk is an error here, and no signal at a later write
        except OSError as error:
            what = f"what runs cannot be noted ({error.strerror}), so nothing more is begun"
            raise DoorClosedError(what, where=str(self._file)) from error
        self._size = size
        if self._memory is not None:
            self._memory.close()
        self._memory = mmap.mmap(self._handle, self._size)
        self._free += range(self._size - _PLACE.size, before - _PLACE.size, -_PLACE.size)


class Remains:
    """What the journals say about the requests that are still open in the log."""

    def __init__(self, folder: Path) -> None:
        self.living: set[int] = set()
        self.dead: list[tuple[Path, set[int]]] = []
        for file in sorted(folder.iterdir()):
            if not file.name.startswith("."):
                self._look_at(file)

    def _look_at(self, file: Path) -> None:
        try:
            handle = os.open(file, os.O_RDWR)
        except OSError:
            return
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alive = False
            except OSError:
                alive = True
            opened = _noted(os.pread(handle, MAX_JOURNAL_BYTES, 0))
            if alive:
                self.living |= opened
            else:
                self.dead.append((file, opened))
        finally:
            os.close(handle)

    def interrupted(self, unanswered: Iterable[tuple[int, int]], now_ms: int) -> list[int]:
        """Of the open requests (index, time in ms) those whose process has died."""
        dead = {index for _, opened in self.dead for index in opened}
        return [
            index
            for index, time_ms in unanswered
            if index in dead or (index not in self.living and now_ms - time_ms > GRACE_MS)
        ]

    def clear(self) -> None:
        """Removes the journals of the dead, once their requests are closed."""
        for file, _ in self.dead:
            file.unlink(missing_ok=True)


def _noted(data: bytes) -> set[int]:
    whole = data[: len(data) // _PLACE.size * _PLACE.size]
    return {noted - 1 for (noted,) in _PLACE.iter_unpack(whole) if noted}
