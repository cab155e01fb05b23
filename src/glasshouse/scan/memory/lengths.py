"""Buffers that come with their length, and bounds checks whose own arithmetic can wrap.

A pointer parameter and the number after it (``const uint8_t *data, size_t len``) belong together: what the function
itself compares the length with says how far it may go.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.memory import numbers
from glasshouse.scan.memory.values import NUMBERS, STRONG, WEAK, Region, State, V

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine

LENGTHS = re.compile(r"(?i)(^|_)(len|length|size|n|nbytes|bytes|sz)$|[a-z](Len|Length|Size)$")
OCTETS = re.compile(r"(?i)^(unsigned char|void|u?_?u?int8(_t)?|u8|byte|octet|uchar|guint8|\w*uint8|\w*byte)$")
READERS = re.compile(
    r"(?i)(^|_)(?:read|get|load|peek|rd|rb|rl|be|le|ib|i|u|ui|uint|int|ntoh)_?(16|24|32|64)(?:_?[bl]e)?$"
)
LARGER = frozenset(["<", "<="])


class Measured(NamedTuple):
    """The parameter that says how many bytes a buffer has."""

    name: str
    sym: int
    octets: bool  # elements are plain bytes, not text that may have an end of its own


def pairs(engine: Engine, state: State, params: list[Any]) -> dict[Region, Measured]:
    """Parameters that are a buffer of bytes and its length."""
    found: dict[Region, Measured] = {}
    for param, length in itertools.pairwise(params):
        pointer, number = state.env[param.name], state.env[length.name]
        if pointer.reg is None or not pointer.taint & WEAK or number.reg is not None or not number.sym:
            continue
        element = pointer.type.removesuffix("*").strip()
        octets = OCTETS.match(element) is not None
        if (octets or element == "char") and LENGTHS.search(length.name):
            found[pointer.reg] = Measured(length.name, number.sym, octets)
    return found


def access(engine: Engine, state: State, base: V, index: V, span: int, name: str, *, write: bool) -> None:
    """``data[i]`` where the length of ``data`` is a parameter: against what the path has found out about it."""
    region = base.reg
    measured = engine.frame.measured.get(region) if region is not None else None
    if measured is None or (base.idx is not None and base.idx.const() is None):
        return  # a pointer that moved by a variable: what is found out about that later does not reach it
    at = index
    if base.idx is not None:
        at = V()
        numbers.interval(at, "+", base.idx, index)
    if beyond(state, measured, at, write):
        engine.report("measured-access", span, name, measured.name, "low", weak=True)


def read_by(engine: Engine, state: State, callee: str, pointer: V, span: int, name: str) -> None:
    """``get_u16(data + 4)`` reads two bytes at 4."""
    measured = engine.frame.measured.get(pointer.reg) if pointer.reg is not None else None
    width = READERS.search(callee) if measured is not None else None
    if measured is None or width is None:
        return
    at = V()
    numbers.interval(at, "+", pointer.idx or NUMBERS[0], NUMBERS[int(width.group(2)) // 8 - 1])
    if beyond(state, measured, at, False):
        engine.report("measured-access", span, name, measured.name, "low", weak=True)


def beyond(state: State, measured: Measured, at: V, write: bool) -> bool:
    """Whether a position may be past the length although the path has compared one with the other."""
    place, slack = at.const(), 0 if measured.octets or write else 1  # text may end with a character of its own
    if place is not None:
        length = state.env.get(measured.name)
        if length is None or length.sym != measured.sym or length.lo is None or length.checked:
            return False
        return 0 < length.lo - length.off <= place - slack
    if at.below is None or at.below[0] != measured.sym:
        return False
    return at.below[1] >= slack


def bounded_by(value: V) -> tuple[int, str] | None:
    """Taint and source of a bound that nothing bounds itself, None of a good one."""
    if value.taint and value.hi is None and value.below is None and not value.checked and value.const() is None:
        return value.taint, value.source
    return None


def compared(engine: Engine, operator: str, left: Any, right: Any, a: V, b: V, span: int) -> None:
    """``if (off + len > size)`` and ``if (n > size - 4)`` say nothing once the sum or difference has wrapped."""
    for operand, other, large in ((left, b, operator not in LARGER), (right, a, operator in LARGER)):
        if operand.__class__ is not int or operand < 0 or other.const() == 0:
            continue
        value = a if operand == left else b
        if value.parts is None or value.real or value.reg is not None or value.checked:
            continue
        sign, one, two = value.parts
        if sign == "+" and both_free(engine, one, two):
            free = one if one.taint & STRONG or two.taint == WEAK else two
            report(engine, span, free, one, two)
        elif sign == "-" and other.const() is None and wraps_below(engine, one, two):
            report(engine, span, one, one)
        elif sign == "*" and both_free(engine, one, two) and narrow(one) and narrow(two) and large:
            report(engine, span, one, one, two)


def report(engine: Engine, span: int, shown: V, *values: V) -> None:
    strong = any(value.taint & STRONG for value in values)
    engine.report("wrapping-check", span, shown.source or "data", "", "medium" if strong else "low", weak=not strong)


def both_free(engine: Engine, one: V, two: V) -> bool:
    """Two numbers that others choose without bound; one at least was read from a buffer, not passed as an argument.

    What a record holds is as a rule the program's own.
    """
    if bounded_by(one) is None or bounded_by(two) is None or one.strlen_of is not None or two.strlen_of is not None:
        return False
    return any(value.taint & STRONG or from_buffer(engine, value) for value in (one, two))


def free(engine: Engine, value: V) -> bool:
    """Whether a caller chooses a number: an argument, or read from a buffer that is one."""
    return value.source.startswith("parameter") or from_buffer(engine, value)


def from_buffer(engine: Engine, value: V) -> bool:
    """Whether it was read through a parameter that points to bytes or numbers."""
    kind, _, rest = value.source.partition("`")
    text = engine.frame.types.get(rest[:-1], "")
    element = text.removesuffix("*").strip()
    if kind != "data of parameter " or element == text:
        return False
    return OCTETS.match(element) is not None or numbers.width(element) is not None


def wraps_below(engine: Engine, one: V, two: V) -> bool:
    """An unsigned number that may be less than the constant or size that is taken off."""
    limits, sized = numbers.width(one.type), bool(two.size_of) or two.name == "sizeof"
    unsigned = limits is not None and limits[0] == 0 and (limits[1] >= 2**32 - 1 or sized)
    least = two.lo if two.const() is not None or sized else None
    outside = one.taint & STRONG or free(engine, one)
    if not unsigned or not outside or one.checked or least is None or one.strlen_of is not None:
        return False
    return least > 0 and (one.lo is None or one.lo < least) and one.below is None


def narrow(value: V) -> bool:
    limits = numbers.width(value.type)
    return limits is not None and 65535 < limits[1] <= 2**32 - 1


def freed_variable(engine: Engine, ins: ir.Instr | None, source: ir.Instr | None) -> str:
    """The name of a pointer whose own address is cast to a pointer to a record: ``(struct x *) &p``."""
    if ins is None or source is None or ins[0] != ir.CAST or source[0] != ir.UNOP or source[3] != "&":
        return ""
    name = source[4]
    text = engine.frame.types.get(name, "") if name.__class__ is str else ""
    target = ins[3]
    return name if text.endswith("*") and target.count("*") == 1 and not target.startswith(("void", "char")) else ""
