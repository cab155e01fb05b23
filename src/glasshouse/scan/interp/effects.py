"""What calls that leave the scanned program do to their arguments and receivers."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes, conditions
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.go import builtins as go_builtins
from glasshouse.scan.interp.selectors import Selector
from glasshouse.scan.interp.values import UNKNOWN, Obj, Taint, Value, join_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

FILLED = frozenset(["list", "set", "dict", "map", "jsset"])


def handed_out(machine: Machine, obj: Obj) -> None:
    """An empty collection is given to code that cannot be seen, which will put something into it."""
    fields = machine.fields(obj)
    if fields is None or obj.open or len(fields) > 1:
        return
    length = fields.get("#len")
    if not fields or (length is not None and length.const == 0):
        machine.heap[obj] = {"*": UNKNOWN} if length is None else {"*": UNKNOWN, "#len": UNKNOWN}


def mutates(name: str) -> bool:
    return (
        name[:3] in ("set", "add", "put")
        or name[:6] in ("append", "insert")
        or name in ("push", "write", "extend", "update")
    )


def absorb(frame: Frame, receiver: Value, given: Arguments) -> None:
    """``builder.append(tainted)``: the receiver's object now holds the data.

    An object of the program that is handed over, a handler or a listener, keeps its fields to itself.
    """
    machine = frame.machine
    taint: Taint | None = None
    for value in given.all():
        whole = value.refs and not any(ref.__class__ is Obj and ref.cls is not None for ref in value.refs)
        taint = join_taint(taint, attributes.deep_taint(machine, value) if whole else value.taint)
    if not taint:
        return
    held = False
    for ref in receiver.refs:
        if ref.__class__ is Obj:
            machine.write(ref, "*", Value(taint=taint), weak=True)
            held = True
    if not held:
        machine.taint_variable(frame, receiver, taint)


def taint_arguments(
    frame: Frame, selectors: tuple[Selector, ...], receiver: Value | None, given: Arguments, result: Value, span: int
) -> None:
    for selector in selectors:
        for value in conditions.pick(frame, selector, receiver, given):
            fill(frame, value, result.taint)


def fill(frame: Frame, value: Value, taint: Taint | None) -> None:
    """Put taint into the objects of a value (or the variable that holds it)."""
    if not taint:
        return
    held = frame.module.language == "go" and go_builtins.fill(frame, value, taint)
    for ref in value.refs:
        if ref.__class__ is Obj:
            frame.machine.write(ref, "*", Value(taint=taint), weak=True)
            held = True
    if not held:
        frame.machine.taint_variable(frame, value, taint)


CLEANING = re.compile(
    r"(?i)(?<!un)(?<!de)(sanitiz|sanitis|escape|purif|slugif)|secure_?(file|path|name)|safe_?(join|path|file|name)|"
    r"(check|valid|verif|within|normali[sz]e_and).*path|path.*(check|within|valid)|clean_?(html|path|file|name|input|text)"
)
UNSAFE_NAME = re.compile(r"(?i)unsafe|insecure|no_?(check|escape)|unescape|skip")


@functools.lru_cache(maxsize=4096)
def cleans_by_name(name: str) -> bool:
    """Whether a function that cannot be seen is called what only functions that make data harmless are called."""
    return CLEANING.search(name) is not None and UNSAFE_NAME.search(name) is None
