"""What built-in containers and text do: lists, sets, dicts, maps and constant strings of all languages."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, elements, literals, texts
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Obj, Value, join, join_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

APPEND = frozenset(["append", "push", "add", "addLast", "offer", "addElement", "appendleft", "offerLast"])
LOOK_UP = frozenset(["get", "getOrDefault", "getProperty", "at", "elementAt"])
STORE = frozenset(["put", "setdefault", "putIfAbsent", "set", "replace", "setProperty"])
ITERATE = frozenset(
    ["values", "elements", "iterator", "listIterator", "stream", "toArray", "entrySet", "entries", "items"]
)
CALLBACKS = frozenset(
    [
        "map",
        "filter",
        "forEach",
        "reduce",
        "find",
        "some",
        "every",
        "flatMap",
        "sort",
        "findIndex",
        "then",
        "computeIfAbsent",
    ]
)


def call(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of a built-in container; None when it has no such method here."""
    handler = HANDLERS.get(name)
    if handler is not None:
        return handler(frame, obj, value, given, span)
    if name in APPEND and given.pos:
        append(frame, obj, given.pos[-1] if len(given.pos) < 2 else given.pos, value)
        return NONE
    if name in LOOK_UP and given.pos:
        return look_up(frame, obj, value, given, span)
    if name in STORE and len(given.pos) >= 2:
        elements.set_item(frame, Value(refs=(obj,)), given.pos[0], given.pos[1], span)
        return given.pos[1] if name == "setdefault" else NONE
    if name in ITERATE and not given.pos:
        return iterate(frame, obj, value, name, span)
    if name in CALLBACKS and given.pos:
        return callback(frame, obj, value, name, given, span)
    return None


def append(frame: Frame, obj: Obj, item: Value | list[Value], value: Value) -> None:
    machine = frame.machine
    for one in item if isinstance(item, list) else [item]:
        fields = machine.fields(obj) or {}
        length = fields.get("#len", UNKNOWN).const
        if obj.kind == "list" and length is not NOT_CONST and length < elements.MAX_FIELDS and len(value.refs) == 1:
            machine.heap[obj] = {**fields, length: one, "#len": Value(length + 1)}
        else:
            machine.write(obj, "*", one, weak=True)


