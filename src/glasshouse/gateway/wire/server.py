"""One connection of a caller: HTTP/1.1 in, ASGI calls out.  Runs under uvicorn, which listens, serves TLS and signals.

llhttp reads the requests and refuses what two parsers could read differently: two lengths, a length beside chunks,
folded or bare line ends.  Requests that are sent ahead are served one after the other.  A head has to arrive in time
and within a size; what of a body nobody has read yet is bounded, the caller waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import httptools

from glasshouse.gateway.asgi import ON_GONE, Application, Message

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 128
HIGH_WATER_BYTES = 262_144
"""Bytes of a body from which on a caller waits until they are read."""
MAX_AHEAD = 16
"""Requests that may be sent before the answer to an earlier one."""
HEAD_TIMEOUT_S = 10.0
IDLE_TIMEOUT_S = 75.0
DRAIN_BYTES = 1_048_576
"""What is read of a body that nobody wants any more, so that the answer is not lost."""
_LOGGER = logging.getLogger("glasshouse.gateway")
_STATUS: Final = {
    int(each): b"HTTP/1.1 %d %b\r\n" % (each, each.phrase.encode("ascii", "ignore")) for each in http.HTTPStatus
}
_OF_UPGRADES: Final = frozenset({b"upgrade", b"connection", b"http2-settings"})
_GONE: Final = {"type": "http.disconnect"}


class Connection(asyncio.Protocol):
    """A caller's connection.  ``head_timeout_s`` and ``idle_timeout_s`` are for tests."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None, *,
        head_timeout_s: float = HEAD_TIMEOUT_S, idle_timeout_s: float = IDLE_TIMEOUT_S,
    ) -> None:  # fmt: skip
        self.application: Application = config.loaded_app
        self.loop = _loop or asyncio.get_running_loop()
        self.state = server_state
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self._parser: Any = httptools.HttpRequestParser(self)
        self._head_timeout_s, self._idle_timeout_s = head_timeout_s, idle_timeout_s
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._framing = 0
        self._in_head = False
        self._head: tuple[bytes, list[tuple[bytes, bytes]]] | None = None
        """Method and headers of a request that asks for another protocol, until it is read again without that."""
        self._quiet_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._calls: deque[Call] = deque()  # the first is being answered, the others wait
        self._reading: Call | None = None
        self._ends = False
        self._answered = 0
        self._drain: asyncio.Future[None] | None = None
        self._client: tuple[str, int] | None = None
        self._scheme = "http"

    # --- the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # other event loops have classes of their own
        peer = transport.get_extra_info("peername")
        self._client = (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) and len(peer) >= 2 else None
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self.state.connections.add(self)  # type: ignore[arg-type]
        self._timer = self.loop.call_later(self._head_timeout_s, self._look)

    def connection_lost(self, error: Exception | None) -> None:
        self.state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        for call in self._calls:
            call.go()
        self._parser = None

    def data_received(self, data: bytes) -> None:
        if self._ends:
            return
        self._framing += len(data)
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as error:
                self._decline(data[error.args[0] :])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            why = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
            self._refuse(400, f"the request is not valid here: {why}")
            return
        if self._framing > MAX_HEAD_BYTES:
            self._refuse(431, f"a head is larger than {MAX_HEAD_BYTES} bytes")
        elif len(self._calls) > MAX_AHEAD or (self._reading is not None and self._reading.unread > HIGH_WATER_BYTES):
            self.transport.pause_reading()

    def _decline(self, rest: bytes) -> None:
        """Reads a request that asks for another protocol, which it may do without being given it, as if it had not.

        llhttp stops after such a head and would not read the body.
        """
        if self._head is None:
            raise httptools.HttpParserError("no tunnels are offered")
        (method, headers), self._head = self._head, None
        lines = [b"%b %b HTTP/1.1\r\n" % (method, self._url)]
        lines += [b"%b: %b\r\n" % each for each in headers if each[0] not in _OF_UPGRADES]
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"".join([*lines, b"\r\n", rest]))

    def pause_writing(self) -> None:
        if self._drain is None:
            self._drain = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._drain is not None:
            self._drain.set_result(None)
            self._drain = None

    async def drained(self) -> None:
        """Waits until the caller has taken what was written."""
        if self._drain is not None:
            await asyncio.shield(self._drain)

    def shutdown(self) -> None:
        """Ends the connection as soon as the requests that have come are answered."""
        self._ends = True
        drain = getattr(self.application, "drain", None)
        if drain is not None:
            drain()
        if not self._calls:
            self.transport.close()

    def _look(self) -> None:
        """Ends a connection that lets a head or the next request wait too long."""
        hurried = self._in_head or self._answered == 0 or bool(self._calls)  # a call that is over lacks its body's rest
        limit = self._head_timeout_s if hurried else self._idle_timeout_s
        rests = self.loop.time() - self._quiet_since
        busy = bool(self._calls) and not self._calls[0].over
        if not busy and rests >= limit:
            self.transport.close()
            return
        self._timer = self.loop.call_later(limit if busy else max(0.01, limit - rests), self._look)

    def _refuse(self, status: int, what: str) -> None:
        self._ends = True
        if self._reading is not None and self._reading.more:
            self._reading.go()
        if not self._calls:
            body = what.encode("ascii", "replace")
            head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(_STATUS[status] + head + body)
            self.transport.close()

    # --- the parser

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []
        self._in_head = True
        if not self._calls:
            self._quiet_since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # trailers mean nothing here
        if len(self._headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head, self._framing = False, 0
        parser = self._parser
        if parser.should_upgrade():
            method = parser.get_method()
            self._head = None if method == b"CONNECT" else (method, self._headers)
            return
        version = parser.get_http_version()
        path, _, query = self._url.partition(b"?")
        if not path.startswith(b"/"):
            parsed = httptools.parse_url(self._url)
            path, query = parsed.path or b"/", parsed.query or b""
        plain = path.decode("ascii")
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": version,
            "method": parser.get_method().decode("ascii"), "scheme": self._scheme,
            "path": unquote(plain) if "%" in plain else plain, "raw_path": path, "query_string": query,
            "root_path": "", "headers": self._headers, "client": self._client, "server": None,
        }  # fmt: skip
        call = self._reading = Call(self, scope, keeps=parser.should_keep_alive(), chunks=version == "1.1")
        scope[ON_GONE] = call.on_gone
        self._calls.append(call)
        if len(self._calls) == 1:
            self._begin(call)

    def on_body(self, body: bytes) -> None:
        self._framing = 0
        call = self._reading
        if call is None:
            return
        if call.over:
            call.dropped += len(body)
            if call.dropped > DRAIN_BYTES:
                self._ends = True
                self.transport.close()
            return
        call.take(body)

    def on_message_complete(self) -> None:
        call, self._reading = self._reading, None
        if call is not None:
            call.more = False
            call.wake()
            if call.over:
                self._next(call)

    # --- the calls

    def _begin(self, call: Call) -> None:
        task = self.loop.create_task(call.run(self.application))
        self.state.tasks.add(task)
        task.add_done_callback(self.state.tasks.discard)

    def call_over(self, call: Call) -> None:
        """The answer to the first call was written."""
        self.state.total_requests += 1
        self._answered += 1
        self._quiet_since = self.loop.time()
        if self._ends:
            self.transport.close()
        elif call.more:
            self.transport.resume_reading()  # the rest of its body is dropped, so that the answer is not lost
        else:
            self._next(call)

    def _next(self, before: Call) -> None:
        if not before.keeps:
            self.transport.close()
            return
        self._calls.popleft()
        if self._calls:
            self._begin(self._calls[0])
        self.transport.resume_reading()

    def resume(self) -> None:
        """The body that has come was read."""
        if not self.transport.is_closing():
            self.transport.resume_reading()


