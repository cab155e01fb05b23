"""Months in which the level of a count changed: binary segmentation by the Poisson likelihood.

Overdispersion allowed for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log

SHORTEST = 4
PENALTY = 3.0
MAX_CHANGES = 5


def change_points(counts: Sequence[int]) -> list[int]:
    """Positions at which a new level begins, in order; each gains more likelihood than chance would."""
    if len(counts) < 2 * SHORTEST:
        return []
    spread = _overdispersion(counts)
    found: list[int] = []
    waiting = [(0, len(counts))]
    while waiting and len(found) < MAX_CHANGES:
        best = max((_best_split(counts, start, end) for start, end in waiting), key=lambda each: each[0])
        gain, at, start, end = best
        if at < 0 or gain / spread < PENALTY * log(len(counts)):
            break
        found.append(at)
        waiting.remove((start, end))
        waiting += [(start, at), (at, end)]
    return sorted(found)


def _best_split(counts: Sequence[int], start: int, end: int) -> tuple[float, int, int, int]:
    whole = _fit(counts, start, end)
    best = (0.0, -1, start, end)
    for at in range(start + SHORTEST, end - SHORTEST + 1):
        gain = 2 * (_fit(counts, start, at) + _fit(counts, at, end) - whole)
        if gain > best[0]:
            best = (gain, at, start, end)
    return best


def _fit(counts: Sequence[int], start: int, end: int) -> float:
    """The maximal Poisson log-likelihood of a stretch, up to what does not depend on its mean."""
    total = sum(counts[start:end])
    return total * log(total / (end - start)) - total if total else 0.0


def _overdispersion(counts: Sequence[int]) -> float:
    """How much more than Poisson neighbouring months differ; 1 or more."""
    pairs = [(a, b) for a, b in pairwise(counts) if a + b > 0]
    if not pairs:
        return 1.0
    return max(sum((a - b) ** 2 / (a + b) for a, b in pairs) / len(pairs), 1.0)
