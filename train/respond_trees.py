"""scikit-learn's gradient boosting as the trees that the package evaluates (glasshouse.respond.group.trees)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glasshouse.respond.group.trees import Node, Trees

BINS = 250


def boosted(
    rows: Sequence[Sequence[float]],
    hits: Sequence[bool],
    weights: Sequence[float] | None = None,
    *,
    trees: int = 60,
    depth: int = 2,
    rate: float = 0.1,
    leaf: int = 20,
    directions: Sequence[int] | None = None,
) -> Trees:
    """Trees fitted to rows of features and what they should say.

    ``directions`` says of each feature whether more of it may only raise (1) or lower (-1) the odds, or either (0).
    """
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    edges = [_edges(column) for column in np.asarray(rows, dtype=float).T]
    binned = np.column_stack([
        edge[np.searchsorted(edge, column)] for edge, column in zip(edges, np.asarray(rows, dtype=float).T, strict=True)
    ])  # fmt: skip
    model = HistGradientBoostingClassifier(
        max_iter=trees,
        max_depth=depth,
        learning_rate=rate,
        min_samples_leaf=leaf,
        l2_regularization=5.0,
        monotonic_cst=directions,
        early_stopping=False,
        random_state=0,
    ).fit(binned, hits, sample_weight=weights)
    start = float(model._baseline_prediction.ravel()[0])  # noqa: SLF001 - there is no public way to the trees
    return Trees(round(start, 6), tuple(_tree(each[0].nodes, edges) for each in model._predictors))  # noqa: SLF001


def _edges(column: Any) -> Any:
    """At most `BINS` upper edges that part a feature's values; scikit-learn's own way takes minutes with weights."""
    import numpy as np

    values = np.unique(column)
    if len(values) <= BINS:
        return values
    return np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:], method="inverted_cdf"))


def _tree(nodes: Any, edges: Sequence[Any]) -> tuple[Node, ...]:
    return tuple(
        (
            -1 if node["is_leaf"] else int(node["feature_idx"]),
            0.0 if node["is_leaf"] else _threshold(float(node["num_threshold"]), edges[node["feature_idx"]]),
            int(node["left"]),
            int(node["right"]),
            round(float(node["value"]), 6),
        )
        for node in nodes
    )


def _threshold(between: float, edges: Any) -> float:
    """The last edge below; rounded up, so that the edge itself still goes left."""
    edge = float(edges[max(0, edges.searchsorted(between, side="right") - 1)])
    return round(edge, 6) if round(edge, 6) >= edge else round(edge + 1e-6, 6)
