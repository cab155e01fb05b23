"""How the ranker does on sources that it never saw, beside the order by severity and confidence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from train.ranker_fit import Table, calibration, even_weights, fit

FIRST = (20, 50, 100)
FOLDS = ("codeql", "juliet-c", "sven", "xast")
"""Sources that have enough safe places to be left out; the small ones are in every training set."""


class Part(NamedTuple):
    """One source left out: which rows, and their log odds by a model that saw none of them."""

    name: str
    chosen: np.ndarray
    odds: np.ndarray


def left_out(table: Table) -> list[Part]:
    """One part for each source with both labels."""
    parts = []
    for source in FOLDS:
        chosen = table.sources == source
        parts.append(Part(source, chosen, fit(table, ~chosen).odds(table)))
    return parts


def pooled(table: Table, parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Log odds of every row that was left out once, and which rows those are."""
    odds, chosen = np.zeros(len(table.weak)), np.zeros(len(table.weak), dtype=bool)
    for part in parts:
        odds[part.chosen] = part.odds[part.chosen]
        chosen |= part.chosen
    return odds, chosen


def baseline(table: Table) -> np.ndarray:
    """The order without a ranker: severity, then confidence."""
    return np.array([severity * 10 + confidence for severity, confidence in (row.baseline for row in table.rows)])


def area(scores: np.ndarray, weak: np.ndarray) -> float:
    """The chance that a weak place stands before a safe one (ties count half)."""
    high, low = scores[weak], scores[~weak]
    above = (high[:, None] > low[None, :]).sum() + 0.5 * (high[:, None] == low[None, :]).sum()
    return float(above / (len(high) * len(low)))


def precision(scores: np.ndarray, weak: np.ndarray, first: int) -> float:
    """The share of weak places among the first; where the order leaves open who is in, what to expect."""
    first = min(first, len(scores))
    edge = np.sort(scores)[::-1][first - 1]
    sure, open_ = scores > edge, scores == edge
    return float((weak[sure].sum() + weak[open_].mean() * (first - sure.sum())) / first)


def calibrated(table: Table, parts: Sequence[Part]) -> np.ndarray:
    """Probabilities of left-out rows, each part calibrated on the other parts."""
    found = np.zeros(len(table.weak))
    for part in parts:
        odds, chosen = pooled(table, [other for other in parts if other is not part])
        slope, offset = calibration(odds, table, chosen)
        hand = table.hand[part.chosen]
        found[part.chosen] = 1 / (1 + np.exp(-(slope * (part.odds[part.chosen] - hand) + hand + offset)))
    return found


def reliability(
    table: Table, parts: Sequence[Part], bins: Sequence[float]
) -> Iterator[tuple[float, float, int, float, float]]:
    """For each bin: from, to, rows, mean probability, share confirmed at equal numbers of weak and safe."""
    found = calibrated(table, parts)
    chosen = np.logical_or.reduce([part.chosen for part in parts])
    weights = even_weights(table, chosen)
    for low, high in itertools.pairwise(bins):
        own = chosen & (found >= low) & (found < high)
        if own.any():
            share = np.average(table.weak[own], weights=weights[own])
            yield low, high, int(own.sum()), float(np.average(found[own], weights=weights[own])), float(share)


def brier(table: Table, parts: Sequence[Part]) -> float:
    """Mean squared error of the probability at equal numbers; 0.25 is always saying one half."""
    found = calibrated(table, parts)
    chosen = np.logical_or.reduce([part.chosen for part in parts])
    weights = even_weights(table, chosen)
    return float(np.average((found[chosen] - table.weak[chosen]) ** 2, weights=weights[chosen]))
