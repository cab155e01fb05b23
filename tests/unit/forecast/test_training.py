"""Training the forecast model: levels, evidence, and what was kept of past forecasts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("sklearn")
pytest.importorskip("pyarrow")

from sklearn.ensemble import HistGradientBoostingClassifier
from train.forecast_chain import VARIANTS, Chained, blank, read, write
from train.forecast_fit import ATTENTION, EVIDENCE_STRENGTH, Examples, Scores, chances, export, fit_steps, levelled

from glasshouse.forecast.facts import day
from glasshouse.forecast.features import NAMES
from glasshouse.forecast.model import INPUTS, StepModel
from glasshouse.forecast.trees import LEAVES, TreeModel


@example([-15.0, -15.000000000000002], 0.125, 1.0)
@given(
    st.lists(st.floats(-20, 5), min_size=2, max_size=50),
    st.floats(1e-5, 0.2),
    st.floats(0.1, 1.5),
)
def test_the_mean_chance_of_a_population_is_the_level_it_was_given(
    scores: list[float], level: float, slope: float
) -> None:
    now = Scores(np.array(scores), np.zeros(len(scores)))
    found = chances(levelled(slope, now, level), now)
    assert found.mean() == pytest.approx(level, rel=0.01)
    assert (np.diff(found[np.argsort(now.raw)]) >= 0).all()


def told(values: list[float], listed: int) -> Examples:
    """One input that tells, of rows of which the first were listed."""
    rows = np.zeros((len(values), len(INPUTS)))
    rows[:, 0] = values
    unknown = np.arange(len(INPUTS)) > 0
    return Examples(rows, np.arange(len(values)) < listed, np.ones(len(values)), unknown)


def test_a_step_on_which_more_listed_ones_stand_speaks_for_listing_and_few_of_them_speak_softly() -> None:
    few = told([1.0] * 20 + [0.0] * 1000, 20)
    many = told([1.0] * 2000 + [0.0] * 100_000, 2000)
    soft, loud = (StepModel(fit_steps(each)).score(np.array([each.rows[0]]))[0] for each in (few, many))
    assert 0 < soft < loud
    assert soft < np.log((20 + EVIDENCE_STRENGTH) / EVIDENCE_STRENGTH * 1000)


def test_evidence_that_says_the_same_of_all_says_nothing() -> None:
    assert np.abs(StepModel(fit_steps(told([0.0] * 100, 10))).score(np.zeros((1, len(INPUTS))))).max() < 0.05


def test_the_trees_that_ship_say_the_mean_of_what_was_fitted() -> None:
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(400, 4))
    rows[chance.random(rows.shape) < 0.2] = np.nan
    label = np.nan_to_num(rows[:, 0]) + chance.normal(size=400) > 0.5
    fitted = [
        HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=LEAVES, max_features=0.5, random_state=seed).fit(
            rows, label
        )
        for seed in (0, 1)
    ]
    mean = np.mean([each.decision_function(rows) for each in fitted], axis=0)
    assert TreeModel(export(fitted)).score(rows) == pytest.approx(mean)


def test_the_record_variant_sees_no_mentions() -> None:
    rows = np.ones((2, len(INPUTS)))
    seen = blank(rows, "record")
    assert np.isnan(seen[:, ATTENTION]).all()
    assert {NAMES[number] for number in ATTENTION} >= {"repositories", "dedicated", "references"}
    assert not np.isnan(rows).any()


def test_forecasts_are_kept_and_asked_for_by_day(tmp_path: Path) -> None:
    days = [day("2024-01-01"), day("2024-02-01"), day("2024-04-01")]
    kept = [
        Chained(
            each, [f"CVE-{number}"], np.full((1, 2), number), np.array([9]), {name: np.ones(1) for name in VARIANTS}
        )
        for number, each in enumerate(days)
    ]
    write(tmp_path / "kept.npz", kept, np.array([0.1, 0.2, 0.3]))
    found, levels = read(tmp_path / "kept.npz", [days[0], days[2]])
    assert [each.names for each in found] == [["CVE-0"], ["CVE-2"]]
    assert levels.tolist() == [0.1, 0.3]
    with pytest.raises(ValueError, match="2025-01-01"):
        read(tmp_path / "kept.npz", [day("2025-01-01")])
