"""The client's side of HTTP: answers are read exactly, connections are kept only when nothing is left on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.gateway.wire.client import (
    MAX_FRAMING_BYTES,
    BrokenAnswerError,
    ConnectError,
    Pool,
    Target,
)

WITHIN_S = 5.0
REQUEST = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
GOOD = b"HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 5\r\n\r\nhello"


class Server:
    """Answers each request with the next of the given bytes; ``b"close"`` at an end closes the connection."""

    def __init__(self, answers: list[list[bytes]]) -> None:
        self.answers = answers
        self.connections = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                await reader.readexactly(len(REQUEST))
                for part in self.answers.pop(0):
                    if part == b"close":
                        return
                    if part == b"wait":
                        await reader.read(1)
                        return
                    writer.write(part)
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def pooled(answers: list[list[bytes]], most: int = 8, keep_s: float = 60.0) -> AsyncIterator[tuple[Pool, Server]]:
    server = Server(answers)
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    pool = Pool(Target(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"), most, WITHIN_S, keep_s)
    try:
        yield pool, server
    finally:
        pool.close()
        listening.close()
        await listening.wait_closed()


async def ask(pool: Pool) -> tuple[int, dict[bytes, bytes], bytes]:
    connection = await pool.take()
    try:
        connection.send(REQUEST)
        await connection.answered()
        parts = []
        while part := await connection.read():
            parts.append(part)
        return connection.status, connection.headers, b"".join(parts)
    finally:
        connection.release()


def run(main: Awaitable[None]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(main, WITHIN_S)

    asyncio.run(whole())


@settings(max_examples=25, deadline=None)
@given(body=st.binary(max_size=500), cuts=st.lists(st.integers(1, 60), max_size=10), way=st.sampled_from("lcx"))
def test_an_answer_arrives_whole_however_it_is_cut_and_framed(body: bytes, cuts: list[int], way: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\n"
    if way == "l":
        raw = head + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    elif way == "c":
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        raw = head + b"transfer-encoding: chunked\r\n\r\n" + chunk + b"0\r\nt: railer\r\n\r\n"
    else:
        raw = head + b"\r\n" + body
    parts = []
    for cut in cuts:
        parts.append(raw[:cut])
        raw = raw[cut:]
    parts.append(raw)

    async def main() -> None:
        async with pooled([[*parts, b"close"]]) as (pool, _):
            status, headers, got = await ask(pool)
            assert (status, headers[b"x-a"], got) == (200, b"1, 2", body)
            assert b"t" not in headers

    run(main())


def test_a_connection_is_used_again_and_interim_answers_are_passed_over() -> None:
    async def main() -> None:
        async with pooled([[b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", GOOD], [GOOD], [GOOD]]) as (pool, server):
            for _ in range(3):
                status, headers, body = await ask(pool)
                assert (status, body, b"link" in headers) == (200, b"hello", False)
            assert server.connections == 1

    run(main())


@pytest.mark.parametrize(
    "first",
    [
        [GOOD + b"HTTP/1.1 200 OK\r\n"],
        [GOOD + GOOD.replace(b"hello", b"other")],
        [GOOD.replace(b"content-type", b"connection: close\r\ncontent-type")],
        [GOOD.replace(b"HTTP/1.1", b"HTTP/1.0")],
        [GOOD, b"close"],
    ],
)
def test_a_connection_with_anything_left_on_it_is_not_used_again(first: list[bytes]) -> None:
    async def main() -> None:
        async with pooled([first, [GOOD]]) as (pool, server):
            assert (await ask(pool))[2] == b"hello"
            for _ in range(5):  # what comes late is seen by then
                await asyncio.sleep(0)
            assert (await ask(pool))[2] == b"hello"
            assert server.connections == 2

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        [b"close"],
        [GOOD[:-1], b"close"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", b"close"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nhello"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
        [b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"],
        [b"SSH-2.0-OpenSSH\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nx: " + b"y" * MAX_FRAMING_BYTES, b"z" * 1000, b"wait"],
        [b"HTTP/1.1 100 Continue\r\n\r\n" * 4000, b"wait"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nt: " + b"y" * 2 * MAX_FRAMING_BYTES, b"wait"],
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_an_error(answer: list[bytes]) -> None:
    async def main() -> None:
        async with pooled([answer, [GOOD]]) as (pool, _):
            with pytest.raises(BrokenAnswerError):
                await ask(pool)
            assert (await ask(pool))[2] == b"hello"

    run(main())


def test_there_are_never_more_connections_than_allowed_and_who_waits_gets_one() -> None:
    async def main() -> None:
        async with pooled([[GOOD] for _ in range(20)], most=2) as (pool, server):
            answers = await asyncio.gather(*(ask(pool) for _ in range(20)))
            assert {body for _, _, body in answers} == {b"hello"}
            assert server.connections <= 2

    run(main())


def test_who_stops_waiting_for_a_connection_does_not_keep_others_from_it() -> None:
    async def main() -> None:
        async with pooled([[GOOD], [GOOD]], most=1) as (pool, _):
            taken = await pool.take()
            waits, follows = asyncio.ensure_future(ask(pool)), asyncio.ensure_future(ask(pool))
            await asyncio.sleep(0)
            taken.send(REQUEST)
            await taken.answered()
            assert await taken.read() == b"hello"
            taken.release()
            waits.cancel()
            assert (await follows)[2] == b"hello"

    run(main())


def test_a_connection_that_rested_too_long_is_ended() -> None:
    async def main() -> None:
        async with pooled([[GOOD], [GOOD]], keep_s=0.0) as (pool, server):
            await ask(pool)
            pool.prune()
            await ask(pool)
            assert server.connections == 2

    run(main())


def test_an_upstream_that_sends_faster_than_it_is_read_waits() -> None:
    body = b"x" * 8_000_000

    async def main() -> None:
        whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        async with pooled([[whole]]) as (pool, _):
            connection = await pool.take()
            connection.send(REQUEST)
            await connection.answered()
            for _ in range(100):
                await asyncio.sleep(0)
            first = await connection.read()
            assert len(first) < 1_000_000
            size = len(first)
            while part := await connection.read():
                size += len(part)
            assert size == len(body)
            connection.release()

    run(main())


def test_no_connection_is_an_error_that_says_so() -> None:
    async def main() -> None:
        for url in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
            with pytest.raises(ConnectError):
                await Pool(Target(url), 1, WITHIN_S, 1.0).take()

    run(main())


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("http://127.0.0.1:8080/v1/", b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:8080\r\na: b\r\n"),
        ("http://[::1]:8080", b"POST /chat HTTP/1.1\r\nhost: [::1]:8080\r\na: b\r\n"),
        ("https://api.example/a b\r\n", b"POST /a%20b/chat HTTP/1.1\r\nhost: api.example\r\na: b\r\n"),
        ("http://m\u00fcller.example", b"POST /chat HTTP/1.1\r\nhost: xn--mller-kva.example\r\na: b\r\n"),
    ],
)
def test_the_head_of_a_request_names_host_and_path_as_http_wants_them(url: str, begins: bytes) -> None:
    assert Target(url).head("/chat", {"a": "b"}) == begins


def test_looking_for_an_upstream_keeps_no_connection_and_says_when_there_is_none() -> None:
    async def main() -> None:
        async with pooled([], most=1) as (pool, _):
            await pool.reach()
            assert not pool._idle
        with pytest.raises(ConnectError):
            await Pool(Target("http://127.0.0.1:9"), 8, WITHIN_S, 60.0).reach()

    run(main())


def test_looking_for_an_upstream_takes_no_connection_from_calls() -> None:
    async def main() -> None:
        async with pooled([[GOOD]], most=1) as (pool, server):
            connection = await pool.take()
            await pool.reach()
            connection.send(REQUEST)
            await connection.answered()
            connection.release()
            assert server.connections == 1

    run(main())
