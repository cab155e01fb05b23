"""Every instruction of a body, whatever it is nested in."""

from __future__ import annotations

from collections.abc import Iterator

from glasshouse.scan import ir

BLOCKS = {
    ir.IF: (3, 4),
    ir.LOOP: (3, 5, 6),
    ir.DO_LOOP: (3, 4),
    ir.FOREACH: (5,),
    ir.TRY: (2, 4, 5),
    ir.BLOCK: (3,),
    ir.DEFAULT: (3,),
}  # where an instruction holds blocks; handlers and cases are below


def instructions(body: ir.Block) -> Iterator[ir.Instr]:
    """The instructions in order; those of a loop once."""
    stack = [iter(body)]
    while stack:
        for instr in stack[-1]:
            yield instr
            blocks = inner(instr)
            if blocks:
                stack.extend(iter(block) for block in reversed(blocks))
                break
        else:
            stack.pop()


def inner(instr: ir.Instr) -> list[ir.Block]:
    """The blocks inside an instruction."""
    op = instr[0]
    found = [instr[place] for place in BLOCKS.get(op, ())]
    if op == ir.TRY:
        found[1:1] = [handler[2] for handler in instr[3]]
    elif op == ir.SWITCH:
        found = [case[1] for case in instr[4]]
    return found
