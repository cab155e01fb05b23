"""Values of a trends report."""

from __future__ import annotations

from typing import Literal

import msgspec

Dimension = Literal["all", "weakness", "vendor", "ecosystem", "technology"]


class Ahead(msgspec.Struct, frozen=True):
    """The forecast of one month: its mean, and the range that holds the count with 80 % probability."""

    month: str
    mean: float
    low: int
    high: int


class Change(msgspec.Struct, frozen=True):
    """From ``month`` on, the mean count was ``after`` instead of ``before``."""

    month: str
    before: float
    after: float


class Backtest(msgspec.Struct, frozen=True):
    """How a method did on past months it had not seen, three ahead: scaled absolute error, and the CRPS in counts."""

    method: str
    mase: float
    crps: float
    forecasts: int


class Trend(msgspec.Struct, frozen=True):
    """Monthly counts of one group and what they say."""

    dimension: Dimension
    name: str
    first_month: str
    counts: tuple[int, ...]
    ahead: tuple[Ahead, ...]
    method: str
    changes: tuple[Change, ...]
    backtests: tuple[Backtest, ...]


class Emerging(msgspec.Struct, frozen=True):
    """A group that is exploited more than its base explains.

    ``listed`` and ``published`` count the last year, ``*_before`` the two years before it.  ``ratio`` is the change
    of listings for each published CVE, ``low`` its lower 90 % bound, ``p_value`` that of no rise.  ``expected`` is
    the number that would have been published if each source had kept its share: reports above it are not a matter of
    who reports.
    """

    dimension: Dimension
    name: str
    listed: int
    listed_before: int
    published: int
    published_before: int
    expected: float
    ratio: float
    low: float
    p_value: float
    significant: bool
    cves: tuple[str, ...]


class Composition(msgspec.Struct, frozen=True):
    """A source's share of what was published, in the last year and the two before."""

    source: str
    share: float
    share_before: float


class Trends(msgspec.Struct, frozen=True):
    """The report as of a day."""

    day: str
    listings: tuple[Trend, ...]
    emerging: tuple[Emerging, ...]
    sources: tuple[Composition, ...]
    compared: int
    caveats: tuple[str, ...] = ()
