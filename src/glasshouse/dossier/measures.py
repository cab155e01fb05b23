"""Which of the Code's 40 measures the evidence speaks to, and on what basis: the second honest headline.

Each measure is looked up in the records that could show it, by a rule of its own; a record that merely exists shows
nothing.  That there is evidence does not say that the measure is met.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from glasshouse.assess.framework import framework_digest
from glasshouse.dossier.evidence import Evidence, Incident
from glasshouse.dossier.forms import Measure, code_of_practice
from glasshouse.dossier.values import Value, computed, counted

Finder = Callable[[Evidence], Value | None]


class MeasureEvidence(msgspec.Struct, frozen=True):
    """One measure with what there is for it; ``value`` names the records."""

    measure: Measure
    value: Value


def measures(evidence: Evidence) -> tuple[MeasureEvidence, ...]:
    """All 40 measures, in the Code's order: what records show, else what people said, else missing."""
    return tuple(MeasureEvidence(each, _value(each, evidence)) for each in code_of_practice().measures())


def gaps(evidence: Evidence) -> tuple[str, ...]:
    """The measures without any evidence, by id."""
    return tuple(each.measure.id for each in measures(evidence) if each.value.basis == "missing")


def _value(measure: Measure, evidence: Evidence) -> Value:
    finder = FINDERS.get(measure.id)
    found = finder(evidence) if finder is not None else None
    return found if found is not None else evidence.attested(f"measure.{measure.id}")


def _made(*kinds: str, audience: str = "") -> Finder:
    """Versions of documents that were made."""

    def find(evidence: Evidence) -> Value | None:
        mine = [each for each in evidence.versions if each.kind in kinds and audience in ("", each.audience)]
        text = f"{len(mine)} versions of {' and '.join(kinds)}, the last of {mine[-1].at.date()}" if mine else ""
        return computed(text, tuple(each.entry for each in mine)) if mine else None

    return find


def _filed(*rules: str) -> Finder:
    """Reports that were filed under a rule."""

    def find(evidence: Evidence) -> Value | None:
        sent = [(rule, entry) for each in evidence.incidents for rule, _, entry in each.filings if rule in rules]
        return computed(f"{len(sent)} filings", tuple(entry for _, entry in sent)) if sent else None

    return find


def _cases(*rules: str) -> Finder:
    """Cases that are kept under a rule."""

    def find(evidence: Evidence) -> Value | None:
        mine = [each for each in evidence.incidents if {clock.rule for clock in each.clocks} & set(rules)]
        return _of_cases(mine, "cases with clocks") if mine else None

    return find


def _registered(kind: str) -> Finder:
    """Lines of a register, with how many of them are settled."""

    def find(evidence: Evidence) -> Value | None:
        mine = [each.row for each in evidence.registers if each.row.kind == kind]
        settled = sum(row.closed is not None for row in mine)
        text = f"{len(mine)} {kind}s on record, {settled} settled"
        return computed(text, tuple(entry for row in mine for entry in row.entries)) if mine else None

    return find


def _of_cases(cases: list[Incident], what: str) -> Value:
    return computed(f"{len(cases)} {what}", tuple(entry for each in cases for entry in each.entries))


def _log(evidence: Evidence) -> Value | None:
    if evidence.basis.size == 0:
        return None
    text = f"append-only log of {evidence.basis.size:,} entries with inclusion proofs"
    return counted(text, (0, evidence.basis.size - 1))


def _framework(evidence: Evidence) -> Value | None:
    if evidence.framework is None:
        return None
    digest = framework_digest(evidence.framework)
    entries = tuple(each.entry for each in evidence.commitments if each.framework == digest)
    return computed(f"{evidence.framework.name} {evidence.framework.version}, committed", entries, digest)


def _runs(evidence: Evidence) -> Value | None:
    runs = evidence.my_runs()
    return computed(f"{len(runs)} runs", tuple(run.entry for run in runs)) if runs else None


