"""Shows lowered Python as text, for the tests of the Python front end."""

from __future__ import annotations

from textwrap import dedent

from glasshouse.scan.ir import File, Function
from glasshouse.scan.ir_text import render_function
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.python import PythonFrontEnd

FRONT_END = PythonFrontEnd()


def lower(code: str | bytes, path: str = "a/b.py", limits: LowerLimits | None = None) -> File:
    source = code if isinstance(code, bytes) else dedent(code).encode("utf-8")
    return FRONT_END.lower(source, path, limits or LowerLimits())


def body(code: str, name: str = "") -> str:
    """The instructions of one function (the module's by default) as text without the head line."""
    return shown(function(lower(code), name))


def function(file: File, qualname: str) -> Function:
    """The only function with that qualified name."""
    (found,) = (each for each in file.functions if each.qualname == qualname and each.kind != "class")
    return found


def shown(function: Function) -> str:
    return dedent("\n".join(render_function(function).split("\n")[1:])).strip()


def text(expected: str) -> str:
    return dedent(expected).strip()
