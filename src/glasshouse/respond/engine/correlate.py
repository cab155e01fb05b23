"""Correlations over matches: gathered while events stream by, decided on event time at the end.

Since everything is sorted by time first, events that arrive late or from several files count where they belong.
Matches without a time, or without a value for a group-by field, belong to no group; both are counted and reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from glasshouse.respond.engine.entities import entity_of, host_of
from glasshouse.respond.engine.run import Match
from glasshouse.respond.engine.texts import Event, lookup, text
from glasshouse.respond.engine.times import event_time
from glasshouse.respond.engine.windows import Occurrence, windows
from glasshouse.respond.sigma.ir import Correlation, RuleSet
from glasshouse.words.incident import Detection, Entity, RuleProblem

MAX_OCCURRENCES = 2_000_000
MAX_CITED = 20
MAX_NESTING = 16

Group = tuple[str, ...]


class Correlator:
    """Collects matches for the correlations of a rule set."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._users: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, each in enumerate(rules.correlations):
            for position, key in enumerate(each.rules):
                self._users[key].append((number, position))
        self._found: list[defaultdict[Group, list[Occurrence]]] = [defaultdict(list) for _ in rules.correlations]
        self._count = 0
        self._without_time: set[int] = set()
        self._dropped: set[int] = set()

    def wants(self, rule: int) -> bool:
        """Whether some correlation uses rule number ``rule``."""
        ref = self._rules.rules[rule]
        return ref.ref.id in self._users or ref.name in self._users

    def add(self, match: Match) -> None:
        """Takes a match of a rule that some correlation uses."""
        rule = self._rules.rules[match.rule]
        time = event_time(match.event)
        for key in {rule.ref.id, rule.name} & self._users.keys():
            for number, position in self._users[key]:
                self._take(number, position, key, match, time)

    def _take(self, number: int, position: int, key: str, match: Match, time: float | None) -> None:
        each = self._rules.correlations[number]
        if time is None:
            self._without_time.add(number)
            return
        if self._count >= MAX_OCCURRENCES:
            self._dropped.add(number)
            return
        group = _group(each, key, match.event, match.names)
        if group is None:
            return
        field = each.fields[0] if each.fields else ""
        value = _field(each, field, key, match.event, match.names) if field else ""
        self._count += 1
        self._found[number][group].append(
            Occurrence(time, position, value or "", match.source, match.record, host_of(match.event))
        )

    def occurrences(self, number: int) -> list[list[Occurrence]]:
        """What was gathered for correlation ``number``, by group."""
        return list(self._found[number].values())

    def detections(self) -> Iterator[Detection]:
        """The detections of all correlations; those that others use come first."""
        for number in self._order():
            each = self._rules.correlations[number]
            for group, found in sorted(self._found[number].items()):
                found.sort()
                for window in windows(each, found):
                    part = found[window.start : window.end]
                    self._feed(each, group, part)
                    if each.output:
                        yield _detection(each, group, part, window.result)

    def _order(self) -> list[int]:
        names = {key: n for n, each in enumerate(self._rules.correlations) for key in (each.ref.id, each.name) if key}
        done: dict[int, None] = {}

        def place(number: int, depth: int) -> None:
            if number in done or depth > MAX_NESTING:
                return
            for key in self._rules.correlations[number].rules:
                if key in names and names[key] != number:
                    place(names[key], depth + 1)
            done[number] = None

        for number in range(len(self._rules.correlations)):
            place(number, 0)
        return list(done)

    def _feed(self, each: Correlation, group: Group, part: list[Occurrence]) -> None:
        """A result of one correlation is an occurrence for another that has the same group-by fields."""
        last = part[-1]
        fields = dict(zip(each.group_by, group, strict=True))
        for key in {each.ref.id, each.name} & self._users.keys():
            for number, position in self._users[key]:
                target = self._rules.correlations[number]
                inner = _group(target, key, fields, {})
                if inner is not None:
                    value = text(fields.get(target.fields[0])) if target.fields else ""
                    self._found[number][inner].append(
                        Occurrence(last.time, position, value or "", last.source, last.record, last.host)
                    )

    def problems(self) -> Iterator[RuleProblem]:
        """Correlations that could not see everything."""
        for number in sorted(self._without_time | self._dropped):
            ref = self._rules.correlations[number].ref
            if number in self._without_time:
                yield RuleProblem(ref.id, ref.title, "no-time", "some matches carry no time and were left out")
            if number in self._dropped:
                reason = f"more than {MAX_OCCURRENCES:,} matches to correlate; later ones were left out"
                yield RuleProblem(ref.id, ref.title, "too-many", reason)


def _field(each: Correlation, name: str, key: str, event: Event, names: Mapping[str, str]) -> str | None:
    field = each.aliases.get(name, {}).get(key, name)
    return text(lookup(event, names.get(field, field)))


def _group(each: Correlation, key: str, event: Event, names: Mapping[str, str]) -> Group | None:
    found = [_field(each, name, key, event, names) for name in each.group_by]
    return None if None in found else tuple(str(value) for value in found)


def _detection(each: Correlation, group: Group, part: list[Occurrence], result: float) -> Detection:
    hosts = {item.host for item in part if item.host}
    host = hosts.pop() if len(hosts) == 1 else ""
    entities = [Entity("host", host)] if host else []
    for name, value in zip(each.group_by, group, strict=True):
        found = entity_of(name, value, host)
        if found is not None:
            entities.append(found)
    cited = ", ".join(str(item.record) for item in part[:MAX_CITED]) + (", ..." if len(part) > MAX_CITED else "")
    evidence = [*zip(each.group_by, group, strict=True), (each.kind, f"{result:g}"), ("records", cited)]
    if each.fields and each.kind == "value_count":
        values = ", ".join(sorted({item.value for item in part})[:MAX_CITED])
        evidence.insert(-1, (each.fields[0], values[:500]))
    return Detection(
        each.ref, part[-1].time, host, part[-1].source, part[-1].record, tuple(entities), tuple(evidence), len(part)
    )
