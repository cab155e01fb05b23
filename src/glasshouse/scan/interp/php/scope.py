"""What a PHP name means where it stands: variables are a function's own, everything else is the program's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes
from glasshouse.scan.interp.php.constants import CONSTANTS
from glasshouse.scan.interp.values import UNKNOWN, ClassRef, FuncRef, Value, join
from glasshouse.scan.program import Cls

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

PHP = Value(path="PHP")


def value_of(frame: Frame, name: str) -> Value:
    """A name that no variable of the function (or of one around it) has."""
    head = name[:1]
    if head == "\\":
        return outside(frame, name)
    if head == "$":
        if name == "$PHP":
            return PHP
        return UNKNOWN if name[1:2].isdigit() or name[:4] == "$ref" else Value(path=name)
    scope: Frame | None = frame
    while scope is not None:
        if name in scope.fn.ir.outer:
            return global_variable(frame, name)
        scope = scope.closure
    return UNKNOWN


def outside(frame: Frame, name: str) -> Value:
    """A function, class or constant."""
    names = frame.machine.program.php
    kind = name[1:2]
    if kind == ":":
        return class_value(frame, name[2:])
    if kind == "#":
        return constant(frame, name)
    found, path = names.function(name)
    if not found:
        return Value(path=path)
    return Value(refs=tuple(FuncRef(fn) for fn in found))


def class_value(frame: Frame, name: str) -> Value:
    found = frame.machine.program.php.type_of(name)
    return Value(refs=(ClassRef(found),)) if isinstance(found, Cls) else Value(path=name)


def constant(frame: Frame, name: str) -> Value:
    known = CONSTANTS.get(name[2:])
    if known is not None:
        return known
    machine = frame.machine
    result: Value | None = None
    for module in machine.program.php.constants.get(name, ())[:3]:
        found = machine.modules.ensure(module).get(name)
        if found is not None:
            result = found if result is None else join(result, found)
    return result if result is not None else Value(path=name[2:])


def global_variable(frame: Frame, name: str) -> Value:
    """``global $name``: what files leave in it; else what rules know of a global of that name."""
    machine = frame.machine
    modules = [frame.module, *machine.program.php.global_modules(name)]
    result: Value | None = None
    for module in dict.fromkeys(modules):
        running = machine.modules.frames.get(module.index)
        env = running.env if running is not None and module.env is None else machine.modules.ensure(module)
        found = env.get(name)
        if found is not None:
            result = found if result is None else join(result, found)
    known = attributes.get_attr(frame, Value(path="GLOBALS"), name, 0)
    return known if result is None else join(result, known) if known.path != f"GLOBALS.{name}" else result
