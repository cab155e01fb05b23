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
            blocks = blocks_of(instr)
            if blocks:
                stack.extend(iter(block) for block in reversed(blocks))
                break
        else:
            stack.pop()


def blocks_of(instr: ir.Instr) -> list[ir.Block]:
    """The blocks inside an instruction."""
    op = instr[0]
    found = [instr[place] for place in ir.BLOCK_FIELDS.get(op, ())]
    if op == ir.TRY:
        found[1:1] = [handler[2] for handler in instr[3]]
    elif op == ir.SWITCH:
        found = [case[1] for case in instr[4]]
    return found
