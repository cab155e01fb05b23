"""Which open incident a detection joins: log-odds from what is shared and from the time between.

Detections are taken in order of time.  One joins the open incident that it fits best, or starts its own: nothing merges
two incidents here, so one common value cannot.  Every join keeps its reason and weight.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from glasshouse.respond.group.rarity import MAX_WEIGHT, Rarity, bursts, ties
from glasshouse.words.incident import Detection, Entity, Link

MAX_OPEN = 64
"""Open incidents per host; the one that was quiet longest is closed first."""
MAX_REMEMBERED = 2_000
"""Entities remembered per incident."""


class Weights(msgspec.Struct, frozen=True):
    """The model: natural logarithms of odds, fitted on re-timed recordings by train/respond_grouping.py.

    ``gap_unit_s`` and ``horizon_s`` are seconds; beyond the horizon an incident takes nothing more.
    """

    bias: float = 2.2
    gap: float = 1.3
    gap_unit_s: float = 10.0
    process: float = 5.8
    parent: float = 4.5
    ancestor: float = 2.9
    number: float = 2.7
    session: float = 0.75
    same_session: float = 0.95
    user: float = 0.35
    address: float = 0.8
    file: float = 0.1
    other: float = 0.6
    same_rule: float = 0.95
    strange: float = -1.25
    horizon_s: float = 16 * 3600.0
    threshold: float = 0.0


class _Open:
    """An incident that still takes detections."""

    __slots__ = ("entities", "last", "last_at", "members", "processes", "rules")

    def __init__(self) -> None:
        self.members: list[int] = []
        self.entities: dict[tuple[str, str, str], int] = {}
        self.processes: dict[tuple[str, str], int] = {}
        self.rules: set[str] = set()
        self.last = 0.0
        self.last_at = -1

    def add(self, at: int, detection: Detection, time: float) -> None:
        self.members.append(at)
        self.rules.add(detection.rule.id)
        self.last, self.last_at = max(self.last, time), at
        for entity in detection.entities:
            if not ties(entity) or len(self.entities) >= MAX_REMEMBERED:
                continue
            if entity.kind == "process":
                self.processes[entity.name, entity.scope] = at
            else:
                self.entities[entity.kind, entity.name, entity.scope] = at


class Grouping(msgspec.Struct, frozen=True):
    """Groups of positions in the detections, and the links within each."""

    groups: tuple[tuple[int, ...], ...]
    links: tuple[tuple[Link, ...], ...]


def grouped(detections: Sequence[Detection], weights: Weights | None = None) -> Grouping:
    """Detections (in order of time) as groups that belong together."""
    weights = weights or Weights()
    rarity = Rarity(detections, bursts(detections))
    open_on: defaultdict[str, list[_Open]] = defaultdict(list)
    made: list[_Open] = []
    links: dict[int, list[Link]] = {}
    for at, detection in enumerate(detections):
        time = detection.time if detection.time is not None else 0.0
        rivals = open_on[detection.host]
        rivals[:] = [each for each in rivals if time - each.last <= weights.horizon_s]
        best: tuple[float, _Open, Link] | None = None
        for each in rivals:
            score, link = _fit(detection, at, time, each, rarity, weights)
            if score > weights.threshold and (best is None or score > best[0]):
                best = (score, each, link)
        if best is None:
            home = _Open()
            made.append(home)
            rivals.append(home)
            links[id(home)] = []
            if len(rivals) > MAX_OPEN:
                rivals.remove(min(rivals, key=lambda each: each.last))
        else:
            home = best[1]
            links[id(home)].append(best[2])
        home.add(at, detection, time)
    return Grouping(tuple(tuple(each.members) for each in made), tuple(tuple(links[id(each)]) for each in made))


def _fit(
    detection: Detection, at: int, time: float, home: _Open, rarity: Rarity, weights: Weights
) -> tuple[float, Link]:
    """The log-odds that ``detection`` belongs to ``home``, and the link with the strongest reason."""
    gap = max(time - home.last, 0.0)
    score = weights.bias - weights.gap * math.log1p(gap / weights.gap_unit_s)
    reason, strongest, partner = f"{gap:.0f} s apart on {detection.host or 'one host'}", max(score, 0.0), home.last_at
    known_process = shared_process = False
    best: dict[str, float] = {}
    for entity in detection.entities:
        if not ties(entity):
            continue
        gain, other = _gain(entity, home, rarity, weights)
        if entity.kind == "process":
            known_process = known_process or entity.role != "ancestor"
            shared_process = shared_process or gain > 0
        best[_sort(entity)] = max(best.get(_sort(entity), 0.0), gain)
        if gain > strongest:
            reason, strongest, partner = f"both name {entity.kind} {entity.name}", gain, other
    score += sum(best.values())
    if known_process and home.processes and not shared_process:
        score += weights.strange
    if detection.rule.id in home.rules:
        score += weights.same_rule
    return score, Link(partner, at, reason, round(strongest, 2))


def _gain(entity: Entity, home: _Open, rarity: Rarity, weights: Weights) -> tuple[float, int]:
    if entity.kind == "process":
        other = home.processes.get((entity.name, entity.scope), -1)
        if other < 0:
            return 0.0, -1
        by_role = {"process": weights.process, "parent": weights.parent, "ancestor": weights.ancestor}
        return by_role.get(_sort(entity), weights.number) * min(rarity.weight(entity) / MAX_WEIGHT, 1.0), other
    other = home.entities.get((entity.kind, entity.name, entity.scope), -1)
    if other < 0:
        return 0.0, -1
    by_kind = {"session": weights.session, "user": weights.user, "address": weights.address, "file": weights.file}
    constant = weights.same_session if entity.kind == "session" else 0.0
    return constant + by_kind.get(entity.kind, weights.other) * rarity.weight(entity), other


def _sort(entity: Entity) -> str:
    """Kinds of evidence that count once each: three shared addresses are not three reasons."""
    if entity.kind != "process":
        return entity.kind
    if entity.name.startswith("pid "):
        return "number"
    return entity.role if entity.role in ("parent", "ancestor") else "process"
