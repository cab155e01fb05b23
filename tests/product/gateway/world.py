"""A small world for the gateway: a home with an organisation and its keys, an upstream, and the application."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.product.gateway.upstream import FAULTS, LocalUpstream

from glasshouse.access import register
from glasshouse.access.criteria import criteria
from glasshouse.door.door import Door
from glasshouse.door.home import find_home
from glasshouse.gateway.app import Application
from glasshouse.gateway.settings import GatewaySettings, settings_from
from glasshouse.ledger import Entry, Ledger
from glasshouse.words.engagement import Engagement, Scope, Term
from glasshouse.words.party import CriterionCheck, Organisation, Workload

MODELS = ("echo", "harm", "gated", *FAULTS)
DENIES_AT = 90
CAPABILITIES = ("model.call", "code.scan", "vulnerability.forecast", "events.respond")


class World:
    """The home and what is registered in it; times are real, because the application's are."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ: dict[str, str] = {"GLASSHOUSE_HOME": str(home), "UPSTREAM_KEY": "sk-upstream-secret"}
        with Door.open(self.environ) as door:
            tables, now = door.tables, int(time.time())
            register.apply(tables, Organisation("acme", "Acme"))
            for each in criteria():
                register.record_check(tables, "acme", CriterionCheck(each.id, True, "reviewer", now, "0" * 64))
            register.move_organisation(tables, "acme", "vet")
            register.add_workload(tables, Workload("robot", "acme", "Robot"))
        self.key = self.engage("audit")

    def engage(self, name: str, **more: Any) -> str:
        """A new active engagement, and a key under it."""
        now = int(time.time())
        values: dict[str, Any] = {
            "scope": Scope(models=("*",)),
            "misuse_denies_at": DENIES_AT,
            "capabilities": CAPABILITIES,
            "tier": 2,
            "term": Term(now - 10, now + 86_400),
        }
        engagement = Engagement(id=name, organisation="acme", purpose="tests", **(values | more))
        with Door.open(self.environ) as door:
            register.draft(door.tables, engagement)
            register.move_engagement(door.tables, name, "request")
            register.move_engagement(door.tables, name, "activate")
            key, _ = register.issue_key(door.tables, door.home.pepper(), "robot", name, now - 5, 86_400)
        return key.text

    def change(self, action: Callable[[Door], object]) -> None:
        """Changes the register as an administrator would, in another process's way."""
        with Door.open(self.environ) as door:
            action(door)

    def entries(self) -> list[Entry]:
        """Everything in the log, oldest first."""
        log = Ledger.read(find_home(self.environ).log)
        try:
            return [entry for _, entry in log.entries()]
        finally:
            log.close()

    def payload(self, index: int, name: str = "event") -> dict[str, Any]:
        """A sealed payload of an entry that is a JSON object, opened."""
        found: dict[str, Any] = json.loads(self.sealed(index, name))
        return found

    def sealed(self, index: int, name: str) -> bytes:
        """A sealed payload of an entry, opened."""
        log = Ledger.read(find_home(self.environ).log)
        try:
            return log.payload(index, name)
        finally:
            log.close()

    def last_event(self) -> dict[str, Any]:
        """The event of the newest entry."""
        return self.payload(len(self.entries()) - 1)

    def settings(self, upstream_port: int, **more: Any) -> GatewaySettings:
        """Settings with every model of the local upstream, in both families."""
        table = configuration(upstream_port)
        for name, value in more.items():
            table[name] = table[name] | value if isinstance(value, dict) and name in table else value
        return settings_from(table, "world")


