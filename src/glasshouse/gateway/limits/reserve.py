"""Reservation and settlement: nothing is spent before it is reserved, and what is unknown costs what was reserved.

Rates follow the generic cell rate algorithm: one number per limit, the time at which its bucket will be empty again.
Budgets count per calendar day and month in UTC.  Concurrency is counted per worker, so that a worker's death frees
what it held.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from glasshouse.gateway.limits.counters import Table, counter_id
from glasshouse.words.engagement import Quota

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE
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


class Reservation(msgspec.Struct, frozen=True):
    """What was set aside, for whom, at which time (microseconds)."""

    subjects: tuple[Subject, ...]
    cost: Cost
    at: int
    worker: int


class Exhausted(msgspec.Struct, frozen=True):
    """The limit that stands in the way, and after how many seconds the same request may fit (0: it never will)."""

    subject: str
    unit: Unit
    limit: int
    retry_after_s: int


def reserve(
    table: Table, subjects: Sequence[Subject], cost: Cost, worker: int, workers: Iterable[int]
) -> Reservation | Exhausted:
    """Sets the cost aside under every limit, or under none and says which one stands in the way."""
    alive = tuple(workers)
    for subject in subjects:
        blocked = _blocked(table, subject, cost, alive)
        if blocked is not None:
            return blocked
    for subject in subjects:
        _add(table, subject, cost, worker, 1, table.now)
    return Reservation(tuple(subjects), cost, table.now, worker)


def settle(table: Table, reservation: Reservation, spent: Cost | None) -> None:
    """Replaces the reservation by what was spent; None keeps it, because what was spent is not known."""
    used = spent if spent is not None else reservation.cost
    change = Cost(used.tokens - reservation.cost.tokens, used.micros - reservation.cost.micros)
    for subject in reservation.subjects:
        _add(table, subject, change, reservation.worker, -1, reservation.at)


def _blocked(table: Table, subject: Subject, cost: Cost, workers: tuple[int, ...]) -> Exhausted | None:
    quota, name = subject.quota, subject.name
    if quota.concurrent_requests is not None:
        running = sum(table.get(counter_id(name, "running", worker)) for worker in workers)
        if running >= quota.concurrent_requests:
            return Exhausted(name, "concurrent_requests", quota.concurrent_requests, 1)
    amounts = (1, cost.tokens, cost.micros)
    for row in _rows(subject, table.now // DAY):
        amount, limit = amounts[row.of], row.limit
        if row.ends:
            if table.get(row.counter) + amount > limit:
                wait = row.ends - table.now
                return Exhausted(name, row.unit, limit, 0 if amount > limit else -(-wait // SECOND))
        else:
            empty_at = max(table.get(row.counter), table.now) + amount * MINUTE // max(limit, 1)
            wait = empty_at - table.now - (MINUTE if limit else 0)
            if wait > 0:
                return Exhausted(name, row.unit, limit, 0 if amount > limit else -(-wait // SECOND))
    return None


def _add(table: Table, subject: Subject, cost: Cost, worker: int, running: int, at: int) -> None:
    """Adds to every number of the subject that a limit needs.  ``at`` picks the period that was reserved in."""
    if subject.quota.concurrent_requests is not None:
        table.add(counter_id(subject.name, "running", worker), running, table.now + DAY)
    amounts = (1 if running > 0 else 0, cost.tokens, cost.micros)
    for row in _rows(subject, at // DAY):
        amount = amounts[row.of]
        if not amount:
            continue
        if row.ends:
            table.add(row.counter, amount, row.ends + MINUTE)
        else:
            empty_at = max(table.get(row.counter), table.now) + amount * MINUTE // max(row.limit, 1)
            table.put(row.counter, empty_at, max(empty_at, table.now + 1))


class _Row(NamedTuple):
    """One number that a limit needs."""

    unit: Unit
    limit: int
    of: int
    """What it counts: 0 requests, 1 tokens, 2 money."""
    counter: bytes
    ends: int
    """When its period ends, in microseconds; 0 for a rate."""


@functools.lru_cache(maxsize=4_096)
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
