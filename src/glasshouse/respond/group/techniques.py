"""Which ATT&CK techniques an incident shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from glasshouse.respond.group.attack import attack
from glasshouse.respond.group.rarity import Rarity
from glasshouse.words.incident import Detection, Technique

LEVEL_WEIGHT = {"informational": 0.3, "low": 0.6, "medium": 1.0, "high": 1.6, "critical": 2.2}
TOP = 3


def named(group: Sequence[Detection], rarity: Rarity) -> tuple[Technique, ...]:
    """The likeliest techniques, best first."""
    rules = {each.rule.id: each.rule for each in group}
    weights: defaultdict[str, float] = defaultdict(float)
    speakers: defaultdict[str, list[str]] = defaultdict(list)
    for rule in rules.values():
        for technique in rule.techniques:
            weights[technique] += LEVEL_WEIGHT[rule.level] * rarity.rule(rule.id)
            speakers[technique].append(rule.id)
    total = sum(weights.values()) or 1.0
    best = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    known = attack()
    return tuple(
        Technique(each, known.name(each), known.tactics(each), round(weight / total, 3), tuple(speakers[each]))
        for each, weight in best
    )
