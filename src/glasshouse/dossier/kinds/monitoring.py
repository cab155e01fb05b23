"""Post-market monitoring: monthly figures from the log, and how far inputs and scores drifted from the first month."""

from __future__ import annotations

import math

from glasshouse.dossier.document import Audience, Chart, Document, Field, Section, Table
from glasshouse.dossier.evidence import Evidence, Month
from glasshouse.dossier.values import Value, counted, missing

COLUMNS = (
    "month", "requests", "denied", "asked", "approved", "refused", "stopped", "interrupted", "false alarms",
    "incidents",
)  # fmt: skip
DRIFT_NOTICE = 0.2  # population stability index above which a shift is usually looked at


def make(evidence: Evidence, audience: Audience) -> Document:
    """The report for one audience."""
    name = evidence.model.identity.name
    months = evidence.months
    sections = (
        Section("use", "Use by month", (), (_months(evidence),), citation="Measure 3.5", charts=_charts(months)),
        Section("misuse", "Stopped, by category", (), (_misuse(months),)),
        Section("drift", "Drift of screening scores", (_drift(months),)),
    )
    title = f"Post-market monitoring: {name}"
    return Document("monitoring", title, name, audience, evidence.basis, sections)


def _months(evidence: Evidence) -> Table:
    rows = []
    for month in evidence.months:
        incidents = sum(each.opened.strftime("%Y-%m") == month.month for each in evidence.incidents)
        texts = (
            month.month, month.requests, month.denied, month.asked, month.approved, month.refused, month.stopped,
            month.interrupted, month.false_alarms, incidents,
        )  # fmt: skip
        rows.append(tuple(counted(text, month.span) for text in texts))
    return Table("months", "From the log", COLUMNS, tuple(rows), empty="No request is recorded.")


def _charts(months: tuple[Month, ...]) -> tuple[Chart, ...]:
    """Use and denials by month, and the scores of the last month; nothing where there is nothing to draw."""
    if not months:
        return ()
    labels = tuple(month.month for month in months)
    use = {
        "requests": tuple(float(month.requests) for month in months),
        "denied or stopped": tuple(float(month.denied + month.stopped) for month in months),
    }
    charts = [Chart("use", "Requests and denials", labels, use)]
    if sum(months[-1].scores):
        bins = tuple(f"{number * 10}-{number * 10 + 9}" for number in range(10))
        scores = {months[-1].month: tuple(map(float, months[-1].scores))}
        charts.append(Chart("scores", "Screening scores of the last month, in per cent", bins, scores))
    return tuple(charts)


def _misuse(months: tuple[Month, ...]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for month in months:
        for category, count in sorted(month.misuse.items()):
            rows.append(tuple(counted(text, month.span) for text in (month.month, category, count)))
    return Table("misuse", "Misuse", ("month", "category", "stopped"), tuple(rows), empty="Nothing was stopped.")


def _drift(months: tuple[Month, ...]) -> Field:
    asks = "Population stability index of the last month's scores against the first's"
    scored = [month for month in months if sum(month.scores)]
    if len(scored) < 2:
        return Field("drift", asks, missing("two months with screened requests"))
    index = stability_index(scored[0].scores, scored[-1].scores)
    says = "look at it" if index > DRIFT_NOTICE else "below the usual notice level"
    return Field(
        "drift", asks, counted(f"{index:.3f} ({says}, {DRIFT_NOTICE:g})", (scored[0].span[0], scored[-1].span[1]))
    )


def stability_index(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """The population stability index of two histograms over the same bins, each bin counted half a time more.

    Zero for equal shares and larger the more they differ.  Raises `ValueError` for different numbers of bins.
    """
    if len(before) != len(after) or not before:
        raise ValueError("the histograms need the same bins")
    total_before, total_after = sum(before) + len(before) / 2, sum(after) + len(after) / 2
    index = 0.0
    for one, other in zip(before, after, strict=True):
        share, now = (one + 0.5) / total_before, (other + 0.5) / total_after
        index += (now - share) * math.log(now / share)
    return index
