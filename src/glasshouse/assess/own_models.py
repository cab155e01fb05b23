"""The models that Glasshouse ships, as model files: their digests are computed from what is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import SuiteError

HEAD = """identity:
  name: {name}
  version: "{version}"
  weights_digest: "{digest}"
provider: the Glasshouse authors
licence: Apache-2.0
placing: {{on_union_market: false}}
contact: see SECURITY.md
"""
TEXTS = {
    "misuse-screener": """intended_use: >
  scores requests to language models and their answers for misuse, as one input of policy beside identity and scope
not_for: deciding alone; judging people; texts in other languages than English without checking its figures for them
architecture: linear model over features of words and intent, read after disguises are taken off
inputs: [text]
outputs: [score]
suites: [misuse-classifier]
""",
    "scanner": """intended_use: finds weaknesses in source code and shows the path of the data
not_for: proving the absence of weaknesses
architecture: abstract interpreter with summaries over an intermediate representation; rules are data
inputs: [source code]
outputs: [findings]
suites: [scanner]
""",
    "forecaster": """intended_use: estimates the chance that a vulnerability is listed as exploited in 30, 90, 365 days
not_for: saying that a vulnerability is harmless; scoring people or organisations
architecture: blend of a linear text model, gradient-boosted trees and weights of evidence, calibrated
inputs: [vulnerability records]
outputs: [probabilities]
suites: [forecaster]
""",
    "technique-ranker": """intended_use: >
  names the ATT&CK techniques of an incident, with a probability, for people who look at its evidence
not_for: deciding what is done about an incident; attributing it to anybody
architecture: gradient-boosted trees over what tags of rules and signs of events say; it sees no names
inputs: [detections and signs of an incident]
outputs: [probabilities of techniques]
suites: [technique-naming]
""",
    "incident-grouping": """intended_use: says how likely two clusters of detections on a host are one incident
not_for: saying that what is apart is unrelated; attributing an incident to anybody
architecture: gradient-boosted trees over time, rarity and what is shared; it sees no names
inputs: [detections]
outputs: [log-odds]
suites: [incident-grouping]
""",
}


def model_file(name: str) -> str:
    """``model.yaml`` of one of our own models.  Raises `SuiteError` naming those there are."""
    if name not in DIGESTS:
        raise SuiteError(f"no model `{name}` of our own; there are {', '.join(DIGESTS)}")
    from glasshouse import __version__

    return HEAD.format(name=name, version=__version__, digest=DIGESTS[name]()) + TEXTS[name]


def _screener() -> str:
    from glasshouse.guard.misuse import Screener

    return Screener.load().digest


def _scanner() -> str:
    from glasshouse.assess.suites.scanner import scanner_digest

    return scanner_digest()


def _forecaster() -> str:
    from glasshouse.forecast.model import SHIPPED

    return sha256_of(Path(SHIPPED).read_bytes())


def _techniques() -> str:
    from glasshouse.respond.group.techniques import MODEL

    return sha256_of(MODEL.read_bytes())


def _grouping() -> str:
    from glasshouse.respond.group.likeness import MODEL

    return sha256_of(MODEL.read_bytes())


DIGESTS: dict[str, Callable[[], str]] = {
    "misuse-screener": _screener,
    "scanner": _scanner,
    "forecaster": _forecaster,
    "technique-ranker": _techniques,
    "incident-grouping": _grouping,
}
