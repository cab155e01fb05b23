"""JavaScript's maps and sets, and the small things that all its built-in objects need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Obj, Value, join, join_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame


KEYS = ("keys",)  # field of a map: taint of the keys that are not constants
IDENTITIES = 8  # entries of a map or set kept by the identity of an unknown key


def make(frame: Frame, kind: str, span: int, fields: dict[Any, Value]) -> Value:
    obj = frame.machine.new_obj(kind, frame, span)
    frame.machine.heap[obj] = fields
    return Value(refs=(obj,))


def make_list(frame: Frame, span: int, items: list[Value], more: Value | None = None) -> Value:
    fields: dict[Any, Value] = dict(enumerate(items))
    fields["#len"] = Value(len(items)) if more is None else UNKNOWN
    if more is not None:
        fields["*"] = more
    return make(frame, "list", span, fields)


def argument(given: Arguments, index: int) -> Value:
    if index < len(given.pos):
        return given.pos[index]
    return given.rest if given.rest is not None else NONE


def iterated(frame: Frame, value: Value, span: int) -> tuple[list[Value], Value | None]:
    """The elements of an iterable: those known in order, and any further one."""
    known = elements.known_elements(frame, value, "values")
    if known is not None:
        return known, None
    if value.const is None:
        return [], None
    return [], elements.element(frame, value, "values", span)


# --- maps ------------------------------------------------------------------------------------------------------------


def new_map(frame: Frame, given: Arguments, span: int) -> Value:
    made = make(frame, "map", span, {})
    if not given.pos:
        return made
    known, more = iterated(frame, given.pos[0], span)
    for pair in [*known, *([more] if more is not None else [])]:
        key = elements.get_item(frame, pair, Value(0), span)
        store(frame, made.refs[0], key, elements.get_item(frame, pair, Value(1), span))
    return made


def store(frame: Frame, obj: Obj, key: Value, value: Value) -> None:
    machine = frame.machine
    fields = machine.fields(obj) or {}
    if key.const is not NOT_CONST:
        machine.write(obj, key.const, value)
        return
    if sum(1 for name in fields if name.__class__ is Value) < IDENTITIES:
        machine.write(obj, key, value)
    else:
        machine.write(obj, "*", value, weak=True)
    if key.taint:
        machine.write(obj, KEYS, Value(taint=key.taint), weak=True)


def map_set(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    store(frame, obj, argument(given, 0), argument(given, 1))
    return value


def map_get(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    fields = frame.machine.fields(obj) or {}
    key = argument(given, 0)
    if key in fields:
        return fields[key]
    if key.const is NOT_CONST:
        return any_value(fields)
    found = fields.get(key.const)
    for name, item in fields.items():
        if name.__class__ is Value or name == "*":
            found = item if found is None else join(found, item)
    return found if found is not None else NONE


def any_value(fields: dict[Any, Value]) -> Value:
    found: Value | None = None
    for name, item in fields.items():
        if name.__class__ is not tuple:
            found = item if found is None else join(found, item)
    return found if found is not None else UNKNOWN


def map_delete(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    machine = frame.machine
    fields = machine.fields(obj) or {}
    key = argument(given, 0)
    name = key.const if key.const is not NOT_CONST else key
    if name in fields:
        left = {have: item for have, item in fields.items() if have != name and have != KEYS}
        taint = None
        for have in left:
            if have.__class__ is Value:
                taint = join_taint(taint, have.taint)
        if taint or ("*" in left and KEYS in fields):
            left[KEYS] = Value(taint=taint) if "*" not in left else fields[KEYS]
        machine.heap[obj] = left
    return UNKNOWN


def map_clear(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    frame.machine.heap[obj] = {}
    return NONE


def entries_of(frame: Frame, obj: Obj) -> tuple[list[tuple[Value, Value]], bool]:
    """Keys and values, and whether there may be more than these."""
    fields = frame.machine.fields(obj) or {}
    pairs: list[tuple[Value, Value]] = []
    for name, item in fields.items():
        if name.__class__ is Value:
            pairs.append((name, item))
        elif name == "*":
            pairs.append((fields.get(KEYS, UNKNOWN), item))
        elif name.__class__ is not tuple:
            pairs.append((Value(name), item))
    return pairs, "*" in fields


def listing(frame: Frame, items: list[Value], open_ended: bool, span: int) -> Value:
    return make_list(frame, span, items[:-1] if open_ended else items, items[-1] if open_ended else None)


def map_keys(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    pairs, more = entries_of(frame, obj)
    return listing(frame, [key for key, _ in pairs], more, span)


def map_values(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    pairs, more = entries_of(frame, obj)
    return listing(frame, [item for _, item in pairs], more, span)


def map_entries(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    pairs, more = entries_of(frame, obj)
    return listing(frame, [make_list(frame, span, [key, item]) for key, item in pairs], more, span)


def map_each(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    pairs, _ = entries_of(frame, obj)
    for key, item in pairs:
        calls.call_value(frame, argument(given, 0), Arguments([item, key, value], {}), span)
    return NONE


def unknown(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    return UNKNOWN


# --- sets ------------------------------------------------------------------------------------------------------------


def new_set(frame: Frame, given: Arguments, span: int) -> Value:
    made = make(frame, "jsset", span, {})
    if given.pos:
        known, more = iterated(frame, given.pos[0], span)
        for item in [*known, *([more] if more is not None else [])]:
            store(frame, made.refs[0], item, item)
    return made


def set_add(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    store(frame, obj, argument(given, 0), argument(given, 0))
    return value
