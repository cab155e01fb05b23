"""How telling it is that two detections share a value: rare values tie, common ones do not.

The unit of counting is a burst (detections of one host without a pause of a minute), so one noisy rule does not make
its own values look common, and a service account that is in every burst ties nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from glasshouse.words.incident import Detection, Entity

BURST_GAP_S = 60.0
MAX_WEIGHT = 4.0
PRIOR_BURSTS = 60.0
"""As if so many bursts without the value had been seen before: a short log cannot show what is common."""
LINKING = frozenset({"process", "session", "user", "address", "domain", "file", "key", "account", "service"})
EVERYWHERE = frozenset({
    "system", "local service", "network service", "localsystem", "anonymous logon", "s-1-5-18", "s-1-5-19", "s-1-5-20",
    "0x3e7", "0x3e4", "0x3e5", "999", "998", "997", "996", "local system", "window manager", "unknown", "root",
    "pid 4", "pid 0", "pid -1",
})  # fmt: skip
"""Principals and sessions that every machine has."""


def ties(entity: Entity) -> bool:
    """Whether sharing the entity can say anything at all."""
    if entity.kind not in LINKING or entity.name in EVERYWHERE:
        return False
    return not (entity.kind == "user" and entity.name.endswith("$"))  # accounts of machines


def bursts(detections: Sequence[Detection]) -> list[int]:
    """The number of the burst of each detection; ``detections`` are in order of time."""
    last: dict[str, tuple[float, int]] = {}
    numbers: list[int] = []
    count = 0
    for each in detections:
        time = each.time if each.time is not None else 0.0
        before = last.get(each.host)
        if before is None or time - before[0] > BURST_GAP_S:
            number, count = count, count + 1
        else:
            number = before[1]
        last[each.host] = (time, number)
        numbers.append(number)
    return numbers


class Rarity:
    """Weights of shared entities, in nats, from the bursts of a run."""

    def __init__(self, detections: Sequence[Detection], numbers: Iterable[int]) -> None:
        seen: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
        rules: defaultdict[str, set[int]] = defaultdict(set)
        total = 0
        for each, burst in zip(detections, numbers, strict=True):
            total = max(total, burst + 1)
            rules[each.rule.id].add(burst)
            for entity in each.entities:
                if ties(entity):
                    seen[entity.kind, entity.name, entity.scope].add(burst)
        self._seen = {key: len(found) for key, found in seen.items()}
        self._rules = {key: len(found) for key, found in rules.items()}
        self._words: dict[str, int] = {}
        self._said: dict[str, int] = {}
        self.total = total

    def count_words(self, words: Sequence[Iterable[str]], numbers: Iterable[int]) -> None:
        """Takes note of the words of each detection."""
        self._words = _in_bursts(words, numbers)

    def count_said(self, said: Sequence[Iterable[str]], numbers: Iterable[int]) -> None:
        """Takes note of what the rule of each detection says: techniques, and words of its title."""
        self._said = _in_bursts(said, numbers)

    def said(self, each: str) -> float:
        """How telling it is that two rules say the same."""
        return self._weight(self._said.get(each, 0))

    def word(self, word: str) -> float:
        """How telling a shared word is."""
        return self._weight(self._words.get(word, 0))

    def named(self, kind: str, name: str, scope: str) -> float:
        """How telling a shared entity is, by its parts."""
        return self._weight(self._seen.get((kind, name, scope), 0))

    def _weight(self, count: int) -> float:
        return min(MAX_WEIGHT, math.log((self.total + PRIOR_BURSTS) / count)) if count else 0.0

    def weight(self, entity: Entity) -> float:
        """At most `MAX_WEIGHT`; 0 for what is shared by all."""
        return self.named(entity.kind, entity.name, entity.scope) if ties(entity) else 0.0

    def rule(self, rule_id: str) -> float:
        """From 1 (a rule that fires once) down towards 0 (a rule that fires in every burst)."""
        count = self._rules.get(rule_id, 1)
        return 1.0 / (1.0 + math.log(count)) if count else 1.0


def _in_bursts(values: Sequence[Iterable[str]], numbers: Iterable[int]) -> dict[str, int]:
    """In how many bursts each value occurs."""
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for found, burst in zip(values, numbers, strict=True):
        for value in found:
            seen[value].add(burst)
    return {value: len(found) for value, found in seen.items()}
