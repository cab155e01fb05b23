"""Laws of rates and budgets: never exceeded, never lost, given back, shared by processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.gateway.dialect.interface import Call, Usage
from glasshouse.gateway.limits.counters import Counters, Table, counter_id
from glasshouse.gateway.limits.prices import Price, at_most, spent
from glasshouse.gateway.limits.reserve import (
    MINUTE,
    NOTHING,
    SECOND,
    Cost,
    Exhausted,
    Limited,
    Reservation,
    Subject,
    reserve,
    settle,
)
from glasshouse.words.engagement import Quota
from glasshouse.words.errors import LimitsError

NOW = 1_800_000_000 * SECOND
DAY = 86_400 * SECOND


class Memory(Table):
    """Numbers in a dictionary, so that laws are tested without a file."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, tuple[int, int]] = {}
        self.now = NOW

    def add(self, name: bytes, change: int, expires: int) -> None:
        self.put(name, max(0, self.get(name) + change), expires)

    def get(self, name: bytes) -> int:
        value, expires = self.numbers.get(name, (0, 0))
        return value if expires > self.now else 0

    def put(self, name: bytes, value: int, expires: int) -> None:
        self.numbers[name] = (value, expires)


def taken(table: Table, subject: Subject, cost: Cost) -> Reservation | Exhausted:
    return reserve(table, Limited((subject,)), cost, 0, [0])


@given(st.integers(1, 50), st.lists(st.integers(0, 30 * SECOND), max_size=120))
def test_no_window_of_a_minute_holds_more_than_twice_a_rate_and_the_long_run_no_more_than_the_rate(
    limit: int, pauses: list[int]
) -> None:
    table, subject = Memory(), Subject("s", Quota(requests_per_minute=limit))
    times = []
    for pause in pauses:
        table.now += pause
        if isinstance(taken(table, subject, Cost(1, 1)), Reservation):
            times.append(table.now)
    for start in times:
        assert sum(1 for each in times if start <= each < start + MINUTE) <= 2 * limit
    if times:
        assert len(times) <= limit + (times[-1] - times[0]) * limit / MINUTE + 1


@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 400) | st.none()), max_size=40))
def test_a_budget_is_never_exceeded_by_reservations_and_what_is_spent_is_counted(
    limit: int, calls: list[tuple[int, int | None]]
) -> None:
    table, subject = Memory(), Subject("s", Quota(tokens_per_day=limit))
    total = 0
    for reserved, used in calls:
        got = taken(table, subject, Cost(reserved, 0))
        assert isinstance(got, Reservation) == (total + reserved <= limit)
        if isinstance(got, Reservation):
            settle(table, got, Cost(used, 0) if used is not None else None)
            total += used if used is not None else reserved


def test_a_reservation_that_was_not_used_is_given_back_whole() -> None:
    table = Memory()
    quota = Quota(tokens_per_minute=100, tokens_per_day=100, money_micros_per_month=100, concurrent_requests=1)
    subject = Subject("s", quota)
    for _ in range(50):
        got = taken(table, subject, Cost(100, 100))
        assert isinstance(got, Reservation)
        settle(table, got, NOTHING)


def test_nothing_is_reserved_anywhere_when_one_limit_stands_in_the_way() -> None:
    table = Memory()
    wide, narrow = Subject("wide", Quota(tokens_per_day=1000)), Subject("narrow", Quota(tokens_per_day=10))
    blocked = reserve(table, Limited((wide, narrow)), Cost(500, 0), 0, [0])
    assert isinstance(blocked, Exhausted)
    assert (blocked.subject, blocked.unit, blocked.retry_after_s) == ("narrow", "tokens_per_day", 0)
    assert isinstance(taken(table, wide, Cost(1000, 0)), Reservation)


def test_a_budget_begins_anew_with_the_day_and_money_with_the_month() -> None:
    table, subject = Memory(), Subject("s", Quota(tokens_per_day=10, money_micros_per_month=15))
    assert isinstance(taken(table, subject, Cost(10, 10)), Reservation)
    blocked = taken(table, subject, Cost(10, 5))
    assert isinstance(blocked, Exhausted)
    assert 0 < blocked.retry_after_s <= 86_400
    table.now += DAY
    assert isinstance(taken(table, subject, Cost(10, 5)), Reservation)
    table.now += DAY
    assert isinstance(taken(table, subject, Cost(10, 5)), Exhausted)
    table.now += 31 * DAY
    assert isinstance(taken(table, subject, Cost(10, 5)), Reservation)


