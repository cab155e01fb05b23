"""Which ATT&CK techniques an incident shows: a learned ranker over what its rules say.

The union of all tags names seven times too many.  Each technique that some rule is tagged with is a candidate; a small
ensemble of trees (data/techniques.json, made by train/respond_techniques.py) gives its probability from who says so,
how gravely, how exclusively, and how often rules speak of it in logs of any kind (counted without labels).  Beyond
that the features say nothing about which technique it is, so the ranker cannot have learned a laboratory's habits.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from glasshouse.respond.group.attack import attack, of_this_version, parent, tactic_of_tag
from glasshouse.respond.group.trees import Trees
from glasshouse.words.incident import LEVEL_RANK, Detection, RuleRef, Technique

MODEL = Path(__file__).resolve().parent.parent / "data" / "techniques.json"
LEVEL_WEIGHT = {"informational": 0.3, "low": 0.6, "medium": 1.0, "high": 1.6, "critical": 2.2}
TOP = 6
THRESHOLD = 0.2
FEATURES = (
    "sum",
    "max",
    "rules",
    "share",
    "top",
    "level",
    "exclusive",
    "count",
    "first",
    "tactic",
    "few",
    "all",
    "common",
)


class Ranker(msgspec.Struct, frozen=True):
    """The trees, and the logarithm of the share of recordings in which some rule is tagged with a technique."""

    trees: Trees
    common: dict[str, float]

    def scores(self, group: Sequence[Detection]) -> dict[str, float]:
        """The probability of every candidate."""
        return {each: self.trees.probability(row) for each, row in candidates(group, self.common).items()}

    def names(self, group: Sequence[Detection]) -> list[tuple[str, float]]:
        """The likeliest, best first: at least one when any rule names one, at most `TOP`."""
        scores = self.scores(group)
        ranked = sorted(scores, key=lambda technique: (-scores[technique], technique))[:TOP]
        return [(each, scores[each]) for n, each in enumerate(ranked) if n == 0 or scores[each] >= THRESHOLD]


@lru_cache(maxsize=1)
def model() -> Ranker:
    """The trained ranker, read once."""
    return msgspec.json.decode(MODEL.read_bytes(), type=Ranker)


def named(group: Sequence[Detection], ranker: Ranker | None = None) -> tuple[Technique, ...]:
    """The likeliest techniques, best first: at least one when any rule names one, at most `TOP`."""
    return tuple(_technique(each, score, group) for each, score in (ranker or model()).names(group))


def candidates(group: Sequence[Detection], common: Mapping[str, float]) -> dict[str, list[float]]:
    """The features of every parent technique that a rule of the group is tagged with, in the order of `FEATURES`."""
    rarest = min(common.values(), default=0.0)
    rules: dict[str, RuleRef] = {}
    counts: Counter[str] = Counter()
    first: dict[str, float] = {}
    for number, each in enumerate(group):
        rules[each.rule.id] = each.rule
        counts[each.rule.id] += 1
        first.setdefault(each.rule.id, number / len(group))
    said: defaultdict[str, list[tuple[RuleRef, float]]] = defaultdict(list)
    tactics: Counter[str] = Counter()
    for rule in rules.values():
        techniques = {parent(of_this_version(each)) for each in rule.techniques}
        for tag in rule.tags:
            tactics[tactic_of_tag(tag)] += LEVEL_WEIGHT[rule.level]  # type: ignore[assignment]
        for technique in techniques:
            said[technique].append((rule, 1.0 / len(techniques)))
    sums = {each: sum(LEVEL_WEIGHT[rule.level] * part for rule, part in rows) for each, rows in said.items()}
    known = attack()
    relevant = {tactic for each in said for tactic in known.tactics(each)}
    weight = sum(tactics[tactic] for tactic in relevant) or 1.0
    return {
        each: [
            math.log1p(sums[each]),
            max(LEVEL_WEIGHT[rule.level] * part for rule, part in rows),
            math.log1p(len(rows)),
            sums[each] / sum(sums.values()),
            float(sums[each] == max(sums.values())),
            max(LEVEL_RANK[rule.level] for rule, _ in rows) / 4,
            max(part for _, part in rows),
            math.log1p(sum(counts[rule.id] for rule, _ in rows)) / 5,
            min(first[rule.id] for rule, _ in rows),
            max((tactics[tactic] / weight for tactic in known.tactics(each)), default=0.0),
            1.0 / len(said),
            math.log1p(len(rules)) / 4,
            common.get(each, rarest),
        ]
        for each, rows in said.items()
    }


def _technique(name: str, score: float, group: Sequence[Detection]) -> Technique:
    """The technique under the sub-technique that most rules name, when they name one."""
    exact: Counter[str] = Counter()
    speakers: dict[str, None] = {}
    for rule in dict.fromkeys(each.rule for each in group):
        for technique in map(of_this_version, rule.techniques):
            if parent(technique) == name:
                exact[technique] += 1
                speakers[rule.id] = None
    best = max(sorted(exact), key=lambda each: exact[each])
    known = attack()
    return Technique(best, known.name(best), known.tactics(best), round(score, 3), tuple(speakers))
