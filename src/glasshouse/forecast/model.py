"""The model: a text score, trees and weights of evidence over it and the other numbers, calibration.  Pure numpy.

The weights are one file of plain arrays behind a MessagePack header (no pickle).  ``train/forecast.py`` makes it, and
docs/reference/forecast-model.md says from what.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from glasshouse.forecast.background import Listing
from glasshouse.forecast.facts import Day
from glasshouse.forecast.features import NAMES
from glasshouse.forecast.text import terms
from glasshouse.forecast.trees import Array, Packed, TreeModel, TreeWeights, step_of
from glasshouse.words.errors import ForecastModelError
from glasshouse.words.named_file import read_named

Variant = Literal["full", "record"]
Horizon = Literal[30, 90, 365]
HORIZONS: tuple[Horizon, ...] = (30, 90, 365)
SHIPPED = Path(__file__).parent / "weights" / "kev-3.msgpack"
FORMAT = 2
MAX_BYTES = 10_000_000
INPUTS: tuple[str, ...] = (*NAMES, "text_score")


class TextWeights(msgspec.Struct, frozen=True):
    """A linear model over the terms of a description: each term's weight and rarity (inverse document frequency)."""

    vocabulary: tuple[str, ...]
    weight: Packed
    rarity: Packed
    intercept: float
    missing: float


class StepWeights(msgspec.Struct, frozen=True):
    """Weights of evidence: the range of each input is cut at its edges, and each piece speaks for or against listing.

    ``count`` holds how many edges each input has, ``edges`` all of them in order.  ``weight`` holds, for each input,
    the log of the likelihood ratio of "not known" and those of its pieces from the lowest; an edge belongs to the
    piece below it.
    """

    count: Packed
    edges: Packed
    weight: Packed


class Calibration(msgspec.Struct, frozen=True):
    """log-odds = intercept + score x of trees and evidence together + text x of the text score."""

    intercept: float
    score: float
    text: float


class Reliability(msgspec.Struct, frozen=True):
    """Past forecasts up to ``upper``: how many, their mean, how many came true; held-out ones only."""

    upper: float
    forecasts: int
    mean: float
    came_true: int


class VariantWeights(msgspec.Struct, frozen=True):
    """One way to score: ``full`` with counts of mentions, ``record`` without."""

    trees: TreeWeights
    steps: StepWeights
    calibration: dict[str, Calibration]
    reliability: dict[str, tuple[Reliability, ...]]
    typical: tuple[float, ...]


class Weights(msgspec.Struct, frozen=True):
    """The whole file.  ``listings`` is the background for users who import no catalogue of their own."""

    format: int
    version: str
    trained_until: str
    inputs: tuple[str, ...]
    text: TextWeights
    variants: dict[str, VariantWeights]
    listings: tuple[tuple[int, str, str, tuple[int, ...]], ...]
    attribution: str


