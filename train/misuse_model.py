"""Fits the additive model: sparse features of requests, logistic regression balanced by source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from glasshouse.guard.misuse.features import Lexicon, Reader, stem
from train.misuse_rows import Row

MIN_ROWS = 3
MIN_SOURCES = 3
"""A feature counts only if so many sources show it: what one source alone shows is its style."""
CONCEPT_SCALE = 2.0
"""Concepts carry knowledge, so they are regularised less than words."""
SCALE = 0.15
STRENGTH = 0.5
SOURCE_POWER = 0.25
"""A source counts as its size to this power: one of 4,000 rows weighs about three times as much as one of 40."""

FUNCTION_WORDS = frozenset(
    stem(word)
    for word in (
        "a an the of for in on at to from by with as is are was were be been being am do does did done have has "
        "had can could will would shall should may might must it its this that these those there here what which "
        "who whom whose when where why how and or but if then than so such not no nor only own same too very just "
        "also any some all each every both few more most other another i you he she we they me him them my your "
        "his our her their one two please about into over under between through during before after above below up "
        "down out off again further once s t "
    ).split()
) | {"0", "?", "!"}
"""Words that say how something is asked, not what: their weights would be the style of the sources."""


class Fitted(NamedTuple):
    """What the misuse model learned."""

    weights: np.ndarray
    """One for each column, zero where unused."""
    bias: float


class Table:
    """Rows as a sparse matrix of features."""

    def __init__(self, rows: Sequence[Row], concepts: dict[str, list[str]]) -> None:
        self.concepts = concepts
        reader = Reader(Lexicon(concepts))
        shown = [sorted(set(reader.features(row.text))) for row in rows]
        count = Counter(each for found in shown for each in found)
        self.names = sorted(each for each, n in count.items() if n >= MIN_ROWS and not styled(each))
        column = {each: number for number, each in enumerate(self.names)}
        indices = [[column[each] for each in found if each in column] for found in shown]
        pointers = np.cumsum([0, *map(len, indices)])
        flat = np.concatenate([np.array(each, dtype=np.int32) for each in indices])
        scale = [SCALE * (CONCEPT_SCALE if each[0] == "#" and ">" not in each else 1.0) for each in self.names]
        self.scale = np.array(scale)
        ones = sparse.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(rows), len(self.names)))
        self.matrix = (ones @ sparse.diags(self.scale)).tocsr()
        self.sources = np.array([row.source for row in rows])
        self.misuse = np.array([row.misuse for row in rows])

    def columns(self, rows: np.ndarray) -> np.ndarray:
        """The columns that enough sources among the given rows show at least twice."""
        seen = np.zeros(len(self.names))
        for source in sorted(set(self.sources[rows])):
            part = self.matrix[rows[self.sources[rows] == source]]
            seen += np.asarray((part > 0).sum(axis=0)).ravel() >= 2
        return np.flatnonzero(seen >= MIN_SOURCES)


def styled(feature: str) -> bool:
    """Whether a feature holds function words only."""
    return feature[0] != "#" and all(part in FUNCTION_WORDS for part in feature.split(" "))


def row_weights(sources: np.ndarray, misuse: np.ndarray, power: float = SOURCE_POWER) -> np.ndarray:
    """Weights that let a source count as its size to the ``power``, and both classes the same."""
    sizes = Counter(sources)
    weights = np.array([sizes[each] ** (power - 1) for each in sources])
    for side in (misuse, ~misuse):
        weights[side] *= len(sources) / 2 / weights[side].sum()
    return weights


def fit(table: Table, rows: np.ndarray) -> Fitted:
    """What can be learned from the given rows."""
    columns = table.columns(rows)
    model = LogisticRegression(C=STRENGTH, solver="liblinear")
    weights = row_weights(table.sources[rows], table.misuse[rows])
    model.fit(table.matrix[rows][:, columns], table.misuse[rows], sample_weight=weights)
    learned = np.zeros(len(table.names))
    learned[columns] = model.coef_[0] * table.scale[columns]
    return Fitted(learned, float(model.intercept_[0]))


def fit_categories(
    table: Table, rows: np.ndarray, named: Sequence[str], columns: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, weights (one row each) and biases of the categories, learned from misuse rows."""
    sizes = Counter(named)
    weights = np.array([sizes[each] ** -0.5 for each in named])
    model = LogisticRegression(C=1.0, max_iter=300)
    model.fit(table.matrix[rows][:, columns], named, sample_weight=weights / weights.mean())
    return list(model.classes_), model.coef_ * table.scale[columns], model.intercept_


def words_of_sources(rows: Sequence[Row], words: Sequence[Sequence[str]]) -> dict[str, set[str]]:
    """Word -> the sources that use it."""
    sources: dict[str, set[str]] = defaultdict(set)
    for row, found in zip(rows, words, strict=True):
        for word in set(found):
            sources[word].add(row.source)
    return sources
