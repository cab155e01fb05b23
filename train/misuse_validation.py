"""Cross-validation over left-out sources and over random rows, on the texts as the product would score them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from glasshouse.guard.misuse import Screener
from glasshouse.guard.misuse.model import Weights
from train.misuse_model import Table, fit, row_weights
from train.misuse_rows import FOLDS, Row
from train.misuse_weights import assemble

RANDOM_FOLDS = 5
FEWEST_ROWS = 20
"""A source with fewer misuse rows in a fold says too little to be averaged."""
SECURITY = ("defensive", "dual_use")
RATES = {"review": 0.05, "deny": 0.01}
"""Operating point -> share of the legitimate requests of sources never seen that it flags, every source the same."""


class Part(msgspec.Struct, frozen=True):
    """One fold: the left-out rows, a screener that never saw them, and the evidence it finds in each."""

    name: str
    rows: np.ndarray
    evidence: np.ndarray
    screener: Screener


def evidence(screener: Screener, text: str) -> float:
    """The highest evidence in a text, uncalibrated."""
    return max((piece.evidence for piece in screener.weigh(text)), default=-20.0)


def left_out_sources(table: Table, rows: Sequence[Row]) -> Iterator[Part]:
    """A fold for each group of sources; written rows are only ever trained on."""
    for name, group in FOLDS.items():
        yield part(table, rows, name, np.flatnonzero(np.isin(table.sources, group)))


def left_out_rows(table: Table, rows: Sequence[Row]) -> Iterator[Part]:
    """Folds of random rows: sources are known, which is not how a product meets the world."""
    real = np.flatnonzero([not row.written for row in rows])
    fold = np.random.default_rng(0).integers(0, RANDOM_FOLDS, len(real))
    for number in range(RANDOM_FOLDS):
        yield part(table, rows, f"random {number}", real[fold == number])


def part(table: Table, rows: Sequence[Row], name: str, out: np.ndarray) -> Part:
    """Trains without the rows ``out`` and weighs them."""
    train = np.setdiff1d(np.arange(len(rows)), out)
    screener = Screener(assemble(table, fit(table, train), train, rows, sorted_too=False), "")
    return Part(name, out, np.array([evidence(screener, rows[each].text) for each in out]), screener)


def limit(found: np.ndarray, weights: np.ndarray, rate: float) -> float:
    """The evidence that a share ``rate`` of legitimate rows exceeds; weights say how much each row counts."""
    order = np.argsort(-found)
    share = np.cumsum(weights[order]) / weights.sum()
    return float(found[order][min(int(np.searchsorted(share, rate)), len(order) - 1)])


def area(table: Table, each: Part) -> float:
    """AUROC of a fold, every source counting the same."""
    weights = row_weights(table.sources[each.rows], table.misuse[each.rows], 0.0)
    return float(roc_auc_score(table.misuse[each.rows], each.evidence, sample_weight=weights))


def fold_limit(table: Table, each: Part, rate: float) -> float:
    """The limit of a fold on its own left-out legitimate rows, every source counting the same."""
    legitimate = ~table.misuse[each.rows]
    weights = row_weights(table.sources[each.rows], table.misuse[each.rows], 0.0)
    return limit(each.evidence[legitimate], weights[legitimate], rate)


def recalls(table: Table, each: Part, rate: float) -> dict[str, float]:
    """Left-out misuse source of some size -> recall at the fold's own limit for the rate of false alarms."""
    above = each.evidence > fold_limit(table, each, rate)
    sources = table.sources[each.rows]
    sizes = Counter(sources[table.misuse[each.rows]])
    harmful = sorted(name for name, size in sizes.items() if size >= FEWEST_ROWS)
    return {name: float(above[(sources == name) & table.misuse[each.rows]].mean()) for name in harmful}


def calibrated(weights: Weights, table: Table, rows: Sequence[Row], parts: Sequence[Part]) -> Weights:
    """The weights with calibration and operating points learned from what screeners said of sources they never saw."""
    index = np.concatenate([each.rows for each in parts])
    found = np.concatenate([each.evidence for each in parts])
    sources, misuse = table.sources[index], table.misuse[index]
    count = row_weights(sources, misuse, 0.5)
    platt = LogisticRegression(C=1e6).fit(found[:, None], misuse, sample_weight=count)
    slope, offset = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    security = np.array([rows[each].label in SECURITY for each in index])
    thresholds = {}
    for audience, chosen in (("", ~misuse), ("-security", security), ("-general", ~misuse & ~security)):
        for name, rate in RATES.items():
            at = limit(found[chosen], row_weights(sources, misuse, 0.0)[chosen], rate)
            thresholds[name + audience] = round(float(1 / (1 + np.exp(-(slope * at + offset)))), 4)
    return msgspec.structs.replace(weights, slope=slope, offset=offset, thresholds=thresholds)
