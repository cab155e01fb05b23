"""Screening of a text that arrives in pieces: at most one sentence is held back, and nothing leaves unscreened."""

from __future__ import annotations

import re
from typing import Protocol

import msgspec

from glasshouse.guard.misuse.segments import complete_until
from glasshouse.guard.misuse.verdicts import Score, Span, Window

CONTEXT = 1_200
"""Characters already released that are scored together with the new sentence."""
_LONG_RUN = re.compile(r"[^\s]{48}")


class Context(msgspec.Struct, frozen=True):
    """What a stream remembers of what it released."""

    tail: str = ""
    """The last `CONTEXT` characters."""
    sentences: tuple[tuple[int, frozenset[str]], ...] = ()
    """Size in characters and features of the last parts."""

    @property
    def shown(self) -> frozenset[str]:
        """Everything the remembered parts showed."""
        return frozenset().union(*(shown for _, shown in self.sentences))

    @property
    def may_be_encoded(self) -> bool:
        """Whether the tail holds a run long enough to be an encoded piece that the cuts went through."""
        return _LONG_RUN.search(self.tail) is not None

    def after(self, part: str, shown: frozenset[str]) -> Context:
        """The context with one more part."""
        sentences = [*self.sentences, (len(part), shown)]
        while len(sentences) > 1 and sum([size for size, _ in sentences]) > CONTEXT:
            del sentences[0]
        return Context((self.tail + part)[-CONTEXT:], tuple(sentences))


class Follows(Protocol):
    """What a stream needs of a screener."""

    def follow(self, before: Context, part: str) -> tuple[Context, Score]:
        """The score of the next part in its context, and the context to go on with."""
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
        self._released = 0
        self._highest: Score | None = None
        self._withheld: Span | None = None

    @property
    def stopped(self) -> bool:
        """Whether the limit was reached."""
        return self._withheld is not None

    @property
    def screened(self) -> Span:
        """The bytes from the start that were screened, withheld ones included."""
        return Span(0, self._withheld.end if self._withheld is not None else self._released)

    @property
    def released(self) -> int:
        """How many bytes from the start were let out."""
        return self._released

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
        if self.stopped:
            return self._nothing()
        self._held += piece
        return self._screen(complete_until(self._held))

    def finish(self) -> Release:
        """Takes the end of the text; releases what was held back."""
        if self.stopped:
            return self._nothing()
        return self._screen(len(self._held))

    def _screen(self, size: int) -> Release:
        if size == 0:
            return self._nothing()
        part, self._held = self._held[:size], self._held[size:]
        end = self._released + len(part.encode("utf-8", "surrogatepass"))
        span = Span(self._released, end)
        self._context, score = self._screener.follow(self._context, part)
        score = _placed(score, span)
        if self._highest is None or score.value > self._highest.value:
            self._highest = score
        if score.value >= self._stop_at:
            self._withheld = span
            self._held = ""
            return Release("", Span(self._released, self._released), score, stopped=True)
        self._released = end
        return Release(part, span, score, stopped=False)

    def _nothing(self) -> Release:
        return Release("", Span(self._released, self._released), None, stopped=self.stopped)


def _placed(score: Score, part: Span) -> Score:
    """The score of a part with its spans moved to where the part stands in the whole text."""
    windows = tuple(
        [
            Window(Span(each.span.start + part.start, each.span.end + part.start), each.value, each.layers)
            for each in score.windows
        ]
    )
    return msgspec.structs.replace(score, windows=windows, screened=(Span(0, part.end),), size=part.end)
