"""The trends report: facts as of a day in; counts, forecasts, changes and what emerges out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from math import erf, exp, log, sqrt

from glasshouse.forecast.facts import Day, Knowledge, iso
from glasshouse.forecast.features import name_text
from glasshouse.forecast.text import words
from glasshouse.forecast.trends.backtest import backtest, best_method
from glasshouse.forecast.trends.changes import change_points
from glasshouse.forecast.trends.counts import HORIZON, METHODS, dispersion, distribution, quantile
from glasshouse.forecast.trends.groups import groups
from glasshouse.forecast.trends.model import Ahead, Change, Composition, Dimension, Emerging, Trend, Trends

MONTHS = 48
SETTLED = 2022 * 12 + 6
"""July 2022: until then the KEV catalogue was being filled with what had been exploited for years."""
YEAR = 365
FEWEST_LISTED = 4
MAX_GROUPS = 30
MAX_CVES = 8
FALSE_DISCOVERIES = 0.1
Group = tuple[Dimension, str]


class Tally:
    """Counts by month and by year, taken in one pass over what was known."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.listed: dict[Group, Counter[int]] = defaultdict(Counter)
        self.published: dict[Group, list[int]] = defaultdict(lambda: [0, 0])
        self.exploited: dict[Group, list[int]] = defaultdict(lambda: [0, 0])
        self.by_source: dict[Group, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
        self.sources: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self.cves: dict[Group, list[tuple[Day, str]]] = defaultdict(list)

    def add(self, known: Knowledge) -> None:
        """Counts one CVE."""
        if known.withdrawn:
            return
        since = known.published if known.published is not None else known.first_seen
        # a catalogue of listings alone is no record of what was published
        told = known.published is not None or bool(known.description)
        when = _period(since, self.day) if told else None
        listed = _period(known.listed_on, self.day) if known.listed_on is not None else None
        if when is None and known.listed_on is None:
            return
        source = known.assigner or known.sources[0]
        if when is not None:
            self.sources[when][source] += 1
        for group in groups(known, words(name_text(known))):
            if when is not None:
                self.published[group][when] += 1
                self.by_source[group][when][source] += 1
            if known.listed_on is not None:
                self.listed[group][month_number(known.listed_on)] += 1
            if listed is not None:
                self.exploited[group][listed] += 1
                if listed == 0 and known.listed_on is not None:
                    self.cves[group].append((known.listed_on, known.cve))


def _period(moment: int, day: Day) -> int | None:
    """0 for the last year, 1 for the two years before, None for earlier."""
    age = day - moment
    return 0 if age < YEAR else 1 if age < 3 * YEAR else None


def trends(everything: Iterable[Knowledge], day: Day) -> Trends:
    """The report of a day.  Only whole months are counted."""
    tally = Tally(day)
    for known in everything:
        tally.add(known)
    named = sorted(tally.listed, key=lambda group: (-sum(tally.listed[group].values()), group))
    chosen = [group for group in named if _recent(tally.listed[group], day) >= 2][:MAX_GROUPS]
    compared = [group for group in tally.exploited if tally.published and sum(tally.exploited[group]) >= FEWEST_LISTED]
    return Trends(
        day=iso(day),
        listings=tuple(trend(group, tally.listed[group], day) for group in chosen),
        emerging=emerging(tally, compared),
        sources=_sources(tally),
        compared=len(compared),
        caveats=tuple(_caveats(tally)),
    )


def month_number(moment: int) -> int:
    """Months since year 0."""
    found = date.fromordinal(moment)
    return found.year * 12 + found.month - 1


def month_name(number: int) -> str:
    """YYYY-MM."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _recent(counts: Counter[int], day: Day) -> int:
    last = month_number(day)
    return sum(value for month, value in counts.items() if month > last - 24)


def trend(group: Group, counts: Counter[int], day: Day) -> Trend:
    """One series: its forecast by the method that did best on its own past."""
    end = month_number(day + 1)  # the month of the day counts when the day is its last
    start = max(min(counts, default=end), end - MONTHS, min(SETTLED, end - 1))
    values = [counts[month] for month in range(start, end)] or [0]
    rows = backtest(values)
    name = best_method(rows)
    size = dispersion(values, METHODS[name])
    ahead = []
    for number, mean in enumerate(METHODS[name](values, HORIZON)):
        chances = distribution(mean, size)
        ahead.append(Ahead(month_name(end + number), mean, quantile(chances, 0.1), quantile(chances, 0.9)))
    points = [0, *change_points(values), len(values)]
    changes = tuple(
        Change(month_name(start + at), _mean(values[before:at]), _mean(values[at:after]))
        for before, at, after in zip(points, points[1:], points[2:], strict=False)
    )
    return Trend(group[0], group[1], month_name(start), tuple(values), tuple(ahead), name, changes, rows)


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def emerging(tally: Tally, compared: Iterable[Group]) -> tuple[Emerging, ...]:
    """Of some groups those with more listings for each published CVE than before, surest first.

    False discoveries are bounded.
    """
    rows = [_row(tally, group) for group in compared]
    rows.sort(key=lambda row: (row.p_value, row.dimension, row.name))
    passing = [rank for rank, row in enumerate(rows, 1) if row.p_value <= FALSE_DISCOVERIES * rank / len(rows)]
    cut = max(passing, default=0)
    marked = [_marked(row) if rank <= cut else row for rank, row in enumerate(rows, 1)]
    return tuple(row for row in marked if row.ratio > 1)[:MAX_GROUPS]


def _marked(row: Emerging) -> Emerging:
    import msgspec

    return msgspec.structs.replace(row, significant=True)


def _row(tally: Tally, group: Group) -> Emerging:
    listed, before = tally.exploited[group]
    published, published_before = tally.published[group]
    # half an event is added to each count, so that nought is not infinitely less than one
    rate, rate_before = (listed + 0.5) / (published + 1), (before + 0.5) / (published_before + 1)
    ratio = rate / rate_before
    error = sqrt(1 / (listed + 0.5) + 1 / (before + 0.5))
    score = log(ratio) / error
    return Emerging(
        dimension=group[0],
        name=group[1],
        listed=listed,
        listed_before=before,
        published=published,
        published_before=published_before,
        expected=_expected(tally, group),
        ratio=ratio,
        low=exp(log(ratio) - 1.645 * error),
        p_value=0.5 * (1 - erf(score / sqrt(2))),
        significant=False,
        cves=tuple(name for _, name in sorted(tally.cves[group], reverse=True)[:MAX_CVES]),
    )


def _expected(tally: Tally, group: Group) -> float:
    """Published CVEs of the group if each source had kept the share of it that it had before."""
    _, before = tally.by_source[group]
    now_all, before_all = tally.sources
    known = sum(now_all[source] * before[source] / before_all[source] for source in before if before_all[source])
    new = sum(count for source, count in now_all.items() if not before_all[source])
    overall = sum(before.values()) / max(sum(before_all.values()), 1)
    return known + new * overall


def _sources(tally: Tally) -> tuple[Composition, ...]:
    now, before = tally.sources
    total, total_before = max(sum(now.values()), 1), max(sum(before.values()), 1)
    rows = [Composition(name, now[name] / total, before[name] / total_before) for name in {*now, *before}]
    return tuple(sorted(rows, key=lambda row: (-abs(row.share - row.share_before), row.source))[:10])


def _caveats(tally: Tally) -> Iterable[str]:
    yield "listings are by one authority: a rise may be a change of what it watches"
    if any(abs(row.share - row.share_before) > 0.1 for row in _sources(tally)):
        yield "who publishes changed by more than a tenth: counts of published CVEs do not compare across the years"
    if not tally.listed:
        yield "no listings were imported: nothing can be said about exploitation"
    if not tally.published:
        yield "no records of the last three years were imported: listings are set against nothing"
