"""Post-market monitoring: monthly figures from the log, and how far inputs and scores drifted from the first month."""

from __future__ import annotations

from glasshouse.dossier.document import Audience, Chart, Document, Section, Table
from glasshouse.dossier.drift import INPUTS, MEASURED, NOTICE, drifts
from glasshouse.dossier.evidence import Evidence, Month
from glasshouse.dossier.values import Value, computed, counted

COLUMNS = (
    "month", "requests", "denied", "asked", "approved", "refused", "withheld", "stopped", "interrupted",
    "false alarms", "incidents",
)  # fmt: skip


def make(evidence: Evidence, audience: Audience) -> Document:
    """The report for one audience."""
    name = evidence.model.identity.name
    months = evidence.months
    sections = (
        Section("use", "Use by month", (), (_months(evidence),), citation="Measure 3.5", charts=_charts(months)),
        Section("misuse", "Stopped, by category", (), (_misuse(months),)),
        Section("drift", "Drift of inputs and scores", (), (_drift(months), _inputs(months))),
        Section("registers", "Requests, complaints and access", (), (_registers(evidence),)),
    )
    title = f"Post-market monitoring: {name}"
    return Document("monitoring", title, name, audience, evidence.basis, sections)


def _months(evidence: Evidence) -> Table:
    rows = []
    for month in evidence.months:
        incidents = sum(each.serious and each.opened.strftime("%Y-%m") == month.month for each in evidence.incidents)
        texts = (
            month.month, month.requests, month.denied, month.asked, month.approved, month.refused, month.withheld,
            month.stopped, month.interrupted, month.false_alarms, incidents,
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
        "denied or stopped": tuple(float(month.denied + month.withheld + month.stopped) for month in months),
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


def _drift(months: tuple[Month, ...]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for each in drifts(months):
        says = "look at it" if each.index > NOTICE and each.beyond_chance else "below notice"
        texts = (each.what, each.before.month, each.after.month, f"{each.index:.3f}", f"{each.chance:.3f}", says)
        rows.append(tuple(counted(text, (each.before.span[0], each.after.span[1])) for text in texts))
    title = (
        f"Population stability index, first month against last; a shift is looked at above {NOTICE:g} and beyond chance"
    )
    columns = ("of", "first", "last", "index", "1 in 20 by chance", "says")
    return Table("drift", title, columns, tuple(rows), empty="There are not two months with screened requests.")


def _inputs(months: tuple[Month, ...]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for month in months:
        for what in INPUTS:
            counts = MEASURED[what](month)
            whole = sum(counts.values())
            for name, count in sorted(counts.items()):
                texts = (month.month, what, name, count, f"{100 * count / whole:.1f} %")
                rows.append(tuple(counted(text, month.span) for text in texts))
    columns = ("month", "of", "class", "requests", "share")
    return Table("inputs", "What came in", columns, tuple(rows), empty="No screened request is recorded.")


def _registers(evidence: Evidence) -> Table:
    rows: list[tuple[Value, ...]] = []
    for each in evidence.registers:
        entries = each.row.entries
        for clock in each.clocks:
            due = clock.due.date().isoformat() if clock.due is not None else "-"
            texts = (each.row.kind, each.row.id, each.row.who, clock.rule, clock.state.replace("_", " "), due)
            rows.append(tuple(computed(text, entries) for text in texts))
    columns = ("register", "id", "who", "duty", "state", "outer limit")
    return Table("registers", "With their clocks", columns, tuple(rows), empty="The registers are empty.")
