"""Matches of signs, counted by host and minute: what speaks for a technique without being a detection."""

from __future__ import annotations

from glasshouse.respond.engine.entities import host_of
from glasshouse.respond.engine.run import Match
from glasshouse.respond.engine.times import event_time
from glasshouse.respond.sigma.ir import RuleSet
from glasshouse.words.incident import Sighting

MAX_SEEN = 100_000
MINUTE_S = 60


class Sightings:
    """Takes the matches of signs out of a run; ``others`` counts the rules that are none."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._is_sign = [rule.ref.kind == "sign" for rule in rules.rules]
        self.others = self._is_sign.count(False)
        self._seen: dict[tuple[int, str, int], list[float]] = {}

    def take(self, match: Match) -> bool:
        """Whether the match was one of a sign, which is kept if its event has a time."""
        if not self._is_sign[match.rule]:
            return False
        time = event_time(match.event)
        if time is not None:
            key = match.rule, host_of(match.event), int(time // MINUTE_S)
            known = self._seen.get(key)
            if known is not None:
                known[0], known[1] = min(known[0], time), known[1] + 1
            elif len(self._seen) < MAX_SEEN:
                self._seen[key] = [time, 1]
        return True

    def seen(self) -> tuple[Sighting, ...]:
        """What was seen, in order of time."""
        found = [
            Sighting(self._rules.rules[rule].ref, host, first, int(count))
            for (rule, host, _), (first, count) in self._seen.items()
        ]
        return tuple(sorted(found, key=lambda each: (each.time, each.host, each.sign.id)))
