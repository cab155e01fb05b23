"""Reading and writing fields, and the taint that objects carry inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import command_lines, declared_data, elements, stores
from glasshouse.scan.interp.arguments import NO_ARGUMENTS
from glasshouse.scan.interp.values import (
    LITERAL,
    MAX_PATH,
    NOT_CONST,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    Label,
    ModuleRef,
    Obj,
    Step,
    SuperRef,
    Taint,
    Value,
    join,
    join_taint,
    with_taint,
    without,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.program import Cls

MAX_PATH_TEXT = 300  # characters of an external path
MAX_CHAIN = 6  # prototypes above one another
DEEP_OBJECTS = 40
DEEP_INSTANCES = 1
CONTAINERS = frozenset(["list", "tuple", "set", "dict"])
CHECKED = "checked"  # kind of an object whose fields are what a framework has checked
CERTAIN = ("certain",)  # field of a dict: names of fields that no unknown spread or key can have changed
ENUM_PARTS = frozenset(["value", "name"])
LENGTHS = frozenset(["length", "size"])


def checked(value: Value) -> bool:
    """Whether a value is what a framework hands on after it has checked some of its fields."""
    return any(ref.__class__ is Obj and ref.kind == CHECKED for ref in value.refs)


def derived(machine: Machine, taint: Taint | None, name: str) -> Taint | None:
    """Taint of a field of something tainted: parameter labels get the field added to their path."""
    if not taint:
        return None
    result: Taint | None = None
    for label in taint:
        if label.kind == "param" or label.source == stores.STORED:
            result = {}
            break
    if result is None:
        return taint
    for label, mark in taint.items():
        if label.kind == "param" and len(label.path) < MAX_PATH:
            label = machine.param_label(label.index, (*label.path, name))
        elif label.source == stores.STORED:
            label = stores.below(machine, label, name)
        result[label] = mark
    return result


def get_attr(frame: Frame, value: Value, name: str, span: int) -> Value:
    """``value.name``."""
    machine = frame.machine
    found: Value | None = None
    for ref in value.refs:
        item = ref_attr(frame, ref, value, name, span)
        if item is not None:
            found = item if found is None else join(found, item)
    if value.const.__class__ is str and name in LENGTHS:
        return Value(len(value.const))
    path = value.path
    if found is not None and path and checked(value):
        return machine.sensitive(frame, name, found, span)
    if path and len(path) < MAX_PATH_TEXT:
        full = f"{path}.{name}"
        if path == "stat" and full in machine.constants:
            return machine.constants[full]
        model = frame.machine.matcher(frame).read(full)
        outside = Value(taint=derived(machine, value.taint, name), path=full)
        if model is not None:
            outside = machine.apply_read(frame, model, outside, full, span)
        if outside.taint and path in command_lines.PARSED:
            outside = command_lines.parsed(frame, name, outside)
        found = outside if found is None else join(found, outside)
    elif found is None:
        model = machine.matcher(frame).read(f"*.{name}")
        found = Value(taint=derived(machine, value.taint, name), refs=(Bound(value, name),))
        if model is not None:
            found = machine.apply_read(frame, model, found, name, span)
    elif name in machine.matcher(frame).typed_fields and not found.path:
        found = Value(found.const, found.taint, found.refs, machine.matcher(frame).typed_fields[name])
    if name == "length" and found.taint:
        own = any(ref.__class__ is Obj and ref.cls is not None for ref in value.refs)
        array = frame.module.language == "java" and not own  # as long as it is in memory, whatever is in it
        found = with_taint(found, None if array else without(found.taint, ~machine.numeric))
    return machine.sensitive(frame, name, found, span)


def ref_attr(frame: Frame, ref: Any, value: Value, name: str, span: int) -> Value | None:
    """The attribute as far as one reference knows it; None if it does not."""
    machine = frame.machine
    kind = ref.__class__
    if kind is Obj:
        return obj_attr(frame, ref, value, name, span)
    if kind is ModuleRef:
        return machine.module_attr(ref.module, name)
    if kind is ClassRef:
        if name == "class" and frame.module.language == "java":
            return Value(refs=(ref,))
        return class_attr(frame, ref, name)
    if kind is FuncRef:
        fields = machine.fields(ref.fn)
        if fields and name in fields:
            return fields[name]
        if name == "prototype":
            made = Obj("dict", (frame.module.index, span), proto=ref)
            machine.write(ref.fn, name, Value(refs=(made,)))
            machine.heap[made] = {}
            return Value(refs=(made,))
        return None
    if kind is SuperRef:
        if frame.module.language == "java":
            own = [obj_attr(frame, obj, ref.this, name, span) for obj in ref.this.refs if obj.__class__ is Obj]
            return own[0] if own else None
        for cls in machine.program.supers(ref.cls)[0][1:]:
            found = class_attr(frame, ClassRef(cls), name)
            if found is not None:
                return found
    return None


def obj_attr(frame: Frame, obj: Obj, value: Value, name: str, span: int) -> Value | None:
    machine = frame.machine
    fields = machine.fields(obj)
    if fields:
        found = fields.get(name)
        if found is not None:
            rest = fields.get("*") if obj.kind == "dict" else None
            return found if rest is None or certain(fields, name) else join(found, rest)
        if name in LENGTHS and obj.kind in CONTAINERS and "#len" in fields:
            return fields["#len"]
    if obj.cls is not None:
        if name[:1] == "$":
            from glasshouse.scan.interp.python_builtins import matched_position

            return matched_position(frame, obj, value, name, span)
        if name in declared_data.FORM_DATA and frame.module.language == "python":
            data = declared_data.form_data(frame, obj, value, name, span)
            if data is not None:
                return data
        state = machine.instance_field(frame, obj, name)
        member = class_member(frame, obj, name, span) if state is None else None
        if member is not None:
            return member
        if state is None:
            outside = machine.matcher_base_attr(frame, obj, name, span)
            if outside is not None or not obj.open:
                return outside
        result = state or UNKNOWN
        result = with_taint(result, join_taint(result.taint, derived(machine, value.taint, name)))
        if result.taint and declared_data.is_model(frame, obj.cls):
            result = declared_data.field(frame, obj.cls, name, result, span)
        elif result.taint and obj.cls.ir.marks:
            result = declared_data.decorated(frame, obj.cls, name, result)
        elif name in ENUM_PARTS and not result.taint and declared_data.is_enum(frame, obj.cls):
            return Value(path=LITERAL)
        if obj.label is not None and obj.label.index < 0 and not result.refs and not result.path:
            result = own_data(frame, obj.label, name, result, span)
        if result.taint or result.refs:
            machine.write(obj, name, result)
        return result
    if obj.proto is not None or (fields and "#proto" in fields):
        proto = prototype_attr(frame, obj, name)
        if proto is not None:
            return proto
    if obj.open:
        result = Value(taint=derived(machine, value.taint, name))
        if result.taint:
            machine.write(obj, name, result)
            return result
        return None
    if fields and "*" in fields and obj.kind == "dict":
        return fields["*"]
    return None


def own_data(frame: Frame, label: Label, name: str, value: Value, span: int) -> Value:
    """JavaScript: a field of the receiver of which nothing is known carries a label of its own, as parameters do."""
    machine = frame.machine
    if frame.module.language != "javascript" or value.taint or value.const is not NOT_CONST:
        return value
    own = machine.param_label(label.index, (name,))
    return Value(taint={own: (machine.everything, Step(frame.module.index, span, f"field `{name}`", None))})


def certain(fields: dict[Any, Value], name: Any) -> bool:
    """Whether a field is what was written last, though other fields of the object are not known."""
    names = fields.get(CERTAIN, UNKNOWN).const
    return names.__class__ is frozenset and name in names


def begins(frame: Frame, obj: Obj, fields: dict[Any, Value], const: Any) -> bool:
    """Whether an element is the constant that a list was begun with (``args = ["tool"]``), whatever was added later."""
    if const != 0 or obj.kind != "list" or frame.module.language != "python":
        return False
    return fields[const].const.__class__ is str


def prototype_attr(frame: Frame, obj: Obj, name: str, depth: int = 0) -> Value | None:
    """What the prototype of an object, or one above it, holds under this name."""
    machine = frame.machine
    proto = (machine.fields(obj) or {}).get("#proto")
    if proto is None and obj.proto is not None:
        fields = machine.fields(obj.proto.fn)
        proto = fields.get("prototype") if fields else None
    for ref in proto.refs if proto is not None else ():
        members = machine.fields(ref)
        if members and name in members:
            return members[name]
        if ref.__class__ is Obj and ref is not obj and depth < MAX_CHAIN:
            if ref.cls is not None:
                found = class_member(frame, ref, name, 0)
            else:
                found = prototype_attr(frame, ref, name, depth + 1) if not proto_of_itself(ref, obj) else None
            if found is not None:
                return found
    return None


def proto_of_itself(ref: Obj, obj: Obj) -> bool:
    """A function's own prototype object names the function: looking it up there again would not end."""
    return ref.proto is not None and ref.proto is obj.proto


