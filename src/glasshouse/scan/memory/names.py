"""Names: what variables, parameters, constants, addresses and sizes are before anything happens to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import numbers
from glasshouse.scan.memory.program import FileFacts, FunctionFacts
from glasshouse.scan.memory.values import NONNULL, NUMBERS, UNKNOWN, WEAK, Region, State, V, of_number, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine

ALL = "*"  # the key under which a region's remaining contents are held


def constant(value: Any) -> V:
    if value is True or value is False:
        value = int(value)
    if isinstance(value, int):
        return of_number(value)
    made = V()
    if isinstance(value, float):
        made.real = True
        made.lo = made.hi = int(value) if value == int(value) else None
    elif isinstance(value, str):
        made.text = value
        made.null = NONNULL
        made.type = "char*"
        region = Region("literal", "", of_number(len(value) + 1))
        region.unit = 1
        made.reg = region
    return made


def bind_parameters(engine: Engine, state: State, facts: FunctionFacts) -> None:
    """Parameters of a function that is analysed on its own."""
    function = facts.function
    called = function.name in engine.facts.called and not function.flags & ir.EXPORTED
    main = function.name in ("main", "wmain") and len(function.params) >= 2
    for number, param in enumerate(function.params):
        made = V()
        made.type = engine.facts.resolved(param.type)
        made.sym = symbol()
        made.name = param.name
        if made.type.endswith(("*", "]")):
            region = made.reg = Region("param", param.name)
            region.type = made.type
            if main and number == 1:
                content = V()
                content.taint, content.source, content.type = 1, "a command-line argument", "char*"
                state.heap[region] = {ALL: content}
        if not called:
            made.taint, made.source = WEAK, f"parameter `{param.name}`"
        numbers.bound_by_type(made)
        engine.frame.types[param.name] = made.type
        state.env[param.name] = made


def bind_arguments(engine: Engine, state: State, facts: FunctionFacts, args: list[V]) -> None:
    for number, param in enumerate(facts.function.params):
        value = args[number] if number < len(args) else V()
        text = engine.facts.resolved(param.type)
        if value.reg is not None and text.endswith("]"):
            text = text[: text.find("[")] + "*"
        engine.frame.types[param.name] = text
        state.env[param.name] = value.having(type=text) if text and text != value.type else value


LIMITS = {
    "INT_MAX": 2**31 - 1,
    "INT_MIN": -(2**31),
    "UINT_MAX": 2**32 - 1,
    "LONG_MAX": 2**63 - 1,
    "LONG_MIN": -(2**63),
    "ULONG_MAX": 2**64 - 1,
    "LLONG_MAX": 2**63 - 1,
    "LLONG_MIN": -(2**63),
    "SIZE_MAX": 2**64 - 1,
    "SHRT_MAX": 32767,
    "SHRT_MIN": -32768,
    "USHRT_MAX": 65535,
    "CHAR_MAX": 127,
    "CHAR_MIN": -128,
    "SCHAR_MAX": 127,
    "UCHAR_MAX": 255,
    "INT32_MAX": 2**31 - 1,
    "UINT32_MAX": 2**32 - 1,
    "INT64_MAX": 2**63 - 1,
    "UINT64_MAX": 2**64 - 1,
    "U8_MAX": 255,
    "U16_MAX": 65535,
    "U32_MAX": 2**32 - 1,
    "PATH_MAX": 4096,
    "PAGE_SIZE": 4096,
    "NULL": 0,
    "nullptr": 0,
    "EOF": -1,
    "RAND_MAX": 2**31 - 1,
}


def read_global(engine: Engine, state: State, name: str) -> V:
    key = "@" + name
    value = state.env.get(key)
    if value is not None:
        return value
    facts = engine.facts
    own = facts.functions[engine.frame.index].owner_class
    member = facts.field_type(own, name) if own else ""
    if member:
        return _member(engine, f"{own}::{name}", name, member)
    value = engine.defaults.get(name)
    if value is not None:
        return value
    if name in LIMITS:
        made = of_number(LIMITS[name])
    elif name in facts.constants:
        made = constant(facts.constants[name])
    elif name.endswith(("TRUE", "FALSE")) and name.isupper():
        made = NUMBERS[int(name.endswith("TRUE"))]
    else:
        made = V()
        made.sym = symbol()
        made.name = name
        text = facts.globals.get(name)
        if text is not None:
            made = declared(engine, name, text.removeprefix("static "), "global", 0)
            made.uninit = 0
        elif name in facts.by_name:
            made.func, made.null = name, NONNULL
        if made.reg is None and made.type.endswith("*"):
            made.reg = Region("unknown", name)
    engine.defaults[name] = made
    return made


def _member(engine: Engine, key: str, name: str, text: str) -> V:
    """A field of the object whose method runs, named without ``this->``."""
    made = engine.defaults.get(key)
    if made is None:
        made = declared(engine, name, text.removeprefix("static "), "global", 0)
        made.uninit, made.sym = 0, symbol()
        if made.reg is None and made.type.endswith("*"):
            made.reg = Region("unknown", name)
        engine.defaults[key] = made
    return made


def declared(engine: Engine, name: str, text: str, kind: str, span: int) -> V:
    """The value of a variable that was just declared."""
    made = V()
    text = engine.facts.resolved(text)
    made.type = text
    made.uninit = 0 if is_constructed(engine, text) else 1
    made.name = name
    if text.endswith("]"):
        element = text[: text.find("[")] + text[text.find("]") + 1 :]
        region = Region(kind, name, None, span)
        region.type = text
        size, unit = engine.facts.size_of(text), engine.facts.size_of(element)
        count = text[text.find("[") + 1 : text.find("]")]
        region.count = of_number(int(count)) if count.isdigit() else None
        if unit and size is not None:
            region.unit, region.size = unit, of_number(size)
        elif region.count is not None:
            region.unit, region.size = -1, region.count
        made.reg, made.null, made.uninit = region, NONNULL, 0
    return made


def is_constructed(engine: Engine, text: str) -> bool:
    """Whether a variable of this type is an object of a C++ class, which its constructor fills."""
    if "::" in text or "<" in text:
        return not text.endswith(("*", "]"))
    if not engine.facts.cpp or text.endswith(("*", "]", "&")):
        return False
    known = text in engine.facts.records or text in numbers.REALS or numbers.width(text) is not None
    return bool(text) and not known and not text.startswith(("struct ", "union ", "enum "))


def element_type(text: str) -> str:
    """What a pointer or array of this type points to."""
    if text.endswith("]"):
        return text[: text.find("[")] + text[text.find("]") + 1 :]
    return text[:-1] if text.endswith("*") else ""


def address_of(engine: Engine, state: State, name: str, span: int) -> V:
    """A pointer to a variable; from now on the variable lives in memory."""
    value = state.env.get(name)
    if value is None:
        value = read_global(engine, state, name)
        if value.func:
            return value
        name = "@" + name
    if value.reg is not None and value.type.endswith("]"):
        return value
    if value.home is None:
        lasts = name[0] == "@" or name in engine.frame.statics
        region = Region("global" if lasts else "stack", name.removeprefix("@"), None, span)
        text = engine.frame.types.get(name, value.type)
        if text != value.type:
            value = value.having(type=text)
        size = engine.facts.size_of(value.type) if value.type else None
        if size is not None:
            region.size, region.unit, region.count = of_number(size), size, NUMBERS[1]
        region.type = value.type
        if not (value.uninit and engine.facts.records.get(value.type) is not None) and not is_record(value):
            state.set_field(region, 0, value)
        elif not value.uninit:
            state.heap[region] = {ALL: V()}
        made = V()
        made.home, made.type = region, value.type
        state.env[name] = value = made
    pointer = V()
    pointer.reg, pointer.null = value.home, NONNULL
    pointer.type = value.type + "*" if value.type else ""
    return pointer


def is_record(value: V) -> bool:
    """Whether a declared type is, or looks like, a struct: its fields are what is written, not the whole."""
    text = value.type
    return (
        bool(text)
        and not text.endswith("*")
        and (text.startswith(("struct ", "union ", "class ")) or numbers.width(text) is None)
    )


def size_value(engine: Engine, state: State, source: Any, operator: str) -> V:
    """``sizeof``: of a variable, of a type (a constant text), or unknown."""
    facts = engine.facts
    text = ""
    if source.__class__ is int and source < 0:
        text = str(engine.frame.consts[-1 - source].text or "")
        if text.startswith("("):
            return V().having(lo=1, name="sizeof", size_of=text)
        if text.startswith("*"):
            return V().having(lo=8, hi=8, reach=True, size_of=text[1:])
    else:
        value = state.env.get(source) if source.__class__ is str else state.temps.get(source)
        if value is None and source.__class__ is str:
            if source in facts.records or source in facts.typedefs:
                text = source
            else:
                value = read_global(engine, state, source)
        if value is not None and operator.startswith("sizeof->"):
            for step in operator[8:].split("."):
                text = element_type(value.type) if step == "[]" else field_of(facts, value, step)
                value = V().having(type=text)
        elif value is not None and value.text is not None and source.__class__ is str:
            return of_number(len(value.text) + 1).having(size_of="char[]")  # a macro that is a text
        elif value is not None:
            if operator == "sizeof*":
                text = element_type(value.type)
            elif (
                value.reg is not None
                and value.type.endswith("]")
                and value.reg.size is not None
                and value.reg.kind != "param"
            ):
                if value.reg.unit != -1:
                    return value.reg.size.having(size_of=value.type, null=UNKNOWN)
                return value.reg.size.having(size_of=value.type + "#", null=UNKNOWN)
            elif source.__class__ is int and value.reg is not None and value.type.endswith("*"):
                text = value.type[:-1]
            else:
                text = value.type
                if value.reg is not None and value.reg.kind == "param" and text.endswith("]"):
                    text = text[: text.find("[")] + "*"
    size = facts.size_of(text) if text else None
    if size is not None:
        return of_number(size).having(size_of=text)
    return V().having(lo=1, size_of=text, name="sizeof", sym=_symbol_of(facts, text))


SYSTEM_RECORDS: dict[str, dict[str, str]] = {
    "struct sockaddr_un": {"sun_path": "char[108]"},
    "sockaddr_un": {"sun_path": "char[108]"},
    "struct ifreq": {"ifr_name": "char[16]"},
    "struct dirent": {"d_name": "char[256]"},
    "struct utmp": {"ut_user": "char[32]", "ut_line": "char[32]", "ut_host": "char[256]"},
    "struct utmpx": {"ut_user": "char[32]", "ut_line": "char[32]", "ut_host": "char[256]"},
    "struct utsname": dict.fromkeys(("sysname", "nodename", "release", "version", "machine"), "char[65]"),
}
"""Texts in records of the system's headers, as Linux has them."""


def field_of(facts: FileFacts, base: V, name: str) -> str:
    """The type of a field of what a value is or points to, "" unknown."""
    text = base.type or (base.reg.type if base.reg is not None else "")
    record = text.rstrip("*").partition("[")[0]
    fields = (facts.records.get(record) or SYSTEM_RECORDS.get(record)) if record else None
    return facts.resolved(fields[name]) if fields is not None and name in fields else ""


def _symbol_of(facts: FileFacts, text: str) -> int:
    """One symbol for each type whose size is not known."""
    table = facts.size_symbols
    if text not in table:
        table[text] = symbol()
    return table[text]
