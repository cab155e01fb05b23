"""Which calls are run where they stand, with what is known there, and which are taken by their summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes, predicates
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.budget import MAX_FRAMES
from glasshouse.scan.interp.stores import STORED
from glasshouse.scan.interp.values import Bound, FuncRef, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

MAX_DEPTH = 14  # calls run in context inside one another
SUMMARY_DEPTH = 4  # the same while a summary is made
CONTEXT_STEPS = (2_000, 40_000)  # instructions after which callees are taken by summary: in summaries, in entry points
ACCESSOR_SIZE = 12  # getters and the like: run in context where their object holds data
CONTEXT_SIZE = 60  # functions up to this many instructions are run in context where all is known


def wants_context(machine: Machine, frame: Frame, ref: FuncRef, given: Arguments) -> bool:
    """Whether running the callee here tells more than its summary does."""
    fn = ref.fn
    stack = machine.root.stack
    if len(stack) >= (MAX_DEPTH if machine.root.concrete else SUMMARY_DEPTH) or stack.count(fn) > (
        1 if len(stack) < 6 else 0
    ):
        return False
    if machine.steps > CONTEXT_STEPS[machine.root.concrete] or machine.budget.frames > MAX_FRAMES:
        return False
    if fn is frame.fn and not machine.root.concrete:
        return False
    if ref.frame is not None and fn.parent is not None and fn.parent.ir.kind in ("function", "method", "lambda"):
        return True
    if fn.ir.name[:1] == "<" and fn.parent is frame.fn and frame.module.language == "javascript" and given.pos:
        return True  # called where it stands: ``(function ($) {...})(jQuery)``
    seen: dict[Obj, int] = {}
    if ref.this is not None and ref.this.refs and carries(machine, ref.this, 0, seen):
        return True
    for value in given.pos:
        if (value.taint or value.refs) and carries(machine, value, 0, seen):
            return True
    for value in given.kw.values():
        if carries(machine, value, 0, seen):
            return True
    if given.rest is not None and carries(machine, given.rest, 0, seen):
        return True
    if machine.root.checked and given.pos and attributes.checked(given.pos[0]):
        return True
    if machine.root.concrete:
        registrars = machine.matcher(frame).registrars
        tells = machine.root.tainted or any(value.path in registrars for value in given.pos)
        return tells and len(stack) < 5 and machine.budget.size(fn) <= CONTEXT_SIZE
    if len(stack) >= 4:
        return False
    if (
        any(value.taint for value in given.pos)
        and machine.budget.size(fn) <= CONTEXT_SIZE
        and predicates.refuses(machine.refusing, fn)
    ):
        return True  # what it lets through has passed its checks
    if ref.this is None:
        return False
    return machine.budget.size(fn) <= ACCESSOR_SIZE and holds_data(machine, ref.this)


def holds_data(machine: Machine, value: Value) -> bool:
    """Whether an object's own fields hold any labelled data."""
    for ref in value.refs:
        if ref.__class__ is Obj:
            for item in (machine.fields(ref) or {}).values():
                if item.taint:
                    return True
    return False


def carries(
    machine: Machine, value: Value, depth: int = 0, seen: dict[Obj, int] | None = None, table: bool = False
) -> bool:
    """Whether a value holds real source data, or functions the callee may call.

    ``seen``: objects that do not, with the smallest depth at which that was found (deeper, less is looked at).
    ``table``: the value is an element of a map.
    """
    if value.taint:
        for label in value.taint:
            if label.kind == "source" and label.source != STORED:
                return True
    if seen is None:
        seen = {}
    for ref in value.refs:
        kind = ref.__class__
        if kind is Obj:
            if depth >= 3 or seen.get(ref, 3) <= depth:
                continue
            seen[ref] = depth
            fields = machine.heap.get(ref)
            if fields is None:
                fields = machine.base.get(ref)
                if fields is None:
                    continue
            if ref.kind == "extern" and any(name.__class__ is tuple for name in fields):
                return True  # what a helper does to make it safe is seen only here
            for item in fields.values():
                if item.refs:
                    if carries(machine, item, depth + 1, seen, ref.kind == "dict"):
                        return True
                elif item.taint:
                    for label in item.taint:
                        if label.kind == "source" and label.source != STORED:
                            return True
        elif kind is FuncRef:
            return depth == 0 or (depth == 1 and table and ref.fn.module.language != "javascript")
        elif kind is Bound and ref.name[:1] == "$":
            return True  # the functions that settle a promise
    return False
