"""PHP's own operations on abstract values: arrays, references, names at run time, included files.

The front end calls operations by names that start with ``$``.  A handler returns None when it can tell no more than
the models of the rules do.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.php import scope as php_scope
from glasshouse.scan.interp.php import text as php_text
from glasshouse.scan.interp.values import (
    FALSE,
    NONE,
    NOT_CONST,
    TRUE,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    Obj,
    Taint,
    Value,
    join_taint,
    with_taint,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

BOX = "$v"
MAX_TURNS = 8
MAX_KEPT = 64
MAX_INCLUDES = 4  # files included inside one another
MAX_INCLUDED = 40  # files run from one file, whatever includes them
INCLUDED = "$included"  # variable that counts them
INCLUDES = frozenset(["include", "include_once", "require", "require_once"])
UPLOADED = "uploaded file"


def call(frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int) -> Value | None:
    """The result of an operation or library function; None when it is not known here."""
    from glasshouse.scan.interp.php import arrays as php_arrays

    if receiver is not None:
        return None
    if path in INCLUDES:
        return include(frame, given, span)
    handler = HANDLERS.get(path) or php_arrays.HANDLERS.get(path)
    if handler is not None:
        return handler(frame, given, span)
    folded = FOLDED.get(path)
    if folded is not None and given.rest is None and all(item.const.__class__ in PLAIN for item in given.pos):
        try:
            found = folded(*(item.const for item in given.pos))
        except (TypeError, ValueError, OverflowError, AttributeError):
            return None
        return Value(found) if found.__class__ is not str or len(found) <= php_text.MAX_TEXT else None
    return None


PLAIN = (str, int, float, bool)


def made(frame: Frame, fields: dict[Any, Value], span: int, taint: Taint | None = None) -> Value:
    """A new array."""
    obj = frame.machine.new_obj("dict", frame, span)
    frame.machine.heap[obj] = fields
    return Value(taint=taint, refs=(obj,))


def only(value: Value) -> Obj | None:
    """The one object a value is, if it is one."""
    if len(value.refs) == 1 and value.refs[0].__class__ is Obj:
        found: Obj = value.refs[0]
        return found
    return None


def is_array(ref: Any) -> bool:
    return ref.__class__ is Obj and ref.kind in attributes.CONTAINERS and ref.cls is None


# --- variables by name, constants of truth ---------------------------------------------------------------------------


def variable(frame: Frame, given: Arguments, span: int) -> Value:
    name = given.pos[0].const
    return frame.val(name) if name.__class__ is str and name[:1] not in ("$", "\\", "") else UNKNOWN


def set_variable(frame: Frame, given: Arguments, span: int) -> Value:
    name = given.pos[0].const
    if name.__class__ is str and name[:1] not in ("$", "\\", "") and name != "this":
        frame.store(name, given.pos[1], span)
    return NONE


def present(frame: Frame, given: Arguments, span: int) -> Value:
    """Whether a value is there and not null."""
    const = given.pos[0].const
    if const is None:
        return FALSE
    return TRUE if const is not NOT_CONST else UNKNOWN


def has(frame: Frame, given: Arguments, span: int) -> Value:
    """``isset($array[$key])``, ``array_key_exists($key, $array)``."""
    if len(given.pos) < 2:
        return UNKNOWN
    key, holder = given.pos[0].const, given.pos[1]
    obj = only(holder)
    if obj is None or key is NOT_CONST or obj.open or holder.taint or holder.path or not is_array(obj):
        return UNKNOWN
    fields = frame.machine.fields(obj) or {}
    if "*" in fields:
        return UNKNOWN
    return TRUE if key in fields and fields[key].const is not None else UNKNOWN if key in fields else FALSE


# --- arrays as values ------------------------------------------------------------------------------------------------


def array(frame: Frame, given: Arguments, span: int) -> Value:
    """What an element is stored into: an array that is there, else a new one."""
    value = given.pos[0]
    if value.path or any(ref.__class__ is Obj for ref in value.refs):
        return value
    return made(frame, {}, span, value.taint)


def copy(frame: Frame, given: Arguments, span: int) -> Value:
    """A value that is assigned: arrays are copied."""
    value = given.pos[0]
    obj = only(value)
    if obj is None or obj.open or not is_array(obj):
        return value
    new = Obj(obj.kind, (frame.module.index, span))
    frame.machine.heap[new] = dict(frame.machine.fields(obj) or {})
    return Value(value.const, value.taint, (new,), value.path)


def clone(frame: Frame, given: Arguments, span: int) -> Value:
    value = given.pos[0]
    obj = only(value)
    if obj is None or obj.kind == "param":
        return value
    new = Obj(obj.kind, (frame.module.index, span), obj.cls, open=obj.open, label=obj.label)
    frame.machine.heap[new] = dict(frame.machine.fields(obj) or {})
    return Value(value.const, value.taint, (new,), value.path)


def push(frame: Frame, given: Arguments, span: int) -> Value:
    """``$array[] = value``."""
    target, value = given.pos[0], given.pos[1]
    for ref in target.refs:
        if ref.__class__ is Obj:
            add(frame, ref, value, weak=len(target.refs) > 1)
    return NONE


def add(frame: Frame, obj: Obj, value: Value, weak: bool = False) -> None:
    fields = frame.machine.fields(obj) or {}
    if weak or "*" in fields or obj.open or len(fields) >= MAX_KEPT:
        frame.machine.write(obj, "*", value, weak=True)
        return
    numbers = [name for name in fields if name.__class__ is int]
    frame.machine.write(obj, max(numbers) + 1 if numbers else 0, value)


def pairs(frame: Frame, given: Arguments, span: int) -> Value:
    """What ``foreach`` goes through: (key, element) pairs."""
    value = given.pos[0]
    obj = only(value)
    if obj is not None and is_array(obj) and not value.taint and not obj.open:
        fields = {name: item for name, item in (frame.machine.fields(obj) or {}).items() if real(name)}
        if "*" not in fields and len(fields) <= MAX_TURNS and (fields or obj.kind == "dict"):
            turns = [pair(frame, Value(name), item, span) for name, item in fields.items()]
            return listed(frame, turns, span)
    element = elements.element(frame, value, "values", span)
    element = with_taint(element, join_taint(element.taint, value.taint))
    unknown = obj is not None and is_array(obj) and "*" in (frame.machine.fields(obj) or {})
    key = Value(taint=value.taint) if value.taint or not unknown else UNKNOWN
    return listed(frame, [pair(frame, key, element, span)], span, known=False)


def real(name: Any) -> bool:
    return name != "#len" and name.__class__ is not tuple


def pair(frame: Frame, key: Value, item: Value, span: int) -> Value:
    obj = frame.machine.new_obj("tuple", frame, span)
    frame.machine.heap[obj] = {0: key, 1: item, "#len": Value(2)}
    return Value(refs=(obj,))


def listed(frame: Frame, items: list[Value], span: int, known: bool = True) -> Value:
    obj = frame.machine.new_obj("list", frame, span)
    fields: dict[Any, Value] = dict(enumerate(items)) if known else {"*": items[0]}
    fields["#len"] = Value(len(items)) if known else UNKNOWN
    frame.machine.heap[obj] = fields
    return Value(refs=(obj,))


def plus(frame: Frame, given: Arguments, span: int) -> Value:
    """``a + b``: a sum, or one array after another."""
    from glasshouse.scan.interp import operators

    a, b = given.pos
    if any(is_array(ref) for ref in (*a.refs, *b.refs)):
        fields: dict[Any, Value] = {}
        for side in (b, a):
            for ref in side.refs:
                if ref.__class__ is Obj:
                    fields.update(frame.machine.fields(ref) or {})
        return made(frame, fields, span, join_taint(a.taint, b.taint))
    if a.const.__class__ in (int, float) and b.const.__class__ in (int, float):
        return operators.binary(frame, "+", a, b, span)
    return operators.binary(frame, "*", Value(taint=a.taint), Value(taint=b.taint), span)


def file_field(frame: Frame, given: Arguments, span: int) -> Value:
    """``$_FILES['f']['tmp_name']``: the server chose it, whoever sent the file."""
    found = elements.get_item(frame, given.pos[0], given.pos[1], span)
    if not found.taint:
        return found
    kept = {label: mark for label, mark in found.taint.items() if not label.text.startswith(UPLOADED)}
    return Value(found.const, kept or None, found.refs, found.path)


# --- functions, methods and classes by name --------------------------------------------------------------------------


def callable_of(frame: Frame, given: Arguments, span: int) -> Value:
    """What is called when a value is: a function of that name, a method of an object, a closure."""
    value = given.pos[0]
    told(frame, value, span)
    if value.const.__class__ is str:
        owner, colons, name = value.const.partition("::")
        if colons:
            return Value(refs=(Bound(php_scope.class_value(frame, owner.lstrip("\\")), name),))
        return php_scope.outside(frame, "\\" + value.const.lstrip("\\")) if value.const else UNKNOWN
    obj = only(value)
    if obj is not None and is_array(obj):
        fields = frame.machine.fields(obj) or {}
        holder, method = fields.get(0, UNKNOWN), fields.get(1, UNKNOWN)
        told(frame, method, span)
        name = method.const
        if name.__class__ is str:
            if holder.const.__class__ is str:
                holder = php_scope.class_value(frame, holder.const.lstrip("\\"))
            return Value(refs=(Bound(holder, name),))
    return value if value.refs else Value(path=value.path)  # what a function gives is not made of its name


def told(frame: Frame, name: Value, span: int) -> None:
    """Rules see the name of what is called, and nothing of the object it is called on."""
    from glasshouse.scan.interp import sources

    if name.taint and name.const is NOT_CONST and not any(ref.__class__ is not Obj for ref in name.refs):
        sources.pseudo_call(frame.machine, frame, "$called", [Value(taint=name.taint)], span, "a function's name")


def method_of(frame: Frame, given: Arguments, span: int) -> Value:
    """``$object->$name`` that is called."""
    name = given.pos[1].const
    return Value(refs=(Bound(given.pos[0], name),)) if name.__class__ is str else UNKNOWN


def class_of(frame: Frame, given: Arguments, span: int) -> Value:
    """``new $class``, ``$class::method()``."""
    value = given.pos[0]
    if value.const.__class__ is str:
        return php_scope.class_value(frame, value.const.lstrip("\\"))
    if value.refs and all(ref.__class__ in (Obj, ClassRef) for ref in value.refs):
        return value
    return Value(taint=value.taint)


def constant_by_name(frame: Frame, given: Arguments, span: int) -> Value | None:
    name = given.pos[0].const if given.pos else None
    return php_scope.outside(frame, "\\#" + name) if isinstance(name, str) and name else None


def call_function(frame: Frame, given: Arguments, span: int) -> Value | None:
    from glasshouse.scan.interp import calls

    if not given.pos:
        return None
    return calls.call_value(frame, given.pos[0], Arguments(given.pos[1:], given.kw, given.rest), span)


def call_with_array(frame: Frame, given: Arguments, span: int) -> Value | None:
    from glasshouse.scan.interp import calls

    if len(given.pos) < 2:
        return None
    known = elements.known_elements(frame, given.pos[1], "values")
    rest = None if known is not None else elements.element(frame, given.pos[1], "values", span)
    return calls.call_value(frame, given.pos[0], Arguments(known or [], {}, rest), span)


def arguments_of(frame: Frame, given: Arguments, span: int) -> Value:
    """``func_get_args()``."""
    values = [frame.env.get(param.name, UNKNOWN) for param in frame.fn.ir.params]
    return made(frame, dict(enumerate(values)), span)


# --- references ------------------------------------------------------------------------------------------------------


def give_back(frame: Frame, given: Arguments, span: int) -> Value:
    """A parameter by reference got a value: the caller's variable has it too."""
    for ref in given.pos[0].refs:
        if ref.__class__ is Obj and ref.kind in ("box", "param"):
            frame.machine.write(ref, BOX, given.pos[1])
    return NONE


