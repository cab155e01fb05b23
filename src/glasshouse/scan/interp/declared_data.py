"""What declared types and field definitions let through, where a framework checks them before it calls anything.

Pydantic models, the parameters of FastAPI, forms of Django and serializers of its REST framework hand on numbers,
members of enumerations and text that matches a pattern, or nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, command_lines, patterns
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import (
    LITERAL,
    NOT_CONST,
    UNKNOWN,
    ClassRef,
    FuncRef,
    Obj,
    Value,
    join_taint,
    with_taint,
    without,
)
from glasshouse.scan.program import Cls, Module
from glasshouse.scan.type_text import split_outside

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

DEPTH = 4  # types inside one another
MODELS = frozenset(
    """pydantic.BaseModel pydantic.main.BaseModel pydantic.v1.BaseModel pydantic_settings.BaseSettings sqlmodel.SQLModel
    ninja.Schema msgspec.Struct""".split()
)
PARSERS = frozenset("model_validate model_validate_json parse_obj parse_raw validate from_orm".split())
ENUMS = ("enum.Enum", "enum.StrEnum", "enum.IntEnum", "django.db.models.TextChoices", "django.db.models.IntegerChoices")
NUMBERS = frozenset(
    """conint confloat condecimal condate PositiveInt NegativeInt NonNegativeInt NonPositiveInt PositiveFloat
    NonNegativeFloat StrictInt StrictFloat StrictBool UUID1 UUID3 UUID4 UUID5 UUID7 timedelta time IPvAnyAddress
    IPv4Address IPv6Address PastDate FutureDate AwareDatetime ObjectId""".split()
)
TEXTS = frozenset(["str", "constr", "EmailStr", "SecretStr", "StrictStr", "HttpUrl", "AnyUrl", "AnyHttpUrl"])
WRAPPERS = frozenset(["Optional", "Union", "List", "list", "Sequence", "Set", "set", "Annotated", "Final", "ClassVar"])
PATTERN = re.compile(r"""\b(?:pattern|regex)\s*=\s*[rR]?(["'])(.*?)\1""")
PATTERN_MAKERS = frozenset(["RegexField", "RegexValidator"])
VALIDATORS = frozenset(["field_validator", "validator"])
FORM_DATA = frozenset(["cleaned_data", "validated_data"])
FORMS = ("django.forms.", "rest_framework.serializers.", "django.contrib.auth.forms.")
CHECKED_FIELDS = re.compile(
    r"\.(?:Integer|Float|Decimal|Boolean|NullBoolean|Date|DateTime|Time|SplitDateTime|Duration|UUID|IPAddress|"
    r"GenericIPAddress|Choice|MultipleChoice|TypedChoice|TypedMultipleChoice|ModelChoice|ModelMultipleChoice|Slug|"
    r"PrimaryKeyRelated|SlugRelated)Field(?:\(\))?$"
)


# --- types -----------------------------------------------------------------------------------------------------------


def ruled_out(frame: Frame, module: Module, text: str, depth: int = 0) -> int:
    """The classes of weakness for which data of a declared Python type is harmless."""
    machine = frame.machine
    text = text.strip().strip("\"'")
    if not text or depth > DEPTH:
        return 0
    options = split_outside(text, "|")
    if len(options) > 1:
        return all_of(frame, module, options, depth)
    outer, _, inner = text.partition("[")
    last = outer.rpartition(".")[2]
    if inner and last == "Literal":
        return machine.everything
    if inner and last in WRAPPERS:
        parts = split_outside(inner[:-1], ",")
        mask = all_of(frame, module, parts if last == "Union" else parts[:1], depth)
        return mask | pattern_mask(frame, inner) if last == "Annotated" else mask
    name = last.partition("(")[0]
    if name in NUMBERS or machine.modules.is_numeric(module, text):
        return machine.everything & ~machine.numeric
    if name in TEXTS:
        return machine.bit("nosql") | machine.bit("mass") | pattern_mask(frame, text)
    resolved = machine.program.type_of(module, outer)
    return machine.everything if isinstance(resolved, Cls) and is_enum(frame, resolved) else 0


def is_enum(frame: Frame, cls: Cls) -> bool:
    """Whether a class is an enumeration of Python: its instances are its members."""
    return any(above in ENUMS for above in frame.machine.program.supers(cls)[1])


def all_of(frame: Frame, module: Module, options: list[str], depth: int) -> int:
    mask = frame.machine.everything
    for option in options:
        if option != "None":
            mask &= ruled_out(frame, module, option, depth + 1)
    return mask


def annotated(param: ir.Param) -> str:
    """The text of ``Annotated[...]`` of a parameter."""
    return next((str(item.args[0][1]) for item in param.decorators if item.name == "Annotated"), "")


def pattern_mask(frame: Frame, text: str) -> int:
    """What the pattern that stands in a type (``constr(pattern="^[a-z]+$")``) rules out."""
    found = PATTERN.search(text)
    return matching(frame, found[2]) if found is not None else 0


def matching(frame: Frame, pattern: Any) -> int:
    left = patterns.matched(pattern, anchored=False, anchored_start=False) if pattern.__class__ is str else None
    return patterns.harmless(frame, left) if left is not None else 0


def default_mask(frame: Frame, block: ir.Block, operand: Any) -> int:
    """What ``Query(pattern="^[a-z]+$")`` or ``Field(pattern=...)``, given as a default, rules out."""
    for ins in block:
        if ins[0] == ir.CALL and ins[2] == operand:
            for name, value in ins[5]:
                if name in ("pattern", "regex"):
                    return matching(frame, frame.val(value).const)
    return 0


# --- parameters of entry points --------------------------------------------------------------------------------------


def parameter(frame: Frame, param: ir.Param) -> int:
    """The classes for which the framework's check of one parameter makes its data harmless."""
    if frame.module.language != "python":
        numeric = bool(param.type) and frame.machine.modules.is_numeric(frame.module, param.type)
        if frame.module.language == "php" and not numeric:
            return required(frame, param.name)
        return frame.machine.everything & ~frame.machine.numeric if numeric else piped(frame, param)
    mask = ruled_out(frame, frame.module, annotated(param) or param.type) if param.type else 0
    mask |= command_lines.decorated(frame, param) | routed(frame, param.name)
    default = default_of(frame, param) if param.has_default else None
    return mask | default_mask(frame, default[3], default[4]) if default is not None else mask


def required(frame: Frame, name: str) -> int:
    """What a route of Symfony asks of its part: ``requirements: ['year' => '\\d{4}']``, ``/{year<\\d+>}``."""
    for mark in frame.fn.ir.decorators:
        for key, text in mark.args:
            if text.__class__ is not str:
                continue
            inline = re.search(rf"\{{!?{re.escape(name)}<([^>]+)>", text)
            pattern = text if key == f"requirements.{name}" else inline[1] if inline is not None else ""
            left = patterns.matched(pattern, True, True) if pattern else None
            if left is not None:
                return patterns.harmless(frame, left)
    return 0


SLIM_PART = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[\d,]+\})+))?\}")


