"""What exploitation would hit: exact expectations, a simulation for the tail, concentration, and the order of patching.

A *cause* is one vulnerability (a CVE, however many components carry it).  Causes happen independently; a service is
hit when any cause that it contains happens, so services that share a component, or a CVE, are hit together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import exp, log1p
from typing import NamedTuple

import numpy as np

from glasshouse.forecast.exposure.model import (
    Concentration,
    Concentrations,
    Exposed,
    PatchStep,
    Service,
    Spread,
    Vulnerability,
    WhatIf,
)
from glasshouse.inventory.component import Component

DRAWS = 2_000
SEED = 20_240_101
NEARLY_ONE = 1.0 - 1e-9
MAX_STEPS = 10
MAX_LARGEST = 10
CHUNK_CELLS = 40_000_000
SINGLE_POINT_SHARE = 0.5

Cause = tuple[str, ...]
Found = Mapping[Component, Sequence[Vulnerability]]


class Web(NamedTuple):
    """Which causes reach which service, and through which components."""

    services: tuple[Service, ...]
    hazard: dict[Cause, float]
    """Minus the logarithm of the chance that the cause does not happen."""
    carriers: list[dict[Cause, set[Component]]]
    """For each service: the vulnerable components that bring a cause."""
    causes: dict[Component, tuple[Cause, ...]]

    def loss(self) -> float:
        """The expected loss: criticality times the chance of being hit, summed."""
        return sum(self.loss_of(number) for number in range(len(self.services)))

    def loss_of(self, number: int) -> float:
        """One service's part of it."""
        return self.services[number].criticality * self.chance(number)

    def chance(self, number: int) -> float:
        """The chance that a service is hit."""
        return 1.0 - exp(-sum(self.hazard[cause] for cause in self.carriers[number]))


def weave(services: Sequence[Service], found: Found) -> Web:
    """The web of services, components and causes."""
    causes = {component: tuple(each.cves or (each.advisory,) for each in list_) for component, list_ in found.items()}
    hazard: dict[Cause, float] = {}
    for list_ in found.values():
        for each in list_:
            cause = each.cves or (each.advisory,)
            hazard[cause] = max(hazard.get(cause, 0.0), -log1p(-min(each.chance, NEARLY_ONE)))
    carriers: list[dict[Cause, set[Component]]] = []
    for service in services:
        brought: dict[Cause, set[Component]] = defaultdict(set)
        for component in set(service.components):
            for cause in causes.get(component, ()):
                brought[cause].add(component)
        carriers.append(dict(brought))
    return Web(tuple(services), hazard, carriers, causes)


def without(web: Web, component: Component) -> Web:
    """The web after a component was patched."""
    carriers = [
        {cause: left for cause, each in brought.items() if (left := each - {component})}
        if component in service.components
        else brought
        for service, brought in zip(web.services, web.carriers, strict=True)
    ]
    causes = {each: list_ for each, list_ in web.causes.items() if each != component}
    return Web(web.services, web.hazard, carriers, causes)


Effect = dict[Component, tuple[float, float]]


def effects(web: Web) -> Effect:
    """For each component: the expected loss that patching it alone removes, and the weighted hazard that goes with it.

    The second number orders components where the first is nought: another cause hits the service anyway, or another
    component carries the same cause, of which each then has its part.
    """
    return _summed([effect_in(web, number) for number in range(len(web.services))], web)


def effect_in(web: Web, number: int) -> Effect:
    """The same for one service."""
    weight, brought = web.services[number].criticality, web.carriers[number]
    total = sum(web.hazard[cause] for cause in brought)
    alone: dict[Component, float] = defaultdict(float)
    shared: dict[Component, float] = defaultdict(float)
    for cause, components in brought.items():
        part = web.hazard[cause] / len(components)
        for component in components:
            shared[component] += part
            if len(components) == 1:
                alone[component] += part
    return {
        component: (weight * (exp(alone.get(component, 0.0) - total) - exp(-total)), weight * part)
        for component, part in shared.items()
    }


def _summed(parts: Iterable[Effect], web: Web) -> Effect:
    loss = dict.fromkeys(web.causes, 0.0)
    hazard = dict.fromkeys(web.causes, 0.0)
    for part in parts:
        for component, (first, second) in part.items():
            loss[component] += first
            hazard[component] += second
    return {component: (loss[component], hazard[component]) for component in web.causes}


def exposed(web: Web, found: Found, expected_loss: float) -> tuple[Exposed, ...]:
    """Vulnerable components, the one whose patch removes most first."""
    effect = effects(web)
    reach: Counter[Component] = Counter()
    critical: Counter[Component] = Counter()
    for service in web.services:
        for component in set(service.components):
            if component in found:
                reach[component] += 1
                critical[component] += service.critical
    rows = [
        Exposed(
            component=component,
            chance=1.0 - exp(-sum(web.hazard[cause] for cause in set(web.causes[component]))),
            reach=reach[component],
            critical_reach=critical[component],
            removed=effect[component][0] / expected_loss if expected_loss else 0.0,
            vulnerabilities=tuple(list_),
            fixed=_fixes(list_),
        )
        for component, list_ in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.removed, -effect[row.component][1], str(row.component))))


def _fixes(found: Iterable[Vulnerability]) -> tuple[str, ...]:
    """For each vulnerability its newest fix; together they patch the component."""
    return tuple(dict.fromkeys(each.fixed[-1] for each in found if each.fixed))[:5]


