"""The Safety and Security Framework, written from the very file that the release gate executes (Measure 1.1)."""

from __future__ import annotations

from collections.abc import Callable

from glasshouse.assess.framework import Framework, Threshold, framework_digest
from glasshouse.dossier.document import Audience, Document, Field, Section, Table
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.kinds.run_tables import overrides_table
from glasshouse.dossier.values import Value, computed, missing

Cell = Callable[[object], Value]


def make(evidence: Evidence, audience: Audience) -> Document:
    """The framework for one audience."""
    name = evidence.model.identity.name
    framework = evidence.framework
    if framework is None:
        field = Field("framework", "Framework", missing("glasshouse assess commit --framework FILE"))
        sections: tuple[Section, ...] = (Section("framework", "Framework", (field,)),)
        return Document("framework", "Safety and Security Framework", name, audience, evidence.basis, sections)
    title = f"Safety and Security Framework: {framework.name} {framework.version}"
    return Document("framework", title, name, audience, evidence.basis, _sections(evidence, framework))


def _sections(evidence: Evidence, framework: Framework) -> tuple[Section, ...]:
    digest = framework_digest(framework)
    entries = tuple(each.entry for each in evidence.commitments if each.framework == digest)

    def cell(text: object) -> Value:
        return computed(text, entries, digest)

    committed = cell(f"entries {', '.join(map(str, entries))}") if entries else missing("glasshouse assess commit")
    control = (
        Field("digest", "Digest of the file that the gate executes", cell(digest)),
        Field("committed", "Committed to the log", committed),
        Field("responsible", "Responsible", evidence.attested("framework.responsible")),
        Field(
            "outside",
            "How outside input affects decisions",
            evidence.attested("framework.outside_input"),
            "Measure 1.1(2d)",
        ),
        Field(
            "forecast",
            "When a model may pass the highest tier",
            evidence.attested("framework.outlook"),
            "Measure 1.1(2c)",
        ),
        Field("update", "How it is updated and confirmed", evidence.attested("framework.update"), "Measure 1.1(4)"),
    )
    return (
        Section("control", "Document control", control),
        Section(
            "risks", "Systemic risks and capability tiers", tables=(_tiers(framework, cell),), citation="Measure 4.1"
        ),
        Section("scenarios", "Scenarios", tables=(_scenarios(framework, cell),), citation="Measure 2.2"),
        Section("mitigations", "Mitigations", tables=(_mitigations(framework, cell),), citation="Measure 5.1"),
        Section("access", "Who may be given access", tables=(_access(framework, cell),), citation="Measure 4.2"),
        Section("adherence", "Adherence", tables=(overrides_table(evidence),), citation="Measure 1.3"),
    )


def threshold_text(threshold: Threshold) -> str:
    """A threshold in words, margin included."""
    return f"{threshold.suite}/{threshold.metric} {threshold.bound} {threshold.value:g}, margin {threshold.margin:g}"


def _tiers(framework: Framework, cell: Cell) -> Table:
    rows = tuple(
        (
            cell(risk.title),
            cell(tier.id),
            cell(tier.means),
            cell("; ".join(map(threshold_text, tier.reached_when)) or "-"),
        )
        for risk in framework.risks
        for tier in risk.tiers
    )
    return Table("tiers", "Capability tiers", ("risk", "tier", "means", "reached when"), rows)


def _scenarios(framework: Framework, cell: Cell) -> Table:
    rows = tuple(
        (cell(risk.title), cell(s.text), cell(", ".join(s.suites) or "none"), cell(", ".join(s.guard_rules) or "none"))
        for risk in framework.risks
        for s in risk.scenarios
    )
    return Table("scenarios", "How each risk could come true", ("risk", "scenario", "tested by", "guarded by"), rows)


def _mitigations(framework: Framework, cell: Cell) -> Table:
    rows = tuple(
        (cell(each.title), cell("; ".join(map(threshold_text, each.holds_when))), cell(each.limits or "-"))
        for each in framework.mitigations
    )
    return Table("mitigations", "What must hold", ("mitigation", "holds when", "limits"), rows)


def _access(framework: Framework, cell: Cell) -> Table:
    rows = tuple(
        (
            cell(each.id),
            cell(each.who),
            cell(", ".join(f"{risk} up to {tier}" for risk, tier in each.acceptable.items())),
            cell(", ".join(each.mitigations) or "none"),
        )
        for each in framework.access_tiers
    )
    return Table("access", "Access tiers", ("tier", "who", "accepted", "mitigations"), rows)
