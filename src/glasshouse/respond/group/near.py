"""Which signs were seen near an incident: on one of its hosts, within minutes of one of its detections."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence

from glasshouse.words.incident import Detection, RuleRef, Sighting

NEAR_S = 180.0


class Nearby:
    """The sightings of a run by host, in order of time."""

    def __init__(self, sightings: Sequence[Sighting]) -> None:
        self._by_host: defaultdict[str, list[Sighting]] = defaultdict(list)
        for each in sorted(sightings, key=lambda each: (each.time, each.sign.id)):
            self._by_host[each.host].append(each)
        self._times = {host: [each.time for each in found] for host, found in self._by_host.items()}

    def to(self, group: Sequence[Detection]) -> Counter[RuleRef]:
        """The signs near a group of detections, and how often each was seen."""
        moments: defaultdict[str, list[float]] = defaultdict(list)
        for each in group:
            if each.time is not None:
                moments[each.host].append(each.time)
        found: Counter[RuleRef] = Counter()
        for host, times in moments.items():
            at, known = 0, self._times.get(host, [])
            for time in sorted(times):
                at = max(at, bisect_left(known, time - NEAR_S))
                while at < len(known) and known[at] <= time + NEAR_S:
                    sighting = self._by_host[host][at]
                    found[sighting.sign] += sighting.count
                    at += 1
        return found
