"""Weaknesses that the declared types of operands show: counters too narrow for their bound, HRESULT taken for a truth
value, programs named without quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.language.c.types import SIZES
from glasshouse.scan.memory.api import COMPATIBLE, DEALLOCATORS
from glasshouse.scan.memory.numbers import width

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine
    from glasshouse.scan.memory.program import FunctionFacts

TRUTH = frozenset(["BOOL", "bool", "BOOLEAN"])
LAUNCHERS = {
    "CreateProcess": (0, 1),
    "CreateProcessA": (0, 1),
    "CreateProcessW": (0, 1),
    "CreateProcessAsUser": (1, 2),
    "CreateProcessAsUserA": (1, 2),
    "CreateProcessAsUserW": (1, 2),
    "CreateProcessWithTokenW": (2, 3),
    "CreateProcessWithLogonW": (4, 5),
}


class Types:
    """Declared types of one function's variables, and of what is computed from them."""

    def __init__(self, engine: Engine, facts: FunctionFacts) -> None:
        self.engine = engine
        self.facts = facts
        resolved = engine.facts.resolved
        self.variables = {param.name: resolved(param.type) for param in facts.function.params}
        self.raw = {param.name: param.type for param in facts.function.params}
        for ins in facts.every:
            if ins[0] == ir.DECLARE:
                text = ins[3].removeprefix("static ")
                self.raw[ins[2]] = text
                self.variables[ins[2]] = resolved(text)

    def constant(self, operand: Any) -> Any:
        if operand.__class__ is int and operand < 0:
            return self.facts.function.consts[-1 - operand]
        if operand == "NULL":
            return 0
        return self.engine.facts.constants.get(operand) if operand.__class__ is str else None

    def of(self, operand: Any, *, raw: bool = False, depth: int = 0) -> str:
        """The type of an operand, "" unknown; ``raw``: as written, type names kept."""
        if operand.__class__ is str:
            table = self.raw if raw else self.variables
            return table.get(operand) or self.engine.facts.globals.get(operand, "")
        ins = self.facts.defs.get(operand) if operand >= 0 else None
        if ins is None or depth > 6:
            return ""
        if ins[0] == ir.CAST:
            return str(ins[3]) if raw else self.engine.facts.resolved(ins[3])
        if ins[0] == ir.MOVE:
            return self.of(ins[3], raw=raw, depth=depth + 1)
        if ins[0] == ir.CALL and isinstance(ins[3], str):
            index = self.engine.facts.by_name.get(ins[3])
            return self.engine.facts.file.functions[index].returns if index is not None else ""
        return ""


def _freed_field(engine: Engine, facts: FunctionFacts, ins: ir.Instr) -> None:
    """``delete data_`` in one method of what another made with ``new char[n]``."""
    number, family = DEALLOCATORS[ins[3]]
    name = ins[4][number] if len(ins[4]) > number else None
    made = engine.facts.field_allocators().get((facts.owner_class, name)) if name.__class__ is str else None
    if made and not any(one == family or (one, family) in COMPATIBLE for one in made):
        engine.report("mismatched-free", ins[1], str(name), f"{min(made)}/{ins[3]}", "high")


def find_typed(engine: Engine, index: int) -> None:
    """Report what types show in one function."""
    own = engine.facts.functions[index]
    if own.owner_class:
        for ins in own.every:
            if ins[0] == ir.CALL and ins[3] in DEALLOCATORS:
                _freed_field(engine, own, ins)
    types = Types(engine, engine.facts.functions[index])
    returns = engine.facts.file.functions[index].returns
    for ins in engine.facts.functions[index].every:
        op = ins[0]
        if op == ir.LOOP and ins[4] != "":
            _narrow_counter(engine, types, ins)
        elif op == ir.CALL and ins[3] in LAUNCHERS:
            _unquoted(engine, types, ins)
        elif op == ir.IF or (op == ir.UNOP and ins[3] == "!"):
            operand = ins[2] if op == ir.IF else ins[4]
            if types.of(operand, raw=True) == "HRESULT":
                engine.report("result-confusion", ins[1], "HRESULT", "a truth value", "medium")
        elif op == ir.CAST:
            _confused(engine, ins[1], types.of(ins[4], raw=True), ins[3])
        elif op == ir.RETURN:
            _confused(engine, ins[1], types.of(ins[2], raw=True), returns)
        elif op == ir.MOVE and ins[2].__class__ is str:
            _confused(engine, ins[1], types.of(ins[3], raw=True), types.raw.get(ins[2], ""))
        elif op == ir.CALL and ins[3] in ("SUCCEEDED", "FAILED") and ins[4]:
            _confused(engine, ins[1], types.of(ins[4][0], raw=True), "HRESULT")


def _confused(engine: Engine, span: int, source: str, target: str) -> None:
    """An HRESULT of success is zero, a BOOL of success is not."""
    if {source, target} & {"HRESULT"} and {source, target} & TRUTH:
        engine.report("result-confusion", span, source, target, "medium")


def _narrow_counter(engine: Engine, types: Types, ins: ir.Instr) -> None:
    """``for (char c = 0; c < n; c++)`` with a wider n may never end."""
    test = types.facts.defs.get(ins[4]) if ins[4].__class__ is int else None
    if test is None or test[0] != ir.BINOP or test[3] not in ("<", "<=", ">", ">=", "!="):
        return
    small, large = (test[4], test[5]) if test[3] in ("<", "<=", "!=") else (test[5], test[4])
    text = types.of(small) if small.__class__ is str else ""
    limits = width(text)
    if limits is None or SIZES.get(text, 8) > 2 or small not in engine.facts.loop(ins).up:
        return
    bound = types.constant(large)
    if isinstance(bound, int):
        wider = bound > limits[1]
    else:
        other = types.of(large) if large.__class__ is str else ""
        wider = SIZES.get(other, 0) > SIZES.get(text, 8)
    if wider:
        engine.report("narrow-counter", test[1], str(small), text, "medium")


def _unquoted(engine: Engine, types: Types, ins: ir.Instr) -> None:
    """Without a program name and quotes, ``C:\\\\Program Files\\\\x`` starts ``C:\\\\Program``."""
    program, command = LAUNCHERS[ins[3]]
    args = ins[4]
    if len(args) <= command or types.constant(args[program]) != 0:
        return
    text = types.constant(args[command])
    if text is None and args[command].__class__ is int:
        source = types.facts.defs.get(args[command])
        if source is not None and source[0] == ir.CAST:
            text = types.constant(source[4])
    if isinstance(text, str) and " " in text and not text.startswith('"'):
        engine.report("unquoted-program", ins[1], str(ins[3]), text[:40], "high")
