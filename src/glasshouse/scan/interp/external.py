"""Calls that leave the scanned program: sinks, sources, sanitisers and propagators of the rules apply here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import (
    access_paths,
    attributes,
    conditions,
    effects,
    elements,
    entry_points,
    patterns,
    stores,
)
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.go import builtins as go_builtins
from glasshouse.scan.interp.java import builtins as java_builtins
from glasshouse.scan.interp.javascript import builtins as javascript_builtins
from glasshouse.scan.interp.javascript import responses as javascript_responses
from glasshouse.scan.interp.javascript import schemas as javascript_schemas
from glasshouse.scan.interp.late_pattern import LatePattern
from glasshouse.scan.interp.models import CallModel, PropagatorModel, SanitizerModel, SinkModel
from glasshouse.scan.interp.php import builtins as php_builtins
from glasshouse.scan.interp.selectors import Selector
from glasshouse.scan.interp.values import (
    NOT_CONST,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    Obj,
    Step,
    Taint,
    Value,
    join,
    join_taint,
    with_taint,
    without,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

MUTABLE = (FuncRef, Bound)
ALL = (Selector("any", 0, "", ()),)


def call(
    frame: Frame,
    path: str,
    receiver: Value | None,
    given: Arguments,
    span: int,
    new: bool = False,
    only_rules: bool = False,
) -> Value:
    """The result of calling something outside the program; rules about it are applied."""
    machine = frame.machine
    matcher = machine.matcher(frame)
    model = matcher.call(path)
    if model is None:
        if only_rules:
            return UNKNOWN
        own = library_call(frame, path, receiver, given, span, new)
        if own is not None:
            return own
        result = unmodelled(frame, path, receiver, given, span, new)
        if result.taint and path.endswith(patterns.EXTRACTING):
            return patterns.extracted(frame, result, receiver, given)
        return patterns.compiled(frame, result, given) if path in patterns.MAKERS else result
    told = javascript_responses.told(frame, given) if model.sinks else given
    for sink in model.sinks:
        check_sink(frame, sink, receiver, told, span)
    for match in model.matches:
        if conditions.all_hold(frame, match, receiver, given):
            machine.report_match(frame, match, path, span)
    left = given
    for entry, selector in model.registers:
        for part in javascript_schemas.each_route(frame, path, given):
            schemas = javascript_schemas.checked(frame, path, receiver, part, span)
            handed = conditions.handed_over(frame, selector, receiver, part)
            machine.route = str(part.pos[0].const) if part.pos and part.pos[0].const.__class__ is str else ""
            entry_points.register(machine, frame, entry, handed, schemas, span)
            machine.route = ""
            left = left.without(handed)
    if only_rules:
        return UNKNOWN
    own = library_call(frame, path, receiver, given, span, new)
    result = own if own is not None else outcome(frame, model, path, receiver, left, span, new)
    if path in patterns.MAKERS:
        result = patterns.compiled(frame, result, given)
    elif result.taint and path.endswith(patterns.EXTRACTING):
        result = patterns.extracted(frame, result, receiver, given)
    for source in model.sources:
        if all(conditions.holds(frame, item, receiver, given) for item in source.where):
            result = machine.from_source(frame, source, result, span, path)
            effects.taint_arguments(frame, source.taints, receiver, given, result, span)
    for sanitizer in model.sanitizers:
        if sanitizer.guard is None and all(conditions.holds(frame, item, receiver, given) for item in sanitizer.where):
            if sanitizer.safe_prefix and not begins_safely(frame, sanitizer.safe_prefix, sanitizer.arg, span):
                continue
            result = sanitize(frame, sanitizer, receiver, given, result)
        elif sanitizer.guard == "asserts":
            asserted(frame, sanitizer.arg, span)
    for use in model.stores:
        result = stores.called(frame, use, receiver, given, result, span)
    if model.protocol:
        result = machine.protocols.apply(frame, model, receiver, given, result, span)
    return result


def library_call(
    frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int, new: bool
) -> Value | None:
    """What the language's own library gives for a call; None when it is not one of its own."""
    language = frame.module.language
    if language == "javascript":
        return javascript_call(frame, path, receiver, given, span, new)
    if language == "python":
        javascript_responses.note(frame, path, receiver, given)
    if language == "go":
        return go_builtins.call(frame, path, receiver, given, span)
    if language == "php":
        return php_builtins.call(frame, path, receiver, given, span)
    if language == "java":
        return java_builtins.call(frame, frame.machine.matcher(frame).normal(path), receiver, given, span, new)
    return None


