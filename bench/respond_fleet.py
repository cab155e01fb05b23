"""A fleet made of recordings: many attacks at once on few hosts, slow, with the users of each host renamed.

Recordings keep their own process and session identifiers (which are unique per host in life too); their hosts become
hosts of the fleet, everyone who logs on interactively to one becomes the same user, they start within some hours, and
the time inside each is stretched.
"""

from __future__ import annotations

import random
import re

import msgspec

from glasshouse.respond.group.rarity import ties
from glasshouse.words.incident import Detection, Entity

HOSTS, SPAN_S, STRETCH, RECORDINGS = 6, 4 * 3600.0, 10.0, 60
SEEDS = range(5)
Fleet = tuple[list[Detection], list[int]]
"""Detections in order of time, and the number of the recording that each comes from."""


def fleet(found: dict[str, list[Detection]], seed: int) -> Fleet:
    """One fleet from recordings (by id) whose detections all have times."""
    generator = random.Random(seed)
    ids = sorted(found)
    rows: list[tuple[float, int, Detection]] = []
    for number, each in enumerate(generator.sample(ids, min(RECORDINGS, len(ids)))):
        begin, start = min(d.time or 0.0 for d in found[each]), generator.uniform(0, SPAN_S)
        base = generator.randrange(HOSTS)
        hosts: dict[str, str] = {}
        for detection in found[each]:
            hosts.setdefault(detection.host, f"host{(base + len(hosts)) % HOSTS}")
        names = _names(found[each], hosts)
        for detection in found[each]:
            time = start + ((detection.time or 0.0) - begin) * STRETCH
            rows.append((time, number, _moved(detection, hosts, time, names)))
    rows.sort(key=lambda row: row[0])
    return [row[2] for row in rows], [row[1] for row in rows]


def _names(found: list[Detection], hosts: dict[str, str]) -> re.Pattern[str] | None:
    """The names of hosts and people in a recording, which would tell its laboratory apart from others."""
    people = {e.name for each in found for e in each.entities if e.kind == "user" and ties(e)}
    names = sorted({each for each in (*hosts, *people) if len(each) > 2}, key=lambda each: (-len(each), each))
    return re.compile("|".join(map(re.escape, names)), re.IGNORECASE) if names else None


def _moved(detection: Detection, hosts: dict[str, str], time: float, names: re.Pattern[str] | None) -> Detection:
    host = hosts[detection.host]
    entities = tuple(dict.fromkeys(_renamed(each, hosts, host) for each in detection.entities))
    evidence = detection.evidence
    if names is not None:
        evidence = tuple((field, names.sub("someone", value)) for field, value in evidence)
    return msgspec.structs.replace(detection, host=host, time=time, entities=entities, evidence=evidence)


def _renamed(entity: Entity, hosts: dict[str, str], host: str) -> Entity:
    scope = hosts.get(entity.scope, entity.scope)
    if entity.kind == "host":
        return Entity("host", hosts.get(entity.name, entity.name), "", entity.role)
    if entity.kind == "user" and ties(entity):
        return Entity("user", f"user-{host}", scope, entity.role)
    return Entity(entity.kind, entity.name, scope, entity.role)
