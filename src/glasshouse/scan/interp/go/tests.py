"""What Go's own ways to test tell: a look-up in a map of allowed values, a call that gave no error, ``regexp``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import refine
from glasshouse.scan.interp.access_paths import definition, operands_of

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

MOVES = 4


def member(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    """``if allowed[x]`` and ``_, ok := allowed[x]``: x is one of the keys, which the program chose."""
    owner, key = (ins[4][0], ins[4][1]) if ins[0] == ir.CALL else (ins[3], ins[4])
    if holds and frame.val(key).taint and refine.allow_list(frame, frame.val(owner)):
        refine.scrub(frame, block, position, key, frame.machine.everything)


def failed(frame: Frame, block: ir.Block, position: int, operand: Any, fine: bool) -> None:
    """``_, err := f(x)`` and ``err != nil``: where there is no error, x is what f takes."""
    for _ in range(MOVES):
        position, ins = definition(block, position, operand)
        if ins is None:
            return
        if ins[0] == ir.MOVE:
            operand = ins[3]
            continue
        if ins[0] == ir.CALL and ins[3] == "$result" and frame.val(ins[4][1]).const != 0:
            operand = ins[4][0]
            continue
        if ins[0] in (ir.CALL, ir.CALL_METHOD):
            refine.guard_models(frame, block, position, ins, fine, operands_of(ins))
        return


def chosen(frame: Frame, ins: ir.Instr, subject: int) -> None:
    """``switch u.Hostname() { case "a", "b": ... }``: in the case it is one of the constants."""
    position = next((index for index, item in enumerate(frame.block) if item is ins), len(frame.block))
    before = frame.regs[subject]
    refine.scrub(frame, frame.block, position, subject, frame.machine.everything)
    frame.regs[subject] = before


def is_host(frame: Frame, ins: ir.Instr) -> bool:
    """``u.Host`` or ``u.Hostname()`` of an address."""
    named = (ins[0] == ir.ATTR and ins[4] == "Host") or (ins[0] == ir.CALL_METHOD and ins[4] == "Hostname")
    return named and frame.val(ins[3]).path == "net/url.URL"


def host(frame: Frame, block: ir.Block, position: int, operand: Any, mask: int) -> None:
    """An address whose host the program knows, and the text it was read from, lead nowhere else."""
    refine.scrub(frame, block, position, operand, mask, 1)
    for _ in range(MOVES):
        before = position
        position, ins = definition(block, position, operand)
        if ins is None:
            block, position = refine.around(frame, block, before)
            position, ins = definition(block, position, operand)
        if ins is None:
            return
        if ins[0] == ir.MOVE:
            operand = ins[3]
        elif ins[0] == ir.CALL and ins[3] == "$result":
            operand = ins[4][0]
        elif ins[0] == ir.CALL_METHOD and ins[4] in ("Parse", "ParseRequestURI") and len(ins[5]) == 1:
            refine.scrub(frame, block, position, ins[5][0], mask, 1)
            return
        else:
            return


def pattern(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    """``pattern.MatchString(x)``; ``regexp.MatchString(pattern, x)`` is one with two arguments."""
    from glasshouse.scan.interp import patterns

    operands = operands_of(ins)
    if not operands:
        return
    receiver = frame.val(ins[3])
    known = patterns.parts(frame.machine, receiver)
    if known is None and len(operands) == 2:
        text = frame.val(operands[0]).const
        known = (text, "") if text.__class__ is str else None
    if known is None:
        return
    left = patterns.matched(known[0], False, False) if holds else patterns.unmatched(known[0])
    mask = patterns.harmless(frame, left) if left is not None else 0
    if mask:
        refine.scrub(frame, block, position, operands[-1], mask)


def assume(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    """Take it that a test of Go's own came out true (or false)."""
    if ins[0] == ir.ITEM or (ins[0] == ir.CALL and ins[3] == "$has"):
        member(frame, block, position, ins, holds)
    elif ins[0] == ir.CALL_METHOD and ins[4] in ("MatchString", "Match"):
        pattern(frame, block, position, ins, holds)
    elif ins[0] == ir.CALL_METHOD and ins[4] == "HasSuffix" and holds and len(ins[5]) == 2:
        ending = frame.val(ins[5][1]).const
        if ending.__class__ is str and ending[:1] == ".":  # a host below one of the program's own
            mask = frame.machine.bit("ssrf") | frame.machine.bit("redirect")
            refine.scrub(frame, block, position, ins[5][0], mask)
    elif ins[0] == ir.CALL and ins[3] == "$result":
        where, call = definition(block, position, ins[4][0])
        if call is not None and call[0] == ir.CALL_METHOD and frame.val(ins[4][1]).const == 0:
            assume(frame, block, where, call, holds)
