"""Appending from an event loop: what one turn of it asks for reaches the log together, and none of it is lost."""

from __future__ import annotations

import asyncio
import itertools
import os
import sqlite3
import warnings
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from typing import TypeVarTuple, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.ledger import Ledger, NewEntry, Receipt
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.entry import Part, decode
from glasshouse.ledger.pace import LONGEST_PAUSE_S, Pace
from glasshouse.words.errors import LedgerError, LedgerStoppedError


def entry(number: int) -> NewEntry:
    return NewEntry(kind="act.denied", organisation="o1", key=f"k{number}")


def test_entries_of_one_turn_get_places_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    async def main() -> list[int]:
        with Ledger.open(tmp_path / "log") as ledger:
            asked = [ledger.append_async([entry(number)]) for number in range(20)]
            return [receipt.index for (receipt,) in await asyncio.gather(*asked)]

    found = asyncio.run(main())
    assert found == list(range(found[0], found[0] + 20))


def test_what_was_asked_for_in_the_turn_that_closes_the_log_is_written(tmp_path: Path) -> None:
    async def main() -> None:
        ledger = Ledger.open(tmp_path / "log")
        asked = [ledger.append_async([entry(number)]) for number in range(3)]
        ledger.close()
        assert len(await asyncio.gather(*asked)) == 3
        with pytest.raises(LedgerError):
            ledger.append_async([entry(4)])

    asyncio.run(main())
    reader = Ledger.read(tmp_path / "log")
    assert [each.key for _, each in reader.entries() if each.kind == "act.denied"] == ["k0", "k1", "k2"]
    reader.close()


def test_a_lone_entry_is_durable_at_the_end_of_the_turn_that_asked_for_it(tmp_path: Path) -> None:
    async def main() -> None:
        with Ledger.open(tmp_path / "log") as ledger:
            lone = ledger.append_async([entry(1)])
            await asyncio.sleep(0)
            assert lone.done()
            (receipt,) = lone.result()
            assert receipt.checkpoint.size == receipt.index + 1
            assert ledger.reader.entry(receipt.index).key == "k1"

    asyncio.run(main())


def test_a_log_that_stops_while_it_writes_in_a_turn_refuses_that_entry_and_all_later_ones(tmp_path: Path) -> None:
    async def main() -> None:
        with Ledger.open(tmp_path / "log") as ledger:
            await ledger.append_async([entry(1)])
            other = sqlite3.connect(tmp_path / "log" / "ledger.db", isolation_level=None)
            other.execute("UPDATE state SET size = 99")
            other.close()
            for number in (2, 3):
                with pytest.raises(LedgerStoppedError, match="another writer"):
                    await ledger.append_async([entry(number)])

    asyncio.run(main())
    with pytest.raises(LedgerStoppedError):
        Ledger.open(tmp_path / "log")


def test_after_turns_that_wrote_a_checkpoint_gets_its_slow_signature_too(tmp_path: Path) -> None:
    async def main() -> str:
        with Ledger.open(tmp_path / "log") as ledger:
            for number in range(5):
                await ledger.append_async([entry(number)])
            return ledger.dated_checkpoint().note

    assert asyncio.run(main()).count("\n— ") == 2
    reader = Ledger.read(tmp_path / "log")
    assert reader.checkpoint().note.count("\n— ") == 2
    reader.close()


