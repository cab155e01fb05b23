"""OpenAI embeddings (API reference, "Embeddings"): texts in, numbers out."""

from __future__ import annotations

from typing import Any

from glasshouse.gateway.dialect.interface import (
    AnswerShapeError,
    AnswerView,
    Call,
    ErrorKind,
    EventView,
    RequestShapeError,
    Usage,
)
from glasshouse.gateway.dialect.openai_errors import error_body
from glasshouse.gateway.dialect.reading import Found, model_name, number, text, texts_of


class OpenAIEmbeddings:
    """``POST /v1/embeddings``."""

    name = "openai.embeddings"
    generates = False

    def read(self, body: dict[str, Any]) -> Call:
        if not isinstance(body.get("input"), str | list) or not body["input"]:
            raise RequestShapeError("`input` must hold a text, a list of texts or a list of tokens", "input")
        found = Found()
        for key, value in body.items():
            found.members({key: value}, "user" if key == "input" else "other")
        return Call(
            model=model_name(body),
            segments=tuple(found.segments),
            opaque_bytes=found.opaque_bytes,
            opaque_parts=found.opaque_parts,
            upstream_state=tuple(found.state),
            session=text(body, "user"),
        )

    def answer(self, body: dict[str, Any]) -> AnswerView:
        pieces, opaque = texts_of({"error": body.get("error")})
        usage = body.get("usage")
        return AnswerView(pieces, Usage(number(usage, "prompt_tokens"), 0) if isinstance(usage, dict) else None, opaque)

    def event(self, name: str, data: str) -> EventView:
        raise AnswerShapeError("embeddings are not streamed")

    def error(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        return error_body(kind, message, code)

    def error_event(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        return b"data: " + error_body(kind, message, code) + b"\n\n"
