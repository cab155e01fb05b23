"""Connections to the servers of models: one pool, named timeouts, and retries only where nothing was sent.

A request for an answer is not repeated once it may have reached the upstream: it would be paid twice and could act
twice.  Only a connection that could not be made is tried again, then at the model's next upstream.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import aiohttp
import msgspec

from glasshouse import __version__
from glasshouse.gateway.deadlines import Deadlines
from glasshouse.gateway.dialect.registry import ROUTES
from glasshouse.gateway.settings import GatewaySettings, Upstream, upstream_key
from glasshouse.words.errors import UpstreamError

KEEP_ALIVE_S = 15.0
"""Shorter than servers keep idle connections, so that a request rarely meets one that is being closed."""
DOWN_S = 5.0
"""How long an upstream that could not be reached is tried last."""
READ_BYTES = 262_144
FORWARDED: Final = frozenset({b"accept", b"anthropic-version", b"anthropic-beta", b"openai-beta", b"idempotency-key"})
"""Request headers that mean something upstream; the others stay here."""
RETURNED: Final = frozenset(
    {
        "content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id", "x-request-id",
        "openai-processing-ms", "openai-version", "cache-control",
    }
)  # fmt: skip
"""Answer headers that are the caller's business; cookies, account names and shared rate limits are not."""


class Health(msgspec.Struct):
    """What the last tries of one upstream showed."""

    failures: int = 0
    failed_at: float = float("-inf")

    def is_down(self, now: float) -> bool:
        """Whether it could not be reached a moment ago."""
        return self.failures > 0 and now - self.failed_at < DOWN_S


class Reply:
    """An upstream's answer: its head, and its body as it comes."""

    __slots__ = ("_answer", "_deadlines", "_ends_at", "_idle_s", "headers", "name", "status")

    def __init__(self, name: str, answer: aiohttp.ClientResponse, deadlines: Deadlines, idle_s: float, ends_at: float):
        self.name, self.status, self.headers = name, answer.status, answer.headers
        self._answer, self._deadlines, self._idle_s, self._ends_at = answer, deadlines, idle_s, ends_at

    async def read(self) -> bytes:
        """The next bytes; empty at the end.  `UpstreamError` when the answer breaks off or stalls."""
        content = self._answer.content
        try:
            with self._deadlines.until(min(time.monotonic() + self._idle_s, self._ends_at)):
                return await content.readany()
        except (aiohttp.ClientError, ConnectionError) as error:
            raise UpstreamError(f"the answer broke off ({type(error).__name__})", where=self.name) from error
        except TimeoutError:
            raise UpstreamError("the answer stalled", where=self.name) from None

    def close(self) -> None:
        """Drops what is left; a connection whose answer was read to its end goes back to the pool by itself."""
        self._answer.close()


class Upstreams:
    """All upstreams of one worker.  Made inside the event loop."""

    def __init__(self, settings: GatewaySettings, environ: Mapping[str, str], deadlines: Deadlines) -> None:
        self._settings, self._deadlines = settings.upstreams, deadlines
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._headers: dict[str, dict[str, str]] = {}
        self._urls: dict[tuple[str, str], str] = {}
        self.health = {name: Health() for name in settings.upstreams}
        for name, upstream in settings.upstreams.items():
            self._headers[name] = _own_headers(upstream, upstream_key(name, upstream, environ))
            self._sessions[name] = _session(upstream)
            for route in ROUTES.values():
                self._urls[name, route.upstream_path] = upstream.url.rstrip("/") + route.upstream_path

    async def close(self) -> None:
        """Closes every connection."""
        for session in self._sessions.values():
            await session.close()

    def order(self, names: Sequence[str]) -> Sequence[str]:
        """The names with those last that could not be reached a moment ago."""
        if len(names) == 1:
            return names
        now = time.monotonic()
        return sorted(names, key=lambda name: self.health[name].is_down(now))

    async def send(self, names: Sequence[str], path: str, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Reply:
        """The answer of the first upstream that takes the request; `UpstreamError` when none does."""
        last: Exception | None = None
        for name in self.order(names):
            own = self._headers[name]
            sent = {key.decode("latin-1"): value.decode("latin-1") for key, value in headers if key in FORWARDED} | own
            for _ in range(1 + self._settings[name].connect_retries):
                try:
                    reply = await self._once(name, path, body, sent)
                except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                    last = error
                    self._failed(name)
                    continue
                self.health[name].failures = 0
                return reply
        what = f"no upstream could be reached ({type(last).__name__})"
        raise UpstreamError(what, where=", ".join(names))

    async def _once(self, name: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        settings = self._settings[name]
        ends_at = time.monotonic() + settings.total_timeout_s
        try:
            with self._deadlines.within(min(settings.first_byte_timeout_s, settings.total_timeout_s)):
                answer = await self._sessions[name].post(
                    self._urls[name, path], data=body, headers=headers, allow_redirects=False
                )
        except TimeoutError as error:
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                raise
            self._failed(name)
            raise UpstreamError("the upstream did not begin to answer in time", where=name) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise
        except aiohttp.ClientError as error:
            self._failed(name)
            raise UpstreamError(
                f"the upstream broke the connection off ({type(error).__name__})", where=name
            ) from error
        return Reply(name, answer, self._deadlines, settings.idle_timeout_s, ends_at)

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
    if upstream.family == "anthropic":
        headers.setdefault("anthropic-version", "2023-06-01")
    return headers


def _session(upstream: Upstream) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=upstream.ca_file) if upstream.ca_file else True
    connector = aiohttp.TCPConnector(limit=upstream.connections, keepalive_timeout=KEEP_ALIVE_S, ssl=context)
    # The other limits are `Deadlines`: a timer for each read cost as much as the read.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=upstream.connect_timeout_s)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=READ_BYTES,
        trust_env=False,
        requote_redirect_url=False,
        raise_for_status=False,
    )
