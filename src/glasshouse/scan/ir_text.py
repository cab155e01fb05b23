"""Readable text of lowered files, for people and for golden tests; the same file always gives the same text.

One instruction per line, nested blocks indented.  Operands: ``t3`` a temporary, ``name`` a variable, anything else a
constant as in JSON.
"""

from __future__ import annotations

import json
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Function, Instr, Operand

_FLAGS = {
    "static": ir.STATIC,
    "classmethod": ir.CLASS_METHOD,
    "property": ir.PROPERTY,
    "async": ir.ASYNC,
    "generator": ir.GENERATOR,
    "exported": ir.EXPORTED,
    "abstract": ir.ABSTRACT,
    "constructor": ir.CONSTRUCTOR,
    "interface": ir.INTERFACE,
    "enum": ir.ENUM,
    "synchronized": ir.SYNCHRONIZED,
    "test": ir.TEST,
}


def render_function(function: Function, index: int = 0) -> str:
    """One function: a head line, then its body."""
    params = ", ".join(
        f"{each.kind} {each.name}" + (f": {each.type}" if each.type else "") + (" = ..." if each.has_default else "")
        for each in function.params
    )
    head = f"{function.kind} {index} {function.qualname or function.name}({params})"
    head += (f" -> {function.returns}" if function.returns else "") + _flags(function.flags)
    lines = [head]
    lines += [f"  @{each.name}{each.args or ''}" for each in function.decorators]
    if function.outer:
        lines.append(f"  outer {', '.join(function.outer)}")
    if function.capped:
        lines.append(f"  capped: {function.capped}")
    lines += _Printer(function.consts).block(function.body, "  ")
    return "\n".join(lines)


def _flags(flags: int) -> str:
    names = [name for name, bit in _FLAGS.items() if flags & bit]
    return f" [{' '.join(names)}]" if names else ""


def _place(span: int) -> str:
    line, column, end_line, end_column = ir.unpack_span(span)
    return f"{line}:{column}-{end_line}:{end_column}"


