"""Where analyses of the same tree are kept, and how one is taken up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.incremental.decode import Decoder
from glasshouse.scan.incremental.encode import PACK, UNPACK, encode_root
from glasshouse.scan.incremental.numbers import Numbers, class_shape, file_shape, function_shape, matched
from glasshouse.scan.incremental.snapshot import DECODER, RESULTS, VERSION, take
from glasshouse.scan.incremental.trace import Record, Trace
from glasshouse.scan.incremental.warm import CLEAN, WarmTrace
from glasshouse.scan.interp.machine import Fact, Flow, Machine

MAX_CHANGED = 0.3  # share of files that may differ


class Kept(NamedTuple):
    """Access to what is kept.  ``contents``: a key of each file's content, in order (None: not known)."""

    key: bytes
    contents: Sequence[bytes | None]
    load: Callable[[], bytes | None]
    save: Callable[[bytes], None]
    old_file: Callable[[bytes], ir.File | None]


def fresh_trace(machine: Machine) -> Trace:
    """A trace that records a full analysis."""
    trace = Trace(machine)
    numbers = Numbers(machine.program, machine.matchers)
    for module in machine.program.modules:
        numbers.add(module)

    def encode(record: Record, result: Any) -> bytes | None:
        if record.kind == "d":
            return plan_data(machine, numbers, record, result)
        return encode_root(trace, record, result, numbers) if record.kind in RESULTS else None

    trace.encode = encode
    trace.numbers = numbers
    machine.trace = trace
    return trace


def plan_data(machine: Machine, numbers: Numbers, record: Record, plan: Any) -> bytes:
    entries = machine.matchers[record.target.language].entries
    return PACK([[numbers.functions[fn], next(n for n, e in enumerate(entries) if e is entry)] for fn, entry in plan])


def keep(trace: Trace, kept: Kept) -> None:
    """Keep a full analysis for next time."""
    machine = trace.machine
    machine.widened += trace.wide.widened + sum(record.widened for record in trace.records.values())
    if all(kept.contents):
        data = take(trace, trace.numbers, kept.key, [item or b"" for item in kept.contents])
        if data is not None:
            kept.save(data)


def warm_trace(machine: Machine, kept: Kept) -> WarmTrace | None:
    """A trace that takes up the analysis that is kept, if there is one that is near enough."""
    data = kept.load()
    if data is None:
        return None
    try:
        snapshot = DECODER.decode(data)
    except msgspec.DecodeError:
        return None
    if snapshot.version != VERSION or snapshot.key != kept.key or snapshot.languages != sorted(machine.matchers):
        return None
    program = machine.program
    numbers = Numbers(program, machine.matchers, snapshot.paths)
    before = dict(zip(snapshot.paths, snapshot.contents, strict=True))
    gone = len(before.keys() - {module.path for module in program.modules})
    changed = [m for m, key in zip(program.modules, kept.contents, strict=True) if before.get(m.path) != key]
    if (len(changed) + gone) > max(1, MAX_CHANGED * len(before)):
        return None
    edited: dict[int, tuple[ir.File, ir.File] | None] = {}
    same_names = not gone
    for module in changed:
        old = kept.old_file(before[module.path]) if module.path in before else None
        if old is None:
            if module.path in before:
                return None
            edited[numbers.by_index[module.index]] = None
            same_names = False
        else:
            edited[numbers.by_index[module.index]] = old, module.file
            same_names = same_names and file_shape(old) == file_shape(module.file)
    for module in program.modules:
        pair = edited.get(numbers.by_index[module.index])
        if pair is None:
            numbers.add(module)
            continue
        functions, classes = renumbered(*pair)
        numbers.add(module, functions, classes)
    trace = WarmTrace(machine, snapshot, numbers, edited, same_names)
    record_plan = trace.encode

    def encode(record: Record, result: Any) -> bytes | None:
        if record.kind == "d":
            return plan_data(machine, numbers, record, result)
        return record_plan(record, result) if record_plan is not None else None

    trace.encode = encode
    machine.trace = trace
    return trace


def renumbered(old: ir.File, new: ir.File) -> tuple[list[int], list[int]]:
    """The old numbers of a changed file's functions and classes."""
    functions = matched(
        [function_shape(old, fn) for fn in old.functions],
        [function_shape(new, fn) for fn in new.functions],
        len(old.functions),
    )
    classes = matched(
        [class_shape(old, cls) for cls in old.classes], [class_shape(new, cls) for cls in new.classes], len(old.classes)
    )
    return functions, classes


def collect(trace: WarmTrace) -> None:
    """Put together what all roots report: those that were run and those that were taken."""
    machine = trace.machine
    machine.flows.clear()
    machine.guesses.clear()
    machine.facts.clear()
    widened = machine.widened + trace.wide.widened
    machine.widened = 0
    records = [trace.wide, *trace.records.values()]
    machine.trace = None
    for record in records:
        machine.widened += record.widened
        for flow in record.flows:
            machine.record(flow)
        for guess in record.guesses:
            machine.record_guess(guess)
        for fact in record.facts:
            machine.record_fact(fact)
        for fn in record.calls:
            fn.called = True
        for fn in record.entries:
            fn.entry = fn.called = True
    machine.widened += widened - trace.wide.widened
    rules = {rule.id: rule for matcher in machine.matchers.values() for rule in matcher.rules.values()}
    for number, root in enumerate(trace.roots):
        if trace.status[number] != CLEAN:
            continue
        for called in root.calls:
            trace.fn(called).called = True
        if root.found:
            take_found(trace, number, rules, UNPACK(root.found))
        if root.sinks:
            target = trace.target(root)
            if target.summary is None:
                trace.put_in_place(number, target)


def take_found(trace: WarmTrace, number: int, rules: dict[str, Any], data: list[Any]) -> None:
    machine = trace.machine
    (flows, guesses), facts, _, entries, widened, nodes = data
    decoder = Decoder(trace, number, [None, [], nodes, []])
    machine.widened += widened
    for kind, add in ((flows, machine.record), (guesses, machine.record_guess)):
        for rule, sink, act, confidence, fn, span, label, step, built in kind:
            way = decoder.step(step)
            add(Flow(rules[rule], sink, act, confidence, trace.fn(fn), span, decoder.label(label), way, built))
    for rule, fn, span, details, confidence in facts:
        machine.record_fact(Fact(rules[rule], trace.fn(fn), span, details, confidence))
    for fn in entries:
        found = trace.fn(fn)
        found.entry = found.called = True
