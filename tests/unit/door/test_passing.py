"""What passes the door, in which order it is recorded, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.door.simulated_organisation import ACT, TARGET, FullLog, SimulatedOrganisation

from glasshouse.access import register
from glasshouse.access.local import local_caller
from glasshouse.door.door import NOTHING
from glasshouse.door.passage import AsyncPassage, Passage, Withhold
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.engagement import Quota
from glasshouse.words.errors import (
    CredentialError,
    DeniedError,
    DoorClosedError,
    QuotaError,
    StoppedError,
)
from glasshouse.words.passage import ByteRange, Outcome, Screened

Found = Callable[..., SimulatedOrganisation]


class HoldSentence:
    """A screen that holds pieces back until a full stop and stops at a bad word."""

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.seen = 0

    def feed(self, item: bytes) -> Sequence[bytes]:
        self.held.append(item)
        self.seen += len(item)
        if b"bad" in item:
            raise Withhold("screen.misuse", [b"[stopped]"])
        if not item.endswith(b"."):
            return []
        ready, self.held = self.held, []
        return ready

    def finish(self) -> Sequence[bytes]:
        ready, self.held = self.held, []
        return ready

    def screened(self) -> tuple[Screened, ...]:
        return (Screened("m" * 64, (ByteRange(0, self.seen),), 12),)


def test_the_request_is_in_the_log_before_anything_acts(acme: SimulatedOrganisation) -> None:
    seen: list[list[tuple[str, str]]] = []

    def work() -> Iterator[bytes]:
        seen.append(acme.kinds())
        yield b"one"

    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    assert list(passage.through(work())) == [b"one"]
    assert seen == [[("act.request", "permit")]]


def test_the_outcome_is_in_the_log_before_the_last_result_leaves(acme: SimulatedOrganisation) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    stream = passage.through(iter([b"one", b"two", b"three"]))
    assert [next(stream), next(stream)] == [b"one", b"two"]
    assert acme.kinds() == [("act.request", "permit")]
    assert next(stream) == b"three"
    assert acme.kinds() == [("act.request", "permit"), ("act.outcome", "done")]


def test_the_receipt_is_accepted_by_the_verifier_and_the_outcome_names_what_was_returned(
    acme: SimulatedOrganisation,
) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    list(passage.through(iter([b"one", b"two"])))
    assert passage.receipt is not None
    assert passage.proof().startswith("c2sp.org/tlog-proof@v1")
    unmapped: Any = acme.event(passage.receipt.index)["unmapped"]
    expected = hashlib.sha256(b"".join(len(each).to_bytes(8, "big") + each for each in (b"one", b"two"))).hexdigest()
    assert (unmapped["result_digest"], unmapped["items"], unmapped["size_bytes"]) == (expected, 2, 6)


def test_an_error_on_the_way_is_an_outcome_and_goes_on(acme: SimulatedOrganisation) -> None:
    def work() -> Iterator[bytes]:
        yield b"one"
        raise RuntimeError("broken")

    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    with pytest.raises(RuntimeError, match="broken"):
        list(passage.through(work()))
    assert acme.kinds()[-1] == ("act.outcome", "failed")
    assert acme.event(1)["status_code"] == "RuntimeError"


def test_a_reader_that_goes_away_leaves_an_outcome(acme: SimulatedOrganisation) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    stream = passage.through(iter([b"1", b"2", b"3"]))
    assert next(stream) == b"1"
    stream.close()  # type: ignore[attr-defined]
    assert acme.kinds()[-1] == ("act.outcome", "interrupted")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_command_leaves_an_outcome(acme: SimulatedOrganisation, interrupt: type[BaseException]) -> None:
    with pytest.raises(interrupt), acme.door.passage(acme.ada, ACT):
        raise interrupt
    assert acme.kinds()[-1] == ("act.outcome", "interrupted")


def test_a_screen_sees_all_before_it_leaves_and_its_word_is_in_the_outcome(acme: SimulatedOrganisation) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT, screen=HoldSentence())
    assert list(passage.through(iter([b"a", b"b.", b"c"]))) == [b"a", b"b.", b"c"]
    unmapped: Any = acme.event(1)["unmapped"]
    assert unmapped["screened"][0]["ranges"] == [{"start": 0, "end": 4}]


def test_what_a_screen_withholds_never_leaves(acme: SimulatedOrganisation) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT, screen=HoldSentence())
    assert list(passage.through(iter([b"a.", b"x", b"bad", b"more"]))) == [b"[stopped]"]
    assert acme.kinds()[-1] == ("act.outcome", "withheld")


def test_a_denial_is_recorded_with_its_rule_and_nothing_acts(acme: SimulatedOrganisation) -> None:
    outside = Act("code.scan", (TARGET, Target("code", "/etc")), "audit")
    with pytest.raises(DeniedError, match="/etc"):
        acme.door.passage(acme.ada, outside)
    assert acme.kinds() == [("act.denied", "deny")]
    assert acme.event(0)["policy"] == {"uid": "core.out-of-scope", "version": acme.door.guard.policy_hash}


@pytest.mark.parametrize(
    ("act", "circumstances", "code"),
    [
        (Act("code.scan", (TARGET,), "other"), Circumstances(), "core.out-of-scope"),
        (Act("model.call", (Target("model", "gpt-1"),), "audit"), Circumstances(), "core.out-of-scope"),
        (Act("model.call", (TARGET,), "audit"), Circumstances(), "core.out-of-scope"),
        (Act("response.execute", (Target("host", "h"),), "audit"), Circumstances(), "core.above-tier"),
        (Act("model.call", (Target("model", "claude-x"),), "audit"), Circumstances(misuse=99), "core.misuse"),
        (Act("no.such", (), "audit"), Circumstances(), "core.above-tier"),
    ],
)
def test_each_wrong_act_is_denied(
    acme: SimulatedOrganisation, act: Act, circumstances: Circumstances, code: str
) -> None:
    with pytest.raises(DeniedError) as caught:
        acme.door.admit(acme.ada, act, circumstances)
    policies: Any = acme.event(0)["unmapped"]
    assert code in policies["policies"], caught.value.diagnostics()


def test_when_the_request_cannot_be_recorded_nothing_acts(found: Found) -> None:
    acme = found(log=lambda home: FullLog(home, 0))
    worked: list[int] = []
    with (
        pytest.raises(DoorClosedError, match=r"nothing was done.*disk is full") as caught,
        acme.door.passage(acme.ada, ACT),
    ):
        worked.append(1)
    assert worked == []
    assert caught.value.exit_code == 3


def test_when_the_outcome_cannot_be_recorded_the_last_result_is_withheld(found: Found) -> None:
    acme = found(log=lambda home: FullLog(home, 1))
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    stream = passage.through(iter([b"one", b"two"]))
    assert next(stream) == b"one"
    with pytest.raises(DoorClosedError, match="result is withheld"):
        next(stream)


def test_a_crash_leaves_a_request_that_the_next_start_closes_as_interrupted(found: Found, tmp_path: Path) -> None:
    acme = found()
    acme.door.passage(acme.ada, ACT)
    crashed = acme.home.running
    (journal,) = crashed.iterdir()
    kept = journal.read_bytes()
    acme.close()
    journal.write_bytes(kept)  # what a killed process leaves: an unlocked journal
    again = SimulatedOrganisation(acme.folder)
    try:
        assert again.kinds()[:2] == [("act.request", "permit"), ("act.outcome", "interrupted")]
        assert list(crashed.glob("[0-9]*")) != [journal]
    finally:
        again.close()


def test_an_act_of_a_living_process_is_not_closed_by_another_start(acme: SimulatedOrganisation) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    acme.clock.seconds += 3600
    with_other = SimulatedOrganisation(acme.folder)
    with_other.close()
    assert ("act.outcome", "interrupted") not in acme.kinds()
    passage.conclude()
    assert acme.kinds()[-1] == ("act.outcome", "done")


def test_a_halt_stops_an_act_under_way_and_says_so(acme: SimulatedOrganisation) -> None:
    def work() -> Iterator[bytes]:
        yield b"one"
        register.order_halt(acme.tables, "organisation", "acme", "leak", "root", acme.clock.seconds)
        passage._looked_at = float("-inf")
        yield b"two"

    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    with pytest.raises(StoppedError, match="leak"):
        list(passage.through(work()))
    assert acme.kinds()[-1] == ("act.outcome", "stopped")


def test_an_unknown_key_is_refused_and_recorded_without_its_text(acme: SimulatedOrganisation) -> None:
    for text in ("nonsense-secret", acme.key_text.text[:-1] + "_"):
        with pytest.raises(CredentialError):
            acme.door.resolve(text)
    acme.door.passage(acme.ada, ACT).conclude()  # nobody waits for the entry of a refusal
    assert acme.kinds()[:2] == [("access.refused", "deny")] * 2
    assert all(b"nonsense" not in acme.door.log.reader.payload(index, "event") for index in (0, 1))


def test_the_quota_of_a_day_is_shared_and_renewed(found: Found) -> None:
    acme = found(quota=Quota(acts_per_day=2))
    for _ in range(2):
        acme.door.passage(acme.ada, ACT).conclude()
    with pytest.raises(QuotaError, match="2 acts"):
        acme.door.passage(acme.ada, ACT)
    assert acme.kinds()[-1] == ("act.denied", "deny")
    acme.clock.seconds += 60_000  # a new day by UTC, within the term of engagement and key
    acme.door.passage(acme.ada, ACT).conclude()


def test_entries_hold_no_name_and_every_key_has_a_dense_count(acme: SimulatedOrganisation) -> None:
    for _ in range(3):
        acme.door.passage(acme.ada, ACT).conclude()
    local = local_caller("root", [TARGET])
    acme.door.passage(local, Act("code.scan", (TARGET,), "local")).conclude()
    counts: dict[str, list[int]] = {}
    for _, entry in acme.door.log.reader.entries():
        counts.setdefault(entry.key, []).append(entry.count)
    assert counts == {acme.key.public_id: [1, 2, 3, 4, 5, 6], "local": [1, 2]}
    bodies = b"".join(body for _, body in acme.door.log.reader.bodies())
    assert not any(name in bodies for name in (b"acme", b"audit", b"shop", b"root"))


async def numbers(*items: bytes) -> AsyncIterator[bytes]:
    """Items that come asynchronously."""
    for item in items:
        await asyncio.sleep(0)
        yield item


def test_an_asynchronous_act_is_recorded_in_the_same_order(acme: SimulatedOrganisation) -> None:
    async def run() -> None:
        passage: AsyncPassage[bytes] = await acme.door.async_passage(acme.ada, ACT)
        stream = passage.through(numbers(b"one", b"two"))
        assert await anext(stream) == b"one"
        assert acme.kinds() == [("act.request", "permit")]
        assert [each async for each in stream] == [b"two"]
        assert acme.kinds()[-1] == ("act.outcome", "done")

    asyncio.run(run())


def test_a_cancelled_task_leaves_an_outcome(acme: SimulatedOrganisation) -> None:
    async def run() -> None:
        begun = asyncio.Event()

        async def stalled() -> AsyncIterator[bytes]:
            begun.set()
            await asyncio.Event().wait()
            yield b"never"

        async def consume() -> None:
            passage: AsyncPassage[bytes] = await acme.door.async_passage(acme.ada, ACT)
            async for _ in passage.through(stalled()):
                pass

        task = asyncio.create_task(consume())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert acme.kinds() == [("act.request", "permit"), ("act.outcome", "interrupted")]


def test_a_task_cancelled_while_its_request_is_written_leaves_an_outcome(acme: SimulatedOrganisation) -> None:
    async def run() -> None:
        task = asyncio.create_task(acme.door.admit_async(acme.ada, ACT))
        await asyncio.sleep(0)  # the request is handed to the log
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        later = await acme.door.admit_async(acme.ada, ACT)
        await acme.door.conclude_async(later, Outcome("done", NOTHING))

    asyncio.run(run())
    assert sorted(acme.kinds()) == [
        ("act.outcome", "done"),
        ("act.outcome", "interrupted"),
        ("act.request", "permit"),
        ("act.request", "permit"),
    ]


def test_a_halt_reaches_an_asynchronous_act_that_waits_for_its_source(acme: SimulatedOrganisation) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"one"
        register.order_halt(acme.tables, "key", acme.key.public_id, "lost", "root", acme.clock.seconds)
        await asyncio.Event().wait()

    async def run() -> None:
        passage: AsyncPassage[bytes] = await acme.door.async_passage(acme.ada, ACT)
        with pytest.raises(StoppedError, match="lost"):
            async for _ in passage.through(stalled()):
                pass

    asyncio.run(asyncio.wait_for(run(), 20))
    assert acme.kinds()[-1] == ("act.outcome", "stopped")


def test_a_flood_of_bad_keys_writes_few_entries_and_each_says_how_many(acme: SimulatedOrganisation) -> None:
    for _ in range(50):
        with pytest.raises(CredentialError):
            acme.door.resolve("nonsense")
    acme.clock.seconds += 1
    with pytest.raises(CredentialError):
        acme.door.resolve("nonsense")
    acme.door.passage(acme.ada, ACT).conclude()
    counts = [acme.event(index)["count"] for index, (kind, _) in enumerate(acme.kinds()) if kind == "access.refused"]
    assert counts == [1] * 10 + [41]


def test_a_warm_door_has_loaded_what_an_act_under_a_key_needs(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from glasshouse.door.door import Door\n"
        "with Door.open(os.environ) as door:\n"
        "    assert 'cedarpy' not in sys.modules\n"
        "    door.warm()\n"
        "    before = set(sys.modules)\n"
        "    import cedarpy, sqlalchemy, glasshouse.guard.cedar, glasshouse.ledger.durable, glasshouse.ledger.seal\n"
        "    import cryptography.hazmat.primitives.ciphers.aead\n"
        "    print(sorted(set(sys.modules) - before))\n"
    )
    environ = {**os.environ, "GLASSHOUSE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
