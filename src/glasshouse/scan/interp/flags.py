"""What a flag tells that a loop sets: ``ok = false; for (c in allowed) if (c == name) ok = true; if (!ok) return``.

Where the flag was changed, the test that changes it came out so for some element; where it was not, for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp import attributes, elements, every_element, predicates
from glasshouse.scan.interp.handlers import HANDLERS
from glasshouse.scan.interp.values import UNKNOWN

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.values import Value

LOOPS = frozenset([ir.FOREACH, ir.LOOP])
LEAVING = frozenset([ir.BREAK, ir.CONTINUE, ir.RETURN, ir.RAISE])
MAX_NESTED = 4


class Test(NamedTuple):
    """A condition inside the loop, and how it came out where the flag is changed."""

    block: ir.Block
    place: int
    cond: Any
    truth: bool


def assume(frame: Frame, block: ir.Block, start: int, end: int, name: str, holds: bool, depth: int) -> None:
    """A variable given a constant at ``start`` is true (or false) at ``end``; a loop between may have changed it."""
    from glasshouse.scan.interp import refine

    loop = next((ins for ins in block[start + 1 : end] if ins[0] in LOOPS and mentions(ins[5], name)), None)
    if loop is None:
        return
    found = way(frame, loop[5], name, 0)
    first = frame.val(block[start][3]).const
    if found is None or found[0].const is first or found[0].const.__class__ is not bool:
        return
    changed, tests = found
    if holds == changed.const:
        if loop[0] == ir.FOREACH:
            frame.store(loop[3], element(frame, loop))
        for test in tests:
            read_again(frame, test, [] if loop[0] == ir.FOREACH else loop[6])
            refine.assume(frame, test.block, test.place, test.cond, test.truth, depth + 1)
    elif loop[0] == ir.FOREACH and len(tests) == 1 and not leaves(loop[5], name):
        none_of(frame, block, loop, tests[0])


def read_again(frame: Frame, test: Test, update: ir.Block) -> None:
    """What the test looks at, in whatever turn."""
    counters = {ins[2]: frame.env[ins[2]] for ins in update if ins[0] == ir.MOVE and ins[2] in frame.env}
    frame.env.update(dict.fromkeys(counters, UNKNOWN))
    for ins in test.block[: test.place]:
        if ins[0] in (ir.ATTR, ir.ITEM):
            HANDLERS[ins[0]](frame, ins)
    frame.env.update(counters)


def element(frame: Frame, loop: ir.Instr) -> Value:
    return elements.element(frame, frame.val(loop[4]), loop[6], 0)


def mentions(body: ir.Block, name: str) -> bool:
    return any(ins[0] == ir.MOVE and ins[2] == name for ins in instructions(body))


def leaves(body: ir.Block, name: str) -> bool:
    """Whether the loop may end early without a change of the flag."""
    for ins in body:
        if ins[0] == ir.IF and not mentions([ins], name) and any(x[0] == ir.BREAK for x in instructions([ins])):
            return True
        if ins[0] == ir.BREAK:
            return True
    return False


def way(frame: Frame, body: ir.Block, name: str, depth: int) -> tuple[Value, list[Test]] | None:
    """What the flag is set to in the one place of the loop that sets it, and the tests on the way there."""
    tests: list[Test] = []
    found: tuple[Value, list[Test]] | None = None
    for index, ins in enumerate(body):
        if ins[0] == ir.MOVE and ins[2] == name:
            if found is not None:
                return None
            found = frame.val(ins[3]), list(tests)
        elif ins[0] == ir.IF:
            arms = [(arm, truth) for arm, truth in ((ins[3], True), (ins[4], False)) if mentions(arm, name)]
            if arms and (len(arms) > 1 or found is not None or depth > MAX_NESTED):
                return None
            if arms:
                inner = way(frame, arms[0][0], name, depth + 1)
                if inner is None:
                    return None
                found = inner[0], [*tests, Test(body, index, ins[2], arms[0][1]), *inner[1]]
            elif found is None and ins[3] and ins[3][-1][0] in LEAVING and not ins[4]:
                tests.append(Test(body, index, ins[2], False))
        elif mentions([ins], name):
            return None
    return found


def none_of(frame: Frame, block: ir.Block, loop: ir.Instr, test: Test) -> None:
    """The test came out the other way for every element."""
    from glasshouse.scan.interp import refine

    variable = every_element.variable(loop[3], loop[5])
    if not isinstance(variable, str) or every_element.assigned_again(loop[5], variable):
        return
    held = element(frame, loop)
    if not attributes.deep_taint(frame.machine, held):
        return
    frame.store(loop[3], held)
    frame.store(variable, held)
    before = frame.val(variable)
    refine.assume(frame, test.block, test.place, test.cond, not test.truth, 1)
    mask = predicates.ruled_out(frame, before, frame.val(variable))
    if mask:
        position = next((index for index, ins in enumerate(block) if ins is loop), len(block))
        every_element.whole(frame, block, position, loop[4], mask)
