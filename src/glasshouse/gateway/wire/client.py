"""Connections to one upstream: kept, counted, each used for one request at a time.

llhttp reads the answers.  Everything is bounded: how long a connection may take, how many there are, how large a head
is, how much of an answer waits here unread.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import httptools

MAX_FRAMING_BYTES = 65_536
"""Head, trailers and chunk sizes: what may come in a row that is no content."""
MAX_HEADERS = 256
HIGH_WATER_BYTES = 262_144
"""Unread bytes from which on the upstream has to wait."""
ADDRESS_PAUSE_S = 0.25
"""How long one address of a name gets before the next is tried as well (RFC 8305)."""
_BODILESS: Final = frozenset({204, 304})


class ConnectError(Exception):
    """No connection could be made, so nothing was sent; the text is the kind of the cause."""


class BrokenAnswerError(Exception):
    """The connection ended before the answer did, or what came is no answer."""


class Target:
    """Where an upstream is: how it is connected to, and how requests to it begin."""

    def __init__(self, url: str, ca_file: str = "") -> None:
        parts = urlsplit(url)
        name = parts.hostname or ""
        self.host = name if ":" in name else name.encode("idna").decode("ascii")
        self.tls = ssl.create_default_context(cafile=ca_file or None) if parts.scheme == "https" else None
        self.port = parts.port or (443 if self.tls else 80)
        self._base = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._").encode("ascii")
        host = f"[{self.host}]" if ":" in self.host else self.host
        self._host = (host if parts.port is None else f"{host}:{parts.port}").encode("ascii")

    def head(self, path: str, headers: Mapping[str, str]) -> bytes:
        """What every ``POST`` to ``path`` begins with, up to its own headers."""
        lines = [b"POST %b%b HTTP/1.1\r\nhost: %b\r\n" % (self._base, path.encode("ascii"), self._host)]
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()]
        return b"".join(lines)


class Connection(asyncio.Protocol):
    """One connection; `Pool` hands it out for one request and takes it back when the answer was read to its end."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._busy = self._lost = self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._clear()

    def _clear(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self._seen = self._framing = 0
        self._head_done = self._complete = self._reusable = self._until_close = False
        self._chunks: list[bytes] = []
        self._unread = 0
        self._error: str | None = None

    # --- what the pool and a request use

    def send(self, data: bytes) -> None:
        """Begins a request."""
        assert self._transport is not None
        self._clear()
        self._busy = True
        self._transport.write(data)

    async def answered(self) -> None:
        """Returns when the head of the answer is there; `BrokenAnswerError` when none will come."""
        while not self._head_done:
            await self._more()

    async def read(self) -> bytes:
        """The next bytes of the answer, all that are there; empty at its end."""
        while (found := self.ready()) is None:
            await self._more()
        return found

    def ready(self) -> bytes | None:
        """What `read` would return without waiting; None if it would wait."""
        if not self._chunks:
            return b"" if self._complete else None
        chunks, self._chunks, self._unread = self._chunks, [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def release(self) -> None:
        """Gives the connection back; one whose answer was not read to its end is closed."""
        if self._busy:
            self._busy = False
            fit = self._complete and self._reusable and not self._lost and not self._chunks and self._error is None
            self._pool.take_back(self, fit=fit)

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.abort()

    async def _more(self) -> None:
        if self._error is not None or self._lost:
            raise BrokenAnswerError(self._error or "the connection was closed")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- what the transport and the parser call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # other event loops have classes of their own
        self._pool.made(self)

    def data_received(self, data: bytes) -> None:
        if self._error is not None:
            return
        if not self._busy or self._complete:
            self._fail("bytes came that belong to no request")
            return
        self._framing += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"the answer is no HTTP ({type(error).__name__})")
            return
        if self._framing > MAX_FRAMING_BYTES:
            self._fail(f"head or framing of the answer is larger than {MAX_FRAMING_BYTES} bytes")
            return
        if self._unread > HIGH_WATER_BYTES and not self._paused:
            assert self._transport is not None
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        if self._until_close and error is None and self._error is None:
            self._complete = True
        self._parser = None
        self._wake()
        self._pool.forget(self)

    def _fail(self, what: str) -> None:
        self._error = what
        self.close()
        self._wake()

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("the upstream answered twice")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:
            return  # trailers mean nothing here
        self._seen += 1
        if self._seen > MAX_HEADERS:
            raise ValueError("too many headers")
        name = name.lower()
        known = self.headers.get(name)
        self.headers[name] = value if known is None else known + b", " + value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self.headers.clear()
            return
        if self.headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise ValueError("the answer has an unknown transfer encoding")
        self.status, self._head_done = status, True
        self._reusable = self._parser.should_keep_alive()
        framed = b"content-length" in self.headers or b"transfer-encoding" in self.headers
        self._until_close = not framed and status not in _BODILESS

    def on_body(self, body: bytes) -> None:
        self._framing = 0
        self._chunks.append(body)
        self._unread += len(body)

    def on_message_complete(self) -> None:
        if self._head_done:  # else it was an interim answer
            self._complete = True


class Pool:
    """The connections to one upstream.  Made inside the event loop."""

    def __init__(self, target: Target, most: int, connect_timeout_s: float, keep_s: float) -> None:
        self._target, self._most = target, most
        self._connect_timeout_s, self._keep_s = connect_timeout_s, keep_s
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> Connection:
        """A connection for one request; `ConnectError` when none can be made."""
        while True:
            now = time.monotonic()
            while self._idle:
                connection = self._idle.pop()
                if now - connection.idle_since < self._keep_s:
                    return connection
                connection.close()
            if len(self._open) + self._opening < self._most:
                return await self._connect()
            await self._turn()

    async def reach(self) -> None:
        """Makes sure that the upstream takes connections, with one that is closed at once; `ConnectError` if not.

        Does nothing while as many as may be are open, which shows it too.
        """
        if len(self._open) + self._opening < self._most:
            self.take_back(await self._connect(pause_s=None), fit=False)

    def made(self, connection: Connection) -> None:
        """A connection has begun."""
        self._open.add(connection)

    def take_back(self, connection: Connection, *, fit: bool) -> None:
        """Keeps a connection for the next request, or ends it."""
        if fit:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()
        self._next()

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._next()

    def prune(self) -> None:
        """Ends connections that were idle for too long."""
        now = time.monotonic()
        while self._idle and now - self._idle[0].idle_since >= self._keep_s:
            self._idle.popleft().close()

    def close(self) -> None:
        """Ends every connection."""
        for connection in tuple(self._open):
            connection.close()
        self._idle.clear()

    async def _connect(self, pause_s: float | None = ADDRESS_PAUSE_S) -> Connection:
        """A new connection.  Without a pause no socket is lost in asyncio when this is cancelled."""
        target = self._target
        self._opening += 1
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self), target.host, target.port, ssl=target.tls,
                    happy_eyeballs_delay=pause_s, server_hostname=target.host if target.tls else None,
                )  # fmt: skip
        except (OSError, UnicodeError) as error:  # TimeoutError and the errors of TLS are among them
            self._next()
            raise ConnectError(type(error).__name__) from error
        finally:
            self._opening -= 1
        return connection

    async def _turn(self) -> None:
        """Waits until a connection may be free."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()
            raise
        finally:
            if not turn.done():
                self._waiting.remove(turn)

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
