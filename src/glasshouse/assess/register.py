"""The risk register: every systemic risk with its scenarios, estimate, evidence and mitigations; gaps are shown.

It is computed from the framework, the runs and the attested estimates; it cannot be closed while one of the specified
risks has no evaluation (GPAI Code of Practice, Measures 2.1, 2.2, 3.4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from glasshouse.assess.framework import SPECIFIED_RISKS, Framework, Risk
from glasshouse.assess.gate import reached
from glasshouse.assess.runs import Run, latest
from glasshouse.words.errors import RegisterError


class Estimate(msgspec.Struct, frozen=True):
    """A judgement of probability per year and severity (1 to 5) as ranges, by a named author, under a log entry."""

    risk: str
    probability: tuple[float, float]
    severity: tuple[int, int]
    author: str
    role: str
    at: dt.datetime
    basis: str
    entry: int = -1


class ScenarioRow(msgspec.Struct, frozen=True):
    """A scenario with the runs that tested it and the guard rules' live counts; empty means a gap."""

    id: str
    text: str
    runs: tuple[int, ...]
    guard_counts: dict[str, int]
    gaps: tuple[str, ...]


class RiskRow(msgspec.Struct, frozen=True):
    """A risk as it stands.  Earlier estimates are kept to show how they held up."""

    id: str
    title: str
    scenarios: tuple[ScenarioRow, ...]
    tier_reached: str
    estimates: tuple[Estimate, ...]
    gaps: tuple[str, ...]

    @property
    def guards(self) -> str:
        """Every guard rule of its scenarios with how often it held something up, in words."""
        counts = {rule: count for scenario in self.scenarios for rule, count in scenario.guard_counts.items()}
        return ", ".join(f"{rule} {count:,}" for rule, count in sorted(counts.items()))


class Register(msgspec.Struct, frozen=True):
    """All risks of a framework for one model.  ``obstacles`` is what keeps it from being closed."""

    model_digest: str
    rows: tuple[RiskRow, ...]
    obstacles: tuple[str, ...]


def register(
    framework: Framework,
    digest: str,
    runs: Sequence[Run],
    estimates: Sequence[Estimate],
    guard_counts: Mapping[str, int],
) -> Register:
    """The register of one model, from what is recorded."""
    rows = tuple(_row(risk, digest, runs, estimates, guard_counts) for risk in framework.risks)
    obstacles = [
        f"the specified risk `{row.id}` has no evaluation"
        for row in rows
        if row.id in SPECIFIED_RISKS and not any(scenario.runs for scenario in row.scenarios)
    ]
    obstacles += [f"`{row.id}` has no estimate" for row in rows if not row.estimates]
    return Register(digest, rows, tuple(obstacles))


def close(register: Register) -> None:
    """Nothing when the register may be closed; raises `RegisterError` with every obstacle otherwise."""
    if register.obstacles:
        raise RegisterError("the register cannot be closed: " + "; ".join(register.obstacles))


def _row(
    risk: Risk, digest: str, runs: Sequence[Run], estimates: Sequence[Estimate], counts: Mapping[str, int]
) -> RiskRow:
    mine = tuple(sorted((each for each in estimates if each.risk == risk.id), key=lambda each: each.at))
    scenarios = []
    for scenario in risk.scenarios:
        found = [latest(runs, suite, digest) for suite in scenario.suites]
        gaps = [f"suite {suite} has not run" for suite, run in zip(scenario.suites, found, strict=True) if run is None]
        gaps += [] if scenario.suites else ["no evaluation tests this scenario"]
        gaps += [] if scenario.guard_rules else ["no guard rule covers this scenario"]
        live = {rule: counts.get(rule, 0) for rule in scenario.guard_rules}
        scenarios.append(ScenarioRow(scenario.id, scenario.text, tuple(r.entry for r in found if r), live, tuple(gaps)))
    gaps = [gap for scenario in scenarios for gap in scenario.gaps] + ([] if mine else ["no estimate"])
    return RiskRow(risk.id, risk.title, tuple(scenarios), _tier(risk, runs, digest), mine, tuple(gaps))


def _tier(risk: Risk, runs: Sequence[Run], digest: str) -> str:
    """The highest tier that is reached or cannot be excluded, with that said."""
    for tier in reversed(risk.tiers[1:]):
        position, _, _ = reached(tier, runs, digest)
        if position != "clear":
            return tier.id if position == "within" else f"{tier.id} (not excluded: not measured)"
    return risk.tiers[0].id
