"""Calls that leave the scanned program: sinks, sources, sanitisers and propagators of the rules apply here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp import (
    access_paths,
    attributes,
    effects,
    go_builtins,
    java_builtins,
    javascript_builtins,
    javascript_responses,
    javascript_schemas,
    patterns,
    php_builtins,
    predicates,
)
from glasshouse.scan.interp.late_pattern import LatePattern
from glasshouse.scan.interp.matcher import (
    CallModel,
    MatchModel,
    PropagatorModel,
    SanitizerModel,
    SinkModel,
)
from glasshouse.scan.interp.selectors import CompiledCondition, Selector, selected
from glasshouse.scan.interp.values import (
    NOT_CONST,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    ModuleRef,
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
    from glasshouse.scan.interp.calls import Arguments
    from glasshouse.scan.interp.frame import Frame

MUTABLE = (FuncRef, Bound)
MAX_HANDED = 400  # functions of one table
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
        if conditions_hold(frame, match, receiver, given):
            machine.report_match(frame, match, path, span)
    left = given
    for entry, selector in model.registers:
        schemas = javascript_schemas.checked(frame, path, receiver, given, span)
        handed = handed_over(frame, selector, receiver, given)
        machine.register(frame, entry, handed, schemas, span)
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
        if all(holds(frame, item, receiver, given) for item in source.where):
            result = machine.from_source(frame, source, result, span, path)
            effects.taint_arguments(frame, source.taints, receiver, given, result, span)
    for sanitizer in model.sanitizers:
        if sanitizer.guard is None and all(holds(frame, item, receiver, given) for item in sanitizer.where):
            if sanitizer.safe_prefix and not begins_safely(frame, sanitizer.safe_prefix, sanitizer.arg, span):
                continue
            result = sanitize(frame, sanitizer, receiver, given, result)
        elif sanitizer.guard == "asserts":
            asserted(frame, sanitizer.arg, span)
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
    return Value(NOT_CONST, taint, refs, result_path(frame, path, new))


SAME_TEXT = frozenset("strip lstrip rstrip encode decode replace format format_map lower upper join".split())
BUFFERS = frozenset(
    """java.lang.StringBuilder java.lang.StringBuffer java.io.StringWriter java.util.StringJoiner
    java.io.ByteArrayOutputStream""".split()
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
            element = attributes.element(frame, receiver, "values", span)
    for value in given.all():
        if value not in callbacks and not any(ref.__class__ in MUTABLE for ref in value.refs):
            passed = join_taint(passed, attributes.deep_taint(frame.machine, value) if value.refs else value.taint)
    for value in callbacks:
        argument = element if element is not None else Value(taint=passed)
        known = frame.machine.unit.called
        new = [ref.fn for ref in value.refs if ref.__class__ is FuncRef and ref.fn not in known]
        calls.call_value(frame, Value(refs=value.refs), calls.Arguments([], {}, argument), span)
        known.difference_update(new)  # code outside that may call it is no caller: it stays open to others


def unknown_call(frame: Frame, callee: Value, given: Arguments, span: int) -> Value:
    """A callee we know nothing of (a parameter, a computed function)."""
    result = unmodelled(frame, "?.call", None, given, span, False)
    taint = join_taint(result.taint, callee.taint)
    return Value(taint=taint) if taint else UNKNOWN


# --- selectors and conditions ----------------------------------------------------------------------------------------


def pick(frame: Frame, selector: Selector, receiver: Value | None, given: Arguments) -> list[Value]:
    """The values a selector names."""
    found = selected(selector, given.pos, given.kw, receiver)
    if not found and given.rest is not None and selector.kind in ("pos", "any", "from", "last"):
        found = [given.rest]
    if not found and "**" in given.kw and selector.kind == "kw":
        found = [attributes.get_item(frame, given.kw["**"], Value(selector.name), 0)]
    if selector.path:
        return [attributes.at_path(frame, value, selector.path) for value in found]
    return found


def handed_over(frame: Frame, selector: Selector, receiver: Value | None, given: Arguments) -> list[Value]:
    """What a call hands to a framework, such as functions; of a table of them every one."""
    if "*" not in selector.path:
        return pick(frame, selector, receiver, given)
    found = pick(frame, selector._replace(path=()), receiver, given)
    for name in selector.path:
        if name != "*":
            found = [attributes.at_path(frame, value, (name,)) for value in found]
            continue
        inside = [frame.machine.fields(ref) or {} for value in found for ref in value.refs if ref.__class__ is Obj]
        found = [item for fields in inside for key, item in fields.items() if key != "#len"][:MAX_HANDED]
    return found


def conditions_hold(frame: Frame, match: MatchModel, receiver: Value | None, given: Arguments) -> bool:
    if match.imports and not any(frame.machine.imports(frame.module, name) for name in match.imports):
        return False
    if not all(holds(frame, item, receiver, given) for item in match.where):
        return False
    return not any(holds(frame, item, receiver, given) for item in match.unless)


def holds(frame: Frame, compiled: CompiledCondition, receiver: Value | None, given: Arguments) -> bool:
    """Whether one condition holds for this call."""
    selector = compiled.selector
    if selector.path and compiled.condition.absent:
        return all(
            lacks(frame, base, selector.path) for base in pick(frame, selector._replace(path=()), receiver, given)
        )
    values = pick(frame, selector, receiver, given)
    if selector.path:
        each = handed_over(frame, selector, receiver, given) if "*" in selector.path else ()  # one that fits is enough
        values = [value for value in (*values, *each) if known(value)]
        if compiled.condition.present and values and not field_given(frame, selector, receiver, given):
            values = []
    return test(frame, compiled, values)


def lacks(frame: Frame, value: Value, path: tuple[str, ...]) -> bool:
    """Whether it is known that a value has no such field: all its fields are known, and that is not one of them."""
    if value.taint or value.path or not value.refs:
        return value.const is not NOT_CONST
    for ref in value.refs:
        if ref.__class__ is not Obj or ref.open or ref.kind not in attributes.CONTAINERS:
            return False
        fields = frame.machine.fields(ref) or {}
        found = fields.get(int(path[0]) if path[0].isdigit() else path[0])
        if found is None:
            if "*" in fields:
                return False
        elif len(path) == 1 or not lacks(frame, found, path[1:]):
            return False
    return True


def field_given(frame: Frame, selector: Selector, receiver: Value | None, given: Arguments) -> bool:
    """Whether an options object has the field itself, and is not just unknown data that might have it."""
    name = selector.path[-1]
    for base in pick(frame, selector._replace(path=selector.path[:-1]), receiver, given):
        if base.path and not base.taint:
            return True
        for ref in base.refs:
            if ref.__class__ is Obj and (not ref.open or ref.kind != "param"):
                fields = frame.machine.fields(ref)
                if fields and (name == "*" or name in fields or "*" in fields):
                    return True
    return False


def known(value: Value) -> bool:
    """Whether a field was there at all (nothing is known of a field that is not)."""
    return bool(value.const is not NOT_CONST or value.path or value.refs or value.taint) and not (
        len(value.refs) == 1 and value.refs[0].__class__ is Bound and value.const is NOT_CONST and not value.taint
    )


def test(frame: Frame, compiled: CompiledCondition, values: list[Value]) -> bool:
    condition = compiled.condition
    if condition.absent is not None and bool(values) == condition.absent:
        return False
    if condition.present is not None and bool(values) != condition.present:
        return False
    if not values:
        return not (
            condition.equals is not None
            or condition.matches is not None
            or condition.below is not None
            or condition.bits is not None
            or condition.constant
            or condition.type is not None
            or condition.overrides is not None
            or condition.gives is not None
        )
    return any(fits(frame, compiled, value) for value in values)


def same_constant(const: Any, wanted: tuple[Any, ...]) -> bool:
    return any(const == item and (const.__class__ is bool) == (item.__class__ is bool) for item in wanted)


def fits(frame: Frame, compiled: CompiledCondition, value: Value) -> bool:
    condition = compiled.condition
    const = value.const
    if condition.equals is not None and (const is NOT_CONST or not same_constant(const, condition.equals)):
        return False
    if condition.unequal is not None and const is not NOT_CONST and same_constant(const, condition.unequal):
        return False
    if condition.constant is not None and (const is not NOT_CONST) != condition.constant:
        return False
    if condition.below is not None and not (const.__class__ in (int, float) and const < condition.below):
        return False
    if condition.bits is not None and not (const.__class__ is int and const & condition.bits):
        return False
    if compiled.matches is not None or compiled.unmatched is not None:
        text = text_for(frame, value)
        if compiled.matches is not None and (text is None or not compiled.matches.search(text)):
            return False
        if compiled.unmatched is not None and text is not None and compiled.unmatched.search(text):
            return False
    if condition.gives is not None and not gives(frame, value, condition.gives):
        return False
    if condition.overrides is not None and not overrides(frame, value, condition.overrides):
        return False
    if condition.type is not None:
        return is_type(frame, value, condition.type)
    return True


def gives(frame: Frame, value: Value, wanted: tuple[str | int | bool | None, ...]) -> bool:
    """Whether the value is a function of the program that gives one of these constants, whatever it is asked."""
    for ref in value.refs:
        if ref.__class__ is FuncRef:
            frame.machine.unit.touched.add(ref.fn)
            given = [ins[2] for ins in instructions(ref.fn.ir.body) if ins[0] == ir.RETURN]
            consts = ref.fn.ir.consts
            if given and all(
                item.__class__ is int and item < 0 and same_constant(consts[-1 - item], wanted) for item in given
            ):
                return True
    return False


def overrides(frame: Frame, value: Value, names: tuple[str, ...]) -> bool:
    """Whether the value is of a class of the program that defines (or inherits) one of these methods."""
    for ref in value.refs:
        if ref.__class__ is Obj and ref.cls is not None:
            for cls in frame.machine.program.supers(ref.cls)[0]:
                methods = [fn for name in names for fn in cls.methods.get(name, ())]
                frame.machine.unit.touched.update(methods)
                if any(not predicates.passes_on(fn) for fn in methods):
                    return True
    return False


def text_for(frame: Frame, value: Value) -> str | None:
    if value.const is not NOT_CONST:
        return str(value.const)
    pattern = patterns.written(frame.machine, value)
    if pattern is not None:
        return pattern
    if value.path:
        return frame.machine.matcher(frame).normal(value.path)
    for ref in value.refs:
        if ref.__class__ is ClassRef:
            return ref.cls.ir.name
        if ref.__class__ is FuncRef:
            return ref.fn.ir.name
        if ref.__class__ is ModuleRef:
            return ref.module.name
    return None


def is_type(frame: Frame, value: Value, wanted: tuple[str, ...]) -> bool:
    matcher = frame.machine.matcher(frame)
    if value.path and matcher.is_below(matcher.normal(value.path), wanted):
        return True
    for ref in value.refs:
        if ref.__class__ is Obj:
            if ref.kind in wanted:
                return True
            if ref.cls is not None:
                above = frame.machine.program.supers(ref.cls)[1]
                if any(matcher.is_below(item, wanted) for item in above):
                    return True
    if value.const.__class__ is str:
        return "str" in wanted or "string" in wanted or "java.lang.String" in wanted
    return False


# --- sinks, sanitisers, propagators ----------------------------------------------------------------------------------


def check_sink(frame: Frame, sink: SinkModel, receiver: Value | None, given: Arguments, span: int) -> None:
    if not all(holds(frame, item, receiver, given) for item in sink.where):
        return
    if sink.safe_when and any(holds(frame, item, receiver, given) for item in sink.safe_when):
        return
    if sink.guards and frame.machine.protocols.guarded(frame, sink.guards, receiver, given):
        return
    for selector in sink.selectors:
        for value in pick(frame, selector, receiver, given):
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
            for value in pick(frame, selector, receiver, given):
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
        for value in pick(frame, selector, receiver, given):
            taint = join_taint(taint, attributes.deep_taint(machine, value) if value.refs else value.taint)
    result = UNKNOWN
    for target in propagator.to:
        if target == "return":
            if taint:
                if given.pos and (len(given.pos) > 1 or given.rest is not None) and propagator.frm == ALL:
                    taint = joined(frame, given, taint)
                if propagator.normal:
                    taint = {label: (bits | machine.normal_bit, step) for label, (bits, step) in taint.items()}
                result = Value(taint=mark(frame, taint, span, "carried on by the call"))
        else:
            for value in pick(frame, target, receiver, given):  # type: ignore[arg-type]
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
        values = pick(frame, selector, receiver, given)
        passed.append(values[0] if values else UNKNOWN)
    passed.extend(Value(path=path) for path in propagator.callback_types)
    got = UNKNOWN
    for function in pick(frame, propagator.callback, receiver, given):
        if function.refs or function.path:
            got = join(got, calls.call_value(frame, function, calls.Arguments(passed, {}), span))
    if propagator.callback_to == "return":
        return join(result, got) if result is not UNKNOWN else got
    if propagator.callback_to == "return.*":
        made = frame.machine.new_obj("list", frame, span)
        frame.machine.heap[made] = {"*": got, "#len": UNKNOWN}
        return Value(taint=result.taint, refs=(made,))
    return result
