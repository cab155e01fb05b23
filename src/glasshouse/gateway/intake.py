"""Reading a request: its headers with suspicion, its body within limits."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from glasshouse.gateway.asgi import Message, Receive, Scope
from glasshouse.gateway.deadlines import Wait
from glasshouse.gateway.refusals import Refusal

MAX_HEADER_VALUE = 1_024
_ONCE = (b"authorization", b"x-api-key", b"content-type", b"content-length", b"transfer-encoding", b"content-encoding",
         b"host", b"glasshouse-approval")  # fmt: skip
_MISPLACED = (b"api-key", b"x-goog-api-key", b"proxy-authorization", b"glasshouse-key")
_HOW = "Send the key as `x-api-key: KEY` or `Authorization: Bearer KEY`."


class Head(msgspec.Struct, frozen=True):
    """What the headers say."""

    key: str
    content_type: str
    length: int | None
    approval: str
    origin: str


class ClientGone(Exception):  # noqa: N818 - nothing failed here
    """The caller has gone away."""


def read_head(scope: Scope) -> Head:
    """The headers that matter; `Refusal` for ambiguous ones and for a missing key."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _ONCE:
            if name in found:
                raise Refusal("invalid_request", "gateway.headers", f"the header {name.decode()} is given twice")
            found[name] = value
    if b"content-length" in found and b"transfer-encoding" in found:
        raise Refusal("invalid_request", "gateway.headers", "content-length and transfer-encoding exclude each other")
    if found.get(b"content-encoding", b"identity") != b"identity":
        raise Refusal("invalid_request", "gateway.headers", "the body must not be compressed")
    client = scope.get("client")
    return Head(
        key=_key(found, scope["headers"], scope.get("query_string", b"")),
        content_type=found.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower(),
        length=_length(found.get(b"content-length")),
        approval=found.get(b"glasshouse-approval", b"").decode("latin-1")[:64],
        origin=client[0] if client else "",
    )


def _key(found: dict[bytes, bytes], headers: Iterable[tuple[bytes, bytes]], query: bytes) -> str:
    bearer = found.get(b"authorization", b"")
    plain = found.get(b"x-api-key", b"")
    if max(len(bearer), len(plain)) > MAX_HEADER_VALUE:
        raise Refusal("authentication", "access.credential", f"that is no Glasshouse key. {_HOW}")
    scheme, _, token = bearer.partition(b" ")
    if bearer and (scheme.lower() != b"bearer" or not token.strip()):
        raise Refusal("authentication", "access.credential", f"the authorization header holds no bearer key. {_HOW}")
    token = token.strip()
    if token and plain and token != plain:
        raise Refusal("authentication", "access.credential", "two different keys are given. Send one.")
    if not token and not plain:
        if b"key=" in query or any(name in _MISPLACED for name, _ in headers):
            raise Refusal("authentication", "access.credential", f"the key is in the wrong place. {_HOW}")
        raise Refusal("authentication", "access.credential", f"no key is given. {_HOW}")
    return (token or plain).decode("latin-1")


def _length(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise Refusal("invalid_request", "gateway.headers", "content-length is no number")
    return int(value)


def check_json(head: Head) -> None:
    """`Refusal` unless the body is announced as JSON."""
    if head.content_type != "application/json":
        shown = head.content_type[:80] or "nothing"
        message = f"the content type must be application/json, not {shown}"
        raise Refusal("invalid_request", "gateway.content-type", message)


async def read_body(receive: Receive, head: Head, max_bytes: int, wait: Wait) -> bytes:
    """The whole body; `Refusal` when it is too large or too slow, `ClientGone` when the caller leaves."""
    too_large = Refusal("too_large", "gateway.body", f"the body is larger than {max_bytes} bytes")
    if head.length is not None and head.length > max_bytes:
        raise too_large
    try:
        with wait:
            message = await _next(receive)
            body: bytes = message.get("body", b"")
            if len(body) > max_bytes:
                raise too_large
            if not message.get("more_body"):
                return body
            parts, size = [body], len(body)
            while message.get("more_body"):
                message = await _next(receive)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > max_bytes:
                    raise too_large
            return b"".join(parts)
    except TimeoutError:
        raise Refusal("invalid_request", "gateway.body", "the body did not arrive in time") from None


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message
