"""The smaller, the larger, the nearest inside: ``min(n, size)`` bounds data as a comparison does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.memory import lifetime, numbers, refine
from glasshouse.scan.memory.values import STRONG, State, V, of_number, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call, Effect
    from glasshouse.scan.memory.engine import Engine

LEAST = "min MIN Min min3 umin imin min_t FFMIN FFMIN3 Py_MIN".split()
GREATEST = "max MAX Max max3 umax imax max_t FFMAX FFMAX3 Py_MAX".split()
BETWEEN = "clamp CLAMP clamp_t clamp_val av_clip".split()


def effects() -> dict[str, Effect]:
    return dict.fromkeys((*LEAST, *GREATEST, *BETWEEN), extreme)


def extreme(engine: Engine, state: State, made: Call) -> V:
    """``min(a, b)``, ``max_t(type, a, b)``, ``clamp(value, lowest, highest)``."""
    values = made.args
    if made.name.endswith("_t") and values:
        text = made.operand(0)
        values = [
            numbers.cast(engine, value, text) if isinstance(text, str) and not pointer(value) else value
            for value in values[1:]
        ]
    for value in values:
        if pointer(value):  # one of two pointers: either may be the result
            lifetime.escape(state, value)
            return V()
    if len(values) < 2 or (made.name in BETWEEN and len(values) != 3):
        return V().having(sym=symbol())
    if made.name in BETWEEN:
        return least(greatest(values[0], values[1]), values[2])
    result = values[0]
    for value in values[1:]:
        result = (least if made.name in LEAST else greatest)(result, value)
    return result


def pointer(value: V) -> bool:
    return value.reg is not None or value.type.endswith(("*", "]"))


def least(a: V, b: V) -> V:
    """What ``a`` is after ``if (a > b) a = b``, with the one that comes from outside as the one that is bounded."""
    x, y = a.const(), b.const()
    if x is not None and y is not None and not (a.real or b.real):
        return of_number(min(x, y))
    value, other = (b, a) if x is not None or (b.taint & STRONG and not a.taint & STRONG) else (a, b)
    made = plain(value, other)
    if made.real:
        return made
    refine.limited(made, value, "<=", other)
    made.lo = None if a.lo is None or b.lo is None else min(a.lo, b.lo)
    if made.below is None and value.sym and not value.taint & STRONG:
        made.below = (value.sym, value.off)
    if made.lo is None:
        numbers.not_negative(made)
    return made


def greatest(a: V, b: V) -> V:
    """No less than either; from outside, and without an end, if one of them is."""
    x, y = a.const(), b.const()
    if x is not None and y is not None and not (a.real or b.real):
        return of_number(max(x, y))
    value, other = (b, a) if x is not None or (b.taint & STRONG and not a.taint & STRONG) else (a, b)
    made = plain(value, other)
    if made.real:
        return made
    known = [limit for limit in (a.lo, b.lo) if limit is not None]
    made.lo = max(known) if known else None
    made.hi = None if a.hi is None or b.hi is None else max(a.hi, b.hi)
    made.below = None
    made.reach = a.reach and b.reach
    return made


def plain(value: V, other: V) -> V:
    """A new number of the type, and from the place, of a value."""
    made = V()
    made.sym, made.type = symbol(), value.type if value.type or value.taint else other.type
    made.taint, made.source, made.checked, made.below = value.taint, value.source, value.checked, value.below
    made.lo, made.hi, made.reach = value.lo, value.hi, value.reach
    made.real = value.real or other.real
    return made
