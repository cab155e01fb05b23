"""PHP's regular expressions, and what tests made with functions tell about the values they test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import patterns
from glasshouse.scan.interp.access_paths import definition
from glasshouse.scan.interp.values import NOT_CONST, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
MEMBER_TESTS = {"in_array": (0, 1), "array_key_exists": (0, 1), "key_exists": (0, 1), "$has": (0, 1)}
PREFIX_TESTS = frozenset(["str_starts_with"])
POSITION_TESTS = frozenset(["strpos", "stripos", "mb_strpos"])
PREFIX_COMPARISONS = frozenset(["strncmp", "strncasecmp", "substr_compare"])


def parts(value: Value) -> tuple[str, str] | None:
    """Pattern and flags of ``/pattern/flags``."""
    text = value.const.strip() if value.const.__class__ is str else ""
    if len(text) < 2 or text[0].isalnum() or text[0] == "\\":
        return None
    end = text.rfind(CLOSING.get(text[0], text[0]))
    return (text[1:end], text[end + 1 :]) if end > 0 else None


SINGLE = re.compile(r"\\?[^\w\s\\\[\](){}.*+?^$|]")
LISTED = re.compile(r"\[([^\]\\^-]|\\[^\w])+\][+*]?")


def characters(pattern: str) -> frozenset[str]:
    """The characters that a pattern finds, where it is one of them or a plain list; none for other patterns."""
    if SINGLE.fullmatch(pattern):
        return frozenset(pattern[-1])
    if LISTED.fullmatch(pattern):
        return frozenset(pattern[1 : pattern.rindex("]")].replace("\\", ""))
    return frozenset()


def call_test(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    """A function used as a condition."""
    name = frame.val(ins[3]).path
    args = [item for item in ins[4] if item.__class__ is not list]
    if name == "preg_match" and len(args) > 1:
        pattern_test(frame, block, position, args, holds)
    elif name in MEMBER_TESTS and len(args) > 1 and holds:
        member_test(frame, block, position, name, args)
    elif name in PREFIX_TESTS and args:
        begins_with(frame, block, position, args, holds)


def pattern_test(frame: Frame, block: ir.Block, position: int, args: list[Any], holds: bool) -> None:
    from glasshouse.scan.interp.refine import scrub

    known = parts(frame.val(args[0]))
    if known is None:
        return
    pattern, flags = known
    if holds:
        left = None if "m" in flags else patterns.matched(pattern, False, False)
    else:
        left = patterns.unmatched(pattern)
    mask = patterns.harmless(frame, left) if left is not None else 0
    if not holds and pattern.replace("\\", "") in ("..", "../", "/"):
        mask |= frame.machine.bit("path")
    if mask:
        scrub(frame, block, position, args[1], mask)


def member_test(frame: Frame, block: ir.Block, position: int, name: str, args: list[Any]) -> None:
    """Only what the program itself lists passes; loose comparison with numbers lets other text pass."""
    from glasshouse.scan.interp.refine import allow_list, scrub

    listed = frame.val(args[1])
    if not allow_list(frame, listed):
        return
    strict = len(args) > 2 and frame.val(args[2]).const is True
    if name == "in_array" and not strict and holds_numbers(frame, listed):
        return
    scrub(frame, block, position, args[0], frame.machine.everything)


def holds_numbers(frame: Frame, value: Value) -> bool:
    for ref in value.refs:
        if ref.__class__ is Obj:
            for name, item in (frame.machine.fields(ref) or {}).items():
                if name != "#len" and item.const.__class__ in (int, float, bool):
                    return True
    return False


def begins_with(frame: Frame, block: ir.Block, position: int, args: list[Any], holds: bool) -> None:
    from glasshouse.scan.interp.refine import prefix_test

    if len(args) > 1:
        prefix_test(frame, block, position, args[0], holds, args[1])


def comparison(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, op: str, holds: bool) -> None:
    """``preg_match(...) === 1``, ``strpos($path, $base) === 0``, ``basename($x) === $x``."""
    from glasshouse.scan.interp import refine

    left, right = ins[4], ins[5]
    if frame.val(left).const is not NOT_CONST:
        left, right = right, left
    where, call = definition(block, position, left)
    if call is None or call[0] != ir.CALL:
        return
    name, bound = frame.val(call[3]).path, frame.val(right).const
    args = [item for item in call[4] if item.__class__ is not list]
    if not args:
        return
    if bound in (1, 0) and name in ("preg_match", "in_array") and bound.__class__ is int:
        call_test(frame, block, where, call, holds == bool(bound))
    elif name in POSITION_TESTS and bound == 0 and bound.__class__ is int and holds:
        begins_with(frame, block, where, args, True)
    elif name in PREFIX_COMPARISONS and bound == 0 and holds:
        begins_with(frame, block, where, args, True)
    elif name in POSITION_TESTS and bound is False and holds and len(args) > 1:
        if frame.val(args[1]).const in ("..", "../", "/", "\\", "./"):
            refine.scrub(frame, block, where, args[0], frame.machine.bit("path"))
    elif name == "basename" and holds:
        refine.scrub(frame, block, where, args[0], frame.machine.bit("path"))
    elif name == "substr" and holds and len(args) > 2 and frame.val(args[1]).const == 0:
        refine.prefix_test(frame, block, where, args[0], True, right)
