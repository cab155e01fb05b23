"""Fields that the caller of a constructor has chosen: ``constructor(options) { this.name = options.name; }``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.bodies import blocks_of, instructions

if TYPE_CHECKING:
    from glasshouse.scan.program import Fn

MAX_INSTRUCTIONS = 2000  # of a constructor that are looked at


def given(fn: Fn, field: str) -> bool:
    """Whether the constructor of a method's class puts something made of its parameters into the field."""
    maker = constructor(fn)
    if maker is None or not maker.ir.params:
        return False
    derived: set[ir.Operand] = {param.name for param in maker.ir.params}
    for count, instr in enumerate(instructions(maker.ir.body)):
        if count > MAX_INSTRUCTIONS:
            return False
        if instr[0] == ir.SET_ATTR and instr[2] == "this" and instr[3] == field and instr[4] in derived:
            return True
        if len(instr) > 3 and not blocks_of(instr) and any(operand in derived for operand in operands(instr)):
            derived.add(instr[2])
    return False


def constructor(fn: Fn) -> Fn | None:
    """The constructor of the class, or the function to whose prototype the method was added."""
    if fn.cls is not None:
        return next((item for item in fn.cls.methods.get("constructor", ())), None)
    owner, found, _ = fn.ir.qualname.partition(".prototype.")
    if not found:
        return None
    functions = fn.module.functions
    return next((item for item in functions if item.ir.name == owner and item.ir.kind == "function"), None)


def operands(instr: ir.Instr) -> Iterator[ir.Operand]:
    for item in instr[3:]:
        if isinstance(item, list):
            yield from (part for part in item if isinstance(part, int | str))
        elif isinstance(item, int | str):
            yield item
