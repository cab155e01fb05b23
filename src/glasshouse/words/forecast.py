"""What the forecast says: probabilities of exploitation with intervals and reasons."""

from __future__ import annotations

import msgspec


class Probability(msgspec.Struct, frozen=True):
    """Chance of being listed as known exploited within ``horizon_days``.

    ``low`` and ``high`` bound it with 90 % confidence.
    """

    horizon_days: int
    value: float
    low: float
    high: float


class Reason(msgspec.Struct, frozen=True):
    """Why a forecast is higher or lower than usual: ``factor`` multiplies the odds of a typical vulnerability."""

    group: str
    factor: float
    words: str


class Forecast(msgspec.Struct, frozen=True):
    """The forecast for one CVE as of a day.

    ``day`` and ``listed_on`` are ISO dates.  ``percentile`` (0 to 100) is the share of all CVEs scored that day that
    rank lower, None when they were not scored.  ``evidence`` is ``full``, ``record`` (no counts of mentions) or
    ``thin``, with ``caveats`` in words.  ``listed_on`` is set when it was known as exploited already: then there is
    nothing to forecast.
    """

    cve: str
    day: str
    probabilities: tuple[Probability, ...]
    evidence: str
    model: str
    description: str = ""
    percentile: float | None = None
    reasons: tuple[Reason, ...] = ()
    caveats: tuple[str, ...] = ()
    listed_on: str | None = None
    published: str | None = None
    cwes: tuple[int, ...] = ()
    products: tuple[tuple[str, str], ...] = ()
    cvss: float | None = None
    epss: float | None = None
    epss_day: str | None = None
    ssvc: str | None = None
    without_mentions: float | None = None

    def within(self, horizon_days: int) -> float:
        """The probability for a horizon; 1 when already listed."""
        if self.listed_on is not None:
            return 1.0
        return next(each.value for each in self.probabilities if each.horizon_days == horizon_days)
