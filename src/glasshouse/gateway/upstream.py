"""Connections to the servers of models: one pool, named timeouts, and retries only where nothing was sent.

A request for an answer is not repeated once it may have reached the upstream: it would be paid twice and could act
twice.  Only a connection that could not be made is tried again, then at the model's next upstream.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from glasshouse import __version__
from glasshouse.gateway.deadlines import Deadlines
from glasshouse.gateway.dialect.registry import ROUTES
from glasshouse.gateway.settings import GatewaySettings, Upstream, upstream_key
from glasshouse.gateway.wire.client import BrokenAnswerError, ConnectError, Connection, Pool, Target
from glasshouse.words.errors import UpstreamError

KEEP_ALIVE_S = 15.0
"""Shorter than servers keep idle connections, so that a request rarely meets one that is being closed."""
DOWN_S = 5.0
"""How long an upstream that could not be reached is tried last, and then it is looked for again."""
LOOK_AFTER_S = 30.0
"""An upstream that nobody has asked for so long is connected to, so that nobody has to find out by a call."""
FORWARDED: Final = frozenset({b"accept", b"anthropic-version", b"anthropic-beta", b"openai-beta", b"idempotency-key"})
"""Request headers that mean something upstream; the others stay here."""
DEFAULT_VERSION: Final = b"anthropic-version: 2023-06-01\r\n"
"""For callers that name none."""
RETURNED: Final = frozenset(
    {
        b"content-type", b"retry-after", b"retry-after-ms", b"x-should-retry", b"request-id", b"x-request-id",
        b"openai-processing-ms", b"openai-version", b"cache-control",
    }
)  # fmt: skip
"""Answer headers that are the caller's business; cookies, account names and shared rate limits are not."""


_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Health(msgspec.Struct):
    """What the last tries of one upstream showed."""

    failures: int = 0
    failed_at: float = float("-inf")
    reached_at: float = float("-inf")

    def is_down(self, now: float) -> bool:
        """Whether it could not be reached a moment ago."""
        return self.failures > 0 and now - self.failed_at < DOWN_S

    def is_due(self, now: float) -> bool:
        """Whether it is time to look again."""
        if self.failures:
            return now - self.failed_at >= DOWN_S
        return now - self.reached_at >= LOOK_AFTER_S

    @property
    def word(self) -> str:
        """``ok``, ``unreachable`` until it is reached again, or ``untried``."""
        if self.failures:
            return "unreachable"
        return "untried" if self.reached_at == float("-inf") else "ok"


class Reply:
    """An upstream's answer: its head, and its body as it comes.  Names of headers are in lower case."""

    __slots__ = ("_connection", "_deadlines", "_ends_at", "_idle_s", "headers", "name", "status")

    def __init__(self, name: str, connection: Connection, deadlines: Deadlines, idle_s: float, ends_at: float) -> None:
        self.name, self.status, self.headers = name, connection.status, connection.headers
        self._connection, self._deadlines, self._idle_s, self._ends_at = connection, deadlines, idle_s, ends_at

    async def read(self) -> bytes:
        """The next bytes; empty at the end.  `UpstreamError` when the answer breaks off or stalls."""
        ready = self._connection.ready()
        if ready is not None:
            return ready
        try:
            with self._deadlines.until(min(time.monotonic() + self._idle_s, self._ends_at)):
                return await self._connection.read()
        except BrokenAnswerError as error:
            raise UpstreamError(f"the answer broke off ({error})", where=self.name) from error
        except TimeoutError:
            raise UpstreamError("the answer stalled", where=self.name) from None

    def close(self) -> None:
        """Drops what is left; a connection whose answer was read to its end is used again."""
        self._connection.release()


