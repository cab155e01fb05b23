"""Small ensembles of decision trees as JSON, evaluated in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

Node = tuple[int, float, int, int, float]


class Trees(msgspec.Struct, frozen=True):
    """Boosted trees: log-odds ``start`` plus the leaf of each tree.

    A tree is a list of nodes (feature, threshold, left, right, value); feature -1 marks a leaf; a row goes left when
    its feature is at most the threshold.
    """

    start: float
    trees: tuple[tuple[Node, ...], ...]

    def log_odds(self, row: Sequence[float]) -> float:
        """The log-odds for one row of features."""
        odds = self.start
        for tree in self.trees:
            feature, threshold, left, right, value = tree[0]
            while feature >= 0:
                feature, threshold, left, right, value = tree[left if row[feature] <= threshold else right]
            odds += value
        return odds

    def probability(self, row: Sequence[float]) -> float:
        """The probability for one row of features."""
        return 1.0 / (1.0 + math.exp(-max(min(self.log_odds(row), 50.0), -50.0)))
