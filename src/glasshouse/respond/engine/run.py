"""The engine over chunks of events: batches, groups by log source, matches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from glasshouse.respond.engine.columns import rows_of
from glasshouse.respond.engine.enrich import enrich
from glasshouse.respond.engine.evaluate import Evaluator, Group
from glasshouse.respond.engine.lineage import Lineage
from glasshouse.respond.engine.matcher import FieldMatcher
from glasshouse.respond.engine.route import Router, SourceTag
from glasshouse.respond.engine.slow import SlowPredicates
from glasshouse.respond.sigma.ir import STRING_KINDS, RuleSet
from glasshouse.words.incident import RuleProblem

BATCH_EVENTS = 16_000
BATCH_BYTES = 32_000_000
"""A batch ends at whichever comes first; together they bound the memory of a run."""


class Match(msgspec.Struct, frozen=True):
    """Rule number ``rule`` matched ``event``, which is number ``record`` of ``source``."""

    rule: int
    event: dict[str, Any]
    source: str
    record: int
    tag: SourceTag
    names: dict[str, str]


class Engine:
    """Feeds batches to the rules.  ``events`` and ``unrouted`` count what came in and what no rule looks at."""

    def __init__(self, rules: RuleSet, classify: Callable[[dict[str, Any]], SourceTag]) -> None:
        self._rules = rules
        self._classify = classify
        self._router = Router(rules)
        by_field: defaultdict[str, list[Any]] = defaultdict(list)
        for number, each in enumerate(rules.predicates):
            if each.kind in STRING_KINDS:
                by_field[each.field].append((number, each))
        self._slow = SlowPredicates(rules.predicates)
        matchers = {field: FieldMatcher(items) for field, items in by_field.items()}
        self._evaluator = Evaluator(rules.predicates, self._router.expressions, matchers, self._slow)
        self._groups: defaultdict[SourceTag, tuple[list[dict[str, Any]], list[tuple[str, int]]]]
        self._groups = defaultdict(lambda: ([], []))
        self._held = self._bytes = 0
        self.lineage = Lineage()
        self.events = 0
        self.unrouted = 0

    def feed(
        self, source: str, first: int, events: list[dict[str, Any]], size: int, tag: SourceTag | None
    ) -> Iterator[Match]:
        """Takes some events; yields matches whenever a batch is full."""
        groups, classify = self._groups, self._classify
        self.events += len(events)
        if tag is not None:
            group, places = groups[tag]
            group += events
            places += [(source, record) for record in range(first, first + len(events))]
        else:
            for record, event in enumerate(events, first):
                group, places = groups[classify(event)]
                group.append(event)
                places.append((source, record))
        self._held += len(events)
        self._bytes += size
        if self._held >= BATCH_EVENTS or self._bytes >= BATCH_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[Match]:
        """The matches among the events that are held."""
        groups = self._groups
        self._groups = defaultdict(lambda: ([], []))
        self._held = self._bytes = 0
        for tag, (events, places) in groups.items():
            self.lineage.observe(tag, events)
            sections = self._router.sections(tag)
            if not sections:
                self.unrouted += len(events)
                continue
            enrich(tag, events)
            group = Group(events)
            for section in sections:
                for rule, bits in self._evaluator.matches(section, group):
                    for row in rows_of(bits):
                        source, record = places[row]
                        yield Match(rule, events[row], source, record, tag, section.names)

    def problems(self) -> Iterator[RuleProblem]:
        """Rules that were not evaluated on every event."""
        for number, count in sorted(self._slow.timed_out.items()):
            pattern = self._rules.predicates[number].value
            reason = f"its regular expression took too long on {count:,} values, which count as not matched: {pattern}"
            for rule in self._router.using(number):
                ref = self._rules.rules[rule].ref
                yield RuleProblem(ref.id, ref.title, "regex-timeout", reason[:300])
