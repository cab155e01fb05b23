"""The screener: a text in, its misuse score out.  Deterministic, bounded, never raises on any text.

The model is additive: the evidence for a piece of text is a bias plus one weight for each feature it shows, in log
odds.  Evidence is summed over each sentence and over blocks of neighbouring sentences.  The highest counts; a sentence
alone must be clearer than a block by a margin, since it lacks its context.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import nlargest
from pathlib import Path
from typing import NamedTuple

from glasshouse.guard.misuse import model
from glasshouse.guard.misuse.features import Lexicon, Reader
from glasshouse.guard.misuse.normalise import View, views
from glasshouse.guard.misuse.session import Session
from glasshouse.guard.misuse.spelling import Speller
from glasshouse.guard.misuse.stream import Context, StreamScreen
from glasshouse.guard.misuse.verdicts import CategoryScore, Reason, Score, Span, Window

MAX_CHARACTERS = 1_000_000
"""Characters of one text that are looked at unless the caller says otherwise."""
MAX_BLOCK = 2_000
"""Characters of neighbouring sentences that are also scored together."""
WINDOWS_KEPT = 8
REASONS_KEPT = 6
EXPLAINED_FROM = 0.2
"""From this value on a score carries categories, windows and reasons; below there is nothing to explain."""


class Piece(NamedTuple):
    """A sentence or a block of sentences, weighed."""

    evidence: float
    """Log odds, uncalibrated."""
    start: int
    end: int
    layers: tuple[str, ...]
    shown: frozenset[str]


class Screener:
    """Scores texts with one set of weights.  Safe to share between threads."""

    def __init__(self, weights: model.Weights, digest: str) -> None:
        self.digest = digest
        """``sha256:`` and the digest of the weights, as it goes into the log."""
        self.thresholds = dict(weights.thresholds)
        """Name of an operating point -> the value from which on a text counts as misuse."""
        self._weights = weights
        self._by_feature = model.by_feature(weights)
        self._by_category = model.by_category(weights)
        self._features = frozenset(weights.vocabulary)
        self._speller = Speller(frozenset(weights.known), frozenset(weights.ordinary), weights.guarded)
        self._reader = Reader(Lexicon(weights.lexicon), self._speller.corrected)

    @classmethod
    def load(cls, path: Path | None = None, *, sha256: str = "") -> Screener:
        """The screener with the shipped weights, or with a file of your own and its expected digest.

        `ModelError` if the weights are missing, too large, of another format or not the expected ones.
        """
        if path is None:
            raw, sha256 = model.shipped()
        else:
            raw = model.from_file(path)
        return cls(model.decode(raw, sha256, str(path or "the shipped weights")), f"sha256:{sha256}")

    def score(self, text: str, *, max_characters: int = MAX_CHARACTERS) -> Score:
        """The misuse score of a request or an answer; what lies beyond ``max_characters`` counts as not screened."""
        looked_at = text[:max_characters]
        return self._verdict(text, looked_at, self.weigh(looked_at))

    def turn(self, session: Session, text: str) -> tuple[Session, Score]:
        """The score of a conversation's next turn in the light of the turns before, and the session to go on with.

        Catches what is asked for in parts.  The span of a window that stands for the conversation is the turn's.
        """
        pieces = self.weigh(text)
        shown = frozenset().union(*(each.shown for each in pieces))
        later = session.after(shown)
        if session.turns:
            together = self.evidence(later.shown) - self._weights.sentence_margin
            pieces.append(Piece(together, 0, len(text), ("conversation",), later.shown))
        return later, self._verdict(text, text, pieces)

    def follow(self, before: Context, part: str) -> tuple[Context, Score]:
        """The score of the next part of a longer text in its context, and the context to go on with.

        Spans count from the start of the part.
        """
        pieces = self.weigh(part)
        context = before.after(part, frozenset().union(*(each.shown for each in pieces)))
        if before.sentences:
            pieces.append(Piece(self.evidence(context.shown), 0, len(part), (), context.shown))
        if before.sentences and context.may_be_encoded:
            for each in self.weigh(context.tail):
                if each.layers:
                    pieces.append(each._replace(start=0, end=len(part)))
        return context, self._verdict(part, part, pieces)

    def stream(self, *, stop_at: float = math.inf) -> StreamScreen:
        """A screen for one streamed text, which stops releasing at the first window of value ``stop_at`` or more."""
        return StreamScreen(self, stop_at)

    def weigh(self, text: str) -> list[Piece]:
        """The sentences of a text, plain and decoded, and their blocks, with their evidence."""
        pieces: list[Piece] = []
        block: Piece | None = None
        sentences = 0
        margin = self._weights.sentence_margin
        for view in views(text, self._speller):
            one = self._sentence(view)
            if block is not None and (one.layers[:1] != block.layers[:1] or one.end - block.start > MAX_BLOCK):
                pieces.append(block)
                block, sentences = None, 0
            block = one if block is None else self._joined(block, one)
            sentences += 1
            pieces.append(Piece(one.evidence - margin, one.start, one.end, one.layers, one.shown))
        if block is not None:
            pieces[-1 if sentences == 1 else len(pieces) :] = [block]
        return pieces

    def _joined(self, block: Piece, one: Piece) -> Piece:
        """A block with one more sentence: each feature counts once."""
        new = one.shown - block.shown
        evidence = block.evidence + sum(map(self._by_feature.__getitem__, new))
        return Piece(evidence, block.start, one.end, block.layers, block.shown | new)

    def evidence(self, shown: frozenset[str]) -> float:
        """Log odds, uncalibrated, of a set of known features."""
        return self._weights.bias + sum(map(self._by_feature.__getitem__, shown))

    def value(self, evidence: float) -> float:
        """The calibrated value of some evidence."""
        odds = self._weights.slope * evidence + self._weights.offset
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))

    def _sentence(self, view: View) -> Piece:
        shown = self._features.intersection(self._reader.features(view.text))
        return Piece(self.evidence(shown), view.start, view.end, view.layers, shown)

    def _verdict(self, text: str, looked_at: str, pieces: list[Piece]) -> Score:
        size = _bytes(text)
        best = max(pieces, default=None)
        value = 0.0 if best is None else self.value(best.evidence)
        explained = best is not None and value >= EXPLAINED_FROM
        categories = self._categories(best.shown) if best is not None and explained else ()
        return Score(
            value=value,
            category=categories[0].name if categories else "",
            categories=categories,
            windows=tuple(self._windows(looked_at, pieces)) if explained else (),
            reasons=self._reasons(best.shown) if best is not None and explained else (),
            screened=(Span(0, size if len(looked_at) == len(text) else _bytes(looked_at)),) if text else (),
            size=size,
            model=self.digest,
        )

    def _windows(self, text: str, pieces: list[Piece]) -> Iterator[Window]:
        for each in nlargest(WINDOWS_KEPT, pieces):
            yield Window(_span(text, each.start, each.end), self.value(each.evidence), each.layers)

    def _categories(self, shown: frozenset[str]) -> tuple[CategoryScore, ...]:
        rows = [self._weights.category_bias, *map(self._by_category.__getitem__, shown)]
        raw = list(map(sum, zip(*rows, strict=True)))
        top = max(raw)
        shares = [math.exp(each - top) for each in raw]
        whole = sum(shares)
        ranked = sorted(zip(self._weights.categories, shares, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return tuple([CategoryScore(name, share / whole) for name, share in ranked])

    def _reasons(self, shown: frozenset[str]) -> tuple[Reason, ...]:
        strongest = nlargest(REASONS_KEPT, [(self._by_feature[each], each) for each in shown])
        return tuple([Reason(feature, value) for value, feature in strongest if value > 0])


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _span(text: str, start: int, end: int) -> Span:
    if text.isascii():
        return Span(start, end)
    first = _bytes(text[:start])
    return Span(first, first + _bytes(text[start:end]))
