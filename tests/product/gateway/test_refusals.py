"""Bad input: a clear error in the caller's dialect, a recorded denial, nothing forwarded."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.product.gateway.world import ASKS, Answer, World, ask, denials, served

from glasshouse.words.engagement import Quota, Scope

PATHS = list(ASKS)


def check_dialect(path: str, answer: Answer, code: str) -> None:
    """The error has the shape that the dialect's clients expect, and says which rule it was."""
    body = answer.json()
    if path.startswith("/v1/messages"):
        assert body["type"] == "error"
        assert set(body["error"]) == {"type", "message"}
        assert code in body["error"]["message"]
    else:
        assert body["error"]["code"] == code
    assert answer.headers["content-type"] == "application/json"


BAD_BODIES: list[tuple[Any, str]] = [
    (b"{", "gateway.request"),
    (b"[1]", "gateway.request"),
    (b'{"model":"echo","model":"harm"}', "gateway.request"),
    (b'{"model":"echo"}', "gateway.request"),
    (b'{"model":"no-such","messages":[1],"max_tokens":1,"input":"x"}', "gateway.model"),
    (b'{"model":"ech\\u200bo","messages":[1],"max_tokens":1,"input":"x"}', "gateway.request"),
    (b"x" * 1_000_001, "gateway.body"),
]


@pytest.mark.parametrize("path", PATHS)
def test_a_bad_body_is_refused_in_the_dialect_recorded_and_not_forwarded(world: World, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            for body, code in BAD_BODIES:
                before = denials(world)
                answer = await caller.call(path, body)
                assert 400 <= answer.status < 500
                check_dialect(path, answer, code)
                assert denials(world) == before + 1
                assert answer.headers["glasshouse-receipt"].startswith(f"{len(world.entries()) - 1};leaf=:")
            assert caller.upstream.requests == []

    asyncio.run(main())


HEADS: list[tuple[list[tuple[str, str]], str]] = [
    ([("content-type", "text/plain")], "gateway.content-type"),
    ([("content-type", "application/json"), ("content-encoding", "gzip")], "gateway.headers"),
    ([("content-length", "5"), ("transfer-encoding", "chunked")], "gateway.headers"),
    ([("content-length", "5"), ("content-length", "6")], "gateway.headers"),
    ([("content-length", "-1")], "gateway.headers"),
    ([("authorization", "Bearer glh_other")], "access.credential"),
    ([("authorization", "Basic dXNlcg==")], "access.credential"),
]


@pytest.mark.parametrize(("headers", "code"), HEADS)
def test_ambiguous_headers_are_refused(world: World, headers: list[tuple[str, str]], code: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            for path in ("/v1/messages", "/v1/chat/completions"):
                answer = await caller.call(path, ask(path), headers=headers)
                assert answer.status in (400, 401)
                check_dialect(path, answer, code)
            assert caller.upstream.requests == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([("api-key", "KEY")], b""),
        ([("x-goog-api-key", "KEY")], b""),
        ([], b"key=KEY"),
        ([("proxy-authorization", "KEY")], b""),
    ],
)
def test_a_key_in_the_wrong_place_is_answered_with_the_right_one(
    world: World, headers: list[tuple[str, str]], query: bytes
) -> None:
    async def main() -> None:
        async with served(world) as caller:
            given_headers = [(name, world.key) for name, _ in headers]
            answer = await caller.call(
                "/v1/messages", ask("/v1/messages"), key=None, headers=given_headers, query=query
            )
            assert answer.status in (401, 404)
            assert "wrong place" in answer.body.decode()
            assert caller.upstream.requests == []

    asyncio.run(main())


