"""What command lines let through: ``type=int``, ``choices=[...]`` of argparse and click's own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp.values import Value, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.program import Fn

PARSED = frozenset(
    ["argparse.ArgumentParser.parse_args()", "argparse.ArgumentParser.parse_known_args()[]", "*.parse_args()"]
)
NUMBERS = frozenset("int float bool INT FLOAT BOOL UUID IntRange FloatRange DateTime Decimal".split())
CHOICES = frozenset(["Choice"])
FILES = frozenset(["Path", "File", "FileType"])  # whoever calls names a file of their own
MARKS = frozenset(["argument", "option"])


def of_type(frame: Frame, name: str) -> int:
    """What a declared type of an argument rules out."""
    last = name.rpartition(".")[2]
    if last in CHOICES:
        return frame.machine.everything
    if last in FILES:
        return frame.machine.bit("path")
    return frame.machine.everything & ~frame.machine.numeric if last in NUMBERS else 0


def variable(names: list[str]) -> str:
    """The name under which an option is passed: that of the first long form, else of the first."""
    long = next((name for name in names if name.startswith("--")), names[0] if names else "")
    return long.partition("/")[0].lstrip("-").replace("-", "_")


def decorated(frame: Frame, param: ir.Param) -> int:
    """What ``@click.option("--kind", type=click.Choice([...]))`` rules out for the parameter of that name."""
    mask = 0
    for mark in frame.fn.ir.decorators:
        if mark.name.rpartition(".")[2] in MARKS:
            names = [item for name, item in mark.args if not name and item.__class__ is str]
            if param.name in (variable(names), *names):
                mask |= of_type(frame, next((str(item) for name, item in mark.args if name == "$type"), ""))
    return mask


def parsed(frame: Frame, name: str, value: Value) -> Value:
    """``args.jobs``: without what ``add_argument`` in the same file rules out for it."""
    mask = 0
    for fn in frame.module.functions:
        if adds_arguments(frame, fn):
            mask |= added(frame, fn, name)
    return with_taint(value, without(value.taint, mask)) if mask else value


def adds_arguments(frame: Frame, fn: Fn) -> bool:
    """Whether a function's code adds arguments to a parser; told to the unit at work."""
    frame.machine.unit.touched.add(fn)
    found = frame.machine.adding.get(fn)
    if found is None:
        calls = (ins for ins in instructions(fn.ir.body) if ins[0] == ir.CALL_METHOD)
        found = frame.machine.adding[fn] = any(ins[4] == "add_argument" for ins in calls)
    return found


def added(frame: Frame, fn: Fn, name: str) -> int:
    """What the calls of ``add_argument`` in a function rule out for an argument."""
    mask = 0
    consts = fn.ir.consts
    for ins in instructions(fn.ir.body):
        if ins[0] != ir.CALL_METHOD or ins[4] != "add_argument":
            continue
        names = [consts[-1 - item] for item in ins[5] if item.__class__ is int and item < 0]
        given = dict(ins[6])
        dest = given.get("dest")
        target = consts[-1 - dest] if dest.__class__ is int and dest < 0 else variable([str(item) for item in names])
        if target == name:
            mask |= frame.machine.everything if "choices" in given else of_type(frame, str(given.get("type", "")))
    return mask
