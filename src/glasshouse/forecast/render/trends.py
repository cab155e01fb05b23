"""Trends as text, JSON and HTML."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from glasshouse.forecast.render.charts import series
from glasshouse.forecast.render.numbers import percent
from glasshouse.forecast.render.page import frame, safe, table
from glasshouse.forecast.trends.model import Emerging, Trend, Trends
from glasshouse.words.display import visible

SCHEMA = "glasshouse/trends/1"
SHOWN = 20
NAME = 36
_BARS = " ▁▂▃▄▅▆▇█"


def text(report: Trends) -> Iterator[str]:
    """Counts and forecasts, changes, what emerges, and who reports."""
    yield f"Monthly listings as known exploited, as of {report.day}\n\n"
    if not report.listings:
        yield "  too few listings in the last 24 months to count\n"
    else:
        yield f"{'':<{NAME}} {'last 24 months':<24}  {'per month':>9}  next three months (80 % range)\n"
    for each in report.listings[:SHOWN]:
        ahead = "  ".join(f"{month.mean:.1f} ({month.low}-{month.high})" for month in each.ahead)
        yield f"{titled(each)[:NAME]:<{NAME}} {bars(each.counts[-24:]):<24}  {_mean(each):>9.1f}  {ahead}\n"
    changed = [(each, change) for each in report.listings for change in each.changes]
    if changed:
        yield "\nChanges of level\n"
        for each, change in changed[:SHOWN]:
            yield f"  {change.month}  {titled(each)}: {change.before:.1f} to {change.after:.1f} a month\n"
    yield "\nMore listings for each published CVE than in the two years before\n"
    if nothing := _nothing_rises(report):
        yield f"  {nothing}\n"
    for row in report.emerging[:SHOWN]:
        mark = "*" if row.significant else " "
        yield f" {mark}{visible(row.name)[:34]:<34} {describe(row)}\n"
        if row.cves:
            yield f"{'':<36}{', '.join(row.cves[:5])}\n"
    if report.emerging:
        yield "  * holds with false discoveries bounded to one in ten; the others may be chance\n"
    if report.sources:
        yield "\nWho publishes (share of the last year, and of the two years before)\n"
    for source in report.sources[:5]:
        yield f"  {visible(source.source):<34} {percent(source.share):>8}  {percent(source.share_before):>8}\n"
    for caveat in report.caveats:
        yield f"note: {visible(caveat)}\n"


def _nothing_rises(report: Trends) -> str:
    if not report.compared:
        return "no group with enough listings to compare"
    if not any(row.significant for row in report.emerging):
        return f"none of {report.compared} groups, with false discoveries held to one in ten"
    return ""


def titled(each: Trend) -> str:
    """The name of a series."""
    return f"{each.dimension}: {visible(each.name)}" if each.name != "all" else "all"


def describe(row: Emerging) -> str:
    """The figures of a group in a line."""
    reports = row.published / row.expected if row.expected else 1.0
    return (
        f"{row.ratio:.1f} x ({row.low:.1f} or more with 95 % confidence): {row.listed} listed, {row.listed_before} in "
        f"the two years before; published {reports:.1f} x what the mix of sources explains"
    )


def bars(counts: tuple[int, ...]) -> str:
    """Counts as a row of bars."""
    top = max([*counts, 1])
    return "".join(_BARS[-(-8 * count // top)] for count in counts)


def _mean(each: Trend) -> float:
    last = each.counts[-12:]
    return sum(last) / len(last)


def json(report: Trends) -> Iterator[str]:
    """The whole report."""
    yield msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "trends": report})).decode() + "\n"


def html(report: Trends) -> Iterator[str]:
    """The report with a drawing of each series."""
    yield from frame("Trends of exploitation", f"as of {report.day}", _body(report))


def _body(report: Trends) -> Iterator[str]:
    yield from _rising(report)
    yield "<h2>Listings a month, and the next three</h2>\n"
    if not report.listings:
        yield "<p>Too few listings in the last 24 months to count.</p>\n"
    else:
        yield f'<div class="figures">\n{"".join(map(_figure, report.listings[:SHOWN]))}</div>\n'
    yield "<h2>Who publishes</h2>\n"
    shares = [(safe(row.source), percent(row.share), percent(row.share_before)) for row in report.sources]
    yield table(("source", "last year", "two years before"), shares, frozenset({1, 2}))
    for caveat in report.caveats:
        yield f'<p class="quiet">Note: {safe(caveat)}.</p>\n'


def _rising(report: Trends) -> Iterator[str]:
    """What emerges, which is what most people come for."""
    yield "<h2>More listings for each published CVE than before</h2>\n"
    rows = [
        (
            safe(f"{row.dimension}: {row.name}"),
            "yes" if row.significant else "may be chance",
            safe(describe(row)),
            ", ".join(row.cves),
        )
        for row in report.emerging
    ]
    if nothing := _nothing_rises(report):
        yield f"<p>{nothing.capitalize()}.</p>\n"
    if rows:
        yield table(("group", "holds", "figures", "vulnerabilities behind it"), rows)


def _figure(each: Trend) -> str:
    """One series as a drawing with what comes in words."""
    name = "All listings" if each.name == "all" else f"{each.dimension}: {each.name}"
    ahead = [(float(month.low), month.mean, float(month.high)) for month in each.ahead]
    ends = each.first_month, each.ahead[-1].month if each.ahead else ""
    drawing = series([float(count) for count in each.counts], ahead, f"{name}, a month", ends, 360, 130)
    coming = ", ".join(f"{month.month}: {month.mean:.1f} ({month.low} to {month.high})" for month in each.ahead)
    changes = "".join(
        f" Level changed in {safe(change.month)}: {change.before:.1f} to {change.after:.1f} a month."
        for change in each.changes
    )
    said = f"{safe(coming)}; 80 % range, method: {safe(each.method)}." if coming else ""
    return (
        f'<figure><h3>{safe(name)}</h3>\n{drawing}\n<figcaption class="quiet">{said}{changes}</figcaption></figure>\n'
    )
