"""What assessment keeps in the log, one record per kind of entry; the registers are folds of these."""

from __future__ import annotations

import msgspec

from glasshouse.assess.classify import Answer, Classification
from glasshouse.assess.framework import Framework
from glasshouse.assess.gate import Verdict
from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.register import Estimate
from glasshouse.assess.runs import Run, Sample


class FrameworkCommitted(msgspec.Struct, frozen=True, tag="assess.commit"):
    """Thresholds and margins, fixed from here on."""

    framework: Framework


class ModelRegistered(msgspec.Struct, frozen=True, tag="assess.model"):
    """A model file as it was when it was first assessed; ``digest`` is that of its bytes."""

    model: ModelFile
    digest: str


class RunRecorded(msgspec.Struct, frozen=True, tag="assess.run"):
    """A run with all its samples; ``draw`` are the ids of a seeded random draw that reports show."""

    run: Run
    samples: tuple[Sample, ...]
    draw: tuple[str, ...]


class VerdictRecorded(msgspec.Struct, frozen=True, tag="assess.gate"):
    """What the gate said."""

    verdict: Verdict


class OverrideRecorded(msgspec.Struct, frozen=True, tag="assess.override"):
    """People with the right to do so passed a failed gate: their names, their reason, the verdict's entry."""

    model: str
    model_digest: str
    tier: str
    names: tuple[str, ...]
    reason: str
    verdict: int


class EstimateRecorded(msgspec.Struct, frozen=True, tag="assess.estimate"):
    """A judgement of a risk."""

    estimate: Estimate
    model_digest: str


class ClassificationRecorded(msgspec.Struct, frozen=True, tag="assess.classify"):
    """Answers and what follows from them.

    ``signature`` is Ed25519 over `answers_bytes`, ``public_key`` its key, both base64; empty where nobody signed.
    """

    model: str
    answers: tuple[Answer, ...]
    result: Classification
    public_key: str = ""
    signature: str = ""


def answers_bytes(model: str, answers: tuple[Answer, ...]) -> bytes:
    """What a person signs: the model's name and the answers, nothing of what follows from them."""
    return b"glasshouse/classify/v1\n" + msgspec.json.encode((model, answers), order="deterministic")


AssessRecord = (
    FrameworkCommitted
    | ModelRegistered
    | RunRecorded
    | VerdictRecorded
    | OverrideRecorded
    | EstimateRecorded
    | ClassificationRecorded
)
