"""JavaScript's own objects: maps, sets, promises, and the static functions of Object, Array, Reflect and Function.

``construct`` and ``call`` give the result of a built-in callee by its path, ``method`` that of a method of a map, set
or promise; each returns None for what it does not know, which then goes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, binding, construction, elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.javascript.collections import (
    argument,
    iterated,
    make,
    make_list,
    map_clear,
    map_delete,
    map_each,
    map_entries,
    map_get,
    map_keys,
    map_set,
    map_values,
    new_map,
    new_set,
    set_add,
    unknown,
)
from glasshouse.scan.interp.javascript.promises import (
    called_back,
    new_promise,
    promise_all,
    promise_any,
    promise_reject,
    promise_resolve,
    promise_settled,
    promisify,
    reject,
    settle,
)
from glasshouse.scan.interp.javascript.react import STATE, loader_data, set_state, use_memo, use_state
from glasshouse.scan.interp.values import (
    NONE,
    UNKNOWN,
    ClassRef,
    FuncRef,
    Obj,
    Value,
    join_taint,
    with_taint,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.program import Cls

PREDICATE_DEPTH = 10  # calls inside one another, beyond which predicates are called like any function
APPLYING = frozenset(["call", "apply", "bind"])
PROTOTYPES = ("Array.prototype.", "String.prototype.", "Object.prototype.")

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
    passed = Arguments(given.pos[1:], {}, given.rest)
    if name == "apply":
        known, more = iterated(frame, argument(given, 1), span)
        passed = Arguments(known, {}, more)
    this = argument(given, 0)
    if owner.startswith(PROTOTYPES):
        return calls.call_method(frame, this, owner.rpartition(".")[2], passed, span, None)
    return external.call(frame, owner, this, passed, span)


def method(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of a map, set or promise."""
    found = METHODS[obj.kind].get(name)
    return found(frame, obj, value, given, span) if found is not None else None


# --- callbacks and decorators ----------------------------------------------------------------------------------------


def satisfying(frame: Frame, function: Value, given: Arguments, span: int) -> Value | None:
    """The first argument as it is when a predicate holds for it; None when it never does."""
    from glasshouse.scan.interp import calls, operators, refine

    machine = frame.machine
    item = given.pos[0]
    ref: Any = function.refs[0] if len(function.refs) == 1 else None
    body = []
    if ref.__class__ is FuncRef:
        machine.unit.touched.add(ref.fn)
        body = ref.fn.ir.body
    params = ref.fn.ir.params if ref.__class__ is FuncRef else []
    if not body or body[-1][0] != ir.RETURN or not params or len(machine.stack) > PREDICATE_DEPTH:
        kept = calls.call_value(frame, function, given, span)
        return None if operators.truth(machine, kept) is False else item
    assert ref is not None
    new = machine.new_frame(ref.fn, ref.this, ref.frame)
    machine.note_call(frame, ref.fn)
    binding.bind(frame, new, ref.fn, given, span)
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
                    given = Arguments([Value(refs=(FuncRef(fn, frame),)), UNKNOWN], {})
                    made = calls.call_value(frame, callee, given, span)
                    if any(ref.__class__ is FuncRef and ref.fn is not fn for ref in made.refs):
                        cls.attrs[name] = made
    for decorator in reversed(cls.ir.decorators):
        callee = named(frame, decorator.name)
        if any(ref.__class__ is FuncRef for ref in callee.refs) and not decorator.args:
            made = calls.call_value(frame, callee, Arguments([value, UNKNOWN], {}), span)
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
    keys = elements.element(frame, value, "keys", span)
    return make_list(frame, span, [], Value(taint=keys.taint))


def object_values(frame: Frame, given: Arguments, span: int) -> Value:
    value = argument(given, 0)
    fields = known_object(frame, value)
    if fields is not None:
        return make_list(frame, span, [fields[name] for name in own_names(fields)])
    return make_list(frame, span, [], elements.element(frame, value, "values", span))


