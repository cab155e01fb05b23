"""What units of the analysis found, as plain data that can be sent and kept, and all of it together.

Functions and classes are numbered through the program, in its order (``Numbers``); steps that ways share are written
once and referred to by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import accumulate, chain

import msgspec

from glasshouse.scan.analysis import WeakHit, weak_hits
from glasshouse.scan.interp.findings import Fact, Flow, keep_fact, keep_flow, keep_mark, keep_read
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.units import ENTRY, MODULES, PLAN, STATE, SUMMARY, Key, Unit
from glasshouse.scan.interp.values import Label, Mark, Step
from glasshouse.scan.program import Cls, Fn, Module, Program
from glasshouse.scan.rules.schema import Rule

KINDS = 5
LabelRow = tuple[str, str, str, tuple[int, int]]  # kind, source, text, place
StepRow = tuple[int, int, str, int, int]  # file, span, text, and the positions of ``before`` and ``inner``


class FlowRow(msgspec.Struct, array_like=True):
    """A ``Flow`` or ``WeakHit`` (then ``owner`` and ``index`` are set instead of ``label``)."""

    rule: str
    sink: str
    act: str
    confidence: str | None
    fn: int
    span: int
    step: int
    label: LabelRow | None = None
    built: bool = False
    owner: int = 0
    index: int = 0
    field: str = ""


class FactRow(msgspec.Struct, array_like=True):
    """A ``Fact``."""

    rule: str
    fn: int
    span: int
    details: dict[str, str]
    confidence: str | None


class KeptRow(msgspec.Struct, array_like=True):
    """What is kept at a place of a store: the classes it is dangerous for (a number in hexadecimal), the way there."""

    place: str
    label: LabelRow
    mask: str
    step: int


class Details(msgspec.Struct, array_like=True):
    """What few units have: what was found, and what is told of functions (by number), calls and dropped results."""

    flows: list[FlowRow] = []
    guesses: list[FlowRow] = []
    weak: list[FlowRow] = []
    facts: list[FactRow] = []
    entries: list[int] = []
    capped: list[int] = []
    widened: list[tuple[int, int]] = []
    dropped: dict[int, int] = {}  # of modules
    remade: int = 0
    asked: list[str] = []
    reads: list[FlowRow] = []
    kept: list[KeptRow] = []
    checked: list[int] = []


class UnitRow(msgspec.Struct, array_like=True):
    """A ``Unit``.  ``key`` and ``needs`` are numbers of units, ``cost`` is by module, all others of functions."""

    key: int
    touched: list[int]
    needs: list[int]
    called: list[int]
    cost: dict[int, int]
    details: Details | None = None


class Outcome(msgspec.Struct, array_like=True):
    """What some units found, and what running them took.  ``over``: modules whose units may have been cut short."""

    units: list[UnitRow]
    steps: list[StepRow]
    failed: dict[int, str]
    exhausted: dict[int, int]
    cut: int
    deepest: int
    settled: bool
    over: list[int] = []


ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Outcome] = msgspec.msgpack.Decoder(Outcome)


class Numbers:
    """Functions, classes and units by number."""

    def __init__(self, program: Program) -> None:
        self.functions = list(chain.from_iterable(module.functions for module in program.modules))
        self.classes = [cls for module in program.modules for cls in module.classes]
        self.modules = program.modules
        self._starts = list(accumulate((len(module.functions) for module in program.modules), initial=0))
        self._class_starts = list(accumulate((len(module.classes) for module in program.modules), initial=0))

    def fn(self, fn: Fn) -> int:
        return self._starts[fn.module.index] + fn.index

    def cls(self, cls: Cls) -> int:
        return self._class_starts[cls.module.index] + cls.index

    def of_module(self, module: Module) -> range:
        """The numbers of a module's functions."""
        return range(self._starts[module.index], self._starts[module.index + 1])

    def unit(self, key: Key) -> int:
        kind, item = key
        if item.__class__ is Fn:
            number = self.fn(item)
        elif item.__class__ is Cls:
            number = self.cls(item)
        else:
            number = item.index if item is not None else 0
        return number * KINDS + kind

    def key(self, unit: int) -> Key:
        number, kind = divmod(unit, KINDS)
        if kind in (ENTRY, SUMMARY):
            return kind, self.functions[number]
        if kind == STATE:
            return kind, self.classes[number]
        return kind, self.modules[number] if kind == PLAN else None


