"""Detections to groups: the two clusters that most likely belong together are merged until none likely does.

What is certain (rules on one event, a rule that repeats for one process) starts as one cluster.  A merge is judged by
all that two clusters share, so one common value cannot merge two attacks; a merge keeps its strongest reason.  Every
cluster is compared with its neighbours in time only, which bounds the cost.
"""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from glasshouse.respond.group.across import joined_across
from glasshouse.respond.group.cluster import Cluster, Maker
from glasshouse.respond.group.likeness import FEATURES, Setting, features, model, reason
from glasshouse.respond.group.rarity import Rarity, bursts
from glasshouse.words.incident import Detection, Link

NEIGHBOURS = 8
SURE, TELLING = 0.5, 2.5
"""At least so likely are two clusters of one process, or of process and child, when it is at least so telling."""
_SAME, _CHILD = FEATURES.index("process"), FEATURES.index("parent")
HORIZON_S = 16 * 3600.0
"""Clusters further apart are never compared."""
REPEAT_S = 60.0
MAX_CLUSTERS = 4_000
"""With more to start from, what is near in time on a host starts as one (`_coarser`)."""
COARSE_S = (1.0, 10.0, 60.0, 600.0)

Judge = Callable[[list[float]], float]
"""Log-odds that two clusters with these features are one incident."""


class Grouping(msgspec.Struct, frozen=True):
    """Groups of positions in the detections, and the links within each."""

    groups: tuple[tuple[int, ...], ...]
    links: tuple[tuple[Link, ...], ...]


def grouped(detections: Sequence[Detection], judge: Judge | None = None) -> Grouping:
    """Detections (in order of time) as groups that belong together."""
    groups = Groups(detections)
    groups.merge(judge or model().log_odds)
    found = sorted(groups.clusters(), key=lambda each: each.members[0])
    links: defaultdict[int, list[Link]] = defaultdict(list)
    home = {at: number for number, each in enumerate(found) for at in each.members}
    for link in groups.links:
        links[home[link.first]].append(link)
    members, inside = joined_across(detections, [e.members for e in found], [links[n] for n in range(len(found))])
    return Grouping(tuple(map(tuple, members)), tuple(map(tuple, inside)))