def javascript_call(
    frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int, new: bool
) -> Value | None:
    """What JavaScript itself says a call gives; None when it is not one of its own."""
    javascript_responses.note(frame, path, receiver, given)
    own = javascript_builtins.call(frame, path, given, span, new)
    if own is None:
        own = javascript_schemas.call(frame, path, receiver, given, span)
    if own is not None:
        return own
    owner, _, name = path.rpartition(".")
    if name in javascript_builtins.APPLYING and owner and owner[0] not in "*?":
        return javascript_builtins.applied(frame, owner, name, receiver, given, span)
    return None


def outcome(
    frame: Frame, model: CallModel, path: str, receiver: Value | None, given: Arguments, span: int, new: bool
) -> Value:
    """The result before sources and sanitisers: by propagators, else by the default."""
    if model.propagators:
        result = UNKNOWN
        for propagator in model.propagators:
            result = (
                join(result, propagate(frame, propagator, receiver, given, span))
                if result is not UNKNOWN
                else propagate(frame, propagator, receiver, given, span)
            )
        if not result.path and not result.refs:
            result = Value(result.const, result.taint, result.refs, result_path(frame, path, new))
    else:
        result = unmodelled(frame, path, receiver, given, span, new)
    if model.returns == "self" and receiver is not None:
        return Value(NOT_CONST, join_taint(result.taint, receiver.taint), receiver.refs, receiver.path)
    if model.returns in attributes.CONTAINERS:
        return collection(frame, model.returns, given, span)
    if model.returns:
        return Value(result.const, result.taint, result.refs, model.returns)
    return result


def collection(frame: Frame, kind: str, given: Arguments, span: int) -> Value:
    """A new container of the language's library, filled from the container it is given."""
    from glasshouse.scan.interp import containers

    obj = frame.machine.new_obj(kind, frame, span)
    frame.machine.heap[obj] = {} if kind == "dict" else {"#len": Value(0)}
    if any(value.refs or value.taint for value in given.pos[:1]):
        containers.extend(frame, obj, Value(refs=(obj,)), given, span)
    return Value(refs=(obj,))


def result_path(frame: Frame, path: str, new: bool) -> str:
    if path[0] == "*":
        return ""
    if path[0] == "$":  # typed text stays what it is
        owner, _, name = path.partition(".")
        return owner if name in SAME_TEXT else ""
    if new or (path.rpartition(".")[2][:1].isupper() and frame.module.language != "go"):
        return path if len(path) < 200 else ""
    return f"{path}()" if len(path) < 200 else ""


def unmodelled(frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int, new: bool) -> Value:
    """An unknown call gives data made of its receiver and arguments; functions passed to it are called."""
    machine = frame.machine
    taint: Taint | None = receiver.taint if receiver is not None else None
    if receiver is not None and receiver.refs:
        taint = attributes.deep_taint(machine, receiver)
    callbacks: list[Value] = []
    for value in given.all():
        if value.path[:1] == "$" and path[:1] != "$":
            machine.check_statement(frame, path, value, span)
        if value.refs:
            for ref in value.refs:
                if ref.__class__ is Obj and ref.kind in effects.FILLED:
                    effects.handed_out(machine, ref)
            if any(ref.__class__ in MUTABLE for ref in value.refs):
                callbacks.append(value)
            taint = join_taint(taint, attributes.deep_taint(machine, value))
        elif value.taint:
            taint = join_taint(taint, value.taint)
    if callbacks:
        run_callbacks(frame, callbacks, receiver, given, taint, span)
    name = path.rpartition(".")[2]
    if taint and not new and effects.cleans_by_name(name):
        taint = without(taint, machine.everything)
    if taint:
        if new:
            taint = mark(frame, taint, span, f"wrapped in `{name}`")
        else:
            taint = mark(frame, taint, span, f"through `{name}()`")
        if receiver is not None and not new and effects.mutates(name):
            effects.absorb(frame, receiver, given)
    refs: tuple[Any, ...] = ()
    if receiver is not None and name in FLUENT:
        refs = receiver.refs
    elif new and path in BUFFERS:
        refs = (machine.new_obj("extern", frame, span),)
        machine.heap[refs[0]] = {}
    elif not new and receiver is None and len(given.pos) == 1 and given.pos[0].refs and not given.kw:
        refs = tuple(ref for ref in given.pos[0].refs if ref.__class__ is ClassRef)
        if refs:  # a class decorator gives back the class
            return Value(NOT_CONST, taint, refs)
    if callbacks and not refs and not new and frame.module.language == "javascript" and WRAPPERS.search(name):
        refs = tuple(ref for value in callbacks[:1] for ref in value.refs if ref.__class__ is FuncRef)
    return Value(NOT_CONST, taint, refs, result_path(frame, path, new))


