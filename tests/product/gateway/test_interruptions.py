"""What goes wrong on the way: broken upstreams, callers that leave, halts, a log that cannot be written."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import pytest
from tests.product.gateway.upstream import FAULTS
from tests.product.gateway.world import STREAMED, Caller, World, ask, outcomes, served

from glasshouse.access import register
from glasshouse.door.door import Door
from glasshouse.door.log import open_log
from glasshouse.words.errors import LedgerFullError

BROKEN = [name for name in FAULTS if name != "busy"]
WITHIN_S = 5.0


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_upstream_becomes_a_clear_error_and_a_failed_outcome(world: World, fault: str) -> None:
    async def main() -> None:
        async with served(world, limits={"max_answer_bytes": 1_000_000}) as caller:
            for path in STREAMED:
                for more in ({}, {"stream": True}):
                    answer = await asyncio.wait_for(caller.call(path, ask(path, fault, **more)), WITHIN_S)
                    assert answer.status == (200 if b"data: " in answer.body else 502)
                    assert b"gateway.upstream" in answer.body
                    assert b"sk-ant-secret" not in answer.body
                    facts = outcomes(world)[-1]
                    assert facts["outcome"] == "failed"
                    assert world.entries()[-1].kind == "act.outcome"

    asyncio.run(main())


def test_a_redirection_is_not_followed_since_key_and_prompt_would_go_with_it(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/messages", ask("/v1/messages", "moved"))
            assert answer.status == 502
            assert [path for path, _, _ in caller.upstream.requests] == ["/v1/messages"]

    asyncio.run(main())


def test_an_error_of_the_upstream_is_relayed_with_its_advice(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/messages", ask("/v1/messages", "busy"))
            assert answer.status == 529
            assert answer.headers["retry-after"] == "7"
            assert answer.json()["error"]["type"] == "overloaded_error"
            assert outcomes(world)[-1]["outcome"] == "failed"

    asyncio.run(main())


def test_an_upstream_that_is_not_there_costs_nothing_and_the_next_one_is_tried(world: World) -> None:
    async def main() -> None:
        gone = {"family": "openai", "url": "http://127.0.0.1:9", "connect_retries": 0}
        models = {"lost": {"upstreams": ["gone"]}, "spare": {"upstreams": ["gone", "gpt"], "name": "echo"}}
        async with served(world, upstreams={"gone": gone}, models=models) as caller:
            lost = await caller.call("/v1/chat/completions", ask("/v1/chat/completions", "lost"))
            assert lost.status == 502
            assert outcomes(world)[-1]["outcome"] == "failed"
            found = await caller.call("/v1/chat/completions", ask("/v1/chat/completions", "spare"))
            assert found.status == 200
            ready = await caller.call("/readyz", method="GET")
            assert ready.json()["parts"]["upstream:gone"] == "unreachable"
            assert ready.status == 200

    asyncio.run(main())


def test_readiness_knows_an_upstream_before_anybody_calls_it(world: World) -> None:
    async def parts_once_looked_at(caller: Caller) -> dict[str, str]:
        while True:
            ready = await caller.call("/readyz", method="GET")
            found: dict[str, str] = ready.json()["parts"]
            if "untried" not in found.values():
                return found
            assert ready.status == 503
            await asyncio.sleep(0)  # answers come from memory; the event loop gets its turn here

    async def main() -> None:
        gone = {"family": "openai", "url": "http://127.0.0.1:9"}
        async with served(world, upstreams={"gone": gone}) as caller:
            found = await asyncio.wait_for(parts_once_looked_at(caller), WITHIN_S)
            assert (found["upstream:gone"], found["upstream:gpt"]) == ("unreachable", "ok")

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_a_caller_that_leaves_ends_the_upstream_and_the_log_says_so(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            caller.upstream.gate = asyncio.Event()
            leave = asyncio.Event()
            call = caller.call(path, ask(path, "gated", stream=True), leave=leave, on_chunk=lambda _: leave.set())
            await asyncio.wait_for(call, WITHIN_S)
            facts = outcomes(world)[-1]
            assert (facts["outcome"], world.last_event()["status_code"]) == ("interrupted", "client-gone")

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
@pytest.mark.parametrize("order", ["halt", "revoke", "pause"])
def test_a_halt_stops_a_silent_stream_within_a_second(world: World, path: str, order: str) -> None:
    name = f"halted-{order}-{STREAMED.index(path)}"
    key = world.engage(name)

    def act(door: Door) -> None:
        if order == "halt":
            register.order_halt(door.tables, "engagement", name, "test", "tester", door.now())
        elif order == "revoke":
            register.revoke_key(door.tables, key.split("_")[2])
        else:
            register.move_engagement(door.tables, name, "pause")

    async def main() -> None:
        async with served(world) as caller:
            caller.upstream.gate = asyncio.Event()
            begun = asyncio.Event()
            call = asyncio.ensure_future(
                caller.call(path, ask(path, "gated", stream=True), key=key, on_chunk=lambda _: begun.set())
            )
            await asyncio.wait_for(begun.wait(), WITHIN_S)
            await asyncio.to_thread(world.change, act)
            answer = await asyncio.wait_for(call, 1.0)
            assert b'" several."' not in answer.body
            assert b"core." in answer.body
            assert answer.body.count(b"error") >= 1
            assert outcomes(world)[-1]["outcome"] == "stopped"
            again = await caller.call(path, ask(path), key=key)
            assert again.status in (401, 403)
            assert len(caller.upstream.requests) == 1

    asyncio.run(main())


class FullLog:
    """A log whose disk is full for some kinds of entries."""

    def __init__(self, log: Any, refuses: str) -> None:
        self._log, self._refuses = log, refuses

    def append(self, entries: Any) -> Any:
        return self._full(Future()) if self._is_full(entries) else self._log.append(entries)

    def append_async(self, entries: Any) -> Any:
        if self._is_full(entries):
            return self._full(asyncio.get_running_loop().create_future())
        return self._log.append_async(entries)

    def _is_full(self, entries: Any) -> bool:
        return any(each.kind == self._refuses and each.decision != "interrupted" for each in entries)

    def _full(self, future: Any) -> Any:
        future.set_exception(LedgerFullError("no space left on the device"))
        return future

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def door_with_full_log(refuses: str) -> Callable[[Mapping[str, str]], Door]:
    """Opens a door whose log takes no entries of one kind."""
    return lambda environ: Door.open(environ, log=lambda home: FullLog(open_log(home), refuses))


class SlowForApprovals:
    """A log that takes requests for approval only when it is told to."""

    def __init__(self, log: Any, reached: threading.Event, go: threading.Event) -> None:
        self._log, self._reached, self._go = log, reached, go

    def append(self, entries: Any) -> Any:
        if any(each.kind == "approval.asked" for each in entries):
            self._reached.set()
            assert self._go.wait(2 * WITHIN_S)
        return self._log.append(entries)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def test_while_a_request_for_approval_is_written_other_calls_go_on(world: World) -> None:
    asking, reached, go = world.engage("asking", misuse_asks_at=0), threading.Event(), threading.Event()

    def opened(environ: Mapping[str, str]) -> Door:
        return Door.open(environ, log=lambda home: SlowForApprovals(open_log(home), reached, go))

    async def main() -> None:
        async with served(world, opened) as caller:
            body = ask("/v1/messages")
            asked = asyncio.ensure_future(caller.call("/v1/messages", body, key=asking))
            assert await asyncio.to_thread(reached.wait, WITHIN_S)
            assert (await asyncio.wait_for(caller.call("/v1/messages", body), WITHIN_S)).status == 200
            assert not asked.done()
            go.set()
            answer = await asked
            assert answer.status == 403
            assert b"door.approval_needed" in answer.body

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_without_a_request_entry_nothing_is_forwarded(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world, door_with_full_log("act.request")) as caller:
            answer = await caller.call(path, ask(path))
            assert answer.status == 503
            assert b"door.closed" in answer.body
            assert caller.upstream.requests == []

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_without_an_outcome_entry_the_last_bytes_stay(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world, door_with_full_log("act.outcome")) as caller:
            whole = await caller.call(path, ask(path))
            assert whole.status == 503
            assert b"firewall" not in whole.body
            streamed = await caller.call(path, ask(path, stream=True))
            assert b"door.closed" in streamed.body
            assert b"message_stop" not in streamed.body
            assert b"[DONE]" not in streamed.body
            assert b"response.completed" not in streamed.body
            assert b"glasshouse-receipt" not in streamed.body

    asyncio.run(main())


def test_a_fallback_model_serves_when_the_asked_one_is_halted_and_the_caller_is_told(world: World) -> None:
    key = world.engage("falling", fallback_model="echo")
    world.change(lambda door: register.order_halt(door.tables, "model", "gated", "test", "tester", door.now()))

    async def main() -> None:
        async with served(world) as caller:
            body = ask("/v1/messages", "gated")
            answer = await caller.call("/v1/messages", body, key=key)
            assert answer.status == 200
            assert answer.headers["glasshouse-model"] == "echo"
            assert b'"model": "echo"' in caller.upstream.requests[-1][2]
            request = world.payload(len(world.entries()) - 2)
            assert request["unmapped"]["describes"] == "anthropic.messages echo instead of gated: core.halted"
            assert request["resources"][0]["name"] == "echo"

    try:
        asyncio.run(main())
    finally:
        world.change(
            lambda door: [register.lift_halt(door.tables, each.id, door.now()) for each in door.directory.halts()]
        )


def test_a_gateway_that_shuts_down_lets_calls_finish_and_stops_those_that_do_not(world: World) -> None:
    async def main() -> None:
        async with served(world, shutdown_s=1) as caller:
            caller.upstream.gate = asyncio.Event()
            call = asyncio.ensure_future(caller.call("/v1/messages", ask("/v1/messages", "gated", stream=True)))
            await caller.upstream.arrived.wait()
        answer = await call
        assert b"gateway.shutdown" in answer.body
        assert outcomes(world)[-1]["outcome"] == "stopped"

    asyncio.run(main())


DYING = """
import os, sys
from glasshouse.door import door
from glasshouse.words.act import Act, Target
opened = door.Door.open(os.environ)
caller = opened.resolve(sys.argv[1])
opened.admit(caller, Act("model.call", (Target("model", "echo"),), caller.engagement.id))
os._exit(9)
"""


def test_a_call_whose_worker_died_is_closed_by_the_next_start(world: World) -> None:
    subprocess.run([sys.executable, "-c", DYING, world.key], env=world.environ, check=False)
    assert world.entries()[-1].kind == "act.request"

    async def main() -> None:
        async with served(world):
            assert world.entries()[-1].decision == "interrupted"

    asyncio.run(main())