class Groups:
    """Clusters of one run, host by host.  ``seen`` is told every pair that is judged; training listens there."""

    def __init__(
        self,
        detections: Sequence[Detection],
        seen: Callable[[Cluster, Cluster, list[float], float], None] | None = None,
    ) -> None:
        numbers = bursts(detections)
        self._detections, self._seen = detections, seen
        self._rarity = Rarity(detections, numbers)
        maker = Maker(detections, numbers, self._rarity)
        self.links: list[Link] = []
        self._hosts: defaultdict[str, list[Cluster]] = defaultdict(list)
        for members in self._certain():
            self._hosts[detections[members[0]].host].append(maker.cluster(members))

    def clusters(self) -> list[Cluster]:
        """The clusters as they are."""
        return [each for found in self._hosts.values() for each in found]

    def merge(self, judge: Judge) -> None:
        """Merges on every host, the likeliest pair first, until no pair is likelier one than two."""
        for host, clusters in self._hosts.items():
            clusters.sort(key=_place)
            self._merge_on(host, clusters, judge)

    def _merge_on(self, host: str, order: list[Cluster], judge: Judge) -> None:
        pauses = [math.log1p(b.first - a.first) for a, b in itertools.pairwise(order)]
        pauses = [each for each in pauses if each > math.log(2.0)]
        rate = sum(pauses) / len(pauses) if pauses else 0.0
        heap: list[tuple[float, int, Cluster, Cluster]] = []
        alive = {id(each) for each in order}
        judged: dict[tuple[int, int], Sequence[Cluster]] = {}
        count = 0

        def consider(a: Cluster, b: Cluster, setting: Setting) -> None:
            nonlocal count
            if max(a.first, b.first) - min(a.last, b.last) > HORIZON_S or judged.get((id(a), id(b))) == setting.near:
                return  # what was judged among the same neighbours would be judged alike
            judged[id(a), id(b)] = setting.near
            row = features(a, b, setting, self._rarity)
            odds = judge(row)
            if max(row[_SAME], row[_CHILD]) >= TELLING:
                odds = max(odds, SURE)
            if self._seen is not None:
                self._seen(a, b, row, odds)
            if odds > 0:
                heapq.heappush(heap, (-odds, count, a, b))
                count += 1

        def consider_all() -> None:
            for at, each in enumerate(order):
                setting = Setting(rate, order[max(0, at - NEIGHBOURS - 6) : at + NEIGHBOURS + 7], host, {})
                for other in order[at + 1 : at + 1 + NEIGHBOURS]:
                    consider(each, other, setting)

        consider_all()
        swept = False
        while heap or not swept:
            if not heap:  # what stood between two clusters may be part of one by now: all are looked at once more
                swept = True
                consider_all()
                continue
            odds, _, a, b = heapq.heappop(heap)
            if id(a) not in alive or id(b) not in alive:
                continue
            self._link(a, b, host, -odds)
            swept = False
            both = a.merged(b)
            alive -= {id(a), id(b)}
            alive.add(id(both))
            order.remove(a)
            order.remove(b)
            at = bisect_left(order, _place(both), key=_place)
            order.insert(at, both)
            setting = Setting(rate, order[max(0, at - NEIGHBOURS - 6) : at + NEIGHBOURS + 7], host, {})
            for other in order[max(0, at - NEIGHBOURS) : at] + order[at + 1 : at + 1 + NEIGHBOURS]:
                consider(both, other, setting)

    def _link(self, a: Cluster, b: Cluster, host: str, odds: float) -> None:
        why = reason(a, b, host, self._rarity)
        first, second = sorted((why.first, why.second))
        self.links.append(Link(first, second, why.words, round(odds, 2)))

    def _certain(self) -> Iterable[list[int]]:
        """Groups that need no judgement: rules on one event, one rule that repeats for one process within a minute."""
        homes: dict[tuple[object, ...], int] = {}
        last: dict[tuple[object, ...], float] = {}
        made: list[list[int]] = []
        for at, each in enumerate(self._detections):
            time = each.time or 0.0
            process = next((e.name for e in each.entities if e.kind == "process" and e.role in ("", "self")), "")
            event, repeat = ("event", each.host, each.source, each.record), ("repeat", each.host, each.rule.id, process)
            home = homes.get(event)
            why = "two rules on one event"
            if home is None and process and time - last.get(repeat, -math.inf) <= REPEAT_S:
                home, why = homes[repeat], f"{each.rule.title[:80]} again for process {process}"
            if home is None:
                home = len(made)
                made.append([])
            else:
                self.links.append(Link(made[home][-1], at, why, 9.0))
            made[home].append(at)
            homes[event] = homes[repeat] = home
            last[repeat] = time
        for pause in COARSE_S:
            if len(made) <= MAX_CLUSTERS:
                break
            made = self._coarser(made, pause)
        return made

    def _coarser(self, made: list[list[int]], pause: float) -> list[list[int]]:
        """With very many detections: what happens on a host within a moment starts as one."""
        last: dict[str, tuple[float, list[int]]] = {}
        found: list[list[int]] = []
        for members in sorted(made, key=lambda each: each[0]):
            host, time = self._detections[members[0]].host, self._detections[members[0]].time or 0.0
            before = last.get(host)
            if before is not None and time - before[0] <= pause:
                self.links.append(Link(before[1][0], members[0], f"within {pause:.0f} s on {host or 'one host'}", 0.5))
                before[1].extend(members)
                last[host] = (time, before[1])
            else:
                found.append(list(members))
                last[host] = (time, found[-1])
        return [sorted(each) for each in found]


def _place(cluster: Cluster) -> tuple[float, float, int]:
    return (cluster.first, cluster.last, cluster.members[0])