def boxed(
    frame: Frame, callee: Value, operands: list[Any], given: Arguments, span: int, method: str = ""
) -> dict[str, Obj]:
    """Boxes for the variables that functions of the program take by reference; they travel with the arguments.

    ``callee`` is the function, or with ``method`` the object or class it is called on.
    """
    boxes: dict[str, Obj] = {}
    program = frame.machine.program
    for ref in callee.refs:
        fn = ref.fn if ref.__class__ is FuncRef else None
        if method and ref.__class__ in (Obj, ClassRef) and ref.cls is not None:
            fn = program.find_method(ref.cls, method)
        if fn is not None:
            box_arguments(frame, fn, operands, given, span, boxes)
    return boxes


def box_arguments(
    frame: Frame, fn: Any, operands: list[Any], given: Arguments, span: int, boxes: dict[str, Obj]
) -> None:
    for position, (param, operand) in enumerate(zip(fn.ir.params, operands, strict=False)):
        if not isinstance(operand, str) or position >= len(given.pos) or operand in boxes:
            continue
        if operand[:1] not in "$\\" and any(mark.name == "&" for mark in param.decorators):
            box = boxes[operand] = frame.machine.new_obj("box", frame, span)
            frame.machine.heap[box] = {}
            value = given.pos[position]
            given.pos[position] = Value(value.const, value.taint, (*value.refs, box), value.path)


