"""The analysis of a large program in parts, each with its own share of the roots and in a process of its own.

Every part sees the whole program, with all module bodies run; it makes the summaries it needs itself.  The parts are
the same whatever the number of processes, and so is what they find together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from glasshouse.scan.analysis import Progress, WeakHit, interpreted, run_modules, run_roots, weak_hits
from glasshouse.scan.execute import Done, ExecutorLimits, available_cores
from glasshouse.scan.interp.findings import Fact, Flow
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.values import Step
from glasshouse.scan.program import Fn, Module
from glasshouse.scan.rules.schema import Rule
from glasshouse.scan.worker_pool import WorkerPool, forks

MAX_PARTS = 8
Place = tuple[int, int]  # a function: file and position in it


class FlowRow(msgspec.Struct, array_like=True):
    """A ``Flow`` or ``WeakHit`` (then ``owner`` and ``index`` are set instead of ``label``)."""

    rule: str
    sink: str
    act: str
    confidence: str | None
    fn: Place
    span: int
    step: int
    label: tuple[str, str, str, Place] | None = None
    built: bool = False
    owner: Place = (0, 0)
    index: int = 0


class FactRow(msgspec.Struct, array_like=True):
    """A ``Fact``."""

    rule: str
    fn: Place
    span: int
    details: dict[str, str]
    confidence: str | None


class Outcome(msgspec.Struct, array_like=True):
    """What one part found and did.  ``steps``: file, span, text, and the positions of ``before`` and ``inner``."""

    steps: list[tuple[int, int, str, int, int]]
    flows: list[FlowRow]
    guesses: list[FlowRow]
    weak: list[FlowRow]
    facts: list[FactRow]
    called: list[Place]
    entries: list[Place]
    capped: list[Place]
    failed: dict[int, str]
    exhausted: dict[int, int]
    cut: int
    widened: list[Place]


class Work(NamedTuple):
    """What forked workers find in their memory."""

    machine: Machine
    parts: list[list[Module]]


_work: list[Work] = []


def run(
    machine: Machine, progress: Progress | None, jobs: int, size: int, again: Callable[[], Machine]
) -> list[WeakHit]:
    """Run parts of about ``size`` instructions and put what they found into the machine, which has run all modules.

    ``again`` makes another machine for the same program.  The result is what parameters reach, in the program's order.
    """
    parts = parts_of(machine, size)
    weak: list[WeakHit] = []
    before = machine.budget.cut
    for number, data in enumerate(outcomes(machine, parts, jobs, size, again)):
        if isinstance(data, bytes):
            weak += Reader(machine, DECODER.decode(data)).absorb(before)
        else:
            for module in parts[number]:
                machine.failed.setdefault(module, f"the analysis of a part of the program ended: {data}")
        if progress is not None:
            progress(number + 1, len(parts))
    return weak


def parts_of(machine: Machine, size: int) -> list[list[Module]]:
    """Modules by part: neighbours together, each part about the same number of instructions."""
    modules = interpreted(machine)
    weights = [sum(machine.budget.size(fn) for fn in module.functions) for module in modules]
    total = sum(weights)
    count = max(1, min(MAX_PARTS, total // size))
    found: list[list[Module]] = [[] for _ in range(count)]
    done = 0
    for module, weight in zip(modules, weights, strict=True):
        found[min(count - 1, done * count // total)].append(module)
        done += weight
    return found


def outcomes(
    machine: Machine, parts: list[list[Module]], jobs: int, size: int, again: Callable[[], Machine]
) -> Iterator[bytes | str]:
    """What each part found, in order; a text says why there is nothing."""
    if not forks():  # processes that share no memory would have to be sent the program
        for number in range(len(parts)):
            other = again()
            run_modules(other)
            yield outcome(other, parts_of(other, size)[number])
        return
    _work[:] = [Work(machine, parts)]
    limits = ExecutorLimits(item_seconds=0, chunks_per_worker=1)
    try:
        with WorkerPool(jobs or available_cores(), limits) as pool:
            for item in pool.map_chunks(run_part, [[number] for number in range(len(parts))]):
                yield item.value if isinstance(item, Done) else item.reason
    finally:
        _work.clear()


def run_part(number: int) -> bytes:
    """One part, in a process that was forked for it."""
    work = _work[0]
    return outcome(work.machine, work.parts[number])


def outcome(machine: Machine, modules: Sequence[Module]) -> bytes:
    """Run the roots of some modules; MessagePack of what there is to tell."""
    run_roots(machine, modules, None)
    writer = Writer()
    functions = list(machine.program.functions())
    return ENCODER.encode(
        Outcome(
            flows=[writer.flow(flow) for flow in machine.flows.values()],
            guesses=[writer.flow(flow) for flow in machine.guesses.values()],
            weak=[writer.weak(hit) for hit in weak_hits(modules)],
            facts=[
                FactRow(fact.rule.id, fact.fn.id, fact.span, dict(fact.details), fact.confidence)
                for fact in machine.facts.values()
            ],
            called=[fn.id for fn in functions if fn.called],
            entries=[fn.id for fn in functions if fn.entry],
            capped=[fn.id for fn in machine.capped_roots],
            failed={module.index: reason for module, reason in machine.failed.items()},
            exhausted={module.index: count for module, count in machine.budget.exhausted.items()},
            cut=machine.budget.cut,
            widened=list(machine.widened),
            steps=writer.rows,
        )
    )


class Writer:
    """Makes rows of flows; steps that flows share are written once."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, str, int, int]] = []
        self._known: dict[int, int] = {}

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
                known[id(item)] = len(self.rows)
                self.rows.append((item.file, item.span, item.text, before, inner))
        return -1 if step is None else known[id(step)]

    def flow(self, flow: Flow) -> FlowRow:
        label = flow.label
        return FlowRow(
            flow.rule.id,
            flow.sink,
            flow.act,
            flow.confidence,
            flow.fn.id,
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
            hit.place.id,
            hit.span,
            self.step(hit.step),
            owner=hit.fn.id,
            index=hit.parameter,
        )


