"""Arithmetic on intervals and symbols: overflow, division by zero, conversions, bounds that types give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.language.c.types import fold, size_said, unsigned_said
from glasshouse.scan.memory.values import NONNULL, NUMBERS, STRONG, UNKNOWN, WEAK, State, V, of_number, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine

UNSIGNED = frozenset(
    "unsigned size_t uint uint8_t uint16_t uint32_t uint64_t u8 u16 u32 u64 __u8 __u16 __u32 __u64 "
    "uintptr_t ulong ushort "
    "u_char u_short u_int u_long BYTE WORD DWORD guint guint8 guint16 guint32 guint64 gsize guchar __le16 "
    "__le32 __be16 __be32 bool _Bool".split()
)
INT = (1 << 31) - 1
REALS = frozenset(["float", "double", "long double"])
COMPARE = frozenset(["==", "!=", "<", ">", "<=", ">="])


def width(text: str) -> tuple[int, int] | None:
    """Smallest and largest value of an integer type, or None."""
    found = RANGES.get(text)
    if found is None and text not in RANGES:
        found = RANGES[text] = _width(text)
    return found


RANGES: dict[str, tuple[int, int] | None] = {}


def _width(text: str) -> tuple[int, int] | None:
    size = size_said(text)
    if size is None or text in REALS:
        return None
    bits = size * 8
    if text in ("bool", "_Bool"):
        return 0, 1
    if text in UNSIGNED or text.startswith("unsigned") or unsigned_said(text):
        return 0, (1 << bits) - 1
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def not_negative(value: V) -> None:
    """Fill in that a value of an unsigned type is no less than 0 (in place: only for a value that was just made)."""
    limits = width(value.type)
    if value.lo is None and limits is not None and limits[0] >= 0:
        value.lo = 0


def any_of_type(value: V) -> None:
    """Data from outside in a small unsigned type may be any of its numbers (in place, as above)."""
    limits = width(value.type)
    if limits is not None and limits[0] == 0 and limits[1] <= 65535 and value.hi is None and not value.lo:
        value.lo, value.hi, value.reach = 0, limits[1], True


def bound_by_type(value: V) -> None:
    """Fill in the interval that small types have (in place: only for a value that was just made)."""
    limits = width(value.type)
    if limits is None:
        if value.type in REALS:
            value.real = True
        return
    if value.lo is None and limits[0] >= 0:
        value.lo = 0
    if value.hi is None and limits[1] <= 65535:
        value.hi = limits[1]
        if value.lo is None:
            value.lo = limits[0]


def bounded(value: V, text: str) -> V:
    made = value.having(type=text)
    bound_by_type(made)
    return made


def cast(engine: Engine, value: V, text: str) -> V:
    """An explicit conversion."""
    if text.endswith("*"):
        return value.having(type=text)
    if text in REALS:
        return value.having(type=text, real=True)
    limits = width(text)
    if limits is None:
        return value
    made = _fitted(value, text, limits)
    if made.taint & STRONG:
        any_of_type(made)
    return made


def narrowed(engine: Engine, value: V, limits: tuple[int, int], span: int) -> None:
    """The result of arithmetic on narrow data from outside goes back into a narrow variable that cannot hold it."""
    if value.parts is None or value.checked or not value.taint & STRONG:
        return
    operator, one, two = value.parts
    if operator == "<<" or not any(part.taint & STRONG and narrow(part.type) for part in (one, two)):
        return
    whole = V()
    interval(whole, operator, _within(one), _within(two))
    if whole.lo is not None and whole.hi is not None and (whole.lo < limits[0] or whole.hi > limits[1]):
        check = "integer-underflow" if whole.hi <= limits[1] else "integer-overflow"
        engine.report(check, span, value.source or "data", operator, "medium")


def _within(value: V) -> V:
    """A value with the interval of its type where nothing else is known."""
    limits = width(value.type)
    if limits is None or value.const() is not None:
        return value
    lo, hi = value.lo, value.hi
    return V().having(lo=limits[0] if lo is None else lo, hi=limits[1] if hi is None else hi)


def narrow(text: str) -> bool:
    limits = width(text)
    return limits is not None and limits[1] < INT


def not_below_zero(text: str) -> bool:
    limits = width(text)
    return limits is not None and limits[0] >= 0


def _fitted(value: V, text: str, limits: tuple[int, int]) -> V:
    lo, hi = value.lo, value.hi
    if value.real:
        return V().having(type=text, taint=value.taint, source=value.source, lo=limits[0] if limits[0] == 0 else None)
    if lo is not None and hi is not None and (lo < limits[0] or hi > limits[1]):
        if lo == hi:
            span = limits[1] - limits[0] + 1
            return of_number((lo - limits[0]) % span + limits[0]).having(type=text)
        return value.having(type=text, lo=limits[0], hi=limits[1], below=None, sym=0, off=0)
    if lo is None and not_below_zero(value.type):
        lo = 0
    if limits[0] == 0 and (lo is None or lo < 0):
        # a value that may be negative becomes very large
        return value.having(type=text, lo=0, hi=None if hi is None or lo is None or lo < 0 else hi, below=None)
    return value.having(type=text, lo=lo)


def converted(engine: Engine, value: V, text: str, span: int) -> V:
    """The value that a variable of this type holds after an assignment."""
    if value.const() is not None and not text.endswith("*"):
        limits = width(text)
        if limits is None or limits[0] <= (value.lo or 0) <= limits[1]:
            return value
        return _fitted(value, text, limits)
    if text.endswith(("*", "]")):
        return value.having(type=text if text.endswith("*") else value.type)
    limits = width(text)
    if limits is not None and limits[1] < INT:
        narrowed(engine, value, limits, span)
    if limits is not None:
        made = _fitted(value, text, limits)
        bound_by_type(made)
        return made
    if text in REALS:
        return value.having(type=text, real=True)
    return value.having(type=text)


def binary(engine: Engine, state: State, operator: str, a: V, b: V, span: int) -> V:
    """``a operator b``."""
    x, y = a.const(), b.const()
    if operator in COMPARE:
        return compare(a, b, operator)
    if operator == ">>" and (a.name in ("cin", "wcin") or a.type.endswith(("istream", "ifstream"))):
        return streamed(engine, state, a, b, span)
    if (
        a.reg is not None
        and operator in ("+", "-")
        and (a.type.endswith(("*", "]")) or a.text is not None or b.reg is None)
    ):
        if b.reg is None:
            return moved(engine, state, a, b, operator, span)
        if a.reg is b.reg and operator == "-":
            return V()
        return V()
    if b.reg is not None and operator == "+" and b.type.endswith(("*", "]")):
        return moved(engine, state, b, a, "+", span)
    if operator in ("/", "%"):
        divide(engine, a, b, span, operator)
    if operator == "*" and 1 in (x, y) and not (a.real or b.real) and (x is None or y is None):
        return b if x == 1 else a
    if x is not None and y is not None and not (a.real or b.real):
        result = fold(operator, x, y)
        if result is not None:
            made = of_number(result)
            if operator == "*" and (a.size_of or b.size_of):
                made = made.having(parts=("*", a, b))
            elif a.strlen_of or b.strlen_of:
                made = made.having(strlen_of=a.strlen_of or b.strlen_of, parts=(operator, a, b))
            return made
    made = V()
    made.real = a.real or b.real
    made.taint = a.taint | b.taint
    made.source = a.source or b.source
    made.checked = a.checked or b.checked
    made.type = result_type(a, b)
    made.strlen_of = a.strlen_of or (b.strlen_of if operator == "+" else None)
    if operator in ("+", "-", "*", "<<"):
        interval(made, operator, a, b)
        made.parts = (operator, a, b)
        overflow(engine, made, operator, a, b, span)
    elif operator == "%" and y is not None and y > 0:
        made.hi = y - 1
        made.lo = 0 if (a.lo is not None and a.lo >= 0) else 1 - y
        made.reach = bool(a.taint & STRONG)
    elif operator == "%":
        made.checked = True
    elif operator == "&":
        for one in (x, y):
            if one is not None and one >= 0:
                made.lo, made.hi, made.reach = 0, one, bool(made.taint & STRONG)
    elif operator == "/" and y is not None and y > 0:
        made.lo = a.lo // y if a.lo is not None and a.lo >= 0 else None
        made.hi = a.hi // y if a.hi is not None and a.hi >= 0 else None
        made.reach = a.reach
        if a.size_of and b.size_of:
            made.size_of = ""
    elif operator == ">>" and y is not None and 0 <= y < 64:
        made.lo = a.lo >> y if a.lo is not None and a.lo >= 0 else None
        made.hi = a.hi >> y if a.hi is not None and a.hi >= 0 else None
    if made.lo is None and operator != "-" and not_below_zero(made.type):
        made.lo = 0
    return made


def streamed(engine: Engine, state: State, stream: V, target: V, span: int) -> V:
    """``cin >> buffer`` reads a word of any length, unless a width that fits was set before."""
    if target.name == "setw()":
        return stream.having(checked=True, type="istream", hi=target.hi)
    fixed = target.reg is not None and target.type.endswith(("]", "char*", "wchar_t*"))
    if not fixed:
        return stream.having(type="istream")
    width = state.facts.pop(("width", stream.name), None) if not stream.checked else stream.hi or 0
    size = target.reg.size.const() if target.reg is not None and target.reg.size is not None else None
    if width is None or (size is not None and target.reg is not None and width * max(target.reg.unit, 1) > size):
        engine.report("unbounded-input", span, stream.name or "the stream", target.name or "a buffer", "high")
    return stream.having(checked=False, type="istream", hi=None)


def result_type(a: V, b: V) -> str:
    """The wider of the two types (as far as they are known), int at least."""
    one, two = width(a.type), width(b.type)
    if one is None or two is None:
        text = a.type if one is not None and b.const() is not None else b.type if a.const() is not None else ""
    else:
        text = a.type if one[1] >= two[1] else b.type
    return "int" if narrow(text) else text


def compare(a: V, b: V, operator: str) -> V:
    made = V()
    made.lo, made.hi = 0, 1
    x, y = a.const(), b.const()
    if x is not None and y is not None and not (a.real or b.real):
        return NUMBERS[int(bool(fold(operator, x, y)))]
    return made


def interval(made: V, operator: str, a: V, b: V) -> None:
    """Interval and symbol of a sum, difference, product or shift."""
    y = b.const()
    if operator == "<<":
        if y is None or not 0 <= y < 63:
            return
        b = of_number(1 << y)
        operator = "*"
    if operator == "+":
        made.lo = a.lo + b.lo if a.lo is not None and b.lo is not None else None
        made.hi = a.hi + b.hi if a.hi is not None and b.hi is not None else None
        if y is not None:
            shifted(made, a, y)
        elif a.const() is not None:
            shifted(made, b, a.const() or 0)
    elif operator == "-":
        made.lo = a.lo - b.hi if a.lo is not None and b.hi is not None else None
        made.hi = a.hi - b.lo if a.hi is not None and b.lo is not None else None
        if a.sym and b.below is not None and b.below[0] == a.sym and b.below[1] <= a.off and (made.lo or 0) <= 0:
            made.lo = 0  # no more is taken than there is
        if y is not None:
            shifted(made, a, -y)
    else:
        ends = [p * q for p in (a.lo, a.hi) for q in (b.lo, b.hi) if p is not None and q is not None]
        if len(ends) == 4:
            made.lo, made.hi = min(ends), max(ends)
        elif a.lo is not None and b.lo is not None and a.lo >= 0 and b.lo >= 0:
            made.lo = a.lo * b.lo
    made.reach = a.reach and b.reach


def shifted(made: V, a: V, by: int) -> None:
    if a.sym:
        made.sym, made.off = a.sym, a.off + by
    if a.below is not None:
        made.below = (a.below[0], a.below[1] + by)


def overflow(engine: Engine, made: V, operator: str, a: V, b: V, span: int) -> None:
    """Arithmetic on data from outside whose result does not fit its type."""
    if made.real or a.checked or b.checked or operator == "<<":
        return
    if not made.taint & STRONG:
        limits = width(b.type)
        if operator == "-" and a.const() is not None and b.taint and limits and limits[0] == 0 and b.below is None:
            if b.hi is None and (a.const() or 0) > 1:
                engine.report("integer-underflow", span, b.source, operator, "low", weak=True)
        return
    data, other = (a, b) if a.taint & STRONG else (b, a)
    if data.source == "a random number" and data.hi is not None and data.lo is not None and data.reach:
        pass
    limits = width(data.type) or width(made.type)
    if limits is None or limits[1] < INT:  # narrow operands become int first: what counts is where the result goes
        return
    by = other.const()
    lo = data.lo if data.lo is not None else limits[0]
    hi = data.hi if data.hi is not None else limits[1]
    if operator == "+":
        bad = (by is None and hi >= limits[1] // 2) or (by is not None and (hi + by > limits[1] or lo + by < limits[0]))
        under = False
    elif operator == "-":
        if data is b and by is not None:
            lo, hi = by - hi, by - lo
            bad = lo < limits[0] or hi > limits[1]
        else:
            bad = by is not None and (lo - by < limits[0] or hi - by > limits[1])
        under = True
    else:
        if other.taint & STRONG:
            ends = [lo * lo, hi * hi, lo * hi]
        elif by is None:
            ends = [] if other.lo is None and other.hi is None and not other.size_of else [hi * 8]
        else:
            ends = [lo * by, hi * by]
        bad = bool(ends) and (max(ends) > limits[1] or min(ends) < limits[0])
        under = by is not None and bool(ends) and max(ends) <= limits[1]
    if bad:
        check = "integer-underflow" if under else "integer-overflow"
        engine.report(check, span, data.source or "data", operator, "medium")


def divide(engine: Engine, a: V, b: V, span: int, operator: str) -> None:
    """A divisor that is zero, or that whoever sends the data can make zero."""
    at = b.const()
    if at == 0 and not a.real:
        engine.report("divide-by-zero", span, "0", operator, "high")
        return
    if at is not None or 0 in b.ne or b.checked:
        return
    if (b.lo is not None and b.lo > 0) or (b.hi is not None and b.hi < 0):
        return
    if b.taint & STRONG:
        engine.report("divide-by-zero", span, b.source, operator, "medium")
    elif b.taint & WEAK and not b.real:
        engine.report("divide-by-zero", span, b.source, operator, "low", weak=True)


def moved(engine: Engine, state: State, pointer: V, by: V, operator: str, span: int) -> V:
    """A pointer plus or minus a number of elements."""
    from glasshouse.scan.memory.names import element_type

    made = pointer.having(text=None, name=pointer.name)
    if pointer.type.endswith("]"):
        made.type = element_type(pointer.type) + "*"
    unit = engine.facts.size_of(element_type(pointer.type)) if pointer.type else 1
    region = pointer.reg
    if region is not None and region.unit == -1:
        unit = 1
    scaling(engine, pointer, by, span, unit)
    at = by.const()
    if unit and not by.real:
        step = (
            by
            if unit == 1
            else V().having(
                lo=by.lo * unit if by.lo is not None else None,
                hi=by.hi * unit if by.hi is not None else None,
                reach=by.reach,
                taint=by.taint,
                source=by.source,
                checked=by.checked,
            )
        )
        start = pointer.idx or NUMBERS[0]
        moved_by = V()
        interval(moved_by, operator, start, step)
        moved_by.taint, moved_by.source, moved_by.checked = (
            step.taint | start.taint,
            step.source or start.source,
            step.checked or start.checked,
        )
        made.idx = moved_by
        if at is not None and moved_by.const() is not None:
            made.idx = of_number(moved_by.const() or 0)
    else:
        made.idx = V().having(taint=by.taint, source=by.source, checked=by.checked)
    made.null = NONNULL if pointer.null == NONNULL else pointer.null if pointer.null != 1 else UNKNOWN
    if made.idx.const() == 0 and region is not None:
        made.idx = None
    return made


def scaling(engine: Engine, pointer: V, by: V, span: int, unit: int | None) -> None:
    """``p + sizeof(x)`` on a pointer to larger elements adds the size twice."""
    if not unit or unit == 1 or not pointer.type.endswith(("*", "]")):
        return
    sized = by.size_of or (by.parts is not None and by.parts[0] == "*" and (by.parts[1].size_of or by.parts[2].size_of))
    if sized:
        engine.report("pointer-scaling", span, pointer.name or "pointer", str(unit), "medium")


def fresh(text: str, taint: int = 0, source: str = "") -> V:
    """An unknown value of a type."""
    made = V()
    made.type, made.taint, made.source, made.sym = text, taint, source, symbol()
    bound_by_type(made)
    return made
