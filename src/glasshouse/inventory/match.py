"""Components against advisories: packages are looked up in batches, and versions parsed only where one is in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from glasshouse.inventory.advisory import Advisory
from glasshouse.inventory.component import Component, LeftOut
from glasshouse.inventory.versions import supported, verdicts

LookUp = Callable[[str, Sequence[str]], Iterable[Advisory]]
"""Advisories about packages of an ecosystem, by their normalised names."""
BATCH = 500


class Matched(NamedTuple):
    """Advisories by the component that they are about, and what could not be told."""

    found: dict[Component, list[Advisory]]
    unknown: dict[Component, list[str]]

    def left_out(self) -> list[LeftOut]:
        """What could not be told, one a component and reason."""
        return [LeftOut(str(component), why) for component, reasons in self.unknown.items() for why in reasons]


def match(components: Iterable[Component], look_up: LookUp, covered: frozenset[str]) -> Matched:
    """What is vulnerable.  ``covered`` are the ecosystems about which there are any advisories."""
    unknown: defaultdict[Component, list[str]] = defaultdict(list)
    wanted: defaultdict[str, defaultdict[str, list[Component]]] = defaultdict(lambda: defaultdict(list))
    for component in dict.fromkeys(components):
        if reason := _cannot(component, covered):
            unknown[component].append(reason)
        else:
            ecosystem, name = component.key
            # A release's own advisories, else those of the family; plain `Debian` tells no release.
            wanted[ecosystem if ecosystem in covered else ecosystem.partition(":")[0]][name].append(component)
    found: defaultdict[Component, list[Advisory]] = defaultdict(list)
    for ecosystem, packages in wanted.items():
        names = sorted(packages)
        asked = {name: [component.version for component in held] for name, held in packages.items()}
        for start in range(0, len(names), BATCH):
            for advisory in look_up(ecosystem, names[start : start + BATCH]):
                held = packages[advisory.package]
                for component, answer in zip(held, verdicts(asked[advisory.package], advisory), strict=True):
                    if answer == "affected":
                        found[component].append(advisory)
                    elif answer == "unknown":
                        unknown[component].append(f"{advisory.id}: version cannot be compared")
    return Matched(dict(found), dict(unknown))


def _cannot(component: Component, covered: frozenset[str]) -> str:
    """Why a component cannot be judged; empty when it can."""
    family = component.ecosystem.partition(":")[0]
    if not component.ecosystem or component.ecosystem.startswith("purl:"):
        return "unknown ecosystem" + (f" `{component.ecosystem[5:]}`" if component.ecosystem else "")
    if not supported(component.ecosystem):
        return f"versions of {component.ecosystem} cannot be compared"
    if component.ecosystem not in covered and family not in covered:
        return f"no advisories about {component.ecosystem} were imported"
    return "" if component.version else "no version"
