"""From logs to a report: read, detect, correlate, group, plan.  The only place where these meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from glasshouse.respond.engine.correlate import Correlator
from glasshouse.respond.engine.detect import Detections
from glasshouse.respond.engine.run import Engine, Match
from glasshouse.respond.engine.sightings import Sightings
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.sigma.ir import RuleSet
from glasshouse.words.incident import LEVEL_RANK, Detection, Level, NotRead, RuleProblem, Sighting

Progress = Callable[[int, int, int], None]
"""Called with bytes read, events seen and detections so far."""


class Settings(msgspec.Struct, frozen=True):
    """What a run keeps: detections of rules at or above ``min_level``, ``max_detections`` of them, and fewer per rule.

    ``source`` is the product and service of events that cannot be told by their fields.
    """

    min_level: Level = "low"
    max_detections: int = 200_000
    max_per_rule: int = 20_000
    source: tuple[str, str] = ("", "")


class Run(msgspec.Struct, frozen=True):
    """What was found: detections in order of time, and everything that was not analysed."""

    detections: tuple[Detection, ...]
    events: int
    bytes: int
    rules: int
    unrouted: int
    unknown: int
    not_read: tuple[NotRead, ...]
    problems: tuple[RuleProblem, ...]
    partial: bool = False
    left_out: int = 0
    sightings: tuple[Sighting, ...] = ()


def detect(
    chunks: Iterable[Chunk | NotRead],
    rules: RuleSet,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Run:
    """Runs the rules over the events.  Ctrl-C ends it early; what was found until then is returned as partial."""
    return _Session(rules, settings or Settings()).run(chunks, progress)


class _Session:
    def __init__(self, rules: RuleSet, settings: Settings) -> None:
        self._rules, self._settings = rules, settings
        self._classifier = Classifier(settings.source)
        self._engine = Engine(rules, self._classifier.tag)
        self._detections = Detections(rules)
        self._correlator = Correlator(rules)
        self._found: list[Detection] = []
        self._per_rule: Counter[int] = Counter()
        self._left_out = 0
        self._bytes = 0
        self._not_read: list[NotRead] = []
        least = LEVEL_RANK[settings.min_level]
        self._sightings = Sightings(rules)
        self._wanted = [
            rule.output and rule.ref.kind != "sign" and LEVEL_RANK[rule.ref.level] >= least for rule in rules.rules
        ]
        self._feeds = [self._correlator.wants(number) for number in range(len(rules.rules))]

    def run(self, chunks: Iterable[Chunk | NotRead], progress: Progress | None) -> Run:
        partial = False
        try:
            for item in chunks:
                if isinstance(item, NotRead):
                    self._not_read.append(item)
                    continue
                self._bytes += item.size
                self._take(self._engine.feed(item.source, item.first, item.events, item.size, item.tag))
                if progress is not None:
                    progress(self._bytes, self._engine.events, len(self._found))
            self._take(self._engine.flush())
        except KeyboardInterrupt:
            partial = True
        self._correlate()
        return self._result(partial)

    def _take(self, matches: Iterator[Match]) -> None:
        for match in matches:
            if self._sightings.take(match):
                continue
            if self._feeds[match.rule]:
                self._correlator.add(match)
            if self._wanted[match.rule]:
                self._per_rule[match.rule] += 1
                full = len(self._found) >= self._settings.max_detections
                if full or self._per_rule[match.rule] > self._settings.max_per_rule:
                    self._left_out += 1
                else:
                    self._found.append(self._detections.of(match))

    def _correlate(self) -> None:
        least = LEVEL_RANK[self._settings.min_level]
        for detection in self._correlator.detections():
            if LEVEL_RANK[detection.rule.level] >= least:
                self._found.append(detection)

    def _result(self, partial: bool) -> Run:
        found = [self._engine.lineage.with_ancestors(each) for each in self._found]
        found = sorted(found, key=lambda each: (each.time or 0.0, each.source, each.record, each.rule.id))
        problems = (*self._rules.problems, *self._engine.problems(), *self._correlator.problems())
        return Run(
            detections=tuple(found),
            events=self._engine.events,
            bytes=self._bytes,
            rules=self._sightings.others + len(self._rules.correlations),
            unrouted=self._engine.unrouted,
            unknown=self._classifier.unknown,
            not_read=tuple(self._not_read),
            problems=problems,
            partial=partial,
            left_out=self._left_out,
            sightings=self._sightings.seen(),
        )
