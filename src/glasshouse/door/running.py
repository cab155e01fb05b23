"""Which acts of which process are under way, so that a crash leaves nothing open for ever.

Each process keeps one journal in the home's ``running`` folder, locked for as long as it lives: a line ``+N`` for a
request entry, ``-N`` when its outcome is written.  The next start of any process finds the journals of the dead ones.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterable
from pathlib import Path

GRACE_MS = 60_000  # an open request of no journal (its process died between append and note) is closed after this time
MAX_JOURNAL_BYTES = 4 << 20


class Journal:
    """This process's own journal."""

    def __init__(self, folder: Path) -> None:
        name = f"{os.getpid()}-{os.urandom(6).hex()}"
        self._file, unlocked = folder / name, folder / f".{name}"
        self._handle = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        os.rename(unlocked, self._file)  # nobody sees it before it is locked
        self._open: set[int] = set()
        self._size = 0
        self._lock = threading.Lock()

    def begins(self, index: int) -> None:
        """Notes that the act of this request entry runs here."""
        with self._lock:
            self._open.add(index)
            self._write(b"+%d\n" % index)

    def ends(self, index: int) -> None:
        """Notes that its outcome is in the log."""
        with self._lock:
            self._open.discard(index)
            self._write(b"-%d\n" % index)

    def close(self) -> None:
        """Removes the journal when nothing is open; otherwise leaves it to the next start."""
        with self._lock:
            if self._handle < 0:
                return
            if not self._open:
                self._file.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1

    def _write(self, line: bytes) -> None:
        if self._size > MAX_JOURNAL_BYTES:
            os.ftruncate(self._handle, 0)
            line, self._size = b"".join(b"+%d\n" % index for index in sorted(self._open)), 0
        self._size += os.write(self._handle, line)


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
            opened = _replay(os.pread(handle, 2 * MAX_JOURNAL_BYTES, 0))
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


def _replay(data: bytes) -> set[int]:
    opened: set[int] = set()
    for line in data.split(b"\n"):
        if len(line) > 1 and line[1:].isdigit():
            (opened.add if line[:1] == b"+" else opened.discard)(int(line[1:]))
    return opened