SAME_TEXT = frozenset("strip lstrip rstrip encode decode replace format format_map lower upper join".split())
BUFFERS = frozenset(
    """java.lang.StringBuilder java.lang.StringBuffer java.io.StringWriter java.util.StringJoiner
    java.io.ByteArrayOutputStream""".split()
)
WRAPPERS = re.compile(  # names of functions that give a handler whose errors are passed on
    r"(?i)^wrap$|async[_-]?(handler|wrap|middleware|route)|(wrap|catch|handle)[_-]?async|(try|catch)[_-]?(catch|errors?)$"
)
FLUENT = frozenset(["append", "toString", "trim", "strip", "iterator", "stream"])


def mark(frame: Frame, taint: Taint, span: int, text: str) -> Taint:
    """Taint with one more step on the way of its real sources."""
    index = frame.module.index
    return {
        label: (bits, Step(index, span, text, step)) if label.kind == "source" else (bits, step)
        for label, (bits, step) in taint.items()
    }


def run_callbacks(
    frame: Frame, callbacks: list[Value], receiver: Value | None, given: Arguments, taint: Taint | None, span: int
) -> None:
    """Functions given to unknown code are called by it, with data it may have got."""
    from glasshouse.scan.interp import calls

    passed: Taint | None = receiver.taint if receiver is not None else None
    element: Value | None = None
    for ref in receiver.refs if receiver is not None else ():
        if ref.__class__ is Obj and ref.kind in attributes.CONTAINERS and receiver is not None:
            element = elements.element(frame, receiver, "values", span)
    for value in given.all():
        if value not in callbacks and not any(ref.__class__ in MUTABLE for ref in value.refs):
            passed = join_taint(passed, attributes.deep_taint(frame.machine, value) if value.refs else value.taint)
    for value in callbacks:
        argument = element if element is not None else Value(taint=passed)
        known = frame.machine.unit.called
        new = [ref.fn for ref in value.refs if ref.__class__ is FuncRef and ref.fn not in known]
        calls.call_value(frame, Value(refs=value.refs), Arguments([], {}, argument), span)
        known.difference_update(new)  # code outside that may call it is no caller: it stays open to others


def unknown_call(frame: Frame, callee: Value, given: Arguments, span: int) -> Value:
    """A callee we know nothing of (a parameter, a computed function)."""
    result = unmodelled(frame, "?.call", None, given, span, False)
    called = callee.taint
    if called and frame.module.language == "javascript":  # data that chose a function is not what that returns
        called = {label: mark for label, mark in called.items() if label.kind != "source"}
    taint = join_taint(result.taint, called)
    return Value(taint=taint) if taint else UNKNOWN


# --- sinks, sanitisers, propagators ----------------------------------------------------------------------------------


def check_sink(frame: Frame, sink: SinkModel, receiver: Value | None, given: Arguments, span: int) -> None:
    if not all(conditions.holds(frame, item, receiver, given) for item in sink.where):
        return
    if sink.safe_when and any(conditions.holds(frame, item, receiver, given) for item in sink.safe_when):
        return
    if sink.guards and frame.machine.protocols.guarded(frame, sink.guards, receiver, given):
        return
    for selector in sink.selectors:
        for value in conditions.pick(frame, selector, receiver, given):
            taint = attributes.deep_taint(frame.machine, value) if value.refs else value.taint
            if not taint or (sink.safe_prefix and begins_safely(frame, sink.safe_prefix, selector, span)):
                continue
            if sink.part:
                taint = frame.machine.in_text(taint)
            if not (sink.checked_by and access_paths.used_later(frame, frame.block, span, sink.checked_by)):
                frame.machine.hit(frame, sink, taint, span, value)


