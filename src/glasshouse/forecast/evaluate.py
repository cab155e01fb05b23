"""How good a ranking is: area under the curve, average precision, coverage at an effort, calibration; with intervals.

``score`` may hold ``nan`` (no score): such rows rank last, in the middle of themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
EFFORTS = (0.01, 0.05, 0.10)
RESAMPLES = 1_000
SEED = 11


class Ranked(NamedTuple):
    """One day's scores and what came true.

    ``exploited`` names the rows that came true, in their order, where a CVE may stand on several of the days.
    """

    score: Array
    label: Labels
    exploited: tuple[str, ...] = ()


class Figures(NamedTuple):
    """The figures of one or several days: counts are summed over days, the others averaged."""

    positives: int
    roc_auc: float
    average_precision: float
    coverage: tuple[float, float, float]
    """Share of the exploited found in the first 1, 5 and 10 % of the ranking."""
    precision_100: float
    precision_500: float


class Interval(NamedTuple):
    """A figure with the range of 90 % of its resamples."""

    value: float
    low: float
    high: float


def order(score: Array) -> Array:
    """Ranks from 1 (best); rows of equal score share the mean of their ranks."""
    clean = np.where(np.isnan(score), -np.inf, score)
    _, inverse, counts = np.unique(-clean, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean = last - (counts - 1) / 2
    return np.asarray(mean[inverse], dtype=np.float64)


def roc_auc(ranks: Array, label: Labels) -> float:
    """The chance that an exploited one ranks before another one."""
    positive = int(label.sum())
    negative = len(label) - positive
    if not positive or not negative:
        return float("nan")
    return float(1.0 - (ranks[label].sum() - positive * (positive + 1) / 2) / (positive * negative))


def average_precision(ranks: Array, label: Labels) -> float:
    """The mean, over the exploited, of the precision down to each."""
    found = np.sort(ranks[label])
    return float(np.mean(np.arange(1, len(found) + 1) / found)) if len(found) else float("nan")


def coverage(ranks: Array, label: Labels, effort: float) -> float:
    """The share of the exploited in the first part of the ranking."""
    return float((ranks[label] <= effort * len(label)).mean()) if label.any() else float("nan")


def precision(ranks: Array, label: Labels, first: int) -> float:
    """The share of exploited ones among the first."""
    return float((ranks[label] <= first).sum() / first)


def figures(days: Sequence[Ranked]) -> Figures:
    """All figures; coverage over the exploited of all days together."""
    ranks = [order(each.score) for each in days]
    labels = [each.label for each in days]
    pairs = list(zip(ranks, labels, strict=True))
    shares = [np.concatenate([rank[label] / len(label) for rank, label in pairs]) <= effort for effort in EFFORTS]
    return Figures(
        positives=int(sum(label.sum() for label in labels)),
        roc_auc=float(np.nanmean([roc_auc(*pair) for pair in pairs])),
        average_precision=float(np.nanmean([average_precision(*pair) for pair in pairs])),
        coverage=(float(shares[0].mean()), float(shares[1].mean()), float(shares[2].mean())),
        precision_100=float(np.mean([precision(rank, label, 100) for rank, label in pairs])),
        precision_500=float(np.mean([precision(rank, label, 500) for rank, label in pairs])),
    )


def bootstrap(days: Sequence[Ranked], figure: Callable[[Figures], float], resamples: int = RESAMPLES) -> Interval:
    """A figure with its interval: the exploited CVEs of each day are drawn anew, the others stay (they are many)."""
    values = [figure(found) for found in _resampled(days, resamples)]
    low, high = np.nanquantile(values, (0.05, 0.95))
    return Interval(figure(figures(days)), float(low), float(high))


def paired(
    ours: Sequence[Ranked], theirs: Sequence[Ranked], figure: Callable[[Figures], float], resamples: int = RESAMPLES
) -> Interval:
    """The gain of one ranking over another on the same rows, with its interval; the same draws are used for both."""
    first, second = _resampled(ours, resamples), _resampled(theirs, resamples)
    values = [figure(a) - figure(b) for a, b in zip(first, second, strict=True)]
    low, high = np.nanquantile(values, (0.05, 0.95))
    return Interval(figure(figures(ours)) - figure(figures(theirs)), float(low), float(high))


def _resampled(days: Sequence[Ranked], resamples: int) -> list[Figures]:
    generator = np.random.default_rng(SEED)
    # in the order of the rows, so that a draw takes the same CVEs from two rankings of the same rows
    kept = [(order(each.score)[each.label], len(each.label)) for each in days]
    named = all(len(each.exploited) == len(ranks) for each, (ranks, _) in zip(days, kept, strict=True))
    draw = _by_name(days) if named else _by_row(kept)
    found = []
    for _ in range(resamples):
        times = draw(generator)
        drawn = [
            (np.sort(np.repeat(ranks, time)), size)
            for (ranks, size), time in zip(kept, times, strict=True)
            if time.any()
        ]
        found.append(_from_ranks(drawn))
    return found


_Counts = npt.NDArray[np.int64]
_Draw = Callable[[np.random.Generator], list[_Counts]]


def _by_row(kept: Sequence[tuple[Array, int]]) -> _Draw:
    """Each day's exploited CVEs drawn with replacement: how often each is taken."""
    sizes = [len(ranks) for ranks, _ in kept]
    return lambda generator: [
        np.bincount(generator.integers(0, size, size), minlength=size) if size else np.zeros(0, np.int64)
        for size in sizes
    ]


