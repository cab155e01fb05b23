"""Groups on different hosts that are one incident: on strong evidence only.

Strong is a session or connection of one that came from the other (see engine/lineage), or else a rare account of a
person, a key or an address that exactly two groups name, on two hosts, within a quarter of an hour.  A value that a
third group names too is common and joins nothing; at most `MAX_GROUPS` become one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from glasshouse.respond.group.rarity import ties
from glasshouse.words.incident import Detection, Entity, Link

GAP_S = 900.0
MAX_GROUPS = 8
STRONG = ("user", "account", "key", "address")
GENERIC = frozenset({"administrator", "admin", "root", "user", "guest", "defaultaccount", "test", "localadmin"})
WEIGHT = 4.0


def joined_across(
    detections: Sequence[Detection], groups: Sequence[Sequence[int]], links: Sequence[Sequence[Link]]
) -> tuple[list[list[int]], list[list[Link]]]:
    """The groups and their links after joining, in the order of their first detections."""
    home = list(range(len(groups)))
    sizes = [1] * len(groups)
    found: list[list[Link]] = [list(each) for each in links]

    def top(number: int) -> int:
        while home[number] != number:
            number = home[number]
        return number

    for first, second, reason in [*_arrivals(detections, groups), *_pairs(detections, groups)]:
        a, b = sorted((top(first.group), top(second.group)))
        if a == b or sizes[a] + sizes[b] > MAX_GROUPS:
            continue
        early, late = sorted((first.at, second.at))
        found[a] += [*found[b], Link(early, late, reason, WEIGHT)]
        home[b], sizes[a] = a, sizes[a] + sizes[b]
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number, each in enumerate(groups):
        members[top(number)] += each
    order = sorted(members, key=lambda number: min(members[number]))
    return [sorted(members[n]) for n in order], [sorted(found[n], key=lambda x: (x.second, x.first)) for n in order]


class _Mention:
    __slots__ = ("at", "group", "host", "times")

    def __init__(self, group: int, at: int, host: str) -> None:
        self.group, self.at, self.host = group, at, host
        self.times: list[float] = []


_Moment = tuple[float, int, int]
"""A time, the number of a group, and the position of its detection."""


def _arrivals(detections: Sequence[Detection], groups: Sequence[Sequence[int]]) -> list[tuple[_Mention, _Mention, str]]:
    """A group with a session or connection between its host and another, and what happened there nearest in time."""
    moments: defaultdict[str, list[_Moment]] = defaultdict(list)
    for number, members in enumerate(groups):
        for at in members:
            each = detections[at]
            if each.time is not None and each.host:
                moments[each.host].append((each.time, number, at))
    for found in moments.values():
        found.sort()
    best: dict[tuple[int, str], tuple[float, _Moment, _Moment]] = {}
    for host, found in moments.items():
        for here in found:
            for entity in detections[here[2]].entities:
                if entity.kind != "host" or entity.name == host or entity.name not in moments:
                    continue
                for there in _nearest(moments[entity.name], here):
                    pair = abs(there[0] - here[0]), here, there
                    key = here[1], entity.name
                    if pair[0] <= GAP_S and (key not in best or pair < best[key]):
                        best[key] = pair
    pairs = []
    for (number, other), (gap, here, there) in sorted(best.items(), key=lambda item: (item[1][0], item[0])):
        host = detections[here[2]].host
        reason = f"a session or connection between {host} and {other}, {gap:.0f} s apart"
        pairs.append((_Mention(number, here[2], host), _Mention(there[1], there[2], other), reason))
    return pairs


def _nearest(there: Sequence[_Moment], here: _Moment) -> list[_Moment]:
    """The last moment before and the first after, of other groups."""
    place = bisect_left(there, (here[0],))
    return [each for each in there[max(0, place - 1) : place + 1] if each[1] != here[1]]


def _pairs(detections: Sequence[Detection], groups: Sequence[Sequence[int]]) -> list[tuple[_Mention, _Mention, str]]:
    """Two groups and what only they name, the nearest in time first."""
    named: defaultdict[tuple[str, str], dict[int, _Mention]] = defaultdict(dict)
    for number, members in enumerate(groups):
        for at in members:
            each = detections[at]
            for entity in each.entities:
                if each.time is not None and each.host and _strong(entity):
                    mention = named[entity.kind, entity.name].setdefault(number, _Mention(number, at, each.host))
                    mention.times.append(each.time)
    found = []
    for (kind, name), mentions in named.items():
        if len(mentions) != 2:
            continue
        first, second = mentions.values()
        gap = max(min(second.times) - max(first.times), min(first.times) - max(second.times), 0.0)
        if first.host != second.host and gap <= GAP_S:
            reason = f"both name {kind} {name}, {gap:.0f} s apart on {first.host} and {second.host}"
            found.append((gap, kind, name, first, second, reason))
    found.sort(key=lambda each: each[:3])
    return [each[3:] for each in found]


def _strong(entity: Entity) -> bool:
    return entity.kind in STRONG and ties(entity) and entity.name not in GENERIC
