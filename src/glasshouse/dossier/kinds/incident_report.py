"""Serious incidents: the nine points of Measure 9.2, their clocks and filings; what the log can fill, it fills."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

from glasshouse.dossier.document import Audience, Document, Field, Section, Table
from glasshouse.dossier.evidence import Evidence, Incident
from glasshouse.dossier.involvement import MAX_SHOWN, NEAR_DAYS, Seen
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
ASKING = frozenset({"act.asked", "approval.asked"})


def make(evidence: Evidence, audience: Audience) -> Document:
    """Every incident of the model for one audience; those that name no model are listed as left out."""
    name = evidence.model.identity.name
    serious = [each for each in evidence.incidents if each.serious]
    sections = tuple(section for each in serious if name in _models(each) for section in _incident(each, evidence))
    if not sections:
        sections = (
            Section("none", "Incidents", text="No incident of this model is recorded up to this size of the log."),
        )
    sections += _left_out([each for each in serious if not _models(each)])
    return Document("incident-report", f"Serious incidents: {name}", name, audience, evidence.basis, sections)


def _models(incident: Incident) -> set[str]:
    """The models that the case names; where it names none, those that its linked entries involved."""
    return {incident.model} if incident.model else {name for each in incident.involved.acts for name in each.models}


def _left_out(nameless: list[Incident]) -> tuple[Section, ...]:
    """A case that names no model may be about this one or another: it is told, and not reported as this one's."""
    if not nameless:
        return ()
    text = "These cases name no model, and no entry linked to them involved one, so they are in no model's report."
    rows = tuple(
        (computed(each.id, each.entries), missing(f"glasshouse duty link {each.id} ENTRY...")) for each in nameless
    )
    return (
        Section("left-out", "Left out", tables=(Table("left-out.cases", "Cases", ("case", "model"), rows),), text=text),
    )


def _incident(incident: Incident, evidence: Evidence) -> tuple[Section, ...]:
    points = tuple(field for name in NINE_POINTS for field in _point(name, incident, evidence))
    tables = (_timeline(incident), _clocks(incident), _filings(incident))
    return (Section(incident.id, f"{incident.id}: {incident.title}", points, tables),)


def _point(name: str, incident: Incident, evidence: Evidence) -> tuple[Field, ...]:
    """What the log knows of a point, and beside it what people said; how to give it where there is neither."""
    asks, said = NINE_POINTS[name], incident.points.get(name)
    reader = FROM_LOG.get(name)
    known = reader(incident, evidence) if reader is not None else None
    fields = [] if known is None else [Field(f"{name}.log", f"{asks}: from the log", known, "Measure 9.2")]
    if said is not None or known is None:
        needs = f"glasshouse duty note {incident.id} {name}"
        if reader is not None and not incident.involved.acts:
            needs = f"glasshouse duty link {incident.id} ENTRY..., or {needs}"
        fields.append(Field(name, asks, said if said is not None else missing(needs), "Measure 9.2"))
    return tuple(fields)


def _entries(seen: tuple[Seen, ...]) -> tuple[int, ...]:
    return tuple(each.entry for each in seen)


def _dates(incident: Incident, _evidence: Evidence) -> Value | None:
    acts = incident.involved.acts
    if not acts:
        return None
    return computed(f"{_when(acts[0].at)} to {_when(acts[-1].at)}, by the linked entries", _entries(acts))


def _chain(incident: Incident, _evidence: Evidence) -> Value | None:
    acts = incident.involved.acts
    if not acts:
        return None
    kinds = Counter(f"{each.kind} {each.decision}" for each in acts)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return computed(f"{len(acts)} entries in order below: {told}", _entries(acts))


def _model(incident: Incident, evidence: Evidence) -> Value | None:
    acts = tuple(each for each in incident.involved.acts if each.models)
    names = sorted({name for each in acts for name in each.models})
    if not names:
        return None
    mine = evidence.model.identity
    told = [f"{name} {mine.version} ({mine.digest})" if name == mine.name else name for name in names]
    return computed(", ".join(told), _entries(acts))