@pytest.mark.parametrize("key", ["", "sk-ant-api03-secret", "glh_live_AAAAAAAA_" + "A" * 43 + "_000000", "x" * 5_000])
def test_an_unknown_key_opens_nothing_and_is_never_repeated(world: World, key: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/messages", ask("/v1/messages"), key=None, headers=[("x-api-key", key)])
            assert answer.status == 401
            assert not key or key not in answer.body.decode()
            assert caller.upstream.requests == []

    asyncio.run(main())


def test_unknown_keys_are_recorded_and_a_flood_of_them_does_not_fill_the_log(tmp_path: Path) -> None:
    own = World(tmp_path)

    async def main() -> None:
        async with served(own) as caller:
            bad = [[("x-api-key", f"bad{number}")] for number in range(60)]
            tries = [caller.call("/v1/messages", b"{}", key=None, headers=each) for each in bad]
            assert {answer.status for answer in await asyncio.gather(*tries)} == {401}

    asyncio.run(main())
    kinds = [entry.kind for entry in own.entries()]
    assert set(kinds) == {"access.refused"}
    assert 1 <= len(kinds) <= 20


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/files"),
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/messages/"),
        ("POST", "//v1/messages"),
        ("POST", "/v1/Messages"),
        ("POST", "/v1/messages/../models"),
        ("GET", "/v1/messages"),
        ("PUT", "/v1/chat/completions"),
        ("POST", "/v1/completions"),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/admin"),
    ],
)
def test_a_path_that_is_not_in_the_table_is_refused_and_recorded(world: World, method: str, path: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            before = denials(world)
            answer = await caller.call(path, ask("/v1/messages"), method=method)
            assert answer.status in (404, 405)
            assert denials(world) == before + 1
            assert caller.upstream.requests == []

    asyncio.run(main())


def test_a_query_that_nobody_knows_is_refused(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            assert (await caller.call("/v1/messages", ask("/v1/messages"), query=b"beta=true")).status == 200
            assert (await caller.call("/v1/messages", ask("/v1/messages"), query=b"x=1")).status == 404

    asyncio.run(main())


def test_a_slow_body_is_given_up(world: World) -> None:
    async def main() -> None:
        async with served(world, limits={"body_timeout_s": 0.05}) as caller:
            never = asyncio.Event()

            async def receive() -> dict[str, Any]:
                await never.wait()
                return {}

            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            headers = [(b"x-api-key", world.key.encode()), (b"content-type", b"application/json")]
            scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": headers, "query_string": b""}
            await caller.application(scope, receive, send)
            assert sent[0]["status"] == 400
            assert b"in time" in sent[1]["body"]

    asyncio.run(main())


def test_a_body_in_many_parts_is_bounded(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/messages", parts=[b"x" * 300_000] * 10)
            assert answer.status == 413
            whole = json.dumps(ask("/v1/messages")).encode()
            assert (await caller.call("/v1/messages", parts=[whole[:10], b"", whole[10:]])).status == 200

    asyncio.run(main())


def test_a_model_outside_the_engagement_is_denied_and_not_listed(world: World) -> None:
    key = world.engage("narrow", scope=Scope(models=("echo",)))

    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/messages", ask("/v1/messages", "harm"), key=key)
            assert answer.status == 403
            check_dialect("/v1/messages", answer, "door.denied")
            assert "core.out-of-scope" in answer.body.decode()
            listed = await caller.call("/v1/models", method="GET", key=key)
            assert [each["id"] for each in listed.json()["data"]] == ["echo"]
            assert (await caller.call("/v1/models/harm", method="GET", key=key)).status == 404
            assert caller.upstream.requests == []

    asyncio.run(main())


def test_references_to_state_kept_upstream_need_the_operators_consent(world: World) -> None:
    async def main() -> None:
        async with served(world) as caller:
            body = ask("/v1/responses", previous_response_id="resp_of_someone_else")
            answer = await caller.call("/v1/responses", body)
            assert answer.status == 400
            check_dialect("/v1/responses", answer, "gateway.stored-state")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("quota", "unit", "status"),
    [
        (Quota(requests_per_minute=2), "requests per minute", 429),
        (Quota(tokens_per_minute=350), "tokens per minute", 429),
        (Quota(tokens_per_day=350), "tokens per day", 429),
        (Quota(money_micros_per_day=5_000), "money per day", 429),
        (Quota(money_micros_per_month=5_000), "money per month", 429),
    ],
)
def test_what_exceeds_a_limit_is_refused_before_it_is_sent(world: World, quota: Quota, unit: str, status: int) -> None:
    key = world.engage(f"limit-{unit.replace(' ', '-')}", quota=quota)

    async def main() -> None:
        async with served(world) as caller:
            statuses = []
            for _ in range(6):
                # the stream names no usage, so what was reserved stays charged
                answer = await caller.call(
                    "/v1/chat/completions", ask("/v1/chat/completions", stream=True, max_tokens=100), key=key
                )
                statuses.append(answer.status)
            assert statuses[:2] == [200, 200]
            assert statuses[-1] == status
            assert unit in answer.body.decode()
            assert int(answer.headers["retry-after"]) > 0
            assert world.entries()[-1].kind == "act.denied"
            assert len(caller.upstream.requests) == statuses.count(200)

    asyncio.run(main())


def test_a_denial_and_a_request_for_approval_carry_the_receipt_of_their_entry(world: World) -> None:
    denied = world.engage("few-models", scope=Scope(models=("other",)))
    asked = world.engage("asks-always", misuse_asks_at=0)

    async def main() -> None:
        async with served(world) as caller:
            for key, kind in ((denied, "act.denied"), (asked, "act.asked")):
                answer = await caller.call("/v1/messages", ask("/v1/messages"), key=key)
                assert answer.status == 403
                index = int(answer.headers["glasshouse-receipt"].partition(";")[0])
                assert world.entries()[index].kind == kind

    asyncio.run(main())


def test_a_budget_of_money_that_is_used_up_leaves_the_fallback_that_fits_and_tells_the_caller(world: World) -> None:
    key = world.engage("thrifty", quota=Quota(money_micros_per_day=2_500), fallback_model="cheap")
    cheap = {"upstreams": ["gpt"], "name": "echo", "longest_answer": 1000, "price": {"input": 0.0, "output": 0.0}}

    async def main() -> None:
        async with served(world, models={"cheap": cheap}) as caller:
            answers = [
                # the stream names no usage, so what was reserved stays charged
                await caller.call(
                    "/v1/chat/completions", ask("/v1/chat/completions", stream=True, max_tokens=100), key=key
                )
                for _ in range(3)
            ]
            assert [answer.status for answer in answers] == [200, 200, 200]
            assert [answer.headers.get("glasshouse-model") for answer in answers] == [None, "cheap", "cheap"]
            request = world.payload(len(world.entries()) - 2)
            assert request["unmapped"]["describes"] == "openai.chat cheap instead of echo: money_per_day"

    asyncio.run(main())


def test_known_usage_is_settled_so_that_a_reservation_does_not_use_a_budget_up(world: World) -> None:
    key = world.engage("settled", quota=Quota(tokens_per_day=1_200))

    async def main() -> None:
        async with served(world) as caller:
            for _ in range(5):  # each reserves over 1,000 and uses 29
                assert (await caller.call("/v1/chat/completions", ask("/v1/chat/completions"), key=key)).status == 200

    asyncio.run(main())


def test_concurrent_requests_are_limited_and_the_place_is_given_back(world: World) -> None:
    key = world.engage("one-at-a-time", quota=Quota(concurrent_requests=1))

    async def main() -> None:
        async with served(world) as caller:
            caller.upstream.gate = asyncio.Event()
            first = asyncio.ensure_future(
                caller.call("/v1/messages", ask("/v1/messages", "gated", stream=True), key=key)
            )
            await caller.upstream.arrived.wait()
            assert (await caller.call("/v1/messages", ask("/v1/messages"), key=key)).status == 429
            caller.upstream.gate.set()
            assert (await first).status == 200
            assert (await caller.call("/v1/messages", ask("/v1/messages"), key=key)).status == 200

    asyncio.run(main())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                ["authorization", "x-api-key", "content-type", "content-length", "glasshouse-approval", "x"]
            ),
            st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
        ),
        max_size=5,
    ),
    body=st.binary(max_size=60),
)
def test_no_request_without_a_good_key_reaches_an_upstream(
    world: World, path: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call(path, body, key=None, headers=headers)
            assert answer.status in (400, 401)
            assert caller.upstream.requests == []

    asyncio.run(main())


def test_a_text_too_long_to_be_screened_is_not_forwarded(world: World) -> None:
    async def main() -> None:
        async with served(world, limits={"max_body_bytes": 3_000_000}) as caller:
            before = denials(world)
            long = "word " * 200_001
            body = {"model": "echo", "max_tokens": 10, "messages": [{"role": "user", "content": long}]}
            answer = await caller.call("/v1/messages", body)
            assert answer.status == 400
            check_dialect("/v1/messages", answer, "gateway.unscreened")
            assert caller.upstream.requests == []
            assert denials(world) == before + 1

    asyncio.run(main())
