"""Trees that are looked up give what walking them gives."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.forecast.trees import LEAVES, TreeModel, TreeWeights, pack

WIDTH = 3
Tree = Any
"""A leaf's value, or (input, threshold, whether unknown goes left, left, right)."""
edges = st.sampled_from((-1.0, 0.0, 0.5, float("inf")))
values = st.one_of(st.just(float("nan")), st.sampled_from((-1.0, 0.0, 0.5)), st.floats(-3, 3))


@st.composite
def trees(draw: st.DrawFn, leaves: int = LEAVES) -> Tree:
    """A tree of as many leaves at most."""
    if leaves == 1 or draw(st.booleans()):
        return draw(st.floats(-5, 5))
    own = draw(st.integers(1, leaves - 1))
    node = draw(st.integers(0, WIDTH - 1)), draw(edges), draw(st.booleans())
    return (*node, draw(trees(own)), draw(trees(leaves - own)))


def laid_out(forest: list[Tree]) -> TreeWeights:
    """As the file holds them."""
    rows: list[list[float]] = []

    def add(tree: Tree) -> int:
        at = len(rows)
        if isinstance(tree, float):
            rows.append([-1, tree, at, at, 0])
            return at
        rows.append([])
        feature, threshold, missing_left, left, right = tree
        rows[at] = [feature, threshold, add(left), add(right), missing_left]
        return at

    roots = [add(tree) for tree in forest]
    feature, threshold, left, right, missing = zip(*rows, strict=True)
    return TreeWeights(
        root=pack(roots, "<i4"),
        feature=pack(feature, "<i2"),
        threshold=pack(threshold, "<f8"),
        left=pack(left, "<i4"),
        right=pack(right, "<i4"),
        missing_left=pack(missing, "<i1"),
        intercept=0.5,
        depth=LEAVES,
    )


def walk(tree: Tree, row: list[float]) -> float:
    """What a tree says, step by step."""
    if isinstance(tree, float):
        return tree
    feature, threshold, missing_left, left, right = tree
    goes_left = missing_left if np.isnan(row[feature]) else row[feature] <= threshold
    return walk(left if goes_left else right, row)


@given(
    st.lists(trees(), min_size=1, max_size=5),
    st.lists(st.lists(values, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=8),
)
def test_each_row_arrives_where_walking_the_trees_leads(forest: list[Tree], rows: list[list[float]]) -> None:
    scores = TreeModel(laid_out(forest)).score(np.array(rows))
    assert scores == pytest.approx([0.5 + sum(walk(tree, row) for tree in forest) for row in rows])


def test_no_rows_have_no_scores() -> None:
    assert TreeModel(laid_out([1.0])).score(np.empty((0, WIDTH))).tolist() == []


def test_a_tree_of_too_many_leaves_is_refused() -> None:
    tree: Tree = 1.0
    for _ in range(LEAVES):
        tree = (0, 0.0, False, 1.0, tree)
    with pytest.raises(ValueError, match="leaves"):
        TreeModel(laid_out([tree]))


def test_a_tree_that_never_ends_is_refused() -> None:
    endless = msgspec.structs.replace(laid_out([(0, 0.0, False, 1.0, 2.0)]), left=pack([0, 1, 2], "<i4"))
    with pytest.raises(ValueError, match="leaves"):
        TreeModel(endless)
