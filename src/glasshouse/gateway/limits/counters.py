"""Numbers that several processes share: a small table in a mapped file under a file lock.

A transaction costs microseconds, because nothing is sent and nothing is synced: what a limit needs is that all
workers see it at once and that it outlives them, not that it survives a power cut.  A process that dies inside a
transaction leaves at most a reservation too many; the lock is freed by the kernel.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glasshouse.words.errors import LimitsError

BUCKETS = 8_192
SLOTS = 16
"""Numbers that fit into one bucket; a subject's numbers spread over all buckets."""
MAX_WORKERS = 64
MAX_PLACES = 65_536
_MAGIC = b"glasshouse limits 1\n"
_SLOT = struct.Struct("<16sqq")
_WORKER = struct.Struct("<qq")
_HEADER_BYTES = 4_096
_BUCKET_BYTES = SLOTS * _SLOT.size
_BYTES = _HEADER_BYTES + BUCKETS * _BUCKET_BYTES
_WORKERS_AT = 64


@functools.lru_cache(maxsize=4_096)
def counter_id(*parts: str | int) -> bytes:
    """The name under which a number is kept: 16 bytes, never all zero in practice."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()


class Table:
    """The numbers, inside a transaction.  Times are whole microseconds."""

    def __init__(self, memory: mmap.mmap, places: dict[bytes, int], now: int) -> None:
        """``places`` says where numbers were found before; each is looked at again before it is believed."""
        self._memory, self._places = memory, places
        self.now = now

    def get(self, name: bytes) -> int:
        """The number; 0 where there is none or it has expired."""
        at = self._find(name)
        if at < 0:
            return 0
        _, expires, value = _SLOT.unpack_from(self._memory, at)
        return int(value) if expires > self.now else 0

    def add(self, name: bytes, change: int, expires: int) -> None:
        """Adds to the number, which never gets below 0, and keeps it until ``expires``."""
        at = self._find(name)
        before = 0
        if at < 0:
            at = self._free(name)
        else:
            _, until, value = _SLOT.unpack_from(self._memory, at)
            before = value if until > self.now else 0
        _SLOT.pack_into(self._memory, at, name, expires, max(0, before + change))

    def put(self, name: bytes, value: int, expires: int) -> None:
        """Sets the number until ``expires``; `LimitsError` when no place is left."""
        at = self._find(name)
        _SLOT.pack_into(self._memory, at if at >= 0 else self._free(name), name, expires, value)

    def _find(self, name: bytes) -> int:
        at = self._places.get(name, -1)
        if at >= 0 and self._memory[at : at + len(name)] == name:
            return at
        start = _HEADER_BYTES + int.from_bytes(name[:4], "little") % BUCKETS * _BUCKET_BYTES
        at = self._memory.find(name, start, start + _BUCKET_BYTES)
        if at < 0 or (at - start) % _SLOT.size:
            return -1
        if len(self._places) >= MAX_PLACES:
            self._places.clear()
        self._places[name] = at
        return at

    def _free(self, name: bytes) -> int:
        start = _HEADER_BYTES + int.from_bytes(name[:4], "little") % BUCKETS * _BUCKET_BYTES
        for at in range(start, start + _BUCKET_BYTES, _SLOT.size):
            if _SLOT.unpack_from(self._memory, at)[1] <= self.now:
                return at
        raise LimitsError("the table of limits is full", hint="Fewer keys and engagements can be served at once.")


class Transaction:
    """Exclusive use of the numbers, among threads and processes."""

    __slots__ = ("_descriptor", "_table", "_thread")

    def __init__(self, thread: threading.Lock, descriptor: int, table: Table) -> None:
        self._thread, self._descriptor, self._table = thread, descriptor, table

    def __enter__(self) -> Table:
        self._thread.acquire()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except BaseException:
            self._thread.release()
            raise
        return self._table

    def __exit__(self, *_: object) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            self._thread.release()


class Counters:
    """The file, opened by one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._thread = threading.Lock()
        self._places: dict[bytes, int] = {}
        with self._locked():
            fresh = os.fstat(self._descriptor).st_size == 0
            if fresh:
                os.ftruncate(self._descriptor, _BYTES)
            elif os.fstat(self._descriptor).st_size != _BYTES:
                raise LimitsError("not a table of limits", where=str(path), hint="Move the file away and start again.")
            self._memory = mmap.mmap(self._descriptor, _BYTES)
            if fresh:
                self._memory[: len(_MAGIC)] = _MAGIC
            elif self._memory[: len(_MAGIC)] != _MAGIC:
                raise LimitsError("not a table of limits", where=str(path), hint="Move the file away and start again.")
            self.worker = self._enrol()

    def transaction(self, now: int) -> Transaction:
        """Exclusive use of the numbers at the time ``now`` in microseconds, as a context."""
        return Transaction(self._thread, self._descriptor, Table(self._memory, self._places, now))

    def workers(self) -> list[tuple[int, int]]:
        """The places of the workers that are alive, each with the process number of its holder."""
        found = []
        for place in range(MAX_WORKERS):
            pid, started = _WORKER.unpack_from(self._memory, _WORKERS_AT + place * _WORKER.size)
            if pid and _started(pid) == started:
                found.append((place, pid))
        return found

    def close(self) -> None:
        """Gives the worker's place back and lets go of the file."""
        with self._locked():
            _WORKER.pack_into(self._memory, _WORKERS_AT + self.worker * _WORKER.size, 0, 0)
        self._memory.close()
        os.close(self._descriptor)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._thread:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _enrol(self) -> int:
        """A place among the workers that no living process holds."""
        taken = {place for place, _ in self.workers()}
        place = next((each for each in range(MAX_WORKERS) if each not in taken), None)
        if place is None:
            raise LimitsError(f"{MAX_WORKERS} workers use the table of limits already", where=str(self._path))
        own = os.getpid()
        _WORKER.pack_into(self._memory, _WORKERS_AT + place * _WORKER.size, own, _started(own))
        return place


def _started(pid: int) -> int:
    """When a process started, in the kernel's ticks: tells it from a later one with the same number; 0 if none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(status.rpartition(b")")[2].split()[19])
