"""Schemas that data is checked against: zod, yup, Joi, TypeBox and the JSON schemas of Fastify's routes.

A schema is an object of kind ``schema``: ``#kind`` (``object`` ``array`` ``value``), ``#mask`` (the classes of weakness
for which what passes is harmless) and the schemas of its fields or, under ``*``, of its elements.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import access_paths, attributes, elements, patterns
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.states import TESTED
from glasshouse.scan.interp.values import LITERAL, UNKNOWN, Obj, Value, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

MAKERS = re.compile(r"^(zod|zod/v[34]|zod/mini|yup|joi|@hapi/joi|@sinclair/typebox)\.(?!Schema\.)")
DEPTH = 5
MAX_FIELDS = 60
NUMBERS = frozenset("number int integer float bigint boolean bool date nan int32 float32 float64 duration".split())
SAFE_TEXTS = frozenset(
    """uuid guid uuidv4 uuidv7 cuid cuid2 ulid nanoid datetime isoDate ip ipv4 ipv6 cidr alphanum hex token creditCard
    objectId""".split()
)
CHOICES = frozenset(["enum", "nativeEnum", "literal"])
LISTED = frozenset(["valid", "oneOf", "equal", "equals", "only"])
PATTERNS = frozenset(["regex", "matches", "pattern"])
INNER = frozenset(["optional", "nullable", "readonly", "partial", "required", "lazy"])
MORE_FIELDS = frozenset(["extend", "shape", "keys", "append", "safeExtend"])
THROWING = frozenset(["parse", "parseAsync", "validateSync", "validate", "validateAsync", "cast"])
TELLING = frozenset(["safeParse", "safeParseAsync", "spa"])
FORMATS = frozenset(["uuid", "date", "date-time", "time", "ipv4", "ipv6", "duration"])


def call(frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int) -> Value | None:
    """What a call of one of the libraries gives; None when it is none of theirs."""
    from glasshouse.scan.interp.javascript import route_checks as javascript_route_checks

    beside = javascript_route_checks.call(frame, path, receiver, given, span)
    if beside is not None:
        return beside
    path = path.removeprefix("celebrate.").replace("Joi.", "joi.") if path[:14] == "celebrate.Joi." else path
    schema = schema_of(receiver) if receiver is not None and receiver.path.endswith(".Schema") else None
    name = path.rpartition(".")[2]
    if schema is not None and receiver is not None:
        return on_schema(frame, schema, receiver.path.partition(".")[0], name, given, span)
    if path == "trpc.Procedure.input":
        return with_input(frame, given, span)
    found = MAKERS.match(path) if path[0] in "zyj@" else None
    if found is None:
        return None
    library = "joi" if "joi" in found[1] else "yup" if found[1] == "yup" else "zod"
    return Value(path=f"{library}.Schema", refs=(begun(frame, name[:1].lower() + name[1:], given, span),))


def schema_of(value: Value) -> Obj | None:
    return next((ref for ref in value.refs if ref.__class__ is Obj and ref.kind == "schema"), None)


def new(frame: Frame, span: int, kind: str, mask: int, fields: dict[Any, Value] | None = None) -> Obj:
    obj = frame.machine.new_obj("schema", frame, span)
    frame.machine.heap[obj] = {"#kind": Value(kind), "#mask": Value(mask), **(fields or {})}
    return obj


def begun(frame: Frame, name: str, given: Arguments, span: int) -> Obj:
    """``z.object({...})``, ``z.string()``, ``Joi.number()`` and so on."""
    machine = frame.machine
    first = given.pos[0] if given.pos else UNKNOWN
    if name in ("object", "strictObject", "looseObject", "interface"):
        return new(frame, span, "object", 0, fields_of(frame, first))
    if name in ("array", "set"):
        inner = schema_of(first)
        return new(frame, span, "array", 0, {"*": first} if inner is not None else None)
    if name in INNER or name in ("preprocess", "union"):
        inner = schema_of(given.pos[-1]) if given.pos else None
        if inner is not None:
            return inner
    if name == "union":
        options = [schema_of(item) for item in elements.known_elements(frame, first, "values") or []]
        return new(frame, span, "value", common(frame, [item for item in options if item is not None], len(options)))
    if name in CHOICES:
        return new(frame, span, "value", machine.everything)
    if name in NUMBERS:
        return new(frame, span, "value", machine.everything & ~machine.numeric)
    if name in SAFE_TEXTS:
        return new(frame, span, "value", machine.everything)
    text = name in ("string", "email", "url", "stringFormat", "hostname")
    return new(frame, span, "value", shape_mask(frame) if text else 0)


def shape_mask(frame: Frame) -> int:
    """The classes for which text, being neither a list nor an object, is harmless."""
    return frame.machine.matcher(frame).shape_mask


def common(frame: Frame, options: list[Obj], count: int) -> int:
    mask = frame.machine.everything if options and len(options) == count else 0
    for option in options:
        mask &= mask_of(frame, option)
    return mask


def mask_of(frame: Frame, schema: Obj) -> int:
    found = (frame.machine.fields(schema) or {}).get("#mask", UNKNOWN).const
    return found if found.__class__ is int else 0


def fields_of(frame: Frame, value: Value) -> dict[Any, Value]:
    """The schemas in an object literal."""
    found: dict[Any, Value] = {}
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "dict":
            for name, item in (frame.machine.fields(ref) or {}).items():
                if name.__class__ is str and name[0:1] not in ("#", "*") and len(found) < MAX_FIELDS:
                    found[name] = item
    return found


def on_schema(frame: Frame, schema: Obj, library: str, name: str, given: Arguments, span: int) -> Value | None:
    """A method of a schema: it checks data, or gives a schema that is like this one or narrower."""
    machine = frame.machine
    fields = machine.fields(schema) or {}
    path = f"{library}.Schema"
    if name in THROWING or name in TELLING:
        if not given.pos:
            return UNKNOWN
        note_checked(frame, schema, span)
        checked = passed(frame, schema, given.pos[0], span)
        if name in TELLING or (name == "validate" and library == "joi"):
            answer = machine.new_obj("dict", frame, span)
            machine.heap[answer] = {"data": checked, "value": checked, "error": UNKNOWN, "success": UNKNOWN}
            return Value(refs=(answer,))
        return checked
    mask = mask_of(frame, schema)
    if name in LISTED:
        return Value(path=path, refs=(new(frame, span, "value", machine.everything),))
    if name in SAFE_TEXTS:
        return Value(path=path, refs=(new(frame, span, "value", machine.everything),))
    if name in PATTERNS and given.pos:
        known = patterns.parts(machine, given.pos[0])
        left = patterns.matched(known[0], False, False) if known is not None and "m" not in known[1] else None
        more = patterns.harmless(frame, left) if left is not None else 0
        return Value(path=path, refs=(new(frame, span, "value", mask | more),))
    if name in MORE_FIELDS and given.pos:
        own = {key: item for key, item in fields.items() if key.__class__ is str and key[:1] != "#"}
        return Value(path=path, refs=(new(frame, span, "object", 0, {**own, **fields_of(frame, given.pos[0])}),))
    if name == "array":
        inner = Value(path=path, refs=(schema,))
        return Value(path=path, refs=(new(frame, span, "array", 0, {"*": inner}),))
    if name in ("of", "items") and given.pos:
        return Value(path=path, refs=(new(frame, span, "array", 0, {"*": given.pos[0]}),))
    if name in ("transform", "or", "and", "pipe", "passthrough", "catchall", "merge", "concat", "when"):
        return Value(path=path, refs=(new(frame, span, "value", 0),))
    return Value(path=path, refs=(schema,))


def passed(frame: Frame, schema: Obj, value: Value, span: int, depth: int = 0) -> Value:
    """The data that a schema lets through."""
    machine = frame.machine
    fields = machine.fields(schema) or {}
    kind = fields.get("#kind", UNKNOWN).const
    if kind == "object" and depth < DEPTH:
        made = machine.new_obj("dict", frame, span)
        machine.heap[made] = {
            name: below(frame, item, attributes.get_attr(frame, value, name, span), span, depth)
            for name, item in fields.items()
            if name.__class__ is str and name[:1] != "#"
        }
        return Value(refs=(made,))
    if kind == "partly":
        return partly(frame, value, fields, span, depth)
    if kind == "valid":
        from glasshouse.scan.interp.javascript import route_checks as javascript_route_checks

        return javascript_route_checks.valid_request(frame, fields, span)
    if kind == "array" and "*" in fields and depth < DEPTH:
        made = machine.new_obj("list", frame, span)
        item = below(frame, fields["*"], elements.element(frame, value, "values", span), span, depth)
        machine.heap[made] = {"*": item, "#len": UNKNOWN}
        return Value(refs=(made,))
    mask = mask_of(frame, schema)
    taint = without(attributes.deep_taint(machine, value), mask)
    return Value(taint=taint) if taint or not mask else Value(path=LITERAL)


def partly(frame: Frame, value: Value, fields: dict[Any, Value], span: int, depth: int) -> Value:
    """Data of which some fields are checked, and the others left as they are."""
    machine = frame.machine
    made = machine.new_obj("dict", frame, span)
    names = [name for name in fields if name.__class__ is str and name[:1] != "#"]
    found = {
        name: below(frame, fields[name], attributes.get_attr(frame, value, name, span), span, depth) for name in names
    }
    rest = Value(taint=attributes.deep_taint(machine, value))
    machine.heap[made] = {**found, "*": rest, attributes.CERTAIN: Value(frozenset(names))}
    return Value(refs=(made,))


def below(frame: Frame, item: Value, value: Value, span: int, depth: int) -> Value:
    inner = schema_of(item)
    return passed(frame, inner, value, span, depth + 1) if inner is not None else value


def note_checked(frame: Frame, schema: Obj, span: int) -> None:
    """``schema.validate(req.body)``: after it, ``req.body.name`` is what the schema lets through."""
    for position, ins in enumerate(frame.block):
        if ins[1] == span and ins[0] == ir.CALL_METHOD and ins[5] and ins[5][0].__class__ is not list:
            place = place_of(frame, position, ins[5][0])
            if place is not None:
                found = dict(access_paths.tested(frame))
                leaves(frame, schema, place, found, 0)
                frame.env[TESTED] = Value(found)
            return


def place_of(frame: Frame, position: int, operand: Any) -> access_paths.Place | None:
    if isinstance(operand, str):
        return access_paths.Place(operand, frame.val(operand), ())
    where, ins = access_paths.definition(frame.block, position, operand)
    if ins is None or ins[0] not in access_paths.READS:
        return None
    return access_paths.place_of(frame, frame.block, where, ins)


def leaves(
    frame: Frame, schema: Obj, place: access_paths.Place, found: dict[access_paths.Place, int], depth: int
) -> None:
    for name, item in (frame.machine.fields(schema) or {}).items():
        inner = schema_of(item) if name.__class__ is str and name[:1] not in ("#", "*") else None
        if inner is None or depth >= DEPTH or len(found) >= access_paths.MAX_TESTED:
            continue
        field = place._replace(parts=(name, *place.parts))
        mask = mask_of(frame, inner)
        if mask:
            found[field] = found.get(field, 0) | mask
        leaves(frame, inner, field, found, depth + 1)


# --- JSON schemas ----------------------------------------------------------------------------------------------------


def from_json(frame: Frame, value: Value, span: int, depth: int = 0) -> Obj | None:
    """The schema that an object literal such as ``{type: 'object', properties: {...}}`` describes."""
    machine = frame.machine
    known = schema_of(value)
    if known is not None:
        return known
    if not any(ref.__class__ is Obj and ref.kind == "dict" for ref in value.refs) or depth > DEPTH:
        return None

    def part(name: str) -> Value:
        return attributes.get_attr(frame, value, name, 0)

    kind = part("type").const
    fields: dict[Any, Value] = {}
    if kind == "object":
        for ref in part("properties").refs:
            for name, item in ((machine.fields(ref) or {}) if ref.__class__ is Obj else {}).items():
                inner = from_json(frame, item, span, depth + 1) if name.__class__ is str else None
                if inner is not None:
                    fields[name] = Value(path="zod.Schema", refs=(inner,))
        return new(frame, span, "object", 0, fields)
    if kind in ("number", "integer", "boolean"):
        return new(frame, span, "value", machine.everything & ~machine.numeric)
    if part("format").const in FORMATS or any(ref.__class__ is Obj and ref.kind == "list" for ref in part("enum").refs):
        return new(frame, span, "value", machine.everything)
    pattern = part("pattern").const
    left = patterns.matched(pattern, False, False) if pattern.__class__ is str else None
    more = patterns.harmless(frame, left) if left is not None else 0
    return new(frame, span, "value", shape_mask(frame) | more if kind == "string" else 0)


SECTIONS = {"body": "body", "querystring": "query", "query": "query", "params": "params", "headers": "headers"}


def of_route(frame: Frame, given: Arguments, span: int) -> dict[str, Obj]:
    """The schemas of a Fastify route, by the field of the request that each is for."""
    found: dict[str, Obj] = {}
    for options in given.pos[:2]:
        for ref in attributes.get_attr(frame, options, "schema", 0).refs if options.refs else ():
            for name, item in ((frame.machine.fields(ref) or {}) if ref.__class__ is Obj else {}).items():
                schema = from_json(frame, item, span) if name in SECTIONS else None
                if schema is not None:
                    found[SECTIONS[name]] = schema
    return found


def input_of(frame: Frame, receiver: Value) -> dict[str, Obj]:
    """The schema of the input of a tRPC procedure."""
    for ref in receiver.refs:
        if ref.__class__ is Obj and ref.kind == attributes.CHECKED:
            schema = schema_of((frame.machine.fields(ref) or {}).get("input", UNKNOWN))
            return {"input": schema} if schema is not None else {}
    return {}


def checked(frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int) -> dict[str, Obj]:
    """The schemas that a framework checks a handler's data against before it calls it."""
    path = frame.machine.matcher(frame).normal(path)
    if path.startswith("fastify.Server."):
        return of_route(frame, given, span)
    if path.startswith("trpc.Procedure.") and receiver is not None:
        return input_of(frame, receiver)
    from glasshouse.scan.interp.javascript import route_checks as javascript_route_checks

    if path.startswith(("express.Application.", "express.Router.", "express.Route.")):
        return javascript_route_checks.of_express(frame, given, span)
    if path == "hapi.Server.route" and given.pos:
        return javascript_route_checks.of_hapi(frame, given.pos[0])
    if path.startswith("hono.Hono."):
        return javascript_route_checks.of_hono(frame, given, span)
    return {}