class Reader:
    """Puts the outcome of a part into the machine that has run no roots."""

    def __init__(self, machine: Machine, found: Outcome) -> None:
        self.machine = machine
        self.found = found
        self.rules: dict[str, Rule] = {}
        for matcher in machine.matchers.values():
            self.rules.update(matcher.rules)
        self.steps: list[Step | None] = []
        for file, span, text, before, inner in found.steps:
            self.steps.append(Step(file, span, text, self.step(before), self.step(inner)))

    def step(self, position: int) -> Step | None:
        return None if position < 0 else self.steps[position]

    def fn(self, place: Place) -> Fn:
        return self.machine.program.modules[place[0]].functions[place[1]]

    def flow(self, row: FlowRow) -> Flow:
        assert row.label is not None
        return Flow(
            self.rules[row.rule],
            row.sink,
            row.act,
            row.confidence,
            self.fn(row.fn),
            row.span,
            self.machine.source_label(*row.label),
            self.step(row.step),
            row.built,
        )

    def weak(self, row: FlowRow) -> WeakHit:
        return WeakHit(
            self.fn(row.owner),
            row.index,
            self.rules[row.rule],
            row.sink,
            row.act,
            row.confidence,
            self.fn(row.fn),
            row.span,
            self.step(row.step),
        )

    def absorb(self, before: int) -> list[WeakHit]:
        """``before``: the calls cut off when the parts began, which every part has counted."""
        machine, found = self.machine, self.found
        for row in found.flows:
            machine.record(self.flow(row))
        for row in found.guesses:
            machine.record_guess(self.flow(row))
        for fact in found.facts:
            machine.record_fact(Fact(self.rules[fact.rule], self.fn(fact.fn), fact.span, fact.details, fact.confidence))
        for place in found.called:
            self.fn(place).called = True
        for place in found.entries:
            self.fn(place).entry = True
        machine.capped_roots.update((self.fn(place), None) for place in found.capped)
        modules = machine.program.modules
        for index, reason in found.failed.items():
            machine.failed.setdefault(modules[index], reason)
        for index, count in found.exhausted.items():
            have = machine.budget.exhausted.get(modules[index], 0)
            machine.budget.exhausted[modules[index]] = max(have, count)
        machine.budget.cut += found.cut - before
        machine.widened.update((place, None) for place in found.widened)
        return [self.weak(row) for row in found.weak]


ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Outcome] = msgspec.msgpack.Decoder(Outcome)