def plan(web: Web, expected_loss: float, rows: Sequence[Exposed]) -> tuple[PatchStep, ...]:
    """Which components to patch first, each chosen for what it removes after those before it."""
    fixes = {row.component: row.fixed for row in rows}
    parts = [effect_in(web, number) for number in range(len(web.services))]
    losses = [web.loss_of(number) for number in range(len(web.services))]
    steps: list[PatchStep] = []
    while len(steps) < MAX_STEPS and web.causes and expected_loss > 0:
        effect = _summed(parts, web)
        best = max(effect, key=lambda component: (*effect[component], str(component)))
        if effect[best] == (0.0, 0.0):
            break
        web = without(web, best)
        for number, service in enumerate(web.services):
            if best in service.components:  # only these have changed
                parts[number], losses[number] = effect_in(web, number), web.loss_of(number)
        steps.append(PatchStep(best, fixes.get(best, ()), sum(losses) / expected_loss))
    return tuple(steps)


def simulate(web: Web, draws: int = DRAWS, seed: int = SEED) -> tuple[Spread, Spread]:
    """Loss and number of services hit, over draws in which each cause happens or not, for all services at once."""
    names = list(web.hazard)
    position = {cause: number for number, cause in enumerate(names)}
    chance = 1.0 - np.exp(-np.array([web.hazard[cause] for cause in names]))
    reached = [np.array([position[cause] for cause in brought], dtype=np.int64) for brought in web.carriers]
    generator = np.random.default_rng(seed)
    loss, hit = np.zeros(draws), np.zeros(draws)
    size = max(1, min(draws, CHUNK_CELLS // max(len(names), 1)))
    for start in range(0, draws, size):
        span = slice(start, min(start + size, draws))
        happens = generator.random((len(names), span.stop - start)) < chance[:, None]
        for service, causes in zip(web.services, reached, strict=True):
            if len(causes):
                struck = happens[causes].any(axis=0)
                hit[span] += struck
                loss[span] += service.criticality * struck
    return _spread(loss), _spread(hit)


def _spread(values: np.typing.NDArray[np.float64]) -> Spread:
    low, high, tail = (float(value) for value in np.quantile(values, (0.05, 0.95, 0.95)))
    return Spread(float(values.mean()), low, high, float(values[values >= tail].mean()))


def concentrations(services: Sequence[Service]) -> tuple[Concentrations, ...]:
    """Dependence on components (of any version), on who supplies them, and on the services' own suppliers."""
    by_component: dict[str, list[Service]] = defaultdict(list)
    by_vendor: dict[str, list[Service]] = defaultdict(list)
    by_supplier: dict[str, list[Service]] = defaultdict(list)
    for service in services:
        for name in {each.name for each in service.components}:
            by_component[name].append(service)
        for name in {vendor(each) for each in service.components} - {""}:
            by_vendor[name].append(service)
        if service.supplier:
            by_supplier[service.supplier].append(service)
    total = sum(service.criticality for service in services)
    named = (("component", by_component), ("vendor", by_vendor), ("supplier", by_supplier))
    return tuple(_concentration(dimension, groups, total) for dimension, groups in named if groups)


def vendor(component: Component) -> str:
    """Who stands behind a component: its supplier, else the namespace of its name."""
    if component.supplier:
        return component.supplier
    separator = ":" if component.ecosystem == "Maven" else "/"
    return component.name.rpartition(separator)[0]


def _concentration(dimension: str, groups: dict[str, list[Service]], total: float) -> Concentrations:
    weight = {name: sum(service.criticality for service in each) for name, each in groups.items()}
    whole = sum(weight.values())
    herfindahl = sum((value / whole) ** 2 for value in weight.values()) if whole else 0.0
    order = sorted(groups, key=lambda name: (-weight[name], name))[:MAX_LARGEST]
    largest = tuple(
        Concentration(
            name,
            len(groups[name]),
            sum(service.critical for service in groups[name]),
            weight[name] / total if total else 0.0,
        )
        for name in order
    )
    return Concentrations(dimension, herfindahl, largest)


def single_points(services: Sequence[Service]) -> tuple[Concentration, ...]:
    """Suppliers and vulnerable-or-not components on which at least half of two or more critical services depend."""
    critical = [service for service in services if service.critical]
    if len(critical) < 2:
        return ()
    found = []
    for each in concentrations(critical):
        for row in each.largest:
            if row.critical_services >= 2 and row.critical_services >= SINGLE_POINT_SHARE * len(critical):
                found.append(
                    Concentration(f"{each.dimension} {row.name}", row.services, row.critical_services, row.share)
                )
    return tuple(found)


def what_if(services: Sequence[Service], names: Iterable[str]) -> tuple[WhatIf, ...]:
    """A new flaw in each named component (any version, name with or without ``@version``), exploited for certain."""
    total = sum(service.criticality for service in services)
    found = []
    for name in names:
        base, _, version = name.rpartition("@") if "@" in name[1:] else (name, "", "")
        hit = [
            service
            for service in services
            if any(each.name == base and version in ("", each.version) for each in service.components)
        ]
        weight = sum(service.criticality for service in hit)
        critical = tuple(service.name for service in hit if service.critical)
        found.append(WhatIf(name, tuple(service.name for service in hit), critical, weight / total if total else 0.0))
    return tuple(found)
