"""What JavaScript's tests of a value's shape tell of it: ``typeof x === "string"``, ``x instanceof Array``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import refine
from glasshouse.scan.interp.access_paths import definition

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

PRIMITIVE = frozenset(["number", "boolean", "undefined", "bigint", "symbol", "function"])


def typeof_test(frame: Frame, block: ir.Block, position: int, operand: Any, kind: str, holds: bool) -> None:
    """``typeof x === "string"``: text is neither a list nor an object with keys; whoever asks tells them apart."""
    where, ins = definition(block, position, operand)
    if ins is None or ins[0] != ir.UNOP or ins[3] != "typeof":
        return
    machine = frame.machine
    if holds and kind in PRIMITIVE:
        refine.scrub(frame, block, where, ins[4], machine.everything)
    elif holds == (kind == "string") and kind in ("string", "object"):
        refine.scrub(frame, block, where, ins[4], machine.matcher(frame).shape_mask | machine.bit("resource"))
    else:
        refine.scrub(frame, block, where, ins[4], machine.bit("type"))


def shape_test(frame: Frame, block: ir.Block, position: int, operand: Any, holds: bool, array: bool) -> None:
    """``x instanceof Array``."""
    machine = frame.machine
    refine.scrub(
        frame, block, position, operand, machine.bit("type") | (machine.bit("resource") if holds and array else 0)
    )
