"""The server's side of HTTP: what callers send is read exactly, bounded, and answered in order."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from glasshouse.gateway.asgi import ON_GONE
from glasshouse.gateway.wire.server import MAX_AHEAD, MAX_HEAD_BYTES, Connection

WITHIN_S = 5.0
POST = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Echoes what it was sent, whole or in chunks, or does what the path says."""
    if scope["path"] == "/fault":
        raise ValueError("a fault")
    body = b""
    more = scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    headers = [(b"content-type", b"text/plain")]
    said = scope["path"].encode() + b"?" + scope["query_string"] + b"|" + body
    if scope["path"] != "/chunks":
        headers.append((b"content-length", str(len(said)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/chunks":
        for part in (body[:2], b"", body[2:]):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    else:
        await send({"type": "http.response.body", "body": said})


class Client:
    """A raw connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One answer from the connection."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        if "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        else:
            body = await self.reader.read()
        return int(head[0].split()[1]), headers, body

    async def ask(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        self.writer.write(raw)
        return await self.answer()


@asynccontextmanager
async def serving(app: Callable[..., Any] = application, **more: Any) -> AsyncIterator[Callable[[], Any]]:
    """Yields a function that connects."""
    config, state, loop = SimpleNamespace(loaded_app=app), ServerState(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(config, state, {}, loop, **more), "127.0.0.1", 0)  # type: ignore[arg-type]
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection(*server.sockets[0].getsockname())))
        return clients[-1]

    try:
        yield connect
    finally:
        for client in clients:
            client.writer.close()
        server.close()
        await server.wait_closed()


def run(main: Callable[[Client], Any], app: Callable[..., Any] = application, **more: Any) -> None:
    """Runs a conversation over one connection."""

    async def whole() -> None:
        async with serving(app, **more) as connect:
            await asyncio.wait_for(main(await connect()), WITHIN_S)

    asyncio.run(whole())


def test_requests_over_one_connection_are_answered_in_order_also_when_sent_ahead() -> None:
    async def main(client: Client) -> None:
        client.writer.write(POST + b"GET /second?a=%20b HTTP/1.1\r\nhost: x\r\n\r\n" + POST)
        bodies = [(await client.answer())[2] for _ in range(3)]
        assert bodies == [b"/echo?|hello", b"/second?a=%20b|", b"/echo?|hello"]

    run(main)


def test_a_caller_that_sends_far_ahead_waits_and_loses_nothing() -> None:
    async def main(client: Client) -> None:
        client.writer.write(POST * (5 * MAX_AHEAD))
        for _ in range(5 * MAX_AHEAD):
            assert (await client.answer())[2] == b"/echo?|hello"

    run(main)


@settings(max_examples=25, deadline=None)
@given(body=st.binary(max_size=2_000), cuts=st.lists(st.integers(1, 400), max_size=8), chunked=st.booleans())
def test_a_body_arrives_whole_however_it_is_cut(body: bytes, cuts: list[int], chunked: bool) -> None:
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked and body else b"0\r\n\r\n" if chunked else body
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(body)
    raw = b"POST /echo HTTP/1.1\r\nhost: x\r\n" + length + b"\r\n\r\n" + framed

    async def main(client: Client) -> None:
        rest = raw
        for cut in cuts:
            client.writer.write(rest[:cut])
            rest = rest[cut:]
            await asyncio.sleep(0)
        assert (await client.ask(rest))[2] == b"/echo?|" + body

    run(main)


def test_a_large_body_waits_until_it_is_read() -> None:
    body = bytes(range(256)) * 8_192

    async def main(client: Client) -> None:
        raw = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
        assert (await client.ask(raw + body))[2] == b"/echo?|" + body

    run(main)


def test_an_answer_of_unknown_length_goes_in_chunks_or_to_the_end_of_the_connection() -> None:
    async def main(client: Client) -> None:
        status, headers, body = await client.ask(POST.replace(b"/echo", b"/chunks"))
        assert (status, headers["transfer-encoding"], body) == (200, "chunked", b"hello")
        status, headers, body = await client.ask(POST.replace(b"/echo", b"/chunks").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (status, headers["connection"], body) == (200, "close", b"hello")

    run(main)


def test_a_head_request_gets_no_body_and_a_hesitant_caller_is_told_to_continue() -> None:
    async def main(client: Client) -> None:
        client.writer.write(b"HEAD /echo HTTP/1.1\r\nhost: x\r\n\r\n")
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 7" in head
        client.writer.write(POST.replace(b"host: x", b"expect: 100-continue").removesuffix(b"hello"))
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client.ask(b"hello"))[2] == b"/echo?|hello"

    run(main)


BAD = [
    b"POST /echo HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    b"POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
    b"POST /echo HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n",
    b"POST /echo HTTP/1.1\r\ncontent-length: 5, 6\r\n\r\n",
    b"POST /echo HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    b"POST /echo HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
    b"POST /echo HTTP/1.1\r\ntransfer-encoding : chunked\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
    b"POST /echo HTTP/1.1\nhost: x\n\n",
    b"POST /echo\xff HTTP/1.1\r\nhost: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nx: a\0b\r\n\r\n",
    b"CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"POST /echo HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n",
]


@pytest.mark.parametrize("raw", BAD)
def test_what_two_parsers_could_read_differently_is_refused_and_ends_the_connection(raw: bytes) -> None:
    async def main(client: Client) -> None:
        status, headers, _ = await client.ask(raw)
        assert (status, headers["connection"]) == (400, "close")
        assert await client.reader.read() == b""

    run(main)


@pytest.mark.parametrize("endless", [b"a" * 200_000, b"x: y" + b"z" * 200_000])
def test_a_head_without_an_end_is_refused(endless: bytes) -> None:
    assert len(endless) > MAX_HEAD_BYTES

    async def main(client: Client) -> None:
        client.writer.write(b"GET /echo HTTP/1.1\r\nhost: x\r\n" + endless)
        assert (await client.answer())[0] in (400, 431)

    run(main)


def test_a_head_that_never_comes_and_a_connection_that_rests_are_ended() -> None:
    async def slow(client: Client) -> None:
        client.writer.write(b"POST /echo HTTP/1.1\r\nhost: x\r\n")
        assert await client.reader.read() == b""

    async def rests(client: Client) -> None:
        await client.ask(POST)
        assert await client.reader.read() == b""

    async def owes(client: Client) -> None:
        client.writer.write(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        assert (await client.answer())[0] == 200
        assert await client.reader.read() == b""

    async def leaves(client: Client) -> None:
        raw = b"POST /early HTTP/1.1\r\nconnection: close\r\ncontent-length: 5\r\n\r\n"
        assert (await client.ask(raw))[0] == 200
        client.writer.write(b"hello" + POST)
        assert await client.reader.read() == b""

    run(owes, head_timeout_s=0.05)
    run(leaves)
    run(slow, head_timeout_s=0.05)
    run(rests, head_timeout_s=0.05, idle_timeout_s=0.1)


@pytest.mark.parametrize("cut", [20, 60, 104, 107, 200])
def test_a_request_that_offers_another_protocol_is_answered_in_this_one(cut: int) -> None:
    async def main(client: Client) -> None:
        raw = POST.replace(b"host: x", b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAA")
        raw += POST.replace(b"hello", b"later")
        client.writer.write(raw[:cut])
        await asyncio.sleep(0)
        client.writer.write(raw[cut:])
        assert [(await client.answer())[2] for _ in range(2)] == [b"/echo?|hello", b"/echo?|later"]

    run(main)


def test_two_framings_are_refused_also_behind_the_offer_of_another_protocol() -> None:
    async def main(client: Client) -> None:
        raw = POST.replace(b"host: x", b"connection: upgrade\r\nupgrade: h2c\r\ntransfer-encoding: chunked")
        assert (await client.ask(raw))[0] == 400

    run(main)


def test_an_answer_before_the_end_of_the_body_is_delivered_and_the_connection_goes_on() -> None:
    async def main(client: Client) -> None:
        client.writer.write(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100)
        assert (await client.answer())[0] == 200
        assert (await client.ask(b"x" * 99_900 + POST))[2] == b"/echo?|hello"

    run(main)


def test_a_fault_of_the_application_is_an_error_without_its_text() -> None:
    async def main(client: Client) -> None:
        status, headers, body = await client.ask(POST.replace(b"/echo", b"/fault"))
        assert (status, headers["connection"]) == (500, "close")
        assert b"a fault" not in body

    run(main)


def test_an_application_learns_that_its_caller_has_gone() -> None:
    async def whole() -> None:
        began, gone, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            scope[ON_GONE](told.set)
            began.set()
            assert (await receive())["type"] == "http.disconnect"
            gone.set()

        async with serving(waits) as connect:
            client = await connect()
            client.writer.write(POST)
            await asyncio.wait_for(began.wait(), WITHIN_S)
            client.writer.close()
            await asyncio.wait_for(gone.wait(), WITHIN_S)
            assert told.is_set()

    asyncio.run(whole())


def test_what_a_call_held_is_freed_with_it_and_does_not_wait_for_the_garbage_collector() -> None:
    held: list[weakref.ref[Any]] = []

    class Weight:
        """Something large."""

    async def keeps(scope: Any, receive: Any, send: Any) -> None:
        weight = scope["weight"] = Weight()
        held.append(weakref.ref(weight))
        scope[ON_GONE](lambda: None)
        await application(scope, receive, send)

    async def main(client: Client) -> None:
        gc.disable()
        try:
            for _ in range(3):
                assert (await client.ask(POST))[0] == 200
            await asyncio.sleep(0)
            assert [each() for each in held[:2]] == [None, None]
        finally:
            gc.enable()

    run(main, keeps)


def test_a_caller_that_does_not_read_holds_the_application_up_and_no_memory() -> None:
    async def whole() -> None:
        sent = 0
        part = b"x" * 100_000

        async def floods(scope: Any, receive: Any, send: Any) -> None:
            nonlocal sent
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(1_000):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                sent += 1
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        async with serving(floods) as connect:
            client = await connect()
            client.writer.write(POST)
            await client.reader.readuntil(b"\r\n\r\n")
            for _ in range(200):
                await asyncio.sleep(0)
            assert sent < 500
            client.writer.transport.abort()

    asyncio.run(whole())
