"""A whole analysis as data: roots with what they looked at and what they found, and their results."""

from __future__ import annotations

from typing import Any

import msgspec

from glasshouse.scan.incremental.encode import PACK, Encoder
from glasshouse.scan.incremental.numbers import Numbers
from glasshouse.scan.incremental.trace import Record, Trace
from glasshouse.scan.interp.machine import ACCESSOR_SIZE, CONTEXT_SIZE, Machine
from glasshouse.scan.program import Cls, Fn, Module

VERSION = 1
MAX_FRAMES = 10_000  # deeper analyses are not kept: how deep calls nest would matter
RESULTS = frozenset(["s", "m", "x", "c"])


class Root(msgspec.Struct, array_like=True, frozen=True):
    """One root.  ``again``: it depends on the order of the analysis, and is run every time."""

    kind: str
    target: int
    deps: list[int]
    again: bool
    sinks: bool
    ran: list[int]
    steps: int
    calls: list[int]
    found: bytes  # flows, guesses, facts, registered, entries, widened; empty if there is none


class Snapshot(msgspec.Struct, array_like=True, frozen=True):
    """See the module docstring.  ``crossed`` names what is changed by roots it does not belong to."""

    version: int
    key: bytes
    languages: list[str]
    paths: list[str]
    contents: list[bytes]
    roots: list[Root]
    cells: list[list[Any]]
    crossed: list[list[Any]]
    results: list[bytes]


DECODER: msgspec.msgpack.Decoder[Snapshot] = msgspec.msgpack.Decoder(Snapshot)


def size_class(machine: Machine, fn: Fn) -> int:
    size = machine.budget.size(fn)
    return (size <= CONTEXT_SIZE) + (size <= ACCESSOR_SIZE)


class Cells:
    """What roots look at, numbered."""

    def __init__(self, trace: Trace, numbers: Numbers) -> None:
        self.trace = trace
        self.numbers = numbers
        self.machine: Machine = trace.machine
        self.known: dict[Any, int] = {}
        self.cells: list[list[Any]] = []

    def number(self, key: Any, cell: list[Any]) -> int:
        have = self.known.get(key)
        if have is None:
            have = self.known[key] = len(self.cells)
            self.cells.append(cell)
        return have

    def deps(self, record: Record, module: Module) -> list[int]:
        result: dict[int, None] = {}
        for key, state in record.deps.items():
            known = (key, state) if key.__class__ is not tuple or key[0] in "xr" or key[0] == "owner" else key
            have = self.known.get(known) if key.__class__ is not Cls and key.__class__ is not Module else None
            if have is None:
                cell = self.cell(record, module, key, state)
                if cell is None:
                    continue
                have = self.number(known, cell)
            result[have] = None
        owner = self.trace.owner
        for item in record.seen:
            other = owner.get(item)
            if other is not None and other is not record:
                result[self.number(("o", other.number), ["o", other.number])] = None
        return list(result)

    def cell(self, record: Record, module: Module, key: Any, state: Any) -> list[Any] | None:
        numbers = self.numbers
        kind = key.__class__
        if kind is Fn:
            return ["s" if state else "a", numbers.functions[key]]
        if kind is Module:
            if record.kind == "m" and record.target is key:
                return None
            return ["m" if state else "w", numbers.module_number(key.index)]
        if kind is Cls:
            owner = self.trace.owner.get(key)
            if owner is record and state:
                return None
            return ["k", numbers.classes[key], bool(state), owner.number if owner is not None else -1]
        if key[0] in "bz" and key[1].module is module:
            return None
        return look_up(self.machine, numbers, key, state)


def look_up(machine: Machine, numbers: Numbers, key: tuple[Any, ...], state: Any) -> list[Any]:
    """A look-up with its result, all in numbers."""
    kind = key[0]
    functions, classes = numbers.functions, numbers.classes
    if kind == "owner":
        return ["l" if state else "o", key[1]]
    if kind == "b":
        return ["b", functions[key[1]]]
    if kind == "z":
        return ["z", functions[key[1]], size_class(machine, key[1])]
    if kind == "r":
        return ["r", functions[key[1]], bool(state)]
    if kind == "x":
        return ["x" if state else "y", classes[key[1]]]
    if kind == "t":
        found = classes[state] if state.__class__ is Cls else state
        return ["t", numbers.module_number(key[1].index), key[2], found]
    if kind == "p":
        found = -1 if state is None else numbers.module_number(state.index)
        return ["p", numbers.module_number(key[1].index), key[2], key[3], found]
    if kind == "f":
        return ["f", classes[key[1]], key[2], key[3], -1 if state is None else functions[state]]
    if kind == "v":
        return ["v", classes[key[1]], key[2], key[3], key[4], [functions[fn] for fn in state]]
    if kind == "n":
        return ["n", key[1], [functions[fn] for fn in state or ()]]
    if kind == "i":
        return ["i", classes[key[1]], key[2], -1 if state is None else classes[state]]
    assert kind == "h"
    return ["h", classes[key[1]], [classes[cls] for cls in state[0]], state[1]]


