"""Shows lowered JavaScript and TypeScript as text, for the tests of that front end."""

from __future__ import annotations

from glasshouse.scan.ir import File, Function
from glasshouse.scan.ir_text import render_function
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.javascript import JavaScriptFrontEnd

FRONT_END = JavaScriptFrontEnd()


def lower(code: str, path: str = "a.js", limits: LowerLimits | None = None) -> File:
    return FRONT_END.lower(code.encode("utf-8"), path, limits or LowerLimits())


def function(file: File, name: str) -> Function:
    """The only function with this name."""
    found = [each for each in file.functions if each.name == name]
    assert len(found) == 1, [each.name for each in file.functions]
    return found[0]


def shown(file: File, index: int = 0) -> list[str]:
    """The instructions of one function, a line each, nested blocks indented."""
    lines = render_function(file.functions[index], index).splitlines()[1:]
    return [line[2:] for line in lines if not line.startswith("  outer ")]


def body(code: str, path: str = "a.js") -> list[str]:
    """The instructions of the module body."""
    return shown(lower(code, path))


def inner(code: str, path: str = "a.js") -> list[str]:
    """The instructions of the file's first function."""
    return shown(lower(code, path), 1)


def exported(code: str, path: str = "a.js") -> list[str]:
    """Qualified names of the functions that other files can reach."""
    return [each.qualname for each in lower(code, path).functions if each.flags & 32]
