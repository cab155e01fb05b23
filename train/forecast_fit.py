"""Fitting: rows at landmarks, the text score of each landmark, trees, calibration.  Uses the product's own features."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from glasshouse.forecast.background import Background
from glasshouse.forecast.facts import Day, day, known_on
from glasshouse.forecast.features import GROUPS, name_text, vector
from glasshouse.forecast.model import Calibration, TextWeights, TreeWeights, pack
from glasshouse.forecast.text import terms, words
from train.forecast_data import Dataset

Array = npt.NDArray[np.float64]
ATTENTION = [number for number, group in enumerate(GROUPS) if group == "attention"]
FIRST_LANDMARK = day("2022-07-01")  # before it the catalogue was filled with its back-catalogue
RECENCY_DAYS = 365
MIN_TERM_DOCUMENTS = 25
SEEDS = (0, 1, 2)
TEXT_SHARE = 0.2
"""Weight of the text score beside the trees; chosen on the landmarks before the last."""
NEVER = 10**7


class Landmark(NamedTuple):
    """All CVEs known and not yet listed on a day: rows of features, days until listing, weight of each row."""

    day: Day
    names: list[str]
    rows: Array
    until: npt.NDArray[np.int64]
    weight: Array


class Texts:
    """The term matrix of all descriptions; rarity of terms is counted once over all of them."""

    def __init__(self, data: Dataset) -> None:
        self.names = sorted(data.indexed)
        self.position = {name: number for number, name in enumerate(self.names)}
        texts = [_description(data, name) for name in self.names]
        counter = CountVectorizer(
            analyzer=lambda text: terms(words(text)), min_df=MIN_TERM_DOCUMENTS, binary=True, dtype=np.float32
        )
        matrix = counter.fit_transform(texts)
        present = np.asarray((matrix > 0).sum(axis=0)).ravel()
        self.rarity = np.log(matrix.shape[0] / present)
        self.vocabulary = sorted(counter.vocabulary_, key=lambda term: counter.vocabulary_[term])
        weighted = matrix @ sparse.diags(self.rarity)
        norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        self.empty = norm == 0
        self.matrix = sparse.csr_matrix(sparse.diags(1 / np.where(self.empty, 1, norm)) @ weighted)
        self.indexed = np.array([data.indexed[name] for name in self.names])
        self.listed = np.array([data.listed.get(name, NEVER) for name in self.names])

    def fit(self, moment: Day) -> tuple[Array, float, float]:
        """Weights, intercept and the score of a text without known words, from what was listed by a day."""
        rows = np.where(self.indexed <= moment)[0]
        listed = self.listed[rows] <= moment
        weight = np.ones(len(rows))
        weight[listed] = 0.5 ** ((moment - self.listed[rows][listed]) / RECENCY_DAYS)
        fitted = LogisticRegression(C=5, solver="liblinear", tol=1e-3, random_state=0)
        fitted.fit(self.matrix[rows], listed, sample_weight=weight)
        intercept = float(fitted.intercept_[0])
        scores = self.matrix[rows] @ fitted.coef_[0] + intercept
        return fitted.coef_[0], intercept, float(np.quantile(scores, 0.25))

    def scores(self, moment: Day, names: Sequence[str]) -> Array:
        """The text score of some CVEs by the model of a day."""
        weight, intercept, missing = self.fit(moment)
        rows = np.array([self.position[name] for name in names])
        found = self.matrix[rows] @ weight + intercept
        return np.asarray(np.where(self.empty[rows], missing, found))

    def weights(self, moment: Day) -> TextWeights:
        """The model of a day, to be shipped."""
        weight, intercept, missing = self.fit(moment)
        return TextWeights(tuple(self.vocabulary), pack(weight, "<f4"), pack(self.rarity, "<f4"), intercept, missing)


def _description(data: Dataset, name: str) -> str:
    known = known_on(name, data.facts[name], data.indexed[name])
    return known.description if known else ""


def landmark(data: Dataset, texts: Texts, moment: Day, share: float, draw: int = 0) -> Landmark:
    """The rows of a day.  ``share`` of those never listed are drawn, and weigh accordingly more."""
    chance = random.Random((7 + draw) * 1_000_003 + moment)  # noqa: S311 - a draw that can be repeated, not a secret
    background = Background(moment, data.listings(moment))
    names, rows, until, weight = [], [], [], []
    for name in texts.names:
        listed = data.listed.get(name, NEVER)
        if data.indexed[name] > moment or listed <= moment:
            continue
        if share < 1 and listed == NEVER and chance.random() >= share:
            continue
        known = known_on(name, data.facts[name], moment)
        assert known is not None
        names.append(name)
        rows.append(vector(known, background, words(name_text(known))))
        until.append(listed - moment)
        weight.append(1.0 if listed != NEVER else 1 / share)
    score = texts.scores(moment, names)
    return Landmark(moment, names, np.column_stack([np.array(rows), score]), np.array(until), np.array(weight))


def thinned(found: Landmark, share: float, draw: int = 0) -> Landmark:
    """The same landmark with a share of its never-listed rows."""
    chance = np.random.default_rng(found.day + draw * 1_000_003)
    keep = (found.until < NEVER // 2) | (chance.random(len(found.names)) < share)
    names = [name for name, kept in zip(found.names, keep, strict=True) if kept]
    never = found.until >= NEVER // 2
    weight = np.where(never, found.weight / share, found.weight)
    return Landmark(found.day, names, found.rows[keep], found.until[keep], weight[keep])


def usable(landmarks: Iterable[Landmark], moment: Day, horizon: int) -> list[Landmark]:
    """Landmarks whose label window had closed by a day."""
    return [each for each in landmarks if FIRST_LANDMARK <= each.day <= moment - horizon]


def fit_trees(landmarks: Sequence[Landmark], horizon: int, variant: str, draw: int = 0) -> TreeWeights:
    """Trees fitted to listing within ``horizon`` days, averaged over seeds."""
    rows = np.concatenate([each.rows for each in landmarks])
    label = np.concatenate([each.until <= horizon for each in landmarks])
    weight = np.concatenate([each.weight for each in landmarks])
    rows = rows.copy()
    if variant == "record":
        rows[:, ATTENTION] = 0.0
    unknown = np.isnan(rows).mean(axis=0) > 0.999  # told by hardly any record of that time
    rows[:, unknown] = 0.0
    fitted = [
        HistGradientBoostingClassifier(
            max_iter=150,
            learning_rate=0.05,
            max_leaf_nodes=8,
            min_samples_leaf=60,
            l2_regularization=5,
            max_features=0.4,
            early_stopping=False,
            random_state=seed + draw * len(SEEDS),
        ).fit(rows, label, sample_weight=weight)
        for seed in SEEDS
    ]
    return export(fitted)


def export(fitted: Sequence[HistGradientBoostingClassifier]) -> TreeWeights:
    """The trees of several fits as one forest whose sum is their mean; a leaf is its own child."""
    root, feature, threshold, left, right, missing = [], [], [], [], [], []
    depth, size = 0, 0
    for model in fitted:
        for (tree,) in model._predictors:  # noqa: SLF001 - trees have no public form
            nodes = tree.nodes
            root.append(size)
            leaf = nodes["is_leaf"].astype(bool)
            own = np.arange(len(nodes)) + size
            feature.append(np.where(leaf, -1, nodes["feature_idx"].astype(np.int64)))
            threshold.append(np.where(leaf, nodes["value"] / len(fitted), nodes["num_threshold"]))
            left.append(np.where(leaf, own, nodes["left"].astype(np.int64) + size))
            right.append(np.where(leaf, own, nodes["right"].astype(np.int64) + size))
            missing.append(nodes["missing_go_to_left"].astype(np.int64))
            depth, size = max(depth, int(nodes["depth"].max())), size + len(nodes)
    baseline = float(np.mean([np.ravel(model._baseline_prediction)[0] for model in fitted]))  # noqa: SLF001 - as above
    return TreeWeights(
        root=pack(root, "<i4"),
        feature=pack(np.concatenate(feature), "<i2"),
        threshold=pack(np.concatenate(threshold), "<f8"),
        left=pack(np.concatenate(left), "<i4"),
        right=pack(np.concatenate(right), "<i4"),
        missing_left=pack(np.concatenate(missing), "<i1"),
        intercept=baseline,
        depth=depth,
    )


def fit_calibration(raw: Array, text: Array, label: npt.NDArray[np.bool_], level: float) -> Calibration:
    """Platt's scaling on forecasts of models that had not seen the labels; their mean is then set to ``level``.

    The slope needs held-out forecasts, of which there are few; the level is known better from all closed label windows.
    """
    mixed = raw + TEXT_SHARE * text
    fitted = LogisticRegression(C=10, max_iter=1_000).fit(mixed[:, None], label)
    slope = float(fitted.coef_[0][0])
    intercept = float(fitted.intercept_[0])
    for _ in range(50):
        mean = float(np.mean(1 / (1 + np.exp(-(intercept + slope * mixed)))))
        intercept += float(np.log(level / mean))
    return Calibration(intercept, slope, slope * TEXT_SHARE)


def level(texts: Texts, moment: Day, horizon: int) -> float:
    """The share of open CVEs that were listed within ``horizon`` days, over the days whose window had closed by a day.

    The first of each month counts, half as much after a year: the index grows faster than the catalogue, so that the
    share falls.
    """
    days = np.arange(FIRST_LANDMARK, moment - horizon + 1)
    days = days[[date.fromordinal(each).day == 1 for each in days.tolist()]]
    known, listed = texts.indexed[:, None] <= days, texts.listed[:, None] - days
    shares = (known & (listed > 0) & (listed <= horizon)).sum(axis=0) / (known & (listed > 0)).sum(axis=0)
    return float(np.average(shares, weights=0.5 ** ((moment - days) / RECENCY_DAYS)))
