"""What an analysis finds: flows into sinks, facts about single places, and which of several at one place is told.

Findings come in any order; the same ones are kept whatever the order is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan.interp import sources
from glasshouse.scan.interp.matcher import Matcher
from glasshouse.scan.interp.models import MatchModel, SinkModel
from glasshouse.scan.interp.stores import STORED
from glasshouse.scan.interp.summary import SinkHit
from glasshouse.scan.interp.values import Label, Mark, Obj, Step, Taint, Value
from glasshouse.scan.program import Fn
from glasshouse.scan.rules import schema

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.units import Unit


class Flow(NamedTuple):
    """Tainted data reached a sink (``label`` is a source, or a parameter for library findings)."""

    rule: schema.Rule
    sink: str  # callee path
    act: str  # what the sink does with the data ("runs it as a shell command")
    confidence: str | None
    fn: Fn
    span: int
    label: Label
    step: Step | None
    built: bool


class Fact(NamedTuple):
    """A finding that is not about data flow."""

    rule: schema.Rule
    fn: Fn
    span: int
    details: Mapping[str, str]
    confidence: str | None


class Root:
    """One stretch of analysis with its own heap and budget: a module body, an entry point, or one summary."""

    __slots__ = ("checked", "concrete", "created", "fn", "listening", "sinks", "stack", "tainted")

    def __init__(self, fn: Fn, concrete: bool) -> None:
        self.fn = fn
        self.concrete = concrete
        self.checked: set[Fn] = set()  # functions that run on a request that a framework has checked
        self.sinks: dict[tuple[str, int, int, Label], SinkHit] = {}
        self.created: list[tuple[Obj, Any, Frame, int]] = []
        self.listening: dict[tuple[Frame, Fn, int], set[tuple[str, Label]]] = {}  # see `entry_points.news`
        self.stack: list[Fn] = []
        self.tainted = False  # real source data has been seen


class Findings:
    """Collects what is found, keyed so that repeats fall together."""

    root: Root
    unit: Unit

    def __init__(self, matchers: dict[str, Matcher]) -> None:
        self.matchers = matchers
        self.built_bit = next(iter(matchers.values())).built_bit

    def hit(self, frame: Frame, sink: SinkModel, taint: Taint, span: int, value: Value) -> None:
        """Tainted data is at a sink."""
        for label, (bits, step) in taint.items():
            if bits & sink.bit:
                self.flow(sink, frame.fn, span, label, bits, step, bool(bits & self.built_bit))

    def flow(self, sink: SinkModel, fn: Fn, span: int, label: Label, bits: int, step: Step | None, built: bool) -> None:
        if label.kind == "param":
            if sink.rule.sources and not sink.rule.source_kinds:
                return
            key = (sink.rule.id, fn.module.index, span, label)
            sinks = self.root.sinks
            have = sinks.get(key)
            if (have is None and len(sinks) < 60) or (have is not None and built and not have.built):
                sinks[key] = SinkHit(sink, fn, span, label, step, built)
            return
        rule = sink.rule
        if label.source == STORED:
            self.record_read(Flow(rule, sink.name, sink.label, sink.confidence, fn, span, label, step, built))
            return
        if label.kind == "private":
            if label.source != rule.id:
                return
            if rule.source_kinds:  # beside its real sources, these are guesses
                self.record_guess(Flow(rule, sink.name, sink.label, "low", fn, span, label, step, True))
                return
        elif not allowed(rule, label):
            return
        self.record(Flow(rule, sink.name, sink.label, sink.confidence, fn, span, label, step, built))

    def record(self, flow: Flow) -> None:
        keep_flow(self.unit.flows, flow)

    def record_read(self, flow: Flow) -> None:
        """A flow from a place of a store (see ``stores``)."""
        keep_read(self.unit.reads, flow)

    def record_kept(self, place: str, label: Label, mark: Mark) -> None:
        keep_mark(self.unit.kept, place, label, mark)

    def record_guess(self, flow: Flow) -> None:
        keep_flow(self.unit.guesses, flow)

    def report_match(self, frame: Frame, match: MatchModel, name: str, span: int) -> None:
        self.report_rule(match.rule, frame.fn, span, {"sink": name, "name": name}, match.confidence)

    def report_rule(
        self, rule: schema.Rule, fn: Fn, span: int, details: Mapping[str, str], confidence: str | None
    ) -> None:
        self.record_fact(Fact(rule, fn, span, details, confidence))

    def record_fact(self, fact: Fact) -> None:
        keep_fact(self.unit.facts, fact)


def allowed(rule: schema.Rule, label: Label) -> bool:
    """Whether data of a real source counts for a rule."""
    return label.source in rule.source_kinds if rule.source_kinds else not rule.sources


def keep_flow(table: dict[tuple[str, int, int], Flow], flow: Flow) -> None:
    """Of several flows for one rule and place, the best one stays."""
    key = (flow.rule.id, flow.fn.module.index, flow.span)
    have = table.get(key)
    if have is None or sources.better(flow, have):
        table[key] = flow


def keep_read(table: dict[tuple[str, int, int, str], Flow], flow: Flow) -> None:
    """Of several flows from one place of a store into one sink, the best one stays."""
    key = (flow.rule.id, flow.fn.module.index, flow.span, flow.label.text)
    have = table.get(key)
    if have is None or sources.better(flow, have):
        table[key] = flow


def keep_mark(table: dict[tuple[str, Label], Mark], place: str, label: Label, mark: Mark) -> None:
    """What is kept at a place is dangerous for whatever any write of it is; of several ways, always the same stays."""
    have = table.get((place, label))
    if have is not None:
        first = min(have[1], mark[1], key=lambda step: (sources.way_length(step), step[:3] if step else ()))
        mark = (have[0] | mark[0], first)
    table[place, label] = mark


def keep_fact(table: dict[tuple[str, int, int], Fact], fact: Fact) -> None:
    """Of several facts for one rule and place, always the same one stays."""
    key = (fact.rule.id, fact.fn.module.index, fact.span)
    have = table.get(key)
    if have is None or fact_order(fact) < fact_order(have):
        table[key] = fact


def fact_order(fact: Fact) -> tuple[object, ...]:
    """Which of several findings at one place is told: always the same, in whatever order they come."""
    return sorted(fact.details.items()), fact.confidence or "", fact.fn.index