def route_parts(frame: Frame, value: Value, span: int) -> Value:
    """The array of a route's parts in Slim, some of which have a pattern: ``/orders/{number:[0-9]+}``."""
    found = SLIM_PART.findall(frame.machine.route)
    if not any(pattern for _, pattern in found):
        return value
    obj = Obj("dict", (frame.module.index, span))
    fields: dict[Any, Value] = {}
    for name, pattern in found:
        left = patterns.matched(pattern, True, True) if pattern else None
        mask = patterns.harmless(frame, left) if left is not None else 0
        fields[name] = Value(taint=without(value.taint, mask), path=LITERAL)
    frame.machine.heap[obj] = fields
    return Value(refs=(obj,))


CHECKING_PIPES = frozenset(
    "ParseIntPipe ParseFloatPipe ParseBoolPipe ParseUUIDPipe ParseEnumPipe ParseDatePipe".split()
)


def piped(frame: Frame, param: ir.Param) -> int:
    """What the pipes of Nest rule out: ``@Param("id", ParseUUIDPipe)``."""
    pipes = {item for decorator in param.decorators for name, item in decorator.args if name == "$name"}
    return frame.machine.everything & ~frame.machine.numeric if not CHECKING_PIPES.isdisjoint(pipes) else 0


NAMING = ("flask", "bottle", "quart")  # frameworks whose routes name all parameters
CONVERTERS = re.compile(
    r"<(?:(?P<kind>int|float|uuid|slug)(?:\([^)]*\))?:(?P<name>\w+)|(?P<name2>\w+):(?P<kind2>int|float|uuid|ymd))>"
)


