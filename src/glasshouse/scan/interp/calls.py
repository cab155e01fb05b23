"""Calls: from a callee value to what runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import (
    attributes,
    construction,
    containers,
    contexts,
    declared_data,
    elements,
    external,
    summary,
)
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.binding import bind, given_for, step_taint
from glasshouse.scan.interp.go import builtins as go_builtins
from glasshouse.scan.interp.java import builtins as java_builtins
from glasshouse.scan.interp.java import functions as java_functions
from glasshouse.scan.interp.java import text as java_text
from glasshouse.scan.interp.javascript import builtins as javascript_builtins
from glasshouse.scan.interp.javascript import collections as javascript_collections
from glasshouse.scan.interp.javascript import promises as javascript_promises
from glasshouse.scan.interp.python_builtins import HANDLERS as BUILT_IN
from glasshouse.scan.interp.values import (
    NEVER,
    NONE,
    NOT_CONST,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    ModuleRef,
    Obj,
    SuperRef,
    Value,
    join,
    ref_key,
    with_taint,
)
from glasshouse.scan.program import Fn, arity_fits

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

FAN_OUT_SEEN = 24  # methods of one name beyond which their parameters are not even compared
NAME_FAN_OUT = 3  # functions tried when only the method name is known
ENTER = frozenset(["__enter__", "__aenter__"])  # of things outside the program: give the thing itself
INVOKED = {"php": "__invoke"}  # the method that runs when an object is called
OVERRIDES = 8  # overriding methods tried for one virtual call


# --- callee values ---------------------------------------------------------------------------------------------------


def call_value(frame: Frame, callee: Value, given: Arguments, span: int) -> Value:
    """``callee(...)``."""
    result: Value | None = None
    for ref in callee.refs:
        item = call_ref(frame, ref, given, span)
        if item is not None:
            result = item if result is None else join(result, item)
    if callee.path:
        outside = None
        if callee.path in BUILT_IN and frame.module.language == "python":
            outside = BUILT_IN[callee.path](frame, given, span)
            if outside is not None:
                external.call(frame, callee.path, None, given, span, only_rules=True)
        if outside is None:
            outside = external.call(frame, callee.path, None, given, span)
        result = outside if result is None else join(result, outside)
    if result is None:
        result = external.unknown_call(frame, callee, given, span)
    return result


def call_ref(frame: Frame, ref: Any, given: Arguments, span: int) -> Value | None:
    kind = ref.__class__
    if kind is FuncRef:
        return invoke(frame, ref, given, span)
    if kind is ClassRef:
        if frame.module.language == "go":
            return go_builtins.convert(ref, given, frame, span)
        return construction.instantiate(frame, ref, given, span)
    if kind is Bound:
        if ref.name == "$promised":
            return javascript_promises.call_promised(frame, ref.receiver, given, span)
        return call_method(frame, ref.receiver, ref.name, given, span, None)
    if kind is SuperRef:
        if frame.module.language == "python":
            return Value(refs=(ref,))
        return construction.call_constructor(frame, ref.cls, ref.this, given, span, above=True)
    if kind is Obj and ref.cls is not None:
        if frame.module.language == "java":
            fn = java_functions.only_method(frame, ref, len(given.pos))
        else:
            fn = frame.machine.program.find_method(
                ref.cls, INVOKED.get(frame.module.language, "__call__"), len(given.pos)
            )
        if fn is not None:
            return invoke(frame, FuncRef(fn, None, Value(refs=(ref,))), given, span)
    return None


# --- methods ---------------------------------------------------------------------------------------------------------


def call_method(frame: Frame, value: Value, name: str, given: Arguments, span: int, operand: Any) -> Value:
    """``value.name(...)``.  ``operand`` is where the receiver came from (for calls that change it)."""
    machine = frame.machine
    if name == "__new__":
        instance = construction.bare_instance(frame, given, span)
        if instance is not None:
            return instance
    if (
        name in javascript_promises.PROMISE_METHODS
        and frame.module.language == "javascript"
        and given.pos
        and javascript_promises.thenable(machine, value)
    ):
        return javascript_promises.then(frame, value, name, given, span)
    result: Value | None = None
    untyped = True
    for ref in value.refs:
        item = method_of_ref(frame, ref, value, name, given, span)
        if item is not None:
            untyped = False
            result = item if result is None else join(result, item)
    if result is None and name in ENTER:
        return value
    if value.const.__class__ is str:
        if frame.module.language == "java":
            folded = java_text.constant_method(frame, value, name, given, span) if not value.taint else None
        else:
            folded = containers.text_method(frame, value, name, given, span)
        if folded is not None:
            return folded
    if value.path and (result is None or value.path[0] != "?"):
        outside = external.call(frame, f"{value.path}.{name}", value, given, span)
        result = outside if result is None else join(result, outside)
    if result is not None:
        return result
    path = f"*.{name}"
    for ref in value.refs:
        if ref.__class__ is Obj and ref.cls is not None:
            above = machine.program.supers(ref.cls)[1]
            if above:
                path = f"{above[0]}.{name}"
        elif ref.__class__ is SuperRef:
            above = machine.program.supers(ref.cls)[1]
            if above:
                path = f"{above[0]}.{name}"
                value = ref.this
    if untyped and not value.path and path[0] == "*":
        found = by_name(frame, value, name, given, span)
        if found is not None:
            return join(found, external.call(frame, path, value, given, span, only_rules=True))
    return external.call(frame, path, value, given, span)


def method_of_ref(frame: Frame, ref: Any, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    machine = frame.machine
    kind = ref.__class__
    if kind is Obj:
        return method_of_object(frame, ref, value, name, given, span)
    if kind is ModuleRef:
        target = machine.module_attr(ref.module, name)
        if target is None:
            return None
        if any(other.__class__ is Bound for other in target.refs):
            held = without_itself(frame, ref, name, target.refs)
            target = Value(target.const, target.taint, held, target.path)
        return call_value(frame, target, given, span)
    if kind is ClassRef:
        return method_of_class(frame, ref, name, given, span)
    if kind is FuncRef:
        return method_of_function(frame, ref, name, given, span)
    if kind is SuperRef:
        for cls in machine.program.supers(ref.cls)[0][1:]:
            fn = machine.program.find_method(cls, name, len(given.pos))
            if fn is not None:
                return invoke(frame, FuncRef(fn, construction.home_of(ref.this), ref.this), given, span)
            break
    if kind is Bound and name in APPLYING and frame.module.language == "javascript":
        return method_of_bound(frame, ref, name, given, span)
    return None


APPLYING = frozenset(["call", "apply", "bind"])


def method_of_bound(frame: Frame, bound: Bound, name: str, given: Arguments, span: int) -> Value | None:
    """``[].slice.call(x)``: a built-in method, taken off one object and used on another."""
    this = given.pos[0] if given.pos and given.pos[0].const is not None else bound.receiver
    if name == "bind":
        return Value(refs=(Bound(this, bound.name),))
    if name == "call":
        return call_method(frame, this, bound.name, Arguments(given.pos[1:], {}, given.rest), span, None)
    known, more = javascript_collections.iterated(frame, given.pos[1], span) if len(given.pos) > 1 else ([], None)
    return call_method(frame, this, bound.name, Arguments(known, {}, more), span, None)


def without_itself(frame: Frame, owner: Any, name: str, held: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a field holds, without methods that were taken off and lead back to it (``list.push = list.push``)."""
    field = (ref_key(owner), name)
    return tuple(ref for ref in held if ref.__class__ is not Bound or not leads_to(frame, ref, field))


