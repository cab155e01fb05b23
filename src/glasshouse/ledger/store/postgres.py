"""The store for more than a laptop: PostgreSQL, one transaction with COPY for each batch, one committer by its lock.

Erasing overwrites the row and rewrites the table.  What the server keeps elsewhere (its write-ahead log, archives,
replicas, backups) is the operator's to age out; the wrapping keys lie outside the database.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, LiteralString

from glasshouse.ledger.audit.sources import MAX_PAYLOADS, STORE_FORMAT
from glasshouse.ledger.store.interface import Batch, State, StoredPayload
from glasshouse.words.errors import (
    LedgerBusyError,
    LedgerError,
    LedgerFullError,
    LedgerStoppedError,
    LedgerVersionError,
)

if TYPE_CHECKING:
    import psycopg

LOCK = 0x676C617373  # the advisory lock of a database's committer
CONNECT_TIMEOUT_S = 10
_FULL = "53100"
_SCHEMA: tuple[LiteralString, ...] = (
    "CREATE TABLE entry (idx BIGINT PRIMARY KEY, body BYTEA NOT NULL)",
    "CREATE TABLE tile (id BIGINT PRIMARY KEY, root BYTEA NOT NULL, hashes BYTEA NOT NULL)",
    "CREATE TABLE chain (key TEXT PRIMARY KEY, count BIGINT NOT NULL, previous BYTEA NOT NULL)",
    "CREATE TABLE opened (idx BIGINT PRIMARY KEY)",
    "CREATE TABLE payload (id BIGINT PRIMARY KEY, engagement TEXT NOT NULL, sealed BYTEA NOT NULL)",
    "CREATE TABLE erased (idx BIGINT PRIMARY KEY, entry BIGINT NOT NULL)",
    "CREATE TABLE held (idx BIGINT PRIMARY KEY, entry BIGINT NOT NULL)",
    """CREATE TABLE state (one INT PRIMARY KEY CHECK (one = 1), format INT NOT NULL, size BIGINT NOT NULL,
    root BYTEA NOT NULL, time BIGINT NOT NULL, latest TEXT NOT NULL, cosigned TEXT)""",
)


class PostgresStore:
    """A log in the first schema of a PostgreSQL database's search path."""

    def __init__(self, url: str, *, writable: bool) -> None:
        self._lock = threading.Lock()
        self._writer: psycopg.Connection[Any] | None = None
        self._reader = self._connect(url)
        try:
            if writable:
                self._writer = self._connect(url)
                self._prepare(self._writer)
        except BaseException:
            self.close()
            raise

    def _connect(self, url: str) -> psycopg.Connection[Any]:
        try:
            import psycopg
        except ImportError:
            raise LedgerError(
                "psycopg is not installed", where="PostgreSQL", hint="Install glasshouse with the extra `postgres`."
            ) from None
        try:
            connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
        except psycopg.Error as error:
            raise LedgerError(f"cannot be reached ({str(error).splitlines()[0]})", where="PostgreSQL") from None
        self._error = psycopg.Error
        self.where = f"PostgreSQL at {connection.info.host}, database {connection.info.dbname}"
        return connection

    def _prepare(self, writer: psycopg.Connection[Any]) -> None:
        if not _one(writer, "SELECT pg_try_advisory_lock(%s)", LOCK):
            raise LedgerBusyError("another committer holds this log", where=self.where)
        writer.execute("SET synchronous_commit = on")
        for setting in ("fsync", "full_page_writes"):
            if _one(writer, "SELECT current_setting(%s)", setting) != "on":
                raise LedgerError(
                    f"the server runs with {setting} = off and could lose what it committed", where=self.where
                )

    def load(self) -> State | None:
        """The signer's state, or None in a store where no log was created yet."""
        if self._read("SELECT to_regclass('state')")[0][0] is None:
            return None
        rows = self._read("SELECT format, size, root, time, latest, cosigned FROM state")
        if len(rows) != 1:
            raise LedgerError("the signer's state is missing", where=self.where)
        if rows[0][0] > STORE_FORMAT:
            raise LedgerVersionError(f"has format {rows[0][0]}; this version knows {STORE_FORMAT}", where=self.where)
        return State(*rows[0][1:])

    def create(self, state: State) -> None:
        """Begins a log; fails if there is one."""
        writer = self._for_writing()
        try:
            with writer.transaction():
                for statement in _SCHEMA:
                    writer.execute(statement)
                writer.execute("INSERT INTO state VALUES (1, %s, %s, %s, %s, %s, %s)", (STORE_FORMAT, *state))
        except self._error as error:
            raise self._failure(error) from None

    def commit(self, batch: Batch) -> None:
        """Writes a batch in one transaction."""
        writer, state = self._for_writing(), batch.state
        try:
            with writer.transaction():
                changed = writer.execute(
                    "UPDATE state SET size = %s, root = %s, time = %s, latest = %s WHERE size = %s AND root = %s",
                    (state.size, state.root, state.time, state.latest, batch.old_size, batch.old_root),
                )
                if changed.rowcount != 1:
                    raise LedgerStoppedError("another writer changed the log", where=self.where)
                bodies = enumerate(batch.bodies, start=batch.old_size)
                _copy(writer, "COPY entry FROM STDIN (FORMAT BINARY)", ["int8", "bytea"], bodies)
                _copy(writer, "COPY payload FROM STDIN (FORMAT BINARY)", ["int8", "text", "bytea"], batch.payloads)
                tiles = [(tile.level << 48 | tile.number, tile.root, tile.hashes) for tile in batch.tiles]
                _copy(writer, "COPY tile FROM STDIN (FORMAT BINARY)", ["int8", "bytea", "bytea"], tiles)
                self._relate(writer, batch)
        except self._error as error:
            raise self._failure(error) from None

    def _relate(self, writer: psycopg.Connection[Any], batch: Batch) -> None:
        writer.execute(
            "INSERT INTO chain SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) "
            "ON CONFLICT (key) DO UPDATE SET count = excluded.count, previous = excluded.previous",
            (list(batch.chain), [each[0] for each in batch.chain.values()], [each[1] for each in batch.chain.values()]),
        )
        if batch.opened:
            writer.execute("INSERT INTO opened SELECT unnest(%s::bigint[])", (batch.opened,))
        if batch.closed:
            writer.execute("DELETE FROM opened WHERE idx = ANY (%s)", (batch.closed,))
        for index, entry in batch.held.items():
            writer.execute(
                "INSERT INTO held VALUES (%s, %s) ON CONFLICT (idx) DO UPDATE SET entry = excluded.entry",
                (index, entry),
            )
        if batch.released:
            writer.execute("DELETE FROM held WHERE idx = ANY (%s)", (batch.released,))
        for index, entry in batch.erased.items():
            writer.execute("INSERT INTO erased VALUES (%s, %s)", (index, entry))
            writer.execute(
                "UPDATE payload SET sealed = decode(repeat('00', length(sealed)), 'hex') WHERE id >= %s AND id < %s",
                (index * MAX_PAYLOADS, (index + 1) * MAX_PAYLOADS),
            )

    def tidy(self) -> None:
        """The server does it itself."""

    def set_notes(self, size: int, *, latest: str | None = None, cosigned: str | None = None) -> None:
        """Adds signatures: to the newest checkpoint if it still has that size, or as the newest cosigned one."""
        writer = self._for_writing()
        try:
            if latest is not None:
                writer.execute("UPDATE state SET latest = %s WHERE size = %s", (latest, size))
            if cosigned is not None:
                writer.execute("UPDATE state SET cosigned = %s", (cosigned,))
        except self._error as error:
            raise self._failure(error) from None

    def forget_cosigned(self) -> None:
        """Drops the newest cosigned checkpoint: it was cosigned under another policy."""
        writer = self._for_writing()
        try:
            writer.execute("UPDATE state SET cosigned = NULL")
        except self._error as error:
            raise self._failure(error) from None

    def scrub(self) -> bool:
        """Rewrites the table of payloads without the rows that were overwritten."""
        writer = self._for_writing()
        try:
            if _one(writer, "SELECT to_regclass('erased')") is not None and _one(writer, "SELECT count(*) FROM erased"):
                writer.execute("VACUUM FULL payload")
        except self._error as error:
            raise self._failure(error) from None
        return True

    def _for_writing(self) -> psycopg.Connection[Any]:
        assert self._writer is not None, "opened for reading"
        return self._writer

    def _failure(self, error: Exception) -> LedgerError:
        if getattr(error, "sqlstate", None) == _FULL:
            return LedgerFullError("the server's disk is full", where=self.where)
        return LedgerStoppedError(f"writing failed: {error}", where=self.where)

    def _read(self, statement: LiteralString, *values: Any) -> list[Any]:
        try:
            with self._lock:
                return self._reader.execute(statement, values).fetchall()
        except self._error as error:
            raise LedgerError(f"cannot be read ({error})", where=self.where) from None

    def bodies(self, first: int, end: int) -> list[bytes]:
        """Entries, in order."""
        rows = self._read("SELECT body FROM entry WHERE idx >= %s AND idx < %s ORDER BY idx", first, end)
        return [body for (body,) in rows]

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a full tile."""
        rows = self._read("SELECT hashes FROM tile WHERE id = %s", level << 48 | number)
        return rows[0][0] if rows else None

    def tile_roots(self, level: int, first: int, end: int) -> list[bytes]:
        """The hashes over full tiles of one level."""
        span = (level << 48 | first, level << 48 | end)
        return [root for (root,) in self._read("SELECT root FROM tile WHERE id >= %s AND id < %s ORDER BY id", *span)]

    def chain(self, key: str) -> tuple[int, bytes] | None:
        """Count and leaf hash of a key's newest entry."""
        rows = self._read("SELECT count, previous FROM chain WHERE key = %s", key)
        return rows[0] if rows else None

    def opened(self) -> list[int]:
        """Entries that wait for their outcome, in order."""
        return [index for (index,) in self._read("SELECT idx FROM opened ORDER BY idx")]

    def payload(self, number: int) -> StoredPayload | None:
        """A payload by its place; all zeros when erased."""
        rows = self._read("SELECT id, engagement, sealed FROM payload WHERE id = %s", number)
        return StoredPayload(*rows[0]) if rows else None

    def erased(self, index: int) -> int | None:
        """The entry that erased this entry's payloads."""
        rows = self._read("SELECT entry FROM erased WHERE idx = %s", index)
        return rows[0][0] if rows else None

    def held(self, index: int) -> int | None:
        """The entry that put this one under a legal hold."""
        rows = self._read("SELECT entry FROM held WHERE idx = %s", index)
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Lets go of the database."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()


def _one(connection: psycopg.Connection[Any], statement: LiteralString, *values: Any) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None


def _copy(connection: psycopg.Connection[Any], statement: LiteralString, kinds: list[str], rows: Any) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(kinds)
        for row in rows:
            copy.write_row(row)