def routed(frame: Frame, name: str) -> int:
    """What the converter in a route rules out: ``/orders/<int:number>``.

    In Flask and its like a parameter that its route does not name comes from another decorator of the function.
    """
    machine = frame.machine
    texts = [text for mark in frame.fn.ir.decorators for key, text in mark.args if not key and text.__class__ is str]
    for text in (*texts, machine.route):
        for found in CONVERTERS.finditer(text):
            if name in (found["name"], found["name2"]):
                slug = found["kind"] == "slug"
                return machine.everything if slug else machine.everything & ~machine.numeric
    routes = [text for text in texts if text[:1] == "/"]
    own = len(frame.fn.ir.decorators) > len(routes) and any(machine.imports(frame.module, item) for item in NAMING)
    named = any(re.search(rf"[<:]{re.escape(name)}[>:]", text) for text in routes)
    return machine.everything if routes and own and not named else 0


def default_of(frame: Frame, param: ir.Param) -> ir.Instr | None:
    for ins in frame.fn.ir.body:
        if ins[0] == ir.DEFAULT and ins[2] == param.name:
            return ins
    return None


# --- models ----------------------------------------------------------------------------------------------------------


def is_model(frame: Frame, cls: Cls) -> bool:
    """Whether instances of a class are made from data that was checked against its fields."""
    return not MODELS.isdisjoint(frame.machine.program.supers(cls)[1])


def field(frame: Frame, cls: Cls, name: str, value: Value, span: int) -> Value:
    """Data of a field of a model, without what the field's definition and its validators rule out."""
    mask = 0
    for item in frame.machine.program.supers(cls)[0]:
        for known, text in item.ir.fields:
            if known == name:
                mask |= ruled_out(frame, item.module, text) | defined(frame, item, name)
        value = with_taint(value, without(value.taint, mask))
        if not value.taint:
            return value if value.refs else Value(path=LITERAL)
        value = validated(frame, item, name, value, span)
    return value


NUMBER_MARKS = frozenset("IsInt IsNumber IsBoolean IsDate IsPositive IsNegative IsDecimal".split())
SAFE_MARKS = frozenset(
    """IsUUID IsMongoId IsEnum IsIn IsISO8601 IsDateString IsAlphanumeric IsAlpha IsHexadecimal IsIP IsNumberString
    IsPort IsHash IsBooleanString IsMilitaryTime IsLatLong IsISO31661Alpha2 IsCurrency IsULID IsRFC3339""".split()
)
TEXT_MARKS = frozenset("IsString IsEmail IsUrl Matches Length MinLength MaxLength IsNotEmpty".split())


def decorated(frame: Frame, cls: Cls, name: str, value: Value) -> Value:
    """Data of a field of a class that class-validator checks: ``@IsInt() limit: number``."""
    machine = frame.machine
    mask = 0
    for item in machine.program.supers(cls)[0]:
        for known, mark in item.ir.marks:
            last = mark.name.rpartition(".")[2]
            if known != name:
                continue
            if last in NUMBER_MARKS:
                mask |= machine.everything & ~machine.numeric
            elif last in SAFE_MARKS:
                mask |= machine.everything
            elif last in TEXT_MARKS:
                mask |= machine.matcher(frame).shape_mask
                written = next((item for key, item in mark.args if key == "$regex"), "")
                mask |= matching(frame, written[1:].rpartition("/")[0]) if written else 0
    value = with_taint(value, without(value.taint, mask)) if mask else value
    return value if value.taint or value.refs else Value(path=LITERAL)


def defined(frame: Frame, cls: Cls, name: str) -> int:
    """What ``name: str = Field(pattern="...")`` in a class body rules out."""
    if not 0 <= cls.ir.body < len(cls.module.functions):
        return 0
    fn = cls.module.functions[cls.ir.body]
    body = frame.machine.new_frame(fn, None, None)
    for ins in fn.ir.body:
        if ins[0] == ir.MOVE and ins[2] == name:
            return default_mask(body, fn.ir.body, ins[3])
    return 0


