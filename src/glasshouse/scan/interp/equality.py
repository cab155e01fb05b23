"""What it tells of a value that it is equal to something, is none, or is found in constant text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import patterns, refine
from glasshouse.scan.interp.access_paths import LOOK_BACK, definition
from glasshouse.scan.interp.values import LITERAL, NOT_CONST, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

MOVES = 6  # variables a call's result is followed through


def given_back(frame: Frame, block: ir.Block, position: int, operand: Any, holds: bool) -> None:
    """A call gave something, or none: ``m = re.match(...)``, ``if m is None``."""
    for _ in range(MOVES):
        position, ins = definition(block, position, operand)
        if ins is None or ins[0] not in (ir.MOVE, ir.CALL, ir.CALL_METHOD):
            return
        if ins[0] != ir.MOVE:
            refine.call_test(frame, block, position, ins, holds)
            return
        operand = ins[3]


def guard_result(frame: Frame, block: ir.Block, position: int, operand: Any, holds: bool) -> None:
    """A test whose outcome is compared with zero: ``validate_file($name) === 0``."""
    where, call = definition(block, position, operand)
    if call is not None and call[0] in (ir.CALL, ir.CALL_METHOD):
        args = call[5] if call[0] == ir.CALL_METHOD else call[4]
        refine.guard_models(frame, block, where, call, holds, [item for item in args if item.__class__ is not list])


def part_of_text(frame: Frame, block: ir.Block, position: int, operand: Any, text: str) -> None:
    """``c in "abc_"``: only characters of the text pass."""
    mask = patterns.harmless(frame, frozenset(char for char in patterns.SPECIAL if char in text))
    if mask:
        refine.scrub(frame, block, position, operand, mask)


COMMON_BASE = frozenset(["commonpath", "commonprefix"])


def common_base(frame: Frame, block: ir.Block, position: int, operand: Any) -> None:
    """``os.path.commonpath([base, path]) == base`` keeps the path below the base."""
    where, call = definition(block, position, operand)
    if call is None or call[0] != ir.CALL_METHOD or call[4] not in COMMON_BASE or not call[5]:
        return
    for index in range(where - 1, max(where - LOOK_BACK, -1), -1):
        ins = block[index]
        if ins[0] == ir.MAKE and ins[2] == call[5][0]:
            for item in ins[4]:
                if item.__class__ is not list:
                    refine.scrub(frame, block, index, item, frame.machine.bit("path"))
            return


def below_folder(frame: Frame, block: ir.Block, position: int, operand: Any) -> None:
    """``base in path.parents`` keeps the path below the base."""
    where, ins = definition(block, position, operand)
    if ins is not None and ins[0] == ir.ATTR and ins[4] == "parents":
        refine.scrub(frame, block, where, ins[3], frame.machine.bit("path"))


def inside_folder(frame: Frame, block: ir.Block, position: int, operand: Any) -> None:
    """``path.parent == base`` keeps the path in the base."""
    where, ins = definition(block, position, operand)
    if ins is not None and ins[0] == ir.ATTR and ins[4] == "parent":
        refine.scrub(frame, block, where, ins[3], frame.machine.bit("path"))


def same_as_constant(
    frame: Frame, block: ir.Block, position: int, first: tuple[Any, Value], second: tuple[Any, Value]
) -> None:
    """``name == allowed``, where the latter is one of the program's own constants."""
    for (operand, value), (_, other) in ((first, second), (second, first)):
        if value.taint and other.path == LITERAL and not other.taint and not other.refs:
            refine.scrub(frame, block, position, operand, frame.machine.everything)


def same_as_own(
    frame: Frame, block: ir.Block, position: int, first: tuple[Any, Value], second: tuple[Any, Value]
) -> None:
    """``path == base``: a path that is the program's own leads nowhere else."""
    for (operand, value), (_, other) in ((first, second), (second, first)):
        own = not refine.given_by_stranger(other) and not refine.normal(frame, other)
        if value.taint and own and other.const is NOT_CONST and refine.normal(frame, value):
            refine.scrub(frame, block, position, operand, frame.machine.bit("path"))
