"""The tables.  A record is its value type as canonical JSON (``doc``) beside the columns that are searched by."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()


def _record_table(name: str, *columns: Column[str] | Column[int]) -> Table:
    return Table(
        name, METADATA, Column("id", String(200), primary_key=True), *columns, Column("doc", Text, nullable=False)
    )


def _text(name: str) -> Column[str]:
    return Column(name, String(200), nullable=False, index=True)


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


ORGANISATION = _record_table("organisation", _text("state"))
PERSON = _record_table("person", _text("organisation"))
WORKLOAD = _record_table("workload", _text("organisation"))
ENGAGEMENT = _record_table("engagement", _text("organisation"), _text("state"))
API_KEY = _record_table("api_key", _text("holder"), _text("engagement"), _text("state"), _time("expires_at"))
APPROVAL = _record_table("approval", _text("state"), _time("asked_at"), _time("lapses_at"))
HALT = _record_table("halt", _text("kind"), _time("ordered_at"), _time("lifted_at"))
USAGE = Table(
    "usage",
    METADATA,
    Column("subject", String(200), primary_key=True),
    Column("unit", String(50), primary_key=True),
    Column("period_start", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
)
GENERATION = Table(
    "generation",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)
Index("usage_period", USAGE.c.period_start)
