"""JavaScript's promises: what they are settled with, who gets it, and functions that give promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.javascript.collections import argument, iterated, make, make_list
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Bound, FuncRef, Obj, Value, join

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine


SETTLED, REJECTED = "#value", "#error"
PROMISE_METHODS = frozenset(["then", "catch", "finally"])


def promise(frame: Frame, value: Value, span: int) -> Value:
    if any(ref.__class__ is Obj and ref.kind == "promise" for ref in value.refs):
        return value
    return make(frame, "promise", span, {SETTLED: value})


def new_promise(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    made = make(frame, "promise", span, {})
    resolve = Value(refs=(Bound(made, "$resolve"),))
    reject = Value(refs=(Bound(made, "$reject"),))
    calls.call_value(frame, argument(given, 0), Arguments([resolve, reject], {}), span)
    return made


def settle(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    frame.machine.write(obj, SETTLED, awaited(frame, argument(given, 0)), weak=True)
    return NONE


def reject(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    frame.machine.write(obj, REJECTED, argument(given, 0), weak=True)
    return NONE


def awaited(frame: Frame, value: Value) -> Value:
    """What ``await`` gives: the values that promises were resolved with; anything else is itself."""
    if not value.refs or not any(ref.__class__ is Obj and ref.kind == "promise" for ref in value.refs):
        return value
    others: list[Any] = []
    found: Value | None = None
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "promise":
            item = (frame.machine.fields(ref) or {}).get(SETTLED)
            if item is not None:
                found = item if found is None else join(found, item)
        else:
            others.append(ref)
    if others or value.path or value.taint:
        rest = Value(NOT_CONST, value.taint, tuple(others), value.path)
        return rest if found is None else join(found, rest)
    return found if found is not None else UNKNOWN


def rejection(frame: Frame, value: Value) -> Value:
    """What a handler of rejections gets."""
    found: Value | None = None
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "promise":
            item = (frame.machine.fields(ref) or {}).get(REJECTED)
            if item is not None:
                found = item if found is None else join(found, item)
    error = Value(path="Error", taint=value.taint)
    return error if found is None else join(found, error) if found.taint is None else found


def then(frame: Frame, value: Value, name: str, given: Arguments, span: int) -> Value:
    """``then``, ``catch`` and ``finally`` of a promise, or of something unknown that is taken for one."""
    from glasshouse.scan.interp import calls

    def run(function: Value, items: list[Value]) -> Value:
        if not function.refs and not function.path:
            return UNKNOWN
        return calls.call_value(frame, function, Arguments(items, {}), span)

    if name == "finally":
        run(argument(given, 0), [])
        return value
    settled = awaited(frame, value)
    if name == "catch":
        handled = run(argument(given, 0), [rejection(frame, value)])
        return promise(frame, join(settled, awaited(frame, handled)), span)
    result = run(argument(given, 0), [settled])
    if len(given.pos) > 1:
        result = join(result, run(given.pos[1], [rejection(frame, value)]))
    made = make(frame, "promise", span, {SETTLED: awaited(frame, result)})
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "promise":
            failed = (frame.machine.fields(ref) or {}).get(REJECTED)
            if failed is not None:
                frame.machine.write(made.refs[0], REJECTED, failed)
    return made


def thenable(machine: Machine, value: Value) -> bool:
    """Whether a value may be a promise: not an object of the program that has a ``then`` of its own."""
    for ref in value.refs:
        if ref.__class__ is Obj:
            if ref.cls is not None and machine.program.find_method(ref.cls, "then", 1) is not None:
                return False
            fields = machine.fields(ref)
            if fields and "then" in fields:
                return False
    return True


def promise_resolve(frame: Frame, given: Arguments, span: int) -> Value:
    return promise(frame, argument(given, 0), span)


def promise_reject(frame: Frame, given: Arguments, span: int) -> Value:
    return make(frame, "promise", span, {REJECTED: argument(given, 0)})


def promise_all(frame: Frame, given: Arguments, span: int) -> Value:
    known, more = iterated(frame, argument(given, 0), span)
    items = [awaited(frame, item) for item in known]
    made = make_list(frame, span, items, awaited(frame, more) if more is not None else None)
    return make(frame, "promise", span, {SETTLED: made})


def promise_any(frame: Frame, given: Arguments, span: int) -> Value:
    return promise(frame, awaited(frame, elements.element(frame, argument(given, 0), "values", span)), span)


def promise_settled(frame: Frame, given: Arguments, span: int) -> Value:
    known, more = iterated(frame, argument(given, 0), span)

    def outcome(item: Value) -> Value:
        return make(frame, "dict", span, {"value": awaited(frame, item), "reason": rejection(frame, item)})

    made = make_list(frame, span, [outcome(item) for item in known], outcome(more) if more is not None else None)
    return make(frame, "promise", span, {SETTLED: made})


def promisify(frame: Frame, given: Arguments, span: int) -> Value:
    """A function that takes a callback, as one that gives a promise."""
    function = argument(given, 0)
    if any(ref.__class__ is FuncRef for ref in function.refs):
        return Value(refs=(Bound(function, "$promised"),))
    return function


def call_promised(frame: Frame, function: Value, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    made = make(frame, "promise", span, {})
    callback = Value(refs=(Bound(made, "$called_back"),))
    calls.call_value(frame, function, Arguments([*given.pos, callback], {}, given.rest), span)
    return made


def called_back(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    if len(given.pos) > 1:
        frame.machine.write(obj, SETTLED, given.pos[1], weak=True)
    elif given.pos:
        frame.machine.write(obj, REJECTED, given.pos[0], weak=True)
    return NONE