class _Printer:
    """Prints the instructions of one function."""

    def __init__(self, consts: list[Any]) -> None:
        self.consts = consts

    def block(self, block: Block, indent: str) -> list[str]:
        return [line for instr in block for line in self.instr(instr, indent)]

    def value(self, operand: Operand) -> str:
        if isinstance(operand, str):
            return operand or "-"
        return f"t{operand}" if operand >= 0 else json.dumps(self.consts[-1 - operand], ensure_ascii=True)

    def args(self, args: list[Any], kwargs: list[Any]) -> str:
        texts = [f"*{self.value(each[1])}" if isinstance(each, list) else self.value(each) for each in args]
        texts += [f"{key}{self.value(each)}" if key == "**" else f"{key}={self.value(each)}" for key, each in kwargs]
        return f"({', '.join(texts)})"

    def items(self, items: list[Any]) -> str:
        texts = []
        for each in items:
            if not isinstance(each, list):
                texts.append(self.value(each))
            elif each[0] == "*":
                texts.append(f"*{self.value(each[1])}")
            else:
                texts.append(f"{self.value(each[0])}: {self.value(each[1])}")
        return f"({', '.join(texts)})"

    def instr(self, instr: Instr, indent: str) -> list[str]:
        op, fields = instr[0], instr[2:]
        simple = self.simple(op, fields)
        return [indent + simple] if simple else self.nested(op, fields, indent)

    def simple(self, op: int, f: list[Any]) -> str:
        """Text of an instruction without blocks, "" for the others."""
        v = self.value
        match op:
            case ir.MOVE:
                return f"{v(f[0])} = {v(f[1])}"
            case ir.ATTR:
                return f"{v(f[0])} = {v(f[1])}.{f[2]}"
            case ir.SET_ATTR:
                return f"{v(f[0])}.{f[1]} = {v(f[2])}"
            case ir.ITEM:
                return f"{v(f[0])} = {v(f[1])}[{v(f[2])}]"
            case ir.SET_ITEM:
                return f"{v(f[0])}[{v(f[1])}] = {v(f[2])}"
            case ir.DEL_ITEM:
                return f"del {v(f[0])}[{v(f[1])}]"
            case ir.CALL:
                return f"{v(f[0])} = {v(f[1])}{self.args(f[2], f[3])}"
            case ir.CALL_METHOD:
                return f"{v(f[0])} = {v(f[1])}.{f[2]}{self.args(f[3], f[4])}"
            case ir.NEW:
                return f"{v(f[0])} = new {v(f[1])}{self.args(f[2], f[3])}"
            case ir.BINOP:
                return f"{v(f[0])} = {v(f[2])} {f[1]} {v(f[3])}"
            case ir.UNOP:
                return f"{v(f[0])} = {f[1]} {v(f[2])}"
            case ir.TEMPLATE:
                return f"{v(f[0])} = template{self.items(f[1])}"
            case ir.MAKE:
                return f"{v(f[0])} = {f[1]}{self.items(f[2])}"
            case ir.CLOSURE | ir.CLASS:
                return f"{v(f[0])} = {'function' if op == ir.CLOSURE else 'class'} {f[1]}"
            case ir.IMPORT:
                return f"{v(f[0])} = import {'.' * f[3]}{f[1]}" + (f":{f[2]}" if f[2] else "")
            case ir.BREAK | ir.CONTINUE:
                return f"{ir.OP_NAMES[op].lower()} {f[0]}".rstrip()
            case ir.RETURN | ir.RAISE | ir.ASSERT:
                return f"{ir.OP_NAMES[op].lower()} {v(f[0])}"
            case ir.YIELD:
                return f"{v(f[0])} = yield{' from' if f[2] else ''} {v(f[1])}"
            case ir.AWAIT:
                return f"{v(f[0])} = await {v(f[1])}"
            case ir.DECLARE:
                return f"declare {f[0]}: {f[1]}"
            case ir.CAST:
                return f"{v(f[0])} = ({f[1]}) {v(f[2])}"
            case ir.IS_TYPE:
                return f"{v(f[0])} = {v(f[1])} is a {' | '.join(f[2]) or '?'}"
            case ir.NOP:
                return "nop"
        return ""

    def nested(self, op: int, f: list[Any], indent: str) -> list[str]:
        """Lines of an instruction that holds blocks: (head, block) pairs, empty optional blocks left out."""
        v = self.value
        sections: list[tuple[str, Block]]
        match op:
            case ir.IF:
                sections = [(f"if {v(f[0])}", f[1]), ("else", f[2])]
            case ir.LOOP:
                sections = [(f"loop {f[0]}".rstrip(), []), ("test", f[1]), (f"while {v(f[2])}", f[3]), ("update", f[4])]
            case ir.DO_LOOP:
                sections = [(f"do {f[0]}".rstrip(), f[1]), ("test", f[2]), (f"while {v(f[3])}", [])]
            case ir.FOREACH:
                sections = [(f"for {v(f[1])} in {v(f[2])} {f[4]} {f[0]}".rstrip(), f[3])]
            case ir.TRY:
                sections = [("try", f[0])]
                sections += [(f"except {' | '.join(types)} as {name or '-'}", block) for types, name, block in f[1]]
                sections += [("else", f[2]), ("finally", f[3])]
            case ir.SWITCH:
                sections = [(f"switch {v(f[1])} {f[0]}".rstrip(), [])]
                sections += [(f"case {', '.join(map(v, cases)) or '_'}", block) for cases, block in f[2]]
            case ir.BLOCK:
                sections = [(f"block {f[0]}", f[1])]
            case ir.DEFAULT:
                sections = [(f"default {f[0]} = {v(f[2])}", f[1])]
            case _:
                sections = [(f"op {op}", [])]
        lines: list[str] = []
        for head, block in sections:
            if block or head not in ("else", "finally", "test", "update"):
                lines += [indent + head, *self.block(block, indent + "  ")]
        return lines
