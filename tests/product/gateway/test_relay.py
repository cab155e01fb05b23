"""The relay between callers and a local upstream: exact, closed, screened, recorded."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import Any

import pytest
from tests.product.gateway.upstream import GOOD, HARM, answer_of, stream_of
from tests.product.gateway.world import ASKS, DENIES_AT, STREAMED, Answer, World, ask, outcomes, served

from glasshouse.ledger import Entry

MODES = [(path, False) for path in ASKS] + [(path, True) for path in STREAMED]
COMMENT = re.compile(rb": glasshouse-receipt (\d+);[^\n]*\n\n\Z")


def request_and_outcome(entries: list[Entry]) -> tuple[Entry, Entry]:
    request, outcome = entries
    assert (request.kind, request.part, request.decision) == ("act.request", "opens", "permit")
    assert (outcome.kind, outcome.part) == ("act.outcome", "closes")
    return request, outcome


def streaming(stream: bool) -> dict[str, Any]:
    return {"stream": True} if stream else {}


def receipt(answer: Answer) -> int:
    """The number of the entry that the answer's receipt names."""
    found = COMMENT.search(answer.body)
    return int(found[1] if found else answer.headers["glasshouse-receipt"].partition(";")[0])


@pytest.mark.parametrize(("path", "stream"), MODES)
def test_every_route_and_mode_is_authorised_screened_and_recorded(world: World, path: str, stream: bool) -> None:
    async def main() -> None:
        async with served(world) as caller:
            before = len(world.entries())
            answer = await caller.call(path, ask(path, **streaming(stream)))
            assert answer.status == 200
            entries = world.entries()[before:]
            request, outcome = request_and_outcome(entries)
            assert outcome.about == before
            assert outcome.decision == "done"
            assert receipt(answer) == before + 1
            facts = outcomes(world)[-1]
            body = COMMENT.sub(b"", answer.body)
            assert facts["size_bytes"] == len(body)
            assert facts["result_digest"] == hashlib.sha256(body).hexdigest()
            (screened,) = facts["screened"]
            assert screened["ranges"] == [{"start": 0, "end": len(body)}]
            assert screened["model"].startswith("sha256:")
            assert request.policy == outcome.policy != ""

            denied = await caller.call(path, ask(path), key=None)
            assert denied.status == 401
            assert len(caller.upstream.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize(("path", "stream"), MODES)
def test_both_directions_are_relayed_byte_for_byte(world: World, path: str, stream: bool) -> None:
    async def main() -> None:
        async with served(world) as caller:
            more: dict[str, Any] = {"stream": True} if stream else {}
            body = json.dumps(ask(path, x_new_field={"deep": [1.50, "\u00e9"]}, **more), indent=3).encode() + b"\n "
            answer = await caller.call(path, body)
            assert answer.status == 200
            sent_path, headers, sent = caller.upstream.requests[-1]
            assert sent == body
            assert sent_path == path
            if stream:
                assert COMMENT.sub(b"", answer.body) == b"".join(stream_of(path, json.loads(body), GOOD))
            else:
                assert answer.json() == answer_of(path, json.loads(body), GOOD)
            assert world.key not in str(headers)
            assert "sk-upstream-secret" in str(headers)

    asyncio.run(main())


def test_only_headers_that_mean_something_upstream_are_passed_on(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            headers = [
                ("anthropic-beta", "tools-1"),
                ("cookie", "a=b"),
                ("x-forwarded-for", "10.0.0.1"),
                ("authorization", f"Bearer {world.key}"),
            ]
            await caller.call("/v1/messages", ask("/v1/messages"), headers=headers, key=None)
            sent = {name.lower(): value for name, value in caller.upstream.requests[-1][1].items()}
            assert sent["anthropic-beta"] == "tools-1"
            assert sent["x-api-key"] == "sk-upstream-secret"
            assert sent["accept-encoding"] == "identity"
            assert not {"cookie", "x-forwarded-for", "authorization"} & set(sent)

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_tools_pass_untouched(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            tools = [{"name": "get_weather", "description": "Weather", "input_schema": {"type": "object"}}]
            for more in ({}, {"stream": True}):
                body = ask(path) | {"tools": tools} | more
                answer = await caller.call(path, body)
                if more:
                    assert COMMENT.sub(b"", answer.body) == b"".join(stream_of(path, body, GOOD))
                else:
                    assert answer.json() == answer_of(path, body, GOOD)

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_a_harmful_stream_ends_with_the_dialects_error_and_its_text_is_withheld(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            caller.upstream.pause_s = 0.0001
            answer = await caller.call(path, ask(path, "harm", stream=True))
            assert answer.status == 200
            whole = b"".join(stream_of(path, ask(path, "harm", stream=True), HARM))
            facts = outcomes(world)[-1]
            assert facts["outcome"] == "withheld"
            (screened,) = facts["screened"]
            (withheld,) = screened["withheld"]
            assert 0 < withheld["start"] < withheld["end"] == screened["ranges"][0]["end"]
            assert screened["highest"] >= DENIES_AT
            assert answer.body.startswith(whole[: withheld["start"]])
            rest = answer.body[withheld["start"] :]
            assert b"gateway.withheld" in rest
            assert len(COMMENT.sub(b"", rest).strip().split(b"\n\n")) == 1  # the error event and nothing else
            assert b"antivirus" not in answer.body
            assert receipt(answer) == len(world.entries()) - 1

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_a_harmful_answer_is_withheld_whole(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call(path, ask(path, "harm"))
            assert answer.status == 403
            assert b"antivirus" not in answer.body
            assert b"gateway.withheld" in answer.body
            assert outcomes(world)[-1]["outcome"] == "withheld"

    asyncio.run(main())


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_is_at_most_one_sentence_late(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            gate = caller.upstream.gate = asyncio.Event()

            def on_chunk(chunk: bytes) -> None:
                if b'" rules."' in chunk:  # the last word of the second sentence
                    gate.set()

            call = caller.call(path, ask(path, "gated", stream=True), on_chunk=on_chunk)
            answer = await asyncio.wait_for(call, 5)
            assert b'" several."' in answer.body

    asyncio.run(main())


def test_a_request_that_reads_like_misuse_is_denied_and_nothing_is_forwarded(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            for path in STREAMED:
                answer = await caller.call(path, harmful(path))
                assert answer.status == 403
                assert b"core.misuse" in answer.body
                assert world.entries()[-1].kind == "act.denied"
                what = denied_or_requested(world)["input"]
                assert (what["language"], what["code"]) == ("en", 0)
                assert what["characters"] >= len(HARM)
            assert caller.upstream.requests == []

    asyncio.run(main())


def test_harm_asked_for_in_parts_over_several_requests_of_one_session_is_scored_as_a_whole(world: World) -> None:
    parts = [each for each in re.findall(r"[^.]+\.", HARM) if "ourse" not in each]

    async def main() -> None:
        async with served(world) as caller:
            scores = []
            for part in parts:
                body = {"model": "echo", "user": "mallory", "messages": [{"role": "user", "content": part}]}
                await caller.call("/v1/chat/completions", body)
                scores.append(denied_or_requested(world)["misuse"])
            alone = {"model": "echo", "user": "bob", "messages": [{"role": "user", "content": parts[1]}]}
            await caller.call("/v1/chat/completions", alone)
            assert denied_or_requested(world)["misuse"] < scores[1]

    asyncio.run(main())


def denied_or_requested(world: World) -> dict[str, Any]:
    """What the last request entry, permitted or not, says."""
    last = max(index for index, entry in enumerate(world.entries()) if entry.kind in ("act.request", "act.denied"))
    found: dict[str, Any] = world.payload(last)["unmapped"]
    return found


def harmful(path: str) -> dict[str, Any]:
    """A request that asks for what `HARM` says."""
    if path == "/v1/responses":
        return {"model": "echo", "input": HARM}
    return ask(path, messages=[{"role": "user", "content": HARM}])


@pytest.mark.parametrize(("path", "stream"), MODES)
def test_prompt_and_answer_are_kept_only_where_the_engagement_says_so_and_then_sealed(
    world: World, path: str, stream: bool
) -> None:
    keeping = world.engage(f"kept-{len(world.entries())}", keeps="sealed")

    async def main() -> None:
        async with served(world) as caller:
            body = json.dumps(ask(path, **streaming(stream))).encode()
            before = len(world.entries())
            answer = await caller.call(path, body, key=keeping)
            request, outcome = request_and_outcome(world.entries()[before:])
            assert [each.name for each in request.payloads] == ["event", "prompt"]
            assert [each.name for each in outcome.payloads] == ["event", "answer"]
            assert world.sealed(before, "prompt") == body
            assert world.sealed(before + 1, "answer") == COMMENT.sub(b"", answer.body)

            await caller.call(path, body)
            others = world.entries()[before + 2 :]
            assert [each.name for entry in others for each in entry.payloads] == ["event", "event"]

    asyncio.run(main())


def test_what_was_denied_is_kept_too_and_what_screening_withholds_is_not(world: World) -> None:
    keeping = world.engage("kept-denied", keeps="sealed", misuse_denies_at=0)
    holding = world.engage("held", keeps="sealed")

    async def main() -> None:
        async with served(world) as caller:
            body = json.dumps(ask("/v1/messages")).encode()
            assert (await caller.call("/v1/messages", body, key=keeping)).status == 403
            denied = len(world.entries()) - 1
            assert world.entries()[denied].kind == "act.denied"
            assert world.sealed(denied, "prompt") == body

            answer = await caller.call("/v1/messages", ask("/v1/messages", model="harm"), key=holding)
            kept = world.sealed(len(world.entries()) - 1, "answer")
            assert kept == answer.body
            assert HARM.encode() not in kept

    asyncio.run(main())
