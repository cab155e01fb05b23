"""The embedded store: one SQLite file in WAL mode with ``synchronous=FULL``, so that a commit is one durable sync.

Payloads are erased by overwriting them in place with zeros.  Rows are only ever added at the end and never move, so no
copy of a payload is left in free pages; ``secure_delete`` and an emptied WAL see to the rest.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from glasshouse.ledger.audit.sources import MAX_PAYLOADS, STORE_FORMAT
from glasshouse.ledger.store.interface import Batch, State, StoredPayload
from glasshouse.words.errors import (
    LedgerError,
    LedgerFullError,
    LedgerStoppedError,
    LedgerVersionError,
    VerificationError,
)

APPLICATION_ID = 0x474C4153
PAGE_BYTES = 4_096
CHECKPOINT_PAGES = 1_000
"""The WAL is folded into the database when it has grown by so many pages.  From then on it is written over, and a sync
of a file that does not grow takes half the time; a larger one also makes those who write meanwhile wait longer."""
READER_PATIENCE_S = 10.0
WRITER_PATIENCE_S = 0.2  # only readers can be in the way, when the WAL is to be emptied
UNREADABLE = (sqlite3.Error, UnicodeError)
"""What reading a damaged file raises: SQLite's message may quote a damaged name, which is then no text."""
_PRAGMAS = ("synchronous = FULL", "secure_delete = ON", "wal_autocheckpoint = 0", "trusted_schema = OFF")
_SCHEMA = """
CREATE TABLE entry (idx INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE tile (id INTEGER PRIMARY KEY, root BLOB NOT NULL, hashes BLOB NOT NULL);
CREATE TABLE chain (key TEXT PRIMARY KEY, count INTEGER NOT NULL, previous BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE opened (idx INTEGER PRIMARY KEY);
CREATE TABLE payload (id INTEGER PRIMARY KEY, engagement TEXT NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE erased (idx INTEGER PRIMARY KEY, entry INTEGER NOT NULL);
CREATE TABLE held (idx INTEGER PRIMARY KEY, entry INTEGER NOT NULL);
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL,
    latest TEXT NOT NULL, cosigned TEXT
);
"""
_PUT_CHAIN = (
    "INSERT INTO chain VALUES (?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET count = excluded.count, previous = excluded.previous"
)


