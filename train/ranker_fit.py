"""Fits the ranker: an additive model in log odds, in two steps, each a ridge logistic regression.

1. What tells weak from safe *within* one source and language: the code around, the path, the rule's confidence.
   Weak places of each such cell weigh as much as its safe ones.
2. How often findings of a language, a kind of weakness and a kind of rule are right *over all*, on top of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from glasshouse.scan.judge.model import FORMAT, Weights
from train.ranker_rows import Row

NAME = "glasshouse-ranker-1"
CODE = (
    "confidence",
    "severity",
    "stranger",
    "built",
    "distance",
    "guards",
    "ordered",
    "leaving",
    "inside",
    "same rule in file",
)
CLASSES = ("language ", "kind ", "group ", "confidence", "severity")
BY_HAND = {
    "capped": -0.3,
    "widened": -0.2,
    "broken": -0.4,
    "test code": -1.0,
    "example": -0.7,
    "developer's script": -0.7,
    "library": -0.4,
    "own": -0.4,
}
"""Of these the labelled set has no examples, or too few, or says the opposite of real projects: it is made of single
functions, and its generated programs all read their arguments.  Set from experience with reports, not learned."""
SEEN = {name: BY_HAND[name] for name in ("library", "own")}
"""Those that other weights are learned beside: folders of the labelled set say nothing about what code is for."""
RIDGE_CODE, RIDGE_CLASSES = 30.0, 10.0
STEPS = 100


class Table(NamedTuple):
    """Features as matrices."""

    rows: Sequence[Row]
    code: np.ndarray
    classes: np.ndarray
    names: list[str]  # of the columns of ``classes``
    weak: np.ndarray
    cells: np.ndarray  # source and language of each row
    sources: np.ndarray
    hand: np.ndarray  # log odds of the weights set by hand


def table_of(rows: Sequence[Row]) -> Table:
    names = sorted({name for row in rows for name in row.features if name.startswith(CLASSES)})
    return Table(
        rows,
        np.array([[row.features.get(name, 0.0) for name in CODE] for row in rows]),
        np.array([[row.features.get(name, 0.0) for name in names] for row in rows]),
        names,
        np.array([row.weak for row in rows]),
        np.array([f"{row.source} {row.language}" for row in rows]),
        np.array([row.source for row in rows]),
        np.array([sum(weight * row.features.get(name, 0.0) for name, weight in SEEN.items()) for row in rows]),
    )


class Fitted(NamedTuple):
    """Weights of the columns, and a bias."""

    code: np.ndarray
    classes: np.ndarray
    bias: float

    def odds(self, table: Table) -> np.ndarray:
        found: np.ndarray = table.code @ self.code + table.classes @ self.classes + self.bias + table.hand
        return found


def fit(table: Table, train: np.ndarray) -> Fitted:
    """Learns from the rows where ``train`` is true."""
    balanced = np.zeros(len(train))
    for cell in np.unique(table.cells[train]):
        own = train & (table.cells == cell)
        weak, safe = (own & table.weak).sum(), (own & ~table.weak).sum()
        if weak and safe:
            balanced[own] = np.where(table.weak[own], safe / weak, 1.0)
    code, _ = ridge(table.code[train], table.weak[train], balanced[train], RIDGE_CODE, table.hand[train])
    known = table.code @ code + table.hand
    even = np.where(table.weak, (train & ~table.weak).sum() / (train & table.weak).sum(), 1.0)
    classes, bias = ridge(table.classes[train], table.weak[train], even[train], RIDGE_CLASSES, known[train])
    return Fitted(code, classes, bias)


def ridge(
    columns: np.ndarray, labels: np.ndarray, weights: np.ndarray, penalty: float, known: np.ndarray
) -> tuple[np.ndarray, float]:
    """Logistic regression with a quadratic penalty on all but the bias, by Newton's method; ``known`` log odds."""
    every = np.hstack([columns, np.ones((len(columns), 1))])
    penalties = np.append(np.full(columns.shape[1], penalty), 1e-6)
    found = np.zeros(every.shape[1])
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-(every @ found + known)))
        slope = every.T @ (weights * (expected - labels)) + penalties * found
        bend = (every * (weights * expected * (1 - expected))[:, None]).T @ every + np.diag(penalties)
        change = np.linalg.solve(bend, slope)
        found -= change
        if np.abs(change).max() < 1e-10:
            break
    return found[:-1], float(found[-1])


def calibration(odds: np.ndarray, table: Table, chosen: np.ndarray) -> tuple[float, float]:
    """Slope and offset that make log odds probabilities at equal numbers of weak and safe."""
    weights = even_weights(table, chosen)
    hand = table.hand[chosen]  # stays as it was set
    found, offset = ridge((odds[chosen] - hand)[:, None], table.weak[chosen], weights[chosen], 1e-6, hand)
    return float(found[0]), offset


def even_weights(table: Table, chosen: np.ndarray) -> np.ndarray:
    """Weights at which the chosen weak rows together count as much as the safe ones."""
    weak, safe = (chosen & table.weak).sum(), (chosen & ~table.weak).sum()
    return np.where(table.weak, safe / weak, 1.0)


def assembled(table: Table, fitted: Fitted, slope: float, offset: float) -> Weights:
    """What ships: calibrated weights, rounded."""
    learned: dict[str, float] = {}
    for name, value in zip([*CODE, *table.names], [*fitted.code, *fitted.classes], strict=True):
        learned[name] = learned.get(name, 0.0) + float(value) * slope
    learned = {name: round(value, 4) for name, value in learned.items() if name not in BY_HAND}
    means = [*table.code.mean(axis=0), *table.classes.mean(axis=0)]
    usual = {name: round(float(mean), 4) for name, mean in zip([*CODE, *table.names], means, strict=True)}
    usual |= dict.fromkeys(BY_HAND, 0.0)
    return Weights(FORMAT, NAME, round(fitted.bias * slope + offset, 4), learned, BY_HAND, usual)
