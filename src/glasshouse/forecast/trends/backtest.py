"""How the methods would have done: rolling origins, three months ahead, nothing later than the origin used."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from glasshouse.forecast.trends.counts import HORIZON, METHODS, SHORTEST, crps, dispersion, distribution
from glasshouse.forecast.trends.model import Backtest

ORIGINS = 12


def backtest(counts: Sequence[int], origins: int = ORIGINS) -> tuple[Backtest, ...]:
    """A row for each method; empty when the series is too short to judge."""
    last = len(counts) - HORIZON
    first = max(SHORTEST + 1, last - origins + 1)
    if first > last:
        return ()
    return tuple(_row(name, counts, range(first, last + 1)) for name in METHODS)


def _row(name: str, counts: Sequence[int], origins: range) -> Backtest:
    method = METHODS[name]
    errors, scores = 0.0, 0.0
    number = 0
    for origin in origins:
        past = counts[:origin]
        size = dispersion(past, method)
        for ahead, mean in enumerate(method(past, HORIZON)):
            observed = counts[origin + ahead]
            errors += abs(observed - mean)
            scores += crps(distribution(mean, size), observed)
            number += 1
    scale = _naive_error(counts[: origins.start])
    return Backtest(name, errors / number / scale if scale else inf, scores / number, number)


def _naive_error(counts: Sequence[int]) -> float:
    """The mean step from month to month in the part that no forecast was judged on."""
    steps = [abs(after - before) for before, after in pairwise(counts)]
    return sum(steps) / len(steps) if steps else 0.0


def best_method(rows: Sequence[Backtest]) -> str:
    """The method with the lowest CRPS; the recent mean when there was nothing to judge by."""
    return min(rows, key=lambda row: (row.crps, row.method)).method if rows else "recent mean"