def each_route(frame: Frame, path: str, given: Arguments) -> list[Arguments]:
    """The arguments of a call that registers handlers; of a list of hapi's routes, each for itself."""
    if frame.module.language == "javascript" and path.endswith("route") and len(given.pos) == 1:
        routes = elements.known_elements(frame, given.pos[0], "values")
        if routes and frame.machine.matcher(frame).normal(path) == "hapi.Server.route":
            return [Arguments([route], {}) for route in routes]
    return [given]


def with_input(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``procedure.input(schema)``."""
    if not given.pos or schema_of(given.pos[0]) is None:
        return None
    obj = frame.machine.new_obj(attributes.CHECKED, frame, span)
    frame.machine.heap[obj] = {"input": given.pos[0]}
    return Value(path="trpc.Procedure", refs=(obj,))


def narrowed(frame: Frame, value: Value, schemas: dict[str, Obj], span: int) -> Value:
    """The first parameter of a handler, with what the schemas let through."""
    made = frame.machine.new_obj(attributes.CHECKED, frame, span)
    plain = Value(value.const, value.taint, (), value.path)
    frame.machine.heap[made] = {
        name: passed(frame, schema, attributes.get_attr(frame, plain, name, span), span)
        for name, schema in schemas.items()
    }
    return Value(value.const, value.taint, (made, *value.refs), value.path)
