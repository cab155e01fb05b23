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
    rates: tuple[tuple[Unit, int | None, int], ...] = (
        ("requests_per_minute", quota.requests_per_minute, 1),
        ("tokens_per_minute", quota.tokens_per_minute, cost.tokens),
    )
    for unit, limit, amount in rates:
        if limit is not None and (wait := _wait(table, name, unit, limit, amount)):
            return Exhausted(name, unit, limit, 0 if amount > limit else -(-wait // SECOND))
    for unit, limit, amount, period in _budgets(quota, cost, table.now):
        if limit is not None and table.get(counter_id(name, unit, period)) + amount > limit:
            wait_s = _period_end(unit, table.now) - table.now
            return Exhausted(name, unit, limit, 0 if amount > limit else -(-wait_s // SECOND))
    return None


def _add(table: Table, subject: Subject, cost: Cost, worker: int, running: int, at: int) -> None:
    """Adds to every number of the subject that a limit needs.  ``at`` picks the period that was reserved in."""
    quota, name = subject.quota, subject.name
    if quota.concurrent_requests is not None:
        own = counter_id(name, "running", worker)
        table.put(own, max(0, table.get(own) + running), table.now + DAY)
    if quota.requests_per_minute is not None and running > 0:
        _advance(table, name, "requests_per_minute", quota.requests_per_minute, 1)
    if quota.tokens_per_minute is not None:
        _advance(table, name, "tokens_per_minute", quota.tokens_per_minute, cost.tokens)
    for unit, limit, amount, period in _budgets(quota, cost, at):
        if limit is not None:
            own = counter_id(name, unit, period)
            table.put(own, max(0, table.get(own) + amount), _period_end(unit, at) + MINUTE)


def _wait(table: Table, name: str, unit: str, limit: int, amount: int) -> int:
    """Microseconds until ``amount`` fits into a bucket of ``limit`` a minute; 0: it fits now."""
    empty_at = max(table.get(counter_id(name, unit)), table.now)
    return max(0, empty_at + amount * MINUTE // max(limit, 1) - table.now - (MINUTE if limit else 0))


def _advance(table: Table, name: str, unit: str, limit: int, amount: int) -> None:
    own = counter_id(name, unit)
    empty_at = max(table.get(own), table.now) + amount * MINUTE // max(limit, 1)
    table.put(own, empty_at, max(empty_at, table.now + 1))


class _Periods(NamedTuple):
    """The day and month of a moment: how they are called, and when they end in microseconds."""

    day: str
    month: str
    day_ends: int
    month_ends: int


def _budgets(quota: Quota, cost: Cost, at: int) -> tuple[tuple[Unit, int | None, int, str], ...]:
    periods = _periods(at // DAY)
    return (
        ("tokens_per_day", quota.tokens_per_day, cost.tokens, periods.day),
        ("money_per_day", quota.money_micros_per_day, cost.micros, periods.day),
        ("money_per_month", quota.money_micros_per_month, cost.micros, periods.month),
    )


@functools.lru_cache(maxsize=4)
def _periods(day_number: int) -> _Periods:
    day = dt.date(1970, 1, 1) + dt.timedelta(days=day_number)
    following = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    month_ends = int(dt.datetime.combine(following, dt.time(), dt.UTC).timestamp()) * SECOND
    return _Periods(day.isoformat(), f"{day.year}-{day.month}", (day_number + 1) * DAY, month_ends)


def _period_end(unit: Unit, at: int) -> int:
    periods = _periods(at // DAY)
    return periods.month_ends if unit == "money_per_month" else periods.day_ends
