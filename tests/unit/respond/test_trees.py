"""Trees of a model: asked all at once, they say bit for bit what they say one after the other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.respond.group.trees import Node, Scorer, Trees

NUMBERS = st.sampled_from([-1.5, -1.0, 0.0, 0.3, 1.0, 2.0, 9.0])
FEATURES = 4


@st.composite
def trees(draw: st.DrawFn) -> tuple[Node, ...]:
    """A tree of a depth up to 4, its nodes in the order in which they were split."""
    nodes: list[Node] = []

    def grow(depth: int) -> int:
        at = len(nodes)
        nodes.append((-1, 0.0, 0, 0, draw(st.floats(-2, 2).map(lambda each: round(each, 6)))))
        if depth and draw(st.booleans()):
            feature, threshold = draw(st.integers(0, FEATURES - 1)), draw(NUMBERS)
            nodes[at] = (feature, threshold, grow(depth - 1), grow(depth - 1), 0.0)
        return at

    grow(draw(st.integers(0, 4)))
    return tuple(nodes)


@settings(max_examples=60, deadline=None)
@given(st.lists(trees(), max_size=6), st.lists(st.lists(NUMBERS, min_size=FEATURES, max_size=FEATURES), max_size=12))
def test_all_at_once_is_one_after_the_other(grown: list[tuple[Node, ...]], rows: list[list[float]]) -> None:
    one_by_one = Trees(0.25, tuple(grown))
    at_once = Scorer(one_by_one)
    for row in rows:
        assert at_once.log_odds(row) == one_by_one.log_odds(row)