def _material(incident: Incident, _evidence: Evidence) -> Value | None:
    acts = tuple(each for each in incident.involved.acts if each.input_digest or each.result_digest)
    inputs = sorted({each.input_digest for each in acts if each.input_digest})
    answers = sorted({each.result_digest for each in acts if each.result_digest})
    if not acts:
        return None
    told = [f"{word} {', '.join(found)}" for word, found in (("inputs", inputs), ("answers", answers)) if found]
    return computed("; ".join(told), _entries(acts))


def _response(incident: Incident, _evidence: Evidence) -> Value | None:
    if not incident.filings:
        return None
    told = "; ".join(f"{rule} filed {_when(at)}" for rule, at, _ in incident.filings)
    return computed(told, tuple(entry for _, _, entry in incident.filings))


def _root_cause(incident: Incident, _evidence: Evidence) -> Value | None:
    """Which policy decided, by which rules, after what score, and who approved."""
    acts, votes = incident.involved.acts, incident.involved.votes
    decided = tuple(each for each in acts if each.policy)
    if not decided:
        return None
    told = [f"policy set {', '.join(sorted({each.policy for each in decided}))}"]
    rules = sorted({rule for each in decided for rule in each.rules})
    told += [f"decided by {', '.join(rules)}"] if rules else []
    scores = [each.misuse for each in decided if each.misuse is not None]
    told += [f"screening scores {min(scores)} to {max(scores)} per cent"] if scores else []
    categories = sorted({category for each in decided for category in each.categories})
    told += [f"categories {', '.join(categories)}"] if categories else []
    told += [f"{each.decision} by {each.approver or 'somebody (erased)'} on {_when(each.at)}" for each in votes]
    asked = any(each.kind in ASKING for each in acts)
    told += [] if votes else ["an approval was asked, and none was given" if asked else "no approval was asked or used"]
    return computed("; ".join(told), _entries((*decided, *votes)))


def _patterns(incident: Incident, _evidence: Evidence) -> Value | None:
    """Near misses: what the same keys were denied, or had to ask for, in the days before."""
    acts, near = incident.involved.acts, incident.involved.near
    if not acts:
        return None
    if not near:
        return computed(f"the same keys were denied nothing in the {NEAR_DAYS} days before", _entries(acts))
    rules = Counter(rule for each in near for rule in each.rules or ("no rule named",))
    told = ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))
    many = "1 request" if len(near) == 1 else f"{len(near)} requests"
    text = f"{many} of the same keys denied or held up in the {NEAR_DAYS} days before: {told}"
    return computed(text, _entries(near)[:MAX_SHOWN])


FROM_LOG: dict[str, Callable[[Incident, Evidence], Value | None]] = {
    "dates": _dates,
    "chain": _chain,
    "model": _model,
    "material": _material,
    "response": _response,
    "root_cause": _root_cause,
    "patterns": _patterns,
}


def _when(at: dt.datetime) -> str:
    return at.isoformat(timespec="seconds")


def _timeline(incident: Incident) -> Table:
    """Linked acts, near misses and votes, in the order of the log."""
    involved = incident.involved
    told = {each.entry: ("near miss", each) for each in involved.near[-MAX_SHOWN:]}
    told |= {each.entry: ("approval", each) for each in involved.votes}
    told |= {each.entry: ("linked", each) for each in involved.acts}
    rows = []
    for entry, (what, each) in sorted(told.items()):
        score = "-" if each.misuse is None else f"{each.misuse} %"
        says = "erased" if each.erased else each.operation or "-"
        texts = (entry, _when(each.at), what, f"{each.kind} {each.decision}", says, ", ".join(each.rules) or "-", score)
        rows.append(tuple(computed(text, (entry,)) for text in texts))
    columns = ("entry", "when", "as", "kind", "act", "rules", "misuse")
    empty = f"No entry is linked: glasshouse duty link {incident.id} ENTRY..."
    return Table(f"{incident.id}.timeline", "Timeline from the log", columns, tuple(rows), empty=empty)


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
