"""Groups of detections as incidents: severity, techniques, title, entities, an identity that stays the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import msgspec

from glasshouse.respond.group.attack import TACTIC_RANK
from glasshouse.respond.group.link import grouped
from glasshouse.respond.group.near import Nearby
from glasshouse.respond.group.rarity import Rarity, bursts
from glasshouse.respond.group.techniques import Seen, named
from glasshouse.words.incident import LEVEL_RANK, LEVELS, Detection, Entity, Incident, Level, Link, Sighting

POINTS: dict[str, float] = {"informational": 0.0, "low": 1.0, "medium": 4.0, "high": 10.0, "critical": 20.0}
MAX_ENTITIES = 200


class Thresholds(msgspec.Struct, frozen=True):
    """Scores from which an incident has a severity; calibrated on presumed-benign logs (bench/respond.py)."""

    medium: float = 4.0
    high: float = 10.0
    critical: float = 24.0
    low: float = 0.9


class Incidents(msgspec.Struct, frozen=True):
    """The incidents, the gravest first, and the detections that are too slight to be one."""

    incidents: tuple[Incident, ...]
    loose: tuple[Detection, ...]


def incidents_of(
    detections: Sequence[Detection], sightings: Sequence[Sighting] = (), thresholds: Thresholds | None = None
) -> Incidents:
    """Groups detections (in order of time).  Groups below the low threshold stay loose detections.

    Sightings help to name the techniques; they make no incident and no incident graver.
    """
    thresholds, nearby = thresholds or Thresholds(), Nearby(sightings)
    grouping = grouped(detections)
    rarity = Rarity(detections, bursts(detections))
    found: list[Incident] = []
    loose: list[Detection] = []
    for members, links in zip(grouping.groups, grouping.links, strict=True):
        group = [detections[at] for at in members]
        score = score_of(group, rarity)
        severity = _severity(score, group, thresholds)
        if severity == "informational":
            loose += group
            continue
        place = {at: position for position, at in enumerate(members)}
        local = tuple(Link(place[x.first], place[x.second], x.reason, x.weight) for x in links if x.first in place)
        found.append(_incident(group, local, score, severity, nearby.to(group)))
    found.sort(key=lambda each: (-LEVEL_RANK[each.severity], -each.score, each.first or 0.0, each.id))
    return Incidents(tuple(found), tuple(loose))


def score_of(group: Sequence[Detection], rarity: Rarity) -> float:
    """The sum over distinct rules of the points of the level times the rarity of the rule."""
    rules = {each.rule.id: each.rule for each in group}
    return sum(POINTS[rule.level] * rarity.rule(rule.id) for rule in rules.values())


def _severity(score: float, group: Sequence[Detection], thresholds: Thresholds) -> Level:
    """By score, but never more than one step above the gravest rule: many trifles are no catastrophe."""
    bounds = ((thresholds.critical, 4), (thresholds.high, 3), (thresholds.medium, 2), (thresholds.low, 1))
    rank = next((rank for bound, rank in bounds if score >= bound), 0)
    gravest = max(LEVEL_RANK[each.rule.level] for each in group)
    return LEVELS[min(rank, gravest + 1)] if rank else LEVELS[0]


def _incident(group: list[Detection], links: tuple[Link, ...], score: float, severity: Level, seen: Seen) -> Incident:
    techniques = named(group, seen)
    tactics = {tactic for each in techniques for tactic in each.tactics[:1]}
    times = [each.time for each in group if each.time is not None]
    hosts = tuple(dict.fromkeys(each.host for each in group if each.host))
    counts: Counter[Entity] = Counter(entity for each in group for entity in dict.fromkeys(each.entities))
    entities = tuple(
        entity for entity, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_ENTITIES]
    )
    return Incident(
        id=_identity(group),
        title=_title(group, techniques[0].name if techniques else "", hosts),
        severity=severity,
        score=round(score, 2),
        first=min(times) if times else None,
        last=max(times) if times else None,
        hosts=hosts,
        entities=entities,
        detections=tuple(group),
        links=links,
        techniques=techniques,
        tactics=tuple(sorted(tactics, key=lambda tactic: TACTIC_RANK.get(tactic, 99))),
    )


def _title(group: Sequence[Detection], technique: str, hosts: Sequence[str]) -> str:
    gravest = max(group, key=lambda each: LEVEL_RANK[each.rule.level])
    where = f" on {hosts[0]}" if len(hosts) == 1 else f" on {len(hosts)} hosts" if hosts else ""
    return f"{technique or gravest.rule.title}{where}" if technique else f"{gravest.rule.title}{where}"


def _identity(group: Sequence[Detection]) -> str:
    """The same events and rules give the same identity in every run."""
    digest = hashlib.sha256()
    for each in group[:50]:
        digest.update(f"{each.rule.id} {each.host} {each.time} {each.record}\n".encode())
    return f"INC-{digest.hexdigest()[:8]}"
