"""HTML reports of forecasts and of exposure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glasshouse.forecast.exposure.model import Exposed, Exposure
from glasshouse.forecast.render.charts import interval, treemap
from glasshouse.forecast.render.exposures import names
from glasshouse.forecast.render.numbers import factor, percent
from glasshouse.forecast.render.page import frame, safe, table, tiles
from glasshouse.words.display import counted
from glasshouse.words.forecast import Forecast

MAX_ROWS = 2_000
LIKELY = 0.01


def forecasts(found: Sequence[Forecast]) -> Iterator[str]:
    """A table with a drawing of each interval, and the reasons."""
    first = found[0] if found else None
    subtitle = f"as of {first.day}, model {first.model}" if first else "nothing fits"
    yield from frame("Forecast of exploitation", subtitle, _forecasts(found))


def _forecasts(found: Sequence[Forecast]) -> Iterator[str]:
    yield (
        '<p class="note">Chance of being listed as known exploited (CISA KEV) within 30, 90 and 365 days, '
        "with a 90 % interval for the 90 days. It ranks public knowledge; it does not say that you are attacked.</p>\n"
    )
    yield table(
        ("", "CVE, and what moves its odds", "30 d", "90 d", "one in a million to certain", "365 d", "EPSS", "CVSS"),
        [_forecast_row(rank, each) for rank, each in enumerate(found[:MAX_ROWS], start=1)],
        frozenset({0, 2, 3, 5, 6, 7}),
    )
    for caveat in dict.fromkeys(caveat for each in found for caveat in each.caveats):
        yield f'<p class="quiet">Note: {safe(caveat)}.</p>\n'


def _forecast_row(rank: int, each: Forecast) -> tuple[str, ...]:
    why = "".join(f"<li>{factor(reason.factor)}: {safe(reason.words)}</li>" for reason in each.reasons[:3])
    told = safe(each.description, 180) + (f"<ul>{why}</ul>" if why else "")
    head = f'<strong>{safe(each.cve)}</strong><div class="why">{told}</div>'
    beside = (percent(each.epss) if each.epss is not None else "-", str(each.cvss) if each.cvss is not None else "-")
    if not each.probabilities:
        state = f'<span class="listed">listed {safe(each.listed_on)}</span>' if each.listed_on else "withdrawn"
        return (str(rank), head, "", "", state, "", *beside)
    values = {every.horizon_days: every for every in each.probabilities}
    middle = values[90]
    return (
        str(rank),
        head,
        percent(values[30].value),
        percent(middle.value),
        interval(middle.low, middle.value, middle.high),
        percent(values[365].value),
        *beside,
    )


def exposure(report: Exposure) -> Iterator[str]:
    """The exposure report for people who decide what to patch."""
    subtitle = f"within {report.horizon_days} days of {report.day}, model {report.model}"
    yield from frame("Exposure", subtitle, _exposure(report))


def _exposure(report: Exposure) -> Iterator[str]:
    hit = report.services_hit
    yield tiles(
        (
            ("services", f"{len(report.services):,}"),
            ("of them critical", f"{sum(service.critical for service in report.services):,}"),
            ("components", f"{report.components:,}"),
            ("vulnerable components", f"{len(report.vulnerable):,}"),
            ("services hit, expected", f"{hit.mean:.1f}"),
            ("in 90 % of draws", f"{hit.low:.0f} to {hit.high:.0f}"),
        )
    )
    if report.vulnerable:
        yield "<h2>What would hit most</h2>\n"
        yield treemap([_tile(row) for row in report.vulnerable[:60]])
        yield '<p class="quiet legend">Area: services times chance. Red: a vulnerability is listed as exploited; '
        yield "amber: 1 % or more; blue: less.</p>\n"
        yield from _plan(report)
        yield "<h2>Vulnerable components</h2>\n"
        yield table(
            ("component", "chance", "services", "critical", "removes", "vulnerabilities", "fixed in"),
            [_component_row(row) for row in report.vulnerable[:MAX_ROWS]],
            frozenset({1, 2, 3, 4}),
        )
    yield from _concentration(report)
    if report.unknown:
        yield f"<h2>Not judged ({len(report.unknown):,})</h2>\n"
        rows = [(safe(item.where), safe(item.why)) for item in report.unknown[:MAX_ROWS]]
        yield table(("entry", "why"), rows)
    for caveat in report.caveats:
        yield f'<p class="quiet">Note: {safe(caveat)}.</p>\n'
    yield '<p class="quiet">Probabilities are of listing as known exploited; a listed one counts as certain. '
    yield "Losses are an index.</p>\n"


def _tile(row: Exposed) -> tuple[str, str, float, str]:
    listed = any(each.listed for each in row.vulnerabilities)
    kind = "listed" if listed else "likely" if row.chance >= LIKELY else "open"
    return str(row.component), f"{percent(row.chance)}, {counted(row.reach, 'service')}", row.chance * row.reach, kind


def _plan(report: Exposure) -> Iterator[str]:
    if not report.plan:
        return
    removed = percent(1 - report.plan[-1].remaining)
    first = f"these {len(report.plan)}" if len(report.plan) > 1 else "this"
    yield f"<h2>Patch {first} first: removes {removed} of the expected loss</h2>\n"
    rows = [
        (str(number), safe(step.component), safe(", ".join(step.fixed) or "no fix known"), percent(step.remaining))
        for number, step in enumerate(report.plan, start=1)
    ]
    yield table(("", "component", "to version", "loss left"), rows, frozenset({0, 3}))


def _component_row(row: Exposed) -> tuple[str, ...]:
    mark = ' class="listed"' if any(each.listed for each in row.vulnerabilities) else ""
    return (
        safe(row.component),
        percent(row.chance),
        f"{row.reach:,}",
        f"{row.critical_reach:,}",
        percent(row.removed),
        f"<span{mark}>{safe(names(row, 4))}</span>",
        safe(", ".join(row.fixed)),
    )


def _concentration(report: Exposure) -> Iterator[str]:
    yield "<h2>Concentration</h2>\n"
    rows = [
        (
            safe(each.dimension),
            f"{each.herfindahl:.3f}",
            safe(", ".join(f"{row.name} {percent(row.share)}" for row in each.largest[:5])),
        )
        for each in report.concentrations
    ]
    yield table(("by", "Herfindahl", "largest shares of the weight"), rows, frozenset({1}))
    if report.single_points:
        points = ", ".join(f"{point.name} ({point.critical_services})" for point in report.single_points[:20])
        yield f"<p>Single points of failure (critical services that depend on it): {safe(points, 2_000)}</p>\n"
    for each in report.what_if:
        if not each.services:
            yield f"<p>What if {safe(each.component)} has a new flaw: no service contains it.</p>\n"
            continue
        yield f"<p>What if {safe(each.component)} has a new flaw: {counted(len(each.services), 'service')} hit, "
        yield f"{len(each.critical_services)} of them critical, {percent(each.weight_share)} of the weight.</p>\n"
