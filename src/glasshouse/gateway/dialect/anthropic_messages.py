"""Anthropic Messages and its token count (API version 2023-06-01, as its reference documents it)."""

from __future__ import annotations

from typing import Any

import msgspec

from glasshouse.gateway.dialect.interface import AnswerView, Call, ErrorKind, EventView, Piece, RequestShapeError, Usage
from glasshouse.gateway.dialect.reading import (
    SEALED,
    Found,
    count,
    decode_event,
    flag,
    listed,
    model_name,
    number,
    text,
    texts_of,
)

MAX_OUTPUT_TOKENS = 1_000_000
_NOTHING = EventView()
_TYPES: dict[ErrorKind, str] = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "budget": "rate_limit_error",
    "withheld": "permission_error",
    "stopped": "permission_error",
    "approval": "permission_error",
    "upstream": "api_error",
    "timeout": "timeout_error",
    "closed": "api_error",
    "overloaded": "overloaded_error",
    "internal": "api_error",
}


class AnthropicMessages:
    """``POST /v1/messages``."""

    name = "anthropic.messages"
    generates = True

    def read(self, body: dict[str, Any]) -> Call:
        limit = count(body, "max_tokens", MAX_OUTPUT_TOKENS)
        if limit is None and self.generates:
            raise RequestShapeError("`max_tokens` is required", "max_tokens")
        found = Found()
        listed(body, "messages")
        for key, value in body.items():
            found.members({key: value}, "system" if key == "system" else "other")
        return Call(
            model=model_name(body),
            stream=flag(body, "stream") and self.generates,
            max_output_tokens=limit,
            segments=tuple(found.segments),
            opaque_bytes=found.opaque_bytes,
            opaque_parts=found.opaque_parts,
            upstream_state=tuple(found.state),
            session=text(body, "metadata", "user_id"),
        )

    def answer(self, body: dict[str, Any]) -> AnswerView:
        pieces, opaque = texts_of({"content": body.get("content"), "error": body.get("error")})
        return AnswerView(pieces, usage_of(body.get("usage")), opaque)

    def event(self, name: str, data: str) -> EventView:
        body = decode_event(data)
        kind = body.get("type")
        if kind == "content_block_delta":
            return _delta(body)
        if kind == "ping":
            return _NOTHING
        if kind == "message_stop":
            return EventView(last=True)
        if kind == "message_delta":
            pieces, opaque = texts_of(body.get("delta"))
            return EventView(pieces, usage_of(body.get("usage")), opaque_bytes=opaque)
        if kind == "message_start":
            message = body.get("message")
            inner = message if isinstance(message, dict) else {}
            pieces, opaque = texts_of(inner.get("content"))
            return EventView(pieces, usage_of(inner.get("usage")), opaque_bytes=opaque)
        pieces, opaque = texts_of(body)
        return EventView(pieces, failed=kind == "error" or name == "error", opaque_bytes=opaque)

    def error(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        error = {"type": _TYPES[kind], "message": f"{message} [{code}]"}
        return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})

    def error_event(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        return b"event: error\ndata: " + self.error(kind, message, code, request_id) + b"\n\n"


class AnthropicCountTokens(AnthropicMessages):
    """``POST /v1/messages/count_tokens``: reads the prompt, produces no text."""

    name = "anthropic.count_tokens"
    generates = False

    def answer(self, body: dict[str, Any]) -> AnswerView:
        pieces, opaque = texts_of(body)
        return AnswerView(pieces, Usage(input=0, output=0), opaque)


def _delta(body: dict[str, Any]) -> EventView:
    delta = body.get("delta")
    if not isinstance(delta, dict):
        return _NOTHING
    pieces: list[Piece] = []
    opaque = 0
    for key, value in delta.items():
        if key == "type":
            continue
        if key in SEALED:
            opaque += len(value) if isinstance(value, str) else 0
        elif isinstance(value, str):
            pieces.append(Piece(f"{body.get('index')}.{key}", value))
        else:
            below, unread = texts_of(value)
            pieces += below
            opaque += unread
    return EventView(tuple(pieces), opaque_bytes=opaque)


def usage_of(usage: Any) -> Usage | None:
    """Tokens as Anthropic reports them, where the cached ones are counted beside the input."""
    if not isinstance(usage, dict):
        return None
    uncached = number(usage, "input_tokens")
    read = number(usage, "cache_read_input_tokens") or 0
    written = number(usage, "cache_creation_input_tokens") or 0
    whole = uncached + read + written if uncached is not None else None
    return Usage(whole, number(usage, "output_tokens"), read, written)