def seen_as(frame: Frame, obj: Obj) -> Cls:
    """The class of an object.  In a method of a class below, ``this`` is of that class: its caller knew less of it."""
    cls, own = obj.cls, frame.fn.cls
    assert cls is not None
    if own is None or own is cls or not obj.open or frame.this is None or obj not in frame.this.refs:
        return cls
    above = frame.machine.program.supers(own)[0]
    gathered = cls.ir.flags & ir.INTERFACE and any(item in above for item in frame.machine.program.supers(cls)[0])
    return own if cls in above or own in cls.subclasses or gathered else cls


def class_member(frame: Frame, obj: Obj, name: str, span: int) -> Value | None:
    """A method, property or class attribute seen through an instance."""
    machine = frame.machine
    for cls in machine.program.supers(seen_as(frame, obj))[0]:
        machine.ensure_class(cls)
        if cls in machine.patched:
            written = (machine.fields(cls) or {}).get(name)
            if written is not None:
                return bound_to(written, obj)
        if name in cls.attrs and not any(ref.__class__ is FuncRef for ref in cls.attrs[name].refs):
            return cls.attrs[name]
        methods = cls.methods.get(name)
        if methods:
            fn = methods[0]
            this = Value(refs=(obj,))
            if fn.ir.flags & ir.PROPERTY:
                from glasshouse.scan.interp import calls

                return calls.invoke(frame, FuncRef(fn, None, this), NO_ARGUMENTS, span)
            return Value(refs=(FuncRef(fn, None, this),))
        if name in cls.attrs:
            return cls.attrs[name]
    return None


