"""The release gate: may this model be offered at this access tier?  A pure function of committed thresholds and runs.

Uncertainty counts against release: a capability counts as reached when the upper end of its interval comes within the
margin of the threshold, and a mitigation counts as effective only when the unfavourable end clears it by the margin.
What was not measured fails.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import msgspec

from glasshouse.assess.framework import CapabilityTier, Framework, Risk, Threshold, framework_digest
from glasshouse.assess.runs import Run, latest
from glasshouse.words.errors import CommitmentError


class Commitment(msgspec.Struct, frozen=True):
    """Thresholds as they were committed to the log: the framework's digest, when, and under which entry."""

    framework: str
    at: dt.datetime
    entry: int


class Check(msgspec.Struct, frozen=True):
    """One condition of the gate with what decided it."""

    id: str
    ok: bool
    says: str
    citation: str
    entries: tuple[int, ...] = ()


class Verdict(msgspec.Struct, frozen=True):
    """Yes or no, every condition, and what the verdict was computed from."""

    model: str
    model_digest: str
    tier: str
    passed: bool
    checks: tuple[Check, ...]
    framework: str
    commitment: int
    at: dt.datetime


Position = Literal["clear", "within", "missing"]


def decide(
    framework: Framework,
    commitments: Sequence[Commitment],
    runs: Sequence[Run],
    model: tuple[str, str],
    tier: str,
    now: dt.datetime,
) -> Verdict:
    """The verdict for ``model`` (name, digest) at an access tier.

    Raises `CommitmentError` when the framework was not committed to the log, and `FrameworkError` for an unknown tier.
    Runs that began before the commitment do not count: a threshold may not be chosen after its result.
    """
    access = framework.access(tier)
    name, digest = model
    commitment = _commitment(framework, commitments)
    usable = [run for run in runs if run.started >= commitment.at and run.entry > commitment.entry]
    checks = [_risk_check(risk, access.acceptable[risk.id], usable, digest) for risk in framework.risks]
    by_id = {each.id: each for each in framework.mitigations}
    for needed in access.mitigations:
        thresholds = by_id[needed].holds_when
        checks += [_mitigation_check(needed, each, usable, digest) for each in thresholds]
    passed = all(check.ok for check in checks)
    return Verdict(name, digest, tier, passed, tuple(checks), commitment.framework, commitment.entry, now)


def _commitment(framework: Framework, commitments: Sequence[Commitment]) -> Commitment:
    digest = framework_digest(framework)
    mine = [each for each in commitments if each.framework == digest]
    if not mine:
        raise CommitmentError(
            f"the framework {framework.name} {framework.version} ({digest[:19]}) was not committed to the log"
        )
    return min(mine, key=lambda each: each.entry)


def reached(tier: CapabilityTier, runs: Sequence[Run], digest: str) -> tuple[Position, str, tuple[int, ...]]:
    """Whether the model reached a capability tier: any threshold within reach; unknown when one was not measured."""
    entries: list[int] = []
    unmeasured = ""
    for threshold in tier.reached_when:
        run = latest(runs, threshold.suite, digest)
        metric = run.metric(threshold.metric) if run is not None else None
        if run is None or metric is None:
            unmeasured = f"{threshold.suite}/{threshold.metric} was not measured since the thresholds were committed"
            continue
        entries.append(run.entry)
        worst = metric.high if threshold.bound == "at least" else metric.low
        if not _clears(worst, threshold):
            shown = f"{threshold.suite}/{threshold.metric} {metric.estimate:.3g} [{metric.low:.3g}, {metric.high:.3g}]"
            return "within", f"{shown}, within {threshold.margin:g} of {threshold.value:g}", tuple(entries)
    if unmeasured:
        return "missing", unmeasured, tuple(entries)
    return "clear", "all its thresholds are clear by their margins", tuple(entries)


def _clears(worst: float, threshold: Threshold) -> bool:
    """Whether a capability stays away from the threshold by the margin; a NaN does not."""
    if threshold.bound == "at least":  # reached when the metric is at least the value
        return worst < threshold.value - threshold.margin
    return worst > threshold.value + threshold.margin


def _risk_check(risk: Risk, accepted: str, runs: Sequence[Run], digest: str) -> Check:
    """Fails when a tier above the accepted one is reached, or cannot be excluded."""
    place = next(number for number, tier in enumerate(risk.tiers) if tier.id == accepted)
    entries: list[int] = []
    for tier in risk.tiers[place + 1 :]:
        position, says, found = reached(tier, runs, digest)
        entries += found
        if position != "clear":
            return Check(
                f"risk:{risk.id}", False, f"tier {tier.id} not excluded: {says}", "Measure 4.1", tuple(entries)
            )
    if place + 1 == len(risk.tiers):
        return Check(f"risk:{risk.id}", False, f"accepts every tier up to {accepted}: no unreached tier", "Measure 4.1")
    return Check(f"risk:{risk.id}", True, f"no tier above {accepted} is reached", "Measure 4.1", tuple(entries))


def _mitigation_check(name: str, threshold: Threshold, runs: Sequence[Run], digest: str) -> Check:
    run = latest(runs, threshold.suite, digest)
    metric = run.metric(threshold.metric) if run is not None else None
    place = f"mitigation:{name}:{threshold.suite}/{threshold.metric}"
    if run is None or metric is None:
        return Check(place, False, "not measured since the thresholds were committed", "Measure 5.1")
    worst = metric.low if threshold.bound == "at least" else metric.high
    ok = (
        worst >= threshold.value + threshold.margin
        if threshold.bound == "at least"
        else worst <= threshold.value - threshold.margin
    )
    says = (
        f"{metric.estimate:.3g} [{metric.low:.3g}, {metric.high:.3g}], to be {threshold.bound} {threshold.value:g} "
        f"with a margin of {threshold.margin:g}"
    )
    return Check(place, ok, says, "Measure 5.1", (run.entry,))