def take_back(frame: Frame, boxes: dict[str, Obj], span: int) -> None:
    """What the callee wrote to its parameters by reference is in the caller's variables."""
    for name, box in boxes.items():
        found = (frame.machine.fields(box) or {}).get(BOX)
        if found is not None:
            refs = tuple(ref for ref in found.refs if ref is not box)
            frame.store(name, Value(found.const, found.taint, refs, found.path), span)


# --- the page, and included files ------------------------------------------------------------------------------------


def place(frame: Frame, given: Arguments, span: int) -> Value:
    """Data that is printed where escaping is not enough."""
    value = given.pos[0]
    taint = attributes.deep_taint(frame.machine, value)
    where = str(given.pos[1].const)
    after = php_text.placed(frame.machine, taint, where)
    if taint:
        after = php_text.explained(frame, taint, after, span, php_text.REASONS.get(where, ""))
    return Value(value.const, after, (), value.path)


def include(frame: Frame, given: Arguments, span: int) -> Value | None:
    """A file of the program that is included runs here, with the variables of this place."""
    path = given.pos[0].const if given.pos else None
    if not isinstance(path, str) or not path:
        return None
    machine = frame.machine
    module = machine.program.php.file(frame.module, path)
    if module is None or not module.functions:
        return UNKNOWN
    fn = module.functions[0]
    depth = sum(1 for item in machine.stack if item.ir.kind == "module")
    count = frame.env.get(INCLUDED, Value(0)).const
    count = count if count.__class__ is int else MAX_INCLUDED // 2
    if fn in machine.stack or fn is frame.fn or depth >= MAX_INCLUDES or count >= MAX_INCLUDED:
        return UNKNOWN
    if not machine.budget.fits(fn):
        return UNKNOWN
    new = machine.new_frame(fn, frame.this, None)
    new.env = {**frame.env, INCLUDED: Value(count + 1)}
    machine.stack.append(fn)
    result = new.run()
    machine.stack.pop()
    frame.env.update(new.env)
    return result


