"""Who may open the console: whoever holds the token that the command printed, from the console's own pages only."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "glasshouse_console"
MAX_BODY_BYTES = 64_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guarded:
    """Lets a request through that carries the session's token, names our own host, and comes from our own pages."""

    def __init__(self, app: ASGIApp, token: str, origin: str) -> None:
        self._app, self._token, self._origin = app, token, origin
        self._host = origin.partition("://")[2]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = _with_headers(send)
        if headers.get("host", "") != self._host:  # another name that leads here: DNS rebinding
            await PlainTextResponse("unknown host", 421)(scope, receive, answer)
        elif self._is_login(scope):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
            await response(scope, receive, answer)
        elif not self._known(headers):
            text = "Open the address that `glasshouse console` printed; it carries the token of this session."
            await PlainTextResponse(text, 401)(scope, receive, answer)
        elif scope["method"] not in ("GET", "HEAD") and headers.get("origin", "") != self._origin:
            await PlainTextResponse("not from this console", 403)(scope, receive, answer)
        elif not _small(headers):
            await PlainTextResponse("too large", 413)(scope, receive, answer)
        else:
            await self._app(scope, receive, answer)

    def _is_login(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return scope["path"] == "/" and self._same(given)

    def _known(self, headers: Headers) -> bool:
        return self._same(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _small(headers: Headers) -> bool:
    length = headers.get("content-length", "0")
    return length.isdecimal() and int(length) <= MAX_BODY_BYTES and "transfer-encoding" not in headers


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return answer
