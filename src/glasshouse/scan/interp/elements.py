"""Reading, writing and removing elements of lists, maps and what is like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes
from glasshouse.scan.interp.php import keys as php_keys
from glasshouse.scan.interp.values import (
    NOT_CONST,
    UNKNOWN,
    Obj,
    Value,
    join,
    join_taint,
    with_taint,
    without,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

MAX_FIELDS = 200
ITERABLE = frozenset(["map", "jsset"])
PROGRAM_NAMES = {"process.argv": 2, "os.Args": 1}  # arguments that whoever starts the program does not choose


def get_item(frame: Frame, value: Value, key: Value, span: int) -> Value:
    """``value[key]``."""
    machine = frame.machine
    const = key.const
    if const is NOT_CONST and key.path:
        key = php_keys.named_key(frame, key)
        const = key.const
    if const.__class__ is str and value.path and (not value.refs or php_keys.is_array_like(frame, value, const)):
        return attributes.get_attr(frame, value, const, span)
    if const.__class__ is int and const < PROGRAM_NAMES.get(value.path, 0):
        return UNKNOWN  # the interpreter and the program itself
    found: Value | None = None
    for ref in value.refs:
        if ref.__class__ is Obj:
            item = obj_item(frame, ref, value, key, span)
        elif const.__class__ is str:
            machine.unit.asked.add(const)
            item = attributes.ref_attr(frame, ref, value, const, span)
        else:
            item = None
        if item is not None:
            found = item if found is None else join(found, item)
    if value.const.__class__ is str and const.__class__ is int:
        text = value.const
        return Value(text[const]) if -len(text) <= const < len(text) else UNKNOWN
    if found is not None and found.const is not NOT_CONST and outside_too(frame, value):
        found = Value(taint=found.taint, refs=found.refs, path=found.path)
    if found is None:
        name = str(const) if const is not NOT_CONST else "*"
        within = key.refs if value.path.endswith(".Annotated") else ()  # an alias of a type, with what it says besides
        found = Value(taint=attributes.derived(machine, value.taint, name), refs=within, path=element_path(value.path))
    if key.taint:
        machine.check_index(frame, value, key, span)
    if const.__class__ is str:
        found = machine.sensitive(frame, const, found, span)
    return found


def outside_too(frame: Frame, value: Value) -> bool:
    """Whether the value may also be what a call outside gave, as in ``row or (0, 0)``: then no element is certain."""
    return value.path.endswith("()") and frame.module.language == "python"


def obj_item(frame: Frame, obj: Obj, value: Value, key: Value, span: int) -> Value | None:
    machine = frame.machine
    fields = machine.fields(obj) or {}
    const = key.const
    if const is NOT_CONST or (const.__class__ is bool and const not in fields):
        found: Value | None = None
        for name, item in fields.items():
            if name != "#len" and name.__class__ is not tuple:
                found = item if found is None else join(found, item)
        if obj.open or found is None:
            outside = Value(taint=attributes.derived(machine, value.taint, "*"))
            return outside if found is None else join(found, outside)
        if obj.kind == "dict" and found.const is not NOT_CONST and frame.module.language == "go":
            found = Value(taint=found.taint, refs=found.refs, path=found.path)  # or the zero value
        return found
    if const.__class__ is int and const < 0 and "#len" in fields and fields["#len"].const is not NOT_CONST:
        const = fields["#len"].const + const
    if const in fields:
        rest = fields.get("*")
        if rest is None or attributes.certain(fields, const) or attributes.begins(frame, obj, fields, const):
            return fields[const]
        return join(fields[const], rest)
    if "*" in fields:
        return fields["*"]
    if obj.kind in attributes.CONTAINERS and not obj.open:
        return None if value.taint else Value(path="")
    if const.__class__ is str:
        return attributes.obj_attr(frame, obj, value, const, span)
    result = Value(taint=attributes.derived(machine, value.taint, str(const)))
    if result.taint and obj.open:
        machine.write(obj, const, result)
    return result


def set_item(frame: Frame, target: Value, key: Value, value: Value, span: int) -> None:
    """``target[key] = value``."""
    machine = frame.machine
    const = key.const
    if const is NOT_CONST and key.path:
        key = php_keys.named_key(frame, key)
        const = key.const
    if key.taint:
        machine.check_key_write(frame, target, key, value, span)
    for ref in target.refs:
        if ref.__class__ is not Obj:
            if const.__class__ is str:
                attributes.set_attr(frame, Value(refs=(ref,)), const, value, span)
            continue
        fields = machine.fields(ref) or {}
        weak = len(target.refs) > 1
        if const is NOT_CONST:
            if attributes.CERTAIN in fields:
                machine.write(ref, attributes.CERTAIN, UNKNOWN)
            machine.write(ref, "*", with_taint(value, join_taint(value.taint, key.taint)), weak=True)
        else:
            if const.__class__ is int and const < 0 and "#len" in fields and fields["#len"].const is not NOT_CONST:
                const = fields["#len"].const + const
            if const.__class__ is int and "#len" in fields:
                length = fields["#len"].const
                if length is not NOT_CONST and const >= length:
                    machine.write(ref, "#len", Value(const + 1))
            machine.write(ref, const, value, weak=weak)
    if const.__class__ is str and (target.path or not target.refs):
        machine.check_assign_sink(frame, target, const, value, span)
    if target.path:
        machine.assigned(frame, f"{target.path}[]", value, span)


def del_item(frame: Frame, target: Value, key: Value) -> None:
    machine = frame.machine
    for ref in target.refs:
        if ref.__class__ is not Obj or key.const is NOT_CONST:
            continue
        fields = machine.fields(ref)
        if not fields or key.const not in fields:
            continue
        if ref.kind == "list" and key.const.__class__ is int and fields.get("#len", UNKNOWN).const is not NOT_CONST:
            remove_index(machine, ref, key.const)
        else:
            machine.heap[ref] = {name: value for name, value in fields.items() if name != key.const}


def remove_index(machine: Machine, obj: Obj, index: int) -> Value:
    """Take one element out of a list of known length; the element."""
    fields = machine.fields(obj) or {}
    length = fields["#len"].const
    index = index + length if index < 0 else index
    taken = fields.get(index, fields.get("*", UNKNOWN))
    result: dict[Any, Value] = {}
    for name, value in fields.items():
        if name.__class__ is int:
            if name != index:
                result[name - 1 if name > index else name] = value
        else:
            result[name] = value
    result["#len"] = Value(max(length - 1, 0))
    machine.heap[obj] = result
    return taken


def known_elements(frame: Frame, value: Value, kind: str) -> list[Value] | None:
    """The elements of a container of known length, in order; None if that is not known."""
    if value.const.__class__ is str and kind == "values" and len(value.const) <= 4:
        return [Value(char) for char in value.const]
    if len(value.refs) != 1 or value.taint:
        return None
    ref = value.refs[0]
    if ref.__class__ is not Obj or ref.kind not in attributes.CONTAINERS or ref.open:
        return iterated(frame, ref) if ref.__class__ is Obj and ref.kind in ITERABLE and kind == "values" else None
    fields = frame.machine.fields(ref) or {}
    if "*" in fields:
        return None
    if kind == "keys":
        names = [name for name in fields if name != "#len"]
        return [Value(str(name)) for name in names]
    if ref.kind == "dict" and frame.module.language == "python":
        return [Value(name) for name in fields if name != "#len"]
    if ref.kind == "dict" and frame.module.language == "php":
        return [item for name, item in fields.items() if name.__class__ is not tuple][:MAX_FIELDS]
    length = fields.get("#len")
    if length is None or length.const is NOT_CONST or length.const > MAX_FIELDS:
        return None
    return [fields.get(index, UNKNOWN) for index in range(length.const)]


def iterated(frame: Frame, obj: Obj) -> list[Value] | None:
    """What iterating a JavaScript map or set gives, in order; None if there may be more than is known."""
    from glasshouse.scan.interp.javascript import collections as javascript_collections

    pairs, more = javascript_collections.entries_of(frame, obj)
    if more:
        return None
    if obj.kind == "jsset":
        return [item for _, item in pairs]
    return [javascript_collections.make_list(frame, 0, [key, item]) for key, item in pairs]


def element_path(path: str) -> str:
    """The external path of an element of something external."""
    return f"{path}[]" if path and len(path) < attributes.MAX_PATH_TEXT else ""


def element(frame: Frame, value: Value, kind: str, span: int) -> Value:
    """Any one element (or key) of a value."""
    machine = frame.machine
    taint = attributes.derived(machine, value.taint, "*")
    if kind == "keys":
        if taint and frame.module.language == "javascript":
            taint = without(taint, machine.matcher(frame).shape_mask)  # names of fields are text
        return Value(taint=taint)
    found: Value | None = None
    for ref in value.refs:
        if ref.__class__ is not Obj:
            continue
        fields = machine.fields(ref) or {}
        if ref.kind == "map":
            from glasshouse.scan.interp.javascript import collections as javascript_collections

            pairs = javascript_collections.entries_of(frame, ref)[0]
            items = [javascript_collections.make_list(frame, span, [key, item]) for key, item in pairs]
            fields = dict(enumerate(items))
        for name, item in fields.items():
            if name != "#len" and name.__class__ is not tuple:
                if ref.kind == "dict" and frame.module.language == "python":
                    item = Value(name if name != "*" else NOT_CONST, taint=item.taint if name == "*" else None)
                found = item if found is None else join(found, item)
    outside = Value(taint=taint, path=element_path(value.path))
    if value.path:
        model = machine.matcher(frame).call(f"{value.path}.__iter__")
        for source in model.sources if model is not None else ():
            outside = machine.from_source(frame, source, outside, span, value.path)
    return outside if found is None else join(found, outside) if taint or value.path else found
