"""Java's maps and their entries: values under known keys stay apart, all others share one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.java import functions as java_functions
from glasshouse.scan.interp.java.collections import (
    SOURCE,
    UNROLLED,
    Method,
    clear,
    is_empty,
    make,
    single,
    size,
    text,
    unknown,
)
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Obj, Value, join, join_all, join_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

KEYS = ("keys",)  # field of a map: what its unknown keys may hold


def make_map(frame: Frame, span: int, pairs: list[tuple[Value, Value]]) -> Value:
    obj = frame.machine.new_obj("dict", frame, span)
    obj.library = "map"
    frame.machine.heap[obj] = {}
    made = Value(refs=(obj,))
    for key, item in pairs:
        store(frame, obj, made, key, item)
    return made


def make_entry(frame: Frame, span: int, key: Value, item: Value, source: Value | None = None) -> Value:
    obj = frame.machine.new_obj("tuple", frame, span)
    obj.library = "entry"
    frame.machine.heap[obj] = {"key": key, "value": item}
    if source is not None:
        frame.machine.heap[obj][SOURCE] = source
    return Value(refs=(obj,))


def store(frame: Frame, obj: Obj, value: Value, key: Value, item: Value) -> Value:
    """``map.put(key, item)``; what was there before."""
    machine = frame.machine
    old = find(frame, obj, value, key)
    if plain(key) and single(value):
        machine.write(obj, key.const, item)
    else:
        machine.write(obj, "*", item, weak=True)
        if key.taint:
            machine.write(obj, KEYS, Value(taint=key.taint), weak=True)
    return old


def plain(key: Value) -> bool:
    return key.const is not NOT_CONST and not (key.const.__class__ is str and key.const in ("*", "#len"))


def find(frame: Frame, obj: Obj, value: Value, key: Value) -> Value:
    fields = frame.machine.fields(obj) or {}
    if plain(key):
        found = fields.get(key.const)
        rest = fields.get("*")
        if found is None:
            found = rest if rest is not None else NONE
        elif rest is not None:
            found = join(found, rest)
    else:
        items = [item for name, item in fields.items() if name.__class__ is not tuple]
        found = join_all(items) if items else NONE
    return Value(found.const, join_taint(found.taint, value.taint), found.refs, found.path) if value.taint else found


def put(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return store(frame, obj, value, given.pos[0], given.pos[1]) if len(given.pos) > 1 else None


def put_if_absent(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    if len(given.pos) < 2:
        return None
    if plain(given.pos[0]) and given.pos[0].const in fields:
        return fields[given.pos[0].const]
    return store(frame, obj, value, given.pos[0], given.pos[1])


def replace(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    if len(given.pos) < 2:
        return None
    if plain(given.pos[0]) and given.pos[0].const not in fields and "*" not in fields:
        return NONE
    return store(frame, obj, value, given.pos[0], given.pos[-1])


def map_get(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    found = find(frame, obj, value, given.pos[0]) if given.pos else UNKNOWN
    if len(given.pos) < 2:
        return found
    fields = frame.machine.fields(obj) or {}
    if plain(given.pos[0]) and given.pos[0].const in fields:
        return found
    return given.pos[1] if found is NONE else join(found, given.pos[1])


def map_remove(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    found = find(frame, obj, value, given.pos[0])
    if plain(given.pos[0]) and single(value):
        fields = frame.machine.fields(obj) or {}
        frame.machine.heap[obj] = {name: item for name, item in fields.items() if name != given.pos[0].const}
    return found


def has_key(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    if given.pos and plain(given.pos[0]):
        if given.pos[0].const in fields:
            return Value(True)
        return UNKNOWN if "*" in fields else Value(False)
    return UNKNOWN


def put_all(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    machine = frame.machine
    for source in given.pos:
        for ref in source.refs:
            for name, item in (machine.fields(ref) or {}).items() if ref.__class__ is Obj else ():
                if name != "#len":
                    machine.write(obj, name, item, weak=name == "*" or name.__class__ is tuple)
        if source.taint:
            machine.write(obj, "*", Value(taint=source.taint), weak=True)
    return NONE


def pairs(frame: Frame, obj: Obj, value: Value) -> tuple[list[tuple[Value, Value]], tuple[Value, Value] | None]:
    """Known keys with their values, and what others may be."""
    fields = frame.machine.fields(obj) or {}
    found = [(Value(name), item) for name, item in fields.items() if name.__class__ is not tuple and name != "*"]
    if "*" not in fields and not value.taint:
        return found, None
    taint = join_taint(value.taint, fields[KEYS].taint if KEYS in fields else None)
    rest = fields.get("*", UNKNOWN)
    return found, (Value(taint=taint), Value(rest.const, join_taint(rest.taint, value.taint), rest.refs, rest.path))


def map_keys(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    found, more = pairs(frame, obj, value)
    return make(frame, "list", span, [key for key, _ in found], more[0] if more else None)


def map_values(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    found, more = pairs(frame, obj, value)
    return make(frame, "list", span, [item for _, item in found], more[1] if more else None)


def map_entries(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    found, more = pairs(frame, obj, value)
    entries = [make_entry(frame, span, key, item, value) for key, item in found]
    return make(frame, "list", span, entries, make_entry(frame, span, *more, value) if more else None)


def map_each(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    found, more = pairs(frame, obj, value)
    for key, item in [*found[:UNROLLED], *([more] if more else [])]:
        java_functions.call_function(frame, given.pos[0], [key, item], span)
    return NONE


def compute(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    old = find(frame, obj, value, given.pos[0])
    made = java_functions.call_function(frame, given.pos[1], [given.pos[0], old], span)
    store(frame, obj, value, given.pos[0], made)
    return made


def compute_if_absent(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    fields = frame.machine.fields(obj) or {}
    if plain(given.pos[0]) and given.pos[0].const in fields:
        return fields[given.pos[0].const]
    made = java_functions.call_function(frame, given.pos[1], [given.pos[0]], span)
    store(frame, obj, value, given.pos[0], made)
    return made


def merge(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 3:
        return None
    old = find(frame, obj, value, given.pos[0])
    made = given.pos[1]
    if old is not NONE:
        made = java_functions.call_function(frame, given.pos[2], [old, given.pos[1]], span)
    store(frame, obj, value, given.pos[0], made)
    return made


MAP: dict[str, Method] = {
    **dict.fromkeys(["put", "setProperty"], put),
    "putIfAbsent": put_if_absent,
    "replace": replace,
    **dict.fromkeys(["get", "getOrDefault", "getProperty"], map_get),
    "remove": map_remove,
    "containsKey": has_key,
    "putAll": put_all,
    **dict.fromkeys(["keySet", "navigableKeySet", "stringPropertyNames"], map_keys),
    "values": map_values,
    **dict.fromkeys(["entrySet"], map_entries),
    "forEach": map_each,
    **dict.fromkeys(["compute", "computeIfPresent"], compute),
    "computeIfAbsent": compute_if_absent,
    "merge": merge,
    "clear": clear,
    "size": size,
    "isEmpty": is_empty,
    "toString": text,
    **dict.fromkeys(["equals", "hashCode", "containsValue", "contains"], unknown),
}


def entry_key(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return (frame.machine.fields(obj) or {}).get("key", UNKNOWN)


def entry_value(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return (frame.machine.fields(obj) or {}).get("value", UNKNOWN)


def set_entry(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    if not given.pos:
        return None
    frame.machine.write(obj, "value", given.pos[0])
    source = fields.get(SOURCE)
    for ref in source.refs if source is not None else ():
        if ref.__class__ is Obj and source is not None:
            store(frame, ref, source, fields.get("key", UNKNOWN), given.pos[0])
    return fields.get("value", UNKNOWN)


ENTRY: dict[str, Method] = {
    "getKey": entry_key,
    "getValue": entry_value,
    "getLeft": entry_key,
    "getRight": entry_value,
    "setValue": set_entry,
}