class Call:
    """One request and its answer, as ASGI's ``receive`` and ``send``."""

    def __init__(self, connection: Connection, scope: dict[str, Any], *, keeps: bool, chunks: bool) -> None:
        self._connection, self._scope = connection, scope
        self.keeps = keeps
        """Whether the connection serves another request after this one."""
        self.more = True
        """Whether parts of the body are still to come."""
        self.over = False
        """Whether the answer was written to its end."""
        self.unread = self.dropped = 0
        self._chunked_version = chunks
        self._body: list[bytes] = []
        self._read_all = self._is_gone = self._is_chunked = False
        self._head = b""
        self._status = 0
        self._wants_continue = any(name == b"expect" for name, _ in scope["headers"])
        self._waiter: asyncio.Future[None] | None = None
        self._on_gone: Callable[[], None] | None = None

    # --- from the connection

    def take(self, body: bytes) -> None:
        """A part of the body has come."""
        self._body.append(body)
        self.unread += len(body)
        self.wake()

    def wake(self) -> None:
        """Something has changed for who waits in ``receive``."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def go(self) -> None:
        """The caller has gone."""
        self._is_gone = True
        self.wake()
        if self._on_gone is not None and not self.over:
            self._on_gone()

    def on_gone(self, action: Callable[[], None]) -> None:
        """Has ``action`` called once the caller has gone, at once if that is so already."""
        self._on_gone = action
        if self._is_gone:
            self._connection.loop.call_soon(action)

    async def run(self, application: Application) -> None:
        """Has the application answer."""
        try:
            await application(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._connection.transport.abort()
            raise
        except Exception:
            _LOGGER.exception("a fault ended a request")
            await self._fail()
        else:
            if not self.over:
                await self._fail()
        finally:  # nothing that a call held waits for the garbage collector
            self._scope.pop(ON_GONE, None)
            self._on_gone = None

    async def _fail(self) -> None:
        if self._status == 0 and not self._is_gone:
            body = b"Internal server error"
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
            self.keeps = False
            await self.send({"type": "http.response.start", "status": 500, "headers": headers})
            await self.send({"type": "http.response.body", "body": body})
        else:
            self._connection.transport.abort()

    # --- to the application

    async def receive(self) -> Message:
        """The next part of the body, or that the caller has gone."""
        if self._wants_continue and not self._body and self.more and not self._is_gone:
            self._wants_continue = False
            self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self._body and (self.more or self._read_all) and not self._is_gone:
            self._waiter = self._connection.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._is_gone or self._read_all:
            return _GONE
        body, self._body, self.unread = self._body, [], 0
        if self.more:
            self._connection.resume()
        else:
            self._read_all = True
        return {
            "type": "http.request", "body": body[0] if len(body) == 1 else b"".join(body), "more_body": self.more,
        }  # fmt: skip

    async def send(self, message: Message) -> None:
        """Writes the head or a part of the answer; what goes to a caller who has gone is dropped."""
        if message["type"] == "http.response.start":
            self._start(message["status"], message.get("headers", ()))
            return
        if self.over or self._is_gone:
            return
        connection, body = self._connection, message.get("body", b"")
        last = not message.get("more_body", False)
        parts = [self._head] if self._head else []
        self._head = b""
        if self._scope["method"] != "HEAD":
            if not self._is_chunked:
                parts.append(body)
            elif body:
                parts += [b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n" if last else b"\r\n"]
            elif last:
                parts.append(b"0\r\n\r\n")
        connection.transport.write(b"".join(parts))
        if last:
            self.over = True
            connection.call_over(self)
        else:
            await connection.drained()

    def _start(self, status: int, headers: Any) -> None:
        """Keeps the head until the first part of the body, which mostly follows at once, or the end of this turn."""
        self._status = status
        lines = [_STATUS.get(status) or b"HTTP/1.1 %d \r\n" % status]
        sized = False
        for name, value in headers:
            lines += (name, b": ", value, b"\r\n")
            sized = sized or name == b"content-length"
        for name, value in self._connection.state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        if not sized and status >= 200 and status not in (204, 304):
            self._is_chunked = self._chunked_version
            if self._is_chunked:
                lines.append(b"transfer-encoding: chunked\r\n")
            else:
                self.keeps = False
        if not self.keeps:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self._head = b"".join(lines)
        if not sized:
            self._connection.loop.call_soon(self._flush_head)

    def _flush_head(self) -> None:
        if self._head and not self._is_gone:
            head, self._head = self._head, b""
            with contextlib.suppress(RuntimeError):
                self._connection.transport.write(head)