def leads_to(frame: Frame, taken: Bound, field: tuple[object, str]) -> bool:
    """Whether looking up a method that was taken off an object or module comes to a field of an object or module."""
    waiting: list[Any] = [taken]
    seen: set[tuple[object, str]] = set()
    while waiting:
        method = waiting.pop()
        for ref in method.receiver.refs:
            place = (ref_key(ref), method.name)
            if place == field:
                return True
            if place not in seen:
                seen.add(place)
                waiting += [other for other in held_by(frame, ref, method.name) if other.__class__ is Bound]
    return False


def held_by(frame: Frame, owner: Any, name: str) -> tuple[Any, ...]:
    """What the field of an object or module refers to."""
    value: Value | None = None
    if owner.__class__ is Obj:
        value = (frame.machine.fields(owner) or {}).get(name)
    elif owner.__class__ is ModuleRef:
        value = frame.machine.module_attr(owner.module, name)
    return value.refs if value is not None else ()


def method_of_object(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    machine = frame.machine
    fields = machine.fields(obj)
    if fields and name in fields:
        held = without_itself(frame, obj, name, fields[name].refs)
        if any(ref.__class__ in (FuncRef, ClassRef, Bound) for ref in held):
            this = Value(refs=(obj,))
            bound = tuple(
                FuncRef(ref.fn, ref.frame, ref.this or this) if ref.__class__ is FuncRef else ref for ref in held
            )
            return call_value(frame, Value(refs=bound), given, span)
    if obj.cls is not None:
        own = method_of_instance(frame, obj, value, name, given, span)
        if own is None and frame.module.language == "java":
            own = java_builtins.inherited(frame, obj, name, given, span)
        return own
    if obj.library:
        if name in java_builtins.RULED and obj.library == "map":
            external.call(frame, java_builtins.RULED[name], value, given, span, only_rules=True)
        return java_builtins.method(frame, obj, value, name, given, span)
    if obj.kind in javascript_builtins.METHODS:
        built_in = javascript_builtins.method(frame, obj, value, name, given, span)
        if built_in is not None:
            return built_in
    if obj.proto is not None or (fields and "#proto" in fields):
        member = attributes.prototype_attr(frame, obj, name)
        if member is not None:
            this = Value(refs=(obj,))
            held = without_itself(frame, obj, name, member.refs)
            bound = tuple(FuncRef(ref.fn, ref.frame, this) if ref.__class__ is FuncRef else ref for ref in held)
            return call_value(frame, Value(refs=bound), given, span)
    if obj.kind in attributes.CONTAINERS:
        return containers.call(frame, obj, value, name, given, span)
    return None


def method_of_instance(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    machine = frame.machine
    program = machine.program
    cls = attributes.seen_as(frame, obj)
    machine.ensure_class(cls)
    for item in program.supers(cls)[0]:
        if item in machine.patched:
            written = (machine.fields(item) or {}).get(name)
            if written is not None:
                return call_value(frame, attributes.bound_to(written, obj), given, span)
        member = item.attrs.get(name)
        if member is not None and name not in item.methods:
            bound = tuple(
                FuncRef(ref.fn, ref.frame, Value(refs=(obj,)))
                if ref.__class__ is FuncRef and takes_self(ref.fn)
                else ref
                for ref in member.refs
            )
            return call_value(frame, Value(member.const, member.taint, bound, member.path), given, span)
        if name in item.methods:
            if member is not None and decorated(member, item.methods[name]):
                bound = tuple(
                    FuncRef(ref.fn, ref.frame, None) if ref.__class__ is FuncRef else ref for ref in member.refs
                )
                if cls.module.language == "javascript":
                    this = Value(refs=(obj,))
                    own = tuple(FuncRef(r.fn, r.frame, this) if r.__class__ is FuncRef else r for r in member.refs)
                    return call_value(frame, Value(refs=own, path=member.path), given, span)
                with_self = Arguments([Value(refs=(obj,)), *given.pos], given.kw, given.rest)
                return call_value(frame, Value(refs=bound, path=member.path), with_self, span)
            break
    fn = program.find_method(cls, name, len(given.pos))
    if fn is None:
        return None
    if cls.module.language == "java":
        fn = java_functions.overload(frame, fn, given)
    this = Value(taint=value.taint, refs=(obj,))
    result: Value | None = None
    if not fn.ir.flags & ir.ABSTRACT:
        if fn.ir.flags & ir.CLASS_METHOD:
            this = Value(refs=(ClassRef(cls),))
        result = invoke(frame, FuncRef(fn, obj.home, this), given, span)
    if obj.open or fn.ir.flags & ir.ABSTRACT:
        for other in program.overrides(cls, name, len(given.pos), OVERRIDES):
            item_result = invoke(frame, FuncRef(other, None, this), given, span)
            result = item_result if result is None else join(result, item_result)
    return result


def takes_self(fn: Fn) -> bool:
    return fn.module.language != "python" or bool(fn.ir.params and fn.ir.params[0].kind == "self")


def decorated(member: Value, methods: list[Fn]) -> bool:
    """Whether a class attribute is no longer the plain method of that name (a decorator replaced it)."""
    refs = [ref for ref in member.refs if ref.__class__ is FuncRef]
    return bool(refs) and all(ref.fn not in methods for ref in refs)


def method_of_class(frame: Frame, ref: ClassRef, name: str, given: Arguments, span: int) -> Value | None:
    machine = frame.machine
    fn = machine.program.find_method(ref.cls, name, len(given.pos))
    if fn is None:
        if frame.module.language == "java":
            reflected = java_builtins.class_method(frame, ref, name, given, span)
            if reflected is not None:
                return reflected
        model = declared_data.parsed(frame, ref.cls, name, given)
        if model is not None:
            return model
        member = attributes.class_attr(frame, ref, name)
        return call_value(frame, member, given, span) if member is not None and (member.refs or member.path) else None
    if fn.module.language == "java":
        fn = java_functions.overload(frame, fn, given)
    if fn.ir.flags & ir.CLASS_METHOD:
        return invoke(frame, FuncRef(fn, None, Value(refs=(ref,))), given, span)
    if fn.ir.flags & ir.STATIC or fn.module.language != "python":
        return invoke(frame, FuncRef(fn, None, None), given, span)
    if given.pos:
        return invoke(frame, FuncRef(fn, None, given.pos[0]), Arguments(given.pos[1:], given.kw, given.rest), span)
    return invoke(frame, FuncRef(fn, None, None), given, span)


def method_of_function(frame: Frame, ref: FuncRef, name: str, given: Arguments, span: int) -> Value | None:
    """``call``, ``apply`` and ``bind`` of a function; functions stored on functions."""
    fields = frame.machine.fields(ref.fn)
    if fields and name in fields:
        return call_value(frame, fields[name], given, span)
    if frame.module.language == "java":
        made = java_functions.chain(frame, Value(refs=(ref,)), name, given, span)
        return java_functions.call_ref(frame, ref, given, span) if made is None else made
    this = given.pos[0] if given.pos else None
    if name == "call":
        return invoke(frame, FuncRef(ref.fn, ref.frame, this), Arguments(given.pos[1:], {}, given.rest), span)
    if name == "apply":
        array = given.pos[1] if len(given.pos) > 1 else NONE
        known = elements.known_elements(frame, array, "values")
        rest = None if known is not None else elements.element(frame, array, "values", span)
        return invoke(frame, FuncRef(ref.fn, ref.frame, this), Arguments(known or [], {}, rest), span)
    if name == "bind":
        if len(given.pos) <= 1:
            return Value(refs=(FuncRef(ref.fn, ref.frame, this),))
        return Value(refs=(frame.machine.partial(ref, given.pos[1:], this),))
    return None


def by_name(frame: Frame, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """The receiver's type is not known: try the program's methods of that name, if they are few."""
    machine = frame.machine
    if value.const is not NOT_CONST or name in COMMON_NAMES:
        return None
    every = machine.program.methods_named.get(name)
    if not every:
        return None
    if len(every) > FAN_OUT_SEEN:
        machine.unit.widened[frame.module.index, span] = None
        return None
    language = frame.module.language
    count = len(given.pos) + len(given.kw)
    found = [fn for fn in every if fn.module.language == language and arity_fits(fn, count)]
    if not found:
        return None
    if len(found) > NAME_FAN_OUT:
        machine.unit.widened[frame.module.index, span] = None
        return None
    if not any(item.taint or item.refs for item in given.all()):
        for fn in found:
            machine.note_call(frame, fn)
        return None
    result: Value | None = None
    for fn in found:
        this = Value(taint=value.taint)
        item = apply_summary(frame, FuncRef(fn, None, this), given, span)
        result = item if result is None else join(result, item)
    return result


COMMON_NAMES = frozenset(
    """get set add put append pop remove clear update keys values items join split strip replace format read write close
    open execute query run call apply push then catch map filter forEach reduce find next send end on emit toString
    equals hashCode length size isEmpty contains encode decode lower upper start stop copy index count sort insert
    exec test match search render save delete create bind trim slice concat includes indexOf log error info debug warn
    getAttribute setAttribute getParameter getHeader addHeader println print printf""".split()
)


# --- running ---------------------------------------------------------------------------------------------------------


def invoke(frame: Frame, ref: FuncRef, given: Arguments, span: int) -> Value:
    """Run a function of the program on these arguments: in this context if that tells more, else by its summary."""
    machine = frame.machine
    fn = ref.fn
    machine.note_call(frame, fn)
    if contexts.wants_context(machine, frame, ref, given):
        return run_in_context(frame, ref, given, span)
    return apply_summary(frame, ref, given, span)


def apply_summary(frame: Frame, ref: FuncRef, given: Arguments, span: int) -> Value:
    machine = frame.machine
    machine.note_call(frame, ref.fn)
    found = machine.summary_of(ref.fn)
    if found is None:
        return external.unknown_call(frame, UNKNOWN, given, span)
    return summary.apply(frame, found, ref, given, span)


def run_in_context(frame: Frame, ref: FuncRef, given: Arguments, span: int) -> Value:
    machine = frame.machine
    fn = ref.fn
    new = machine.new_frame(fn, ref.this, ref.frame)
    if machine.root.checked and given.pos and attributes.checked(given.pos[0]):
        machine.root.checked.add(fn)  # the handler that a wrapper calls
    bind(frame, new, fn, given, span)
    before = {param.name: new.env.get(param.name) for param in fn.ir.params}
    height = machine.budget.height(fn)
    machine.stack.append(fn)
    machine.budget.enter(height)
    result = new.run()
    machine.budget.frames -= height
    machine.stack.pop()
    if new.raised is not None:
        frame.note_raise(new.raised)
    elif frame.tries:
        frame.note_raise(None)
    if new.exit_env is None and machine.steps <= machine.limit and ends(fn):
        return NEVER
    carry_refinements(frame, before, new, given)
    if result.taint:
        result = step_taint(frame, result, span, f"returned by `{fn.ir.name or 'function'}`")
    return result


ENDING = re.compile(
    r"(?i)fail|throw|raise|abort|error|die|exit|reject|den(y|ied)|forbid|redirect|quit|bail|usage|invalid"
)


def ends(fn: Fn) -> bool:
    """Whether a function whose every way out is an exception may be taken at its word.

    A method may be there to be overridden (``raise NotImplementedError``), unless its name says that it ends things.
    """
    if fn.ir.flags & (ir.ASYNC | ir.GENERATOR | ir.ABSTRACT) or fn.ir.kind == "module":
        return False
    return fn.cls is None or bool(fn.ir.flags & ir.STATIC) or ENDING.search(fn.ir.name) is not None


def carry_refinements(frame: Frame, before: dict[str, Value | None], new: Frame, given: Arguments) -> None:
    """A callee that returns only if its argument passed a check has checked the caller's variable too."""
    if not new.machine.refined:
        return
    for name, old in before.items():
        now = new.env.get(name)
        if old is None or now is None or old is now or not old.taint:
            continue
        if not refined_from(new, now, old):
            continue
        original = given_for(new.fn, given, name) or old
        for variable, value in frame.env.items():
            if value is original:
                frame.env[variable] = with_taint(value, now.taint)


def refined_from(frame: Frame, now: Value, old: Value) -> bool:
    """Whether checks, one after the other, made ``now`` of ``old``."""
    found: Value | None = now
    for _ in range(4):
        found = frame.machine.refined.get(id(found))
        if found is old:
            return True
        if found is None:
            return False
    return False
