"""Reservation and settlement: nothing is spent before it is reserved, and what is unknown costs what was reserved.

Rates follow the generic cell rate algorithm: one number per limit, the time at which its bucket will be empty again.
Budgets count per calendar day and month in UTC.  Concurrency is counted per worker, so that a worker's death frees
what it held.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

from glasshouse.gateway.limits.counters import Table, counter_id
from glasshouse.words.engagement import Quota
from glasshouse.words.party import Caller

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE
MAX_CALLERS = 20_000
_NO_QUOTA = Quota()
Unit = Literal["requests_per_minute", "concurrent_requests", "tokens_per_minute", "tokens_per_day", "money_per_day",
               "money_per_month"]  # fmt: skip


class Subject(msgspec.Struct, frozen=True):
    """Whose limit it is: ``name`` is ``organisation:acme``, ``engagement:...`` or ``key:...``."""

    name: str
    quota: Quota


class Cost(msgspec.Struct, frozen=True):
    """What a call may use or has used; money in millionths of the currency of the prices."""

    tokens: int
    micros: int


NOTHING = Cost(0, 0)
"""What a call has cost that nothing was sent upstream for."""


class Limited:
    """Subjects whose limits hold for the same requests, and the numbers that these need on a day."""

    def __init__(self, subjects: tuple[Subject, ...]) -> None:
        self.subjects = subjects
        self.counts_running = any(each.quota.concurrent_requests is not None for each in subjects)
        self.counts_money = next((each.name for each in subjects if _counts_money(each.quota)), "")
        """The first subject with a budget in money; empty if there is none."""
        self._day = -1
        self._rows: tuple[tuple[Subject, tuple[_Row, ...]], ...] = ()

    def rows(self, day_number: int) -> tuple[tuple[Subject, tuple[_Row, ...]], ...]:
        """Each subject with its numbers on a day."""
        if day_number != self._day:
            self._rows = tuple([(each, _rows(each, day_number)) for each in self.subjects])
            self._day = day_number
        return self._rows


class Subjects:
    """Whose limits the requests of callers count against."""

    def __init__(self, quotas: Mapping[str, Quota]) -> None:
        self._quotas = quotas
        self._known: dict[str, tuple[Caller, Limited]] = {}

    def of(self, caller: Caller) -> Limited:
        """Worked out anew when the directory gives another caller, so that a changed engagement counts at once."""
        known = self._known.get(caller.key_id)
        if known is not None and known[0] is caller:
            return known[1]
        organisation, key = f"organisation:{caller.organisation.id}", f"key:{caller.key_id}"
        subjects = (
            Subject(organisation, self._quotas.get(organisation, _NO_QUOTA)),
            Subject(f"engagement:{caller.engagement.id}", caller.engagement.quota),
            Subject(key, self._quotas.get(key, _NO_QUOTA)),
        )
        found = Limited(tuple([each for each in subjects if each.quota != _NO_QUOTA]))
        if len(self._known) >= MAX_CALLERS:
            self._known.clear()
        self._known[caller.key_id] = (caller, found)
        return found


class Reservation(NamedTuple):
    """What was set aside, for whom, at which time (microseconds)."""

    limited: Limited
    cost: Cost
    at: int
    worker: int


class Exhausted(msgspec.Struct, frozen=True):
    """The limit that stands in the way, and after how many seconds the same request may fit (0: it never will)."""

    subject: str
    unit: Unit
    limit: int
    retry_after_s: int


def reserve(table: Table, limited: Limited, cost: Cost, worker: int, workers: Iterable[int]) -> Reservation | Exhausted:
    """Sets the cost aside under every limit, or under none and says which one stands in the way."""
    alive, amounts = tuple(workers), (1, cost.tokens, cost.micros)
    every = limited.rows(table.now // DAY)
    for subject, rows in every:
        blocked = _blocked(table, subject, rows, amounts, alive)
        if blocked is not None:
            return blocked
    for subject, rows in every:
        _add(table, subject, rows, amounts, worker, 1)
    return Reservation(limited, cost, table.now, worker)


def settle(table: Table, reservation: Reservation, spent: Cost | None) -> None:
    """Replaces the reservation by what was spent; None keeps it, because what was spent is not known."""
    reserved = reservation.cost
    used = spent if spent is not None else reserved
    amounts = (0, used.tokens - reserved.tokens, used.micros - reserved.micros)
    for subject, rows in reservation.limited.rows(reservation.at // DAY):
        _add(table, subject, rows, amounts, reservation.worker, -1)


def _blocked(
    table: Table, subject: Subject, rows: tuple[_Row, ...], amounts: tuple[int, int, int], workers: tuple[int, ...]
) -> Exhausted | None:
    name, most = subject.name, subject.quota.concurrent_requests
    if most is not None:
        running = sum(table.get(counter_id(name, "running", worker)) for worker in workers)
        if running >= most:
            return Exhausted(name, "concurrent_requests", most, 1)
    for unit, limit, of, counter, ends in rows:
        amount = amounts[of]
        if ends:
            if table.get(counter) + amount > limit:
                wait = ends - table.now
                return Exhausted(name, unit, limit, 0 if amount > limit else -(-wait // SECOND))
        else:
            empty_at = max(table.get(counter), table.now) + amount * MINUTE // max(limit, 1)
            wait = empty_at - table.now - (MINUTE if limit else 0)
            if wait > 0:
                return Exhausted(name, unit, limit, 0 if amount > limit else -(-wait // SECOND))
    return None


def _add(
    table: Table, subject: Subject, rows: tuple[_Row, ...], amounts: tuple[int, int, int], worker: int, running: int
) -> None:
    """Adds to every number of the subject that a limit needs."""
    if subject.quota.concurrent_requests is not None:
        table.add(counter_id(subject.name, "running", worker), running, table.now + DAY)
    for _, limit, of, counter, ends in rows:
        amount = amounts[of]
        if not amount:
            continue
        if ends:
            table.add(counter, amount, ends + MINUTE)
        else:
            empty_at = max(table.get(counter), table.now) + amount * MINUTE // max(limit, 1)
            table.put(counter, empty_at, max(empty_at, table.now + 1))


def _counts_money(quota: Quota) -> bool:
    return quota.money_micros_per_day is not None or quota.money_micros_per_month is not None


class _Row(NamedTuple):
    """One number that a limit needs."""

    unit: Unit
    limit: int
    of: int
    """What it counts: 0 requests, 1 tokens, 2 money."""
    counter: bytes
    ends: int
    """When its period ends, in microseconds; 0 for a rate."""


def _rows(subject: Subject, day_number: int) -> tuple[_Row, ...]:
    """The numbers that a subject's limits need on a day, rates first."""
    quota, name, periods = subject.quota, subject.name, _periods(day_number)
    every: tuple[tuple[Unit, int | None, int, str, int], ...] = (
        ("requests_per_minute", quota.requests_per_minute, 0, "", 0),
        ("tokens_per_minute", quota.tokens_per_minute, 1, "", 0),
        ("tokens_per_day", quota.tokens_per_day, 1, periods.day, periods.day_ends),
        ("money_per_day", quota.money_micros_per_day, 2, periods.day, periods.day_ends),
        ("money_per_month", quota.money_micros_per_month, 2, periods.month, periods.month_ends),
    )
    return tuple(
        _Row(unit, limit, of, counter_id(name, unit, period) if period else counter_id(name, unit), ends)
        for unit, limit, of, period, ends in every
        if limit is not None
    )


class _Periods(NamedTuple):
    """The day and month of a moment: how they are called, and when they end in microseconds."""

    day: str
    month: str
    day_ends: int
    month_ends: int


@functools.lru_cache(maxsize=4)
def _periods(day_number: int) -> _Periods:
    day = dt.date(1970, 1, 1) + dt.timedelta(days=day_number)
    following = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    month_ends = int(dt.datetime.combine(following, dt.time(), dt.UTC).timestamp()) * SECOND
    return _Periods(day.isoformat(), f"{day.year}-{day.month}", (day_number + 1) * DAY, month_ends)