class Upstreams:
    """All upstreams of one worker.  Made inside the event loop."""

    def __init__(self, settings: GatewaySettings, environ: Mapping[str, str], deadlines: Deadlines) -> None:
        self._settings, self._deadlines = settings.upstreams, deadlines
        self._pools: dict[str, Pool] = {}
        self._heads: dict[tuple[str, str], bytes] = {}
        self.health = {name: Health() for name in settings.upstreams}
        for name, upstream in settings.upstreams.items():
            target = Target(upstream.url, upstream.ca_file)
            headers = _own_headers(upstream, upstream_key(name, upstream, environ))
            self._pools[name] = Pool(target, upstream.connections, upstream.connect_timeout_s, KEEP_ALIVE_S)
            for route in ROUTES.values():
                self._heads[name, route.upstream_path] = target.head(route.upstream_path, headers)

    async def watch(self) -> None:
        """Looks for upstreams that nobody has asked lately, with a connection and no request; runs until cancelled."""
        while True:
            now = time.monotonic()
            await asyncio.gather(*[self._look(name) for name, health in self.health.items() if health.is_due(now)])
            await asyncio.sleep(1.0)

    async def _look(self, name: str) -> None:
        try:
            await self._pools[name].reach()
        except ConnectError:
            self._failed(name)
        else:
            self._reached(name)

    def close(self) -> None:
        """Closes every connection."""
        for pool in self._pools.values():
            pool.close()

    def prune(self) -> None:
        """Closes connections that were idle for too long; to be called now and then."""
        for pool in self._pools.values():
            pool.prune()

    def order(self, names: Sequence[str]) -> Sequence[str]:
        """The names with those last that could not be reached a moment ago."""
        if len(names) == 1:
            return names
        now = time.monotonic()
        return sorted(names, key=lambda name: self.health[name].is_down(now))

    async def send(self, names: Sequence[str], path: str, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Reply:
        """The answer of the first upstream that takes the request; `UpstreamError` when none does."""
        last = ""
        tail = b"content-length: %d\r\n\r\n%b" % (len(body), body)
        forwarded = [(key, value) for key, value in headers if key in FORWARDED]
        if any(_NO_VALUE.search(value) for _, value in forwarded):
            raise UpstreamError("a header of the request holds a control character, so it was not forwarded")
        for name in self.order(names):
            head = self._heads[name, path]
            if self._settings[name].family == "anthropic" and all(key != b"anthropic-version" for key, _ in forwarded):
                head += DEFAULT_VERSION
            data = b"".join([head, *[b"%b: %b\r\n" % pair for pair in forwarded], tail])
            for _ in range(1 + self._settings[name].connect_retries):
                try:
                    reply = await self._once(name, data)
                except ConnectError as error:
                    last = str(error)
                    self._failed(name)
                    continue
                self._reached(name)
                return reply
        raise UpstreamError(f"no upstream could be reached ({last})", where=", ".join(names))

    async def _once(self, name: str, data: bytes) -> Reply:
        settings = self._settings[name]
        ends_at = time.monotonic() + settings.total_timeout_s
        connection: Connection | None = None
        try:
            with self._deadlines.within(min(settings.first_byte_timeout_s, settings.total_timeout_s)):
                connection = await self._pools[name].take()
                connection.send(data)
                await connection.answered()
        except TimeoutError:
            self._failed(name)
            raise UpstreamError("the upstream did not begin to answer in time", where=name) from None
        except BrokenAnswerError as error:
            self._failed(name)
            raise UpstreamError(f"the upstream broke the connection off ({error})", where=name) from error
        else:
            reply, connection = Reply(name, connection, self._deadlines, settings.idle_timeout_s, ends_at), None
            return reply
        finally:
            if connection is not None:
                connection.release()

    def _reached(self, name: str) -> None:
        health = self.health[name]
        health.failures = 0
        health.reached_at = time.monotonic()

    def _failed(self, name: str) -> None:
        health = self.health[name]
        health.failures += 1
        health.failed_at = time.monotonic()


def _own_headers(upstream: Upstream, key: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",  # what cannot be read cannot be screened
        "user-agent": f"glasshouse/{__version__}",
    }
    if key and upstream.family == "anthropic":
        headers["x-api-key"] = key
    elif key:
        headers["authorization"] = f"Bearer {key}"
    return headers
