"""The order is that of the indexes: a clock that jumps changes no order, and its jump is in the log."""

from __future__ import annotations

import json
from pathlib import Path

from glasshouse.ledger import Ledger, NewEntry
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.testing import START_MS, Clock

ENTRY = NewEntry(kind="x", organisation="o", key="k")


def open_log(directory: Path, clock: Clock) -> Ledger:
    """A log that lives by this clock."""
    return Ledger.open(directory, clock=clock.read_wall, steady=clock.read_steady)


def jumps(ledger: Ledger) -> list[tuple[str, dict[str, int]]]:
    """The entries about jumps: the direction, and what the clock said and should have said."""
    found = [(index, entry) for index, entry in ledger.reader.entries() if entry.kind == "ledger.clock"]
    return [(entry.decision, json.loads(ledger.reader.payload(index, "clock"))) for index, entry in found]


def times(ledger: Ledger) -> list[int]:
    """The time of every entry."""
    return [entry.time for _, entry in ledger.reader.entries()]


def test_time_never_runs_back_and_the_jump_is_logged_once(tmp_path: Path) -> None:
    clock = Clock()
    with open_log(tmp_path, clock) as ledger:
        ledger.append([ENTRY]).result()
        clock.wall -= 3_600_000
        for _ in range(3):
            ledger.append([ENTRY]).result()
        clock.wall += 3_600_000 + 5_000
        ledger.append([ENTRY]).result()
        assert times(ledger) == [START_MS] * 5 + [START_MS + 5_000] * 2
        back, forward = jumps(ledger)
        assert back == ("back", {"clock": START_MS - 3_600_000, "expected": START_MS})
        assert forward[0] == "forward"
    assert verify(tmp_path).size == 7


def test_a_clock_that_lies_behind_the_log_at_start_is_logged(tmp_path: Path) -> None:
    clock = Clock()
    with open_log(tmp_path, clock) as ledger:
        ledger.append([ENTRY]).result()
    clock.wall -= 86_400_000
    with open_log(tmp_path, clock) as ledger:
        ledger.append([ENTRY]).result()
        assert [direction for direction, _ in jumps(ledger)] == ["back"]
        assert times(ledger) == [START_MS] * 3
    verify(tmp_path)


def test_a_jump_forward_is_logged_and_waiting_is_none(tmp_path: Path) -> None:
    clock = Clock()
    with open_log(tmp_path, clock) as ledger:
        ledger.append([ENTRY]).result()
        clock.advance(86_400)
        ledger.append([ENTRY]).result()
        assert jumps(ledger) == []
        clock.wall += 600_000
        ledger.append([ENTRY]).result()
        expected = START_MS + 86_400_000
        assert jumps(ledger) == [("forward", {"clock": expected + 600_000, "expected": expected})]
    verify(tmp_path)


def test_small_steps_back_are_clamped_without_an_entry(tmp_path: Path) -> None:
    clock = Clock()
    with open_log(tmp_path, clock) as ledger:
        ledger.append([ENTRY]).result()
        clock.wall -= 500
        ledger.append([ENTRY]).result()
        assert times(ledger) == [START_MS, START_MS]
    verify(tmp_path)
