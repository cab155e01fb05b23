"""The one shape of every document: sections of fields and tables, whose every cell says what it rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Literal

import msgspec

from glasshouse.dossier.values import Shares, Value, shares
from glasshouse.words.digests import sha256_of

STRENGTH = {"missing": 0, "attested": 1, "external": 2, "computed": 3}
Audience = Literal["ai-office", "authority", "downstream", "public"]
AUDIENCES: tuple[Audience, ...] = ("ai-office", "authority", "downstream", "public")


class Field(msgspec.Struct, frozen=True):
    """One question of a document and its value; empty ``audiences`` means everybody."""

    id: str
    asks: str
    value: Value
    citation: str = ""
    audiences: tuple[Audience, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """Rows of values under headings; every row has as many values as there are columns."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    audiences: tuple[Audience, ...] = ()
    empty: str = "Nothing is recorded."

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.id}: a row has not {len(self.columns)} values")


class Chart(msgspec.Struct, frozen=True):
    """Bars over labels, one series a name; drawn where a format can draw, and always beside a table of its figures."""

    id: str
    title: str
    labels: tuple[str, ...]
    series: dict[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        if any(len(values) != len(self.labels) for values in self.series.values()):
            raise ValueError(f"chart {self.id}: a series has not {len(self.labels)} values")


class Section(msgspec.Struct, frozen=True):
    """A titled part; ``text`` is prose of ours that states no fact about the model."""

    id: str
    title: str
    fields: tuple[Field, ...] = ()
    tables: tuple[Table, ...] = ()
    text: str = ""
    citation: str = ""
    charts: tuple[Chart, ...] = ()


class Basis(msgspec.Struct, frozen=True):
    """What the document was computed from: log origin, size, checkpoint digest and time of the last entry."""

    origin: str
    size: int
    checkpoint: str
    as_of: dt.datetime
    erased: int = 0


class Document(msgspec.Struct, frozen=True):
    """A document for one audience."""

    kind: str
    title: str
    subject: str
    audience: Audience
    basis: Basis
    sections: tuple[Section, ...]
    front_matter: str = ""  # YAML for formats that carry it
    schema: int = 1

    def values(self) -> Iterator[Value]:
        """Every value, in order."""
        for section in self.sections:
            for field in section.fields:
                yield field.value
            for table in section.tables:
                for row in table.rows:
                    yield from row

    def shares(self) -> Shares:
        """How many of its questions rest on what; of a document that asks none, how many rows of its tables.

        Long tables of figures do not outweigh questions that nothing answers.
        """
        asked = [field.value for section in self.sections for field in section.fields]
        return shares(asked) if asked else self.row_shares()

    def row_shares(self) -> Shares:
        """How many rows of its tables rest on what, each by the weakest of its values."""
        rows = [row for section in self.sections for table in section.tables for row in table.rows]
        return shares([min(row, key=lambda value: STRENGTH[value.basis]) for row in rows if row])

    def digest(self) -> str:
        """SHA-256 of the canonical form, written sha256:<hex>."""
        return sha256_of(encode(self))


def encode(document: Document) -> bytes:
    """The canonical JSON of a document."""
    return msgspec.json.encode(document, order="deterministic")


def for_audience(document: Document, audience: Audience) -> Document:
    """The document with only what that audience may see; empty sections go."""
    sections = []
    for section in document.sections:
        fields = tuple(each for each in section.fields if not each.audiences or audience in each.audiences)
        tables = tuple(each for each in section.tables if not each.audiences or audience in each.audiences)
        if fields or tables or (section.text and not section.fields and not section.tables):
            sections.append(msgspec.structs.replace(section, fields=fields, tables=tables))
    return msgspec.structs.replace(document, audience=audience, sections=tuple(sections))


class Change(msgspec.Struct, frozen=True):
    """A difference between two versions of a document."""

    place: str
    before: Value | None
    after: Value | None


def diff(before: Document, after: Document) -> tuple[Change, ...]:
    """What changed, field by field and row by row, in the order of ``after`` and then of what is gone."""
    old, new = dict(_places(before)), dict(_places(after))
    places = [*new, *(place for place in old if place not in new)]
    return tuple(Change(p, old.get(p), new.get(p)) for p in places if old.get(p) != new.get(p))


def _places(document: Document) -> Iterator[tuple[str, Value]]:
    for section in document.sections:
        for field in section.fields:
            yield f"{section.id}/{field.id}", field.value
        for table in section.tables:
            for number, row in enumerate(table.rows):
                for column, value in zip(table.columns, row, strict=True):
                    yield f"{section.id}/{table.id}[{number}].{column}", value