def look_up(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    fields = frame.machine.fields(obj) or {}
    key = given.pos[0]
    found = elements.get_item(frame, Value(taint=value.taint, refs=(obj,)), key, span)
    if (
        key.const is not NOT_CONST
        and key.const not in fields
        and "*" not in fields
        and not value.taint
        and not obj.open
    ):
        return given.pos[1] if len(given.pos) > 1 else NONE
    return join(found, given.pos[1]) if len(given.pos) > 1 and key.const not in fields else found


def iterate(frame: Frame, obj: Obj, value: Value, name: str, span: int) -> Value:
    """A list of the elements, or of [key, value] pairs."""
    machine = frame.machine
    made = machine.new_obj("list", frame, span)
    fields = {key: item for key, item in (machine.fields(obj) or {}).items() if key not in ("#len", attributes.CERTAIN)}
    result: dict[Any, Value] = {}
    pairs = name in ("items", "entrySet", "entries")
    count = 0
    for key, item in fields.items():
        if pairs:
            pair = machine.new_obj("tuple", frame, span)
            key_value = Value(key if key != "*" else NOT_CONST, taint=value.taint if key == "*" else None)
            machine.heap[pair] = {0: key_value, 1: item, "key": key_value, "value": item, "#len": Value(2)}
            item = Value(refs=(pair,))
        if key == "*":
            have = result.get("*")
            result["*"] = item if have is None else join(have, item)
        else:
            result[count] = item
            count += 1
    result["#len"] = UNKNOWN if "*" in result else Value(count)
    machine.heap[made] = result
    return Value(taint=value.taint, refs=(made,))


def pop(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    machine = frame.machine
    fields = machine.fields(obj) or {}
    if obj.kind == "dict" and given.pos:
        found = elements.get_item(frame, value, given.pos[0], span)
        elements.del_item(frame, Value(refs=(obj,)), given.pos[0])
        return found if len(given.pos) < 2 or given.pos[0].const in fields else join(found, given.pos[1])
    index = given.pos[0].const if given.pos else -1
    length = fields.get("#len", UNKNOWN).const
    if index.__class__ is int and length is not NOT_CONST and "*" not in fields and -length <= index < length:
        return elements.remove_index(machine, obj, index)
    return elements.element(frame, value, "values", span)


def shift(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    fields = frame.machine.fields(obj) or {}
    length = fields.get("#len", UNKNOWN).const
    if length is not NOT_CONST and length > 0 and "*" not in fields:
        return elements.remove_index(frame.machine, obj, 0)
    return elements.element(frame, value, "values", span)


def insert(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    """``insert(index, item)`` / ``add(index, item)`` / ``unshift(item)``."""
    machine = frame.machine
    fields = machine.fields(obj) or {}
    if not given.pos:
        return NONE
    item = given.pos[-1]
    index = given.pos[0].const if len(given.pos) > 1 else 0
    length = fields.get("#len", UNKNOWN).const
    if index.__class__ is not int or length is NOT_CONST or "*" in fields or obj.kind != "list":
        if 0 in fields and index in (0, NOT_CONST):
            machine.write(obj, 0, item, weak=True)
        machine.write(obj, "*", item, weak=True)
        return NONE
    index = min(max(index, 0), length)
    moved = {(name + 1 if name.__class__ is int and name >= index else name): v for name, v in fields.items()}
    moved[index] = item
    moved["#len"] = Value(length + 1)
    machine.heap[obj] = moved
    return NONE


def add_method(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    if len(given.pos) == 2 and obj.kind == "list":
        return insert(frame, obj, value, given, span)
    if given.pos:
        append(frame, obj, given.pos[0], value)
    return Value(True) if frame.module.language == "java" else value


def set_method(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    if len(given.pos) >= 2:
        elements.set_item(frame, Value(refs=(obj,)), given.pos[0], given.pos[1], span)
    return value


def remove(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    machine = frame.machine
    fields = machine.fields(obj) or {}
    if not given.pos:
        return (
            pop(frame, obj, value, given, span)
            if frame.module.language == "python"
            else shift(frame, obj, value, given, span)
        )
    const = given.pos[0].const
    if obj.kind == "list":
        length = fields.get("#len", UNKNOWN).const
        if (
            frame.module.language == "java"
            and const.__class__ is int
            and length is not NOT_CONST
            and 0 <= const < length
        ):
            return elements.remove_index(machine, obj, const)
        for name, item in fields.items():
            if (
                name.__class__ is int
                and item.const is not NOT_CONST
                and item.const == const
                and length is not NOT_CONST
            ):
                elements.remove_index(machine, obj, name)
                break
        return NONE
    found = elements.get_item(frame, Value(refs=(obj,)), given.pos[0], span)
    elements.del_item(frame, Value(refs=(obj,)), given.pos[0])
    return found


def clear(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    frame.machine.heap[obj] = {"#len": Value(0)} if obj.kind == "list" else {}
    return NONE


def extend(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    machine = frame.machine
    for other in given.pos:
        if obj.kind == "dict":
            fields = dict(machine.fields(obj) or {})
            literals.spread(frame, fields, other, "dict", None)
            machine.heap[obj] = fields
            continue
        known = elements.known_elements(frame, other, "values")
        if known is not None:
            append(frame, obj, known, value)
        else:
            machine.write(obj, "*", elements.element(frame, other, "values", span), weak=True)
    for name, item in given.kw.items():
        machine.write(obj, name, item)
    return NONE


def keys(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    machine = frame.machine
    made = machine.new_obj("list", frame, span)
    names = [name for name in machine.fields(obj) or {} if name not in ("#len", "*", attributes.CERTAIN)]
    fields: dict[Any, Value] = {index: Value(name) for index, name in enumerate(names)}
    open_ended = "*" in (machine.fields(obj) or {}) or bool(value.taint)
    fields["#len"] = UNKNOWN if open_ended else Value(len(names))
    if open_ended:
        fields["*"] = Value(taint=value.taint)
    machine.heap[made] = fields
    return Value(taint=value.taint, refs=(made,))


def join_text(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    taint = attributes.deep_taint(frame.machine, value)
    first_part = (frame.machine.fields(obj) or {}).get(0)
    if taint and first_part is not None and first_part.const.__class__ is str:
        taint = frame.machine.after_prefix(first_part.const, taint)
    elif taint and first_part is not None:
        alone = attributes.deep_taint(frame.machine, first_part) if first_part.refs else first_part.taint
        later = {label: item for label, item in taint.items() if label not in (alone or ())}
        taint = join_taint(alone, frame.machine.in_text(later)) if later else taint
    from glasshouse.scan.interp import operators

    return Value(taint=operators.shapeless(frame, taint))


def copied(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    machine = frame.machine
    made = machine.new_obj(obj.kind, frame, span)
    machine.heap[made] = dict(machine.fields(obj) or {})
    for other in given.pos:
        if obj.kind == "list":
            append(frame, made, elements.known_elements(frame, other, "values") or other, Value(refs=(made,)))
    return Value(taint=value.taint, refs=(made,))


def sliced(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    """``$slice(lo, hi, step)`` and ``slice(lo, hi)`` of a list."""
    machine = frame.machine
    known = elements.known_elements(frame, value, "values") if obj.kind in ("list", "tuple") else None
    bounds = [item.const for item in given.pos] or [None]
    made = machine.new_obj(obj.kind, frame, span)
    if known is not None and all(bound is None or bound.__class__ is int for bound in bounds) and 0 not in bounds[2:3]:
        part = known[slice(*bounds[:3])] if len(bounds) > 1 else known[bounds[0] :]
        fields: dict[Any, Value] = dict(enumerate(part))
        fields["#len"] = Value(len(part))
    else:
        fields = {"*": elements.element(frame, value, "values", span), "#len": UNKNOWN}
    machine.heap[made] = fields
    return Value(taint=value.taint, refs=(made,))


def fill(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    """``list.fill(item)``: every element is the item (of a part of the list: may be)."""
    machine = frame.machine
    fields = machine.fields(obj) or {}
    item = given.pos[0] if given.pos else NONE
    size = fields.get("#len", UNKNOWN)
    if len(given.pos) > 1:
        machine.write(obj, "*", item, weak=True)
    elif size.const is not NOT_CONST and size.const <= elements.MAX_FIELDS:
        machine.heap[obj] = {**dict.fromkeys(range(size.const), item), "#len": size}
    else:
        machine.heap[obj] = {"*": item, "#len": UNKNOWN}
    return value


def splice(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    """``list.splice(start, count, ...items)``: takes elements out, puts others in their place."""
    machine = frame.machine
    known = elements.known_elements(frame, value, "values")
    start, count = ([item.const for item in given.pos[:2]] + [None, None])[:2]
    made = machine.new_obj("list", frame, span)
    if known is None or start.__class__ is not int or (len(given.pos) > 1 and count.__class__ is not int):
        taken = elements.element(frame, value, "values", span)
        machine.heap[made] = {"*": taken, "#len": UNKNOWN}
        for item in given.pos[2:]:
            machine.write(obj, "*", item, weak=True)
        if given.rest is not None:
            machine.write(obj, "*", given.rest, weak=True)
        machine.write(obj, "#len", UNKNOWN)
        return Value(refs=(made,))
    start = max(start + len(known), 0) if start < 0 else min(start, len(known))
    end = len(known) if len(given.pos) < 2 else min(start + max(count, 0), len(known))
    left = [*known[:start], *given.pos[2:], *known[end:]]
    machine.heap[made] = {**dict(enumerate(known[start:end])), "#len": Value(end - start)}
    machine.heap[obj] = {**dict(enumerate(left)), "#len": Value(len(left))}
    return Value(refs=(made,))


def length(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    fields = frame.machine.fields(obj) or {}
    if "#len" in fields:
        return fields["#len"]
    return UNKNOWN if "*" in fields or obj.open else Value(len(fields))


def contains(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    return UNKNOWN


def reversed_list(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    known = elements.known_elements(frame, value, "values")
    machine = frame.machine
    if known is not None:
        fields: dict[Any, Value] = dict(enumerate(reversed(known)))
        fields["#len"] = Value(len(known))
        machine.heap[obj] = fields
    else:
        machine.heap[obj] = {"*": elements.element(frame, value, "values", span), "#len": UNKNOWN}
    return value


def first(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    return elements.get_item(frame, value, Value(0), span)


def last(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    return elements.get_item(frame, value, Value(-1), span)


def assign_all(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    extend(frame, obj, value, given, span)
    return value


def callback(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value:
    """Array methods that call back with the elements."""
    from glasshouse.scan.interp import calls
    from glasshouse.scan.interp.javascript import builtins as javascript_builtins

    machine = frame.machine
    function = given.pos[0]
    items = elements.known_elements(frame, value, "values")
    if items is None or len(items) > 8:
        items = [elements.element(frame, value, "values", span)]
        exact = False
    else:
        exact = True
    results: list[Value] = []
    accumulated = given.pos[1] if name == "reduce" and len(given.pos) > 1 else None
    for index, item in enumerate(items):
        if name == "reduce":
            first_arg = accumulated if accumulated is not None else item
            accumulated = calls.call_value(frame, function, Arguments([first_arg, item], {}), span)
        elif name == "computeIfAbsent":
            break
        elif name in ("filter", "find") and frame.module.language == "javascript":
            where = Value(index) if exact else UNKNOWN
            kept = javascript_builtins.satisfying(frame, function, Arguments([item, where, value], {}), span)
            if kept is not None:
                results.append(kept)
        else:
            where = Value(index) if exact else UNKNOWN
            results.append(calls.call_value(frame, function, Arguments([item, where, value], {}), span))
    if name == "reduce":
        return accumulated or UNKNOWN
    if name == "computeIfAbsent":
        made_item = calls.call_value(frame, given.pos[1], Arguments([given.pos[0]], {}), span)
        elements.set_item(frame, Value(refs=(obj,)), given.pos[0], made_item, span)
        return made_item
    if name == "forEach":
        return NONE
    if name in ("some", "every", "findIndex"):
        return UNKNOWN
    if name == "find" and frame.module.language == "javascript":
        found = NONE
        for item in results:
            found = item if found is NONE else join(found, item)
        return found
    if name == "find":
        return elements.element(frame, value, "values", span)
    if name == "sort":
        return value
    made = machine.new_obj("list", frame, span)
    fields: dict[Any, Value] = {}
    if name == "map" and exact:
        fields = dict(enumerate(results))
        fields["#len"] = Value(len(results))
    elif name == "filter":
        fields = {"#len": UNKNOWN}
        for item in results if frame.module.language == "javascript" else items:
            literals.add(fields, "*", item)
    else:
        fields = {"#len": UNKNOWN}
        for item in results:
            literals.add(fields, "*", elements.element(frame, item, "values", span) if name == "flatMap" else item)
    machine.heap[made] = fields
    return Value(taint=value.taint, refs=(made,))


Handler = Callable[["Frame", Obj, Value, "Arguments", int], Value]
HANDLERS: dict[str, Handler] = {
    "add": add_method,
    "fill": fill,
    "splice": splice,
    "set": set_method,
    "pop": pop,
    "popleft": shift,
    "shift": shift,
    "poll": shift,
    "pollFirst": shift,
    "removeFirst": shift,
    "insert": insert,
    "unshift": insert,
    "addFirst": insert,
    "remove": remove,
    "delete": remove,
    "discard": remove,
    "clear": clear,
    "removeAllElements": clear,
    "extend": extend,
    "update": extend,
    "addAll": extend,
    "putAll": extend,
    "$assign": assign_all,
    "keys": keys,
    "keySet": keys,
    "join": join_text,
    "copy": copied,
    "clone": copied,
    "concat": copied,
    "$slice": sliced,
    "slice": sliced,
    "subList": sliced,
    "__len__": length,
    "size": length,
    "contains": contains,
    "includes": contains,
    "containsKey": contains,
    "reverse": reversed_list,
    "peek": first,
    "getFirst": first,
    "firstElement": first,
    "getLast": last,
    "lastElement": last,
}

TEXT_SAME: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "toLowerCase": str.lower,
    "upper": str.upper,
    "toUpperCase": str.upper,
    "strip": str.strip,
    "trim": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "toString": str,
    "title": str.title,
    "capitalize": str.capitalize,
}
TEXT_TEST: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "startsWith": str.startswith,
    "endswith": str.endswith,
    "endsWith": str.endswith,
    "includes": str.__contains__,
    "contains": str.__contains__,
    "equals": operator.eq,
}


def text_method(frame: Frame, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of constant text; None when nothing can be computed here."""
    text: str = value.const
    if name in TEXT_SAME and not given.pos:
        return Value(TEXT_SAME[name](text))
    constants = [item.const for item in given.pos]
    if name in TEXT_TEST and len(constants) == 1 and constants[0].__class__ is str and not given.pos[0].taint:
        return Value(TEXT_TEST[name](text, constants[0]))
    if name in ("charAt", "$at") and constants and constants[0].__class__ is int:
        return Value(text[constants[0]]) if 0 <= constants[0] < len(text) else Value("")
    if name == "length":
        return Value(len(text))
    if (
        name in ("substring", "slice", "$slice")
        and constants
        and all(c.__class__ is int or c is None for c in constants)
    ):
        return Value(text[slice(*constants[:3])] if len(constants) > 1 else text[constants[0] :])
    if (
        name == "replace"
        and len(constants) >= 2
        and all(c.__class__ is str for c in constants[:2])
        and len(text) < 2000
    ):
        count = 1 if frame.module.language == "javascript" else -1
        replaced = text.replace(constants[0], constants[1], count)
        return Value(replaced) if len(replaced) < 4096 else UNKNOWN
    if (
        name in ("replace", "replaceAll")
        and len(constants) >= 2
        and given.pos[1].taint
        and constants[0].__class__ is str
    ):
        return Value(
            taint=frame.machine.in_text(given.pos[1].taint)
        )  # a template: ``"open {file}".replace("{file}", x)``
    if name == "split" and len(constants) <= 1 and (not constants or (constants[0].__class__ is str and constants[0])):
        parts = text.split(*constants)[: elements.MAX_FIELDS]
        obj = frame.machine.new_obj("list", frame, 0)
        fields: dict[Any, Value] = {index: Value(part) for index, part in enumerate(parts)}
        fields["#len"] = Value(len(parts))
        frame.machine.heap[obj] = fields
        return Value(refs=(obj,))
    if name == "concat":
        from glasshouse.scan.interp import operators

        return operators.concat(frame, [value, *given.all()], span)
    if name == "format":
        if frame.module.language == "python":
            return texts.braces(frame, text, given, span)
        taint = None
        for item in given.all():
            taint = join_taint(taint, attributes.deep_taint(frame.machine, item))
        return Value(taint=frame.machine.after_prefix(text.split("{", 1)[0], taint) if taint else None)
    if name == "join" and frame.module.language == "python" and given.pos:
        items = elements.known_elements(frame, given.pos[0], "values")
        if items is not None and all(item.const.__class__ is str and not item.taint for item in items):
            return Value(text.join(item.const for item in items))
        return texts.joined(frame, given.pos[0])
    return None
