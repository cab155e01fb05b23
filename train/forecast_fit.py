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
from glasshouse.forecast.model import Calibration, StepWeights, TextWeights
from glasshouse.forecast.text import terms, words
from glasshouse.forecast.trees import LEAVES, TreeWeights, pack, step_of
from train.forecast_data import Dataset

Array = npt.NDArray[np.float64]
ATTENTION = [number for number, group in enumerate(GROUPS) if group == "attention"]
FIRST_LANDMARK = day("2022-07-01")  # before it the catalogue was filled with its back-catalogue
RECENCY_DAYS = 365
MIN_TERM_DOCUMENTS = 25
YOUNG_DAYS, YOUNG_FACTOR = 60, 5.0
"""Of CVEs seen as lately as this, so many times more are drawn: most that are listed are young."""
SEEDS = (0, 1, 2, 3)
BAG = 0.4
"""Of the rows not listed within the horizon, so many teach the trees of a seed; those of another seed see others."""
TEXT_SHARE = 0.3
"""Weight of the text score beside the trees; chosen on days to 2024-04, as that of the evidence was."""
QUANTILES, QUANTILES_LISTED = (0.1, 0.3, 0.5, 0.7, 0.9, 0.97), (0.1, 0.3, 0.5, 0.7, 0.9)
EVIDENCE_STRENGTH = 20.0
"""Listed CVEs' worth of belief that a step tells nothing."""
DAYS_A_MONTH = 4
NEVER = 10**7
SAME = 1e-9  # of the larger of one and the mean: scores nearer together than this are one score


class Landmark(NamedTuple):
    """All CVEs known and not yet listed on a day: rows of features, days until listing, weight of each row."""

    day: Day
    names: list[str]
    rows: Array
    until: npt.NDArray[np.int64]
    weight: Array


class Texts:
    """The term matrix of all descriptions and names; rarity of terms is counted once over all of them."""

    def __init__(self, data: Dataset) -> None:
        self.names = sorted(data.indexed)
        self.position = {name: number for number, name in enumerate(self.names)}
        texts = [_text(data, name) for name in self.names]
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
        self._scores: dict[Day, Array] = {}

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
        if moment not in self._scores:
            weight, intercept, missing = self.fit(moment)
            self._scores[moment] = np.where(self.empty, missing, self.matrix @ weight + intercept)
        return self._scores[moment][[self.position[name] for name in names]]

    def weights(self, moment: Day) -> TextWeights:
        """The model of a day, to be shipped."""
        weight, intercept, missing = self.fit(moment)
        return TextWeights(tuple(self.vocabulary), pack(weight, "<f4"), pack(self.rarity, "<f4"), intercept, missing)


def _text(data: Dataset, name: str) -> str:
    known = known_on(name, data.facts[name], data.indexed[name])
    return name_text(known) if known else ""


def landmark(
    data: Dataset, texts: Texts, moment: Day, share: float, draw: int = 0, text_of: Day | None = None
) -> Landmark:
    """The rows of a day.  ``share`` of those never listed are drawn, more of the young, and weigh accordingly more.

    ``text_of``: an earlier day whose text model scores them.
    """
    chance = random.Random((7 + draw) * 1_000_003 + moment)  # noqa: S311 - a draw that can be repeated, not a secret
    background = Background(moment, data.listings(moment))
    names, rows, until, weight = [], [], [], []
    for name in texts.names:
        listed = data.listed.get(name, NEVER)
        if data.indexed[name] > moment or listed <= moment:
            continue
        young = moment - data.indexed[name] <= YOUNG_DAYS
        own = min(share * YOUNG_FACTOR, 1.0) if young else share
        if own < 1 and listed == NEVER and chance.random() >= own:
            continue
        known = known_on(name, data.facts[name], moment)
        assert known is not None
        names.append(name)
        rows.append(vector(known, background, words(name_text(known))))
        until.append(listed - moment)
        weight.append(1.0 if listed != NEVER else 1 / own)
    score = texts.scores(text_of or moment, names)
    return Landmark(moment, names, np.column_stack([np.array(rows), score]), np.array(until), np.array(weight))


def usable(landmarks: Iterable[Landmark], moment: Day, horizon: int) -> list[Landmark]:
    """Landmarks whose label window had closed by a day."""
    return [each for each in landmarks if FIRST_LANDMARK <= each.day <= moment - horizon]


class Examples(NamedTuple):
    """Rows as a variant learns from them, whether each was listed within the horizon, weights; inputs told by none."""

    rows: Array
    label: npt.NDArray[np.bool_]
    weight: Array
    unknown: npt.NDArray[np.bool_]


def examples(landmarks: Sequence[Landmark], horizon: int, variant: str) -> Examples:
    """All rows of some landmarks."""
    rows = np.concatenate([each.rows for each in landmarks])
    if variant == "record":
        rows[:, ATTENTION] = np.nan
    return Examples(
        rows,
        np.concatenate([each.until <= horizon for each in landmarks]),
        np.concatenate([each.weight for each in landmarks]),
        np.isnan(rows).mean(axis=0) > 0.999,  # told by hardly any record of that time
    )


