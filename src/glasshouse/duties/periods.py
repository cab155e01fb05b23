"""Calendar arithmetic of legal periods (Regulation (EEC, Euratom) 1182/71, Article 3).

Hours are clock hours.  For longer periods the day of the event is not counted and the period ends with the last hour of
its last day; months are calendar months; where that day is no working day, the end moves to the next working day.
"""

from __future__ import annotations

import calendar as months
import datetime as dt

import msgspec

from glasshouse.duties.law import Period

SATURDAY = 5
END_OF_DAY = dt.time(23, 59, 59)
NOON = dt.time(12)
MAX_DAYS = 40_000  # about 110 years; guards the walk over days against absurd data


class Calendar(msgspec.Struct, frozen=True):
    """Working days: Monday to Friday without ``holidays``.  ``name`` is empty when no calendar was declared."""

    name: str = ""
    holidays: frozenset[dt.date] = frozenset()

    def is_working(self, day: dt.date) -> bool:
        """Whether business is done on that day."""
        return day.weekday() < SATURDAY and day not in self.holidays

    def next_working(self, day: dt.date) -> dt.date:
        """The day itself, or the first working day after it."""
        for _ in range(MAX_DAYS):
            if self.is_working(day):
                return day
            day += dt.timedelta(days=1)
        raise ValueError("the calendar has no working day")

    def add_working(self, day: dt.date, count: int) -> dt.date:
        """The ``count``-th working day after ``day``, which itself is not counted."""
        for _ in range(count):
            day = self.next_working(day + dt.timedelta(days=1))
        return day


class End(msgspec.Struct, frozen=True):
    """The end of a period: ``due`` by the figure itself; ``extended`` when its last day is no working day."""

    due: dt.datetime
    extended: dt.datetime | None = None


def end_of(period: Period, start: dt.datetime | dt.date, calendar: Calendar) -> End:
    """When the period ends, in the time zone of ``start``.

    A bare date is enough for days and longer, because the day of the event is not counted.  Raises `ValueError` for
    hours counted from a bare date: no time of day is ever guessed.
    """
    if period.unit == "hours":
        if not isinstance(start, dt.datetime):
            raise ValueError("hours cannot be counted from a date without a time of day")
        return End(start + dt.timedelta(hours=period.value))
    day = start.date() if isinstance(start, dt.datetime) else start
    zone = start.tzinfo if isinstance(start, dt.datetime) else dt.UTC
    last = _last_day(period, day, calendar)
    working = calendar.next_working(last)
    moved = None if working == last else dt.datetime.combine(working, END_OF_DAY, zone)
    return End(dt.datetime.combine(last, END_OF_DAY, zone), moved)


def _last_day(period: Period, day: dt.date, calendar: Calendar) -> dt.date:
    if period.unit == "business_days":
        return calendar.add_working(day, period.value)
    if period.unit in ("months", "years"):
        return add_months(day, period.value * (12 if period.unit == "years" else 1))
    return day + dt.timedelta(days=period.value * (7 if period.unit == "weeks" else 1))


def add_months(day: dt.date, count: int) -> dt.date:
    """The same day number ``count`` months later, or the last day of that month where there is no such day."""
    index = day.year * 12 + day.month - 1 + count
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def noon_of_next_working_day(day: dt.date, zone: dt.tzinfo | None, calendar: Calendar) -> dt.datetime:
    """Noon of the first working day after a day that is none."""
    return dt.datetime.combine(calendar.next_working(day), NOON, zone)
