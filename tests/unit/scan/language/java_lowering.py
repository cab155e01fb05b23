"""Shows lowered Java as short lines, for the tests of the Java front end."""

from __future__ import annotations

from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.ir import File, Function
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.java import JavaFrontEnd

FRONT_END = JavaFrontEnd()
_BLOCK_FIELDS = {
    "IF": (1, 2),
    "LOOP": (1, 3, 4),
    "DO_LOOP": (1, 2),
    "FOREACH": (3,),
    "TRY": (0, 2, 3),
    "BLOCK": (1,),
}


def lower(code: str, path: str = "A.java", limits: LowerLimits | None = None) -> File:
    return FRONT_END.lower(code.encode("utf-8"), path, limits or LowerLimits())


def function(file: File, name: str) -> Function:
    """The only function whose qualified name ends in ``name``."""
    found = [each for each in file.functions if each.qualname == name or each.qualname.endswith("." + name)]
    assert len(found) == 1, [each.qualname for each in file.functions]
    return found[0]


def shown(function: Function) -> list[str]:
    """One line an instruction; nested blocks are indented; constants as written in Python, temporaries as %n."""
    return _block(function, function.body)


def body(code: str, name: str = "m", path: str = "A.java") -> list[str]:
    """The lines of one method of a file."""
    return shown(function(lower(code, path), name))


def method(statements: str, members: str = "") -> list[str]:
    """The lines of an instance method with these statements, in class A with these members."""
    return body(f"public class A {{ {members} void m() {{ {statements} }} }}")


def _block(function: Function, block: list[Any]) -> list[str]:
    lines: list[str] = []
    for instruction in block:
        name = ir.OP_NAMES[instruction[0]]
        fields = instruction[2:]
        nested = _BLOCK_FIELDS.get(name, ())
        plain = [_operand(function, field) for position, field in enumerate(fields) if position not in nested]
        if name in ("TRY", "SWITCH"):
            plain = plain[:-1]
        lines.append(" ".join([name, *plain]))
        for position in nested:
            inner = _block(function, fields[position])
            lines.extend("  " + line for line in inner)
            if position != nested[-1]:
                lines.append("  --")
        if name == "SWITCH":
            for operands, arm in fields[2]:
                lines.append("  case " + _operand(function, operands))
                lines.extend("    " + line for line in _block(function, arm))
        elif name == "TRY":
            for types, variable, handler in fields[1]:
                lines.append(f"  catch {'|'.join(types)} {variable}")
                lines.extend("    " + line for line in _block(function, handler))
    return lines


def _operand(function: Function, field: Any) -> str:
    if isinstance(field, int):
        return repr(function.consts[-1 - field]) if field < 0 else f"%{field}"
    if isinstance(field, list):
        return "[" + ", ".join(_operand(function, each) for each in field) + "]"
    return str(field)
