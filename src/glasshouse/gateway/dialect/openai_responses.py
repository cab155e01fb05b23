"""OpenAI Responses (API reference, "Responses", "Streaming events")."""

from __future__ import annotations

from typing import Any

import msgspec

from glasshouse.gateway.dialect.interface import (
    AnswerView,
    Call,
    ErrorKind,
    EventView,
    Piece,
    RequestShapeError,
    Role,
    Usage,
)
from glasshouse.gateway.dialect.openai_errors import error_body
from glasshouse.gateway.dialect.reading import (
    Found,
    count,
    decode_event,
    flag,
    model_name,
    number,
    text,
    texts_of,
)

MAX_OUTPUT_TOKENS = 1_000_000
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_SAID = ("output", "error", "incomplete_details", "output_text")
"""Parts of a response object that the model said; the others repeat the request."""


class OpenAIResponses:
    """``POST /v1/responses``."""

    name = "openai.responses"
    generates = True

    def read(self, body: dict[str, Any]) -> Call:
        if flag(body, "background"):
            raise RequestShapeError("`background` answers would be fetched unscreened; use streaming", "background")
        if not body.get("input") and not body.get("prompt"):
            raise RequestShapeError("`input` must hold a text or a list of items", "input")
        found = Found()
        for key, value in body.items():
            role: Role = "system" if key == "instructions" else "user" if key == "input" else "other"
            found.members({key: value}, role)
        state = [*found.state, *(["prompt"] if body.get("prompt") else [])]
        return Call(
            model=model_name(body),
            stream=flag(body, "stream"),
            max_output_tokens=count(body, "max_output_tokens", MAX_OUTPUT_TOKENS),
            segments=tuple(found.segments),
            opaque_bytes=found.opaque_bytes,
            opaque_parts=found.opaque_parts,
            upstream_state=tuple(state),
            session=text(body, "prompt_cache_key") or text(body, "safety_identifier") or text(body, "user"),
        )

    def answer(self, body: dict[str, Any]) -> AnswerView:
        pieces, opaque = _said(body)
        return AnswerView(pieces, usage_of(body.get("usage")), opaque)

    def event(self, name: str, data: str) -> EventView:
        if data.startswith("[DONE]"):
            return EventView(last=True)
        body = decode_event(data)
        kind = text(body, "type") or name
        if kind.endswith(".delta"):
            return _delta(body, kind.removesuffix(".delta"))
        response = body.get("response")
        if isinstance(response, dict):
            pieces, opaque = _said(response)
            failed = kind == "response.failed"
            return EventView(pieces, usage_of(response.get("usage")), kind in _ENDS, failed, opaque)
        pieces, opaque = texts_of(body)
        return EventView(pieces, failed=kind == "error", opaque_bytes=opaque)

    def error(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        return error_body(kind, message, code)

    def error_event(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        event = {"type": "error", "code": code, "message": message, "param": None, "sequence_number": 0}
        return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"


def _delta(body: dict[str, Any], kind: str) -> EventView:
    delta = body.get("delta")
    if not isinstance(delta, str):
        pieces, opaque = texts_of(delta)
        return EventView(pieces, opaque_bytes=opaque)
    if kind.endswith("audio"):
        return EventView(opaque_bytes=len(delta))
    part = body.get("content_index", body.get("summary_index", 0))
    return EventView((Piece(f"{kind}.{body.get('output_index', 0)}.{part}", delta),))


def _said(response: dict[str, Any]) -> tuple[tuple[Piece, ...], int]:
    return texts_of({key: response.get(key) for key in _SAID})


def usage_of(usage: Any) -> Usage | None:
    """Tokens as OpenAI's Responses API reports them."""
    if not isinstance(usage, dict):
        return None
    cached = number(usage, "input_tokens_details", "cached_tokens") or 0
    return Usage(number(usage, "input_tokens"), number(usage, "output_tokens"), cached)