class Writer:
    """Makes rows."""

    def __init__(self, numbers: Numbers) -> None:
        self.steps: list[StepRow] = []
        self._known: dict[int, int] = {}
        self._numbers = numbers

    def step(self, step: Step | None) -> int:
        """The position of a step's row; -1 for none.  Steps are linked without bound, so this does not recur."""
        known = self._known
        stack = [step] if step is not None else []
        while stack:
            item = stack[-1]
            later = [one for one in (item.before, item.inner) if one is not None and id(one) not in known]
            if later:
                stack += later
                continue
            stack.pop()
            if id(item) not in known:
                before = -1 if item.before is None else known[id(item.before)]
                inner = -1 if item.inner is None else known[id(item.inner)]
                known[id(item)] = len(self.steps)
                self.steps.append((item.file, item.span, item.text, before, inner))
        return -1 if step is None else known[id(step)]

    def unit(self, unit: Unit) -> UnitRow:
        numbers = self._numbers
        needs = unit.needs if unit.key[0] != MODULES else ()  # of modules, only what they looked into counts
        return UnitRow(
            numbers.unit(unit.key),
            sorted(map(numbers.fn, unit.touched)),
            sorted(map(numbers.unit, needs)),
            sorted(map(numbers.fn, unit.called)),
            dict(unit.cost),
            self.details(unit),
        )

    def details(self, unit: Unit) -> Details | None:
        weak = weak_hits(unit.key[1]) if unit.key[0] == SUMMARY else ()
        tables = unit.flows or unit.guesses or unit.facts or unit.entries or unit.checked or unit.capped or unit.widened
        stores = unit.reads or unit.kept
        if not (weak or tables or stores or unit.dropped or unit.remade or unit.asked):
            return None  # most have nothing to tell
        return Details(
            [self.flow(flow) for flow in unit.flows.values()],
            [self.flow(flow) for flow in unit.guesses.values()],
            [self.weak(hit) for hit in weak],
            [self.fact(fact) for fact in unit.facts.values()],
            sorted(map(self._numbers.fn, unit.entries)),
            sorted(map(self._numbers.fn, unit.capped)),
            list(unit.widened),
            dict(unit.dropped),
            unit.remade,
            sorted(unit.asked),
            [self.flow(flow) for flow in unit.reads.values()],
            [self.kept(place, label, mark) for (place, label), mark in unit.kept.items()],
            sorted(map(self._numbers.fn, unit.checked)),
        )

    def kept(self, place: str, label: Label, mark: Mark) -> KeptRow:
        return KeptRow(place, (label.kind, label.source, label.text, label.place), f"{mark[0]:x}", self.step(mark[1]))

    def flow(self, flow: Flow) -> FlowRow:
        label = flow.label
        return FlowRow(
            flow.rule.id,
            flow.sink,
            flow.act,
            flow.confidence,
            self._numbers.fn(flow.fn),
            flow.span,
            self.step(flow.step),
            (label.kind, label.source, label.text, label.place),
            flow.built,
        )

    def weak(self, hit: WeakHit) -> FlowRow:
        return FlowRow(
            hit.rule.id,
            hit.sink,
            hit.act,
            hit.confidence,
            self._numbers.fn(hit.place),
            hit.span,
            self.step(hit.step),
            owner=self._numbers.fn(hit.fn),
            index=hit.parameter,
            field=hit.field,
        )

    def fact(self, fact: Fact) -> FactRow:
        return FactRow(fact.rule.id, self._numbers.fn(fact.fn), fact.span, dict(fact.details), fact.confidence)


def outcome_of(machine: Machine, units: Iterable[Unit]) -> Outcome:
    """Plain data of some units of a machine, and what it took to run all of them."""
    budget = machine.budget
    writer = Writer(Numbers(machine.program))
    return Outcome(
        [writer.unit(unit) for unit in units],
        writer.steps,
        {module.index: reason for module, reason in machine.failed.items()},
        {module.index: count for module, count in budget.exhausted.items()},
        budget.cut,
        budget.deepest,
        machine.units.settled,
    )