class SqliteStore:
    """A log's database; ``writable`` for the committer, else for reading beside it."""

    def __init__(self, file: Path, *, writable: bool) -> None:
        self.file = file
        self._lock = threading.Lock()
        if writable and not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite gives its other files the same mode
        self._writer = self._connect("rw") if writable else None
        try:
            if self._writer is not None:
                self._prepare(self._writer)
            self._reader = self._connect("ro")
            self._check_version(self._reader)
        except BaseException:
            self.close()
            raise
        self._pages = 0

    def _connect(self, mode: str) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                f"{self.file.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=READER_PATIENCE_S if mode == "ro" else WRITER_PATIENCE_S,
                cached_statements=64,
            )
        except sqlite3.Error as error:
            raise LedgerError(f"cannot be opened ({error})", where=str(self.file)) from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.execute("PRAGMA secure_delete = ON")
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except UNREADABLE as error:
            raise self._unreadable(error) from None
        if mode != "wal":
            raise LedgerError("has no WAL mode; its file system must allow shared memory", where=str(self.file))
        if version != 0:
            self._check_version(connection)

    def _check_version(self, connection: sqlite3.Connection) -> None:
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        except UNREADABLE as error:
            raise self._unreadable(error) from None
        if version > STORE_FORMAT:
            raise LedgerVersionError(f"has format {version}; this version knows {STORE_FORMAT}", where=str(self.file))

    def _unreadable(self, error: Exception) -> LedgerError:
        """A file that is damaged, and a disk that is full or fails, ask for different help."""
        if isinstance(error, sqlite3.OperationalError):
            hint = "See that its folder is writable and its disk has free space; the log itself has not changed."
            return LedgerError(f"cannot be read now ({error})", where=str(self.file), hint=hint)
        return LedgerError(f"is damaged ({error})", where=str(self.file))

    def load(self) -> State | None:
        """The signer's state, or None in a store where no log was created yet."""
        if self._read("SELECT name FROM sqlite_master WHERE name = 'state'"):
            rows = self._read("SELECT size, root, time, latest, cosigned FROM state")
            if len(rows) == 1:
                return State(*rows[0])
            raise LedgerError("the signer's state is missing", where=str(self.file))
        return None

    def create(self, state: State) -> None:
        """Begins a log; fails if there is one."""
        writer = self._for_writing()
        try:
            writer.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";\n")[:-1]:
                writer.execute(statement)
            writer.execute("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?)", state)
            writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            writer.execute(f"PRAGMA user_version = {STORE_FORMAT}")
            writer.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(writer, error) from None

    def commit(self, batch: Batch) -> None:
        """Writes a batch in one transaction, with one sync."""
        writer = self._for_writing()
        first, state = batch.old_size, batch.state
        try:
            writer.execute("BEGIN IMMEDIATE")
            changed = writer.execute(
                "UPDATE state SET size = ?, root = ?, time = ?, latest = ? WHERE size = ? AND root = ?",
                (state.size, state.root, state.time, state.latest, batch.old_size, batch.old_root),
            )
            if changed.rowcount != 1:
                writer.execute("ROLLBACK")
                raise LedgerStoppedError("another writer changed the log", where=str(self.file))
            writer.executemany("INSERT INTO entry VALUES (?, ?)", enumerate(batch.bodies, start=first))
            writer.executemany("INSERT INTO payload VALUES (?, ?, ?)", batch.payloads)
            if batch.tiles:
                tiles = [(tile.level << 48 | tile.number, tile.root, tile.hashes) for tile in batch.tiles]
                writer.executemany("INSERT INTO tile VALUES (?, ?, ?)", tiles)
            chain = [(key, count, previous) for key, (count, previous) in batch.chain.items()]
            writer.executemany(_PUT_CHAIN, chain)
            if batch.opened:
                writer.executemany("INSERT INTO opened VALUES (?)", [(index,) for index in batch.opened])
            if batch.closed:
                writer.executemany("DELETE FROM opened WHERE idx = ?", [(index,) for index in batch.closed])
            if batch.erased or batch.held or batch.released:
                self._retain(writer, batch)
            writer.execute("COMMIT")
            written = sum(map(len, batch.bodies)) + sum(len(each.sealed) for each in batch.payloads)
            self._pages += 4 + len(batch.chain) + written // PAGE_BYTES
        except sqlite3.Error as error:
            raise self._failure(writer, error) from None

    def _retain(self, writer: sqlite3.Connection, batch: Batch) -> None:
        writer.executemany("INSERT OR REPLACE INTO held VALUES (?, ?)", batch.held.items())
        writer.executemany("DELETE FROM held WHERE idx = ?", ((index,) for index in batch.released))
        writer.executemany("INSERT INTO erased VALUES (?, ?)", batch.erased.items())
        for index in batch.erased:
            span = (index * MAX_PAYLOADS, (index + 1) * MAX_PAYLOADS)
            for (number,) in writer.execute("SELECT id FROM payload WHERE id >= ? AND id < ?", span).fetchall():
                with writer.blobopen("payload", "sealed", number) as blob:
                    blob.write(bytes(len(blob)))

    def tidy(self) -> None:
        """Folds the WAL into the database now and then; SQLite would ignore errors in its own automatic folding."""
        if self._pages < CHECKPOINT_PAGES:
            return
        self._pages = 0
        writer = self._for_writing()
        try:
            writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            failure = self._failure(writer, error)
            if not isinstance(failure, LedgerFullError):  # a full disk only lets the WAL grow until there is space
                raise failure from None

    def set_notes(self, size: int, *, latest: str | None = None, cosigned: str | None = None) -> None:
        """Adds signatures: to the newest checkpoint if it still has that size, or as the newest cosigned one."""
        writer = self._for_writing()
        try:
            if latest is not None:
                writer.execute("UPDATE state SET latest = ? WHERE size = ?", (latest, size))
            if cosigned is not None:
                writer.execute("UPDATE state SET cosigned = ?", (cosigned,))
        except sqlite3.Error as error:
            raise self._failure(writer, error) from None

    def forget_cosigned(self) -> None:
        """Drops the newest cosigned checkpoint: it was cosigned under another policy."""
        writer = self._for_writing()
        try:
            writer.execute("UPDATE state SET cosigned = NULL")
        except sqlite3.Error as error:
            raise self._failure(writer, error) from None

    def scrub(self) -> bool:
        """Folds the WAL into the database and empties it, since it may hold what was erased; False while it is
        read, or the disk is full.

        Raises ``VerificationError`` when the database file then is shorter than it says.
        """
        writer = self._for_writing()
        try:
            ((busy, *_),) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            (pages,), (width,) = (writer.execute(f"PRAGMA {each}").fetchone() for each in ("page_count", "page_size"))
        except sqlite3.Error as error:
            failure = self._failure(writer, error)
            if isinstance(failure, LedgerFullError):
                return False
            raise failure from None
        if not busy and self.file.stat().st_size < pages * width:
            raise VerificationError("the end of the file is missing", where=str(self.file))
        return not busy

    def _for_writing(self) -> sqlite3.Connection:
        assert self._writer is not None, "opened for reading"
        return self._writer

    def _failure(self, writer: sqlite3.Connection, error: sqlite3.Error) -> LedgerError:
        name = getattr(error, "sqlite_errorname", "")
        try:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
        except sqlite3.Error:
            name = "ROLLBACK failed"
        if name == "SQLITE_FULL":
            return LedgerFullError("the disk is full", where=str(self.file))
        return LedgerStoppedError(f"writing failed: {error} ({name})", where=str(self.file))

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            with self._lock:
                return self._reader.execute(statement, values).fetchall()
        except UNREADABLE as error:
            raise LedgerError(f"cannot be read ({error})", where=str(self.file)) from None

    def bodies(self, first: int, end: int) -> list[bytes]:
        """Entries, in order."""
        rows = self._read("SELECT body FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", (first, end))
        return [body for (body,) in rows]

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a full tile."""
        rows = self._read("SELECT hashes FROM tile WHERE id = ?", (level << 48 | number,))
        return rows[0][0] if rows else None

    def tile_roots(self, level: int, first: int, end: int) -> list[bytes]:
        """The hashes over full tiles of one level."""
        span = (level << 48 | first, level << 48 | end)
        return [root for (root,) in self._read("SELECT root FROM tile WHERE id >= ? AND id < ? ORDER BY id", span)]

    def chain(self, key: str) -> tuple[int, bytes] | None:
        """Count and leaf hash of a key's newest entry."""
        rows = self._read("SELECT count, previous FROM chain WHERE key = ?", (key,))
        return rows[0] if rows else None

    def opened(self) -> list[int]:
        """Entries that wait for their outcome, in order."""
        return [index for (index,) in self._read("SELECT idx FROM opened ORDER BY idx")]

    def payload(self, number: int) -> StoredPayload | None:
        """A payload by its place; all zeros when erased."""
        rows = self._read("SELECT id, engagement, sealed FROM payload WHERE id = ?", (number,))
        return StoredPayload(*rows[0]) if rows else None

    def erased(self, index: int) -> int | None:
        """The entry that erased this entry's payloads."""
        rows = self._read("SELECT entry FROM erased WHERE idx = ?", (index,))
        return rows[0][0] if rows else None

    def held(self, index: int) -> int | None:
        """The entry that put this one under a legal hold."""
        rows = self._read("SELECT entry FROM held WHERE idx = ?", (index,))
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Lets go of the database."""
        for connection in (getattr(self, "_reader", None), self._writer):
            if connection is not None:
                connection.close()
