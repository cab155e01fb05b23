"""A cheap look at the store: has anything changed, and which halts are in force.

Every write to the store raises its generation in the same transaction.  A process that asks for it a few times a
second sees a revocation within that time, whichever process ordered it.  Plain DB-API, because a scan on a laptop
must look for halts too and must not pay for loading SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import Any, Protocol

import msgspec

from glasshouse.store.place import StorePlace
from glasshouse.words.errors import StoreError
from glasshouse.words.halt import Halt

EMPTY = -1
_GENERATION = "SELECT value FROM generation"
_HALTS = "SELECT doc FROM halt WHERE lifted_at = 0 ORDER BY ordered_at, id"


class Watch:
    """Reads generation and halts of one store; usable from several threads."""

    def __init__(self, place: StorePlace) -> None:
        self._place = place
        self._link = _sqlite(place) if place.file is not None else _postgres(place)
        self._lock = threading.Lock()

    def generation(self) -> int:
        """The store's generation; -1 while there is no store yet.  `StoreError` when it cannot be read."""
        rows = self._rows(_GENERATION)
        return int(rows[0][0]) if rows else EMPTY

    def halts(self) -> tuple[Halt, ...]:
        """The halts in force, oldest first."""
        try:
            return tuple(msgspec.json.decode(doc, type=Halt) for (doc,) in self._rows(_HALTS))
        except msgspec.MsgspecError as error:
            raise StoreError(f"a halt cannot be read: {error}", where=self._place.shown()) from error

    def close(self) -> None:
        """Lets go of the connection."""
        self._link.close()

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._link.rows(statement)


class _Link(Protocol):
    def rows(self, statement: str) -> list[tuple[Any, ...]]: ...
    def close(self) -> None: ...


class _Sqlite:
    def __init__(self, place: StorePlace) -> None:
        assert place.file is not None
        self._place, self._file = place, place.file
        self._connection: sqlite3.Connection | None = None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                if not self._file.exists():
                    return []
                self._connection = sqlite3.connect(
                    f"{self._file.as_uri()}?mode=ro", uri=True, timeout=5, check_same_thread=False, isolation_level=None
                )
            return self._connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"cannot be read: {error}", where=self._place.shown()) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Postgres:
    def __init__(self, place: StorePlace) -> None:
        self._place = place
        self._connection: Any = None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._place.dsn, autocommit=True, connect_timeout=5)
            rows: list[tuple[Any, ...]] = self._connection.execute(statement.encode()).fetchall()
            return rows
        except psycopg.errors.UndefinedTable:
            return []
        except psycopg.Error as error:
            self.close()
            raise StoreError(f"cannot be read: {error}", where=self._place.shown()) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _sqlite(place: StorePlace) -> _Link:
    return _Sqlite(place)


def _postgres(place: StorePlace) -> _Link:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise StoreError("PostgreSQL needs the extra `postgres`", hint="pip install 'glasshouse[postgres]'") from error
    return _Postgres(place)
