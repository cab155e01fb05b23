"""Every instruction of a body, whatever it is nested in."""

from __future__ import annotations

from collections.abc import Iterator

from glasshouse.scan import ir

NESTING = frozenset([*ir.BLOCK_FIELDS, ir.SWITCH])
"""Instructions that hold blocks."""


def instructions(body: ir.Block) -> Iterator[ir.Instr]:
    """The instructions in order; those of a loop once."""
    stack = [iter(body)]
    while stack:
        for instr in stack[-1]:
            yield instr
            if instr[0] in NESTING:
                stack.extend(iter(block) for block in reversed(blocks_of(instr)))
                break
        else:
            stack.pop()


def blocks_of(instr: ir.Instr) -> list[ir.Block]:
    """The blocks inside an instruction."""
    op = instr[0]
    if op == ir.IF:  # by far the most
        return [instr[3], instr[4]] if instr[4] else [instr[3]]
    if op == ir.SWITCH:
        return [case[1] for case in instr[4]]
    found = [instr[place] for place in ir.BLOCK_FIELDS.get(op, ())]
    if op == ir.TRY:
        found[1:1] = [handler[2] for handler in instr[3]]
    return found
