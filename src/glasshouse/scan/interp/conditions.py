"""Whether a call is one that a rule speaks of: the values its selectors name, and what it asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp import attributes, elements, patterns, predicates
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.models import MatchModel
from glasshouse.scan.interp.selectors import CompiledCondition, Selector, selected
from glasshouse.scan.interp.values import NOT_CONST, Bound, ClassRef, FuncRef, ModuleRef, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

MAX_HANDED = 400  # functions of one table


MANY = ("any", "from")  # selectors of several arguments


def pick(frame: Frame, selector: Selector, receiver: Value | None, given: Arguments) -> list[Value]:
    """The values a selector names."""
    found = selected(selector, given.pos, given.kw, receiver)
    if given.rest is not None and selector.kind in ("pos", "any", "from", "last"):
        spread = selector.kind in MANY and frame.module.language == "javascript"
        found = [*found, given.rest] if spread or not found else found
    if not found and "**" in given.kw and selector.kind == "kw":
        found = [elements.get_item(frame, given.kw["**"], Value(selector.name), 0)]
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


def all_hold(frame: Frame, match: MatchModel, receiver: Value | None, given: Arguments) -> bool:
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
            body = list(instructions(ref.fn.ir.body))
            tuples = {ins[2]: ins[4][0] for ins in body if ins[0] == ir.MAKE and ins[3] == "tuple" and ins[4]}
            given = [tuples.get(ins[2], ins[2]) for ins in body if ins[0] == ir.RETURN]  # Go: the first of several
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