def configuration(upstream_port: int) -> dict[str, Any]:
    """The ``[gateway]`` table for the local upstream, which only ``stall`` is not given all the time it takes."""
    base = f"http://127.0.0.1:{upstream_port}"
    patient = {"connect_timeout_s": 30.0, "first_byte_timeout_s": 30.0, "idle_timeout_s": 30.0, "connect_retries": 0}
    hasty = patient | {"first_byte_timeout_s": 1.0, "idle_timeout_s": 1.0}
    model = {"upstreams": ["claude", "gpt"], "longest_answer": 1000, "price": {"input": 3.0, "output": 15.0}}
    upstreams = {
        prefix + name: {"family": family, "url": url, "key_env": "UPSTREAM_KEY", **timeouts}
        for prefix, timeouts in (("", patient), ("hasty-", hasty))
        for name, family, url in (("claude", "anthropic", base), ("gpt", "openai", f"{base}/v1"))
    }
    return {
        "upstreams": upstreams,
        "models": dict.fromkeys(MODELS, model) | {"stall": model | {"upstreams": ["hasty-claude", "hasty-gpt"]}},
        "limits": {"max_body_bytes": 1_000_000, "max_answer_bytes": 2_000_000, "body_timeout_s": 1.0},
    }


class Answer(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: list[bytes]

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Speaks ASGI to the application, as a server would, so that a test sees every chunk as it leaves."""

    def __init__(self, application: Application, upstream: LocalUpstream, world: World) -> None:
        self.application, self.upstream, self.world = application, upstream, world

    async def call(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = "",
        method: str = "POST",
        headers: Sequence[tuple[str, str]] = (),
        query: bytes = b"",
        leave: asyncio.Event | None = None,
        on_chunk: Callable[[bytes], None] = lambda chunk: None,
        parts: list[bytes] | None = None,
    ) -> Answer:
        """One request.  ``leave`` set: the caller goes away.  ``key`` None: none is sent."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        if key is not None:
            sent.append((b"x-api-key", (key or self.world.key).encode()))
        if not any(name == b"content-type" for name, _ in sent):
            sent.append((b"content-type", b"application/json"))
        waiting = parts if parts is not None else [raw]
        gone = leave or asyncio.Event()
        messages = [
            {"type": "http.request", "body": part, "more_body": number < len(waiting) - 1}
            for number, part in enumerate(waiting)
        ]
        answer = Answer(0, {}, b"", [])

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            elif message.get("body"):
                answer.chunks.append(message["body"])
                on_chunk(message["body"])

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
            "headers": sent, "client": ("192.0.2.7", 4711), "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await self.application(scope, receive, send)
        answer.body = b"".join(answer.chunks)
        return answer


@asynccontextmanager
async def served(
    world: World, open_door: Callable[[Mapping[str, str]], Door] = Door.open, **more: Any
) -> AsyncIterator[Caller]:
    """The application in this event loop, with a local upstream behind it."""
    async with LocalUpstream() as upstream:
        application = Application(world.settings(upstream.port, **more), world.environ, open_door)
        started, stop = asyncio.Event(), asyncio.Event()
        failures: list[str] = []
        messages = [{"type": "lifespan.startup"}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await stop.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                failures.append(message["message"])
            started.set()

        life = asyncio.ensure_future(application({"type": "lifespan"}, receive, send))
        await started.wait()
        assert failures == []
        try:
            yield Caller(application, upstream, world)
        finally:
            stop.set()
            await life


def outcomes(world: World) -> list[dict[str, Any]]:
    """What the outcome entries say, oldest first."""
    found = [index for index, entry in enumerate(world.entries()) if entry.kind == "act.outcome"]
    return [world.payload(index)["unmapped"] for index in found]


def denials(world: World) -> int:
    """How many denials the log holds."""
    return sum(1 for entry in world.entries() if entry.kind == "act.denied")


ASKS: dict[str, dict[str, Any]] = {
    "/v1/messages": {"max_tokens": 100, "messages": [{"role": "user", "content": "What is a firewall?"}]},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "What is a firewall?"}]},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "What is a firewall?"}]},
    "/v1/responses": {"input": "What is a firewall?"},
    "/v1/embeddings": {"input": ["What is a firewall?"]},
}
STREAMED = ("/v1/messages", "/v1/chat/completions", "/v1/responses")


def ask(path: str, model: str = "echo", **more: Any) -> dict[str, Any]:
    """A plain request for a route."""
    return {"model": model, **ASKS[path], **more}
