"""The record of the classification under the AI Act: every question, answer, outcome, obligation, with citations."""

from __future__ import annotations

from glasshouse.assess.classify import Classification, Visit
from glasshouse.dossier.document import Audience, Document, Field, Section, Table
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.values import Value, computed, missing


def make(evidence: Evidence, audience: Audience) -> Document:
    """The record for one audience; without a recorded classification it says what to do."""
    name = evidence.model.identity.name
    title = f"Classification record: {name}"
    if evidence.classification is None:
        field = Field("classification", "Classification", missing("glasshouse classify --answers FILE"))
        sections: tuple[Section, ...] = (Section("result", "Result", (field,)),)
    else:
        sections = _sections(*evidence.classification, name)
    return Document("classification", title, name, audience, evidence.basis, sections)


def _signer(result: Classification, name: str, entry: int) -> Value:
    if not result.signed_by:
        return missing(f"glasshouse classify {name} --answers FILE --key KEY")
    return computed(result.signed_by, (entry,))


def _sections(result: Classification, entry: int, name: str) -> tuple[Section, ...]:
    def rows(table: list[tuple[object, ...]]) -> tuple[tuple[Value, ...], ...]:
        return tuple(tuple(computed(text, (entry,)) for text in row) for row in table)

    outcomes = rows(
        [
            (each.outcome.label, _when(each.applies_from), "yes" if each.applies else "not yet", each.outcome.citation)
            for each in result.findings
        ]
    )
    duties = rows([(each.does, each.who, each.citation, each.confidence) for each in result.obligations])
    answers = rows(
        [(each.question, _answer(each), each.by or "-", each.why or "-", each.citation) for each in result.visits]
    )
    law = (
        Field("instrument", "Instrument", computed(result.instrument, (entry,))),
        Field("as_of", "Rules as of", computed(result.data_as_of.isoformat(), (entry,))),
        Field("day", "Day of the assessment", computed(result.day.isoformat(), (entry,))),
        Field("signed", "Answers signed with the key", _signer(result, name, entry)),
        Field("open", "Questions still open", computed(len(result.open_questions), (entry,))),
    )
    return (
        Section("law", "Rules used", law, text="A record of answers and of what follows from them; not legal advice."),
        Section(
            "result",
            "Outcomes",
            tables=(Table("outcomes", "What it is", ("outcome", "applies from", "applies", "citation"), outcomes),),
        ),
        Section(
            "duties",
            "Obligations",
            tables=(Table("obligations", "What follows", ("obligation", "who", "citation", "read in"), duties),),
        ),
        Section(
            "answers",
            "Questions and answers",
            tables=(Table("answers", "The way walked", ("question", "answer", "by", "why", "citation"), answers),),
        ),
    )


def _when(day: object) -> str:
    return str(day) if day is not None else "in force"


def _answer(visit: Visit) -> str:
    return f"{visit.answer} (assumed: nobody knew)" if visit.assumed else visit.answer
