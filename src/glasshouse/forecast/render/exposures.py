"""Exposure as text, JSON, and as rows for a register of ICT third parties."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from glasshouse.forecast.exposure.model import Exposed, Exposure
from glasshouse.forecast.render.forecasts import safe_cell
from glasshouse.forecast.render.numbers import percent
from glasshouse.words.display import counted, visible

SCHEMA = "glasshouse/exposure/1"
SHOWN = 20
UNKNOWN_SHOWN = 15


def text(report: Exposure) -> Iterator[str]:
    """What matters first: the plan, then the components, then what rests on few shoulders, then what is not known."""
    critical = sum(service.critical for service in report.services)
    yield (
        f"{counted(len(report.services), 'service')} ({critical} critical), {counted(report.components, 'component')}, "
        f"{counted(len(report.vulnerable), 'vulnerable component')}; "
        f"within {report.horizon_days} days of {report.day}\n"
    )
    if report.vulnerable:
        yield "\n"
        yield from _losses(report)
        yield from _plan(report)
        yield from _table(report)
    yield from _concentration(report)
    for each in report.what_if:
        if not each.services:
            yield f"\nWhat if {visible(each.component)} has a new flaw: no service contains it\n"
            continue
        yield f"\nWhat if {visible(each.component)} has a new flaw, exploited for certain: "
        yield f"{counted(len(each.services), 'service')} hit ({len(each.critical_services)} critical), "
        yield f"{percent(each.weight_share)} of the total weight\n"
        yield f"  {', '.join(visible(name) for name in each.services[:SHOWN])}\n"
    yield from _unknown(report)
    yield "\n"
    for caveat in report.caveats:
        yield f"note: {visible(caveat)}\n"
    yield "Probabilities are of listing as known exploited (KEV); a listed one counts as certain.\n"


def _losses(report: Exposure) -> Iterator[str]:
    loss, hit = report.loss, report.services_hit
    share = percent(report.expected_loss / report.total_weight) if report.total_weight else "0 %"
    yield f"Expected loss {report.expected_loss:.2f} of {report.total_weight:.2f} ({share}), "
    yield f"90 % of draws {loss.low:.2f} to {loss.high:.2f}, worst 5 % {loss.worst:.2f}\n"
    yield f"Services hit: {hit.mean:.1f} expected, 90 % of draws {hit.low:.0f} to {hit.high:.0f}\n"


def _plan(report: Exposure) -> Iterator[str]:
    if not report.plan:
        return
    removed = 1 - report.plan[-1].remaining
    first = f"these {len(report.plan)}" if len(report.plan) > 1 else "this"
    yield f"\nPatch {first} first: removes {percent(removed)} of the expected loss\n"
    for number, step in enumerate(report.plan, start=1):
        fixed = f"to {', '.join(map(visible, step.fixed))}" if step.fixed else "no fix known: replace or shield it"
        yield f"  {number:>2}. {visible(str(step.component)):<44} {fixed:<34} left {percent(step.remaining)}\n"


def _table(report: Exposure) -> Iterator[str]:
    yield f"\n{'component':<44} {'chance':>12} {'services':>9} {'critical':>9}  vulnerabilities\n"
    for row in report.vulnerable[:SHOWN]:
        reach = f"{row.reach:>9} {row.critical_reach:>9}"
        yield f"{visible(str(row.component)):<44} {percent(row.chance):>12} {reach}  {names(row)}\n"
    if len(report.vulnerable) > SHOWN:
        yield f"and {len(report.vulnerable) - SHOWN:,} more; `--format json` has all\n"


def names(row: Exposed, limit: int = 3) -> str:
    """The first vulnerabilities of a component, most likely first; a listed one is marked."""
    shown = [
        f"{visible(each.cves[0] if each.cves else each.advisory)}{' (listed)' if each.listed else ''}"
        for each in row.vulnerabilities[:limit]
    ]
    more = len(row.vulnerabilities) - limit
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _concentration(report: Exposure) -> Iterator[str]:
    yield "\nConcentration (share of the weight that depends on it)\n"
    for each in report.concentrations:
        largest = ", ".join(f"{visible(row.name)} {percent(row.share)}" for row in each.largest[:3])
        yield f"  by {each.dimension:<10} Herfindahl {each.herfindahl:.3f}; {largest}\n"
    for point in report.single_points[:SHOWN]:
        yield f"  single point of failure: {visible(point.name)} ({point.critical_services} critical services)\n"


def _unknown(report: Exposure) -> Iterator[str]:
    if not report.unknown:
        return
    yield f"\nNot judged: {counted(len(report.unknown), 'entry', 'entries')}\n"
    reasons: dict[str, list[str]] = {}
    for item in report.unknown:
        reasons.setdefault(item.why, []).append(item.where)
    for why, places in sorted(reasons.items(), key=lambda pair: -len(pair[1]))[:UNKNOWN_SHOWN]:
        more = f" and {len(places) - 3:,} more" if len(places) > 3 else ""
        yield f"  {visible(why)}: {', '.join(visible(place) for place in places[:3])}{more}\n"


def json(report: Exposure) -> Iterator[str]:
    """The whole report."""
    yield msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "exposure": report})).decode() + "\n"


REGISTER = (
    "ict_third_party_provider", "provider_lei", "function", "critical_or_important_function", "service", "owner",
    "sector", "substitutability", "vulnerable_components", "listed_as_exploited", "chance_of_exploitation",
    "horizon_days",
    "share_of_weight_with_provider", "as_of",
)  # fmt: skip


def register(report: Exposure) -> Iterator[str]:
    """A row for each service with its provider, to be joined to a register of information.

    It carries the columns of the register that an inventory can tell; contracts and amounts are not known here.
    """
    total = report.total_weight or 1.0
    weight: dict[str, float] = {}
    for service in report.services:
        weight[service.supplier] = weight.get(service.supplier, 0.0) + service.criticality
    rows = {row.component: row for row in report.vulnerable}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(REGISTER)
    for service in report.services:
        found = [rows[component] for component in service.components if component in rows]
        escape = 1.0
        causes = {each.cves or (each.advisory,): each.chance for row in found for each in row.vulnerabilities}
        for chance in causes.values():
            escape *= 1.0 - chance
        listed = sorted({each.cves[0] for row in found for each in row.vulnerabilities if each.listed and each.cves})
        cells = (
            service.supplier, service.supplier_lei, service.function, "yes" if service.critical else "no", service.name,
            service.owner, service.sector, service.substitutable, len(found), " ".join(listed), 1.0 - escape,
            report.horizon_days, weight[service.supplier] / total if service.supplier else "", report.day,
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    yield stream.getvalue()
