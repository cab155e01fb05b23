"""A store of derived blobs on disk: what a scan worked out before, found again by content key.

Everything in it can be worked out again, so it may lose anything at any time and must never give a wrong value or stop
a scan: each blob carries a checksum over its key and value; a damaged row is dropped, a damaged file is replaced; where
the directory cannot be used the scan goes on without a cache and ``note`` says so.

Several processes may use one cache at once.  A ``Cache`` belongs to the process that opened it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TypeVar

CACHE_VERSION = 1
MAX_BLOB_BYTES = 64_000_000
BUSY_MS = 2_000
CHECK_BYTES = 8
KEEP_EVERY = 50  # blobs that a scan which is killed may lose
DAY_SECONDS = 86_400

_BATCH = 400
_APPLICATION_ID = 0x676C6173
_BLOBS = "CREATE TABLE IF NOT EXISTS blobs(id INTEGER PRIMARY KEY, key BLOB UNIQUE, sum BLOB, value BLOB)"
_USED = "CREATE TABLE IF NOT EXISTS used(id INTEGER PRIMARY KEY, generation INTEGER)"
_CHECK_TABLES = "SELECT b.id, b.key, b.sum, b.value, u.generation FROM blobs b JOIN used u ON u.id = b.id LIMIT 0"
_FIND = (
    "SELECT b.id, b.key, b.sum, b.value, u.generation FROM blobs b LEFT JOIN used u ON u.id = b.id WHERE b.key IN (%s)"
)
_STORE = (
    "INSERT INTO blobs(key, sum, value) VALUES(?, ?, ?) ON CONFLICT(key) DO UPDATE"
    " SET sum = excluded.sum, value = excluded.value RETURNING id"
)
_TOUCH = "INSERT OR REPLACE INTO used(id, generation) VALUES(?, ?)"
_OLDEST_FIRST = (
    "SELECT b.id, coalesce(length(b.value), 0) FROM blobs b LEFT JOIN used u ON u.id = b.id"
    " ORDER BY coalesce(u.generation, -1), b.id"
)

_TROUBLE = (sqlite3.Error, MemoryError, UnicodeError)
"""What a damaged file leads to: a length can ask for any memory, an error message can quote bytes that are no text."""
_Answer = TypeVar("_Answer")


class Cache:
    """Blobs by namespace and key.  No method raises for the state of the disk; ``note`` is "" while all is well."""

    def __init__(self, directory: Path, *, generation: int | None = None, busy_ms: int = BUSY_MS) -> None:
        """Opens or creates the cache in ``directory``.

        ``generation`` orders uses for ``prune`` (default: the day); ``busy_ms`` is the wait for another process.
        """
        self.note = ""
        self.path = os.path.join(os.path.abspath(directory), f"scan-{CACHE_VERSION}.sqlite")
        self._generation = int(time.time()) // DAY_SECONDS if generation is None else generation
        self._busy_ms = busy_ms
        self._owner = os.getpid()
        self._writable = False
        self._database: sqlite3.Connection | None = None
        self._open()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def usable(self) -> bool:
        """Whether anything can be found in it."""
        return self._database is not None and self._owner == os.getpid()

    def get_many(self, namespace: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those of ``keys`` that are known, with their blobs; counts as use."""
        return self._guarded(lambda database: self._get(database, namespace, keys), {})

    def put_many(self, namespace: str, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Stores blobs, replacing older ones.  Blobs over ``MAX_BLOB_BYTES`` are not kept."""
        if self._writable:
            self._guarded(lambda database: self._put(database, namespace, items), None)

    @contextlib.contextmanager
    def keeping(self, namespace: str) -> Iterator[Callable[[bytes, bytes], None]]:
        """A function that stores blobs as they are made, some at a time, so that a run that is stopped keeps them."""
        waiting: list[tuple[bytes, bytes]] = []

        def keep(key: bytes, blob: bytes) -> None:
            waiting.append((key, blob))
            if len(waiting) >= KEEP_EVERY:
                self.put_many(namespace, waiting)
                waiting.clear()

        try:
            yield keep
        finally:
            self.put_many(namespace, waiting)

    def delete_many(self, namespace: str, keys: Iterable[bytes]) -> None:
        """Forgets blobs."""
        if self._writable:
            rows = [(_row_key(namespace, key),) for key in keys]
            self._guarded(lambda database: _delete(database, rows), None)

    def prune(self, max_bytes: int) -> int:
        """Forgets the least recently used blobs until their sizes add up to ``max_bytes``; returns how many."""
        if not self._writable:
            return 0
        return self._guarded(lambda database: _prune(database, max_bytes), 0)

    def close(self) -> None:
        """Closes the file; afterwards the cache is empty and keeps nothing."""
        database, self._database, self._writable = self._database, None, False
        if database is not None and self._owner == os.getpid():
            with contextlib.suppress(*_TROUBLE):
                database.close()

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        directory = os.path.dirname(self.path)
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
        except OSError as error:
            self._without(f"cannot make {directory}: {error.strerror}")
            return
        stranger = _untrusted(directory) or _untrusted(self.path)
        if stranger:
            self._without(stranger)
            return
        if not os.access(directory, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            self._open_read_only()
            return
        for attempt in range(2):
            try:
                self._database = self._connect()
                self._writable = True
                self.note = "the cache was damaged and has been started anew" if attempt else ""
                return
            except sqlite3.OperationalError as error:
                full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL  # starting anew frees space
                if attempt or not (full or _damaged(error)):
                    self._without(f"cannot use {self.path}: {error}")
                    return
            except _TROUBLE as error:
                if attempt:
                    self._without(f"cannot use {self.path}: {error}")
                    return
            if not self._remove_files():
                return

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=self._busy_ms / 1000, isolation_level=None)
        database.text_factory = bytes  # a damaged type must not become a decoding error
        try:
            database.execute("PRAGMA synchronous=OFF")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version != CACHE_VERSION or database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
                _create(database, foreign=version != 0)
            database.execute(_CHECK_TABLES)
        except BaseException:
            database.close()
            raise
        return database

    def _open_read_only(self) -> None:
        self.note = f"the cache in {os.path.dirname(self.path)} is read-only; nothing new is kept"
        if not os.path.exists(self.path):
            return
        uri = Path(self.path).as_uri() + "?mode=ro&immutable=1"
        try:
            self._database = sqlite3.connect(uri, uri=True, isolation_level=None)
            self._database.execute(_CHECK_TABLES)
            self._database.text_factory = bytes
        except _TROUBLE as error:
            self._without(f"cannot use {self.path}: {error}")

    def _remove_files(self) -> bool:
        try:
            for ending in ("", "-wal", "-shm", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path + ending)
        except OSError as error:
            self._without(f"cannot replace the damaged {self.path}: {error.strerror}")
            return False
        return True

    def _without(self, reason: str) -> None:
        self.close()
        self.note = f"scanned without cache: {reason}"

    # --- work -------------------------------------------------------------------------------------------------------

    def _guarded(self, work: Callable[[sqlite3.Connection], _Answer], otherwise: _Answer) -> _Answer:
        """Runs ``work``; on damage starts the file anew, when it is locked or full goes on without."""
        if not self.usable or self._database is None:
            return otherwise
        try:
            return work(self._database)
        except _TROUBLE as error:
            with contextlib.suppress(*_TROUBLE):
                self._database.rollback()
            if isinstance(error, sqlite3.OperationalError) and not _damaged(error):
                self._writable = False
                self.note = f"the cache {self.path} could not be used: {error}"
                return otherwise
            read_only = not self._writable
            self._without(f"{self.path} was damaged")
            if not read_only and self._remove_files():
                self._open()
                if self.usable:
                    self.note = "the cache was damaged and has been started anew"
            return otherwise

    def _get(self, database: sqlite3.Connection, namespace: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        damaged: list[tuple[bytes]] = []
        stale: list[tuple[int, int]] = []
        prefix = len(_row_key(namespace, b""))
        for batch in _batches([_row_key(namespace, key) for key in keys]):
            query = _FIND % ",".join("?" * len(batch))
            for row, key, checksum, value, generation in database.execute(query, batch):
                if not isinstance(value, bytes) or _checksum(key, value) != checksum:
                    damaged.append((key,))
                    continue
                found[key[prefix:]] = value
                if generation != self._generation:
                    stale.append((row, self._generation))
        if self._writable and damaged:
            _delete(database, damaged)
        if self._writable and stale:
            with _transaction(database):
                database.executemany(_TOUCH, stale)
        return found

    def _put(self, database: sqlite3.Connection, namespace: str, items: Iterable[tuple[bytes, bytes]]) -> None:
        with _transaction(database):
            for key, value in items:
                if len(value) > MAX_BLOB_BYTES:
                    continue
                row_key = _row_key(namespace, key)
                stored = (row_key, _checksum(row_key, value), value)
                row = database.execute(_STORE, stored).fetchone()[0]
                database.execute(_TOUCH, (row, self._generation))


def _create(database: sqlite3.Connection, *, foreign: bool) -> None:
    database.execute("PRAGMA journal_mode=WAL")
    with _transaction(database):
        if foreign:
            database.execute("DROP TABLE IF EXISTS blobs")
            database.execute("DROP TABLE IF EXISTS used")
        database.execute(_BLOBS)
        database.execute(_USED)
        database.execute(f"PRAGMA user_version={CACHE_VERSION}")
        database.execute(f"PRAGMA application_id={_APPLICATION_ID}")


def _delete(database: sqlite3.Connection, rows: Sequence[tuple[bytes]]) -> None:
    with _transaction(database):
        database.executemany("DELETE FROM used WHERE id IN (SELECT id FROM blobs WHERE key = ?)", rows)
        database.executemany("DELETE FROM blobs WHERE key = ?", rows)


def _prune(database: sqlite3.Connection, max_bytes: int) -> int:
    rows = database.execute(_OLDEST_FIRST).fetchall()
    total = sum(size for _, size in rows)
    doomed: list[tuple[int]] = []
    for row, size in rows:
        if total <= max_bytes:
            break
        doomed.append((row,))
        total -= size
    if not doomed:
        return 0
    with _transaction(database):
        database.executemany("DELETE FROM used WHERE id = ?", doomed)
        database.executemany("DELETE FROM blobs WHERE id = ?", doomed)
    database.execute("VACUUM")
    return len(doomed)


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(*_TROUBLE):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _batches(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]


def _row_key(namespace: str, key: bytes) -> bytes:
    return namespace.encode() + b"\0" + key


def _checksum(key: bytes, value: bytes) -> bytes:
    digest = blake2b(value, digest_size=CHECK_BYTES)
    digest.update(len(value).to_bytes(8, "big") + key)
    return digest.digest()


def _damaged(error: sqlite3.OperationalError) -> bool:
    """Whether an operational error means a broken file rather than a busy, full or forbidden one."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_ERROR)


def _untrusted(path: str) -> str:
    """Why what lies at ``path`` could have been planted by another user, or ""."""
    try:
        status = os.lstat(path)
    except OSError:
        return ""
    if hasattr(os, "geteuid") and status.st_uid not in (os.geteuid(), 0):
        return f"{path} belongs to another user"
    if os.name == "posix" and status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode):
        return f"{path} can be written by every user"
    return ""
