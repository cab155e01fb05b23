"""Value types in tables: add, read, change under a lock, search by the indexed columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from glasshouse.store.database import Database
from glasshouse.store.tables import API_KEY, APPROVAL, ENGAGEMENT, HALT, ORGANISATION, PERSON, WORKLOAD
from glasshouse.words.approval import ApprovalRequest
from glasshouse.words.canonical import canonical
from glasshouse.words.engagement import Engagement
from glasshouse.words.errors import DuplicateRecordError, StoreError, UnknownRecordError
from glasshouse.words.halt import Halt
from glasshouse.words.party import KeyRecord, Organisation, Person, Workload

T = TypeVar("T", bound=msgspec.Struct)
MAX_ROWS = 100_000
LISTED_BY = {"halt": "glasshouse kill --list", "approval request": "glasshouse approvals"}  # the rest: access list


class Records(Generic[T]):
    """The records of one kind in one store."""

    def __init__(
        self, database: Database, table: Table, kind: type[T], name: str, columns: Callable[[T], dict[str, Any]]
    ) -> None:
        self._database, self._table, self._kind, self._name, self._columns = database, table, kind, name, columns

    def add(self, record: T) -> None:
        """Adds a new record; `DuplicateRecordError` when its id is taken."""
        try:
            with self._database.writing() as connection:
                connection.execute(insert(self._table).values(**self._row(record)))
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise DuplicateRecordError(f"{self._name} {self._columns(record)['id']} exists already") from None
            raise

    def find(self, name: str) -> T | None:
        """The record of that id, or None."""
        with self._database.reading() as connection:
            return self._find(connection, name)

    def get(self, name: str) -> T:
        """The record of that id, or `UnknownRecordError`."""
        found = self.find(name)
        if found is None:
            raise self._unknown(name)
        return found

    def change(self, name: str, edit: Callable[[T], T]) -> T:
        """Replaces a record by what ``edit`` makes of it; no other writer comes between.  What it raises undoes all."""
        with self._database.writing() as connection:
            old = self._find(connection, name)
            if old is None:
                raise self._unknown(name)
            row = self._row(edit(old))
            if row["id"] != name:
                raise ValueError("a record keeps its id")
            connection.execute(update(self._table).where(self._table.c.id == name).values(**row))
            return self._decode(row["doc"])

    def all(self, **having: object) -> list[T]:
        """The records whose columns have these values, by id, at most 100,000."""
        query = select(self._table.c.doc).order_by(self._table.c.id).limit(MAX_ROWS)
        for column, value in having.items():
            query = query.where(self._table.c[column] == value)
        with self._database.reading() as connection:
            return [self._decode(doc) for doc in connection.execute(query).scalars()]

    def _unknown(self, name: str) -> UnknownRecordError:
        lists = LISTED_BY.get(self._name)
        return UnknownRecordError(
            f"no {self._name} {name}", hint=f"List what there is with `{lists}`." if lists else ""
        )

    def _find(self, connection: Connection, name: str) -> T | None:
        doc = connection.execute(select(self._table.c.doc).where(self._table.c.id == name)).scalar_one_or_none()
        return None if doc is None else self._decode(doc)

    def _row(self, record: T) -> dict[str, Any]:
        return {**self._columns(record), "doc": canonical(record).decode()}

    def _decode(self, doc: str) -> T:
        try:
            return msgspec.json.decode(doc, type=self._kind)
        except msgspec.MsgspecError as error:
            raise StoreError(f"a record of kind {self._name} cannot be read: {error}") from error


class Tables:
    """All kinds of records of one store."""

    def __init__(self, database: Database) -> None:
        def of(table: Table, kind: type[T], name: str, *columns: str) -> Records[T]:
            return Records(database, table, kind, name, lambda record: _named(record, ("id", *columns)))

        self.database = database
        self.organisations = of(ORGANISATION, Organisation, "organisation", "state")
        self.people = of(PERSON, Person, "person", "organisation")
        self.workloads = of(WORKLOAD, Workload, "workload", "organisation")
        self.engagements = of(ENGAGEMENT, Engagement, "engagement", "organisation", "state")
        self.halts = of(HALT, Halt, "halt", "kind", "ordered_at", "lifted_at")
        self.keys: Records[KeyRecord] = Records(
            database,
            API_KEY,
            KeyRecord,
            "key",
            lambda key: {"id": key.public_id, **_named(key, ("holder", "engagement", "state", "expires_at"))},
        )
        self.approvals: Records[ApprovalRequest] = Records(
            database,
            APPROVAL,
            ApprovalRequest,
            "approval request",
            lambda each: {"state": each.state, **_named(each.terms, ("id", "asked_at", "lapses_at"))},
        )

    def kinds(self) -> Iterable[tuple[str, Records[Any]]]:
        """Each kind with its name."""
        return (
            ("organisations", self.organisations),
            ("people", self.people),
            ("workloads", self.workloads),
            ("engagements", self.engagements),
            ("keys", self.keys),
            ("approvals", self.approvals),
            ("halts", self.halts),
        )


def _named(record: msgspec.Struct, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}
