"""Unchanged clients of Anthropic and OpenAI against `glasshouse serve`; only base address and key differ."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from tests.product.gateway.upstream import GOOD, LocalUpstream
from tests.product.gateway.world import World, configuration

from glasshouse.door.home import find_home

pytestmark = pytest.mark.slow
TOOL = {"name": "get_weather", "description": "Weather", "input_schema": {"type": "object", "properties": {}}}
USER: Any = [{"role": "user", "content": "What is a firewall?"}]


class Served:
    """A running gateway, as another process."""

    def __init__(self, world: World, url: str, process: subprocess.Popen[bytes], upstream: LocalUpstream) -> None:
        self.world, self.url, self.process, self.upstream = world, url, process, upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[LocalUpstream]:
    """The local upstream in a thread of its own."""
    ready: queue.SimpleQueue[tuple[LocalUpstream, Callable[[], object]]] = queue.SimpleQueue()

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with LocalUpstream() as server:
            ready.put((server, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    server, stop = ready.get(timeout=10)
    yield server
    stop()
    thread.join()


@pytest.fixture(scope="module")
def gateway(world: World, upstream: LocalUpstream) -> Iterator[Served]:
    """`glasshouse serve` with two workers."""
    config = world.home / "glasshouse.toml"
    port = free_port()
    table = configuration(upstream.port) | {"port": port, "workers": 2, "shutdown_s": 3}
    table["models"]["stall"] = table["models"]["echo"]  # here it is the client that loses patience
    config.write_text(toml(table))
    command = [sys.executable, "-m", "glasshouse", "serve", "--config", str(config)]
    environ = {**os.environ, **world.environ}
    with (world.home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield Served(world, url, process, upstream)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def toml(table: dict[str, Any]) -> str:
    """The table as TOML, for what the tests write."""
    lines: list[str] = []

    def write(value: dict[str, Any], path: str) -> None:
        lines.append(f"[{path}]")
        lines.extend(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items() if not isinstance(v, dict))
        for key, inner in value.items():
            if isinstance(inner, dict):
                write(inner, f"{path}.{json.dumps(key)}")

    write(table, "gateway")
    return "\n".join(lines)


def get(url: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        assert process.poll() is None, "the gateway ended"
        try:
            if get(f"{url}/readyz")[0] == 200:
                return
        except OSError:
            threading.Event().wait(0.05)
    raise AssertionError("the gateway did not become ready")


# --- Anthropic


def anthropic_client(gateway: Served, **more: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=gateway.url, api_key=gateway.world.key, max_retries=0, **more)


def test_anthropic_create_and_stream(gateway: Served) -> None:
    with anthropic_client(gateway) as client:
        message = client.messages.create(model="echo", max_tokens=100, messages=USER)
        assert message.content[0].type == "text"
        assert message.content[0].text == GOOD
        with client.messages.stream(model="echo", max_tokens=100, messages=USER) as stream:
            assert "".join(stream.text_stream) == GOOD
            assert stream.get_final_message().usage.output_tokens == 15
        raw = client.messages.with_raw_response.create(model="echo", max_tokens=100, messages=USER)
        assert re.match(r"\d+;leaf=:[A-Za-z0-9+/=]+:;size=\d+;root=:", raw.headers["glasshouse-receipt"])
        assert client.messages.count_tokens(model="echo", messages=USER).input_tokens == 14
        assert "echo" in [model.id for model in client.models.list()]


def test_anthropic_tools_with_a_bearer_key(gateway: Served) -> None:
    with anthropic.Anthropic(base_url=gateway.url, auth_token=gateway.world.key, api_key=None, max_retries=0) as client:
        tools: Any = [TOOL]
        message = client.messages.create(model="echo", max_tokens=100, messages=USER, tools=tools)
        assert [block.type for block in message.content] == ["text", "tool_use"]
        with client.messages.stream(model="echo", max_tokens=100, messages=USER, tools=tools) as stream:
            final = stream.get_final_message()
        assert final.content[1].type == "tool_use"
        assert final.content[1].input == {"location": "Paris", "unit": "celsius"}


def test_anthropic_async(gateway: Served) -> None:
    async def main() -> None:
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=gateway.world.key, max_retries=0) as client:
            message = await client.messages.create(model="echo", max_tokens=100, messages=USER)
            assert message.usage.input_tokens == 25
            async with client.messages.stream(model="echo", max_tokens=100, messages=USER) as stream:
                assert "".join([text async for text in stream.text_stream]) == GOOD

    asyncio.run(main())


def test_anthropic_errors_are_its_own_exceptions(gateway: Served) -> None:
    with anthropic_client(gateway) as client:
        with pytest.raises(anthropic.NotFoundError, match=r"gateway\.model"):
            client.messages.create(model="none", max_tokens=1, messages=USER)
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            client.messages.create(model="echo", messages=USER, max_tokens=0)
        with pytest.raises(anthropic.PermissionDeniedError, match=r"gateway\.withheld"):
            client.messages.create(model="harm", max_tokens=100, messages=USER)
        with (
            pytest.raises(anthropic.APIStatusError, match=r"gateway\.withheld"),
            client.messages.stream(model="harm", max_tokens=100, messages=USER) as stream,
        ):
            stream.until_done()
    stranger = anthropic.Anthropic(base_url=gateway.url, api_key="sk-wrong", max_retries=0)
    with stranger, pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(model="echo", max_tokens=1, messages=USER)


# --- OpenAI


def openai_client(gateway: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.world.key, max_retries=0)


def test_openai_chat(gateway: Served) -> None:
    with openai_client(gateway) as client:
        completion = client.chat.completions.create(model="echo", messages=USER)
        assert completion.choices[0].message.content == GOOD
        options: Any = {"include_usage": True}
        chunks = list(client.chat.completions.create(model="echo", messages=USER, stream=True, stream_options=options))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == GOOD
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 10
        tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
        with client.chat.completions.stream(model="echo", messages=USER, tools=tools) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].message.tool_calls is not None
        assert final.choices[0].message.tool_calls[0].function.arguments == '{"location": "Paris"}'
        assert "echo" in [model.id for model in client.models.list()]
        assert client.models.retrieve("echo").id == "echo"


def test_openai_responses_and_embeddings(gateway: Served) -> None:
    with openai_client(gateway) as client:
        assert client.responses.create(model="echo", input="What is a firewall?").output_text == GOOD
        with client.responses.stream(model="echo", input="What is a firewall?") as stream:
            assert "".join(event.delta for event in stream if event.type == "response.output_text.delta") == GOOD
            assert stream.get_final_response().output_text == GOOD
        vectors = client.embeddings.create(model="echo", input=["a firewall", "a door"], encoding_format="float")
        assert len(vectors.data) == 2


def test_openai_async(gateway: Served) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.world.key, max_retries=0) as client:
            stream = await client.chat.completions.create(model="echo", messages=USER, stream=True)
            assert "".join([c.choices[0].delta.content or "" async for c in stream]) == GOOD
            answer = await client.responses.create(model="echo", input="What is a firewall?")
            assert answer.output_text == GOOD

    asyncio.run(main())


def test_openai_errors_are_its_own_exceptions(gateway: Served) -> None:
    with openai_client(gateway) as client:
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="none", messages=USER)
        assert missing.value.code == "gateway.model"
        with pytest.raises(openai.PermissionDeniedError) as withheld:
            client.responses.create(model="harm", input="What is a firewall?")
        assert withheld.value.code == "gateway.withheld"
        with pytest.raises(openai.APIError) as cut:
            list(client.chat.completions.create(model="harm", messages=USER, stream=True))
        assert cut.value.code == "gateway.withheld"
        *_, last = client.responses.create(model="harm", input="What is a firewall?", stream=True)
        assert last.type == "error"
        assert last.code == "gateway.withheld"
        with pytest.raises(openai.APIStatusError, match="no route"):
            client.files.list()


# --- the rest


def test_the_receipt_of_a_call_is_in_a_log_that_verifies(gateway: Served) -> None:
    with openai_client(gateway) as client:
        raw = client.chat.completions.with_raw_response.create(model="echo", messages=USER)
    index = raw.headers["glasshouse-receipt"].partition(";")[0]
    environ = {**os.environ, **gateway.world.environ}
    proof = gateway.world.home / "one.tlog-proof"
    glasshouse = [sys.executable, "-m", "glasshouse"]
    status, body = get(f"{gateway.url}/v1/receipts/{index}", **{"x-api-key": gateway.world.key})
    assert status == 200
    proof.write_bytes(body)
    policy = ["--policy", str(find_home(gateway.world.environ).log / "log.policy")]
    verified = subprocess.run(
        [*glasshouse, "verify", str(proof), *policy], env=environ, capture_output=True, check=False
    )
    assert verified.returncode == 0, verified.stderr.decode()


def test_a_worker_that_dies_loses_nothing_recorded_and_is_replaced(gateway: Served) -> None:
    threads = Path(f"/proc/{gateway.process.pid}/task").iterdir()
    children = [pid for thread in threads for pid in (thread / "children").read_text().split()]
    workers = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2
    before = len(gateway.world.entries())
    os.kill(int(workers[0]), signal.SIGKILL)
    answered = 0
    with anthropic.Anthropic(base_url=gateway.url, api_key=gateway.world.key, max_retries=4) as client:
        for _ in range(20):
            client.messages.create(model="echo", max_tokens=10, messages=USER)
            answered += 1
    outcomes = [entry for entry in gateway.world.entries()[before:] if entry.decision == "done"]
    assert len(outcomes) == answered == 20
    assert gateway.process.poll() is None


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_ends_the_call_and_the_log_says_so(gateway: Served, stream: bool) -> None:
    before = len(gateway.world.entries())
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    body = json.dumps({"model": "stall", "messages": USER, "stream": stream})
    headers = {"x-api-key": gateway.world.key, "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    if stream:
        assert connection.getresponse().status == 200
    wait_for_entries(gateway, before + 1)
    connection.close()
    wait_for_entries(gateway, before + 2)
    assert [entry.decision for entry in gateway.world.entries()[before:]] == ["permit", "interrupted"]


def wait_for_entries(gateway: Served, count: int) -> None:
    ends_at = time.monotonic() + 10
    while len(gateway.world.entries()) < count:
        assert time.monotonic() < ends_at
        threading.Event().wait(0.05)


STREAMS = 500


def test_of_500_concurrent_streams_none_is_lost_and_none_unrecorded(gateway: Served) -> None:
    before = len(gateway.world.entries())
    body = {"model": "echo", "messages": USER, "stream": True}
    headers = {"authorization": f"Bearer {gateway.world.key}"}

    async def one(session: aiohttp.ClientSession, number: int) -> int:
        url = f"{gateway.url}/v1/chat/completions"
        async with session.post(url, json=body | {"user": f"u{number}"}, headers=headers) as answer:
            assert answer.status == 200
            stream = await answer.read()
        assert b"data: [DONE]" in stream
        found = re.search(rb": glasshouse-receipt (\d+);", stream)
        assert found is not None
        return int(found[1])

    async def main() -> list[int]:
        connector, timeout = aiohttp.TCPConnector(limit=STREAMS), aiohttp.ClientTimeout(total=120)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            return await asyncio.gather(*(one(session, number) for number in range(STREAMS)))

    receipts = asyncio.run(main())
    assert len(set(receipts)) == STREAMS
    entries = gateway.world.entries()
    mine = {index for index in range(before, len(entries)) if entries[index].kind == "act.outcome"}
    assert set(receipts) == mine
    assert {entries[index].decision for index in mine} == {"done"}
    counts = [entry.count for entry in entries if entry.key == entries[receipts[0]].key]
    assert counts == list(range(1, len(counts) + 1))  # dense: none is missing


def test_measurements_and_logs_hold_no_word_of_a_prompt(gateway: Served) -> None:
    with openai_client(gateway) as client:
        client.chat.completions.create(model="echo", messages=[{"role": "user", "content": "the xyzzy firewall"}])
    status, measured = get(f"{gateway.url}/metrics")
    assert status == 200
    assert b'glasshouse_calls_total{dialect="openai.chat",model="echo",outcome="done",status="200"}' in measured
    log = (gateway.world.home / "serve.log").read_bytes()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith(b"{")]
    assert {"request_id", "dialect", "model", "status", "outcome", "seconds"} <= set(lines[-1])
    assert b"xyzzy" not in log + measured
    assert gateway.world.key.encode() not in log + measured


NODE = """
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
const [url, key] = process.argv.slice(2);
const messages = [{ role: "user", content: "What is a firewall?" }];
const a = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const whole = await a.messages.create({ model: "echo", max_tokens: 100, messages });
let streamed = "";
await a.messages.stream({ model: "echo", max_tokens: 100, messages }).on("text", (t) => (streamed += t)).finalMessage();
const o = new OpenAI({ baseURL: url + "/v1", apiKey: key, maxRetries: 0 });
const chat = await o.chat.completions.create({ model: "echo", messages });
let chunks = "";
for await (const c of await o.chat.completions.create({ model: "echo", messages, stream: true }))
  chunks += c.choices[0]?.delta?.content ?? "";
const response = await o.responses.create({ model: "echo", input: "What is a firewall?" });
let refused = "";
try {
  await a.messages.create({ model: "harm", max_tokens: 100, messages });
} catch (error) {
  refused = error.constructor.name;
}
const texts = [whole.content[0].text, streamed, chat.choices[0].message.content, chunks, response.output_text];
console.log(JSON.stringify({ texts, refused }));
"""


def test_node_clients(gateway: Served, tmp_path: Path) -> None:
    modules = os.environ.get("GLASSHOUSE_NODE_MODULES", "")
    if not shutil.which("node") or not (Path(modules) / "openai").is_dir() or not modules:
        pytest.skip("GLASSHOUSE_NODE_MODULES names no folder with @anthropic-ai/sdk and openai, or node is missing")
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "clients.mjs").write_text(NODE)
    command = ["node", "clients.mjs", gateway.url, gateway.world.key]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["texts"] == [GOOD] * 5
    assert found["refused"] == "PermissionDeniedError"
