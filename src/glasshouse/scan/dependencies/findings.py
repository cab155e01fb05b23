"""From matched advisories to findings: severity, what fixes it, how likely it is to be exploited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from glasshouse.inventory.advisory import Advisory
from glasshouse.inventory.component import Component, Entry, Inventory, to_purl
from glasshouse.inventory.versions import fixes
from glasshouse.scan.baseline import finding_fingerprint
from glasshouse.scan.discover.walk import report_path
from glasshouse.words.dependency import PublishedFlaw
from glasshouse.words.finding import Finding, Fix, Severity
from glasshouse.words.location import Location

VULNERABLE, MALICIOUS = "dependency-vulnerable", "dependency-malicious"
DEPENDENCY_CWE, MALICIOUS_CWE = 1395, 506
MAX_ALIASES = 20
MAX_INSTALLED = 8
_RATINGS: dict[str, Severity] = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "moderate": "medium",
    "medium": "medium",
    "low": "low",
    "negligible": "low",
    "unimportant": "low",
}
_LIMITS: tuple[tuple[float, Severity], ...] = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))


class Held(NamedTuple):
    """A component in one file, its entries there taken together."""

    component: Component
    path: str
    line: int
    direct: bool | None
    purl: str
    installed_as: tuple[str, ...]
    pin: tuple[int, int] | None


class Chances(NamedTuple):
    """Chances of being listed as exploited, by CVE, and CVEs that are listed."""

    by_cve: Mapping[str, float]
    listed: frozenset[str]


def held(inventory: Inventory) -> list[Held]:
    """The components of a file, each once, in the order of the file."""
    groups: dict[Component, list[Entry]] = {}
    for entry in inventory.entries:
        groups.setdefault(entry.component, []).append(entry)
    return [_held(component, entries, report_path(inventory.name)) for component, entries in groups.items()]


def _held(component: Component, entries: Sequence[Entry], path: str) -> Held:
    directs = {entry.direct for entry in entries}
    built = tuple(dict.fromkeys(entry.installed_as for entry in entries if entry.installed_as))
    return Held(
        component=component,
        path=path,
        line=min((entry.line for entry in entries if entry.line), default=0),
        direct=True if True in directs else False if False in directs else None,
        purl=next((entry.purl for entry in entries if entry.purl), ""),
        installed_as=built,
        pin=next((entry.pin for entry in entries if entry.pin), None) if len(entries) == 1 else None,
    )


def findings(
    rows: Iterable[Held], matched: Mapping[Component, Sequence[Advisory]], chances: Chances
) -> Iterator[Finding]:
    """One finding for a component of a file and a flaw, whichever databases describe it."""
    for row in rows:
        for group in _same_flaw(matched.get(row.component, ())):
            yield _finding(row, group, chances)


def _same_flaw(advisories: Sequence[Advisory]) -> Iterator[list[Advisory]]:
    """Advisories that share an id, the one that says most about severity first."""
    owner: dict[str, list[Advisory]] = {}
    groups: list[list[Advisory]] = []
    for each in sorted(advisories, key=lambda each: (not each.malicious, -each.score, not each.rating, each.id)):
        names = [name for name in (each.id, *each.aliases) if name]
        group = next((owner[name] for name in names if name in owner), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(each)
        for name in names:
            owner.setdefault(name, group)
    return iter(groups)


def _finding(row: Held, group: Sequence[Advisory], chances: Chances) -> Finding:
    main, component = group[0], row.component
    names = dict.fromkeys(name for each in group for name in (each.id, *each.aliases) if name != main.id)
    aliases = tuple(names)[:MAX_ALIASES]
    cves = {name for name in (main.id, *aliases) if name.startswith("CVE-")}
    listed = not cves.isdisjoint(chances.listed)
    known = [chances.by_cve[name] for name in cves if name in chances.by_cve]
    flaw = PublishedFlaw(
        advisory=main.id,
        aliases=aliases,
        purl=row.purl or to_purl(component, row.installed_as[0] if len(row.installed_as) == 1 else ""),
        name=component.name,
        version=component.version,
        fixed=next((found for each in group if (found := fixes(component.version, each))), ()),
        direct=row.direct,
        score=main.score,
        chance=1.0 if listed or main.malicious else max(known, default=None),
        exploited=listed,
        reference=next((each.reference for each in group if each.reference), ""),
    )
    rule = MALICIOUS if main.malicious else VULNERABLE
    weaknesses = (number for each in group for number in each.weaknesses)
    return Finding(
        rule_id=rule,
        message=_message(flaw, next((each.summary for each in group if each.summary), ""), malicious=main.malicious),
        location=Location(row.path, max(row.line, 1)),
        severity=severity(main),
        confidence="high",
        cwe=tuple(dict.fromkeys((MALICIOUS_CWE if main.malicious else DEPENDENCY_CWE, *weaknesses)))[:10],
        snippet=f"{component.name} {component.version}",
        reasons=tuple(_reasons(row, main, flaw)),
        fix=_fix(row, flaw) if rule == VULNERABLE else None,
        fingerprint=finding_fingerprint(rule, row.path, f"{component.ecosystem} {component.name}", main.id, 0),
        flaw=flaw,
    )


def _fix(row: Held, flaw: PublishedFlaw) -> Fix | None:
    """Another version in the place of the pinned one, where the file is one that people edit."""
    if row.pin is None or not flaw.fixed or "!/" in row.path:
        return None
    start, end = row.pin
    place = Location(row.path, row.line, start, row.line, end)
    return Fix(f"{flaw.name} {flaw.version} -> {flaw.fixed[0]}, or later", place, flaw.fixed[0])


def severity(advisory: Advisory) -> Severity:
    """From the CVSS base score; without one from the database's own word; without that, medium."""
    if advisory.malicious:
        return "critical"
    for least, name in _LIMITS:
        if advisory.score >= least:
            return name
    return _RATINGS.get(advisory.rating, "medium")


def _message(flaw: PublishedFlaw, summary: str, *, malicious: bool) -> str:
    cves = [name for name in flaw.aliases if name.startswith("CVE-")]
    names = ", ".join(dict.fromkeys([flaw.advisory, *cves[:3]]))
    about = f": {summary.rstrip('.')}" if summary else ""
    if malicious:
        return f"{flaw.name} {flaw.version} is a malicious package ({names}){about}; remove it"
    fix = f"fixed in {flaw.fixed[0]}" if flaw.fixed else "no fixed version is known"
    return f"{flaw.name} {flaw.version} has a published flaw ({names}){about}; {fix}"


def _reasons(row: Held, advisory: Advisory, flaw: PublishedFlaw) -> Iterator[str]:
    if flaw.exploited:
        yield "it is listed as known to be exploited"
    elif flaw.chance is not None and not advisory.malicious:
        yield f"chance of being listed as exploited within 90 days: {100 * flaw.chance:.2g} %"
    if advisory.vector:
        yield f"CVSS {advisory.score:.1f}: {advisory.vector}"
    elif advisory.rating:
        yield f"the database rates it {advisory.rating}"
    elif not advisory.malicious:
        yield "the advisory gives no severity: medium is assumed"
    if row.direct is not None:
        yield "a direct dependency" if row.direct else "a dependency of a dependency"
    if row.installed_as and row.installed_as != (row.component.name,):
        more = ", ..." if len(row.installed_as) > MAX_INSTALLED else ""
        yield f"installed as {', '.join(row.installed_as[:MAX_INSTALLED])}{more}"
    if flaw.aliases:
        yield f"also known as {', '.join(flaw.aliases)}"
