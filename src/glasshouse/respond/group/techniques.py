"""Which ATT&CK techniques an incident shows: a learned ranker over what its rules say and which signs are near it.

The union of all tags names seven times too many.  Each technique that some rule is tagged with, or that some sign near
the incident speaks for, is a candidate; a small ensemble of trees (data/techniques.json, made by
train/respond_techniques.py) gives its probability from who says so, how firmly, how exclusively, and how often rules
and signs speak of it in logs of any kind (counted without labels).  Beyond that the features say nothing about which
technique it is, so the ranker cannot have learned a laboratory's habits.
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
SIGN_WEIGHT = {"low": 0.3, "medium": 1.0, "high": 2.0}
TOP = 6
THRESHOLD = 0.25
"""Half of the score that is aimed at: naming whatever is likelier than half of F1 gives the best F1 to be expected."""
STATED = 0.3
"""Of rules of level medium and above that are tagged with one technique alone: the share whose technique was among the
labels (train/respond_techniques.py prints it; the labels are not complete, so it is a lower bound)."""
FEATURES = (
    "sum", "max", "rules", "share", "top", "level", "exclusive", "count", "first", "tactic", "few", "all",
    "sign_sum", "sign_max", "signs", "sign_share", "sign_top", "sign_exclusive", "sign_count", "sign_rarity",
    "sign_few", "sign_ranks", "both", "common",
)  # fmt: skip
Seen = Mapping[RuleRef, int]
"""Signs near an incident, and how often each was seen."""


class Ranker(msgspec.Struct, frozen=True):
    """The trees, and logarithms of shares of recordings: ``common`` of those in which a rule or sign speaks of a
    technique, ``signs`` of those in which a sign was seen."""

    trees: Trees
    common: dict[str, float]
    signs: dict[str, float] = {}

    def scores(self, group: Sequence[Detection], seen: Seen) -> dict[str, float]:
        """The probability of every candidate."""
        return {each: self.trees.probability(row) for each, row in candidates(group, seen, self).items()}

    def names(self, group: Sequence[Detection], seen: Seen) -> list[tuple[str, float]]:
        """The likeliest, best first: at least one when any rule or sign names one, at most `TOP`.

        One that is named though it is unlikely has at least the probability that its own rules are known to have.
        """
        scores = self.scores(group, seen)
        ranked = sorted(scores, key=lambda technique: (-scores[technique], technique))[:TOP]
        likely = [(each, scores[each]) for each in ranked if scores[each] >= THRESHOLD]
        if likely or not ranked:
            return likely
        stated = any(states(each.rule, ranked[0]) for each in group)
        return [(ranked[0], max(scores[ranked[0]], STATED if stated else 0.0))]


UNTRAINED = Ranker(Trees(0.0, ()), {})


@lru_cache(maxsize=1)
def model() -> Ranker:
    """The trained ranker, read once."""
    return msgspec.json.decode(MODEL.read_bytes(), type=Ranker)


def named(group: Sequence[Detection], seen: Seen, ranker: Ranker | None = None) -> tuple[Technique, ...]:
    """The likeliest techniques, best first: at least one when any rule or sign names one, at most `TOP`."""
    return tuple(_technique(each, score, group, seen) for each, score in (ranker or model()).names(group, seen))


def states(rule: RuleRef, technique: str) -> bool:
    """Whether a rule of some weight is tagged with this technique (a parent) alone."""
    tagged = {parent(of_this_version(each)) for each in rule.techniques}
    return tagged == {technique} and LEVEL_RANK[rule.level] >= LEVEL_RANK["medium"]


def candidates(group: Sequence[Detection], seen: Seen, ranker: Ranker = UNTRAINED) -> dict[str, list[float]]:
    """The features of every parent technique that a rule or sign names, in the order of `FEATURES`."""
    ruled, signed = _by_rules(group), _by_signs(seen, ranker.signs)
    rarest = min(ranker.common.values(), default=0.0)
    return {
        each: [
            *ruled.get(each, _NO_RULE),
            *signed.get(each, _NO_SIGN),
            float(each in ruled and each in signed),
            ranker.common.get(each, rarest),
        ]
        for each in sorted({*ruled, *signed})
    }


_NO_RULE = (0.0, 0.0, 0.0, 0.0, 0.0, -0.25, 0.0, 0.0, 1.5, -0.1, 0.0, 0.0)
_NO_SIGN = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 9.0)


def _by_rules(group: Sequence[Detection]) -> dict[str, tuple[float, ...]]:
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
        each: (
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
        )
        for each, rows in said.items()
    }


def _by_signs(seen: Seen, shares: Mapping[str, float]) -> dict[str, tuple[float, ...]]:
    """How firmly signs speak for each technique; a rare sign says more, and so do signs of different events."""
    rarest = min(shares.values(), default=0.0)
    said: defaultdict[str, list[tuple[RuleRef, float, float]]] = defaultdict(list)
    for sign in seen:
        techniques = {parent(each) for each in sign.techniques}
        for technique in techniques:
            rarity = shares.get(sign.id, rarest)
            said[technique].append((sign, SIGN_WEIGHT[sign.level] * -rarity / len(techniques), rarity))
    sums = {each: sum(weight for _, weight, _ in rows) for each, rows in said.items()}
    total = sum(sums.values()) or 1.0
    ranks = {each: place for place, each in enumerate(sorted(sums, key=lambda each: (-sums[each], each)))}
    return {
        each: (
            sums[each],
            max(SIGN_WEIGHT[sign.level] for sign, _, _ in rows),
            math.log1p(len(rows)),
            sums[each] / total,
            float(sums[each] == max(sums.values())),
            1.0 / min(len(sign.techniques) for sign, _, _ in rows),
            math.log1p(sum(seen[sign] for sign, _, _ in rows)) / 5,
            min(rarity for _, _, rarity in rows),
            1.0 / len(said),
            float(ranks[each]),
        )
        for each, rows in said.items()
    }


def _technique(name: str, score: float, group: Sequence[Detection], seen: Seen) -> Technique:
    """The technique under the sub-technique that most rules and signs name, when they name one."""
    exact: Counter[str] = Counter()
    speakers: dict[str, None] = {}
    reasons: dict[str, None] = {}
    for rule in (*dict.fromkeys(each.rule for each in group), *seen):
        for technique in map(of_this_version, rule.techniques):
            if parent(technique) == name:
                exact[technique] += 1
                if rule.kind == "sign":
                    reasons[rule.title] = None
                else:
                    speakers[rule.id] = None
    best = max(sorted(exact), key=lambda each: exact[each])
    known = attack()
    return Technique(best, known.name(best), known.tactics(best), round(score, 3), tuple(speakers), tuple(reasons))