def test_what_a_dead_worker_held_is_free_again() -> None:
    table, subject = Memory(), Subject("s", Quota(concurrent_requests=1))
    assert isinstance(reserve(table, Limited((subject,)), Cost(1, 1), 7, [7]), Reservation)
    assert isinstance(reserve(table, Limited((subject,)), Cost(1, 1), 0, [0, 7]), Exhausted)
    assert isinstance(reserve(table, Limited((subject,)), Cost(1, 1), 0, [0]), Reservation)


def test_unknown_usage_costs_the_reservation_and_never_nothing() -> None:
    price, reserved = Price(3.0, 15.0), Cost(1000, 9000)
    assert spent(None, price, reserved, generates=True) is None
    assert spent(Usage(input=5), price, reserved, generates=True) is None
    assert spent(Usage(output=5), price, reserved, generates=True) is None
    assert spent(Usage(0, 0), price, reserved, generates=True) == Cost(0, 0)
    assert spent(Usage(10, 20), None, reserved, generates=True) == Cost(30, 9000)


@given(st.integers(0, 10**6), st.integers(1, 10**5), st.integers(1, 8), st.integers(0, 10**5))
def test_what_is_reserved_covers_the_longest_answer(body: int, limit: int, choices: int, opaque: int) -> None:
    call = Call("m", max_output_tokens=limit, choices=choices, opaque_bytes=opaque)
    cost = at_most(call, body, 100, Price(3.0, 15.0), generates=True)
    assert cost.tokens >= limit * choices
    assert cost.micros >= 15 * limit * choices


def test_cached_tokens_have_their_own_price() -> None:
    price = Price(10.0, 0.0, cache_read=1.0, cache_write=12.5)
    usage = Usage(input=100, output=0, cache_read=60, cache_write=20)
    assert spent(usage, price, Cost(0, 0), generates=True) == Cost(100, 20 * 10 + 60 + 250)


# --- the file


def test_processes_that_count_at_once_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom glasshouse.gateway.limits.counters import Counters, counter_id\n"
        "counters = Counters(Path(sys.argv[1]))\n"
        "for _ in range(2000):\n"
        "    with counters.transaction(1) as table:\n"
        "        table.put(counter_id('x'), table.get(counter_id('x')) + 1, 1 << 60)\n"
    )
    file = tmp_path / "limits"
    processes = [subprocess.Popen([sys.executable, "-c", script, str(file)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    counters = Counters(file)
    with counters.transaction(1) as table:
        assert table.get(counter_id("x")) == 6000
    assert counters.workers() == [(counters.worker, os.getpid())]
    counters.close()


def test_a_full_table_refuses_instead_of_forgetting(tmp_path: Path) -> None:
    counters = Counters(tmp_path / "limits")
    with counters.transaction(NOW) as table:

        def fill() -> None:
            for number in range(300_000):
                table.put(counter_id("n", number), 1, NOW + 1)

        with pytest.raises(LimitsError, match="full"):
            fill()
    with counters.transaction(NOW + 2) as table:
        table.put(counter_id("n", "later"), 1, NOW + 3)  # what has expired makes room
        assert table.get(counter_id("n", "later")) == 1
    counters.close()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "limits").write_bytes(b"something else")
    with pytest.raises(LimitsError, match="not a table of limits"):
        Counters(tmp_path / "limits")


def test_the_place_of_a_number_that_another_process_has_taken_over_is_not_believed(tmp_path: Path) -> None:
    ours, theirs = Counters(tmp_path / "limits"), Counters(tmp_path / "limits")
    old, new = b"same" + bytes(11) + b"1", b"same" + bytes(11) + b"2"  # one bucket
    with ours.transaction(NOW) as table:
        table.add(old, 5, NOW + SECOND)
    with theirs.transaction(NOW + MINUTE) as table:
        table.add(new, 7, NOW + DAY)
    with ours.transaction(NOW + MINUTE) as table:
        assert table.get(old) == 0
        table.add(old, 1, NOW + DAY)
        assert (table.get(old), table.get(new)) == (1, 7)
    ours.close()
    theirs.close()
