"""Functions that a framework calls: run for themselves, with the data that the framework passes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, construction, findings, sources
from glasshouse.scan.interp.heap import Heap
from glasshouse.scan.interp.javascript import route_checks as javascript_route_checks
from glasshouse.scan.interp.javascript import schemas as javascript_schemas
from glasshouse.scan.interp.units import ENTRY, SUMMARY
from glasshouse.scan.interp.values import FuncRef, Obj, Value
from glasshouse.scan.program import Fn
from glasshouse.scan.rules import schema

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine


def register(
    machine: Machine, frame: Frame, entry: schema.Entry, values: Iterable[Value], checks: dict[str, Obj], span: int
) -> None:
    """Functions handed to a framework: run each as an entry point, in the frame it closes over.

    ``checks``: the schemas that the framework checks the fields of the first parameter against.
    """
    listener = not any(param.type for param in entry.params)  # gives data to the function it stands in
    unit = machine.unit
    for value in values:
        for ref in handlers(machine, value):
            if ref.__class__ is not FuncRef:
                continue
            inner: set[Fn] = set() if listener else javascript_route_checks.wrapped(machine, ref)
            unchecked: set[Fn] = {ref.fn, *inner} & unit.checked if not checks else set()
            known = registered(machine, ref.fn, bool(checks)) and inner <= unit.handed and not unchecked
            if (listener and ref.frame is frame and news(frame, ref.fn, span)) or not known:
                unit.registered.add(ref.fn)
                unit.handed |= inner
                unit.checked -= unchecked
                run_entry(machine, ref.fn, entry, ref.frame, machine.heap, ref.this, checks)


def news(frame: Frame, fn: Fn, span: int) -> bool:
    """Whether data is in variables where there was none when this call registered the function before, in a loop."""
    listening, key = frame.machine.root.listening, (frame, fn, span)
    held = {
        (name, label)
        for name, value in frame.env.items()
        for label in attributes.deep_taint(frame.machine, value) or ()
    }
    before = listening.get(key)
    listening[key] = held if before is None else before | held
    return before is None or not held <= before


def registered(machine: Machine, fn: Fn, checked: bool = True) -> bool:
    """Whether a module or the unit at work has handed the function to a framework already (modules: as ``checked``)."""
    base = machine.units.open[0]
    return fn in machine.unit.registered or (fn in base.registered and (checked or fn not in base.checked))


def enter(machine: Machine, fn: Fn, entry: schema.Entry) -> None:
    """Run a function the framework calls, for itself."""
    machine.units.begin((ENTRY, fn))
    run_entry(machine, fn, entry)
    machine.units.end(None)


def handlers(machine: Machine, value: Value) -> tuple[Any, ...]:
    """The references of a value and, where it is a list, of its elements (several handlers given at once)."""
    refs = value.refs
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "list":
            for item in (machine.fields(ref) or {}).values():
                refs = (*refs, *item.refs)
    return refs


def run_entry(
    machine: Machine,
    fn: Fn,
    entry: schema.Entry,
    closure: Frame | None = None,
    heap: Heap | None = None,
    this: Value | None = None,
    checks: dict[str, Obj] | None = None,
) -> None:
    """Run a function the framework calls, with the data the framework passes."""
    machine.unit.entries.add(fn)
    machine.unit.called.add(fn)
    if machine.units.under_way((SUMMARY, fn)):
        return
    root = findings.Root(fn, True)
    saved = machine.isolated(root)
    if heap:
        machine.heap = Heap(heap)
    frame = machine.new_frame(fn, this, closure)
    if this is None and fn.cls is not None and not fn.ir.flags & ir.STATIC:
        obj = Obj("instance", (fn.module.index, fn.ir.span), fn.cls, open=True)
        frame.this = Value(refs=(obj,))
        construction.fill_tables(frame, fn.cls, frame.this)
    sources.bind_entry(machine, frame, entry)
    if checks and fn.ir.params:
        first = fn.ir.params[0].name
        frame.env[first] = javascript_schemas.narrowed(frame, frame.val(first), checks, fn.ir.span)
        root.checked = {fn}
    if entry.setters and this is None:
        sources.fill_fields(machine, frame, entry.setters)
    frame.returned_to = entry if entry.keeps or entry.result in machine.matcher(frame).calls else None
    root.stack.append(fn)
    frame.run()
    if root.checked and not machine.capped:
        machine.unit.checked |= root.checked
    written = machine.heap
    machine.rejoin(saved)
    if heap and closure is not None and closure.fn.ir.kind != "module":
        machine.heap.take_over(written, machine.base, closure)
