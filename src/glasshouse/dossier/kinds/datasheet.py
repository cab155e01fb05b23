"""A datasheet of the data that a model was trained on: 59 questions, answered from the training record or by people."""

from __future__ import annotations

from collections.abc import Callable

from glasshouse.dossier.document import Audience, Document, Field, Section
from glasshouse.dossier.evidence import Evidence, Training
from glasshouse.dossier.forms import datasheet_questions
from glasshouse.dossier.values import Value, computed

TITLES = {
    "motivation": "Motivation",
    "composition": "Composition",
    "collection": "Collection",
    "preprocessing": "Preprocessing, cleaning, labelling",
    "uses": "Uses",
    "distribution": "Distribution",
    "maintenance": "Maintenance",
}


def make(evidence: Evidence, audience: Audience) -> Document:
    """The datasheet for one audience."""
    training = evidence.training()
    sections = tuple(
        Section(
            part.id,
            TITLES.get(part.id, part.id),
            tuple(
                Field(f"datasheet.{each.id}", _asks(each.asks), _answer(each.id, evidence, training))
                for each in part.questions
            ),
        )
        for part in datasheet_questions().sections
    )
    name = evidence.model.identity.name
    return Document("datasheet", f"Datasheet: training data of {name}", name, audience, evidence.basis, sections)


def _asks(text: str) -> str:
    return text[:1].upper() + text[1:]


def _answer(question: str, evidence: Evidence, training: Training | None) -> Value:
    reader = COMPUTED.get(question)
    text = reader(training) if reader is not None and training is not None else ""
    if training is not None and text:
        return computed(text, (training.entry,), training.data_digest)
    return evidence.attested(f"datasheet.{question}")


def _instances(training: Training) -> str:
    by_label = ", ".join(f"{label} {count:,}" for label, count in sorted(training.labels.items()))
    total = sum(training.split.values())
    return f"{total:,} in total" + (f"; {by_label}" if by_label else "")


def _splits(training: Training) -> str:
    return ", ".join(f"{use} {count:,}" for use, count in sorted(training.split.items()))


def _sources(training: Training) -> str:
    return "; ".join(f"{name}: {rows:,} rows" for name, _, rows in training.sources)


def _licences(training: Training) -> str:
    return "; ".join(f"{name}: {licence}" for name, licence, _ in training.sources)


def _label(training: Training) -> str:
    return f"yes: {', '.join(sorted(training.labels))}" if training.labels else ""


def _processing(training: Training) -> str:
    return f"by the training code with digest {training.code_digest}"


COMPUTED: dict[str, Callable[[Training], str]] = {
    "c2": _instances,
    "c5": _label,
    "c8": _splits,
    "l2": _sources,
    "p1": _processing,
    "p3": _processing,
    "u1": lambda training: f"training of {training.model}",
    "d4": _licences,
}
