"""scikit-learn's gradient boosting as the trees that the package evaluates (glasshouse.respond.group.trees)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from glasshouse.respond.group.trees import Node, Trees


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
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=trees,
        max_depth=depth,
        learning_rate=rate,
        min_samples_leaf=leaf,
        l2_regularization=5.0,
        monotonic_cst=directions,
        early_stopping=False,
        random_state=0,
    ).fit(rows, hits, sample_weight=weights)
    start = float(model._baseline_prediction.ravel()[0])  # noqa: SLF001 - there is no public way to the trees
    return Trees(round(start, 6), tuple(_tree(each[0].nodes) for each in model._predictors))  # noqa: SLF001


def quick(trees: Trees) -> Callable[[Sequence[float]], float]:
    """The log-odds as one function of Python, several times as quick; for training, which asks millions of times."""
    lines = ["def odds(row):", f" o = {trees.start!r}"]

    def branch(tree: Sequence[Node], at: int, depth: int) -> None:
        feature, threshold, left, right, value = tree[at]
        if feature < 0:
            lines.append(f"{' ' * depth}o += {value!r}")
            return
        lines.append(f"{' ' * depth}if row[{feature}] <= {threshold!r}:")
        branch(tree, left, depth + 1)
        lines.append(f"{' ' * depth}else:")
        branch(tree, right, depth + 1)

    for tree in trees.trees:
        branch(tree, 0, 1)
    made: dict[str, Any] = {}
    exec("\n".join([*lines, " return o"]), made)  # noqa: S102 - numbers of our own trees, no text of anybody else
    function: Callable[[Sequence[float]], float] = made["odds"]
    return function


def _tree(nodes: Any) -> tuple[Node, ...]:
    return tuple(
        (
            -1 if node["is_leaf"] else int(node["feature_idx"]),
            round(float(node["num_threshold"]), 6) if not node["is_leaf"] else 0.0,
            int(node["left"]),
            int(node["right"]),
            round(float(node["value"]), 6),
        )
        for node in nodes
    )
