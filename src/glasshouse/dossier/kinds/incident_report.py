"""Serious incidents: the nine points of Measure 9.2, their clocks and filings; what the log can fill, it fills."""

from __future__ import annotations

from glasshouse.dossier.document import Audience, Document, Field, Section, Table
from glasshouse.dossier.evidence import Evidence, Incident
from glasshouse.dossier.values import Value, computed, missing

NINE_POINTS = {
    "dates": "Start and end, or the best approximation",
    "harm": "Resulting harm, victims or affected group",
    "chain": "Chain of events",
    "model": "The model involved",
    "material": "Material showing the model's involvement",
    "response": "Response done or planned",
    "recommendation": "What authorities are recommended to do",
    "root_cause": "Root cause: outputs, inputs, factors, mitigations failed or circumvented",
    "patterns": "Patterns from monitoring, near misses included",
}


def make(evidence: Evidence, audience: Audience) -> Document:
    """Every incident of the model for one audience."""
    name = evidence.model.identity.name
    mine = [each for each in evidence.incidents if each.model in ("", name)]
    sections = tuple(section for each in mine for section in _incident(each))
    if not sections:
        sections = (Section("none", "Incidents", text="No incident is recorded up to this size of the log."),)
    return Document("incident-report", f"Serious incidents: {name}", name, audience, evidence.basis, sections)


def _incident(incident: Incident) -> tuple[Section, ...]:
    points = tuple(
        Field(
            name,
            asks,
            incident.points.get(name) or missing(f"glasshouse duty note {incident.id} {name}"),
            "Measure 9.2",
        )
        for name, asks in NINE_POINTS.items()
    )
    return (Section(incident.id, f"{incident.id}: {incident.title}", points, (_clocks(incident), _filings(incident))),)


def _clocks(incident: Incident) -> Table:
    rows = []
    for clock in incident.clocks:
        due = clock.due.isoformat() if clock.due is not None else "no figure"
        if clock.extended is not None:
            due += f" (last working day: {clock.extended.date().isoformat()})"
        texts = (clock.rule, clock.state.replace("_", " "), due, "; ".join((clock.reason, *clock.notes)))
        rows.append(tuple(computed(text, incident.entries) for text in texts))
    return Table(f"{incident.id}.clocks", "Clocks", ("duty", "state", "outer limit", "why"), tuple(rows))


def _filings(incident: Incident) -> Table:
    rows: list[tuple[Value, ...]] = []
    for rule, at, entry in incident.filings:
        rows.append((computed(rule, (entry,)), computed(at.isoformat(), (entry,))))
    return Table(f"{incident.id}.filings", "Filed", ("duty", "when"), tuple(rows), empty="Nothing was filed yet.")
