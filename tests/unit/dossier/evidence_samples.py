"""Evidence about an invented model, full and bare, for the tests of the documents."""

from __future__ import annotations

import datetime as dt
from functools import cache

from glasshouse.assess.classify import classify
from glasshouse.assess.decision_tree import shipped_tree
from glasshouse.assess.framework import framework_digest, shipped_framework
from glasshouse.assess.gate import Commitment, decide
from glasshouse.assess.model_file import Compute, DataSource, Identity, ModelFile, Placing
from glasshouse.assess.register import Estimate, register
from glasshouse.assess.runs import Metric, Run, Sample
from glasshouse.dossier.document import Basis
from glasshouse.dossier.evidence import Attestation, Evidence, External, Incident, Month, Override, Training, Version
from glasshouse.duties.clock import Anchor, Facts, Scope, read
from glasshouse.duties.law import shipped_law
from glasshouse.duties.periods import Calendar

AT = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
DIGEST = "sha256:" + "1a" * 32
NONE = "sha256:" + "00" * 32
FILE_DIGEST = "sha256:" + "2b" * 32
MODEL = ModelFile(
    Identity("screen", "3", DIGEST),
    "Example Security, Inc.",
    "score requests to a model",
    Placing(True, dt.date(2026, 12, 1), ("download",)),
    ("misuse-classifier",),
    licence="Apache-2.0",
    architecture="linear model over hashed n-grams",
    compute=Compute(3.2e12, "counted", wall_clock_days=0.01),
    data=(DataSource("advbench", "MIT", "public", 412),),
)
BASIS = Basis("log.example", 120, "sha256:" + "3c" * 32, AT)


def bare() -> Evidence:
    """Nothing but a model file."""
    return Evidence(BASIS, MODEL, FILE_DIGEST)


@cache
def full() -> Evidence:
    """A bit of everything."""
    framework = shipped_framework()
    committed = Commitment(framework_digest(framework), AT - dt.timedelta(days=2), 3)
    metrics = (Metric("recall", 0.81, 0.79, 0.83, 900), Metric("bias_dialect", 0.02, 0.0, 0.04, 900))
    run = Run("misuse-classifier", "screen", DIGEST, NONE, NONE, AT, AT, 7, {}, metrics, NONE, 900, entry=9)
    verdict = decide(framework, [committed], [run], ("screen", DIGEST), "vetted", AT)
    estimate = Estimate("cyber_offence", (0.01, 0.1), (2, 4), "A. Analyst", "risk owner", AT, "panel", 12)
    said = [
        Attestation("model-file", FILE_DIGEST, "O. Owner", "release owner", AT, "screen", 14),
        Attestation("limitations", "English only", "O. Owner", "release owner", AT, "screen", 15),
        Attestation("measure.S-8.2", "two people half time", "C. Chief", "director", AT, "", 16),
    ]
    training = Training(
        "screen", DIGEST, NONE, NONE, {"training": 12_345, "testing": 678}, (("advbench", "MIT", 412),),
        {"misuse": 5000, "legitimate": 8023}, AT, 41.5, "2 CPU cores", 131_072, 1, {}, 6,
    )  # fmt: skip
    month = Month(
        "2026-11", 900, 30, 12, 9, 3, 2, 4, 1, 2, {"malware": 11}, (500, 300, 50, 10, 0, 5, 5, 10, 10, 10),
        {"none": 889, "malware": 11}, {"to 200": 900}, {"en": 800, "de": 100}, {"none": 900}, (20, 99),
    )  # fmt: skip
    december = Month(
        "2026-12", 10, scores=(0, 0, 0, 0, 0, 0, 0, 3, 3, 4), categories={"none": 10}, languages={"en": 9, "de": 1},
        span=(100, 119),
    )  # fmt: skip
    return Evidence(
        BASIS, MODEL, FILE_DIGEST, "Example", framework, (committed,), (run,),
        {9: (Sample("s1", "in", "out", 0.4),)}, ((verdict, 13),),
        (Override("screen", "vetted", ("P. One", "Q. Two"), "pilot under watch", AT, 17),),
        register(framework, DIGEST, [run], [estimate], {"misuse": 11}),
        (classify(shipped_tree(), {}, AT.date()), 18), (training,), tuple(said),
        (External("ext1", "Evaluation by Lab", "sha256:" + "4d" * 32, AT, "screen", 19),),
        (month, december), (incident(),), "sha256:" + "5e" * 32, 2,
        (Version("documentation-form", "ai-office", NONE, AT, 21),),
    )  # fmt: skip


def incident() -> Incident:
    """A case with one clock."""
    law = shipped_law()
    facts = Facts({"aware_of_model_involvement": Anchor("aware_of_model_involvement", AT)})
    clock = read(law.rules["cop93_cyber"], facts, AT + dt.timedelta(days=1), Calendar(), Scope({"gpai_code": True}))
    return Incident("inc-1", "Weights copied", "screen", AT, (22, 23), {}, (clock,), (("cop93_cyber", AT, 24),))