def home(record: Record) -> Module:
    target = record.target
    module: Module = target if target.__class__ is Module else target.module
    return module


def crossed_cells(trace: Trace) -> set[Any]:
    return {item for record in trace.records.values() for item in record.crosses}


def cross_name(trace: Trace, numbers: Numbers, item: Any) -> list[Any] | None:
    """A stable name of something changed from elsewhere."""
    if item.__class__ is tuple:
        return ["g", numbers.module_number(item[0].index), item[1]]
    if item.__class__ is Fn:
        return ["f", numbers.functions[item]]
    if item.__class__ is Cls:
        return ["c", numbers.classes[item]]
    if item.__class__.__name__ == "Obj" and item.kind == "ambient":
        return ["a", numbers.module_number(item.site[0])]
    name = trace.names.get(item)
    return None if name is None else ["o", *name]


def take(trace: Trace, numbers: Numbers, key: bytes, contents: list[bytes]) -> bytes | None:
    """The snapshot of a finished analysis, or None if it cannot be kept."""
    machine: Machine = trace.machine
    if machine.failed or machine.budget.cut or machine.budget.exhausted or trace.stack:
        return None
    crossed = crossed_cells(trace)
    touched = {item[0] for item in crossed if item.__class__ is tuple}
    cells = Cells(trace, numbers)
    roots = []
    results = []
    for record in trace.records.values():
        module = home(record)
        deps = cells.deps(record, module)
        again = bool(record.crosses) or record.capped or (record.kind in RESULTS and record.payload is None)
        again = again or (record.kind not in RESULTS and bool(record.ran))
        again = again or any(item in crossed for item in record.seen)
        again = again or any(item in touched or item in crossed for item in record.deps)
        functions, classes = numbers.functions, numbers.classes
        roots.append(
            Root(
                record.kind,
                target_number(numbers, record),
                deps,
                again,
                record.kind == "s" and bool(record.target.summary and record.target.summary.sinks),
                [classes[cls] for cls in record.ran],
                record.steps,
                [functions[fn] for fn in record.calls],
                found(trace, numbers, record),
            )
        )
        results.append(record.payload or b"")
    roots = run_together(roots, cells.cells)
    names = [cross_name(trace, numbers, item) for item in crossed]
    languages = sorted(machine.matchers)
    snapshot = Snapshot(
        VERSION, key, languages, numbers.paths, contents, roots, cells.cells, [n for n in names if n], results
    )
    return PACK(snapshot)


def run_together(roots: list[Root], cells: list[list[Any]]) -> list[Root]:
    """Roots that look into one another while they run: if one is run every time, so are the others."""
    modules = {root.target: number for number, root in enumerate(roots) if root.kind == "m"}
    states = {root.target: number for number, root in enumerate(roots) if root.kind == "x"}
    inside: dict[int, list[int]] = {}
    for number, root in enumerate(roots):
        for cell in root.deps:
            kind, *data = cells[cell][:2]
            if kind in ("w", "l", "y"):
                other = data[0] if kind == "l" else (modules if kind == "w" else states).get(data[0], -1)
                if other >= 0:
                    inside.setdefault(number, []).append(other)
                    inside.setdefault(other, []).append(number)
    queue = [number for number, root in enumerate(roots) if root.again]
    seen = set(queue)
    while queue:
        for other in inside.get(queue.pop(), ()):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return [msgspec.structs.replace(root, again=number in seen) for number, root in enumerate(roots)]


def target_number(numbers: Numbers, record: Record) -> int:
    target = record.target
    if target.__class__ is Module:
        return numbers.module_number(target.index)
    return numbers.functions[target] if target.__class__ is Fn else numbers.classes[target]


def found(trace: Trace, numbers: Numbers, record: Record) -> bytes:
    """What a root reports."""
    nothing = not (record.flows or record.guesses or record.facts or record.registered or record.entries)
    if nothing and not record.widened:
        return b""
    encoder = Encoder(trace, record, numbers, {}, False)
    flows = [[flow_data(encoder, numbers, flow) for flow in kind] for kind in (record.flows, record.guesses)]
    facts = [
        [fact.rule.id, numbers.functions[fact.fn], fact.span, dict(fact.details), fact.confidence]
        for fact in record.facts
    ]
    registered = [numbers.functions[fn] for fn in record.registered]
    entries = [numbers.functions[fn] for fn in record.entries]
    return PACK([flows, facts, registered, entries, record.widened, encoder.nodes])


def flow_data(encoder: Encoder, numbers: Numbers, flow: Any) -> list[Any]:
    return [
        flow.rule.id,
        flow.sink,
        flow.act,
        flow.confidence,
        numbers.functions[flow.fn],
        flow.span,
        encoder.label(flow.label),
        encoder.step(flow.step),
        flow.built,
    ]