class Merged:
    """All that was found in a program."""

    def __init__(self) -> None:
        self.flows: dict[tuple[str, int, int], Flow] = {}
        self.guesses: dict[tuple[str, int, int], Flow] = {}
        self.reads: dict[tuple[str, int, int, str], Flow] = {}
        self.kept: dict[tuple[str, Label], Mark] = {}
        self.facts: dict[tuple[str, int, int], Fact] = {}
        self.weak: list[WeakHit] = []
        self.called: set[Fn] = set()
        self.entries: set[Fn] = set()
        self.capped: set[Fn] = set()
        self.widened: set[tuple[int, int]] = set()
        self.failed: dict[Module, str] = {}
        self.exhausted: dict[Module, int] = {}
        self.cut = 0


def merged(machine: Machine, outcomes: Sequence[Outcome]) -> Merged:
    """All outcomes together: what is told at one place does not depend on their order."""
    found = Merged()
    checked = {number for outcome in outcomes for row in outcome.units if row.details for number in row.details.checked}
    alone = {number * KINDS + kind for number in checked for kind in (ENTRY, SUMMARY)}
    for outcome in outcomes:
        Reader(machine, outcome).into(found, alone)
    found.failed = dict(sorted(found.failed.items(), key=lambda item: item[0].index))
    found.exhausted = dict(sorted(found.exhausted.items(), key=lambda item: item[0].index))
    return found


class Reader:
    """Puts an outcome into what was found; the machine has run modules at most."""

    def __init__(self, machine: Machine, outcome: Outcome) -> None:
        self.machine = machine
        self.outcome = outcome
        self.functions = Numbers(machine.program).functions
        self.rules: dict[str, Rule] = {}
        for matcher in machine.matchers.values():
            self.rules.update(matcher.rules)
        self.steps: list[Step | None] = []
        for file, span, text, before, inner in outcome.steps:
            self.steps.append(Step(file, span, text, self.step(before), self.step(inner)))

    def step(self, position: int) -> Step | None:
        return None if position < 0 else self.steps[position]

    def flow(self, row: FlowRow) -> Flow:
        assert row.label is not None
        fn, label = self.functions[row.fn], self.machine.source_label(*row.label)
        rule, step = self.rules[row.rule], self.step(row.step)
        return Flow(rule, row.sink, row.act, row.confidence, fn, row.span, label, step, row.built)

    def weak(self, row: FlowRow) -> WeakHit:
        owner, fn = self.functions[row.owner], self.functions[row.fn]
        rule, step = self.rules[row.rule], self.step(row.step)
        return WeakHit(owner, row.index, rule, row.sink, row.act, row.confidence, fn, row.span, step, row.field)

    def flows(self, row: Details, found: Merged) -> None:
        """What data of real sources reaches, and what is kept at places of stores."""
        for flow in row.flows:
            keep_flow(found.flows, self.flow(flow))
        for flow in row.guesses:
            keep_flow(found.guesses, self.flow(flow))
        for flow in row.reads:
            keep_read(found.reads, self.flow(flow))
        for kept in row.kept:
            label = self.machine.source_label(*kept.label)
            keep_mark(found.kept, kept.place, label, (int(kept.mask, 16), self.step(kept.step)))

    def details(self, row: Details, found: Merged) -> None:
        functions = self.functions
        for fact in row.facts:
            rule, fn = self.rules[fact.rule], functions[fact.fn]
            keep_fact(found.facts, Fact(rule, fn, fact.span, fact.details, fact.confidence))
        found.entries.update(functions[number] for number in row.entries)
        found.capped.update(functions[number] for number in row.capped)
        found.widened.update(row.widened)

    def into(self, found: Merged, alone: Set[int] = frozenset()) -> None:
        """``alone``: units that run, for itself, a function whose data another unit has seen a framework check."""
        modules, functions = self.machine.program.modules, self.functions
        called: set[int] = set()
        for row in self.outcome.units:
            called.update(row.called)
            if row.details is not None:
                self.details(row.details, found)
                dropped = row.key in alone
                found.weak += [self.weak(hit) for hit in row.details.weak if hit.index or not dropped]
                if not dropped:
                    self.flows(row.details, found)
        found.called.update(functions[number] for number in called)
        for index, reason in self.outcome.failed.items():
            found.failed.setdefault(modules[index], reason)
        for index, count in self.outcome.exhausted.items():
            have = found.exhausted.get(modules[index], 0)
            found.exhausted[modules[index]] = max(have, count)
        found.cut += self.outcome.cut