def test_a_loop_writes_while_that_is_quick_and_rare_or_holds_nothing_else_up() -> None:
    rare, busy, slow, stuck = Pace(), Pace(), Pace(), Pace()
    for number in range(50):
        rare.wrote(0.02 * number, 0.02 * number + 0.001)
        busy.wrote(0.002 * number, 0.002 * number + 0.001)
        slow.wrote(0.02 * number, 0.02 * number + 0.004)
        stuck.wrote(1.0 * number, 1.0 * number + 0.1)
    assert [each.holds_nobody_up(alone=False) for each in (rare, busy, slow, stuck)] == [True, False, False, False]
    assert [each.holds_nobody_up(alone=True) for each in (rare, busy, slow, stuck)] == [True, True, True, False]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.5)), min_size=1, max_size=30),
    st.floats(0, 10),
)
def test_a_batch_waits_at_most_as_long_as_is_allowed_and_three_times_as_long_as_batches_take(
    writes: list[tuple[float, float]], later: float
) -> None:
    pace, now, longest = Pace(), 0.0, 0.0
    assert pace.pause(now) == 0.0
    for rested, took in writes:
        now += rested
        pace.wrote(now, now + took)
        now, longest = now + took, max(longest, took)
        assert 0.0 <= pace.pause(now) <= min(LONGEST_PAUSE_S, 3 * longest) + 1e-9
    assert pace.pause(now + later) <= max(0.0, LONGEST_PAUSE_S - later) + 1e-9


def test_what_waits_for_others_to_share_its_batch_is_written_before_the_log_closes(tmp_path: Path) -> None:
    def request(number: int) -> NewEntry:
        return NewEntry(kind="act.request", organisation="o1", key=f"k{number}", part="opens")

    def outcome(receipt: Receipt) -> NewEntry:
        key = decode(receipt.entry).key
        return NewEntry(kind="act.outcome", organisation="o1", key=key, about=receipt.index, part="closes")

    async def main() -> list[int]:
        ledger = Ledger.open(tmp_path / "log")
        asked = await asyncio.gather(*[ledger.append_async([request(number)]) for number in range(4)])
        ended = []
        for (receipt,) in asked:  # three more are under way, and the log has just written
            ended.append(ledger.append_async([outcome(receipt)]))
            await asyncio.sleep(0)
        ledger.close()
        return [receipt.index for (receipt,) in await asyncio.gather(*ended)]

    found = asyncio.run(main())
    assert found == sorted(found)
    assert len(found) == 4
    reader = Ledger.read(tmp_path / "log")
    assert reader.unanswered() == []
    reader.close()


Ts = TypeVarTuple("Ts")


class Patient(asyncio.SelectorEventLoop):
    """Where a pause is for ever."""

    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return super().call_later(delay * 1e9, callback, *args, context=context)


def test_a_batch_waits_for_nobody_once_everything_under_way_waits_for_it(tmp_path: Path) -> None:
    def entry(key: str, part: Part, about: int | None = None) -> NewEntry:
        return NewEntry(kind="act.outcome", organisation="o1", key=key, about=about, part=part)

    async def main() -> None:
        ticks = itertools.count()
        with Ledger.open(tmp_path / "log", steady=lambda: next(ticks) / 5_000) as ledger:
            for _ in range(30):  # until a batch is known to take a fifth of a millisecond
                await ledger.append_async([entry("k", "single")])
            asked = await asyncio.gather(*[ledger.append_async([entry(f"k{each}", "opens")]) for each in range(3)])
            ended: list[asyncio.Future[object]] = []
            for (receipt,) in asked:
                await turns()
                assert not any(each.done() for each in ended)
                key = decode(receipt.entry).key
                ended.append(asyncio.ensure_future(ledger.append_async([entry(key, "closes", receipt.index)])))
            async with asyncio.timeout(20):
                await asyncio.wait(ended)

    async def turns() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=Patient) as runner:
        runner.run(main())


def test_a_forked_child_does_not_write_what_its_parents_loop_was_asked_for(tmp_path: Path) -> None:
    async def main() -> tuple[int, int]:
        with Ledger.open(tmp_path / "log") as ledger:
            asked = ledger.append_async([entry(1)])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # newer versions of Python warn of forks beside threads
                child = os.fork()
            if child == 0:  # whose loop goes on
                await asyncio.sleep(0)
                os._exit(int(asked.done()))
            (receipt,) = await asked
            return receipt.index, child

    index, child = asyncio.run(main())
    assert os.waitpid(child, 0)[1] == 0
    assert verify(tmp_path / "log").size == index + 1
