"""JavaScript's own objects: maps, sets, promises, and the static functions of Object, Array, Reflect and Function.

``construct`` and ``call`` give the result of a built-in callee by its path, ``method`` that of a method of a map, set
or promise; each returns None for what it does not know, which then goes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes
from glasshouse.scan.interp.values import (
    NONE,
    NOT_CONST,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    Obj,
    Value,
    join,
    join_taint,
    with_taint,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.calls import Arguments
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.program import Cls

KEYS = ("keys",)  # field of a map: taint of the keys that are not constants
PREDICATE_DEPTH = 10  # calls inside one another, beyond which predicates are called like any function
IDENTITIES = 8  # entries of a map or set kept by the identity of an unknown key
SETTLED, REJECTED = "#value", "#error"
APPLYING = frozenset(["call", "apply", "bind"])
PROTOTYPES = ("Array.prototype.", "String.prototype.", "Object.prototype.")
PROMISE_METHODS = frozenset(["then", "catch", "finally"])

Maker = Callable[["Frame", "Arguments", int], Value | None]
Method = Callable[["Frame", Obj, Value, "Arguments", int], Value]


def call(frame: Frame, path: str, given: Arguments, span: int, new: bool) -> Value | None:
    """The result of a built-in function or constructor."""
    maker = CONSTRUCTORS.get(path) if new else FUNCTIONS.get(path)
    if maker is not None:
        return maker(frame, given, span)
    return None


def applied(frame: Frame, owner: str, name: str, receiver: Value | None, given: Arguments, span: int) -> Value | None:
    """``f.call(this, ...)``, ``f.apply(this, list)`` and ``f.bind(this)`` of something outside the program."""
    from glasshouse.scan.interp import calls, external

    if f"{owner}.{name}" in frame.machine.matcher(frame).calls:
        return None
    if name == "bind":
        return Value(taint=receiver.taint if receiver is not None else None, path=owner)
    passed = calls.Arguments(given.pos[1:], {}, given.rest)
    if name == "apply":
        known, more = iterated(frame, argument(given, 1), span)
        passed = calls.Arguments(known, {}, more)
    this = argument(given, 0)
    if owner.startswith(PROTOTYPES):
        return calls.call_method(frame, this, owner.rpartition(".")[2], passed, span, None)
    return external.call(frame, owner, this, passed, span)


def method(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of a map, set or promise."""
    found = METHODS[obj.kind].get(name)
    return found(frame, obj, value, given, span) if found is not None else None


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
    known = attributes.known_elements(frame, value, "values")
    if known is not None:
        return known, None
    if value.const is None:
        return [], None
    return [], attributes.element(frame, value, "values", span)


# --- maps ------------------------------------------------------------------------------------------------------------


def new_map(frame: Frame, given: Arguments, span: int) -> Value:
    made = make(frame, "map", span, {})
    if not given.pos:
        return made
    known, more = iterated(frame, given.pos[0], span)
    for pair in [*known, *([more] if more is not None else [])]:
        key = attributes.get_item(frame, pair, Value(0), span)
        store(frame, made.refs[0], key, attributes.get_item(frame, pair, Value(1), span))
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
        calls.call_value(frame, argument(given, 0), calls.Arguments([item, key, value], {}), span)
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


# --- promises --------------------------------------------------------------------------------------------------------


def promise(frame: Frame, value: Value, span: int) -> Value:
    if any(ref.__class__ is Obj and ref.kind == "promise" for ref in value.refs):
        return value
    return make(frame, "promise", span, {SETTLED: value})


