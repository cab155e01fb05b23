"""Components against advisories: one look-up by package, and versions parsed only for packages that are in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from glasshouse.forecast.exposure.model import Vulnerability
from glasshouse.inventory.advisory import Advisory
from glasshouse.inventory.component import Component, LeftOut
from glasshouse.inventory.versions import supported, verdict

LookUp = Callable[[str, str], list[Advisory]]
MAX_FIXED = 5


class Matches(NamedTuple):
    """Vulnerabilities by component, and what could not be told."""

    found: dict[Component, list[Vulnerability]]
    unknown: list[LeftOut]


def match(
    components: Iterable[Component],
    look_up: LookUp,
    covered: frozenset[str],
    chances: Mapping[str, float],
    listed: frozenset[str],
    base_rate: float,
) -> Matches:
    """What is vulnerable.

    ``look_up`` gives the advisories about an ecosystem's package, ``covered`` the ecosystems about which there are any,
    ``chances`` forecasts by CVE, ``listed`` CVEs known as exploited, ``base_rate`` the chance of a CVE without a
    forecast.
    """
    found: dict[Component, list[Vulnerability]] = {}
    unknown: list[LeftOut] = []
    for component in components:
        if reason := _cannot(component, covered):
            unknown.append(LeftOut(str(component), reason))
            continue
        for advisory in _advisories(component, look_up, covered):
            answer = verdict(component.version, advisory)
            if answer == "unknown":
                unknown.append(LeftOut(str(component), f"{advisory.id}: version cannot be compared"))
            elif answer == "affected":
                found.setdefault(component, []).append(_vulnerability(component, advisory, chances, listed, base_rate))
    return Matches({component: _distinct(each) for component, each in found.items()}, unknown)


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


def _advisories(component: Component, look_up: LookUp, covered: frozenset[str]) -> Iterable[Advisory]:
    """Those of the exact ecosystem; a release's own advisories, else those of the family.

    An inventory that does not tell its release (plain ``Debian``) cannot be held against advisories per release.
    """
    ecosystem, name = component.key
    if ecosystem not in covered:
        ecosystem = ecosystem.partition(":")[0]
    return look_up(ecosystem, name)


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
