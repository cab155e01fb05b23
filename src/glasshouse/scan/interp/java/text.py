"""Java's text: builders that hold it, methods of constant strings, and library functions that can be computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, elements, operators
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.java.collections import Method, make
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Obj, Value, join_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

WHOLE = "$length"  # path of the length of a builder's text
MAX_TEXT = 4096


# --- builders ---------------------------------------------------------------------------------------------------------


def builder(frame: Frame, span: int, text: Value) -> Value:
    obj = frame.machine.new_obj("holder", frame, span)
    obj.library = "text"
    frame.machine.heap[obj] = {"value": text}
    return Value(refs=(obj,))


def new_builder(frame: Frame, given: Arguments, span: int) -> Value:
    first = given.pos[0] if given.pos else Value("")
    return builder(frame, span, Value("") if first.const.__class__ is int else as_text(frame, first))


def as_text(frame: Frame, value: Value) -> Value:
    """The value as text: builders and character arrays give what they hold."""
    if not value.refs:
        return value
    for ref in value.refs:
        if ref.__class__ is Obj and len(value.refs) == 1:
            fields = frame.machine.fields(ref) or {}
            if ref.library == "text":
                return fields.get("value", UNKNOWN)
            characters = elements.known_elements(frame, value, "values") if ref.kind == "list" else None
            if characters is not None and all(item.const.__class__ is str for item in characters):
                return Value("".join(item.const for item in characters))
    taint = attributes.deep_taint(frame.machine, value)
    return Value(value.const, taint, (), value.path if value.path == "java.lang.String" else "")


def current(frame: Frame, obj: Obj) -> Value:
    return (frame.machine.fields(obj) or {}).get("value", UNKNOWN)


def change(frame: Frame, obj: Obj, value: Value, text: Value) -> Value:
    frame.machine.write(obj, "value", text, weak=len(value.refs) > 1)
    return value


def append(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    added = as_text(frame, given.pos[0])
    have = current(frame, obj)
    if have.const == "" and not have.taint and (added.const.__class__ is str or added.taint):
        return change(frame, obj, value, added)
    return change(frame, obj, value, operators.concat(frame, [have, added], span))


def numbers(given: Arguments) -> list[Any]:
    return [item.const if item.const.__class__ is int else WHOLE if item.path == WHOLE else None for item in given.pos]


def edit(frame: Frame, obj: Obj, value: Value, start: Any, end: Any, put: Value) -> Value:
    """Replace the text from ``start`` to ``end``."""
    have = current(frame, obj)
    if have.const.__class__ is str and start.__class__ is int:
        stop = len(have.const) if end is WHOLE else end
        if stop.__class__ is int and put.const is not NOT_CONST and not put.taint:
            return change(frame, obj, value, Value(have.const[:start] + str(put.const) + have.const[stop:]))
    if start == 0 and (end is WHOLE or (end.__class__ is int and end >= MAX_TEXT)):
        return change(frame, obj, value, put)
    return change(frame, obj, value, Value(taint=join_taint(have.taint, put.taint)))


def insert(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    at = numbers(given)[0]
    return edit(frame, obj, value, at if at.__class__ is int else None, at, as_text(frame, given.pos[1]))


def delete(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    bounds = numbers(given)
    return edit(frame, obj, value, bounds[0], bounds[1], Value("")) if len(bounds) > 1 else None


def delete_one(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    at = numbers(given)[0] if given.pos else None
    return edit(frame, obj, value, at, at + 1 if at.__class__ is int else None, Value(""))


def replace(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    bounds = numbers(given)
    return edit(frame, obj, value, bounds[0], bounds[1], as_text(frame, given.pos[2])) if len(bounds) > 2 else None


def put_char(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    at = numbers(given)[0] if given.pos else None
    if len(given.pos) < 2:
        return None
    return edit(frame, obj, value, at, at + 1 if at.__class__ is int else None, given.pos[1])


def set_length(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    size = numbers(given)[0] if given.pos else None
    have = current(frame, obj)
    if size == 0:
        change(frame, obj, value, Value(""))
    elif size.__class__ is int and have.const.__class__ is str:
        change(frame, obj, value, Value(have.const[:size]))
    return NONE


def backwards(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    have = current(frame, obj)
    return change(frame, obj, value, Value(have.const[::-1]) if have.const.__class__ is str else have)


def length(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    have = current(frame, obj)
    return Value(len(have.const)) if have.const.__class__ is str else Value(path=WHOLE)


def content(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    have = current(frame, obj)
    return Value(have.const, join_taint(have.taint, value.taint), have.refs, have.path) if value.taint else have


def of_content(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value:
    """Any other method: that of the text."""
    from glasshouse.scan.interp import calls

    return calls.call_method(frame, current(frame, obj), name, given, span, None)


def join_next(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    """``StringJoiner.add``."""
    between = (frame.machine.fields(obj) or {}).get("between")
    have = current(frame, obj)
    if between is not None and have.const != "":
        have = operators.binary(frame, "+", have, between, span)
    if not given.pos:
        return None
    return change(frame, obj, value, operators.binary(frame, "+", have, as_text(frame, given.pos[0]), span))


def new_joiner(frame: Frame, given: Arguments, span: int) -> Value:
    made = builder(frame, span, Value(""))
    if given.pos:
        frame.machine.write(made.refs[0], "between", given.pos[0])
    return made


TEXT: dict[str, Method] = {
    **dict.fromkeys(["append", "appendCodePoint", "write", "print"], append),
    "insert": insert,
    "delete": delete,
    "deleteCharAt": delete_one,
    "replace": replace,
    "setCharAt": put_char,
    "setLength": set_length,
    "reverse": backwards,
    "length": length,
    "toString": content,
    "add": join_next,
    "getBuffer": lambda frame, obj, value, given, span: value,
}


# --- constant strings -------------------------------------------------------------------------------------------------

COMPUTED: dict[str, Callable[..., Any]] = {
    "isEmpty": lambda text: not text,
    "isBlank": lambda text: not text.strip(),
    "equalsIgnoreCase": lambda text, other: text.lower() == other.lower(),
    "contentEquals": lambda text, other: text == other,
    "compareTo": lambda text, other: (text > other) - (text < other),
    "concat": lambda text, other: text + other,
    "repeat": lambda text, count: text * count if count * len(text) < MAX_TEXT else NOT_CONST,
    "indexOf": lambda text, other, start=0: text.find(other, start),
    "lastIndexOf": lambda text, other: text.rfind(other),
    "strip": str.strip,
    "stripLeading": str.lstrip,
    "stripTrailing": str.rstrip,
    "intern": str,
    "charAt": lambda text, at: text[at] if 0 <= at < len(text) else NOT_CONST,
    "substring": lambda text, start, end=None: text[start:end],
    "subSequence": lambda text, start, end: text[start:end],
    "startsWith": lambda text, other: text.startswith(other),
    "endsWith": lambda text, other: text.endswith(other),
    "contains": lambda text, other: other in text,
    "equals": lambda text, other: text == other,
    "hashCode": lambda text: NOT_CONST,
    "length": len,
    "toString": str,
    "valueOf": str,
}


def constant_method(frame: Frame, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of a constant string; None when it cannot be computed."""
    text: str = value.const
    if name in ("toCharArray", "chars", "getBytes") and len(text) <= elements.MAX_FIELDS:
        return make(frame, "stream" if name == "chars" else "", span, [Value(char) for char in text])
    function = COMPUTED.get(name)
    if function is None:
        return None
    args = [as_text(frame, item) for item in given.pos]
    return folded(function, [Value(text), *args])


