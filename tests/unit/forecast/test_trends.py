"""Counts: distributions, scores, changes and rising groups behave as their definitions say."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.forecast.facts import Day, Fact, Knowledge, Listed, Published, Text, Weaknesses, day, known_on
from glasshouse.forecast.trends.backtest import backtest, best_method
from glasshouse.forecast.trends.changes import change_points
from glasshouse.forecast.trends.counts import METHODS, crps, dispersion, distribution, quantile
from glasshouse.forecast.trends.run import trends

DAY = day("2025-01-31")


@given(st.floats(0.01, 200), st.one_of(st.just(inf), st.floats(0.3, 50)))
def test_a_distribution_adds_up_and_has_its_mean(mean: float, size: float) -> None:
    chances = distribution(mean, size)
    assert sum(chances) == pytest.approx(1, abs=1e-5)
    assert sum(count * chance for count, chance in enumerate(chances)) == pytest.approx(mean, rel=0.01, abs=0.01)
    assert quantile(chances, 0.1) <= quantile(chances, 0.9)


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_score_of_a_certain_forecast_is_its_error(forecast: int, observed: int) -> None:
    assert crps([0.0] * forecast + [1.0], observed) == abs(forecast - observed)


@pytest.mark.parametrize("name", sorted(METHODS))
@given(counts=st.lists(st.integers(0, 400), min_size=13, max_size=40))
def test_every_method_stays_finite_and_not_negative(name: str, counts: list[int]) -> None:
    ahead = METHODS[name](counts, 3)
    assert all(0 <= value < 1e9 for value in ahead)
    assert dispersion(counts, METHODS[name]) > 0


def test_a_constant_series_is_forecast_by_its_constant() -> None:
    for method in METHODS.values():
        assert method([7] * 24, 3) == pytest.approx([7, 7, 7], rel=0.01)


def test_a_backtest_uses_nothing_after_its_origin() -> None:
    counts = [10, 12, 9, 11, 10, 13, 8, 10, 12, 11, 9, 10, 11, 12, 10, 9, 11, 10]
    first = backtest(counts, origins=1)
    assert [row.forecasts for row in first] == [3] * len(METHODS)
    assert best_method(first) in METHODS
    assert backtest(counts[:10]) == ()


def test_a_jump_of_the_level_is_found_where_it_is_and_a_steady_count_has_none() -> None:
    assert change_points([5, 4, 6, 5, 5, 4, 6, 5, 20, 22, 19, 21, 20, 18, 22, 20]) == [8]
    assert change_points([10, 12, 9, 11, 10, 13, 8, 10, 12, 11, 9, 10]) == []


def known(number: int, published: str, listed: str | None, cwe: int) -> Knowledge:
    """One CVE."""
    name = f"CVE-2024-{number:05d}"
    facts = [
        Fact(name, day(published), "cvelist", Published()),
        Fact(name, day(published), "cvelist", Text("a flaw")),
        Fact(name, day(published), "cvelist", Weaknesses((cwe,))),
    ]
    if listed:
        facts.append(Fact(name, day(listed), "kev", Listed("Acme", "Gateway")))
    found = known_on(name, facts, DAY)
    assert found is not None
    return found


def test_a_class_that_is_exploited_more_than_it_is_published_emerges() -> None:
    everything = [known(n, "2023-05-01", "2023-06-01" if n < 2 else None, 78) for n in range(200)]
    everything += [known(200 + n, "2024-05-01", "2024-06-01" if n < 20 else None, 78) for n in range(100)]
    everything += [known(400 + n, "2023-05-01", "2023-06-01" if n < 10 else None, 79) for n in range(200)]
    everything += [known(700 + n, "2024-05-01", "2024-06-01" if n < 5 else None, 79) for n in range(100)]
    report = trends(everything, DAY)
    rising = {row.name: row for row in report.emerging if row.significant}
    assert "CWE-78" in rising
    assert "CWE-79" not in rising
    assert rising["CWE-78"].listed == 20
    assert rising["CWE-78"].cves


def test_more_reports_of_a_class_alone_are_no_emergence() -> None:
    everything = [known(n, "2023-05-01", "2023-06-01" if n % 10 == 0 else None, 78) for n in range(100)]
    everything += [known(100 + n, "2024-05-01", "2024-06-01" if n % 10 == 0 else None, 78) for n in range(400)]
    assert [row for row in trends(everything, DAY).emerging if row.significant] == []


def test_without_listings_the_report_says_that_it_cannot_tell() -> None:
    report = trends([known(1, "2024-05-01", None, 78)], Day(DAY))
    assert report.listings == ()
    assert any("no listings" in caveat for caveat in report.caveats)