def new_promise(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    made = make(frame, "promise", span, {})
    resolve = Value(refs=(Bound(made, "$resolve"),))
    reject = Value(refs=(Bound(made, "$reject"),))
    calls.call_value(frame, argument(given, 0), calls.Arguments([resolve, reject], {}), span)
    return made


def settle(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    frame.machine.write(obj, SETTLED, awaited(frame, argument(given, 0)), weak=True)
    return NONE


def reject(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    frame.machine.write(obj, REJECTED, argument(given, 0), weak=True)
    return NONE


def awaited(frame: Frame, value: Value) -> Value:
    """What ``await`` gives: the values that promises were resolved with; anything else is itself."""
    if not value.refs or not any(ref.__class__ is Obj and ref.kind == "promise" for ref in value.refs):
        return value
    others: list[Any] = []
    found: Value | None = None
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "promise":
            item = (frame.machine.fields(ref) or {}).get(SETTLED)
            if item is not None:
                found = item if found is None else join(found, item)
        else:
            others.append(ref)
    if others or value.path or value.taint:
        rest = Value(NOT_CONST, value.taint, tuple(others), value.path)
        return rest if found is None else join(found, rest)
    return found if found is not None else UNKNOWN


def rejection(frame: Frame, value: Value) -> Value:
    """What a handler of rejections gets."""
    found: Value | None = None
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "promise":
            item = (frame.machine.fields(ref) or {}).get(REJECTED)
            if item is not None:
                found = item if found is None else join(found, item)
    error = Value(path="Error", taint=value.taint)
    return error if found is None else join(found, error) if found.taint is None else found


def then(frame: Frame, value: Value, name: str, given: Arguments, span: int) -> Value:
    """``then``, ``catch`` and ``finally`` of a promise, or of something unknown that is taken for one."""
    from glasshouse.scan.interp import calls

    def run(function: Value, items: list[Value]) -> Value:
        if not function.refs and not function.path:
            return UNKNOWN
        return calls.call_value(frame, function, calls.Arguments(items, {}), span)

    if name == "finally":
        run(argument(given, 0), [])
        return value
    settled = awaited(frame, value)
    if name == "catch":
        handled = run(argument(given, 0), [rejection(frame, value)])
        return promise(frame, join(settled, awaited(frame, handled)), span)
    result = run(argument(given, 0), [settled])
    if len(given.pos) > 1:
        result = join(result, run(given.pos[1], [rejection(frame, value)]))
    made = make(frame, "promise", span, {SETTLED: awaited(frame, result)})
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "promise":
            failed = (frame.machine.fields(ref) or {}).get(REJECTED)
            if failed is not None:
                frame.machine.write(made.refs[0], REJECTED, failed)
    return made


def thenable(machine: Machine, value: Value) -> bool:
    """Whether a value may be a promise: not an object of the program that has a ``then`` of its own."""
    for ref in value.refs:
        if ref.__class__ is Obj:
            if ref.cls is not None and machine.program.find_method(ref.cls, "then", 1) is not None:
                return False
            fields = machine.fields(ref)
            if fields and "then" in fields:
                return False
    return True


def promise_resolve(frame: Frame, given: Arguments, span: int) -> Value:
    return promise(frame, argument(given, 0), span)


def promise_reject(frame: Frame, given: Arguments, span: int) -> Value:
    return make(frame, "promise", span, {REJECTED: argument(given, 0)})


def promise_all(frame: Frame, given: Arguments, span: int) -> Value:
    known, more = iterated(frame, argument(given, 0), span)
    items = [awaited(frame, item) for item in known]
    made = make_list(frame, span, items, awaited(frame, more) if more is not None else None)
    return make(frame, "promise", span, {SETTLED: made})


def promise_any(frame: Frame, given: Arguments, span: int) -> Value:
    return promise(frame, awaited(frame, attributes.element(frame, argument(given, 0), "values", span)), span)


def promise_settled(frame: Frame, given: Arguments, span: int) -> Value:
    known, more = iterated(frame, argument(given, 0), span)

    def outcome(item: Value) -> Value:
        return make(frame, "dict", span, {"value": awaited(frame, item), "reason": rejection(frame, item)})

    made = make_list(frame, span, [outcome(item) for item in known], outcome(more) if more is not None else None)
    return make(frame, "promise", span, {SETTLED: made})


# --- callbacks and decorators ----------------------------------------------------------------------------------------


def satisfying(frame: Frame, function: Value, given: Arguments, span: int) -> Value | None:
    """The first argument as it is when a predicate holds for it; None when it never does."""
    from glasshouse.scan.interp import calls, operators, refine

    machine = frame.machine
    item = given.pos[0]
    ref = function.refs[0] if len(function.refs) == 1 else None
    body = ref.fn.ir.body if ref.__class__ is FuncRef else []
    if body:
        frame.machine.program.deps["b", ref.fn] = None
    params = ref.fn.ir.params if ref.__class__ is FuncRef else []
    if not body or body[-1][0] != ir.RETURN or not params or len(machine.stack) > PREDICATE_DEPTH:
        kept = calls.call_value(frame, function, given, span)
        return None if operators.truth(machine, kept) is False else item
    assert ref is not None
    new = machine.new_frame(ref.fn, ref.this, ref.frame)
    machine.note_call(frame, ref.fn)
    calls.bind(frame, new, ref.fn, given, span)
    machine.stack.append(ref.fn)
    result = new.run()
    machine.stack.pop()
    if operators.truth(machine, result) is False:
        return None
    refine.assume(new, body, len(body) - 1, body[-1][2], True)
    return new.env.get(params[0].name, item)


def decorated_class(frame: Frame, cls: Cls, value: Value, span: int) -> Value:
    """The class after the program's own decorators on its methods and on itself were applied."""
    from glasshouse.scan.interp import calls

    for name, methods in cls.methods.items():
        for fn in methods:
            for decorator in reversed(fn.ir.decorators):
                callee = named(frame, decorator.name)
                if any(ref.__class__ is FuncRef for ref in callee.refs) and not decorator.args:
                    given = calls.Arguments([Value(refs=(FuncRef(fn, frame),)), UNKNOWN], {})
                    made = calls.call_value(frame, callee, given, span)
                    if any(ref.__class__ is FuncRef and ref.fn is not fn for ref in made.refs):
                        cls.attrs[name] = made
    for decorator in reversed(cls.ir.decorators):
        callee = named(frame, decorator.name)
        if any(ref.__class__ is FuncRef for ref in callee.refs) and not decorator.args:
            made = calls.call_value(frame, callee, calls.Arguments([value, UNKNOWN], {}), span)
            if any(ref.__class__ is ClassRef for ref in made.refs):
                value = made
    return value


def named(frame: Frame, name: str) -> Value:
    head, *rest = name.split(".")
    value = frame.val(head)
    for item in rest:
        value = attributes.get_attr(frame, value, item, 0)
    return value


# --- Object, Array, Reflect, Function --------------------------------------------------------------------------------


def plain_objects(value: Value) -> list[Obj]:
    return [ref for ref in value.refs if ref.__class__ is Obj]


def known_object(frame: Frame, value: Value) -> dict[Any, Value] | None:
    """The fields of an object all of whose fields are known."""
    if len(value.refs) != 1 or value.taint or value.path:
        return None
    ref = value.refs[0]
    if ref.__class__ is not Obj or ref.open or ref.kind not in ("dict", "instance", "list"):
        return None
    fields = frame.machine.fields(ref) or {}
    return None if "*" in fields else fields


def own_names(fields: dict[Any, Value]) -> list[Any]:
    return [name for name in fields if name.__class__ is not tuple and not (name.__class__ is str and name[:1] == "#")]


def object_keys(frame: Frame, given: Arguments, span: int) -> Value:
    value = argument(given, 0)
    fields = known_object(frame, value)
    if fields is not None:
        return make_list(frame, span, [Value(str(name)) for name in own_names(fields)])
    keys = attributes.element(frame, value, "keys", span)
    return make_list(frame, span, [], Value(taint=keys.taint))


def object_values(frame: Frame, given: Arguments, span: int) -> Value:
    value = argument(given, 0)
    fields = known_object(frame, value)
    if fields is not None:
        return make_list(frame, span, [fields[name] for name in own_names(fields)])
    return make_list(frame, span, [], attributes.element(frame, value, "values", span))


def object_entries(frame: Frame, given: Arguments, span: int) -> Value:
    value = argument(given, 0)
    fields = known_object(frame, value)
    if fields is not None:
        pairs = [make_list(frame, span, [Value(str(name)), fields[name]]) for name in own_names(fields)]
        return make_list(frame, span, pairs)
    key = attributes.element(frame, value, "keys", span)
    item = attributes.element(frame, value, "values", span)
    return make_list(frame, span, [], make_list(frame, span, [Value(taint=key.taint), item]))


def object_from_entries(frame: Frame, given: Arguments, span: int) -> Value:
    made = make(frame, "dict", span, {})
    known, more = iterated(frame, argument(given, 0), span)
    for pair in [*known, *([more] if more is not None else [])]:
        key = attributes.get_item(frame, pair, Value(0), span)
        attributes.set_item(frame, made, key, attributes.get_item(frame, pair, Value(1), span), span)
    return made


def object_assign(frame: Frame, given: Arguments, span: int) -> Value:
    machine = frame.machine
    target = argument(given, 0)
    objects = plain_objects(target)
    for source in [*given.pos[1:], *([given.rest] if given.rest is not None else [])]:
        for ref in plain_objects(source):
            for name, item in (machine.fields(ref) or {}).items():
                if name.__class__ is not tuple and name != "#len":
                    for obj in objects:
                        machine.write(obj, name, item, weak=len(objects) > 1)
        if source.taint:
            for obj in objects:
                machine.write(obj, "*", Value(taint=source.taint), weak=True)
    if not objects:
        taint = target.taint
        for source in given.pos[1:]:
            taint = join_taint(taint, attributes.deep_taint(machine, source))
        return with_taint(target, taint)
    return target


def object_create(frame: Frame, given: Arguments, span: int) -> Value:
    made = make(frame, "dict", span, {})
    parent = argument(given, 0)
    if parent.refs:
        frame.machine.write(made.refs[0], "#proto", parent)
    return made


def set_prototype(frame: Frame, given: Arguments, span: int) -> Value:
    for obj in plain_objects(argument(given, 0)):
        frame.machine.write(obj, "#proto", argument(given, 1))
    return argument(given, 0)


def define_property(frame: Frame, given: Arguments, span: int) -> Value:
    target, key, what = argument(given, 0), argument(given, 1), argument(given, 2)
    from glasshouse.scan.interp import calls

    for ref in plain_objects(what):
        fields = frame.machine.fields(ref) or {}
        if "value" in fields:
            attributes.set_item(frame, target, key, fields["value"], span)
        elif "get" in fields:
            got = calls.call_value(frame, fields["get"], calls.Arguments([], {}), span)
            attributes.set_item(frame, target, key, got, span)
    return target


def itself(frame: Frame, given: Arguments, span: int) -> Value:
    return argument(given, 0)


def new_object(frame: Frame, given: Arguments, span: int) -> Value:
    first = argument(given, 0)
    return first if first.refs or first.taint or first.path else make(frame, "dict", span, {})


def new_array(frame: Frame, given: Arguments, span: int) -> Value:
    if len(given.pos) == 1 and given.rest is None and given.pos[0].const.__class__ is not str:
        only = given.pos[0]
        if only.const.__class__ is int and 0 <= only.const <= 64:
            return make(frame, "list", span, {"#len": only})
        if not only.refs:
            return make(frame, "list", span, {"#len": UNKNOWN})
    return make_list(frame, span, list(given.pos), given.rest)


def array_from(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    known, more = iterated(frame, argument(given, 0), span)
    mapper = argument(given, 1)
    if mapper.refs:
        known = [
            calls.call_value(frame, mapper, calls.Arguments([item, Value(i)], {}), span) for i, item in enumerate(known)
        ]
        more = calls.call_value(frame, mapper, calls.Arguments([more, UNKNOWN], {}), span) if more is not None else None
    return make_list(frame, span, known, more)


def reflect_get(frame: Frame, given: Arguments, span: int) -> Value:
    return attributes.get_item(frame, argument(given, 0), argument(given, 1), span)


def reflect_set(frame: Frame, given: Arguments, span: int) -> Value:
    attributes.set_item(frame, argument(given, 0), argument(given, 1), argument(given, 2), span)
    return UNKNOWN


def reflect_delete(frame: Frame, given: Arguments, span: int) -> Value:
    attributes.del_item(frame, argument(given, 0), argument(given, 1))
    return UNKNOWN


def reflect_apply(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    known, more = iterated(frame, argument(given, 2), span)
    this = argument(given, 1)
    callee = argument(given, 0)
    refs = tuple(FuncRef(r.fn, r.frame, r.this or this) if r.__class__ is FuncRef else r for r in callee.refs)
    called = Value(callee.const, callee.taint, refs, callee.path)
    return calls.call_value(frame, called, calls.Arguments(known, {}, more), span)


def reflect_construct(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    known, more = iterated(frame, argument(given, 1), span)
    return calls.construct(frame, argument(given, 0), calls.Arguments(known, {}, more), span)


def inherits(frame: Frame, given: Arguments, span: int) -> Value:
    """``util.inherits(Child, Parent)``."""
    parent = attributes.get_attr(frame, argument(given, 1), "prototype", span)
    child = attributes.get_attr(frame, argument(given, 0), "prototype", span)
    for obj in plain_objects(child):
        frame.machine.write(obj, "#proto", parent)
    return NONE


def array_of(frame: Frame, given: Arguments, span: int) -> Value:
    return make_list(frame, span, list(given.pos), given.rest)


def promisify(frame: Frame, given: Arguments, span: int) -> Value:
    """A function that takes a callback, as one that gives a promise."""
    function = argument(given, 0)
    if any(ref.__class__ is FuncRef for ref in function.refs):
        return Value(refs=(Bound(function, "$promised"),))
    return function


def call_promised(frame: Frame, function: Value, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    made = make(frame, "promise", span, {})
    callback = Value(refs=(Bound(made, "$called_back"),))
    calls.call_value(frame, function, calls.Arguments([*given.pos, callback], {}, given.rest), span)
    return made


def called_back(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value:
    if len(given.pos) > 1:
        frame.machine.write(obj, SETTLED, given.pos[1], weak=True)
    elif given.pos:
        frame.machine.write(obj, REJECTED, given.pos[0], weak=True)
    return NONE


def formatted(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``util.format("text %s", data)``."""
    template = argument(given, 0)
    if template.const.__class__ is not str:
        return None
    taint = None
    for value in [*given.pos[1:], *([given.rest] if given.rest is not None else [])]:
        taint = join_taint(taint, attributes.deep_taint(frame.machine, value))
    return Value(taint=frame.machine.after_prefix(template.const.partition("%")[0], taint))


CONSTRUCTORS: dict[str, Maker] = {
    "Map": new_map,
    "WeakMap": new_map,
    "Set": new_set,
    "WeakSet": new_set,
    "Promise": new_promise,
    "bluebird": new_promise,
    "Object": new_object,
    "Array": new_array,
}
def parsed(frame: Frame, given: Arguments, span: int) -> Value:
    """Text parsed into objects and lists has whatever shape its writer chose."""
    from glasshouse.scan.interp import calls

    text = argument(given, 0)
    taint = attributes.deep_taint(frame.machine, text)
    if not taint:
        return UNKNOWN
    shape = frame.machine.matcher(frame).shape_mask
    changed = {label: (bits | shape, step) if bits else (bits, step) for label, (bits, step) in taint.items()}
    result = Value(taint=changed)
    if len(given.pos) > 1 and given.pos[1].refs:
        calls.call_value(frame, given.pos[1], calls.Arguments([Value(taint=changed), result], {}), span)
    return result


FUNCTIONS: dict[str, Maker] = {
    "util.format": formatted,
    "printf": formatted,
    "sprintf-js.sprintf": formatted,
    "sprintf-js.vsprintf": formatted,
    "Object": new_object,
    "Array": new_array,
    "JSON.parse": parsed,
    "qs.parse": parsed,
    "querystring.parse": parsed,
    "Array.of": array_of,
    "Array.from": array_from,
    "Object.keys": object_keys,
    "Object.getOwnPropertyNames": object_keys,
    "Reflect.ownKeys": object_keys,
    "Object.values": object_values,
    "Object.entries": object_entries,
    "Object.fromEntries": object_from_entries,
    "Object.assign": object_assign,
    "Object.create": object_create,
    "Object.setPrototypeOf": set_prototype,
    "Object.defineProperty": define_property,
    "Reflect.defineProperty": define_property,
    "Object.freeze": itself,
    "Object.seal": itself,
    "Object.preventExtensions": itself,
    "Promise.resolve": promise_resolve,
    "Promise.reject": promise_reject,
    "Promise.all": promise_all,
    "Promise.race": promise_any,
    "Promise.any": promise_any,
    "Promise.allSettled": promise_settled,
    "Reflect.get": reflect_get,
    "Reflect.set": reflect_set,
    "Reflect.deleteProperty": reflect_delete,
    "Reflect.apply": reflect_apply,
    "Reflect.construct": reflect_construct,
    "util.inherits": inherits,
    "util.promisify": promisify,
    "bluebird.promisify": promisify,
    "es6-promisify.promisify": promisify,
    "pify": promisify,
}
METHODS: dict[str, dict[str, Method]] = {
    "map": {
        "set": map_set,
        "get": map_get,
        "has": unknown,
        "delete": map_delete,
        "clear": map_clear,
        "keys": map_keys,
        "values": map_values,
        "entries": map_entries,
        "forEach": map_each,
    },
    "jsset": {
        "add": set_add,
        "has": unknown,
        "delete": map_delete,
        "clear": map_clear,
        "keys": map_values,
        "values": map_values,
        "entries": map_entries,
        "forEach": map_each,
    },
    "promise": {"$resolve": settle, "$reject": reject, "$called_back": called_back},
}
