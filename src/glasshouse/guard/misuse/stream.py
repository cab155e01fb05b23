"""Screening of a text that arrives in pieces: at most one sentence is held back, and nothing leaves unscreened."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec

from glasshouse.guard.misuse.segments import MAX_SENTENCE, complete_until, has_mark, may_end_soon
from glasshouse.guard.misuse.shapes import SOLID
from glasshouse.guard.misuse.verdicts import Score, Span

CONTEXT = 1_200
"""Characters already released that are scored together with the new sentence."""
_LONG_RUN = b"x" * 48


class Context:
    """What a stream remembers of what it released."""

    __slots__ = ("_parts", "_size", "shown", "tail")

    def __init__(self) -> None:
        self.tail = ""
        """The last `CONTEXT` characters."""
        self.shown = b""
        """Everything the remembered parts showed, as `shown.packed` makes it of each."""
        self._parts: deque[tuple[int, bytes]] = deque()
        self._size = 0

    @property
    def any(self) -> bool:
        """Whether there is something to remember."""
        return bool(self._parts)

    @property
    def may_be_encoded(self) -> bool:
        """Whether the tail holds a run long enough to be an encoded piece that the cuts went through."""
        if self.tail.isascii():
            return _LONG_RUN in self.tail.encode().translate(SOLID)
        return max(map(len, self.tail.split()), default=0) >= len(_LONG_RUN)

    def add(self, part: str, shown: bytes) -> None:
        """Remembers one more part, and forgets what is further back than `CONTEXT` characters."""
        self.tail = (self.tail + part)[-CONTEXT:]
        parts = self._parts
        parts.append((len(part), shown))
        self._size += len(part)
        if self._size <= CONTEXT or len(parts) == 1:
            self.shown += shown
            return
        while len(parts) > 1 and self._size > CONTEXT:
            self._size -= parts.popleft()[0]
        self.shown = b"".join([each for _, each in parts])


class Follows(Protocol):
    """What a stream needs of a screener."""

    def follow(self, context: Context, part: str) -> Score:
        """The score of the next part in its context, which remembers the part."""
        ...


class Release(msgspec.Struct, frozen=True):
    """What one step of the stream lets out."""

    text: str
    """The next part of the text that may leave; empty if a sentence is still incomplete, or after a stop."""
    span: Span
    """Its bytes in the whole text."""
    score: Score | None
    """The score of the new part in its context, its spans in the whole text; ``None`` if nothing new was screened."""
    stopped: bool
    """A window reached the limit: nothing more leaves, and what was held back stays withheld."""


class StreamScreen:
    """Feed pieces with `push`, end with `finish`.  Holds back at most one sentence (`MAX_SENTENCE` characters)."""

    def __init__(self, screener: Follows, stop_at: float) -> None:
        self._screener = screener
        self._stop_at = stop_at
        self._context = Context()
        self._held = ""
        self._looked_at = 0
        self._may_end = False
        """Whether the end of what is held may turn out to be the end of a sentence."""
        self.released = 0
        """How many bytes from the start were let out."""
        self._highest: Score | None = None
        self._withheld: Span | None = None
        self._waiting = Release("", Span(0, 0), None, stopped=False)

    @property
    def stopped(self) -> bool:
        """Whether the limit was reached."""
        return self._withheld is not None

    @property
    def screened(self) -> Span:
        """The bytes from the start that were screened, withheld ones included."""
        return Span(0, self._withheld.end if self._withheld is not None else self.released)

    @property
    def withheld(self) -> Span | None:
        """The bytes that were screened and not let out, after a stop."""
        return self._withheld

    @property
    def highest(self) -> Score | None:
        """The highest score so far."""
        return self._highest

    def push(self, piece: str) -> Release:
        """Takes the next piece; releases the sentences that are complete by now."""
        if self._withheld is not None:
            return self._waiting
        held = self._held = self._held + piece
        if not self._may_end and len(held) <= MAX_SENTENCE and not has_mark(piece):
            self._looked_at = len(held)
            return self._waiting
        size = complete_until(held, self._looked_at)
        if size == 0:
            self._looked_at = len(held)
            self._may_end = may_end_soon(held)
            return self._waiting
        return self._screen(size)

    def finish(self) -> Release:
        """Takes the end of the text; releases what was held back."""
        if self.stopped or not self._held:
            return self._waiting
        return self._screen(len(self._held))

    def _screen(self, size: int) -> Release:
        part, self._held = self._held[:size], self._held[size:]
        self._looked_at = len(self._held)
        self._may_end = True
        start = self.released
        score = self._screener.follow(self._context, part).moved(start)
        if self._highest is None or score.value > self._highest.value:
            self._highest = score
        if score.value >= self._stop_at:
            self._withheld = Span(start, score.size)
            self._held = ""
            self._waiting = Release("", Span(start, start), None, stopped=True)
            return Release("", Span(start, start), score, stopped=True)
        self.released = score.size
        self._waiting = Release("", Span(score.size, score.size), None, stopped=False)
        return Release(part, Span(start, score.size), score, stopped=False)
