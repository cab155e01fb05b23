"""Python's built-in functions that make or read containers and attributes, computed on abstract values.

A handler returns None when it can tell no more than the models of the rules do.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, dependencies, elements, literals
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import LITERAL, NONE, NOT_CONST, UNKNOWN, ClassRef, Obj, Value, join, join_all

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

MAX_RANGE = 8  # longer ranges are lists of unknown length
ATTRIBUTE_OWNERS = (Obj, ClassRef)


def made(frame: Frame, kind: str, fields: dict[Any, Value], span: int, value: Value | None = None) -> Value:
    """A new container; ``value`` is what it was made from (its own taint stays)."""
    obj = frame.machine.new_obj(kind, frame, span)
    frame.machine.heap[obj] = fields
    return Value(taint=value.taint if value is not None else None, refs=(obj,))


def fields_of(frame: Frame, value: Value, span: int) -> dict[Any, Value]:
    """Fields of a list with the elements of a value."""
    known = elements.known_elements(frame, value, "values")
    if known is not None:
        fields: dict[Any, Value] = dict(enumerate(known))
        fields["#len"] = Value(len(known))
        return fields
    return {"*": elements.element(frame, value, "values", span), "#len": UNKNOWN}


def sequence(kind: str) -> Handler:
    def handler(frame: Frame, given: Arguments, span: int) -> Value | None:
        if not given.pos:
            fields: dict[Any, Value] = {} if kind == "set" else {"#len": Value(0)}
            return made(frame, kind, fields, span) if given.rest is None else None
        value = given.pos[0]
        if value.path or (not value.refs and value.const is NOT_CONST):
            return None
        fields = fields_of(frame, value, span)
        if kind == "set":
            items = [item for name, item in fields.items() if name != "#len"]
            fields = {"*": join_all(items)} if items else {}
        return made(frame, kind, fields, span, value)

    return handler


def dictionary(frame: Frame, given: Arguments, span: int) -> Value | None:
    fields: dict[Any, Value] = {}
    taint = None
    if given.pos:
        value = given.pos[0]
        if value.path or not value.refs or any(ref.__class__ is not Obj or ref.kind != "dict" for ref in value.refs):
            return None
        literals.spread(frame, fields, value, "dict", None)
        taint = value
    if "**" in given.kw:
        return None
    fields.update(given.kw)
    return made(frame, "dict", fields, span, taint)


def length(frame: Frame, given: Arguments, span: int) -> Value | None:
    if len(given.pos) != 1:
        return None
    value = given.pos[0]
    if value.const.__class__ is str:
        return Value(len(value.const))
    if len(value.refs) != 1 or value.taint or value.path:
        return None
    ref = value.refs[0]
    if ref.__class__ is not Obj or ref.open or ref.kind not in attributes.CONTAINERS:
        return None
    fields = frame.machine.fields(ref) or {}
    if ref.kind == "dict":
        return None if "*" in fields else Value(sum(1 for name in fields if name != "#len"))
    return fields.get("#len") if ref.kind in ("list", "tuple") else None


def number_range(frame: Frame, given: Arguments, span: int) -> Value | None:
    bounds = [item.const for item in given.pos]
    if NOT_CONST in bounds and not any(item.taint for item in given.pos):
        return made(frame, "list", {"*": Value(path=LITERAL), "#len": UNKNOWN}, span)
    if not 1 <= len(bounds) <= 3 or any(bound.__class__ is not int for bound in bounds) or 0 in bounds[2:]:
        return None
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        return made(frame, "list", {"*": Value(path=LITERAL), "#len": UNKNOWN}, span)
    fields: dict[Any, Value] = {index: Value(number) for index, number in enumerate(numbers)}
    fields["#len"] = Value(len(numbers))
    return made(frame, "list", fields, span)


def enumerated(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos or not given.pos[0].refs or given.pos[0].path:
        return None
    source = fields_of(frame, given.pos[0], span)
    fields: dict[Any, Value] = {"#len": source["#len"]}
    for name, item in source.items():
        if name != "#len":
            number = Value(name) if name.__class__ is int and len(given.pos) == 1 else Value(path=LITERAL)
            fields[name] = made(frame, "tuple", {0: number, 1: item, "#len": Value(2)}, span)
    return made(frame, "list", fields, span, given.pos[0])


def mapped(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``map(quote, words)``: what the function gives for any one element."""
    from glasshouse.scan.interp import calls

    if len(given.pos) != 2 or not (given.pos[0].refs or given.pos[0].path):
        return None
    element = elements.element(frame, given.pos[1], "values", span)
    result = calls.call_value(frame, given.pos[0], Arguments([element], {}), span)
    return made(frame, "list", {"*": result, "#len": UNKNOWN}, span)


