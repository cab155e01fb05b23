"""Backing a store up, bringing it back, checking it, upgrading it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection, insert, select

from glasshouse.store.database import Database, make_engine, open_database
from glasshouse.store.migrate import head, revision, upgrade
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.store.tables import METADATA
from glasshouse.words.errors import GlasshouseError, PathError, StoreError
from glasshouse.words.named_file import open_named

FORMAT = "glasshouse/store-backup/1"
MAX_LINE_BYTES = 4 << 20
MAX_LINES = 10_000_000


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    revision: str
    rows: int


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    table: str
    values: dict[str, Any]


class StoreState(msgspec.Struct, frozen=True):
    """What `check` found: the version, the number of records of each kind, and everything that is wrong."""

    revision: str
    counts: dict[str, int]
    problems: tuple[str, ...]


def backup(database: Database, file: Path) -> int:
    """Writes every row into a new file (one JSON object a line, readable by its owner alone); how many there were.

    The same file restores into SQLite and PostgreSQL.
    """
    with database.reading() as connection, _new_file(file) as stream:
        if database.place.file is None:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        else:
            connection.exec_driver_sql("BEGIN")
        rows = [row for table in METADATA.sorted_tables for row in _rows(connection, table)]
        stream.write(msgspec.json.encode(_Head(FORMAT, head(), len(rows))) + b"\n")
        for row in rows:
            stream.write(msgspec.json.encode(row) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    return len(rows)


def restore(place: StorePlace, file: Path) -> int:
    """Makes a store from a backup, in one transaction; refused when there are records already."""
    first, rows = _read_backup(file)
    database = open_database(place)
    try:
        if first.revision != head():
            raise StoreError(
                f"is of version {first.revision}, not {head()}",
                where=str(file),
                hint="Restore it with the Glasshouse version that made it, then run `glasshouse store upgrade`.",
            )
        present = [name for name, kind in Tables(database).kinds() if kind.all()]
        if present:
            raise StoreError(
                f"there are {', '.join(present)} already; nothing was changed",
                where=place.shown(),
                hint="Move the store away first, or name an empty one with GLASSHOUSE_STORE.",
            )
        with database.counting() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(table.delete())
            for row in rows:
                connection.execute(insert(METADATA.tables[row.table]).values(**row.values))
    finally:
        database.close()
    return len(rows)


def check(place: StorePlace) -> StoreState:
    """Looks at everything: the file's own consistency, the version, and that every record can be read."""
    problems = list(_file_problems(place))
    counts: dict[str, int] = {}
    version = ""
    try:
        database = open_database(place)
    except GlasshouseError as error:
        return StoreState("", {}, (*problems, error.what))
    try:
        version = revision(database.engine) or ""
        for name, kind in Tables(database).kinds():
            try:
                counts[name] = len(kind.all())
            except GlasshouseError as error:
                problems.append(f"{name}: {error.what}")
    finally:
        database.close()
    return StoreState(version, counts, tuple(problems))


def upgrade_store(place: StorePlace) -> tuple[str, str]:
    """Brings a store to the current version, after a copy of a SQLite file; the versions before and after."""
    engine = make_engine(place)
    try:
        before = revision(engine) or ""
        if before == head():
            return before, before
        if place.file is not None and before:
            copy_file(place.file, place.file.with_suffix(f".before-{head()}"))
        upgrade(engine)
        return before, head()
    finally:
        engine.dispose()


def copy_file(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite file that is in use; never over an existing file."""
    if target.exists():
        raise StoreError("is there already, and was not overwritten", where=str(target), hint="Move it away first.")
    with _new_file(target):  # for nobody else's eyes from the start
        pass
    try:
        with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"cannot be written: {error}", where=str(target), hint="Free some space.") from error


def _file_problems(place: StorePlace) -> Iterator[str]:
    if place.file is None or not place.file.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{place.file.as_uri()}?mode=ro", uri=True)) as connection:
            for (line,) in connection.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    yield f"damaged file: {line}"
    except sqlite3.DatabaseError as error:
        yield f"damaged file: {error}"


def _rows(connection: Connection, table: Any) -> Iterator[_Row]:
    for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings():
        yield _Row(str(table.name), {str(name): value for name, value in row.items()})


@contextlib.contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise PathError(f"cannot be written: {error.strerror}", where=str(file), hint="Name a new file.") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _read_backup(file: Path) -> tuple[_Head, list[_Row]]:
    rows: list[_Row] = []
    try:
        with open_named(file) as stream:
            first = msgspec.json.decode(stream.readline(MAX_LINE_BYTES), type=_Head)
            while line := stream.readline(MAX_LINE_BYTES):
                rows.append(msgspec.json.decode(line, type=_Row))
                if rows[-1].table not in METADATA.tables or len(rows) > MAX_LINES:
                    raise _bad(file, f"line {len(rows) + 1} does not belong in a backup")
    except OSError as error:
        raise PathError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except msgspec.MsgspecError as error:
        raise _bad(file, f"line {len(rows) + 1} is no line of a backup: {error}") from error
    if first.format != FORMAT or len(rows) != first.rows:
        why = f"has {len(rows)} rows of {first.rows}" if first.format == FORMAT else f"is no {FORMAT}"
        raise _bad(file, f"the backup is not whole: it {why}")
    return first, rows


def _bad(file: Path, what: str) -> StoreError:
    return StoreError(f"{what}; nothing was changed", where=str(file), hint="Restore another backup.")
