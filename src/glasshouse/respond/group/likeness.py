"""How likely it is that two clusters on one host are one incident, and the strongest reason why.

The features say how two clusters stand to each other (time in units of their own pace and of the host's, who else is
nearer, what they share and how rare it is), never which host, user or tool it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from glasshouse.respond.group.attack import TACTIC_RANK
from glasshouse.respond.group.cluster import Cluster
from glasshouse.respond.group.rarity import Rarity
from glasshouse.respond.group.trees import Scorer, Trees

MODEL = Path(__file__).resolve().parent.parent / "data" / "grouping.json"
FEATURES = (
    "gap", "overlap", "pace_a", "pace_b", "gap_to_pace", "between", "rival_a", "rival_b", "gap_to_rate",
    "process", "parent", "sibling", "family", "target", "other_family", "number", "session", "other_session",
    "user", "other_user", "one_is_system", "other", "kinds", "image", "rule", "rules", "technique", "tactic", "word",
    "smaller", "larger", "duration", "bare", "words", "titles", "step", "sharing", "rare_technique",
    "rare_title", "lineage",
)  # fmt: skip
RARE, FAR = 3.5, 1e9
LINEAGE = 4
"""Up to so many parents and ancestors are counted: where few are known, strangers may only look like it."""


class Reason(NamedTuple):
    """Why two clusters belong together: in words, how telling it is, and the detections that say so."""

    words: str
    weight: float
    first: int
    second: int


class Setting(NamedTuple):
    """What else happens on the host: mean logarithm of its pauses, clusters near both, and the host's name.

    ``closest`` keeps, by cluster, which other of them is nearest, how far that is, and how far the next one is.
    """

    rate: float
    near: Sequence[Cluster]
    host: str
    closest: dict[int, tuple[Cluster | None, float, float]]


@lru_cache(maxsize=1)
def model() -> Scorer:
    """The trained model, read once."""
    return Scorer(msgspec.json.decode(MODEL.read_bytes(), type=Trees))


def features(a: Cluster, b: Cluster, setting: Setting, rarity: Rarity) -> list[float]:
    """The features of two clusters, in the order of `FEATURES`."""
    if b.first < a.first:
        a, b = b, a
    host = setting.host
    gap = math.log1p(a.distance(b))
    pace_a, pace_b = math.log1p(a.longest), math.log1p(b.longest)
    between, rival_a, rival_b = _rivals(a, b, setting)
    family = a.family.keys() & b.family.keys()
    session = _rarest(a.sessions.keys() & b.sessions.keys(), "session", host, rarity)
    other = max((rarity.named(*_parts(each)) for each in a.others.keys() & b.others.keys()), default=0.0)
    rarities = [rarity.word(each) for each in a.words.keys() & b.words.keys()]
    word = max(rarities, default=0.0)
    rules, all_rules = a.rules.keys() & b.rules.keys(), a.rules.keys() | b.rules.keys()
    users = a.users.keys() & b.users.keys()
    crossed = (a.acting.keys() & b.parents.keys()) | (a.parents.keys() & b.acting.keys())
    aimed = (a.targets.keys() & b.family.keys()) | (b.targets.keys() & a.family.keys())
    sizes = sorted((len(a.members), len(b.members)))
    return [
        gap,
        float(min(a.last, b.last) > b.first),
        pace_a,
        pace_b,
        gap - max(pace_a, pace_b),
        math.log1p(between),
        gap - math.log1p(rival_a),
        gap - math.log1p(rival_b),
        gap - setting.rate,
        _rarest(a.acting.keys() & b.acting.keys(), "process", host, rarity),
        _rarest(crossed, "process", host, rarity),
        _rarest(a.parents.keys() & b.parents.keys(), "process", host, rarity),
        _rarest(family, "process", host, rarity),
        _rarest(aimed, "process", host, rarity),
        float(bool(a.acting and b.acting and not family)),
        float(not a.numbers.keys().isdisjoint(b.numbers)),
        session,
        float(bool(a.sessions and b.sessions and a.sessions.keys().isdisjoint(b.sessions))),
        _rarest(users, "user", "", rarity),
        float(bool(a.users and b.users and not users)),
        float(a.system != b.system),
        other,
        float(bool(family)) + float(session > 0) + float(other > 0) + float(word > RARE),
        float(not a.images.keys().isdisjoint(b.images)),
        float(bool(rules)),
        len(rules) / len(all_rules),
        float(not a.techniques.keys().isdisjoint(b.techniques)),
        float(not a.tactics.keys().isdisjoint(b.tactics)),
        word,
        math.log1p(sizes[0]),
        math.log1p(sizes[1]),
        math.log1p(max(a.last - a.first, b.last - b.first)),
        float(not (a.family or a.sessions)) + float(not (b.family or b.sessions)),
        math.log1p(math.fsum(rarities)),
        len(a.titles.keys() & b.titles.keys()) / max(1, min(len(a.titles), len(b.titles))),
        _step(a, b),
        math.log1p(len(a.others.keys() & b.others.keys())),
        max((rarity.said(each) for each in a.techniques.keys() & b.techniques.keys()), default=0.0),
        max((rarity.said(each) for each in a.titles.keys() & b.titles.keys()), default=0.0),
        float(min(len(a.parents) + len(a.ancestors), len(b.parents) + len(b.ancestors), LINEAGE)),
    ]


def _step(a: Cluster, b: Cluster) -> float:
    """The smallest step along the tactics from the earlier to the later, 0.2 for each tactic; back is negative."""
    ranks = sorted(TACTIC_RANK[each] for each in a.tactics), sorted(TACTIC_RANK[each] for each in b.tactics)
    if not ranks[0] or not ranks[1]:
        return 0.0
    return min((y - x for x in ranks[0] for y in ranks[1]), key=abs) / 5


def _rivals(a: Cluster, b: Cluster, setting: Setting) -> tuple[int, float, float]:
    """How many others stand between, and the distances of each to its nearest other."""
    start, end = a.last, b.first
    between = sum(
        (start < each.first < end or start < each.last < end) and each is not a and each is not b
        for each in setting.near
    )
    return between, _rival(a, b, setting), _rival(b, a, setting)


def _rival(cluster: Cluster, but: Cluster, setting: Setting) -> float:
    """The distance to the nearest cluster that is not ``but``."""
    known = setting.closest.get(id(cluster))
    if known is None:
        nearest, first, second = None, FAR, FAR
        for each in setting.near:
            if each is not cluster:
                distance = cluster.distance(each)
                if distance < first:
                    nearest, first, second = each, distance, first
                elif distance < second:
                    second = distance
        known = setting.closest[id(cluster)] = nearest, first, second
    return known[2] if known[0] is but else known[1]


def _rarest(names: Iterable[str], kind: str, scope: str, rarity: Rarity) -> float:
    return max((rarity.named(kind, each, scope) for each in names), default=0.0)


def _parts(other: str) -> tuple[str, str, str]:
    kind, scope, name = other.split("|", 2)
    return kind, name, scope


def reason(a: Cluster, b: Cluster, host: str, rarity: Rarity) -> Reason:
    """The rarest thing that both name, or else the time between them."""
    found: list[Reason] = []
    for kind, mine, theirs in (
        ("process", a.family, b.family),
        ("process", a.numbers, b.numbers),
        ("session", a.sessions, b.sessions),
    ):
        for name in sorted(mine.keys() & theirs.keys()):
            weight = rarity.named(kind, name, host)
            found.append(Reason(f"both name {kind} {name}", weight, mine[name], theirs[name]))
    for name in sorted(a.users.keys() & b.users.keys()):
        found.append(Reason(f"both name user {name}", rarity.named("user", name, ""), a.users[name], b.users[name]))
    for key in sorted(a.others.keys() & b.others.keys()):
        kind, name, scope = _parts(key)
        found.append(Reason(f"both name {kind} {name}", rarity.named(kind, name, scope), a.others[key], b.others[key]))
    for word in sorted(a.words.keys() & b.words.keys()):
        found.append(Reason(f"both name {word}", rarity.word(word), a.words[word], b.words[word]))
    strongest = max(found, key=lambda each: each.weight, default=None)
    if strongest is not None and strongest.weight >= RARE / 2:
        return strongest
    early, late = (a, b) if a.first <= b.first else (b, a)
    words = f"{early.distance(late):.0f} s apart on {host or 'one host'}"
    return Reason(words, 0.0, early.members[-1], late.members[0])
