"""Services that run on the hosts of an incident, and the order of incidents that follows.

Hosts are compared as incidents name them: in lower case, without the domain.  A name that an attacker made up can at
most raise an incident among those of its severity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from glasshouse.respond.engine.entities import short_host
from glasshouse.respond.threat import order
from glasshouse.words.incident import Incident, Stake

MAX_STAKES = 10


def with_stakes(incidents: Iterable[Incident], by_host: Mapping[str, Sequence[Stake]]) -> tuple[Incident, ...]:
    """The incidents with what runs on their hosts, gravest first.

    Within a severity those go first of which a rule names a vulnerability that a service on the host has, then those
    that ``threat.order`` puts first for the forecast, then those on hosts of critical services.
    """
    named: defaultdict[str, list[Stake]] = defaultdict(list)
    for host, stakes in by_host.items():
        named[short_host(host)] += stakes
    made = (msgspec.structs.replace(each, stakes=_stakes(each, named)) for each in incidents)
    return tuple(sorted(made, key=order))


def _stakes(incident: Incident, named: Mapping[str, Sequence[Stake]]) -> tuple[Stake, ...]:
    asked = {threat.cve for threat in incident.threats if threat.rules}
    found = [
        msgspec.structs.replace(stake, host=host, cves=tuple(cve for cve in stake.cves if cve in asked))
        for host in incident.hosts
        for stake in named.get(short_host(host), ())
    ]
    found.sort(key=lambda each: (not each.cves, not each.critical, -each.criticality, each.host, each.service))
    return tuple(found[:MAX_STAKES])


def told(stake: Stake) -> str:
    """What is known of a service, in one line."""
    about = [f"weight {stake.criticality:g}", *([f"owner {stake.owner}"] if stake.owner else [])]
    kind = "the critical service" if stake.critical else "the service"
    has = f", which has {', '.join(stake.cves)}" if stake.cves else ""
    return f"{stake.host} runs {kind} {stake.service} ({', '.join(about)}){has}"
