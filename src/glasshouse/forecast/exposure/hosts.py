"""What runs on which host, and which vulnerabilities it has: a table of services turned round, for incidents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from glasshouse.forecast.exposure.model import Service
from glasshouse.forecast.store import FactStore
from glasshouse.inventory.component import Component
from glasshouse.inventory.match import match
from glasshouse.words.incident import Stake


def stakes_by_host(services: Iterable[Service], cves: Mapping[Component, Sequence[str]]) -> dict[str, list[Stake]]:
    """The services of each host.  A service for which no host is named runs on the host that has its name."""
    found: defaultdict[str, list[Stake]] = defaultdict(list)
    for service in services:
        had = tuple(sorted({cve for component in service.components for cve in cves.get(component, ())}))
        for host in service.hosts or (service.name,):
            found[host].append(Stake(host, service.name, service.owner, service.criticality, service.critical, had))
    return dict(found)


def cves_of(services: Iterable[Service], store: FactStore) -> dict[Component, list[str]]:
    """The CVE ids of the advisories about each component in use, by what was imported."""
    components = sorted({component for service in services for component in service.components})
    matched = match(components, store.advisories_about, store.ecosystems())
    return {component: [cve for each in found for cve in each.cves] for component, found in matched.found.items()}
