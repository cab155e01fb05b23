"""Checks that stand in a route beside its handlers: express-validator, celebrate, hapi's `validate`, Hono's validators.

Each gives schemas (see ``schemas``) by the field of the request that they are for.  Chains of
express-validator only note what they find, so they count where something in the route asks for that
(``validationResult``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp import attributes, elements, patterns
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.javascript import schemas as javascript_schemas
from glasshouse.scan.interp.values import UNKNOWN, FuncRef, Obj, Value
from glasshouse.scan.program import Fn

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

CHAIN = "express-validator.Chain"
PLACES = {"body": "body", "query": "query", "param": "params", "cookie": "cookies", "header": "headers"}
NUMBERS = frozenset("isInt isFloat isNumeric isDecimal isBoolean toInt toFloat toBoolean toDate isDate".split())
SAFE = frozenset(
    """isIn isUUID isAlphanumeric isAlpha isMongoId isHexadecimal isIP isISO8601 equals isHash isSlug isPort isMD5
    isULID isHexColor isLocale isISO31661Alpha2 isISO4217""".split()
)
HAPI = {"params": "params", "payload": "payload", "query": "query", "headers": "headers"}
VALID = "valid "  # field of a checked request of Hono, before the name of what was checked
PATTERNS = re.compile(r":(\w+)\(((?:[^()\\]|\\.)+)\)")  # in the path of a route
DEPTH = 3  # lists of handlers inside one another


def call(frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int) -> Value | None:
    """What a call of one of the libraries gives; None when it is none of theirs."""
    owner, _, name = path.rpartition(".")
    first = given.pos[0] if given.pos else UNKNOWN
    if owner == "express-validator" and (name in PLACES or name == "check"):
        return begun(frame, name, first, span)
    if owner == CHAIN and receiver is not None:
        return narrower(frame, receiver, name, first, span)
    if path == "celebrate.celebrate":
        fields = javascript_schemas.fields_of(frame, first)
        return schema_value(javascript_schemas.new(frame, span, "request", 0, fields))
    if path in ("@hono/zod-validator.zValidator", "@hono/standard-validator.sValidator") and len(given.pos) > 1:
        fields = {"#for": first, "schema": given.pos[1]}
        return schema_value(javascript_schemas.new(frame, span, "target", 0, fields))
    if path == "express-validator.matchedData":
        return matched_data(frame, first, span)
    if path == "hono.Request.valid" and receiver is not None:
        for ref in receiver.refs:
            if ref.__class__ is Obj and ref.kind == attributes.CHECKED:
                return (frame.machine.fields(ref) or {}).get(f"{VALID}{first.const}")
    return None


def schema_value(schema: Obj) -> Value:
    return Value(path="zod.Schema", refs=(schema,))


def begun(frame: Frame, place: str, names: Value, span: int) -> Value:
    """``body("name")``, ``check(["a", "b"])``."""
    known = [names] if names.const.__class__ is str else elements.known_elements(frame, names, "values") or []
    texts = tuple(item.const for item in known if item.const.__class__ is str)
    fields = {"#place": Value(place), "#names": Value(texts)}
    return Value(path=CHAIN, refs=(javascript_schemas.new(frame, span, "value", 0, fields),))


def narrower(frame: Frame, receiver: Value, name: str, first: Value, span: int) -> Value | None:
    """A chain with one more check."""
    chain = javascript_schemas.schema_of(receiver)
    if chain is None:
        return None
    machine = frame.machine
    fields = dict(machine.fields(chain) or {})
    mask = javascript_schemas.mask_of(frame, chain)
    if name == "not":
        fields["#not"] = Value(True)
    elif fields.pop("#not", None) is None:
        mask |= checks(frame, name, first)
    fields["#mask"] = Value(mask)
    made = machine.new_obj("schema", frame, span)
    machine.heap[made] = fields
    return Value(path=CHAIN, refs=(made,))


def checks(frame: Frame, name: str, first: Value) -> int:
    """The classes of weakness that a check rules out."""
    machine = frame.machine
    if name in NUMBERS:
        return machine.everything & ~machine.numeric
    if name in SAFE:
        return machine.everything
    if name == "escape":
        return machine.bit("xss")
    if name == "isString":
        return javascript_schemas.shape_mask(frame)
    known = patterns.parts(machine, first) if name == "matches" else None
    left = patterns.matched(known[0], False, False) if known is not None and "m" not in known[1] else None
    return patterns.harmless(frame, left) if left is not None else 0


# --- routes ----------------------------------------------------------------------------------------------------------


def of_express(frame: Frame, given: Arguments, span: int) -> dict[str, Obj]:
    """The schemas of the handlers of an Express route."""
    found: dict[str, dict[Any, Value]] = {}
    whole: dict[str, Obj] = {}
    asked = False
    for ref in handed(frame, given.pos):
        if ref.__class__ is FuncRef:
            asked = asked or any(asks(frame, fn) for fn in (ref.fn, *wrapped(frame.machine, ref)))
            continue
        fields = frame.machine.fields(ref) or {}
        if "#names" in fields:
            place = PLACES.get(str(fields["#place"].const), "")
            for section in (place,) if place else PLACES.values():
                for name in fields["#names"].const:
                    if "." not in name and "*" not in name:
                        found.setdefault(section, {})[name] = schema_value(ref)
        elif fields.get("#kind", UNKNOWN).const == "request":
            for section in PLACES.values():
                inner = javascript_schemas.schema_of(fields.get(section, UNKNOWN))
                if inner is not None:
                    whole[section] = inner
    found = found if asked else {}
    of_path = in_path(frame, given.pos[0].const, span) if given.pos else {}
    if of_path:
        found["params"] = {**of_path, **found.get("params", {})}
    partly = {name: javascript_schemas.new(frame, span, "partly", 0, fields) for name, fields in found.items()}
    return {**partly, **whole}


def in_path(frame: Frame, path: object, span: int) -> dict[Any, Value]:
    r"""What the path of a route asks of its parameters: ``/orders/:id(\d+)``."""
    found: dict[Any, Value] = {}
    for name, pattern in PATTERNS.findall(path) if path.__class__ is str else ():
        left = patterns.matched(pattern, True, True)
        mask = patterns.harmless(frame, left) if left is not None else 0
        found[name] = schema_value(javascript_schemas.new(frame, span, "value", mask))
    return found


def handed(frame: Frame, values: list[Value], depth: int = 0) -> Iterator[Any]:
    """Functions and schemas among the handlers of a route, and in lists of them."""
    for value in values:
        for ref in value.refs:
            if ref.__class__ is FuncRef:
                yield ref
            elif ref.__class__ is Obj and ref.kind == "schema":
                yield ref
            elif ref.__class__ is Obj and ref.kind == "list" and depth < DEPTH:
                items = [item for item in (frame.machine.fields(ref) or {}).values() if item.refs]
                yield from handed(frame, items, depth + 1)


def wrapped(machine: Machine, ref: FuncRef) -> set[Fn]:
    """JavaScript: the functions that a function was made for, such as ``handler`` of what ``wrap(handler)`` gives."""
    around = ref.frame
    if around is None or around.module.language != "javascript" or around.fn in machine.stack:
        return set()
    held = [around.env[param.name] for param in around.fn.ir.params if param.name in around.env]
    return {inner.fn for value in held for inner in value.refs if inner.__class__ is FuncRef}


def asks(frame: Frame, fn: Fn) -> bool:
    """Whether a function asks what the chains have found."""
    frame.machine.unit.touched.add(fn)
    wanted = "validationResult"
    return any(
        (ins[0] == ir.CALL and ins[3] == wanted) or (ins[0] == ir.CALL_METHOD and ins[4] == wanted)
        for ins in instructions(fn.ir.body)
    )


def matched_data(frame: Frame, request: Value, span: int) -> Value | None:
    """``matchedData(req)``: of all fields that chains speak of, what these let through."""
    machine = frame.machine
    found: dict[Any, Value] = {}
    for ref in request.refs:
        for part in (machine.fields(ref) or {}).values() if ref.__class__ is Obj else ():
            for inner in part.refs:
                fields = machine.fields(inner) or {} if inner.__class__ is Obj else {}
                names = fields.get(attributes.CERTAIN, UNKNOWN).const
                found.update({name: fields[name] for name in names} if names.__class__ is frozenset else {})
    if not found:
        return None
    made = machine.new_obj("dict", frame, span)
    machine.heap[made] = found
    return Value(refs=(made,))


def of_hapi(frame: Frame, route: Value) -> dict[str, Obj]:
    """The schemas of a route of hapi."""
    found: dict[str, Obj] = {}
    for name in ("options", "config"):
        options = attributes.get_attr(frame, route, name, 0)
        validate = attributes.get_attr(frame, options, "validate", 0) if options.refs else UNKNOWN
        for section in HAPI if validate.refs else ():
            value = attributes.get_attr(frame, validate, section, 0)
            schema = javascript_schemas.schema_of(value)
            fields = javascript_schemas.fields_of(frame, value) if schema is None else {}
            if schema is not None or fields:
                found[section] = schema or javascript_schemas.new(frame, 0, "object", 0, fields)
    return found


def of_hono(frame: Frame, given: Arguments, span: int) -> dict[str, Obj]:
    """The schemas of a route of Hono."""
    fields: dict[Any, Value] = {}
    for ref in handed(frame, given.pos):
        if ref.__class__ is Obj:
            known = frame.machine.fields(ref) or {}
            inner = javascript_schemas.schema_of(known.get("schema", UNKNOWN))
            if known.get("#kind", UNKNOWN).const == "target" and inner is not None:
                fields[f"{VALID}{known['#for'].const}"] = schema_value(inner)
    return {"req": javascript_schemas.new(frame, span, "valid", 0, fields)} if fields else {}


def valid_request(frame: Frame, fields: dict[Any, Value], span: int) -> Value:
    """The request of Hono, with what its validators have let through."""
    machine = frame.machine
    made = machine.new_obj(attributes.CHECKED, frame, span)
    machine.heap[made] = {}
    model = machine.matcher(frame).call("hono.Request.valid")
    for name, item in fields.items():
        schema = javascript_schemas.schema_of(item)
        if name.__class__ is str and name.startswith(VALID) and schema is not None and model is not None:
            data = machine.from_source(frame, model.sources[0], UNKNOWN, span, "")
            machine.write(made, name, javascript_schemas.passed(frame, schema, data, span))
    return Value(path="hono.Request", refs=(made,))
