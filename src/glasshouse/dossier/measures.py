"""Which of the Code's 40 measures the evidence speaks to, and on what basis: the second honest headline.

For each kind of record that could show a measure, it is looked up whether there is one.  That a record exists says that
there is evidence, not that the measure is met.
"""

from __future__ import annotations

import msgspec

from glasshouse.assess.framework import framework_digest
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.forms import Measure, code_of_practice
from glasshouse.dossier.values import Value, computed, counted


class MeasureEvidence(msgspec.Struct, frozen=True):
    """One measure with what there is for it; ``value`` names the records."""

    measure: Measure
    value: Value


def measures(evidence: Evidence) -> tuple[MeasureEvidence, ...]:
    """All 40 measures, in the Code's order."""
    records = _records(evidence)
    return tuple(MeasureEvidence(each, _value(each, records, evidence)) for each in code_of_practice().measures())


def _value(measure: Measure, records: dict[str, Value], evidence: Evidence) -> Value:
    """What is computed comes first, but a measure that only a person can show is never shown by records."""
    said = evidence.attested(f"measure.{measure.id}")
    if measure.automation != "attestation":
        specific = _specific(measure.id, evidence)
        if specific is not None:
            return specific
        found = [
            (kind, records[kind])
            for kind in measure.evidence
            if kind in records and kind not in ("attestation", "ledger")
        ]
        if found and said.basis == "missing":
            text = ", ".join(f"{kind.replace('_', ' ')}: {value.text}" for kind, value in found)
            entries = tuple(entry for _, value in found for entry in value.entries)
            spans = [value.span for _, value in found if value.span is not None]
            return computed(text, entries) if entries else counted(text, spans[0])
    if said.basis == "missing" and "external" in measure.evidence and "external" in records:
        return records["external"]
    return said


def _specific(measure: str, evidence: Evidence) -> Value | None:
    """Measures for which the log answers directly."""
    span = (0, max(0, evidence.basis.size - 1))
    if measure == "T-1.3":
        return counted(f"append-only log of {evidence.basis.size:,} entries with inclusion proofs", span)
    if measure == "S-4.2" and evidence.verdicts:
        refused = sum(not verdict.passed for verdict, _ in evidence.verdicts)
        text = f"{len(evidence.verdicts)} gate verdicts, {refused} refused, {len(evidence.overrides)} overrides"
        return computed(text, tuple(entry for _, entry in evidence.verdicts))
    if measure == "S-1.1" and evidence.framework is not None and evidence.commitments:
        return computed(framework_digest(evidence.framework), tuple(each.entry for each in evidence.commitments))
    if measure in ("S-9.3", "S-9.2") and evidence.incidents:
        entries = tuple(entry for each in evidence.incidents for entry in each.entries)
        return computed(f"{len(evidence.incidents)} incidents with their clocks", entries)
    return None


def _records(evidence: Evidence) -> dict[str, Value]:
    """The kinds of record that exist, by the Code checklist's names."""
    found: dict[str, Value] = {}

    def put(kind: str, text: str, entries: tuple[int, ...]) -> None:
        if entries:
            found[kind] = computed(text, entries)

    runs = evidence.my_runs()
    put("eval_run", f"{len(runs)} runs", tuple(run.entry for run in runs))
    put("gate", f"{len(evidence.verdicts)} verdicts", tuple(entry for _, entry in evidence.verdicts))
    put("doc_version", f"{len(evidence.versions)} versions", tuple(each[3] for each in evidence.versions))
    put("registry", "training record", tuple(each.entry for each in evidence.trainings))
    put(
        "incident",
        f"{len(evidence.incidents)} incidents",
        tuple(e for each in evidence.incidents for e in each.entries),
    )
    filings = tuple(entry for each in evidence.incidents for _, _, entry in each.filings)
    put("receipt", f"{len(filings)} filings", filings)
    put("approval", f"{len(evidence.overrides)} overrides", tuple(each.entry for each in evidence.overrides))
    if evidence.policy_hash:
        found["policy_version"] = computed(evidence.policy_hash, (evidence.policy_entry,), evidence.policy_hash)
    stopped = sum(month.denied + month.stopped for month in evidence.months)
    if evidence.months:
        span = (evidence.months[0].span[0], evidence.months[-1].span[1])
        found["detection"] = counted(f"{stopped:,} denied or stopped", span)
    if evidence.externals:
        newest = evidence.externals[-1]
        found["external"] = Value(newest.title, "external", (newest.entry,), digest=newest.digest)
    return found


def gaps(evidence: Evidence) -> tuple[str, ...]:
    """The measures without any evidence, by id."""
    return tuple(each.measure.id for each in measures(evidence) if each.value.basis == "missing")
