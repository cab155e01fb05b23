"""Clusters of detections on one host while they are being merged: what they name, and when they happened."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from glasshouse.respond.group.attack import parent, tactic_of_tag
from glasshouse.respond.group.rarity import Rarity, ties
from glasshouse.respond.group.values import image_of, title_words, words_of
from glasshouse.words.incident import Detection

MAX_REMEMBERED = 2_000
"""Values of one sort remembered per cluster."""
SAMPLED = 64

SORTS = (
    "acting", "parents", "ancestors", "targets", "numbers", "sessions", "users", "others",
    "images", "rules", "techniques", "tactics", "words", "titles",
)  # fmt: skip
Named = dict[str, int]
"""A value and the first detection that names it.  Those of ``others`` are kind, scope and name, parted by bars."""


class Cluster:
    """Detections at positions ``members``; each sort of values is a dictionary from value to the first who names it."""

    acting: Named
    parents: Named
    ancestors: Named
    targets: Named
    numbers: Named
    sessions: Named
    users: Named
    others: Named
    images: Named
    rules: Named
    techniques: Named
    tactics: Named
    words: Named
    titles: Named
    __slots__ = (*SORTS, "family", "first", "last", "longest", "members", "system", "times")

    def __init__(self, members: list[int], times: list[float], system: bool, named: dict[str, Named]) -> None:
        self.members, self.times, self.system = members, times, system
        self.first, self.last = times[0], times[-1]
        self.longest = max((b - a for a, b in itertools.pairwise(times)), default=0.0)
        for sort in SORTS:
            setattr(self, sort, named[sort])
        self.family = named["acting"] | named["parents"] | named["ancestors"]

    def distance(self, other: Cluster) -> float:
        """Seconds between their nearest detections."""
        if self.last <= other.first:
            return other.first - self.last
        if other.last <= self.first:
            return self.first - other.last
        few, many = (self, other) if len(self.times) < len(other.times) else (other, self)
        step = max(1, len(few.times) // SAMPLED)
        nearest = float("inf")
        for time in few.times[::step]:
            at = bisect_left(many.times, time)
            near = many.times[max(0, at - 1) : at + 1]
            nearest = min(nearest, *(abs(time - each) for each in near))
        return nearest

    def merged(self, other: Cluster) -> Cluster:
        """Both in one."""
        named = {}
        for sort in SORTS:
            mine, theirs = getattr(self, sort), getattr(other, sort)
            named[sort] = mine if len(mine) >= MAX_REMEMBERED else {**theirs, **mine}
        return Cluster(
            sorted(self.members + other.members), sorted(self.times + other.times), self.system or other.system, named
        )


class Maker:
    """Makes clusters of detections of one run."""

    def __init__(self, detections: Sequence[Detection], numbers: Sequence[int], rarity: Rarity) -> None:
        self._detections, self._rarity = detections, rarity
        principals = {e.name for each in detections for e in each.entities if e.kind in ("host", "user", "account")}
        self._words = [words_of(each, principals) for each in detections]
        rarity.count_words(self._words, numbers)
        rarity.count_said([{*map(parent, e.rule.techniques), *title_words(e.rule.title)} for e in detections], numbers)

    def cluster(self, members: Sequence[int]) -> Cluster:
        """One cluster of detections that belong together for sure."""
        named: dict[str, Named] = {sort: {} for sort in SORTS}
        system = False
        for at in members:
            detection = self._detections[at]
            system = self._entities(detection, at, named) or system
            self._rest(detection, at, named)
        times = sorted(self._detections[at].time or 0.0 for at in members)
        return Cluster(list(members), times, system, named)

    def _entities(self, detection: Detection, at: int, named: dict[str, Named]) -> bool:
        system = False
        for entity in detection.entities:
            if entity.kind == "user":
                if ties(entity):
                    named["users"].setdefault(entity.name, at)
                else:
                    system = True
            elif not ties(entity):
                continue
            elif entity.kind == "process":
                named[_place(entity.name, entity.role)].setdefault(entity.name, at)
            elif entity.kind == "session":
                named["sessions"].setdefault(entity.name, at)
            elif entity.kind != "host":
                named["others"].setdefault(f"{entity.kind}|{entity.scope}|{entity.name}", at)
        return system

    def _rest(self, detection: Detection, at: int, named: dict[str, Named]) -> None:
        image = image_of(detection)
        if image:
            named["images"].setdefault(image, at)
        _all(named["rules"], (detection.rule.id,), at)
        _all(named["techniques"], map(parent, detection.rule.techniques), at)
        _all(named["tactics"], filter(None, map(tactic_of_tag, detection.rule.tags)), at)
        _all(named["words"], self._words[at], at)
        _all(named["titles"], title_words(detection.rule.title), at)


def _all(place: Named, values: Iterable[str], at: int) -> None:
    for each in values:
        place.setdefault(each, at)


def _place(name: str, role: str) -> str:
    if name.startswith("pid "):
        return "numbers"
    return {"parent": "parents", "ancestor": "ancestors", "target": "targets"}.get(role, "acting")
