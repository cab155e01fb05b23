"""What stands around a JavaScript function that is looked at alone: imports and functions of those it lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.interp.values import FuncRef, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.modules import Modules
    from glasshouse.scan.program import Fn


def value(modules: Modules, frame: Frame, name: str) -> Value | None:
    """The import or function that a free name means, when nothing is known of the calls of the functions around."""
    top = frame
    while top.closure is not None:
        top = top.closure
    fn = top.fn.parent
    while fn is not None and fn.ir.kind != "module":
        modules.machine.unit.touched.add(fn)
        found = table(modules, fn).get(name)
        if found is not None:
            return found
        fn = fn.parent
    return None


def table(modules: Modules, fn: Fn) -> dict[str, Value]:
    """The variables of a function that hold an import or one of its functions, and nothing else."""
    found = modules.around.get(fn)
    if found is None:
        found = modules.around[fn] = constants(modules, fn)
    return found


def constants(modules: Modules, fn: Fn) -> dict[str, Value]:
    held: dict[ir.Operand, Value] = {}
    names: dict[str, Value] = {}
    several: set[str] = {param.name for param in fn.ir.params}
    for instr in fn.ir.body:
        op = instr[0]
        if op == ir.IMPORT:
            held[instr[2]] = modules.import_value(fn.module, instr[3], instr[4], instr[5])
        elif op == ir.CLOSURE:
            held[instr[2]] = Value(refs=(FuncRef(fn.module.functions[instr[3]], None),))
        elif op == ir.ATTR and instr[3] in held and held[instr[3]].path:
            held[instr[2]] = Value(path=f"{held[instr[3]].path}.{instr[4]}")
        elif op == ir.MOVE and isinstance(instr[2], str):
            if instr[2] in names:
                several.add(instr[2])
            elif instr[3] in held:
                names[instr[2]] = held[instr[2]] = held[instr[3]]
            else:
                several.add(instr[2])
    return {name: value for name, value in names.items() if name not in several}