def begins_safely(frame: Frame, pattern: LatePattern, selector: Selector, span: int) -> bool:
    """Whether the argument is put together in this block, behind constant text that makes it harmless."""
    for index, ins in enumerate(frame.block):
        if ins[1] == span and ins[0] in (ir.CALL, ir.CALL_METHOD, ir.NEW) and selector.kind == "pos":
            args = ins[5] if ins[0] == ir.CALL_METHOD else ins[4]
            if selector.position >= len(args) or args[selector.position].__class__ is list:
                return False
            text = access_paths.beginning(frame, frame.block, index, args[selector.position])
            return text is not None and pattern.search(text) is not None
    return False


def sanitize(frame: Frame, sanitizer: SanitizerModel, receiver: Value | None, given: Arguments, result: Value) -> Value:
    machine = frame.machine
    if sanitizer.cleans:
        if frame.tries:
            frame.note_raise(None)  # where it is caught, nothing has been cleaned
        for selector in sanitizer.cleans:
            for value in conditions.pick(frame, selector, receiver, given):
                machine.clean_everywhere(frame, value, sanitizer.mask)
        return result
    return with_taint(result, without(result.taint, sanitizer.mask))


def asserted(frame: Frame, selector: Selector, span: int) -> None:
    """``checkArgument(allowed.contains(name))``: control goes on only where the condition holds."""
    from glasshouse.scan.interp import refine

    for index, ins in enumerate(frame.block):
        if ins[1] == span and ins[0] in (ir.CALL, ir.CALL_METHOD):
            args = ins[5] if ins[0] == ir.CALL_METHOD else ins[4]
            if selector.position < len(args) and args[selector.position].__class__ is not list:
                if frame.tries:
                    frame.note_raise(None)
                refine.assume(frame, frame.block, index, args[selector.position], True)
            return


def propagate(frame: Frame, propagator: PropagatorModel, receiver: Value | None, given: Arguments, span: int) -> Value:
    machine = frame.machine
    taint: Taint | None = None
    for selector in propagator.frm:
        for value in conditions.pick(frame, selector, receiver, given):
            taint = join_taint(taint, attributes.deep_taint(machine, value) if value.refs else value.taint)
    result = UNKNOWN
    for target in propagator.to:
        if isinstance(target, str):  # the result
            if taint:
                if given.pos and (len(given.pos) > 1 or given.rest is not None) and propagator.frm == ALL:
                    taint = joined(frame, given, taint)
                if propagator.normal:
                    taint = {label: (bits | machine.normal_bit, step) for label, (bits, step) in taint.items()}
                result = Value(taint=mark(frame, taint, span, "carried on by the call"))
        else:
            for value in conditions.pick(frame, target, receiver, given):
                effects.fill(frame, value, taint)
    if propagator.callback is not None:
        result = call_back(frame, propagator, receiver, given, span, result)
    return result


def joined(frame: Frame, given: Arguments, taint: Taint) -> Taint:
    """A path put together (``join(base, name)``): what stands behind the first part is not passed on whole."""
    machine = frame.machine
    alone = attributes.deep_taint(machine, given.pos[0]) or {}
    later = {label: mark for label, mark in taint.items() if label not in alone}
    return {**taint, **machine.in_text(later)} if later else taint


def call_back(
    frame: Frame, propagator: PropagatorModel, receiver: Value | None, given: Arguments, span: int, result: Value
) -> Value:
    from glasshouse.scan.interp import calls

    assert propagator.callback is not None
    passed = []
    for selector in propagator.callback_args:
        values = conditions.pick(frame, selector, receiver, given)
        passed.append(values[0] if values else UNKNOWN)
    passed.extend(Value(path=path) for path in propagator.callback_types)
    got = UNKNOWN
    for function in conditions.pick(frame, propagator.callback, receiver, given):
        if function.refs or function.path:
            got = join(got, calls.call_value(frame, function, Arguments(passed, {}), span))
    if propagator.callback_to == "return":
        return join(result, got) if result is not UNKNOWN else got
    if propagator.callback_to == "return.*":
        made = frame.machine.new_obj("list", frame, span)
        frame.machine.heap[made] = {"*": got, "#len": UNKNOWN}
        return Value(taint=result.taint, refs=(made,))
    return result