def folded(function: Callable[..., Any], args: list[Value]) -> Value | None:
    if any(item.const is NOT_CONST or item.taint for item in args):
        return None
    try:
        result = function(*(item.const for item in args))
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return None
    if result is NOT_CONST or (result.__class__ is str and len(result) > MAX_TEXT):
        return None
    return Value(result)


# --- library functions ------------------------------------------------------------------------------------------------

LANG3 = "org.apache.commons.lang3.StringUtils."
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "java.util.Objects.equals": lambda a, b: a == b,
    "java.util.Objects.isNull": lambda a: a is None,
    "java.util.Objects.nonNull": lambda a: a is not None,
    "java.lang.Integer.parseInt": int,
    "java.lang.Integer.valueOf": int,
    "java.lang.Long.parseLong": int,
    "java.lang.Long.valueOf": int,
    "java.lang.Boolean.parseBoolean": lambda text: str(text).lower() == "true",
    "java.lang.Boolean.valueOf": lambda text: str(text).lower() == "true",
    "java.lang.Integer.toString": str,
    "java.lang.Math.max": max,
    "java.lang.Math.min": min,
    "java.lang.Math.abs": abs,
    "java.lang.Math.sqrt": math.sqrt,
    "java.lang.Math.floorMod": lambda a, b: a % b,
    LANG3 + "equals": lambda a, b: a == b,
    LANG3 + "equalsIgnoreCase": lambda a, b: a.lower() == b.lower(),
    LANG3 + "isEmpty": lambda a: not a,
    LANG3 + "isNotEmpty": bool,
    LANG3 + "isBlank": lambda a: not (a or "").strip(),
    LANG3 + "isNotBlank": lambda a: bool((a or "").strip()),
    LANG3 + "contains": lambda a, b: b in a,
    "org.springframework.util.StringUtils.hasText": lambda a: bool((a or "").strip()),
    "org.springframework.util.StringUtils.isEmpty": lambda a: not a,
}
UNCHANGED = frozenset(
    """java.lang.String java.lang.String.valueOf java.lang.String.copyValueOf java.util.Objects.requireNonNull
    java.util.Objects.toString java.lang.Boolean java.lang.Integer java.lang.Long
    java.lang.Character.valueOf""".split()
)


def function(frame: Frame, path: str, given: Arguments, span: int) -> Value | None:
    """What a function of the library gives for these arguments, as far as that can be computed."""
    if path in UNCHANGED:
        if not given.pos:
            return Value("") if path == "java.lang.String" else None
        value = as_text(frame, given.pos[0]) if "String" in path else given.pos[0]
        if path == "java.lang.String.valueOf" and value.const is not NOT_CONST and not value.taint:
            return Value(operators.text_of(value.const, "java"))
        return value
    if path == "java.lang.String.join" and given.pos:
        return join_text(frame, given, span)
    known = FUNCTIONS.get(path)
    return folded(known, [as_text(frame, item) for item in given.pos]) if known is not None else None


def join_text(frame: Frame, given: Arguments, span: int) -> Value:
    items = given.pos[1:]
    if len(items) == 1 and items[0].refs:
        items = elements.known_elements(frame, items[0], "values") or items
    texts = [item.const for item in [given.pos[0], *items]]
    if all(text.__class__ is str for text in texts) and not any(item.taint for item in items):
        return Value(str(texts[0]).join(texts[1:]))
    taint = given.pos[0].taint
    for item in items:
        taint = join_taint(taint, attributes.deep_taint(frame.machine, item))
    return Value(taint=taint) if taint else UNKNOWN