def bound_to(value: Value, obj: Obj) -> Value:
    """A class attribute read through an instance: plain functions become methods of it."""
    if not any(ref.__class__ is FuncRef for ref in value.refs):
        return value
    this = Value(refs=(obj,))
    refs = tuple(
        FuncRef(ref.fn, ref.frame, ref.this or this) if ref.__class__ is FuncRef else ref for ref in value.refs
    )
    return Value(value.const, value.taint, refs, value.path)


def class_attr(frame: Frame, ref: ClassRef, name: str) -> Value | None:
    """``Class.name``."""
    machine = frame.machine
    for cls in machine.program.supers(ref.cls)[0]:
        machine.ensure_class(cls)
        fields = machine.fields(cls)
        if fields and name in fields:
            return fields[name]
        if name in cls.attrs:
            return cls.attrs[name]
        methods = cls.methods.get(name)
        if methods:
            bound = Value(refs=(ref,)) if methods[0].ir.flags & ir.CLASS_METHOD else None
            return Value(refs=(FuncRef(methods[0], None, bound),))
        declared = dict(cls.ir.fields).get(name)
        if declared:
            return machine.declared(cls.module, declared, None)
        inner = machine.inner_class(cls, name)
        if inner is not None:
            return Value(refs=(ClassRef(inner),))
    external = machine.program.supers(ref.cls)[1]
    return Value(path=f"{external[0]}.{name}") if external else None


def set_attr(frame: Frame, target: Value, name: str, value: Value, span: int) -> None:
    """``target.name = value``."""
    machine = frame.machine
    if target.path or not target.refs:
        machine.check_assign_sink(frame, target, name, value, span)
    for ref in target.refs:
        kind = ref.__class__
        if kind is Obj:
            machine.write(ref, name, value, weak=len(target.refs) > 1)
            if ref.kind not in CONTAINERS:
                machine.check_assign_sink(frame, target, name, value, span)
        elif kind is ClassRef:
            machine.patched.add(ref.cls)
            machine.write(ref.cls, name, value)
        elif kind is FuncRef:
            machine.write(ref.fn, name, value)
        elif kind is ModuleRef and ref.module.env is not None:
            machine.assign(ref.module.env, name, value)
        elif kind is SuperRef and frame.module.language == "java":
            set_attr(frame, ref.this, name, value, span)


def deep_taint(machine: Machine, value: Value) -> Taint | None:
    """Taint of a value and of everything its objects hold (bounded).

    Objects of the program's classes count with what their fields hold, and no further down than ``DEEP_INSTANCES`` of
    them: an object that knows a service that knows the configuration is not made of it.  A struct of Go is made of
    the structs in its fields.
    """
    taint = value.taint
    if not value.refs:
        return taint
    seen: set[int] = set()
    queue = [(ref, 0) for ref in value.refs if ref.__class__ is Obj]
    while queue and len(seen) < DEEP_OBJECTS:
        obj, depth = queue.pop()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        fields = machine.fields(obj)
        if not fields:
            continue
        if obj.cls is not None and obj.cls.module.language != "go":
            depth += 1
        for item in fields.values():
            if item.taint:
                taint = join_taint(taint, item.taint)
            if depth <= DEEP_INSTANCES:
                for ref in item.refs:
                    if ref.__class__ is Obj:
                        queue.append((ref, depth))
    return taint


def at_path(frame: Frame, value: Value, path: tuple[str, ...]) -> Value:
    """The value found by following field names (``*`` = any element)."""
    for name in path:
        if name == "*":
            value = elements.element(frame, value, "values", 0)
        elif name.isdigit():
            value = elements.get_item(frame, value, Value(int(name)), 0)
        elif frame.module.language == "go" and lacks_field(value, name):
            value = Value()
        else:
            value = elements.get_item(frame, value, Value(name), 0)
    return value


def lacks_field(value: Value, name: str) -> bool:
    """Whether a value is a struct of the program whose type has no field of this name."""
    classes = [ref.cls for ref in value.refs if ref.__class__ is Obj and ref.cls is not None]
    return bool(classes) and all(name not in dict(cls.ir.fields) for cls in classes)
