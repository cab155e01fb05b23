"""Boosted trees over rows of numbers, scored without walking them.

Each inner node whose answer is "right" rules out the leaves to its left; of the leaves that no node rules out, the
first is the one where the row arrives.  Which nodes answer so depends on one number each, and is looked up for all
trees at once (after QuickScorer: Lucchese et al., SIGIR 2015).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAVES = 8
"""Of a tree at most: one bit each."""
CHUNK = 2_048  # rows whose bytes, one a tree, stay in the processor's cache


class Packed(msgspec.Struct, frozen=True):
    """An array as bytes, little-endian."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def unpack(self) -> npt.NDArray[np.generic]:
        return np.frombuffer(self.data, dtype=np.dtype(self.dtype)).reshape(self.shape)


def pack(array: npt.ArrayLike, dtype: str) -> Packed:
    """The array in a given element type."""
    made = np.ascontiguousarray(np.asarray(array).astype(dtype))
    return Packed(dtype, made.shape, made.tobytes())


class TreeWeights(msgspec.Struct, frozen=True):
    """Trees of at most eight leaves, laid end to end.  ``root`` holds the first node of each.

    A leaf has feature -1 and its value in ``threshold``.
    """

    root: Packed
    feature: Packed
    threshold: Packed
    left: Packed
    right: Packed
    missing_left: Packed
    intercept: float
    depth: int


class TreeModel:
    """Boosted trees over rows of inputs; ``nan`` goes the way it went in training."""

    def __init__(self, weights: TreeWeights) -> None:
        trees = _Trees(weights)
        self._intercept, self._size = weights.intercept, len(trees.value)
        self._looked_up = [(feature, *_ruled_out(nodes, self._size)) for feature, nodes in trees.nodes.items()]
        first = np.array([(left & -left).bit_length() - 1 for left in range(2**LEAVES)])
        # the value of each tree by what is left of its leaves; something always is
        self._value = trees.value[:, first].ravel()
        self._start = np.arange(self._size) * 2**LEAVES

    def score(self, rows: Array) -> Array:
        """Log-odds for each row."""
        return np.concatenate(
            [self._chunk(rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)] or [np.empty(0)]
        )

    def _chunk(self, rows: Array) -> Array:
        left = np.full((len(rows), self._size), 2**LEAVES - 1, dtype=np.uint8)
        for feature, edges, kept in self._looked_up:
            left &= kept[step_of(rows[:, feature], edges)]
        return np.asarray(self._intercept + self._value[left + self._start].sum(axis=1))


class _Node(NamedTuple):
    """An inner node: up to its threshold a value goes left; the leaves that are left otherwise, as bits."""

    threshold: float
    missing_left: bool
    tree: int
    otherwise: int


class _Trees:
    """Nodes by the input that they ask for, and the values of leaves, a row a tree."""

    def __init__(self, weights: TreeWeights) -> None:
        self._feature, self._threshold = weights.feature.unpack().tolist(), weights.threshold.unpack().tolist()
        self._left, self._right = weights.left.unpack().tolist(), weights.right.unpack().tolist()
        self._missing_left = weights.missing_left.unpack().tolist()
        roots = weights.root.unpack().tolist()
        self.nodes: dict[int, list[_Node]] = {}
        self.value = np.zeros((len(roots), LEAVES))
        for tree, root in enumerate(roots):
            self._walk(tree, root, 0, LEAVES)

    def _walk(self, tree: int, node: int, leaf: int, depth: int) -> int:
        """Reads what is below a node, whose first leaf is ``leaf``; the number of its leaves."""
        if leaf == LEAVES or not depth:
            raise ValueError(f"a tree of more than {LEAVES} leaves")
        feature, threshold = self._feature[node], self._threshold[node]
        if feature < 0:
            self.value[tree, leaf] = threshold
            return 1
        size = self._walk(tree, self._left[node], leaf, depth - 1)
        otherwise = (2**LEAVES - 1) & ~((2**size - 1) << leaf)
        missing_left = bool(self._missing_left[node])
        self.nodes.setdefault(feature, []).append(_Node(threshold, missing_left, tree, otherwise))
        return size + self._walk(tree, self._right[node], leaf + size, depth - 1)


def _ruled_out(nodes: list[_Node], trees: int) -> tuple[Array, npt.NDArray[np.uint8]]:
    """Where an input is cut, and what each of its steps leaves of the leaves of each tree."""
    edges = np.unique([node.threshold for node in nodes])
    kept = np.full((len(edges) + 2, trees), 2**LEAVES - 1, dtype=np.uint8)
    for node in nodes:
        kept[np.searchsorted(edges, node.threshold) + 2 :, node.tree] &= node.otherwise
        if not node.missing_left:
            kept[0, node.tree] &= node.otherwise
    return edges, kept


def step_of(column: Array, edges: Array) -> npt.NDArray[np.int64]:
    """Which step each value stands on: 0 for not known, 1 up to the first edge, and so on."""
    return np.where(np.isnan(column), 0, np.searchsorted(edges, column) + 1)
