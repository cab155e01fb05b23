"""What the gateway needs to know of a dialect: one protocol, one module per member, `registry` lists them."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant", "tool", "other"]
ErrorKind = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "not_found",
    "too_large",
    "rate_limit",
    "budget",
    "withheld",
    "stopped",
    "approval",
    "upstream",
    "timeout",
    "closed",
    "overloaded",
    "internal",
]
STATUS: dict[ErrorKind, int] = {
    "invalid_request": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "too_large": 413,
    "rate_limit": 429,
    "budget": 429,
    "withheld": 403,
    "stopped": 403,
    "approval": 403,
    "upstream": 502,
    "timeout": 504,
    "closed": 503,
    "overloaded": 503,
    "internal": 500,
}
"""HTTP status of each kind of error, the same in every dialect."""


class RequestShapeError(ValueError):
    """A request body that the dialect does not allow; the text says what is wrong, ``where`` names the place in it."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where


class AnswerShapeError(ValueError):
    """An answer or event that the dialect does not allow, so that nobody can say what it contains."""


class Segment(msgspec.Struct, frozen=True):
    """One piece of text in a request, with whose words it is (``other``: in a field that the dialect does not name)."""

    role: Role
    text: str


class Call(msgspec.Struct, frozen=True):
    """What a request asks for, read for screening and accounting.

    ``max_output_tokens`` is per answer, None where the caller left it to the model; ``choices`` answers are asked for.
    ``opaque_bytes`` counts content no text can be read from (images, audio, encrypted reasoning), ``opaque_parts``
    how many of them.  ``upstream_state`` names the fields that refer to state held upstream (earlier answers, files),
    ``session`` what the caller says joins turns of one conversation.
    """

    model: str
    stream: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    segments: tuple[Segment, ...] = ()
    opaque_bytes: int = 0
    opaque_parts: int = 0
    upstream_state: tuple[str, ...] = ()
    session: str = ""


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call as the upstream reports them; None where it does not.

    ``input`` counts every token of the request, those read from and written to a cache included.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int = 0
    cache_write: int = 0

    def later(self, other: Usage) -> Usage:
        """Both reports of one stream put together; the later one wins where it says something."""
        return Usage(
            other.input if other.input is not None else self.input,
            other.output if other.output is not None else self.output,
            max(self.cache_read, other.cache_read),
            max(self.cache_write, other.cache_write),
        )


class Piece(msgspec.Struct, frozen=True):
    """Text in an answer.  Pieces of one ``channel`` continue each other; ``whole`` pieces stand alone."""

    channel: str
    text: str
    whole: bool = False


class EventView(msgspec.Struct, frozen=True):
    """What one event of a stream says.  ``last`` marks the event with which the dialect ends an answer,
    ``failed`` an error that the upstream reports."""

    pieces: tuple[Piece, ...] = ()
    usage: Usage | None = None
    last: bool = False
    failed: bool = False
    opaque_bytes: int = 0


class AnswerView(msgspec.Struct, frozen=True):
    """What an answer that is no stream says."""

    pieces: tuple[Piece, ...] = ()
    usage: Usage | None = None
    opaque_bytes: int = 0


class Dialect(Protocol):
    """One API as clients speak it."""

    name: str
    """Stable, as in the log: ``anthropic.messages``."""
    generates: bool
    """Whether it makes the model produce text (and costs output tokens)."""

    def read(self, body: dict[str, Any]) -> Call:
        """What the request asks for; `RequestShapeError` if the dialect does not allow it."""
        ...

    def answer(self, body: dict[str, Any]) -> AnswerView:
        """What the answer says."""
        ...

    def event(self, name: str, data: str) -> EventView:
        """What an event of a stream says; `AnswerShapeError` if it cannot be read."""
        ...

    def error(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        """The body of an error answer."""
        ...

    def error_event(self, kind: ErrorKind, message: str, code: str, request_id: str) -> bytes:
        """An error in the middle of a stream, as bytes of the stream."""
        ...