def _safeguard_runs(evidence: Evidence) -> Value | None:
    if evidence.framework is None:
        return None
    suites = {each.suite for mitigation in evidence.framework.mitigations for each in mitigation.holds_when}
    runs = [run for run in evidence.my_runs() if run.suite in suites]
    return computed(f"{len(runs)} runs against mitigations", tuple(run.entry for run in runs)) if runs else None


def _estimates(evidence: Evidence) -> Value | None:
    rows = evidence.register.rows if evidence.register is not None else ()
    entries = tuple(each.entry for row in rows for each in row.estimates)
    return computed(f"{len(entries)} estimates by named authors", entries) if entries else None


def _identified(evidence: Evidence) -> Value | None:
    """The register, once nothing keeps it from being closed."""
    if evidence.register is None or evidence.register.obstacles:
        return None
    return _framework(evidence)


def _monitored(evidence: Evidence) -> Value | None:
    screened = sum(sum(month.scores) for month in evidence.months)
    if not screened:
        return None
    span = (evidence.months[0].span[0], evidence.months[-1].span[1])
    return counted(f"{screened:,} screened requests in {len(evidence.months)} months", span)


def _watched(evidence: Evidence) -> Value | None:
    """Use in the log, and evaluators' access where it was granted."""
    use, grants = _monitored(evidence), _registered("grant")(evidence)
    if use is None or grants is None:
        return use if use is not None else grants
    return computed(f"{use.text}; {grants.text}", (*grants.entries, *(use.span or ())))


def _verdicts(evidence: Evidence) -> Value | None:
    mine = [(verdict, entry) for verdict, entry in evidence.verdicts if verdict.model_digest == evidence.digest]
    if not mine:
        return None
    refused = sum(not verdict.passed for verdict, _ in mine)
    text = f"{len(mine)} gate verdicts, {refused} refused, {len(evidence.overrides)} overrides"
    return computed(text, tuple(entry for _, entry in mine))


def _noted(evidence: Evidence) -> Value | None:
    mine = [each for each in evidence.incidents if each.points]
    return _of_cases(mine, "incidents with recorded points") if mine else None


def _incidents(evidence: Evidence) -> Value | None:
    found: Value | None = _cases("cop93_infra", "cop93_cyber", "cop93_death", "cop93_harm")(evidence)
    return found


def _external(evidence: Evidence) -> Value | None:
    if not evidence.externals:
        return None
    newest = evidence.externals[-1]
    return Value(newest.title, "external", (newest.entry,), digest=newest.digest)


def _updated_report(evidence: Evidence) -> Value | None:
    made = [each for each in evidence.versions if each.kind == "model-report"]
    return _made("model-report")(evidence) if len(made) > 1 else None


FINDERS: dict[str, Finder] = {
    "T-1.1": _made("documentation-form"),
    "T-1.2": _registered("request"),
    "T-1.3": _log,
    "C-1.5": _registered("complaint"),
    "S-1.1": _framework,
    "S-1.2": _runs,
    "S-1.3": _filed("cop13_framework_review"),
    "S-1.4": _filed("cop14_framework"),
    "S-2.1": _identified,
    "S-2.2": _framework,
    "S-3.2": _runs,
    "S-3.4": _estimates,
    "S-3.5": _watched,
    "S-4.1": _framework,
    "S-4.2": _verdicts,
    "S-5.1": _safeguard_runs,
    "S-7.1": _made("model-report"),
    "S-7.2": _made("model-report"),
    "S-7.3": _made("model-report"),
    "S-7.4": _external,
    "S-7.6": _updated_report,
    "S-7.7": _filed("cop77_report", "cop77_update"),
    "S-9.2": _noted,
    "S-9.3": _incidents,
    "S-9.4": _incidents,
    "S-10.1": _made("audit-pack"),
    "S-10.2": _made("model-card", "model-report", audience="public"),
}