class TextModel:
    """Scores how much a description reads like those of vulnerabilities that were listed as exploited."""

    def __init__(self, weights: TextWeights) -> None:
        self._index = {term: number for number, term in enumerate(weights.vocabulary)}
        self._rarity = weights.rarity.unpack().astype(np.float64)
        self._product = weights.weight.unpack().astype(np.float64) * self._rarity
        self._square = self._rarity**2
        self._intercept, self._missing = weights.intercept, weights.missing

    def score(self, tokens: Sequence[str]) -> float:
        """Log-odds; a fixed low value when no word is known."""
        get = self._index.get
        known = [number for number in map(get, terms(tokens)) if number is not None]
        if not known:
            return self._missing
        norm = float(self._square[known].sum()) ** 0.5
        return float(self._intercept + self._product[known].sum() / norm)

    def contributions(self, tokens: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """The terms that raise the score most, with their share of the log-odds."""
        known = [(term, self._index[term]) for term in terms(tokens) if term in self._index]
        norm = float(self._square[[number for _, number in known]].sum()) ** 0.5 or 1.0
        found = [(term, float(self._product[number]) / norm) for term, number in known]
        return sorted((each for each in found if each[1] > 0), key=lambda each: (-each[1], each[0]))[:limit]


class StepModel:
    """Weights of evidence over rows of ``INPUTS``: each input speaks for itself, and what they say is added up."""

    def __init__(self, weights: StepWeights) -> None:
        counts = weights.count.unpack().astype(np.int64)
        edges, own = weights.edges.unpack().astype(np.float64), weights.weight.unpack().astype(np.float64)
        if counts.sum() != len(edges) or len(edges) + 2 * len(counts) != len(own):
            raise ValueError("edges and weights of steps do not belong together")
        self._edges = np.split(edges, np.cumsum(counts)[:-1])
        self._weight = np.split(own, np.cumsum(counts + 2)[:-1])

    def score(self, rows: Array) -> Array:
        """The sum of the log-likelihood ratios of each row."""
        total = np.zeros(len(rows))
        for column, edges, weight in zip(rows.T, self._edges, self._weight, strict=True):
            total += weight[step_of(column, edges)]
        return total


EVIDENCE_SHARE = 0.15
"""Weight of the evidence beside the trees: small, for its inputs say much the same and it counts that several times."""


RECORD_SHARE = 0.3
"""What the variant without mentions counts for where mentions are known: it errs elsewhere than the other."""


def together(trees: Array, evidence: Array) -> Array:
    """Trees and evidence as one number, before calibration."""
    return trees + EVIDENCE_SHARE * evidence


def mixed(full: Array, record: Array) -> Array:
    """The log-odds of both variants as one, where mentions are known."""
    return (1 - RECORD_SHARE) * full + RECORD_SHARE * record


class Model:
    """A loaded model.  Scoring is a function of its inputs alone: the same rows give the same numbers."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.version, self.trained_until = weights.version, weights.trained_until
        self.text = TextModel(weights.text)
        self._trees = {name: TreeModel(each.trees) for name, each in weights.variants.items()}
        self._steps = {name: StepModel(each.steps) for name, each in weights.variants.items()}

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The shipped history of listings, for stores that hold none."""
        return tuple(Listing(Day(day), vendor, product, cwes) for day, vendor, product, cwes in self.weights.listings)

    def raw(self, rows: Array, variant: Variant) -> Array:
        """Log-odds, before calibration."""
        record = together(self._trees["record"].score(rows), self._steps["record"].score(rows))
        if variant == "record":
            return record
        return mixed(together(self._trees["full"].score(rows), self._steps["full"].score(rows)), record)

    def probabilities(self, rows: Array, variant: Variant) -> Array:
        """Probability of being listed within each of ``HORIZONS``, one column each; never falling with the horizon."""
        raw, text = self.raw(rows, variant), rows[:, -1]
        columns = []
        for horizon in HORIZONS:
            each = self.weights.variants[variant].calibration[str(horizon)]
            log_odds = each.intercept + each.score * raw + each.text * text
            columns.append(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))
        return np.maximum.accumulate(np.column_stack(columns), axis=1) if len(rows) else np.empty((0, len(HORIZONS)))

    def base_rate(self, horizon: Horizon) -> float:
        """The share of held-out forecasts that came true: the chance of a CVE about which nothing is known."""
        rows = self.weights.variants["full"].reliability[str(horizon)]
        return sum(row.came_true for row in rows) / sum(row.forecasts for row in rows)

    def interval(self, probability: float, variant: Variant, horizon: Horizon) -> tuple[float, float]:
        """Where the true rate among forecasts like this one lies with 90 % confidence, from held-out forecasts."""
        rows = self.weights.variants[variant].reliability[str(horizon)]
        row = next((each for each in rows if probability <= each.upper), rows[-1])
        low, high = rate_interval(row.came_true, row.forecasts)
        scale = probability / max(row.mean, 1e-12)
        return min(low * scale, probability), min(max(high * scale, probability), 1.0)


def rate_interval(hits: int, trials: int, z: float = 1.645) -> tuple[float, float]:
    """Wilson's score interval of a rate; 90 % by default."""
    if trials == 0:
        return 0.0, 1.0
    rate, square = hits / trials, z * z
    middle = rate + square / (2 * trials)
    spread = z * (rate * (1 - rate) / trials + square / (4 * trials * trials)) ** 0.5
    scale = 1 + square / trials
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def load_model(path: Path = SHIPPED) -> Model:
    """The model in a file; a file of another format, too large or damaged is an error, never a guess."""
    try:
        content = read_named(path, MAX_BYTES)
        if len(content) > MAX_BYTES:
            raise ForecastModelError(f"weights larger than {MAX_BYTES:,} bytes", where=str(path))
        weights = msgspec.msgpack.decode(content, type=Weights)
    except (OSError, msgspec.DecodeError) as error:
        raise ForecastModelError(f"cannot read the weights: {error}", where=str(path)) from error
    if weights.format != FORMAT or weights.inputs != INPUTS:
        raise ForecastModelError("weights for another version of the features", where=str(path))
    try:
        return Model(weights)
    except (ValueError, TypeError) as error:
        raise ForecastModelError(f"damaged weights: {error}", where=str(path)) from error


@cache
def shipped_model() -> Model:
    """The model that comes with the package, loaded once."""
    return load_model()
