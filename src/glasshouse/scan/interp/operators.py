"""Operators: constant folding, and what taint does in arithmetic and text."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import texts
from glasshouse.scan.interp.attributes import deep_taint
from glasshouse.scan.interp.php import text as php_text
from glasshouse.scan.interp.values import (
    FALSE,
    NOT_CONST,
    TRUE,
    UNKNOWN,
    Obj,
    Taint,
    Value,
    join_taint,
    without,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

MAX_TEXT = 4096
MAX_NUMBER = 1 << 62

FOLD: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "==": operator.eq,
    "===": operator.eq,
    "is": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
    "is not": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COMPARISONS = frozenset(["==", "===", "is", "!=", "!==", "is not", "<", "<=", ">", ">=", "in", "not in", "instanceof"])
HOST_ENDS = re.compile(r"(?<![:/])/(?!/)|[?#]")  # in text behind other parts of an address
PATH_TYPE = "pathlib."  # `base / name` is a path, not a quotient
SET_OPERATORS = frozenset(["-", "|", "&", "^"])


def truth(machine: Machine, value: Value) -> bool | None:
    """Whether a condition holds; None if that is not known."""
    const = value.const
    if const is not NOT_CONST:
        return bool(const)
    if value.refs and not value.taint and not value.path and len(value.refs) == 1:
        ref = value.refs[0]
        if ref.__class__ is Obj:
            if ref.open or ref.kind not in ("list", "tuple", "dict", "set"):
                return None
            fields = machine.fields(ref) or {}
            length = fields.get("#len")
            if length is not None:
                return bool(length.const) if length.const is not NOT_CONST else None
            return None
    return None


def fold(op: str, a: Any, b: Any, language: str) -> Any:
    """The result of an operator on constants, or NOT_CONST when it has none within bounds."""
    if op == "in" and a.__class__ is str and b.__class__ is str:
        return a in b
    if op == "not in" and a.__class__ is str and b.__class__ is str:
        return a not in b
    if op == "+" and a.__class__ is not b.__class__ and str in (a.__class__, b.__class__):
        if language == "python":
            return NOT_CONST
        a, b = text_of(a, language), text_of(b, language)
    if op == "%" and a.__class__ is str:
        return NOT_CONST
    function = FOLD.get(op)
    if function is None or (language == "php" and op in ("==", "!=") and a.__class__ is not b.__class__):
        return NOT_CONST
    if op in ("<<", "*") and too_much(a, b):
        return NOT_CONST
    try:
        result: Any
        if op == "/" and language in ("java", "go") and a.__class__ is int and b.__class__ is int:
            result = int(a / b)
        else:
            result = function(a, b)
    except (TypeError, ValueError, ArithmeticError):
        return NOT_CONST
    if result.__class__ is str and len(result) > MAX_TEXT:
        return NOT_CONST
    if result.__class__ is int and not -MAX_NUMBER < result < MAX_NUMBER:
        return NOT_CONST
    return result if result.__class__ in (str, int, float, bool) else NOT_CONST


def too_much(a: Any, b: Any) -> bool:
    """Whether shifting or repeating could make something large before its size is looked at."""
    if a.__class__ is str or b.__class__ is str:
        return not ((a.__class__ is int and a <= 64) or (b.__class__ is int and b <= 64))
    return b.__class__ is int and b > 64


def text_of(const: Any, language: str) -> str:
    if const is None:
        return "null" if language != "python" else "None"
    if const.__class__ is bool and language != "python":
        return "true" if const else "false"
    return str(const)


def binary(frame: Frame, op: str, a: Value, b: Value, span: int) -> Value:
    """``a op b``."""
    machine = frame.machine
    language = frame.module.language
    if a.const is not NOT_CONST and b.const is not NOT_CONST:
        result = fold(op, a.const, b.const, language)
        if result is not NOT_CONST:
            return Value(result, join_taint(a.taint, b.taint)) if a.taint or b.taint else Value(result)
    if op in COMPARISONS:
        if (a.taint or b.taint) and (language in ("javascript", "go") or (op == "in" and a.const.__class__ is str)):
            machine.check_comparison(frame, op, a, b, span)
        return compare(machine, op, a, b)
    if op == "+":
        if a.refs and b.refs and a.refs[0].__class__ is Obj and b.refs[0].__class__ is Obj and language == "python":
            return join_lists(frame, a, b, span)
        if a.taint or b.taint or a.refs or b.refs:
            if machine.arithmetic and (a.taint or b.taint):
                machine.check_arithmetic(frame, op, a, b, span)
            taint = added(machine, a, b)
            taint = shapeless(frame, taint) if taint else taint
        else:
            taint = None
        if a.const.__class__ is str or b.const.__class__ is str or a.path[:1] == "$":
            return texts.built(frame, (a, b), taint, span)
        return Value(taint=taint) if taint else UNKNOWN
    if (
        op == "%"
        and language == "python"
        and (a.const.__class__ is str or (a.path in ("", "str") and not a.taint) or a.taint)
    ):
        if a.const.__class__ is str:
            return texts.percent(frame, a.const, b, span)
        return Value(taint=join_taint(prefixed(machine, a, deep_taint(machine, b)), a.taint))
    if op == "*" and language == "python":
        repeat = texts.repeated(a, b)
        if repeat is not None:
            return repeat
        if a.refs and a.refs[0].__class__ is Obj and a.refs[0].kind == "list":
            return repeated_list(frame, a, span)
    if op in SET_OPERATORS and language == "python" and a.refs and a.refs[0].__class__ is Obj:
        return combined(frame, op, a, b, span)
    taint = join_taint(a.taint, b.taint)
    if op == "/" and PATH_TYPE in (a.path[:8], b.path[:8]) and language == "python":
        taint = join_taint(a.taint, machine.in_text(b.taint)) if b.taint else taint
        return Value(taint=taint, path="pathlib.Path")
    if taint:
        if machine.arithmetic:
            machine.check_arithmetic(frame, op, a, b, span)
        keep = machine.matcher(frame).numeric_mask
        if op == "/" and language == "python":
            keep |= machine.bit("path")  # ``BASE / name``: a path, when the operands are no numbers
        return Value(taint=without(taint, ~keep))
    return UNKNOWN


def added(machine: Machine, a: Value, b: Value) -> Taint | None:
    left = a.taint if not a.refs else deep_taint(machine, a)
    right = b.taint if not b.refs else deep_taint(machine, b)
    if right and a.const is NOT_CONST:
        right = machine.in_text(right)
    return join_taint(left, prefixed(machine, a, right))


def prefixed(machine: Machine, prefix: Value, taint: Taint | None) -> Taint | None:
    """Taint that follows a constant prefix: the host of a URL, or the scheme of a script link, is already decided."""
    if not taint or prefix.const.__class__ is not str:
        return taint
    return machine.after_prefix(prefix.const, taint)


def repeated_list(frame: Frame, a: Value, span: int) -> Value:
    """``[x] * count``."""
    from glasshouse.scan.interp.elements import element

    obj = frame.machine.new_obj("list", frame, span)
    frame.machine.heap[obj] = {"*": element(frame, a, "values", span), "#len": UNKNOWN}
    return Value(taint=a.taint, refs=(obj,))


def combined(frame: Frame, op: str, a: Value, b: Value, span: int) -> Value:
    """``a - b``, ``a & b``, ``a | b``, ``a ^ b`` of sets (and ``|`` of dicts)."""
    from glasshouse.scan.interp.literals import spread

    kind = a.refs[0].kind if a.refs[0].kind in ("set", "dict") else "set"
    obj = frame.machine.new_obj(kind, frame, span)
    fields: dict[Any, Value] = {}
    spread(frame, fields, a, kind, None)
    if op in "|^":
        spread(frame, fields, b, kind, None)
    frame.machine.heap[obj] = fields
    return Value(taint=join_taint(a.taint, b.taint if op in "|^" else None), refs=(obj,))


def join_lists(frame: Frame, a: Value, b: Value, span: int) -> Value:
    from glasshouse.scan.interp.literals import spread

    obj = frame.machine.new_obj("list", frame, span)
    fields: dict[Any, Value] = {}
    count = spread(frame, fields, a, "list", 0)
    count = spread(frame, fields, b, "list", count)
    fields["#len"] = Value(count) if count is not None else UNKNOWN
    frame.machine.heap[obj] = fields
    return Value(taint=join_taint(a.taint, b.taint), refs=(obj,))


def compare(machine: Machine, op: str, a: Value, b: Value) -> Value:
    """A comparison: never tainted; known when both sides are."""
    if op in ("==", "===", "is", "!=", "!==", "is not"):
        same: bool | None = None
        if a is b and a.const is NOT_CONST and len(a.refs) == 1:
            same = True
        elif (
            a.const is None
            and b.refs
            and not b.path
            and all(ref.__class__ is Obj and ref.kind != "param" for ref in b.refs)
        ):
            same = False
        elif (
            b.const is None
            and a.refs
            and not a.path
            and all(ref.__class__ is Obj and ref.kind != "param" for ref in a.refs)
        ):
            same = False
        if same is not None:
            return TRUE if same == (op in ("==", "===", "is")) else FALSE
    if op in ("in", "not in") and a.const is not NOT_CONST and len(b.refs) == 1:
        ref = b.refs[0]
        if ref.__class__ is Obj and not ref.open:
            fields = machine.fields(ref) or {}
            if "*" not in fields:
                known = list(fields) if ref.kind == "dict" else [v.const for k, v in fields.items() if k != "#len"]
                if NOT_CONST not in known:
                    return TRUE if (a.const in known) == (op == "in") else FALSE
    return UNKNOWN


def unary(machine: Machine, op: str, value: Value) -> Value:
    """``op value``."""
    const = value.const
    if op in ("not", "!"):
        known = truth(machine, value)
        return UNKNOWN if known is None else FALSE if known else TRUE
    if op == "-" and const.__class__ in (int, float):
        return Value(-const)
    if op == "typeof":
        if const.__class__ is str:
            return Value("string")
        return UNKNOWN
    if op in ("-", "+", "~") and value.taint:
        return Value(taint=without(value.taint, ~machine.numeric))
    if op == "+" and const.__class__ in (int, float):
        return value
    return UNKNOWN


def concat(frame: Frame, parts: list[Value], span: int) -> Value:
    """The parts as one text (template literals, f-strings)."""
    machine = frame.machine
    if frame.module.language == "php":
        return php_text.concat(frame, parts, span)
    if all(part.const is not NOT_CONST and not part.taint for part in parts):
        text = "".join(text_of(part.const, frame.module.language) for part in parts)
        return Value(text) if len(text) <= MAX_TEXT else UNKNOWN
    taint: Taint | None = None
    prefix = ""  # constant text before anything else
    later = decided = False  # data has come; and behind it, constant text that ends the host of an address
    for part in parts:
        piece = deep_taint(machine, part) if part.refs else part.taint
        if piece:
            if prefix:
                piece = machine.after_prefix(prefix, piece)
            if decided:
                piece = without(piece, machine.bit("ssrf") | machine.bit("redirect"))
            taint = join_taint(taint, machine.in_text(piece) if later and piece else piece)
        if part.const is NOT_CONST:
            later = True
        elif not later:
            prefix += text_of(part.const, "python")
        else:
            decided = decided or HOST_ENDS.search(text_of(part.const, "python")) is not None
    return texts.built(frame, parts, shapeless(frame, taint) if taint else None, span) if parts else UNKNOWN


def shapeless(frame: Frame, taint: Taint | None) -> Taint | None:
    """JavaScript: what ``+`` and templates give is text or a number, never an object with keys of its own."""
    if taint is None or frame.module.language != "javascript":
        return taint
    return without(taint, frame.machine.matcher(frame).shape_mask)
