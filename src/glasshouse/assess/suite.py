"""Evaluation suites: one protocol, one module per suite, one registry.  A suite measures; it decides nothing."""

from __future__ import annotations

import hashlib
import importlib
import random
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.runs import Metric, Sample
from glasshouse.words.errors import SuiteError

MIN_DRAW = 5  # random samples per evaluation that a report shows (Code of Practice, Measure 7.3)
Progress = Callable[[int, int], None]


class Setting(msgspec.Struct, frozen=True):
    """How a suite is to run: the seed of everything random, how often it repeats, how many samples at most."""

    seed: int = 20260101
    repeats: int = 1
    max_samples: int = 0  # 0 = all
    options: dict[str, str] = {}


class Result(msgspec.Struct, frozen=True):
    """What a suite measured.  ``model_digest`` is that of the weights it ran, to be compared with the file's.

    ``repeats`` is how often each question was asked: once by suites whose answers repeat, whatever was wished for.
    """

    model_digest: str
    code_digest: str
    data_digest: str
    metrics: tuple[Metric, ...]
    samples: tuple[Sample, ...]
    settings: dict[str, str] = {}
    safeguards: bool = False
    notes: tuple[str, ...] = ()
    repeats: int = 1


class Suite(Protocol):
    """One evaluation of one kind of model."""

    def run(self, model: ModelFile, setting: Setting, progress: Progress) -> Result:
        """Runs the evaluation.  Raises `SuiteError` when it cannot be run here."""
        ...


# name -> (module below glasshouse.assess.suites, its factory, what it measures, of what)
SUITES: dict[str, tuple[str, str, str, str]] = {
    "misuse-classifier": (
        "misuse_classifier",
        "suite",
        "recall, false alarms on defenders, obfuscation, dialects and languages",
        "the shipped misuse screener",
    ),
    "scanner": (
        "scanner",
        "suite",
        "recall and false alarms per language, robustness under rewrites that keep the meaning",
        "the scanner with its shipped rules",
    ),
    "forecaster": (
        "forecaster",
        "suite",
        "ranking, calibration and coverage by vendor at a landmark of the imported facts",
        "the shipped forecast model; facts from `glasshouse forecast import`",
    ),
    "incident-grouping": (
        "incidents",
        "grouping",
        "how far incidents agree with made-up recordings in five conditions, beside a plain baseline",
        "the shipped grouping model; scripts of our own",
    ),
    "technique-naming": (
        "incidents",
        "naming",
        "techniques named in made-up recordings of attacks, each alone",
        "the shipped ranker of techniques; scripts of our own",
    ),
    "gateway-safeguards": (
        "gateway_safeguards",
        "suite",
        "share of attacks stopped and of legitimate work let through",
        "a running gateway: --option url=... --option model=..., key in GLASSHOUSE_KEY",
    ),
    "llm-safeguards": (
        "llm",
        "safeguards",
        "attack success plain, as jailbreaks, and by prompt injection",
        "a language model behind a running gateway; extra `assess`",
    ),
    "llm-refusal": (
        "llm",
        "refusal",
        "how often defenders and ordinary people are refused",
        "a language model behind a running gateway; extra `assess`",
    ),
}


def load_suite(name: str) -> Suite:
    """The suite of that name.  Raises `SuiteError` naming those there are."""
    if name not in SUITES:
        raise SuiteError(f"no suite `{name}`; there are {', '.join(SUITES) or 'none'}")
    module = importlib.import_module(f"glasshouse.assess.suites.{SUITES[name][0]}")
    suite: Suite = getattr(module, SUITES[name][1])()
    return suite


def digest_of(parts: Iterable[bytes]) -> str:
    """One digest over several byte strings, each with its length, written sha256:<hex>."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return f"sha256:{whole.hexdigest()}"


def draw(samples: tuple[Sample, ...], seed: int, count: int = MIN_DRAW) -> tuple[str, ...]:
    """The ids of a random draw that anybody with the seed can repeat."""
    ids = [each.id for each in samples]
    return tuple(sorted(random.Random(seed).sample(ids, min(count, len(ids)))))  # noqa: S311 - to be repeated


def samples_digest(samples: tuple[Sample, ...]) -> str:
    """The digest of all samples of a run."""
    return digest_of(msgspec.json.encode(each, order="deterministic") for each in samples)