def directory(path: str, levels: int = 1) -> str:
    for _ in range(min(max(levels, 1), 20)):
        path = posixpath.dirname(path) or "."
    return path


Handler = Callable[["Frame", "Arguments", int], "Value | None"]
HANDLERS: dict[str, Handler] = {
    "$variable": variable,
    "$set_variable": set_variable,
    "$given": present,
    "$isset": present,
    "$has": has,
    "array_key_exists": has,
    "key_exists": has,
    "$array": array,
    "$copy": copy,
    "$clone": clone,
    "$push": push,
    "$range": pairs,
    "$plus": plus,
    "$file_field": file_field,
    "$callable": callable_of,
    "$method": method_of,
    "$class": class_of,
    "$give_back": give_back,
    "$place": place,
    "constant": constant_by_name,
    "call_user_func": call_function,
    "forward_static_call": call_function,
    "call_user_func_array": call_with_array,
    "func_get_args": arguments_of,
    "sprintf": php_text.sprintf,
    "vsprintf": php_text.vsprintf,
}
SPACES = " \t\n\r\0\x0b"
FOLDED: dict[str, Callable[..., Any]] = {
    "strtolower": str.lower,
    "strtoupper": str.upper,
    "trim": lambda text, chars=SPACES: text.strip(chars),
    "ltrim": lambda text, chars=SPACES: text.lstrip(chars),
    "rtrim": lambda text, chars=SPACES: text.rstrip(chars),
    "strlen": lambda text: len(text.encode("utf-8", "replace")),
    "dirname": directory,
    "basename": lambda path, suffix="": posixpath.basename(path).removesuffix(suffix),
    "ucfirst": lambda text: text[:1].upper() + text[1:],
    "str_repeat": lambda text, times: text * min(times, 100),
    "substr": lambda text, start, length=None: text[start:] if length is None else text[start:][:length],
    "strval": php_text.shown,
    "intval": lambda text: int(re.match(r"\s*[-+]?\d+|", str(text))[0] or 0),  # type: ignore[index]
}
