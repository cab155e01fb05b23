"""What hooks of React and Remix give: state and its setter, what a memo makes, what a route's loader returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.javascript.collections import argument, make, make_list
from glasshouse.scan.interp.javascript.promises import awaited
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Bound, FuncRef, Obj, Value, join

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

STATE = "jsstate"
HELD = "held"  # field of a setter's state: the object that what is set is written into


def use_state(frame: Frame, given: Arguments, span: int) -> Value:
    """``[value, setValue]``: what any handler sets is part of the value."""
    from glasshouse.scan.interp import calls

    first = argument(given, 0)
    if any(ref.__class__ is FuncRef for ref in first.refs):
        first = calls.call_value(frame, first, Arguments([], {}), span)
    held = make(frame, "dict", span, {})
    state = make(frame, STATE, span, {HELD: held})
    value = Value(NOT_CONST, first.taint, (*first.refs, *held.refs), first.path)
    return make_list(frame, span, [value, Value(refs=(Bound(state, "$set"),))])


def set_state(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    """The setter of ``useState``, with a value or with a function of the one before."""
    from glasshouse.scan.interp import calls

    held = (frame.machine.fields(obj) or {})[HELD]
    new = argument(given, 0)
    if any(ref.__class__ is FuncRef for ref in new.refs):
        new = calls.call_value(frame, new, Arguments([held], {}), span)
    for ref in held.refs:
        if ref not in new.refs:
            frame.machine.write(ref, "*", new, weak=True)
    return NONE


def use_memo(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    return calls.call_value(frame, argument(given, 0), Arguments([], {}), span)


def loader_data(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``useLoaderData()``: what the ``loader`` of the same file returns."""
    from glasshouse.scan.interp import calls

    found: Value | None = None
    for ref in (frame.module.env or {}).get("loader", UNKNOWN).refs:
        if ref.__class__ is FuncRef and ref.fn not in frame.machine.stack:
            event = Arguments([Value(path="web.Event")], {})
            result = awaited(frame, calls.run_in_context(frame, ref, event, span))
            found = result if found is None else join(found, result)
    return found
