"""Fail conditions: what is seen in use under which the last report no longer holds; pure, over gathered evidence."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from glasshouse.assess.framework import FailCondition
from glasshouse.dossier.drift import INPUTS, drifts
from glasshouse.dossier.evidence import Evidence
from glasshouse.words.errors import FrameworkError


class Fired(msgspec.Struct, frozen=True):
    """A condition with its figure; ``true`` when the figure lies above the limit."""

    condition: FailCondition
    value: float
    true: bool


def watch(evidence: Evidence) -> tuple[Fired, ...]:
    """Every fail condition of the committed framework.  Raises `FrameworkError` for a figure that nobody computes."""
    if evidence.framework is None:
        raise FrameworkError("no framework was committed", hint="glasshouse assess commit")
    fired = []
    for condition in evidence.framework.fail_conditions:
        figure = FIGURES.get(condition.figure)
        if figure is None:
            raise FrameworkError(f"fail condition {condition.id}: no figure `{condition.figure}`; {', '.join(FIGURES)}")
        value = figure(evidence)
        fired.append(Fired(condition, value, value > condition.above))
    return tuple(fired)


def case_name(evidence: Evidence, condition: FailCondition) -> str:
    """The case that a condition opens: one per model, condition and verdict, so that it is opened once."""
    verdicts = [entry for verdict, entry in evidence.verdicts if verdict.model_digest == evidence.digest]
    return f"reassess-{evidence.model.identity.name}-{condition.id}-{max(verdicts, default=0)}"


def _score_drift(evidence: Evidence) -> float:
    return _largest(evidence, ("screening score",))


def _input_drift(evidence: Evidence) -> float:
    return _largest(evidence, INPUTS)


def _largest(evidence: Evidence, of: tuple[str, ...]) -> float:
    """The largest index that chance does not explain."""
    return max((each.index for each in drifts(evidence.months) if each.what in of and each.beyond_chance), default=0.0)


def _stopped(evidence: Evidence) -> float:
    if not evidence.months:
        return 0.0
    last = evidence.months[-1]
    whole = last.requests + last.denied + last.asked
    return (last.denied + last.withheld + last.stopped) / whole if whole else 0.0


def _since_verdict(evidence: Evidence, entries: list[int]) -> float:
    """How many of these entries came after the last verdict on the model."""
    verdicts = [entry for verdict, entry in evidence.verdicts if verdict.model_digest == evidence.digest]
    return float(sum(entry > max(verdicts, default=-1) for entry in entries))


def _incidents(evidence: Evidence) -> float:
    return _since_verdict(evidence, [each.entries[0] for each in evidence.incidents if each.serious])


def _overrides(evidence: Evidence) -> float:
    name = evidence.model.identity.name
    return _since_verdict(evidence, [each.entry for each in evidence.overrides if each.model == name])


FIGURES: dict[str, Callable[[Evidence], float]] = {
    "score_drift": _score_drift,
    "input_drift": _input_drift,
    "stopped_share": _stopped,
    "incidents": _incidents,
    "overrides": _overrides,
}
