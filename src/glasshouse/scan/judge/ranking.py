"""Puts the probability and its reasons on findings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from glasshouse.scan.judge.evidence import Candidate, Lines
from glasshouse.scan.judge.features import features_of
from glasshouse.scan.judge.model import shipped
from glasshouse.scan.judge.reasons import reasons
from glasshouse.words.finding import Finding


def judged(candidates: Sequence[Candidate], lines: Lines) -> list[Finding]:
    """The findings in their order, each with ``probability`` and ``because``; all of them."""
    model = shipped()
    found = []
    for item, features in zip(candidates, features_of(candidates, lines), strict=True):
        probability, because = model.probability(features), reasons(model, features)
        found.append(msgspec.structs.replace(item.finding, probability=probability, because=because))
    return found