def validated(frame: Frame, cls: Cls, name: str, value: Value, span: int) -> Value:
    """What the validators of a field give back."""
    from glasshouse.scan.interp import calls

    for methods in cls.methods.values():
        for fn in methods:
            for decorator in fn.ir.decorators:
                if decorator.name.rpartition(".")[2] in VALIDATORS and ("", name) in decorator.args:
                    if len(fn.ir.params) >= 2:
                        ref = FuncRef(fn, None, Value(refs=(ClassRef(cls),)))
                        value = calls.invoke(frame, ref, Arguments([value], {}), span)
    return value


def parsed(frame: Frame, cls: Cls, name: str, given: Arguments) -> Value | None:
    """``Model.model_validate(data)``: an instance made of the data."""
    if name not in PARSERS or frame.module.language != "python" or not given.pos or not is_model(frame, cls):
        return None
    obj = Obj("instance", (cls.module.index, cls.ir.span), cls, open=True)
    return Value(taint=attributes.deep_taint(frame.machine, given.pos[0]), refs=(obj,))


def patterned(frame: Frame, cls: Cls, name: str) -> int:
    """What the pattern of ``code = CharField(validators=[RegexValidator("^[a-z]+$")])`` or ``RegexField`` rules out."""
    fn = cls.module.functions[cls.ir.body]
    body = frame.machine.new_frame(fn, None, None)
    mask = 0
    for ins in fn.ir.body:
        if ins[0] == ir.MOVE:
            if ins[2] == name:
                return mask
            mask = 0
        elif ins[0] in (ir.CALL, ir.CALL_METHOD):
            called, given = (ins[3], ins[4]) if ins[0] == ir.CALL else (ins[4], ins[5])
            if str(called) in PATTERN_MAKERS and given and given[0].__class__ is not list:
                mask |= matching(frame, body.val(given[0]).const)
    return 0


# --- forms -----------------------------------------------------------------------------------------------------------


def submitted(frame: Frame, param: ir.Param) -> Value | None:
    """The form that ``form_valid`` of a Django view is given: an instance of the view's ``form_class``."""
    machine, cls = frame.machine, frame.fn.cls
    for item in machine.program.supers(cls)[0] if cls is not None else ():
        machine.ensure_class(item)
        kinds = [ref.cls for ref in item.attrs.get("form_class", UNKNOWN).refs if ref.__class__ is ClassRef]
        if kinds:
            place = (frame.module.index, param.span)
            return Value(refs=tuple(Obj("instance", place, kind, open=True) for kind in kinds))
    return None


def form_data(frame: Frame, obj: Obj, value: Value, name: str, span: int) -> Value | None:
    """``form.cleaned_data``: each field's data as far as its kind lets it through; None where it is no form."""
    machine = frame.machine
    assert obj.cls is not None
    classes, above = machine.program.supers(obj.cls)
    if not any(item.startswith(FORMS) for item in above):
        return None
    outside = machine.outside_attr(frame, ["django.forms.Form"], name, span)
    held = attributes.deep_taint(machine, Value(taint=value.taint, refs=(obj,)))
    taint = join_taint(outside.taint if outside is not None else None, held)
    made = machine.new_obj("dict", frame, span)
    fields: dict[Any, Value] = {"*": Value(taint=taint)}
    for cls in reversed(classes):
        machine.ensure_class(cls)
        for field_name, defined_as in cls.attrs.items():
            if defined_as.const is NOT_CONST and defined_as.path.endswith(("Field()", "Field")):
                checked = CHECKED_FIELDS.search(defined_as.path) is not None
                passed = without(taint, 0 if checked else patterned(frame, cls, field_name))
                fields[field_name] = Value(path=LITERAL) if checked or not passed else Value(taint=passed)
    known = frozenset(item for item in fields if item != "*")
    machine.heap[made] = {**fields, attributes.CERTAIN: Value(known)}
    return Value(taint=None, refs=(made,))
