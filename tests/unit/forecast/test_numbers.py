"""Numbers in forecasts: as many digits as mean something."""

from __future__ import annotations

import pytest

from glasshouse.forecast.render.numbers import factor, percent


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1.0 x more"), (6.24, "6.2 x more"), (0.5, "2.0 x less"), (9.94, "9.9 x more"), (9.96, "10 x more"),
        (15.49, "15 x more"), (889.5, "890 x more"), (1 / 321, "320 x less"), (12_345.0, "12,000 x more"),
    ],
)  # fmt: skip
def test_a_factor_of_the_odds_shows_two_digits(value: float, shown: str) -> None:
    assert factor(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0 %"), (1e-7, "under 0.001 %"), (0.000_02, "0.002 %"), (0.0123, "1.2 %"), (0.5, "50 %"), (0.9999, "100 %")],
)
def test_a_chance_that_is_not_zero_never_reads_as_zero(value: float, shown: str) -> None:
    assert percent(value) == shown
