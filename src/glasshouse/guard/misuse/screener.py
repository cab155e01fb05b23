"""The screener: a text in, its misuse score out.  Deterministic, bounded, never raises on any text."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from pathlib import Path

import msgspec

from glasshouse.guard.misuse import model
from glasshouse.guard.misuse.features import Lexicon, features, stem, tokens
from glasshouse.guard.misuse.normalise import View, views
from glasshouse.guard.misuse.spelling import Speller
from glasshouse.guard.misuse.stream import StreamScreen
from glasshouse.guard.misuse.verdicts import CategoryScore, Reason, Score, Span, Window

MAX_CHARACTERS = 1_000_000
"""Characters of one text that are looked at unless the caller says otherwise."""
MAX_BLOCK = 2_000
"""Characters of neighbouring sentences that are also scored together."""
WINDOWS_KEPT = 8
REASONS_KEPT = 6


class _Scored(msgspec.Struct, frozen=True):
    value: float
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
        self._rows = {feature: row for row, feature in enumerate(weights.vocabulary)}
        self._lexicon = Lexicon(weights.lexicon)
        known = frozenset(weights.known)
        self._speller = Speller(known, frozenset(weights.ordinary), ())

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
        scored = self._scored(looked_at)
        size = _bytes(text)
        best = max(scored, key=lambda each: each.value, default=None)
        shown = best.shown if best is not None else frozenset()
        categories = self._categories(shown)
        kept = heapq.nlargest(WINDOWS_KEPT, scored, key=lambda each: each.value)
        return Score(
            value=best.value if best is not None else 0.0,
            category=categories[0].name,
            categories=categories,
            windows=tuple(Window(_span(looked_at, each.start, each.end), each.value, each.layers) for each in kept),
            reasons=self._reasons(shown),
            screened=(Span(0, size if len(looked_at) == len(text) else _bytes(looked_at)),) if text else (),
            size=size,
            model=self.digest,
        )

    def stream(self, *, stop_at: float = 1.1) -> StreamScreen:
        """A screen for one streamed text, which stops releasing at the first window of value ``stop_at`` or more."""
        return StreamScreen(self, stop_at)

    def _scored(self, text: str) -> list[_Scored]:
        scored = []
        block: list[_Scored] = []
        for view in views(text, self._speller):
            one = self._window(view)
            scored.append(one)
            if block and (one.layers != block[-1].layers or one.end - block[0].start > MAX_BLOCK):
                scored.extend(self._together(block))
                block = []
            block.append(one)
        scored.extend(self._together(block))
        return scored

    def _window(self, view: View) -> _Scored:
        stems = [stem(word) for word in tokens(view.text)]
        shown = frozenset(features(stems, self._lexicon))
        return _Scored(self._value(shown), view.start, view.end, view.layers, shown)

    def _together(self, block: list[_Scored]) -> Iterable[_Scored]:
        if len(block) > 1:
            shown = frozenset().union(*(each.shown for each in block))
            yield _Scored(self._value(shown), block[0].start, block[-1].end, block[0].layers, shown)

    def _value(self, shown: frozenset[str]) -> float:
        weight = self._by_feature
        found = [weight[each] for each in shown if each in weight]
        raw = self._weights.bias + (sum(found) / math.sqrt(len(found)) if found else 0.0)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self._weights.slope * raw + self._weights.offset))))

    def _categories(self, shown: frozenset[str]) -> tuple[CategoryScore, ...]:
        weights = self._weights
        rows = [self._rows[each] for each in shown if each in self._rows]
        length = math.sqrt(len(rows)) or 1.0
        raw = [
            bias + weights.category_scale * sum([row[each] for each in rows]) / length
            for row, bias in zip(weights.category_weights, weights.category_bias, strict=True)
        ]
        top = max(raw)
        shares = [math.exp(each - top) for each in raw]
        whole = sum(shares)
        ranked = sorted(zip(weights.categories, shares, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return tuple(CategoryScore(name, share / whole) for name, share in ranked)

    def _reasons(self, shown: frozenset[str]) -> tuple[Reason, ...]:
        weight = self._by_feature
        found = [(weight[each], each) for each in shown if each in weight]
        length = math.sqrt(len(found)) or 1.0
        strongest = heapq.nlargest(REASONS_KEPT, found)
        return tuple(Reason(feature, value / length) for value, feature in strongest if value > 0)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _span(text: str, start: int, end: int) -> Span:
    if text.isascii():
        return Span(start, end)
    first = _bytes(text[:start])
    return Span(first, first + _bytes(text[start:end]))
