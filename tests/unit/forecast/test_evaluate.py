"""Figures of a ranking against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glasshouse.forecast.evaluate import (
    Ranked,
    average_precision,
    bootstrap,
    figures,
    order,
    paired,
    reliability,
    roc_auc,
)

rows = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=3, max_size=40)


def ranked(found: list[tuple[int, bool]]) -> Ranked:
    """Scores and labels."""
    return Ranked(np.array([float(score) for score, _ in found]), np.array([label for _, label in found]))


@given(rows)
def test_the_area_under_the_curve_is_the_chance_of_the_right_order(found: list[tuple[int, bool]]) -> None:
    each = ranked(found)
    assume(0 < each.label.sum() < len(each.label))
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in each.score[each.label] for b in each.score[~each.label]]
    assert abs(roc_auc(order(each.score), each.label) - sum(wins) / len(wins)) < 1e-9


def test_a_perfect_ranking_has_every_figure_at_its_best() -> None:
    score = np.arange(1_000.0)
    label = score >= 995
    found = figures([Ranked(score, label)])
    assert (found.roc_auc, found.average_precision, found.coverage) == (1.0, 1.0, (1.0, 1.0, 1.0))
    assert found.precision_100 == 0.05


def test_rows_without_a_score_rank_last() -> None:
    assert list(order(np.array([np.nan, 3.0, 1.0, np.nan]))) == [3.5, 1.0, 2.0, 3.5]


def test_equal_scores_gain_nothing_from_the_order_of_rows() -> None:
    label = np.array([True, False, False, False])
    ranks = order(np.zeros(4))
    assert average_precision(ranks, label) == average_precision(ranks, label[::-1])


def test_a_ranking_gains_nothing_over_itself() -> None:
    each = [Ranked(np.random.default_rng(1).random(500), np.arange(500) % 50 == 0)]
    gain = paired(each, each, lambda found: found.roc_auc, resamples=50)
    assert gain == (0.0, 0.0, 0.0)


def test_the_interval_holds_the_figure() -> None:
    score = np.random.default_rng(2).random(2_000)
    each = [Ranked(score, (score > 0.7) & (np.arange(2_000) % 40 == 0))]
    found = bootstrap(each, lambda figures_: figures_.roc_auc, resamples=200)
    assert found.low <= found.value <= found.high


def test_reliability_counts_each_forecast_once() -> None:
    probability = np.random.default_rng(3).random(1_000)
    label = np.random.default_rng(4).random(1_000) < probability
    bins = reliability(probability, label)
    assert sum(each.forecasts for each in bins) == 1_000
    assert sum(each.observed for each in bins) == label.sum()


def test_a_gain_is_drawn_by_cve_and_not_by_rank() -> None:
    label = np.arange(1_000) % 50 == 0
    score = np.random.default_rng(3).random(1_000)
    other = score.copy()
    other[label] = score[label][::-1]  # the same ranks, held by other CVEs
    gain = paired([Ranked(score, label)], [Ranked(other, label)], lambda found: found.roc_auc, resamples=100)
    assert gain.value == pytest.approx(0.0)
    assert gain.low < -0.01 < 0.01 < gain.high


def test_a_cve_that_stands_on_several_days_makes_an_interval_no_narrower() -> None:
    label = np.arange(1_000) % 50 == 0
    score = np.random.default_rng(3).random(1_000)
    names = tuple(f"CVE-2024-{number}" for number in range(1_000, 1_020))

    def width(days: int, exploited: tuple[str, ...]) -> float:
        found = bootstrap([Ranked(score, label, exploited)] * days, lambda each: each.roc_auc, resamples=400)
        return found.high - found.low

    assert width(4, names) == pytest.approx(width(1, names))
    assert width(4, ()) < 0.7 * width(1, ())
