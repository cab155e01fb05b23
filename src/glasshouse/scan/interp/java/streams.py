"""Java's streams, optionals, futures and other things that hold one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, operators
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.java import functions as java_functions
from glasshouse.scan.interp.java.collections import (
    Method,
    any_of,
    content,
    copy_of,
    each,
    known,
    make,
    size,
    turns,
    unknown,
)
from glasshouse.scan.interp.java.maps import make_map
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, Obj, Value, join, join_all

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

# --- streams ----------------------------------------------------------------------------------------------------------


def remade(frame: Frame, obj: Obj, span: int, items: list[Value], sure: bool) -> Value:
    """A stream of these elements; ``sure``: of all of them, and no others."""
    if sure and known(frame, obj) is not None:
        return make(frame, "stream", span, items)
    return make(frame, "stream", span, [], join_all(items) if items else None)


def mapped(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = [java_functions.call_function(frame, given.pos[0], [item], span) for item in turns(frame, obj, value)]
    return remade(frame, obj, span, items, len(items) == len(known(frame, obj) or ()))


def flat_mapped(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    found: list[Value] = []
    rest: Value | None = None
    for item in turns(frame, obj, value):
        items, more = content(frame, java_functions.call_function(frame, given.pos[0], [item], span), span)
        found.extend(items)
        if more is not None:
            rest = more if rest is None else join(rest, more)
    if known(frame, obj) is None:
        found, rest = [], join_all(found if rest is None else [*found, rest])
    return make(frame, "stream", span, found, rest)


def satisfying(frame: Frame, function: Value, item: Value, span: int) -> tuple[bool | None, Value]:
    """Whether a predicate holds for an item, and the item as it is where it does."""
    from glasshouse.scan.interp.javascript import builtins as javascript_builtins

    if not function.refs:
        return operators.truth(frame.machine, java_functions.call_function(frame, function, [item], span)), item
    kept = javascript_builtins.satisfying(frame, function, Arguments([item], {}), span)
    if kept is None:
        return False, item
    return (True if item.const is not NOT_CONST else None), kept


def filtered(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    kept: list[Value] = []
    sure = True
    for item in turns(frame, obj, value):
        holds, item = satisfying(frame, given.pos[0], item, span)
        sure = sure and holds is not None
        if holds is not False:
            kept.append(item)
    return remade(frame, obj, span, kept, sure)


def peeked(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    each(frame, obj, value, given, span)
    return value


def itself(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return value


def limited(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items, count = known(frame, obj), given.pos[0].const if given.pos else None
    return make(frame, "stream", span, items[:count]) if items is not None and count.__class__ is int else value


def skipped(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items, count = known(frame, obj), given.pos[0].const if given.pos else None
    return make(frame, "stream", span, items[count:]) if items is not None and count.__class__ is int else value


def found_one(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    if items is None:
        return optional(frame, span, any_of(frame, obj, value))
    return optional(frame, span, items[0] if items else NONE)


def found_any(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = known(frame, obj)
    return optional(frame, span, NONE if items is not None and not items else any_of(frame, obj, value))


def reduced(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    items = turns(frame, obj, value)
    function = given.pos[-1] if len(given.pos) < 3 else given.pos[1]
    result = given.pos[0] if len(given.pos) > 1 else None
    for item in items:
        result = item if result is None else java_functions.call_function(frame, function, [result, item], span)
    if len(given.pos) > 1:
        return result
    return optional(frame, span, result or NONE)


def collected(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    """``collect(Collectors...)``.  The collector is known by its path and holds its functions as ``args``."""
    collector = given.pos[0] if given.pos else UNKNOWN
    for ref in collector.refs:
        if ref.__class__ is Obj and ref.library == "collector":
            fields = frame.machine.fields(ref) or {}
            return collect_by(frame, obj, value, str(fields["name"].const), fields, span)
    if len(given.pos) == 3:  # supplier, accumulator, combiner
        made = java_functions.call_function(frame, given.pos[0], [], span)
        for item in turns(frame, obj, value):
            java_functions.call_function(frame, given.pos[1], [made, item], span)
        return made
    return copy_of("list")(frame, obj, value, given, span)


def collect_by(frame: Frame, obj: Obj, value: Value, name: str, fields: dict[Any, Value], span: int) -> Value | None:
    items = turns(frame, obj, value)
    if name == "joining":
        texts = [item.const for item in items]
        if known(frame, obj) is not None and all(text.__class__ is str for text in texts):
            between = fields[0].const if 0 in fields else ""
            return Value(str(between).join(texts)) if between is not NOT_CONST and 1 not in fields else UNKNOWN
        return Value(taint=attributes.deep_taint(frame.machine, value))
    if name in ("toMap", "toConcurrentMap", "toUnmodifiableMap") and 1 in fields:
        call = java_functions.call_function
        return make_map(
            frame, span, [(call(frame, fields[0], [x], span), call(frame, fields[1], [x], span)) for x in items]
        )
    if name in ("groupingBy", "partitioningBy") and 0 in fields:
        for item in items:
            java_functions.call_function(frame, fields[0], [item], span)
        return make_map(frame, span, [(UNKNOWN, make(frame, "list", span, [], join_all(items)))])
    if name == "mapping" and 0 in fields:
        items = [java_functions.call_function(frame, fields[0], [item], span) for item in items]
        return make(frame, "list", span, items)
    exact = known(frame, obj)
    library = "set" if "Set" in name else "list"
    return make(frame, library, span, exact or [], None if exact is not None else any_of(frame, obj, value))


def collector(frame: Frame, name: str, given: Arguments, span: int) -> Value:
    obj = frame.machine.new_obj("collector", frame, span)
    obj.library = "collector"
    frame.machine.heap[obj] = {**dict(enumerate(given.pos)), "name": Value(name)}
    return Value(refs=(obj,))


STREAM: dict[str, Method] = {
    **dict.fromkeys(["map", "mapToObj", "mapToInt", "mapToLong", "mapToDouble"], mapped),
    **dict.fromkeys(["flatMap", "mapMulti"], flat_mapped),
    **dict.fromkeys(["filter", "takeWhile"], filtered),
    **dict.fromkeys(["forEach", "forEachOrdered"], each),
    "peek": peeked,
    **dict.fromkeys(
        ["sorted", "distinct", "parallel", "sequential", "unordered", "onClose", "boxed", "asLongStream", "dropWhile"],
        itself,
    ),
    "limit": limited,
    "skip": skipped,
    "findFirst": found_one,
    **dict.fromkeys(["findAny", "min", "max"], found_any),
    "reduce": reduced,
    "collect": collected,
    "toList": copy_of("list"),
    "toArray": copy_of(""),
    "iterator": copy_of("iterator"),
    "count": size,
    **dict.fromkeys(["anyMatch", "allMatch", "noneMatch"], unknown),
}


# --- optionals and other holders --------------------------------------------------------------------------------------


def holder(frame: Frame, library: str, span: int, item: Value | None) -> Value:
    """An object that holds one value."""
    obj = frame.machine.new_obj("holder", frame, span)
    obj.library = library
    frame.machine.heap[obj] = {} if item is None else {"value": item}
    return Value(refs=(obj,))


def optional(frame: Frame, span: int, item: Value) -> Value:
    return holder(frame, "optional", span, None if item.const is None else item)


def held(frame: Frame, obj: Obj) -> Value | None:
    return (frame.machine.fields(obj) or {}).get("value")


def certain(item: Value) -> bool:
    """Whether a value is surely not null."""
    return item.const is not NOT_CONST or bool(item.taint) or bool(item.refs)


def get(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return held(frame, obj) or NONE


def or_else(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    if item is None:
        return given.pos[0] if given.pos else NONE
    return item if certain(item) or not given.pos else join(item, given.pos[0])


def or_else_get(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    if item is not None and certain(item):
        return item
    other = java_functions.call_function(frame, given.pos[0], [], span)
    return other if item is None else join(item, other)


def optional_map(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    if item is None:
        return value
    return optional(frame, span, java_functions.call_function(frame, given.pos[0], [item], span))


def optional_flat(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    return value if item is None else java_functions.call_function(frame, given.pos[0], [item], span)


def optional_filter(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    if item is None:
        return value
    holds, kept = satisfying(frame, given.pos[0], item, span)
    return optional(frame, span, NONE if holds is False else kept)


def if_present(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    if item is not None:
        java_functions.call_function(frame, given.pos[0], [item], span)
    elif len(given.pos) > 1:
        java_functions.call_function(frame, given.pos[1], [], span)
    return NONE


def is_present(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    return Value(False) if item is None else Value(True) if certain(item) else UNKNOWN


def is_empty(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    return Value(True) if item is None else Value(False) if certain(item) else UNKNOWN


def optional_stream(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj)
    return make(frame, "stream", span, [] if item is None else [item])


def put(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if given.pos:
        frame.machine.write(obj, "value", given.pos[0], weak=len(value.refs) > 1)
    return NONE


def get_and_put(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    old = held(frame, obj) or NONE
    put(frame, obj, value, given, span)
    return old


def compare_and_put(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) > 1:
        frame.machine.write(obj, "value", given.pos[1], weak=True)
    return UNKNOWN


def update(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    args = [held(frame, obj) or NONE, *given.pos[:-1]]
    made = java_functions.call_function(frame, given.pos[-1], args, span)
    frame.machine.write(obj, "value", made, weak=len(value.refs) > 1)
    return made


def empty(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(value.refs) == 1:
        frame.machine.heap[obj] = {}
    return NONE


OPTIONAL: dict[str, Method] = {
    **dict.fromkeys(["get", "getAsInt", "getAsLong", "getAsDouble", "orElseThrow"], get),
    "orElse": or_else,
    "orElseGet": or_else_get,
    "map": optional_map,
    "flatMap": optional_flat,
    "filter": optional_filter,
    **dict.fromkeys(["ifPresent", "ifPresentOrElse"], if_present),
    "isPresent": is_present,
    "isEmpty": is_empty,
    "stream": optional_stream,
}
BOX: dict[str, Method] = {
    **dict.fromkeys(["get", "getPlain", "getAcquire", "getOpaque", "getValue", "getReference", "toString"], get),
    **dict.fromkeys(["set", "setPlain", "setRelease", "lazySet", "setValue", "setOpaque"], put),
    "getAndSet": get_and_put,
    **dict.fromkeys(["compareAndSet", "weakCompareAndSet"], compare_and_put),
    **dict.fromkeys(["updateAndGet", "getAndUpdate", "accumulateAndGet"], update),
    **dict.fromkeys(["remove", "clear"], empty),
}


# --- futures ----------------------------------------------------------------------------------------------------------


def then_apply(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    item = held(frame, obj) or NONE
    return holder(frame, "future", span, java_functions.call_function(frame, given.pos[0], [item], span))


def then_run(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return holder(frame, "future", span, java_functions.call_function(frame, given.pos[0], [], span))


def then_compose(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return java_functions.call_function(frame, given.pos[0], [held(frame, obj) or NONE], span)


def handled(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    args = [held(frame, obj) or NONE, NONE]
    return holder(frame, "future", span, java_functions.call_function(frame, given.pos[0], args, span))


def when_complete(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    java_functions.call_function(frame, given.pos[0], [held(frame, obj) or NONE, NONE], span)
    return value


def combined(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    others = [held(frame, ref) or NONE for ref in given.pos[0].refs if ref.__class__ is Obj]
    args = [held(frame, obj) or NONE, join_all(others)]
    return holder(frame, "future", span, java_functions.call_function(frame, given.pos[1], args, span))


FUTURE: dict[str, Method] = {
    **dict.fromkeys(["get", "join", "getNow", "resultNow"], get),
    **dict.fromkeys(["thenApply", "thenApplyAsync", "thenAccept", "thenAcceptAsync"], then_apply),
    **dict.fromkeys(["thenRun", "thenRunAsync"], then_run),
    **dict.fromkeys(["thenCompose", "thenComposeAsync"], then_compose),
    **dict.fromkeys(["handle", "handleAsync"], handled),
    **dict.fromkeys(["whenComplete", "whenCompleteAsync"], when_complete),
    **dict.fromkeys(["thenCombine", "thenCombineAsync", "thenAcceptBoth"], combined),
    **dict.fromkeys(["exceptionally", "orTimeout", "toCompletableFuture"], itself),
    **dict.fromkeys(["complete", "completeAsync", "obtrudeValue"], put),
}
