"""Fits the additive model: sparse features of requests, logistic regression balanced by source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from glasshouse.guard.misuse.features import Lexicon, Reader, stem
from train.misuse_rows import Row

MIN_ROWS = 3
SEEN = 2
"""A feature counts only if some source shows it so often."""
SCALES = {"concept": 0.3, "concepts": 0.15, "word": 0.1, "pair": 0.15, "style": 0.05}
"""Kind of feature -> how freely its weight may grow.  Concepts carry knowledge; a word is common to many requests that
have nothing else in common; a pair is particular; function words alone say how something is asked, not what."""
STRENGTH = 4.0
NEGLIGIBLE = 0.04
"""Weights below this, in log odds, are left out: a quarter of the features say as much as all."""
STEPS = 400
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
"""Words that say how something is asked, not what: their weights are the style of the sources."""


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
        self.names = sorted(each for each, n in count.items() if n >= MIN_ROWS)
        column = {each: number for number, each in enumerate(self.names)}
        indices = [[column[each] for each in found if each in column] for found in shown]
        pointers = np.cumsum([0, *map(len, indices)])
        flat = np.concatenate([np.array(each, dtype=np.int32) for each in indices])
        self.scale = np.array([SCALES[kind(each)] for each in self.names])
        ones = sparse.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(rows), len(self.names)))
        self.matrix = (ones @ sparse.diags(self.scale)).tocsr()
        self.sources = np.array([row.source for row in rows])
        self.misuse = np.array([row.misuse for row in rows])

    def columns(self, rows: np.ndarray) -> np.ndarray:
        """The columns that some source among the given rows shows often enough."""
        seen = np.zeros(len(self.names), dtype=bool)
        for source in sorted(set(self.sources[rows])):
            part = self.matrix[rows[self.sources[rows] == source]]
            seen |= np.asarray((part > 0).sum(axis=0)).ravel() >= SEEN
        return np.flatnonzero(seen)


def kind(feature: str) -> str:
    """What sort of feature it is, as `SCALES` names them."""
    if feature[0] == "#":
        return "concepts" if ">" in feature else "concept"
    parts = feature.split(" ")
    if all(part in FUNCTION_WORDS for part in parts):
        return "style"
    return "pair" if len(parts) > 1 else "word"


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
    model = LogisticRegression(C=STRENGTH, tol=1e-5, max_iter=STEPS)
    weights = row_weights(table.sources[rows], table.misuse[rows])
    with threadpool_limits(1):  # the vectors are short: more threads only wait for each other
        model.fit(table.matrix[rows][:, columns], table.misuse[rows], sample_weight=weights)
    learned = np.zeros(len(table.names))
    learned[columns] = model.coef_[0] * table.scale[columns]
    learned[np.abs(learned) < NEGLIGIBLE] = 0.0
    return Fitted(learned, float(model.intercept_[0]))


def fit_categories(
    table: Table, rows: np.ndarray, named: Sequence[str], columns: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, weights (one row each) and biases of the categories, learned from misuse rows."""
    sizes = Counter(named)
    weights = np.array([sizes[each] ** -0.5 for each in named])
    model = LogisticRegression(C=1.0, max_iter=STEPS)
    with threadpool_limits(1):
        model.fit(table.matrix[rows][:, columns], named, sample_weight=weights / weights.mean())
    return list(model.classes_), model.coef_ * table.scale[columns], model.intercept_


def words_of_sources(rows: Sequence[Row], words: Sequence[Sequence[str]]) -> dict[str, set[str]]:
    """Word -> the sources that use it."""
    sources: dict[str, set[str]] = defaultdict(set)
    for row, found in zip(rows, words, strict=True):
        for word in set(found):
            sources[word].add(row.source)
    return sources