def zipped(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos or any(not value.refs or value.path for value in given.pos):
        return None
    columns = [elements.known_elements(frame, value, "values") for value in given.pos]
    if any(column is None for column in columns):
        row = {index: elements.element(frame, value, "values", span) for index, value in enumerate(given.pos)}
        pair = made(frame, "tuple", {**row, "#len": Value(len(row))}, span)
        return made(frame, "list", {"*": pair, "#len": UNKNOWN}, span)
    rows = list(zip(*[column or [] for column in columns], strict=False))
    fields: dict[Any, Value] = {
        number: made(frame, "tuple", {**dict(enumerate(items)), "#len": Value(len(items))}, span)
        for number, items in enumerate(rows)
    }
    fields["#len"] = Value(len(rows))
    return made(frame, "list", fields, span)


def reordered(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``sorted``: the same elements in an order that is not known; ``reversed``: in the opposite order."""
    if not given.pos or not given.pos[0].refs or given.pos[0].path or given.kw:
        return None
    element = elements.element(frame, given.pos[0], "values", span)
    return made(frame, "list", {"*": element, "#len": UNKNOWN}, span, given.pos[0])


def backwards(frame: Frame, given: Arguments, span: int) -> Value | None:
    if len(given.pos) != 1 or not given.pos[0].refs or given.pos[0].path:
        return None
    known = elements.known_elements(frame, given.pos[0], "values")
    if known is None:
        return reordered(frame, given, span)
    fields: dict[Any, Value] = dict(enumerate(reversed(known)))
    fields["#len"] = Value(len(known))
    return made(frame, "list", fields, span)


def plain_owner(frame: Frame, given: Arguments, count: int) -> bool:
    """Whether the call is on an object of the program, with a constant attribute name; the unit has asked for it."""
    if len(given.pos) >= count and given.pos[1].const.__class__ is str:
        frame.machine.unit.asked.add(given.pos[1].const)
    return (
        len(given.pos) >= count
        and given.pos[1].const.__class__ is str
        and not given.pos[0].path
        and bool(given.pos[0].refs)
        and all(ref.__class__ in ATTRIBUTE_OWNERS for ref in given.pos[0].refs)
    )


def get_attribute(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not plain_owner(frame, given, 2):
        return None
    found = attributes.get_attr(frame, given.pos[0], given.pos[1].const, span)
    if len(given.pos) > 2 and not found.taint and not found.refs and found.const is NOT_CONST:
        return join(found, given.pos[2])
    return found


def set_attribute(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not plain_owner(frame, given, 3):
        return None
    attributes.set_attr(frame, given.pos[0], given.pos[1].const, given.pos[2], span)
    return NONE


def delete_attribute(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not plain_owner(frame, given, 2):
        return None
    elements.del_item(frame, given.pos[0], given.pos[1])
    return NONE


CONSTANTS = {f"stat.{name}": Value(number) for name, number in vars(stat).items() if name[:3] in ("S_I", "O_R", "O_W")}


def matched_position(frame: Frame, obj: Obj, value: Value, name: str, span: int) -> Value | None:
    """What a positional sub-pattern (``$0``, ``$1``, ...) of a class pattern reads."""
    assert obj.cls is not None
    if not name[1:].isdigit():
        return None
    position = int(name[1:])
    order = attributes.class_attr(frame, ClassRef(obj.cls), "__match_args__")
    names = elements.known_elements(frame, order, "values") if order is not None else None
    fields = [item.const for item in names] if names is not None else [field for field, _ in obj.cls.ir.fields]
    if position < len(fields) and fields[position].__class__ is str:
        return attributes.obj_attr(frame, obj, value, fields[position], span)
    return None


def same(frame: Frame, given: Arguments, span: int) -> Value | None:
    """A decorator that hands on the function as it is."""
    return given.pos[0] if len(given.pos) == 1 and given.pos[0].refs and not given.kw else None


Handler = Callable[["Frame", "Arguments", int], "Value | None"]
HANDLERS: dict[str, Handler] = {
    "list": sequence("list"),
    "tuple": sequence("tuple"),
    "set": sequence("set"),
    "frozenset": sequence("set"),
    "iter": sequence("list"),
    "dict": dictionary,
    "len": length,
    "range": number_range,
    "xrange": number_range,
    "enumerate": enumerated,
    "map": mapped,
    "zip": zipped,
    "sorted": reordered,
    "reversed": backwards,
    "getattr": get_attribute,
    "setattr": set_attribute,
    "delattr": delete_attribute,
    **dict.fromkeys(["functools.cache", "functools.lru_cache", "functools.lru_cache()", "async_lru.alru_cache"], same),
    **dict.fromkeys(dependencies.MAKERS, dependencies.depends),
}
