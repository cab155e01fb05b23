"""What is vulnerable, with the chance of each flaw: matched advisories, and a forecast of their CVEs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from glasshouse.forecast.exposure.model import Vulnerability
from glasshouse.inventory.advisory import Advisory
from glasshouse.inventory.component import Component, LeftOut
from glasshouse.inventory.match import Matched

MAX_FIXED = 5


class Matches(NamedTuple):
    """Vulnerabilities by component, and what could not be told."""

    found: dict[Component, list[Vulnerability]]
    unknown: list[LeftOut]


def weighed(matched: Matched, chances: Mapping[str, float], listed: frozenset[str], base_rate: float) -> Matches:
    """``chances`` are forecasts by CVE, ``listed`` CVEs known as exploited, ``base_rate`` the chance of any other."""
    found = {
        component: _distinct([_vulnerability(component, each, chances, listed, base_rate) for each in advisories])
        for component, advisories in matched.found.items()
    }
    return Matches(found, matched.left_out())


def _vulnerability(
    component: Component, advisory: Advisory, chances: Mapping[str, float], listed: frozenset[str], base_rate: float
) -> Vulnerability:
    cves = tuple(dict.fromkeys(advisory.cves))
    known = [chances[name] for name in cves if name in chances]
    is_listed = any(name in listed for name in cves)
    chance = 1.0 if is_listed or advisory.malicious else max(known, default=base_rate)
    fixed = tuple(dict.fromkeys(each.fixed for each in advisory.intervals if each.fixed))[-MAX_FIXED:]
    return Vulnerability(
        component=component,
        advisory=advisory.id,
        cves=cves,
        chance=chance,
        assumed=not known and not is_listed and not advisory.malicious,
        listed=is_listed,
        fixed=fixed,
        summary=advisory.summary,
    )


def _distinct(found: list[Vulnerability]) -> list[Vulnerability]:
    """One entry for a CVE that several databases describe, most likely first."""
    kept: dict[tuple[str, ...], Vulnerability] = {}
    for each in sorted(found, key=lambda each: (-each.chance, each.advisory)):
        kept.setdefault(each.cves or (each.advisory,), each)
    return list(kept.values())
