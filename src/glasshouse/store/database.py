"""Opening the store: connections that are safe by default, and the version of the tables checked before use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from glasshouse.store.place import StorePlace
from glasshouse.store.tables import GENERATION
from glasshouse.words.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 10


class Database:
    """A store that is open at the current version of its tables."""

    def __init__(self, place: StorePlace, engine: Engine) -> None:
        self.place = place
        self.engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with _as_store_error(self.place), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that excludes other writers, and raises the generation when it commits."""
        with self.counting() as connection:
            connection.execute(update(GENERATION).values(value=GENERATION.c.value + 1))
            yield connection

    @contextmanager
    def counting(self) -> Iterator[Connection]:
        """A transaction that writes what no cache holds, so that the generation stays."""
        with _as_store_error(self.place), self.engine.connect() as connection:
            if self.place.file is not None:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def open_database(place: StorePlace) -> Database:
    """The store, made anew when there is none.  `StoreError` for one of an older or newer version, or a damaged one."""
    from glasshouse.store.migrate import head, revision, upgrade

    new = place.file is not None and not place.file.exists()
    engine = make_engine(place)
    try:
        with _as_store_error(place):
            current = revision(engine)
            if current is None and (new or _is_empty(engine)):
                upgrade(engine)
            elif current != head():
                raise _wrong_version(place, current)
    except BaseException:
        engine.dispose()
        raise
    return Database(place, engine)


def make_engine(place: StorePlace) -> Engine:
    """An engine with our settings; the file's folder is made, the file is readable by its owner alone."""
    if place.file is not None:
        try:
            place.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not place.file.exists():
                os.close(os.open(place.file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreError(f"cannot be made: {error.strerror}", where=str(place.file)) from error
        engine = create_engine(place.sqlalchemy_url, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _sqlite_settings)
        return engine
    try:
        return create_engine(place.sqlalchemy_url, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    except ImportError as error:
        raise StoreError("PostgreSQL needs the extra `postgres`", hint="pip install 'glasshouse[postgres]'") from error


def _sqlite_settings(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {setting}")


def _is_empty(engine: Engine) -> bool:
    from sqlalchemy import inspect

    return not inspect(engine).get_table_names()


def _wrong_version(place: StorePlace, current: str | None) -> StoreError:
    from glasshouse.store.migrate import known_revisions

    if current in known_revisions():
        return StoreError(
            f"has tables of version {current}",
            where=place.shown(),
            hint="Run `glasshouse store upgrade` (it backs up).",
        )
    found = f"version {current}, which this Glasshouse does not know" if current else "tables that are not Glasshouse's"
    return StoreError(
        f"has {found}", where=place.shown(), hint="Use the Glasshouse version that wrote it, or a newer one."
    )


@contextmanager
def _as_store_error(place: StorePlace) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{error.orig}", where=place.shown()) from error
    except SQLAlchemyError as error:
        raise StoreError(str(error).splitlines()[0], where=place.shown()) from error
