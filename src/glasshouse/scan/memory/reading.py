"""Calls that give a number, or a text, that comes from outside or is made from one: input, conversions, lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.memory import bounds, lifetime
from glasshouse.scan.memory.evaluate import havoc, region_of
from glasshouse.scan.memory.names import ALL
from glasshouse.scan.memory.values import STRONG, Region, State, V, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call, Effect
    from glasshouse.scan.memory.engine import Engine


def source_effect(description: str) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        value = V()
        value.taint, value.source = STRONG, description
        value.sym = symbol()
        if made.name in ("getenv", "secure_getenv", "GETENV", "nla_data", "_wgetenv"):
            value.type = "char*"
            value.reg = Region("unknown", f"{made.name}()")
            content = V()
            content.taint, content.source = STRONG, description
            state.heap[value.reg] = {ALL: content}
            if made.name == "getenv":
                value.null = 0
        elif description == "a random number":
            value.lo = 0 if made.name in ("rand", "random") else None
            value.type = "int"
        elif made.name.startswith("nla_get"):
            value.type = made.name[8:]
        else:
            value.type = "int"
            value.lo, value.hi = -1, 255
            value.reach = True
        return value

    return effect


def convert(argument: int) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        if made.name.startswith(("ato", "strto", "wcsto")):
            lifetime.dereference(engine, state, made.arg(argument), made.operand(argument), made.span)
        taint, origin = bounds.content_taint(state, made.arg(argument))
        if "strto" in made.name or "wcsto" in made.name:
            havoc(state, made.arg(1))  # where the number ended: written on every path, errors too
        value = V()
        value.taint, value.source, value.sym = taint, origin, symbol()
        value.type = "int" if made.name in ("atoi", "abs", "_wtoi") else "long" if "o" in made.name[:6] else ""
        if made.name in ("abs", "labs"):
            value.lo = 0
            value.taint = 0
            value.checked = True
        if "16" in made.name or made.name.endswith("ohs"):
            value.checked = made.arg(argument).checked
            value.lo, value.hi, value.reach = 0, 65535, bool(taint & STRONG) and not value.checked
        elif "cpu" in made.name or "to" not in made.name or made.name.startswith(("ntoh", "hton")):
            value.lo = 0
        return value

    return effect


def translated(argument: int) -> Effect:
    """``gettext``: a translation of a constant text; its directives are those of the original."""

    def effect(engine: Engine, state: State, made: Call) -> V:
        return made.arg(argument)

    return effect


def length_of(engine: Engine, state: State, made: Call) -> V:
    """``strlen``."""
    pointer = made.arg(0)
    lifetime.dereference(engine, state, pointer, made.operand(0), made.span)
    if pointer.reg is None and pointer.const() is None:
        region_of(state, pointer, made.operand(0))  # what is learnt of the length is learnt of its text
    known = bounds.text_length(state, pointer)
    if known is not None and known.const() is not None and not known.taint:
        return known.having(strlen_of=pointer.reg) if pointer.reg is not None else known
    value = V()
    value.type, value.lo, value.sym = "size_t", 0, symbol()
    if known is not None:
        value.lo, value.hi, value.reach = known.lo or 0, known.hi, known.reach
    value.strlen_of = pointer.reg
    if pointer.idx is None:
        value.name = "strlen()"
    value.taint, value.source = 0, ""
    return value
