"""``framework.yaml``: systemic risks, capability tiers with thresholds and margins, and what each access tier demands.

The gate executes this file, and the Safety and Security Framework document is written from it, so that they cannot
drift apart (GPAI Code of Practice, Measures 1.1, 4.1, 4.2).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from glasshouse.assess.yaml_file import decode
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import FrameworkError

SPECIFIED_RISKS = ("cbrn", "loss_of_control", "cyber_offence", "harmful_manipulation")  # Code, Appendix 1.4


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bound on one metric of one evaluation suite, and the safety margin kept to it, in the metric's own unit."""

    suite: str
    metric: str
    bound: Literal["at most", "at least"]
    value: float
    margin: float


class CapabilityTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A level of a capability that matters for one risk; reached when any of its thresholds is.  Low ones first."""

    id: str
    means: str
    reached_when: tuple[Threshold, ...] = ()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way in which the risk comes true, with the evaluations that test it and the guard rules that cover it."""

    id: str
    text: str
    suites: tuple[str, ...] = ()
    guard_rules: tuple[str, ...] = ()


class Risk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One systemic risk."""

    id: str
    title: str
    scenarios: tuple[Scenario, ...]
    tiers: tuple[CapabilityTier, ...]
    why: str = ""


class Mitigation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measure against misuse; effective when all its thresholds hold."""

    id: str
    title: str
    holds_when: tuple[Threshold, ...] = ()
    limits: str = ""


class AccessTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may be given the model.  ``acceptable`` is the highest capability tier per risk that is accepted here.

    ``engagement_tiers`` are the tiers of engagements that get it under this access tier: while the gate says no, the
    door lets none of them call the model.
    """

    id: str
    who: str
    vetting: Literal["none", "applied", "vetted"]
    acceptable: dict[str, str]
    mitigations: tuple[str, ...] = ()
    engagement_tiers: tuple[int, ...] = ()


class FailCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something seen in use under which the last report no longer holds; figures are those of `dossier.watch`."""

    id: str
    figure: str
    above: float
    means: str


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file, checked."""

    name: str
    version: str
    responsible: str
    risks: tuple[Risk, ...]
    mitigations: tuple[Mitigation, ...]
    access_tiers: tuple[AccessTier, ...]
    review_months: int = 12
    fail_conditions: tuple[FailCondition, ...] = ()

    def access(self, tier: str) -> AccessTier:
        """The access tier with that id.  Raises `FrameworkError` naming those there are."""
        for each in self.access_tiers:
            if each.id == tier:
                return each
        raise FrameworkError(f"no access tier `{tier}`; there are {', '.join(each.id for each in self.access_tiers)}")

    def suites(self) -> tuple[str, ...]:
        """Every evaluation suite that a threshold or a scenario names, each once."""
        named = [each.suite for risk in self.risks for tier in risk.tiers for each in tier.reached_when]
        named += [each.suite for mitigation in self.mitigations for each in mitigation.holds_when]
        named += [suite for risk in self.risks for scenario in risk.scenarios for suite in scenario.suites]
        return tuple(dict.fromkeys(named))


def framework_digest(framework: Framework) -> str:
    """The digest that is committed to the log before a run: of the meaning, not of spelling and comments."""
    return sha256_of(msgspec.json.encode(framework, order="deterministic"))


@cache
def shipped_framework() -> Framework:
    """The default for a model with cyber capabilities."""
    name = "framework.yaml"
    return load_framework(name, (files("glasshouse.assess") / "data" / name).read_bytes())


def load_framework(name: str, text: bytes) -> Framework:
    """A framework from YAML.  Raises `FrameworkError` for a missing margin or risk, or a name that is not there."""
    framework = decode(name, text, Framework, FrameworkError)
    problems = [*_margins(framework), *_risks(framework), *_access(framework)]
    if problems:
        raise FrameworkError("; ".join(problems), where=name)
    return framework


def _thresholds(framework: Framework) -> list[tuple[str, Threshold]]:
    found = [
        (f"risk {risk.id}, tier {t.id}", each)
        for risk in framework.risks
        for t in risk.tiers
        for each in t.reached_when
    ]
    return found + [(f"mitigation {m.id}", each) for m in framework.mitigations for each in m.holds_when]


def _margins(framework: Framework) -> list[str]:
    problems = [
        f"{place}: the threshold on {each.suite}/{each.metric} needs a margin above 0"
        for place, each in _thresholds(framework)
        if not each.margin > 0
    ]
    return problems + [
        f"mitigation {each.id}: no threshold, so nothing could show that it holds"
        for each in framework.mitigations
        if not each.holds_when
    ]


def _risks(framework: Framework) -> list[str]:
    problems = [
        f"the specified risk `{risk}` is missing" for risk in SPECIFIED_RISKS if risk not in _ids(framework.risks)
    ]
    for risk in framework.risks:
        if not risk.scenarios:
            problems.append(f"risk {risk.id}: no scenario")
        if len(risk.tiers) < 2 or risk.tiers[0].reached_when:
            problems.append(f"risk {risk.id}: give a lowest tier without thresholds and at least one above it")
        problems += [f"risk {risk.id}, tier {t.id}: no threshold" for t in risk.tiers[1:] if not t.reached_when]
    return problems


def _access(framework: Framework) -> list[str]:
    problems = []
    mitigations = _ids(framework.mitigations)
    for tier in framework.access_tiers:
        for risk in framework.risks:
            accepted = tier.acceptable.get(risk.id)
            if accepted is None:
                problems.append(f"access tier {tier.id}: no acceptable tier for risk {risk.id}")
            elif accepted not in _ids(risk.tiers):
                problems.append(f"access tier {tier.id}: risk {risk.id} has no tier `{accepted}`")
        problems += [
            f"access tier {tier.id}: no risk `{each}`" for each in tier.acceptable if each not in _ids(framework.risks)
        ]
        problems += [
            f"access tier {tier.id}: no mitigation `{each}`" for each in tier.mitigations if each not in mitigations
        ]
    return problems


def _ids(rows: tuple[Risk, ...] | tuple[CapabilityTier, ...] | tuple[Mitigation, ...]) -> set[str]:
    return {each.id for each in rows}
