"""OpenAI Chat Completions, as OpenAI and compatible servers speak it (API reference, "Chat", "Streaming")."""

from __future__ import annotations

from typing import Any

from glasshouse.gateway.dialect.interface import AnswerView, Call, ErrorKind, EventView, Piece, Usage
from glasshouse.gateway.dialect.openai_errors import error_body
from glasshouse.gateway.dialect.reading import (
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
MAX_CHOICES = 128
_WHOLE_BELOW = frozenset({"annotations", "reasoning_details", "images"})


class OpenAIChat:
    """``POST /v1/chat/completions``."""

    name = "openai.chat"
    generates = True

    def read(self, body: dict[str, Any]) -> Call:
        found = Found()
        listed(body, "messages")
        found.members(body, "other")
        newer, older = (
            count(body, "max_completion_tokens", MAX_OUTPUT_TOKENS),
            count(body, "max_tokens", MAX_OUTPUT_TOKENS),
        )
        limits = [each for each in (newer, older) if each is not None]
        return Call(
            model=model_name(body),
            stream=flag(body, "stream"),
            max_output_tokens=max(limits) if limits else None,
            choices=count(body, "n", MAX_CHOICES) or 1,
            segments=tuple(found.segments),
            opaque_bytes=found.opaque_bytes,
            opaque_parts=found.opaque_parts,
            upstream_state=tuple(found.state),
            session=text(body, "prompt_cache_key") or text(body, "safety_identifier") or text(body, "user"),
        )

    def answer(self, body: dict[str, Any]) -> AnswerView:
        pieces, opaque = texts_of({"choices": _without_tokens(body.get("choices")), "error": body.get("error")})
        return AnswerView(pieces, usage_of(body.get("usage")), opaque)

    def event(self, name: str, data: str) -> EventView:
        if data.startswith("[DONE]"):
            return EventView(last=True)
        body = decode_event(data)
        pieces: list[Piece] = []
        opaque = 0
        last = False
        choices = body.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                opaque += _choice(choice, pieces)
                last = last or choice.get("finish_reason") is not None
        failed = bool(body.get("error"))
        if failed:
            pieces += texts_of(body["error"])[0]
        return EventView(tuple(pieces), usage_of(body.get("usage")), last=last, failed=failed, opaque_bytes=opaque)

    def error(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        return error_body(kind, message, code)

    def error_event(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        return b"data: " + error_body(kind, message, code) + b"\n\n"


def _choice(choice: dict[str, Any], pieces: list[Piece]) -> int:
    """Adds what one choice of a chunk says; gives the bytes that cannot be read."""
    number_ = choice.get("index", 0)
    opaque = 0
    if isinstance(choice.get("text"), str):
        pieces.append(Piece(f"{number_}.text", choice["text"]))
    delta = choice.get("delta")
    for key, value in delta.items() if isinstance(delta, dict) else ():
        if isinstance(value, str):
            if value and key != "role":
                pieces.append(Piece(f"{number_}.{key}", value))
        elif key == "tool_calls" and isinstance(value, list):
            for call in value:
                if isinstance(call, dict):
                    _strings_below(call, f"{number_}.tool.{call.get('index', 0)}", pieces)
        elif key in _WHOLE_BELOW:
            below, unread = texts_of(value)
            pieces += below
            opaque += unread
        elif key == "audio" and isinstance(value, dict):
            opaque += len(value.get("data") or "")
            _strings_below({"transcript": value.get("transcript")}, f"{number_}.audio", pieces)
        elif isinstance(value, dict | list):
            _strings_below(value, f"{number_}.{key}", pieces)
    return opaque


def _strings_below(value: Any, channel: str, pieces: list[Piece]) -> None:
    """Adds every string below ``value``, each a continuation of the channel named by its path."""
    if isinstance(value, str):
        pieces.append(Piece(channel, value))
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in ("id", "type", "index"):
                _strings_below(each, f"{channel}.{key}", pieces)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            own = each.get("index", place) if isinstance(each, dict) else place
            _strings_below(each, f"{channel}.{own}", pieces)


def _without_tokens(choices: Any) -> Any:
    """Choices without ``logprobs``, which repeat the text token by token."""
    if not isinstance(choices, list):
        return choices
    return [
        {key: value for key, value in each.items() if key != "logprobs"} if isinstance(each, dict) else each
        for each in choices
    ]


def usage_of(usage: Any) -> Usage | None:
    """Tokens as OpenAI's chat API reports them."""
    if not isinstance(usage, dict):
        return None
    cached = number(usage, "prompt_tokens_details", "cached_tokens") or 0
    return Usage(number(usage, "prompt_tokens"), number(usage, "completion_tokens"), cached)
