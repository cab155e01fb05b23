"""Small ensembles of decision trees as JSON, evaluated in plain Python."""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections import defaultdict
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


class Scorer:
    """The same log-odds in half the time, for many rows: all trees at once (C. Lucchese et al., QuickScorer, 2015).

    Every tree has a field of bits, one a leaf, from left to right.  A node whose test fails rules out the leaves on its
    left; the masks of a feature's nodes are added up by threshold, so a row costs one search and one `and` per feature.
    The lowest bit that is left in a field is the leaf of its tree.
    """

    def __init__(self, trees: Trees) -> None:
        most = max((sum(node[0] < 0 for node in tree) for tree in trees.trees), default=1)
        self._width, letter = next((bits, letter) for bits, letter in _FIELDS if most <= bits)
        self._unpack = struct.Struct(f"<{len(trees.trees)}{letter}")
        self._start, self._everything = trees.start, (1 << self._width * len(trees.trees)) - 1
        self._values: list[dict[int, float]] = []
        ruled_out: defaultdict[int, defaultdict[float, int]] = defaultdict(lambda: defaultdict(int))
        for number, tree in enumerate(trees.trees):
            values: dict[int, float] = {}
            self._leaves(tree, 0, number * self._width, values, ruled_out)
            self._values.append(values)
        self._features = []
        for feature, masks in sorted(ruled_out.items()):
            kept = [self._everything]
            for _, mask in sorted(masks.items()):
                kept.append(kept[-1] & ~mask)
            self._features.append((feature, sorted(masks), kept))

    def _leaves(
        self,
        tree: tuple[Node, ...],
        at: int,
        shift: int,
        values: dict[int, float],
        ruled_out: defaultdict[int, defaultdict[float, int]],
    ) -> int:
        """The bits of the leaves below a node, from left to right; takes note of their values and of what tests say."""
        feature, threshold, left, right, value = tree[at]
        if feature < 0:
            bit = 1 << len(values)
            values[bit] = value
            return bit << shift
        below = self._leaves(tree, left, shift, values, ruled_out)
        ruled_out[feature][threshold] |= below
        return below | self._leaves(tree, right, shift, values, ruled_out)

    def log_odds(self, row: Sequence[float]) -> float:
        """The log-odds for one row of features, bit for bit those of the trees."""
        left = self._everything
        for feature, thresholds, kept in self._features:
            left &= kept[bisect_left(thresholds, row[feature])]
        odds = self._start
        for values, field in zip(
            self._values, self._unpack.unpack(left.to_bytes(self._unpack.size, "little")), strict=True
        ):
            odds += values[field & -field]
        return odds


_FIELDS = ((8, "B"), (16, "H"), (32, "I"), (64, "Q"))