def _by_name(days: Sequence[Ranked]) -> _Draw:
    """All exploited CVEs drawn together: one that is taken is taken on every day on which it stands."""
    names = sorted({name for each in days for name in each.exploited})
    position = {name: number for number, name in enumerate(names)}
    rows = [np.array([position[name] for name in each.exploited], dtype=np.int64) for each in days]

    def draw(generator: np.random.Generator) -> list[_Counts]:
        times = np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names))
        return [times[row] for row in rows]

    return draw


def _from_ranks(days: Sequence[tuple[Array, int]]) -> Figures:
    """Figures from the ranks of the exploited alone; draws of the same CVE stand beside each other."""
    shares = np.concatenate([ranks / size for ranks, size in days])
    auc, precisions = [], []
    for ranks, size in days:
        positive = len(ranks)
        auc.append(1.0 - (ranks.mean() - (positive + 1) / 2) / max(size - positive, 1))
        # a CVE drawn twice keeps its rank: it counts twice among the found
        precisions.append(float(np.mean(np.arange(1, positive + 1) / np.maximum(ranks, np.arange(1, positive + 1)))))
    covered = [float((shares <= effort).mean()) for effort in EFFORTS]
    return Figures(
        positives=len(shares),
        roc_auc=float(np.mean(auc)),
        average_precision=float(np.mean(precisions)),
        coverage=(covered[0], covered[1], covered[2]),
        precision_100=float(np.mean([(ranks <= 100).sum() / 100 for ranks, _ in days])),
        precision_500=float(np.mean([(ranks <= 500).sum() / 500 for ranks, _ in days])),
    )


def brier_skill(probability: Array, label: Labels) -> float:
    """One minus the Brier score over that of the base rate; near 0 by nature where few come true."""
    base = float(label.mean())
    reference = base * (1 - base)
    return 1.0 - float(np.mean((probability - label) ** 2)) / reference if reference else float("nan")


class Bin(NamedTuple):
    """Forecasts of a range: how many, how many were expected to come true, how many did."""

    forecasts: int
    expected: float
    observed: int


def reliability(probability: Array, label: Labels, shares: Sequence[float] = (0.5, 0.9, 0.99, 0.999, 1.0)) -> list[Bin]:
    """Forecasts in groups from the lowest to the highest."""
    ranks = np.argsort(np.argsort(probability, kind="stable"), kind="stable")
    edges = [0, *(round(share * len(label)) for share in shares)]
    found = []
    for low, high in pairwise(edges):
        inside = (ranks >= low) & (ranks < high)
        found.append(Bin(int(inside.sum()), float(probability[inside].sum()), int(label[inside].sum())))
    return found
