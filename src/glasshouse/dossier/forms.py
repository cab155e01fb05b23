"""Forms and checklists that come as data: the documentation form, the datasheet's questions, the Code's measures."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import msgspec

from glasshouse.assess.yaml_file import decode
from glasshouse.dossier.document import Audience
from glasshouse.words.errors import LawDataError

Certainty = Literal["verified", "secondary"]
T = TypeVar("T")


class FormAudience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may see a field: AI Office, national authorities, downstream providers."""

    aio: bool
    nca: bool
    dp: bool

    def names(self) -> tuple[Audience, ...]:
        """The audiences by our names; the form knows no public."""
        pairs: tuple[tuple[bool, Audience], ...] = (
            (self.aio, "ai-office"),
            (self.nca, "authority"),
            (self.dp, "downstream"),
        )
        return tuple(name for shown, name in pairs if shown)


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of the Model Documentation Form.  ``words`` is its length limit."""

    id: str
    asks: str
    audience: FormAudience
    flag_basis: Literal["final", "draft3", "annex"]
    annex: tuple[str, ...]
    fill_from: str
    confidence: Certainty
    citation: str
    words: int = 0
    significant_figures: int = 0
    choices: tuple[str, ...] = ()
    choices_ref: str = ""
    note: str = ""
    change_since_draft3: str = ""


class FormSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the form."""

    id: str
    title: str
    fields: tuple[FormField, ...]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole form, 47 fields."""

    meta: dict[str, object]
    sections: tuple[FormSection, ...]
    removed_since_draft3: tuple[dict[str, str] | str, ...] = ()


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question of a datasheet.  ``auto`` says how far records can answer it."""

    id: str
    asks: str
    auto: Literal["full", "partial", "typed"]
    gate: bool = False


class QuestionSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the datasheet."""

    id: str
    questions: tuple[Question, ...]


class Questions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All questions of a datasheet (Gebru et al., arXiv 1803.09010, version 7)."""

    meta: dict[str, object]
    sections: tuple[QuestionSection, ...]


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measure of the Code of Practice, with the kinds of record that can show it."""

    id: str
    title: str
    requires: tuple[str, ...]
    evidence: tuple[str, ...]
    automation: Literal["full", "partial", "attestation"]
    citation: str
    confidence: Certainty
    deadline: tuple[dict[str, object], ...] = ()
    figures: dict[str, object] = {}
    evidence_note: str = ""


class Commitment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A commitment and its measures."""

    id: str
    title: str
    citation: str
    confidence: Certainty
    measures: tuple[Measure, ...]
    deadline: tuple[dict[str, object], ...] = ()
    note: str = ""


class Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chapter of the Code."""

    id: str
    legal_basis: tuple[str, ...]
    commitments: tuple[Commitment, ...]


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Code of Practice as a checklist: 3 chapters, 12 commitments, 40 measures."""

    meta: dict[str, object]
    evidence_kinds: dict[str, str]
    chapters: tuple[Chapter, ...]
    appendices: tuple[dict[str, object], ...]
    glossary_figures: tuple[dict[str, str], ...]

    def measures(self) -> tuple[Measure, ...]:
        """Every measure, in order."""
        return tuple(m for chapter in self.chapters for each in chapter.commitments for m in each.measures)


@cache
def documentation_form() -> Form:
    """The Model Documentation Form."""
    return _load("model_documentation_form.yaml", Form)


@cache
def datasheet_questions() -> Questions:
    """The datasheet's questions."""
    return _load("datasheet_questions.yaml", Questions)


@cache
def code_of_practice() -> Code:
    """The Code of Practice."""
    return _load("gpai_code.yaml", Code)


def _load(name: str, kind: type[T]) -> T:
    return decode(name, (files("glasshouse.dossier") / "data" / name).read_bytes(), kind, LawDataError)
