"""Counting use against limits: reserve before, settle after, in one statement each, so that processes share a limit."""

from __future__ import annotations

from sqlalchemy import Executable, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from glasshouse.store.database import Database
from glasshouse.store.tables import USAGE


def _insert_new(dialect: str, row: dict[str, str | int]) -> Executable:
    """An insert that leaves a row that is there alone."""
    if dialect == "postgresql":
        return postgresql.insert(USAGE).values(**row, used=0).on_conflict_do_nothing()
    return sqlite.insert(USAGE).values(**row, used=0).on_conflict_do_nothing()


class Usage:
    """Counters by subject (``engagement:NAME``), unit (``acts``, ``tokens``, ...) and start of the period."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, subject: str, unit: str, period_start: int, amount: int, limit: int) -> bool:
        """Adds ``amount`` if the sum stays within ``limit``; False, and nothing added, if it would not."""
        if amount < 0 or amount > limit:
            return False
        row: dict[str, str | int] = {"subject": subject, "unit": unit, "period_start": period_start}
        here = (USAGE.c.subject == subject) & (USAGE.c.unit == unit) & (USAGE.c.period_start == period_start)
        with self._database.counting() as connection:
            connection.execute(_insert_new(self._database.engine.dialect.name, row))
            done = connection.execute(
                update(USAGE).where(here, USAGE.c.used + amount <= limit).values(used=USAGE.c.used + amount)
            )
            return done.rowcount == 1

    def settle(self, subject: str, unit: str, period_start: int, reserved: int, spent: int) -> None:
        """Replaces a reservation by what was spent, which may be more."""
        here = (USAGE.c.subject == subject) & (USAGE.c.unit == unit) & (USAGE.c.period_start == period_start)
        with self._database.counting() as connection:
            connection.execute(update(USAGE).where(here).values(used=USAGE.c.used + (spent - reserved)))

    def used(self, subject: str, unit: str, period_start: int) -> int:
        """What has been used or reserved in the period."""
        here = (USAGE.c.subject == subject) & (USAGE.c.unit == unit) & (USAGE.c.period_start == period_start)
        with self._database.reading() as connection:
            return connection.execute(select(USAGE.c.used).where(here)).scalar_one_or_none() or 0

    def forget(self, before: int) -> int:
        """Deletes the counters of periods that began before a time; how many there were."""
        with self._database.counting() as connection:
            return connection.execute(delete(USAGE).where(USAGE.c.period_start < before)).rowcount
