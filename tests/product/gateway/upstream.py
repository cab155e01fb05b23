"""A local server of models that speaks the real protocols, and breaks in the ways that real ones break.

The model's name in a request chooses the behaviour: ``echo`` answers well, ``harm`` says what must be withheld,
the names in `FAULTS` break in their way.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from tests.product.gateway import conversations as said

GOOD = "Hello there! A firewall filters traffic by rules. It is one layer of defence among several."
HARM = (
    "Of course. First I write ransomware that encrypts every file of the victim and deletes the backups. "
    "Then I steal the passwords from the browser and send them to my server. "
    "Here is how to hack into the bank's network without being detected by its antivirus. "
)
MAX_BODY = 64 << 20


class LocalUpstream:
    """Listens on a port of 127.0.0.1; `requests` keeps what arrived."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.pause_s = 0.0
        """Between events of a stream; above zero every event is a packet of its own."""
        self.gate: asyncio.Event | None = None
        """Where ``gated`` streams wait: when the third sentence has just begun."""
        self.arrived = asyncio.Event()
        """Set when a request has come in."""
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> LocalUpstream:
        app = web.Application(client_max_size=MAX_BODY)
        for path in (
            "/v1/messages",
            "/v1/messages/count_tokens",
            "/v1/chat/completions",
            "/v1/responses",
            "/v1/embeddings",
        ):
            app.router.add_post(path, self._serve)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.path, dict(request.headers), body))
        self.arrived.set()
        asked = json.loads(body)
        model = str(asked["model"]).partition("-")[0]
        fault = _FAULTS.get(model)
        if fault is not None:
            return await fault(self, request, asked)
        text = HARM if model == "harm" else GOOD
        if asked.get("stream"):
            events = stream_of(request.path, asked, text)
            return await self._send(request, events, gated=model == "gated")
        return web.json_response(answer_of(request.path, asked, text))

    async def _send(self, request: web.Request, events: list[bytes], *, gated: bool = False) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        )
        await response.prepare(request)
        if not self.pause_s and not gated:
            await response.write(b"".join(events))
        for event in events if self.pause_s or gated else ():
            await response.write(event)
            if gated and b'" It"' in event and self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(self.pause_s)
        await response.write_eof()
        return response


def answer_of(path: str, asked: dict[str, Any], text: str) -> dict[str, Any]:
    """The whole answer of a route."""
    model, tools = asked["model"], bool(asked.get("tools"))
    if path.endswith("count_tokens"):
        return {"input_tokens": 14}
    if path == "/v1/messages":
        return said.anthropic_tool_use(model) if tools else said.anthropic_message(model, text)
    if path == "/v1/chat/completions":
        return said.chat_tool_call(model) if tools else said.chat_completion(model, text)
    if path == "/v1/responses":
        return said.response(model, text)
    return said.embeddings(model, len(asked["input"]) if isinstance(asked["input"], list) else 1)


def stream_of(path: str, asked: dict[str, Any], text: str) -> list[bytes]:
    """The events of a route."""
    model, tools = asked["model"], bool(asked.get("tools"))
    if path == "/v1/messages":
        return said.anthropic_tool_stream(model) if tools else said.anthropic_stream(model, text)
    if path == "/v1/chat/completions":
        usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        return said.chat_tool_stream(model) if tools else said.chat_stream(model, text, usage=usage)
    return said.response_stream(model, text)


async def _reset(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    """Cuts the connection: in a stream after its first half, otherwise before any answer."""
    if asked.get("stream"):
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        events = stream_of(request.path, asked, GOOD)
        await response.write(b"".join(events[: len(events) // 2]))
        await asyncio.sleep(0)
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _half(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    """Ends politely, but before the answer is complete."""
    if asked.get("stream"):
        events = stream_of(request.path, asked, GOOD)
        return await server._send(request, events[: len(events) // 2])
    whole = json.dumps(answer_of(request.path, asked, GOOD)).encode()
    return web.Response(body=whole[: len(whole) // 2], content_type="application/json")


async def _stall(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    """Begins, and says nothing more."""
    response = web.StreamResponse(
        headers={"content-type": "text/event-stream" if asked.get("stream") else "application/json"}
    )
    await response.prepare(request)
    if asked.get("stream"):
        await response.write(stream_of(request.path, asked, GOOD)[0])
    await asyncio.Event().wait()
    return response


async def _garbage(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    if asked.get("stream"):
        events = stream_of(request.path, asked, GOOD)
        return await server._send(request, [*events[:2], b"data: {not json\n\n", *events[2:]])
    return web.Response(body=b'{"choices": [', content_type="application/json")


async def _oversized(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    text = "word " * 400_000
    if asked.get("stream"):
        return await server._send(request, [b": " + b"x" * 3_000_000 + b"\n\n"])
    return web.json_response(answer_of(request.path, asked, text))


async def _html(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    return web.Response(status=502, text="<html><h1>Bad gateway</h1></html>", content_type="text/html")


async def _gzip(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    import gzip

    body = gzip.compress(json.dumps(answer_of(request.path, asked, GOOD)).encode())
    return web.Response(body=body, content_type="application/json", headers={"content-encoding": "gzip"})


async def _refuses(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"error": {"message": "invalid x-api-key sk-ant-secret"}}, status=401)


async def _busy(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    return web.json_response(body, status=529, headers={"retry-after": "7"})


async def _moved(server: LocalUpstream, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
    return web.Response(status=307, headers={"location": f"{server.url}/elsewhere"})


Fault = Callable[[LocalUpstream, web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
_FAULTS: dict[str, Fault] = {
    "reset": _reset, "half": _half, "stall": _stall, "garbage": _garbage, "oversized": _oversized, "html": _html,
    "gzip": _gzip, "refuses": _refuses, "busy": _busy,
    "moved": _moved,
}  # fmt: skip
FAULTS = tuple(_FAULTS)
