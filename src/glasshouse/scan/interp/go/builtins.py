"""Go's own operations on abstract values: boxes, copies, slices, channels, several results; parts of its library.

The front end calls operations by names that start with ``$``.  A handler returns None when it can tell no more than
the models of the rules do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, elements
from glasshouse.scan.interp.arguments import NO_ARGUMENTS, Arguments
from glasshouse.scan.interp.values import (
    NONE,
    NOT_CONST,
    UNKNOWN,
    ClassRef,
    Obj,
    Taint,
    Value,
    join,
    join_all,
    join_taint,
    with_taint,
    without,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

BOX = "$v"
MAX_KEPT = 16  # elements of a new slice that are kept apart
MAX_TURNS = 8
SECOND = ("websocket.Conn.ReadMessage()", "websocket.Conn.NextReader()", "websocket.Conn.Read()")  # data is the second
CONTENT = "$content"  # the type of what a handler answers
NAMES_CONTENT = re.compile(r"(?i)(^|HeaderContent|[.])content-?type|ContentType$")


def call(frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int) -> Value | None:
    """The result of an operation or library function; None when it is not known here."""
    handler = HANDLERS.get(path)
    if handler is not None:
        return handler(frame, given, span)
    if receiver is not None and path.startswith("sync"):
        return shared(frame, path, receiver, given)
    folded = FOLDED.get(path)
    if folded is not None and given.rest is None and all(item.const.__class__ in (str, int) for item in given.pos):
        try:
            return Value(folded(*(item.const for item in given.pos)))
        except (TypeError, ValueError, OverflowError):
            return None
    return None


def made(frame: Frame, kind: str, fields: dict[Any, Value], span: int, taint: Taint | None = None) -> Value:
    obj = frame.machine.new_obj(kind, frame, span)
    frame.machine.heap[obj] = fields
    return Value(taint=taint, refs=(obj,))


def listed(frame: Frame, items: list[Value], span: int, kind: str = "list") -> Value:
    fields: dict[Any, Value] = dict(enumerate(items))
    fields["#len"] = Value(len(items))
    return made(frame, kind, fields, span)


def only(value: Value) -> Obj | None:
    """The one object a value is, if it is one."""
    if len(value.refs) == 1 and value.refs[0].__class__ is Obj:
        found: Obj = value.refs[0]
        return found
    return None


# --- pointers and copies ---------------------------------------------------------------------------------------------


def box(frame: Frame, given: Arguments, span: int) -> Value:
    return made(frame, "box", {BOX: given.pos[0]}, span)


def deref(frame: Frame, given: Arguments, span: int) -> Value:
    """``*p``: what is in the box; an object is what its pointer is."""
    found: Value | None = None
    value = given.pos[0]
    for ref in value.refs:
        item = Value(value.const, value.taint, (ref,), value.path)
        if ref.__class__ is Obj:
            fields = frame.machine.fields(ref) or {}
            if BOX in fields:
                item = fields[BOX] if "*" not in fields else join(fields[BOX], fields["*"])
        found = item if found is None else join(found, item)
    return value if found is None else found


def store(frame: Frame, given: Arguments, span: int) -> Value:
    """``*p = v``."""
    target, value = given.pos[0], given.pos[1]
    machine = frame.machine
    weak = len(target.refs) > 1
    for ref in target.refs:
        if ref.__class__ is not Obj:
            continue
        fields = machine.fields(ref) or {}
        source = only(value)
        if ref.kind == "box" or BOX in fields or source is None or source.cls is None:
            machine.write(ref, BOX, value, weak=weak)
        else:
            for name, item in (machine.fields(source) or {}).items():
                machine.write(ref, name, item, weak=weak)
    return NONE


def clone(frame: Frame, given: Arguments, span: int) -> Value:
    """A struct or array as a value of its own."""
    value = given.pos[0]
    obj = only(value)
    if obj is None or obj.open or obj.kind not in ("instance", "list", "dict") or obj.library:
        return value
    if obj.cls is not None and obj.cls.ir.flags & ir.INTERFACE:
        return value
    machine = frame.machine
    new = Obj(obj.kind, (frame.module.index, span), obj.cls)
    machine.heap[new] = {name: renewed(item, obj, new) for name, item in (machine.fields(obj) or {}).items()}
    return Value(value.const, value.taint, (new,), value.path)


def renewed(value: Value, old: Obj, new: Obj) -> Value:
    """An embedded struct of the copy is the copy."""
    return Value(value.const, value.taint, (new,), value.path) if value.refs == (old,) else value


def zero(frame: Frame, given: Arguments, span: int) -> Value:
    """The zero value of a named type."""
    from glasshouse.scan.interp import construction

    kind = given.pos[0]
    for ref in kind.refs:
        if ref.__class__ is ClassRef:
            if ref.cls.ir.flags & ir.INTERFACE:
                return NONE
            if ref.cls.ir.init >= 0 or ref.cls.ir.fields:
                return construction.instantiate(frame, ref, NO_ARGUMENTS, span)
            return UNKNOWN
    if not kind.path:
        return UNKNOWN
    obj = frame.machine.new_obj("extern", frame, span)
    frame.machine.heap[obj] = {}
    return Value(refs=(obj,), path=kind.path)


def settable(frame: Frame, given: Arguments, span: int) -> Value:
    """A variable of the package about which only its type is known."""
    text = given.pos[0].const
    return frame.machine.modules.typed(frame.module, text, UNKNOWN) if text.__class__ is str else UNKNOWN


def embed(frame: Frame, given: Arguments, span: int) -> Value:
    """An embedded struct shares the fields of the struct around it; anything else is a field."""
    this, name, kind = given.pos
    struct = any(ref.__class__ is ClassRef and not ref.cls.ir.flags & ir.INTERFACE for ref in kind.refs)
    value = this if struct else zero(frame, type(given)([kind], {}), span) if kind.path or kind.refs else NONE
    for ref in this.refs:
        if ref.__class__ is Obj and name.const.__class__ is str:
            frame.machine.write(ref, name.const, value)
    return NONE


def set_fields(frame: Frame, obj: Obj, given: Arguments) -> None:
    """The fields that a composite literal names, or gives in their order."""
    machine = frame.machine
    assert obj.cls is not None
    names = [name for name, _ in obj.cls.ir.fields]
    for name, value in [*zip(names, given.pos, strict=False), *given.kw.items()]:
        have = (machine.fields(obj) or {}).get(name)
        inner = only(value)
        if have is not None and have.refs == (obj,) and inner is not None:
            for field, item in (machine.fields(inner) or {}).items():
                machine.write(obj, field, renewed(item, inner, obj))
        else:
            machine.write(obj, name, value)


def convert(ref: ClassRef, given: Arguments, frame: Frame, span: int) -> Value:
    """``T(x)``: x, with the methods of T."""
    value = given.pos[0] if given.pos else UNKNOWN
    if ref.cls.ir.flags & ir.INTERFACE or any(item.__class__ is Obj and item.cls is not None for item in value.refs):
        return value
    obj = Obj("instance", (frame.module.index, span), ref.cls)
    frame.machine.heap[obj] = {BOX: value}
    return Value(value.const, value.taint, (*value.refs, obj), value.path)


def fill(frame: Frame, value: Value, taint: Taint) -> bool:
    """Put data from outside into the fields of a struct that a decoder was given; whether there was one."""
    machine = frame.machine
    sizes = machine.bit("memory") | machine.bit("resource")
    found = False
    pending = [(ref, 0) for ref in value.refs if ref.__class__ is Obj]
    while pending:
        obj, depth = pending.pop()
        fields = machine.fields(obj) or {}
        for name, item in list(fields.items()):
            if name.__class__ is not str or name[:1] == "#":
                continue
            if item.const.__class__ in (int, float, bool):
                number = None if item.const.__class__ is bool else without(taint, ~sizes)
                machine.write(obj, name, Value(taint=number))
                found = True
                continue
            inner = [ref for ref in item.refs if ref.__class__ is Obj and ref is not obj]
            if inner and depth < 3:
                pending.extend((ref, depth + 1) for ref in inner)
            machine.write(obj, name, Value(NOT_CONST, join_taint(taint, item.taint), item.refs, item.path))
            found = True
    return found


def escape(frame: Frame, given: Arguments, span: int) -> Value:
    """A function literal that is given back: others call it, with arguments of which only the types are known."""
    from glasshouse.scan.interp import external

    external.run_callbacks(frame, [given.pos[0]], None, type(given)([], {}), None, span)
    return NONE


# --- containers ------------------------------------------------------------------------------------------------------


def append(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    base, items = given.pos[0], list(given.pos[1:])
    known = [] if base.const is None else elements.known_elements(frame, base, "values")
    if given.rest is not None:
        more = elements.known_elements(frame, given.rest, "values")
        if more is None:
            known = None
            items.append(elements.element(frame, given.rest, "values", span))
            items[-1] = with_taint(items[-1], join_taint(items[-1].taint, given.rest.taint))
        else:
            items += more
    if known is not None and len(known) + len(items) <= 4 * MAX_KEPT:
        return listed(frame, known + items, span)
    old = elements.element(frame, base, "values", span)
    return made(frame, "list", {"*": join_all([old, *items]), "#len": UNKNOWN}, span, base.taint)


def copy(frame: Frame, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    known = elements.known_elements(frame, given.pos[1], "values")
    for ref in given.pos[0].refs:
        if ref.__class__ is not Obj:
            continue
        if known is None:
            element = elements.element(frame, given.pos[1], "values", span)
            taint = join_taint(element.taint, given.pos[1].taint)
            frame.machine.write(ref, "*", with_taint(element, taint), weak=True)
        else:
            for index, item in enumerate(known[: 4 * MAX_KEPT]):
                frame.machine.write(ref, index, item)
    return UNKNOWN


def length(frame: Frame, given: Arguments, span: int) -> Value:
    value = given.pos[0] if given.pos else UNKNOWN
    if value.const.__class__ is str:
        return Value(len(value.const.encode("utf-8", "replace")))
    obj = only(value)
    if obj is None or obj.open or value.taint or obj.kind not in ("list", "dict", "channel"):
        return UNKNOWN
    fields = frame.machine.fields(obj) or {}
    if obj.kind == "dict":
        return UNKNOWN if "*" in fields else Value(sum(1 for name in fields if name != "#len"))
    return fields.get("#len", UNKNOWN)


def make(frame: Frame, given: Arguments, span: int) -> Value:
    size, element = given.pos[0].const, given.pos[1]
    if size.__class__ is int and 0 <= size <= MAX_KEPT:
        return listed(frame, [element] * size, span)
    return made(frame, "list", {"#len": UNKNOWN, "*": UNKNOWN}, span)


def cut(frame: Frame, given: Arguments, span: int) -> Value:
    """``x[low:high]``: a slice that is all of ``x`` is the same memory."""
    value, low, high = given.pos
    if value.const.__class__ is str and all(item.const is None or item.const.__class__ is int for item in (low, high)):
        return Value(value.const[low.const or 0 : high.const])
    known = elements.known_elements(frame, value, "values")
    if low.const in (None, 0) and (high.const is None or (known is not None and high.const == len(known))):
        return value
    if known is not None and all(item.const is None or item.const.__class__ is int for item in (low, high)):
        return listed(frame, known[low.const or 0 : high.const], span)
    if not value.refs:
        return Value(taint=value.taint, path=value.path)
    return made(
        frame, "list", {"*": elements.element(frame, value, "values", span), "#len": UNKNOWN}, span, value.taint
    )


def pairs(frame: Frame, given: Arguments, span: int) -> Value:
    """What ``range`` gives: (index or key, element) pairs; (element,) for a channel."""
    value = given.pos[0]
    found = known_pairs(frame, value)
    if found is not None and len(found) <= MAX_TURNS:
        return listed(frame, [listed(frame, list(pair), span, "tuple") for pair in found], span)
    element = elements.element(frame, value, "values", span)
    element = with_taint(element, join_taint(element.taint, value.taint))
    obj = only(value)
    sizes = frame.machine.bit("memory") | frame.machine.bit("resource")
    key = Value(taint=without(value.taint, sizes))  # a place in it, or text
    if obj is not None and obj.kind == "channel":
        key = element
    elif value.const.__class__ is int:
        key = UNKNOWN
    return made(frame, "list", {"*": listed(frame, [key, element], span, "tuple"), "#len": UNKNOWN}, span)


def known_pairs(frame: Frame, value: Value) -> list[tuple[Value, Value]] | None:
    if value.const.__class__ is int and 0 <= value.const <= MAX_TURNS:
        return [(Value(index), UNKNOWN) for index in range(value.const)]
    if value.const is None:
        return []
    obj = only(value)
    if obj is not None and obj.kind in ("dict", "channel") and not value.taint and not obj.open:
        fields = frame.machine.fields(obj) or {}
        if "*" in fields:
            return None
        if obj.kind == "channel":
            size = fields.get("#len", UNKNOWN).const
            return [(fields[index], UNKNOWN) for index in range(size)] if size.__class__ is int else None
        return [(Value(name), item) for name, item in fields.items() if name != "#len" and name.__class__ is not tuple]
    known = elements.known_elements(frame, value, "values")
    return None if known is None else [(Value(index), item) for index, item in enumerate(known)]


def text(frame: Frame, given: Arguments, span: int) -> Value:
    """``string(x)`` and ``[]byte(x)``."""
    value = given.pos[0]
    if value.const.__class__ is int and 0 <= value.const < 0x110000:
        return Value(chr(value.const))
    if not value.refs:
        return value
    return Value(value.const, attributes.deep_taint(frame.machine, value), value.refs, value.path)


# --- channels and results --------------------------------------------------------------------------------------------


def channel(frame: Frame, given: Arguments, span: int) -> Value:
    return made(frame, "channel", {"#len": Value(0)}, span)


def send(frame: Frame, given: Arguments, span: int) -> Value:
    machine = frame.machine
    for ref in given.pos[0].refs:
        if ref.__class__ is not Obj:
            continue
        size = (machine.fields(ref) or {}).get("#len", UNKNOWN).const
        if size.__class__ is int and size < MAX_KEPT and len(given.pos[0].refs) == 1:
            machine.write(ref, size, given.pos[1])
            machine.write(ref, "#len", Value(size + 1))
        else:
            machine.write(ref, "*", given.pos[1], weak=True)
            machine.write(ref, "#len", UNKNOWN)
    return NONE


def receive(frame: Frame, given: Arguments, span: int) -> Value:
    """``<-ch``: what was sent first."""
    value = given.pos[0]
    obj = only(value)
    if obj is not None and obj.kind == "channel":
        size = (frame.machine.fields(obj) or {}).get("#len", UNKNOWN).const
        if size.__class__ is int:
            return elements.remove_index(frame.machine, obj, 0) if size > 0 else UNKNOWN
    element = elements.element(frame, value, "values", span)
    return with_taint(element, join_taint(element.taint, value.taint))


def result(frame: Frame, given: Arguments, span: int) -> Value:
    """One of several results.  Of a call outside the first is what the call is known to give."""
    value, position = given.pos
    tuples = tuple(ref for ref in value.refs if ref.__class__ is Obj and ref.kind == "tuple")
    if tuples:
        return elements.get_item(frame, Value(taint=value.taint, refs=tuples), position, span)
    if position.const == 0:
        return value
    if value.path.endswith("FormFile()"):
        return Value(path="mime/multipart.FileHeader") if position.const == 1 else UNKNOWN
    if position.const == 1 and value.path.endswith(SECOND):
        return Value(taint=value.taint)
    return UNKNOWN if value.path else Value(taint=value.taint)


# --- the library -----------------------------------------------------------------------------------------------------


def shared(frame: Frame, path: str, receiver: Value, given: Arguments) -> Value | None:
    """``sync.Map`` and the cells of ``sync/atomic``: what was stored last is what is loaded."""
    owner, _, name = path.rpartition(".")
    obj = only(receiver)
    if obj is None or not (owner == "sync.Map" or owner.startswith("sync/atomic.")):
        return None
    keyed = owner == "sync.Map"
    key = given.pos[0].const if keyed and given.pos else ""
    field = "*" if key is NOT_CONST else f"{key}{BOX}"
    if name in ("Store", "Swap") and len(given.pos) > keyed:
        frame.machine.write(obj, field, given.pos[int(keyed)], weak=field == "*")
        return NONE
    if name in ("Load", "LoadOrStore"):
        fields = frame.machine.fields(obj) or {}
        found = fields.get(field)
        if found is not None:
            return join(found, fields["*"]) if "*" in fields and field != "*" else found
        return join_all([UNKNOWN, *fields.values()]) if field == "*" else fields.get("*", UNKNOWN)
    return None


def content_type(frame: Frame, given: Arguments, span: int) -> None:
    """``w.Header().Set("Content-Type", kind)``: rules are told as what the function answers from here on."""
    if len(given.pos) == 1:
        frame.env[CONTENT] = given.pos[0]
    elif len(given.pos) == 2 and NAMES_CONTENT.search(str(given.pos[0].const) + given.pos[0].path):
        frame.env[CONTENT] = given.pos[1]


def has(frame: Frame, given: Arguments, span: int) -> Value:
    """Whether a map has a key."""
    return UNKNOWN


def joined(frame: Frame, given: Arguments, span: int) -> Value | None:
    if len(given.pos) != 2:
        return None
    known = elements.known_elements(frame, given.pos[0], "values")
    if known is not None and all(item.const.__class__ is str for item in (*known, given.pos[1])):
        return Value(given.pos[1].const.join(item.const for item in known))
    return None


def atomic(frame: Frame, given: Arguments, span: int) -> Value:
    """``atomic.LoadX(&x)``."""
    return deref(frame, given, span)


def smallest(frame: Frame, given: Arguments, span: int) -> Value | None:
    if given.pos and all(item.const.__class__ in (int, float) for item in given.pos):
        return Value(min(item.const for item in given.pos))
    return None


Handler = Callable[["Frame", "Arguments", int], "Value | None"]
HANDLERS: dict[str, Handler] = {
    "$box": box,
    "$deref": deref,
    "$store": store,
    "$clone": clone,
    "$settable": settable,
    "$zero": zero,
    "$embed": embed,
    "$escape": escape,
    "$append": append,
    "$copy": copy,
    "$len": length,
    "$cap": length,
    "$make": make,
    "$slice": cut,
    "$range": pairs,
    "$text": text,
    "$has": has,
    "$channel": channel,
    "$send": send,
    "$receive": receive,
    "$result": result,
    "strings.Join": joined,
    "net/http.Header.Set": content_type,
    "net/http.Header.Add": content_type,
    "github.com/gin-gonic/gin.Context.Header": content_type,
    "github.com/gofiber/fiber.Ctx.Set": content_type,
    "github.com/gofiber/fiber.Ctx.Type": content_type,
    "github.com/valyala/fasthttp.RequestCtx.SetContentType": content_type,
    "min": smallest,
    **{f"sync/atomic.Load{kind}": atomic for kind in ("Int32", "Int64", "Uint32", "Uint64", "Pointer")},
    **{f"sync/atomic.Store{kind}": store for kind in ("Int32", "Int64", "Uint32", "Uint64", "Pointer")},
}
FOLDED: dict[str, Callable[..., Any]] = {
    "strings.ToUpper": str.upper,
    "strings.ToLower": str.lower,
    "strings.TrimSpace": str.strip,
    "strings.HasPrefix": str.startswith,
    "strings.HasSuffix": str.endswith,
    "strings.Contains": lambda text, part: part in text,
    "strings.Index": str.find,
    "strings.ReplaceAll": str.replace,
    "strings.EqualFold": lambda a, b: a.casefold() == b.casefold(),
    "strconv.Itoa": str,
    "strconv.Quote": lambda text: '"' + text + '"',
}
