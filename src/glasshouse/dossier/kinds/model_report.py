"""The Safety and Security Model Report (GPAI Code of Practice, Commitment 7)."""

from __future__ import annotations

import msgspec

from glasshouse.assess.framework import framework_digest
from glasshouse.assess.register import RiskRow
from glasshouse.dossier.document import Audience, Document, Field, Section, Table
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.kinds.run_tables import overrides_table, runs_table, samples_table, verdicts_table
from glasshouse.dossier.measures import measures
from glasshouse.dossier.values import Value, computed, missing


def make(evidence: Evidence, audience: Audience) -> Document:
    """The report for one audience; what no record supports is shown as missing, measure by measure."""
    model = evidence.model
    name = model.identity.name
    sections = (
        Section(
            "model",
            "The model and how it behaves",
            (
                Field("name", "Model", evidence.stated(f"{name} {model.identity.version}", "model_name")),
                Field("digest", "Digest", computed(evidence.digest, digest=evidence.digest)),
                Field(
                    "architecture", "Architecture and capabilities", evidence.stated(model.architecture, "architecture")
                ),
                Field("behaviour", "How it should behave", evidence.attested("report.behaviour")),
                Field("use", "How it is and will be used", evidence.stated(model.intended_use, "intended_uses")),
            ),
            citation="Measure 7.1",
        ),
        Section(
            "proceed",
            "Why it is right to proceed",
            _proceed(evidence),
            (verdicts_table(evidence),),
            citation="Measure 7.2",
        ),
        Section("risks", "Risks", (), _risks(evidence), citation="Measure 7.3"),
        Section("runs", "Evaluations", (), (runs_table(evidence), samples_table(evidence)), citation="Measure 7.3"),
        Section("external", "Outside reports", (), (_externals(evidence),), citation="Measure 7.4"),
        Section(
            "landscape",
            "Change in the risk landscape",
            (Field("landscape", "What changed", evidence.attested("report.landscape")),),
            citation="Measure 7.5",
        ),
        Section("overrides", "Overrides", (), (overrides_table(evidence),), citation="Measure 1.3"),
        Section("measures", "Evidence by measure of the Code", (), (_measures(evidence),)),
    )
    return Document(
        "model-report", f"Safety and Security Model Report: {name}", name, audience, evidence.basis, sections
    )


def _proceed(evidence: Evidence) -> tuple[Field, ...]:
    mine = [(verdict, entry) for verdict, entry in evidence.verdicts if verdict.model_digest == evidence.digest]
    if not mine:
        verdict = missing("glasshouse assess gate model.yaml --tier TIER")
    else:
        last, entry = mine[-1]
        says = "passed" if last.passed else "refused"
        verdict = computed(f"{says} for tier {last.tier} on {last.at.date().isoformat()}", (entry, last.commitment))
    return (
        Field("verdict", "Last verdict of the release gate", verdict, "Measure 4.2"),
        Field("reasons", "Reasons for and against", evidence.attested("report.reasons")),
        Field(
            "fails",
            "Conditions under which this no longer holds",
            evidence.attested("report.fail_conditions"),
            "Measure 7.2",
        ),
    )


def _risks(evidence: Evidence) -> tuple[Table, ...]:
    columns = ("risk", "tier reached", "estimate", "guards, with live counts", "gaps")
    if evidence.register is None:
        return (
            Table(
                "register", "Risk register", columns, (), empty="No framework was committed, so there is no register."
            ),
        )
    digest = framework_digest(evidence.framework) if evidence.framework is not None else evidence.digest
    rows = tuple(_risk(row, evidence, digest) for row in evidence.register.rows)
    return (Table("register", "Risk register", columns, rows),)


def _risk(row: RiskRow, evidence: Evidence, digest: str) -> tuple[Value, ...]:
    entries = tuple(entry for scenario in row.scenarios for entry in scenario.runs)
    base = entries or tuple(each.entry for each in evidence.commitments)
    if row.estimates:
        last = row.estimates[-1]
        low, high = last.probability
        text = f"{low:g} to {high:g} a year, severity {last.severity[0]} to {last.severity[1]}; {last.basis}"
        estimate = Value(text, "attested", (last.entry,), who=f"{last.author} ({last.role})", at=last.at)
    else:
        estimate = missing(f"glasshouse assess estimate {row.id}")
    cells = [computed(text, base, digest) for text in (row.title, row.tier_reached)]
    guards = computed(row.guards or "none", base, digest)
    return (*cells, estimate, guards, computed("; ".join(dict.fromkeys(row.gaps)) or "none", base, digest))


def _externals(evidence: Evidence) -> Table:
    rows = tuple(
        tuple(
            Value(text, "external", (each.entry,), digest=each.digest)
            for text in (each.title, each.at.date().isoformat(), each.digest)
        )
        for each in evidence.externals
    )
    return Table("externals", "Documents by others, unaltered", ("title", "received", "digest"), rows)


def _measures(evidence: Evidence) -> Table:
    rows = []
    for each in measures(evidence):
        value = each.value
        named = (each.measure.id, each.measure.title)
        cells = tuple(msgspec.structs.replace(value, text=text) for text in named)
        rows.append((*cells, value))
    return Table("measures", "What there is for each", ("measure", "title", "evidence"), tuple(rows))
