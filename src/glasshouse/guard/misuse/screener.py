"""The screener: a text in, its misuse score out.  Deterministic, bounded, never raises on any text.

The model is additive: the evidence for a piece of text is a bias plus one weight for each feature it shows, in log
odds.  Evidence is summed over each sentence and over blocks of neighbouring sentences.  The highest counts; a sentence
alone must be clearer than a block by a margin, since it lacks its context.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from functools import partial
from heapq import nlargest
from pathlib import Path
from sys import intern
from typing import NamedTuple

from glasshouse.guard.misuse import compiled, model
from glasshouse.guard.misuse.features import Lexicon, Reader, Vocabulary, as_words
from glasshouse.guard.misuse.normalise import View, hidden, views
from glasshouse.guard.misuse.segments import sentences
from glasshouse.guard.misuse.session import Session
from glasshouse.guard.misuse.shown import packed, unpacked
from glasshouse.guard.misuse.spelling import Speller
from glasshouse.guard.misuse.stream import Context, StreamScreen
from glasshouse.guard.misuse.verdicts import CategoryScore, Explanation, Reason, Score, Span, Window

MAX_CHARACTERS = 1_000_000
"""Characters of one text that are looked at unless the caller says otherwise."""
MAX_BLOCK = 2_000
"""Characters of neighbouring sentences that are also scored together."""
CONVERSATION_MARGIN = 1.0
"""By how much the turns of a conversation together must be clearer than one request, in log odds."""
WINDOWS_KEPT = 8
REASONS_KEPT = 6
EXPLAINED_FROM = 0.5
"""From this value on a score carries categories, windows and reasons; below there is nothing to explain."""


class Piece(NamedTuple):
    """A sentence or a block of sentences, weighed."""

    evidence: float
    """Log odds, uncalibrated."""
    start: int
    end: int
    layers: tuple[str, ...]
    shown: Set[str]


class Sum(NamedTuple):
    """What a text comes to."""

    evidence: float
    """Log odds, uncalibrated, of its best piece; minus infinity if it has none."""
    shown: bytes
    """What all its pieces show, as `shown.packed` makes it."""
    pieces: list[Piece] | None
    """The pieces, where they were built."""


class Together(NamedTuple):
    """A text with what came before it."""

    evidence: float
    shown: bytes
    layers: tuple[str, ...]


class Screener:
    """Scores texts with one set of weights.  Safe to share between threads."""

    def __init__(self, weights: model.Weights, digest: str) -> None:
        self.digest = digest
        """``sha256:`` and the digest of the weights, as it goes into the log."""
        self.thresholds = dict(weights.thresholds)
        """Name of an operating point -> the value from which on a text counts as misuse."""
        self._weights = weights
        self._weight = dict(zip(map(intern, weights.vocabulary), weights.misuse, strict=True)).__getitem__
        self._number = {name: number for number, name in enumerate(weights.vocabulary)}.__getitem__
        self._by_category = model.by_category(weights)
        lexicon = Lexicon(weights.lexicon)
        self._vocabulary = Vocabulary(weights.vocabulary, lexicon)
        self._speller = Speller(frozenset(weights.known), frozenset(weights.ordinary), weights.guarded)
        self._reader = Reader(lexicon, self._speller.corrected)
        self._compiled = compiled.load(weights)

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

    @property
    def compiled(self) -> bool:
        """Whether undisguised text is read by the compiled half (`guard.misuse.compiled`)."""
        return self._compiled is not None

    def score(self, text: str, *, max_characters: int = MAX_CHARACTERS) -> Score:
        """The misuse score of a request or an answer; what lies beyond ``max_characters`` counts as not screened."""
        looked_at = text[:max_characters]
        return self._verdict(text, looked_at, self._sum(looked_at), None)

    def turn(self, session: Session, text: str) -> tuple[Session, Score]:
        """The score of a conversation's next turn in the light of the turns before, and the session to go on with.

        Catches what is asked for in parts.  The span of a window that stands for the conversation is the turn's.
        """
        own = self._sum(text)
        later = session.after(own.shown)
        together = None
        if session.turns:
            evidence = self.evidence(later.shown) - CONVERSATION_MARGIN
            together = Together(evidence, later.shown, ("conversation",))
        return later, self._verdict(text, text, own, together)

    def follow(self, context: Context, part: str) -> Score:
        """The score of the next part of a stream in its context, which remembers the part."""
        own = self._sum(part)
        continues = context.any
        context.add(part, own.shown)
        if not continues:
            return self._verdict(part, part, own, None)
        together = Together(self.evidence(context.shown), context.shown, ())
        decoded = self._decoded(context.tail, len(part)) if context.may_be_encoded else []
        return self._verdict(part, part, own, together, decoded)

    def _decoded(self, tail: str, size: int) -> list[Piece]:
        """What is encoded in the tail of a stream, placed in its last part of so many characters."""
        return [each._replace(start=0, end=size) for each in self.weigh(tail) if each.layers]

    def stream(self, *, stop_at: float = math.inf) -> StreamScreen:
        """A screen for one streamed text, which stops releasing at the first window of value ``stop_at`` or more."""
        return StreamScreen(self, stop_at)

    def _sum(self, text: str) -> Sum:
        """What a text comes to, from the compiled half where it can tell."""
        if self._compiled is not None and text.isascii():
            found = self._compiled.weigh(text)
            if found is not None and not (found.may_hide and self._weighed(hidden(text, self._speller))):
                return Sum(found.evidence, found.shown, None)
        pieces = self.weigh(text)
        every: set[str] = set().union(*[each.shown for each in pieces])
        return Sum(_highest(pieces), packed(map(self._number, every)), pieces)

    def weigh(self, text: str) -> list[Piece]:
        """The sentences of a text, plain and decoded, and their blocks, with their evidence."""
        if not text.isascii() or self._speller.suspects(text):
            return self._weighed(views(text, self._speller))
        pieces = self._ordinary(text)
        pieces += self._weighed(hidden(text, self._speller))
        return pieces

    def _ordinary(self, text: str) -> list[Piece]:
        """The sentences of an undisguised ASCII text and their blocks: the same as `_weighed` finds, in fewer steps."""
        pieces: list[Piece] = []
        block: _Block | None = None
        weights, words_of, shown_by = self._weights, self._reader.words_of, self._vocabulary.shown
        bias, scale, weight = weights.bias - weights.sentence_margin, weights.misuse_scale, self._weight
        raw = as_words(text)
        for start, end in sentences(text):
            shown = shown_by(words_of(text, raw, start, end))
            total = sum(map(weight, shown))
            if block is not None and end - block.start > MAX_BLOCK:
                self._end(block, pieces)
                block = None
            if block is None:
                block = _Block(start, end, (), shown, total)
            else:
                block.add(end, shown)
            pieces.append(Piece(bias + total * scale, start, end, (), shown))
        if block is not None:
            self._end(block, pieces)
        return pieces

    def _weighed(self, found: Iterable[View]) -> list[Piece]:
        pieces: list[Piece] = []
        block: _Block | None = None
        weights, stems, shown_by = self._weights, self._reader.stems, self._vocabulary.shown
        bias, scale, weight = weights.bias - weights.sentence_margin, weights.misuse_scale, self._weight
        for plain, start, end, layers in found:
            shown = shown_by(stems(plain))
            total = sum(map(weight, shown))
            if block is not None and (layers[:1] != block.layers[:1] or end - block.start > MAX_BLOCK):
                self._end(block, pieces)
                block = None
            if block is None:
                block = _Block(start, end, layers, shown, total)
            else:
                block.add(end, shown)
            pieces.append(Piece(bias + total * scale, start, end, layers, shown))
        if block is not None:
            self._end(block, pieces)
        return pieces

    def _end(self, block: _Block, pieces: list[Piece]) -> None:
        """Adds a block; one of a single sentence takes its place, since it has no other context."""
        weights, total = self._weights, block.total
        if block.alone:
            del pieces[-1]
        else:
            total = sum(map(self._weight, block.shown))
        evidence = weights.bias + total * weights.misuse_scale
        pieces.append(Piece(evidence, block.start, block.end, block.layers, block.shown))

    def evidence(self, shown: bytes) -> float:
        """Log odds, uncalibrated, of features as `shown.packed` makes them, or of several such together."""
        if self._compiled is not None:
            return self._compiled.together(shown)
        total = sum(map(self._weights.misuse.__getitem__, unpacked(shown)))
        return self._weights.bias + total * self._weights.misuse_scale

    def value(self, evidence: float) -> float:
        """The calibrated value of some evidence."""
        odds = self._weights.slope * evidence + self._weights.offset
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))

    def _verdict(
        self, text: str, looked_at: str, own: Sum, together: Together | None, decoded: Sequence[Piece] = ()
    ) -> Score:
        """The score by the best of a text's own pieces, of all that was said together, and of what came decoded."""
        size = _bytes(text)
        evidence = own.evidence if together is None else max(own.evidence, together.evidence, _highest(decoded))
        value = self.value(evidence) if evidence > -math.inf else 0.0
        explain = None
        if value >= EXPLAINED_FROM:
            explain = partial(self._explain, looked_at, own.pieces, together, decoded)
        return Score(value, size, size if len(looked_at) == len(text) else _bytes(looked_at), self.digest, explain)

    def _explain(
        self, text: str, pieces: list[Piece] | None, together: Together | None, decoded: Sequence[Piece]
    ) -> Explanation:
        every = [*(self.weigh(text) if pieces is None else pieces), *decoded]
        if together is not None:
            shown = frozenset(map(self._weights.vocabulary.__getitem__, unpacked(together.shown)))
            every.append(Piece(together.evidence, 0, len(text), together.layers, shown))
        best = max(every, key=_place)
        windows = [
            Window(_span(text, each.start, each.end), self.value(each.evidence), each.layers)
            for each in nlargest(WINDOWS_KEPT, every, key=_place)
        ]
        return Explanation(self._categories(best.shown), tuple(windows), self._reasons(best.shown))

    def _categories(self, shown: Set[str]) -> tuple[CategoryScore, ...]:
        rows = [self._weights.category_bias, *map(self._by_category.__getitem__, shown)]
        raw = list(map(sum, zip(*rows, strict=True)))
        top = max(raw)
        shares = [math.exp(each - top) for each in raw]
        whole = sum(shares)
        ranked = sorted(zip(self._weights.categories, shares, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return tuple([CategoryScore(name, share / whole) for name, share in ranked])

    def _reasons(self, shown: Set[str]) -> tuple[Reason, ...]:
        scale = self._weights.misuse_scale
        strongest = nlargest(REASONS_KEPT, [(self._weight(each), each) for each in shown])
        return tuple([Reason(feature, weight * scale) for weight, feature in strongest if weight > 0])


class _Block:
    """Neighbouring sentences, joined as they come; each feature counts once."""

    __slots__ = ("alone", "end", "layers", "shown", "start", "total")

    def __init__(self, start: int, end: int, layers: tuple[str, ...], shown: Set[str], total: int) -> None:
        self.start, self.end, self.layers, self.shown = start, end, layers, shown
        self.total = total
        """The quantised weights of the first sentence."""
        self.alone = True

    def add(self, end: int, shown: Set[str]) -> None:
        """Takes the next sentence in."""
        self.end = end
        if self.alone:
            self.shown = self.shown | shown  # from the second sentence on a set of its own
            self.alone = False
        else:
            self.shown |= shown


def _place(piece: Piece) -> tuple[float, int, int]:
    return piece.evidence, piece.start, piece.end


def _highest(pieces: Sequence[Piece]) -> float:
    return max([each.evidence for each in pieces], default=-math.inf)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _span(text: str, start: int, end: int) -> Span:
    if text.isascii():
        return Span(start, end)
    first = _bytes(text[:start])
    return Span(first, first + _bytes(text[start:end]))