def fit_trees(told: Examples, draw: int = 0) -> TreeWeights:
    """Trees fitted to the label, averaged over seeds, each with its own share of the rows not listed."""
    rows = np.where(told.unknown, 0.0, told.rows)
    fitted = []
    for seed in SEEDS:
        own = seed + draw * len(SEEDS)
        chosen = told.label | (np.random.default_rng(own).random(len(rows)) < BAG)
        weight = np.where(told.label, told.weight, told.weight / BAG)
        trees = HistGradientBoostingClassifier(
            max_iter=50,
            learning_rate=0.1,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=60,
            l2_regularization=5,
            max_features=0.4,
            early_stopping=False,
            random_state=own,
        )
        fitted.append(trees.fit(rows[chosen], told.label[chosen], sample_weight=weight[chosen]))
    return export(fitted)


def fit_steps(told: Examples) -> StepWeights:
    """Weights of evidence of each input for the label."""
    columns = list(zip(told.rows.T, told.unknown, strict=True))
    edges = [np.empty(0) if unknown else _edges(column, told.label) for column, unknown in columns]
    weights = [
        np.zeros(2) if unknown else _evidence(step_of(column, own), len(own) + 2, told)
        for (column, unknown), own in zip(columns, edges, strict=True)
    ]
    return StepWeights(
        count=pack([len(own) for own in edges], "<i2"),
        edges=pack(np.concatenate(edges), "<f8"),
        weight=pack(np.concatenate(weights), "<f8"),
    )


def _evidence(steps: npt.NDArray[np.int64], size: int, told: Examples) -> Array:
    """How much more often the listed stand on each step than the others do, as a log; near 0 where few do.

    A CVE stands on some step on several days of a month, and counts there as one.
    """
    listed = np.bincount(steps, told.label * told.weight, size) / DAYS_A_MONTH
    others = np.bincount(steps, ~told.label * told.weight, size) + told.weight.max()
    share = others / others.sum()
    return np.asarray(np.log((listed + EVIDENCE_STRENGTH * share) / (listed.sum() + EVIDENCE_STRENGTH) / share))


def _edges(column: Array, label: npt.NDArray[np.bool_]) -> Array:
    """Where an input is cut: at quantiles of all rows and of the listed ones."""
    cuts: list[float] = []
    for values, shares in ((column, QUANTILES), (column[label], QUANTILES_LISTED)):
        told = values[~np.isnan(values)]
        cuts += np.quantile(told, shares).tolist() if len(told) else []
    return np.unique(cuts)


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


class Scores(NamedTuple):
    """Log-odds before calibration of all CVEs open on a day, and their text scores."""

    raw: Array
    text: Array

    @property
    def mixed(self) -> Array:
        return self.raw + TEXT_SHARE * self.text

    @property
    def spread(self) -> tuple[float, float]:
        """Mean and standard deviation: models of more days are surer of themselves, which says nothing.

        Scores that differ by rounding alone do not differ: divided by such a deviation, rounding is all that is left.
        """
        mean, deviation = float(self.mixed.mean()), float(self.mixed.std())
        return mean, deviation if deviation > SAME * max(1.0, abs(mean)) else 1.0


def fit_slope(past: Sequence[Scores], labels: Sequence[npt.NDArray[np.bool_]]) -> float:
    """Platt's slope, for standardised forecasts of models that had not seen the labels."""
    standard = [(each.mixed - each.spread[0]) / each.spread[1] for each in past]
    # one in five thousand is listed, so that a looser tolerance stops long before the slope is found
    fitted = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-10, max_iter=200)
    fitted.fit(np.concatenate(standard)[:, None], np.concatenate(labels))
    return float(fitted.coef_[0][0])


def levelled(slope: float, now: Scores, level: float) -> Calibration:
    """The calibration by which the mean chance of the CVEs of a day is ``level``, and their spread as it was before.

    Held-out forecasts are few, so that they tell the slope only.  The level is known better from all closed label
    windows; and it is the CVEs of the day that must have it, for another model scores another population otherwise.
    """
    mean, deviation = now.spread
    standard = slope * (now.mixed - mean) / deviation
    low, high = float(-standard.max()) - 40, float(-standard.min()) + 40
    for _ in range(80):  # the mean rises with the intercept
        intercept = (low + high) / 2
        if np.mean(1 / (1 + np.exp(-(intercept + standard)))) < level:
            low = intercept
        else:
            high = intercept
    score = slope / deviation
    return Calibration(intercept - score * mean, score, score * TEXT_SHARE)


def chances(calibration: Calibration, now: Scores) -> Array:
    """Probabilities by a calibration."""
    log_odds = calibration.intercept + calibration.score * now.raw + calibration.text * now.text
    return np.asarray(1 / (1 + np.exp(-log_odds)))


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
