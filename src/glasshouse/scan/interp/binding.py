"""Arguments of a call are evaluated from operands, and bound to parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import (
    NONE,
    NOT_CONST,
    UNKNOWN,
    Obj,
    Step,
    Value,
    with_taint,
)
from glasshouse.scan.program import Fn

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.states import Env


TYPED = ("go", "php")  # languages whose declared parameter types say what an unknown argument is


def evaluated(frame: Frame, args: list[Any], kwargs: list[Any]) -> Arguments:
    """Evaluate argument operands."""
    pos: list[Value] = []
    rest: Value | None = None
    for item in args:
        if item.__class__ is list:
            value = frame.val(item[1])
            known = elements.known_elements(frame, value, "values")
            if known is not None and rest is None:
                pos.extend(known)
            else:
                rest = elements.element(frame, value, "values", 0)
        else:
            pos.append(frame.val(item))
    if not kwargs:
        return Arguments(pos, {}, rest)
    kw: dict[str, Value] = {}
    for name, operand in kwargs:
        value = frame.val(operand)
        if name != "**":
            kw[name] = value
            frame.machine.assigned(frame, name, value, 0)
            continue
        for ref in value.refs:
            if ref.__class__ is Obj:
                for key, item in (frame.machine.fields(ref) or {}).items():
                    if key.__class__ is str and key not in ("*", "#len"):
                        kw.setdefault(key, item)
        if value.taint:
            kw.setdefault("**", value)
    return Arguments(pos, kw, rest)


def given_for(fn: Fn, given: Arguments, name: str) -> Value | None:
    """The argument as the caller holds it (parameters hold it with one more step of its way)."""
    position = 0
    for param in fn.ir.params:
        if param.name == name:
            return given.pos[position] if position < len(given.pos) and param.kind == "pos" else given.kw.get(name)
        position += param.kind == "pos"
    return None


def bind(frame: Frame, new: Frame, fn: Fn, given: Arguments, span: int) -> None:
    """Arguments to parameters."""
    env: Env = new.env
    machine = frame.machine
    params = fn.ir.params
    position = 0
    supplied: set[str] = set()
    pos = given.pos
    for param in params:
        kind = param.kind
        name = param.name
        if kind == "self":
            if new.this is not None:
                env[name] = new.this
                supplied.add(name)
                continue
            kind = "pos"
        if kind == "pos":
            if position < len(pos):
                value: Value | None = pos[position]
                position += 1
            elif name in given.kw:
                value = given.kw[name]
            else:
                value = given.rest
        elif kind == "kw":
            value = given.kw.get(name)
        elif kind == "*":
            value = rest_list(frame, pos[position:], given.rest, span)
            position = len(pos)
        else:
            value = rest_keywords(frame, given.kw, fn.names, span)
        if value is None:
            if kind == "pos" and "**" in given.kw:
                value = elements.get_item(frame, given.kw["**"], Value(name), span)
            else:
                continue
        supplied.add(name)
        if fn.module.language in TYPED and param.type and value.const is NOT_CONST and not (value.refs or value.path):
            value = machine.modules.typed(fn.module, param.type, value)
        if value.taint:
            value = step_taint(frame, value, span, f"passed to `{fn.ir.name or 'function'}` as `{name}`")
        env[name] = machine.sensitive(new, name, value, param.span)
    new.given = supplied
    if fn.module.language == "javascript":
        if params and not all(param.name in supplied for param in params):
            for param in params:
                if param.name not in env and param.kind == "pos" and not param.has_default:
                    env[param.name] = NONE
        machine.pending_arguments(new, given)


def rest_list(frame: Frame, values: list[Value], rest: Value | None, span: int) -> Value:
    obj = frame.machine.new_obj("list", frame, span)
    fields: dict[Any, Value] = dict(enumerate(values))
    fields["#len"] = Value(len(values)) if rest is None else UNKNOWN
    if rest is not None:
        fields["*"] = rest
    frame.machine.heap[obj] = fields
    return Value(refs=(obj,))


def rest_keywords(frame: Frame, kw: dict[str, Value], names: frozenset[str], span: int) -> Value:
    obj = frame.machine.new_obj("dict", frame, span)
    frame.machine.heap[obj] = {name: value for name, value in kw.items() if name not in names}
    return Value(refs=(obj,))


def step_taint(frame: Frame, value: Value, span: int, text: str) -> Value:
    taint = value.taint
    assert taint is not None
    index = frame.module.index
    changed = {
        label: (mask, Step(index, span, text, step)) if label.kind == "source" else (mask, step)
        for label, (mask, step) in taint.items()
    }
    return with_taint(value, changed)
