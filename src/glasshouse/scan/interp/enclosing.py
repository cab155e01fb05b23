"""What stands around a JavaScript or Go function that is looked at alone: imports, functions, variables with a type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp.values import UNKNOWN, FuncRef, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.modules import Modules
    from glasshouse.scan.program import Fn


def value(modules: Modules, frame: Frame, name: str) -> Value | None:
    """What a free name means, when nothing is known of the calls of the functions around."""
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
    """What is known of the variables of a function without running it."""
    found = modules.around.get(fn)
    if found is None:
        found = modules.around[fn] = (typed if fn.module.language == "go" else constants)(modules, fn)
    return found


def typed(modules: Modules, fn: Fn) -> dict[str, Value]:
    """Go: each parameter and variable, with its type where that is written down."""
    names = {param.name: modules.typed(fn.module, param.type or "", UNKNOWN) for param in fn.ir.params}
    this = Value(refs=(Obj("instance", (fn.module.index, 0), fn.cls, open=True),)) if fn.cls is not None else UNKNOWN
    held: dict[ir.Operand, Value] = {"this": this}
    first = next((-1 - place for place, item in enumerate(fn.ir.consts) if item == 0 and item is not False), None)
    for instr in instructions(fn.ir.body):
        op = instr[0]
        if op == ir.NEW and isinstance(instr[3], str):
            held[instr[2]] = modules.typed(fn.module, instr[3], UNKNOWN)
        elif op == ir.CALL and instr[3] == "$clone" and instr[4]:
            held[instr[2]] = held.get(instr[4][0], UNKNOWN)
        elif op == ir.CALL_METHOD and isinstance(instr[3], str) and instr[3] in fn.module.imports:
            held[instr[2]] = Value(path=made_by(modules, fn, instr[3], instr[4]))
        elif op == ir.CALL and instr[3] == "$result" and instr[4][0] in held:
            held[instr[2]] = held[instr[4][0]] if instr[4][1] == first else UNKNOWN
        elif op == ir.DECLARE:
            names[instr[2]] = modules.typed(fn.module, instr[3], UNKNOWN)
        elif op == ir.CLOSURE:
            held[instr[2]] = Value(refs=(FuncRef(fn.module.functions[instr[3]], None),))
        elif op == ir.MOVE and isinstance(instr[2], str):
            names.setdefault(instr[2], held.get(instr[3], UNKNOWN))
    return names


def made_by(modules: Modules, fn: Fn, package: str, function: str) -> str:
    """The type that a function of another package gives, or the call itself."""
    owner = modules.import_value(fn.module, fn.module.imports[package].module, "", 0).path
    model = modules.machine.matchers["go"].call(f"{owner}.{function}") if owner else None
    return model.returns if model is not None and model.returns else f"{owner}.{function}()" * bool(owner)


def constants(modules: Modules, fn: Fn) -> dict[str, Value]:
    """JavaScript: the variables that hold an import or one of its functions, and nothing else."""
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
