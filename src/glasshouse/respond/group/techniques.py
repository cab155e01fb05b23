"""Which ATT&CK techniques an incident shows: a learned ranker over what its rules say.

The union of all tags names seven times too many.  Each technique that some rule is tagged with is a candidate; a small
ensemble of trees (data/techniques.json, made by train/respond_techniques.py) gives its probability from who says so,
how gravely and how exclusively.  The features say nothing about which technique it is, so the ranker cannot have
learned the habits of a laboratory.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from glasshouse.respond.group.attack import attack, of_this_version, parent, tactic_of_tag
from glasshouse.words.incident import LEVEL_RANK, Detection, RuleRef, Technique

MODEL = Path(__file__).resolve().parent.parent / "data" / "techniques.json"
LEVEL_WEIGHT = {"informational": 0.3, "low": 0.6, "medium": 1.0, "high": 1.6, "critical": 2.2}
TOP = 4
THRESHOLD = 0.2
FEATURES = ("sum", "max", "rules", "share", "top", "level", "exclusive", "count", "first", "tactic", "few", "all")


class Trees(msgspec.Struct, frozen=True):
    """Boosted trees: log-odds ``start`` plus the leaf of each tree.

    A tree is a list of nodes (feature, threshold, left, right, value); feature -1 marks a leaf; a row goes left when
    its feature is at most the threshold.
    """

    start: float
    trees: tuple[tuple[tuple[int, float, int, int, float], ...], ...]

    def probability(self, row: Sequence[float]) -> float:
        """The probability for one row of features."""
        odds = self.start
        for tree in self.trees:
            at = 0
            while tree[at][0] >= 0:
                feature, threshold, left, right, _ = tree[at]
                at = left if row[feature] <= threshold else right
            odds += tree[at][4]
        return 1.0 / (1.0 + math.exp(-max(min(odds, 50.0), -50.0)))


@lru_cache(maxsize=1)
def model() -> Trees:
    """The trained ranker, read once."""
    return msgspec.json.decode(MODEL.read_bytes(), type=Trees)


def named(group: Sequence[Detection], trees: Trees | None = None) -> tuple[Technique, ...]:
    """The likeliest techniques, best first: at least one when any rule names one, at most `TOP`."""
    rows = candidates(group)
    if not rows:
        return ()
    trees = trees or model()
    scores = {technique: trees.probability(row) for technique, row in rows.items()}
    ranked = sorted(scores, key=lambda technique: (-scores[technique], technique))[:TOP]
    kept = [technique for n, technique in enumerate(ranked) if n == 0 or scores[technique] >= THRESHOLD]
    return tuple(_technique(each, scores[each], group) for each in kept)


def candidates(group: Sequence[Detection]) -> dict[str, list[float]]:
    """The features of every parent technique that a rule of the group is tagged with, in the order of `FEATURES`."""
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