def object_entries(frame: Frame, given: Arguments, span: int) -> Value:
    value = argument(given, 0)
    fields = known_object(frame, value)
    if fields is not None:
        pairs = [make_list(frame, span, [Value(str(name)), fields[name]]) for name in own_names(fields)]
        return make_list(frame, span, pairs)
    key = elements.element(frame, value, "keys", span)
    item = elements.element(frame, value, "values", span)
    return make_list(frame, span, [], make_list(frame, span, [Value(taint=key.taint), item]))


def object_from_entries(frame: Frame, given: Arguments, span: int) -> Value:
    made = make(frame, "dict", span, {})
    known, more = iterated(frame, argument(given, 0), span)
    for pair in [*known, *([more] if more is not None else [])]:
        key = elements.get_item(frame, pair, Value(0), span)
        elements.set_item(frame, made, key, elements.get_item(frame, pair, Value(1), span), span)
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
            elements.set_item(frame, target, key, fields["value"], span)
        elif "get" in fields:
            got = calls.call_value(frame, fields["get"], Arguments([], {}), span)
            elements.set_item(frame, target, key, got, span)
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
        known = [calls.call_value(frame, mapper, Arguments([item, Value(i)], {}), span) for i, item in enumerate(known)]
        more = calls.call_value(frame, mapper, Arguments([more, UNKNOWN], {}), span) if more is not None else None
    return make_list(frame, span, known, more)


def reflect_get(frame: Frame, given: Arguments, span: int) -> Value:
    return elements.get_item(frame, argument(given, 0), argument(given, 1), span)


def reflect_set(frame: Frame, given: Arguments, span: int) -> Value:
    elements.set_item(frame, argument(given, 0), argument(given, 1), argument(given, 2), span)
    return UNKNOWN


def reflect_delete(frame: Frame, given: Arguments, span: int) -> Value:
    elements.del_item(frame, argument(given, 0), argument(given, 1))
    return UNKNOWN


def reflect_apply(frame: Frame, given: Arguments, span: int) -> Value:
    from glasshouse.scan.interp import calls

    known, more = iterated(frame, argument(given, 2), span)
    this = argument(given, 1)
    callee = argument(given, 0)
    refs = tuple(FuncRef(r.fn, r.frame, r.this or this) if r.__class__ is FuncRef else r for r in callee.refs)
    called = Value(callee.const, callee.taint, refs, callee.path)
    return calls.call_value(frame, called, Arguments(known, {}, more), span)


def reflect_construct(frame: Frame, given: Arguments, span: int) -> Value:

    known, more = iterated(frame, argument(given, 1), span)
    return construction.construct(frame, argument(given, 0), Arguments(known, {}, more), span)


def inherits(frame: Frame, given: Arguments, span: int) -> Value:
    """``util.inherits(Child, Parent)``."""
    parent = attributes.get_attr(frame, argument(given, 1), "prototype", span)
    child = attributes.get_attr(frame, argument(given, 0), "prototype", span)
    for obj in plain_objects(child):
        frame.machine.write(obj, "#proto", parent)
    return NONE


def array_of(frame: Frame, given: Arguments, span: int) -> Value:
    return make_list(frame, span, list(given.pos), given.rest)


def formatted(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``util.format("text %s", data)``."""
    template = argument(given, 0)
    if template.const.__class__ is not str:
        return None
    taint = None
    for value in [*given.pos[1:], *([given.rest] if given.rest is not None else [])]:
        taint = join_taint(taint, attributes.deep_taint(frame.machine, value))
    from glasshouse.scan.interp import operators

    taint = frame.machine.after_prefix(template.const.partition("%")[0], taint)
    return Value(taint=operators.shapeless(frame, taint))


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
        calls.call_value(frame, given.pos[1], Arguments([Value(taint=changed), result], {}), span)
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
    "react.useState": use_state,
    "preact/hooks.useState": use_state,
    "react.useMemo": use_memo,
    "preact/hooks.useMemo": use_memo,
    "react.useCallback": itself,
    "react-router-dom.useLoaderData": loader_data,
    "react-router.useLoaderData": loader_data,
    "@remix-run/react.useLoaderData": loader_data,
    "@remix-run/node.json": itself,
    "@remix-run/node.defer": itself,
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
    STATE: {"$set": set_state},
    "promise": {"$resolve": settle, "$reject": reject, "$called_back": called_back},
}
