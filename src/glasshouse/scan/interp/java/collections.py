"""Java's lists, queues, sets and iterators: what goes in, what is taken out, and in which order.

Each is an object of kind ``list`` (elements under 0, 1, ..., ``#len``).
``Obj.library`` tells which of them it is.  ``*`` holds what may be at any place; it is used once order or length are
not known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, elements, operators
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.java import functions as java_functions
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Obj, Value, join, join_all, join_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

Method = Callable[["Frame", Obj, Value, "Arguments", int], "Value | None"]
SOURCE = ("of",)  # field of an entry or iterator: where it was taken from
LAST = ("last",)  # field of an iterator: what it gave last
UNROLLED = 12  # elements that a callback is run on one by one
LAST_FIRST = frozenset(["stack"])
UNORDERED = frozenset(["set", "priority"])


# --- making and reading -----------------------------------------------------------------------------------------------


def out_of_range(frame: Frame, target: Value, key: Value) -> bool:
    """Whether a Java array surely has no element at this index."""
    if key.const.__class__ is not int or len(target.refs) != 1 or target.taint:
        return False
    obj = target.refs[0]
    if obj.__class__ is not Obj or obj.kind != "list" or obj.library or obj.open:
        return False
    length = (frame.machine.fields(obj) or {}).get("#len", UNKNOWN).const
    return length.__class__ is int and not 0 <= key.const < length


def make(frame: Frame, library: str, span: int, items: list[Value], more: Value | None = None) -> Value:
    """A collection of these elements; ``more``: there may be others like this."""
    obj = frame.machine.new_obj("list", frame, span)
    obj.library = library
    fill(frame, obj, items, more)
    return Value(refs=(obj,))


def fill(frame: Frame, obj: Obj, items: list[Value], more: Value | None = None) -> None:
    if len(items) > elements.MAX_FIELDS:
        items, more = [], join_all(items if more is None else [*items, more])
    fields: dict[Any, Value] = dict(enumerate(items))
    if more is not None:
        fields["*"] = more
    fields["#len"] = Value(len(items)) if more is None else UNKNOWN
    frame.machine.heap[obj] = fields


def known(frame: Frame, obj: Obj) -> list[Value] | None:
    """The elements in order; None when there may be others or the number is not known."""
    fields = frame.machine.fields(obj) or {}
    length = fields.get("#len", UNKNOWN).const
    if "*" in fields or length.__class__ is not int or obj.open or length > elements.MAX_FIELDS:
        return None
    return [fields.get(index, NONE) for index in range(length)]


def content(frame: Frame, value: Value, span: int) -> tuple[list[Value], Value | None]:
    """What iterating a value gives: known elements, and what others may be."""
    if len(value.refs) == 1 and value.refs[0].__class__ is Obj and not value.taint:
        obj = value.refs[0]
        items = known(frame, obj) if obj.kind == "list" else elements.known_elements(frame, value, "values")
        if items is not None:
            return items, None
    return [], elements.element(frame, value, "values", span)


def any_of(frame: Frame, obj: Obj, value: Value) -> Value:
    """Any one element."""
    fields = frame.machine.fields(obj) or {}
    items = [item for name, item in fields.items() if name.__class__ is int or name == "*"]
    found = join_all(items) if items else NONE
    return Value(found.const, join_taint(found.taint, value.taint), found.refs, found.path)


def same(a: Value, b: Value) -> bool | None:
    """Whether two values are equal; None if that is not known."""
    if a is b:
        return True
    if a.const is not NOT_CONST and b.const is not NOT_CONST:
        return bool(a.const == b.const)
    if len(a.refs) == 1 and a.refs == b.refs and not a.taint and not b.taint:
        return True
    return None


def single(value: Value) -> bool:
    return len(value.refs) == 1


# --- lists, queues and sets -------------------------------------------------------------------------------------------


def append(frame: Frame, obj: Obj, value: Value, item: Value) -> Value:
    items = known(frame, obj) if single(value) else None
    if items is None:
        frame.machine.write(obj, "*", item, weak=True)
        frame.machine.write(obj, "#len", UNKNOWN)
        return UNKNOWN
    if obj.library == "set" and any(same(have, item) for have in items):
        return Value(False)
    fill(frame, obj, [*items, item])
    return Value(True)


def insert(frame: Frame, obj: Obj, value: Value, index: Any, item: Value) -> None:
    items = known(frame, obj) if single(value) else None
    if items is None or index.__class__ is not int:
        frame.machine.write(obj, "*", item, weak=True)
        frame.machine.write(obj, "#len", UNKNOWN)
    elif 0 <= index <= len(items):
        fill(frame, obj, [*items[:index], item, *items[index:]])


def take(frame: Frame, obj: Obj, value: Value, index: int) -> Value:
    """Take out the first (0) or last (-1) element; of an unordered collection, any one."""
    items = known(frame, obj) if single(value) else None
    if items is None:
        return any_of(frame, obj, value)
    if not items:
        return NONE
    if obj.library in UNORDERED and len(items) > 1:
        found = any_of(frame, obj, value)
        fill(frame, obj, [], found)
        return found
    found = items.pop(index)
    fill(frame, obj, items)
    return found


def look(frame: Frame, obj: Obj, value: Value, index: int) -> Value:
    items = known(frame, obj)
    if items is None or (obj.library in UNORDERED and len(items) > 1):
        return any_of(frame, obj, value)
    return items[index] if items else NONE


def add(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) == 2:
        insert(frame, obj, value, given.pos[0].const, given.pos[1])
        return NONE
    return append(frame, obj, value, given.pos[0]) if given.pos else None


def push(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    if obj.library in LAST_FIRST:
        append(frame, obj, value, given.pos[0])
    else:
        insert(frame, obj, value, 0, given.pos[0])
    return given.pos[0]


def add_first(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if given.pos:
        insert(frame, obj, value, 0, given.pos[0])
    return TRUE_VALUE


def add_all(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    items, more = content(frame, given.pos[-1], span)
    at = given.pos[0].const if len(given.pos) > 1 else None
    for offset, item in enumerate(items):
        if at.__class__ is int:
            insert(frame, obj, value, at + offset, item)
        else:
            append(frame, obj, value, item)
    if more is not None:
        append(frame, obj, Value(), more)
    return UNKNOWN


def get(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    index = given.pos[0].const if given.pos else None
    if items is not None and index.__class__ is int:
        return items[index] if 0 <= index < len(items) else NONE
    fields = frame.machine.fields(obj) or {}
    if index.__class__ is int and index in fields and not value.taint:
        return join(fields[index], fields["*"]) if "*" in fields else fields[index]
    return any_of(frame, obj, value)


def put_at(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    index, item = given.pos[0].const, given.pos[1]
    items = known(frame, obj) if single(value) else None
    if items is not None and index.__class__ is int:
        old = NONE
        if 0 <= index < len(items):
            old, items[index] = items[index], item
            fill(frame, obj, items)
        return old
    old = any_of(frame, obj, value)
    frame.machine.write(obj, "*", item, weak=True)
    return old


def put_element(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    given.pos[:2] = reversed(given.pos[:2])
    return put_at(frame, obj, value, given, span)


def first(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return look(frame, obj, value, 0)


def last(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return look(frame, obj, value, -1)


def peek(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return look(frame, obj, value, -1 if obj.library in LAST_FIRST else 0)


def poll(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return take(frame, obj, value, 0)


def poll_last(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return take(frame, obj, value, -1)


def pop(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return take(frame, obj, value, -1 if obj.library in LAST_FIRST else 0)


def remove(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return take(frame, obj, value, 0)
    items = known(frame, obj) if single(value) else None
    wanted = given.pos[0]
    if items is None:
        return any_of(frame, obj, value)
    if wanted.const.__class__ is int and obj.library not in ("set", "priority", "deque"):
        found = items.pop(wanted.const) if 0 <= wanted.const < len(items) else NONE
        fill(frame, obj, items)
        return found
    for index, item in enumerate(items):
        equal = same(item, wanted)
        if equal:
            del items[index]
            fill(frame, obj, items)
            return Value(True)
        if equal is None and not item.taint and not wanted.taint:
            fill(frame, obj, [], join_all(items))
            return UNKNOWN
    return Value(False)


def remove_if(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    if items is None or not single(value) or not given.pos or len(items) > UNROLLED:
        return UNKNOWN
    kept = []
    unsure = False
    for item in items:
        answer = operators.truth(frame.machine, java_functions.call_function(frame, given.pos[0], [item], span))
        if answer is not True:
            kept.append(item)
        unsure |= answer is None
    if unsure:
        fill(frame, obj, [], join_all(kept))
    else:
        fill(frame, obj, kept)
    return UNKNOWN


def remove_all(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items, _ = content(frame, given.pos[0], span) if given.pos else ([], None)
    for item in items:
        if item.const.__class__ is not int:
            remove(frame, obj, value, Arguments([item], {}), span)
    return UNKNOWN


def clear(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if single(value):
        frame.machine.heap[obj] = {"#len": Value(0)} if obj.kind == "list" else {}
    return NONE


def size(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    if obj.kind == "list":
        return fields.get("#len", UNKNOWN)
    return UNKNOWN if "*" in fields else Value(sum(1 for name in fields if name.__class__ is not tuple))


def is_empty(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    count = size(frame, obj, value, given, span)
    return Value(count.const == 0) if count is not None and count.const.__class__ is int else UNKNOWN


def contains(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    if items is None or not given.pos:
        return UNKNOWN
    answers = [same(item, given.pos[0]) for item in items]
    if True in answers:
        return Value(True)
    return UNKNOWN if None in answers else Value(False)


def copy_of(library: str) -> Method:
    def made(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
        items = known(frame, obj)
        result = make(frame, library, span, items or [], None if items is not None else any_of(frame, obj, value))
        if library == "iterator":
            frame.machine.write(result.refs[0], SOURCE, value)
        return result

    return made


def backwards(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    library = "iterator" if obj.library != "text" else ""
    return make(
        frame,
        library,
        span,
        items[::-1] if items is not None else [],
        None if items is not None else any_of(frame, obj, value),
    )


def part(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    bounds = [item.const for item in given.pos[:2]]
    if items is None or len(bounds) < 2 or any(bound.__class__ is not int for bound in bounds):
        return make(frame, "list", span, [], any_of(frame, obj, value))
    return make(frame, "list", span, items[bounds[0] : bounds[1]])


def text(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    taint = attributes.deep_taint(frame.machine, value)
    return Value(taint=taint) if taint else UNKNOWN


def each(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if given.pos:
        for item in turns(frame, obj, value):
            java_functions.call_function(frame, given.pos[0], [item], span)
    return NONE


def turns(frame: Frame, obj: Obj, value: Value) -> list[Value]:
    items = known(frame, obj)
    return items if items is not None and len(items) <= UNROLLED else [any_of(frame, obj, value)]


def replace_all(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    made = [java_functions.call_function(frame, given.pos[0], [item], span) for item in turns(frame, obj, value)]
    if known(frame, obj) is not None and single(value):
        fill(frame, obj, made)
    else:
        frame.machine.write(obj, "*", join_all(made), weak=True)
    return NONE


def unchanged(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return NONE


def unknown(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return UNKNOWN


TRUE_VALUE = Value(True)
LIST: dict[str, Method] = {
    **dict.fromkeys(["add", "addLast", "offer", "offerLast", "addElement", "put", "putLast", "transfer"], add),
    **dict.fromkeys(["addFirst", "offerFirst", "putFirst"], add_first),
    "push": push,
    "addAll": add_all,
    **dict.fromkeys(["get", "elementAt"], get),
    "set": put_at,
    "setElementAt": put_element,
    **dict.fromkeys(["getFirst", "element", "peekFirst", "firstElement", "first"], first),
    **dict.fromkeys(["getLast", "peekLast", "lastElement", "last"], last),
    "peek": peek,
    **dict.fromkeys(["poll", "removeFirst", "pollFirst", "take", "takeFirst"], poll),
    **dict.fromkeys(["pollLast", "removeLast", "takeLast"], poll_last),
    "pop": pop,
    **dict.fromkeys(["remove", "removeElement", "removeElementAt", "removeFirstOccurrence"], remove),
    "removeIf": remove_if,
    "removeAll": remove_all,
    **dict.fromkeys(["clear", "removeAllElements"], clear),
    "size": size,
    **dict.fromkeys(["isEmpty", "empty"], is_empty),
    "contains": contains,
    **dict.fromkeys(["iterator", "listIterator", "elements"], copy_of("iterator")),
    "descendingIterator": backwards,
    **dict.fromkeys(["stream", "parallelStream"], copy_of("stream")),
    "toArray": copy_of(""),
    "clone": copy_of("list"),
    "subList": part,
    "toString": text,
    "forEach": each,
    "replaceAll": replace_all,
    **dict.fromkeys(["sort", "ensureCapacity", "trimToSize"], unchanged),
    **dict.fromkeys(["equals", "hashCode", "indexOf", "lastIndexOf", "containsAll", "retainAll", "search"], unknown),
}


# --- iterators --------------------------------------------------------------------------------------------------------


def has_next(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    return Value(bool(items)) if items is not None else UNKNOWN


def next_item(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    source = fields.get(SOURCE)
    found = take(frame, obj, value, 0)
    for ref in source.refs if source is not None else ():
        if ref.__class__ is Obj and ref.library in UNORDERED:
            found = any_of(frame, ref, source)  # type: ignore[arg-type]
    if source is not None:
        frame.machine.write(obj, SOURCE, source)
        frame.machine.write(obj, LAST, found)
    return found


def drop_last(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    source, found = fields.get(SOURCE), fields.get(LAST)
    if source is not None and found is not None and found.const.__class__ is not int:
        for ref in source.refs:
            if ref.__class__ is Obj and ref.kind == "list":
                remove(frame, ref, source, Arguments([found], {}), span)
    return NONE


ITERATOR: dict[str, Method] = {
    **dict.fromkeys(["hasNext", "hasMoreElements"], has_next),
    **dict.fromkeys(["next", "nextElement"], next_item),
    "remove": drop_last,
    "forEachRemaining": each,
    "asIterator": copy_of("iterator"),
}
