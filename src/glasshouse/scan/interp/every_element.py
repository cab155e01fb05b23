"""What tests of every element tell of the whole, and tests of some element of the value it is compared with.

``for (char c : name) if (!isLetter(c)) return false``, ``all(c in letters for c in name)``, ``name.every(...)``: what
is harmless in each element is harmless in all of them.  ``allowed.some(item => item === name)``: ``name`` is harmless
if the list is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import access_paths, attributes, elements, predicates
from glasshouse.scan.interp.access_paths import ANY, definition
from glasshouse.scan.interp.values import FuncRef, Obj, Value, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

ALL = frozenset(["allMatch", "every", "all"])
SOME = frozenset(["anyMatch", "some", "any", "noneMatch", "find", "findIndex"])
SPLITTING = frozenset(["str_split", "mb_str_split", "list", "set", "$range"])
MAX_ELEMENTS = 8
LOOK_BACK = 6
UNITS = frozenset("chars codePoints toCharArray split stream parallelStream iterator".split())  # the same in pieces


def after_loop(frame: Frame, ins: ir.Instr, element: Value) -> None:
    """A loop over all elements has ended by itself: what it has told of its variable holds for each of them."""
    body = ins[5]
    name = variable(ins[3], body)
    if not isinstance(name, str) or assigned_again(body, name):
        return
    held = Value(taint=attributes.deep_taint(frame.machine, element))
    mask = predicates.ruled_out(frame, held, frame.env.get(name))
    if mask:
        whole(frame, frame.block, here(frame, ins), ins[4], mask)


def assigned_again(body: ir.Block, name: str) -> bool:
    return [ins[0] == ir.MOVE and ins[2] == name for ins in body].count(True) > 1


def variable(target: Any, body: ir.Block) -> Any:
    """The variable that holds the element of a loop: a temporary, or the value of a pair, is moved to it first."""
    for ins in body[:3]:
        if ins[0] in (ir.MOVE, ir.ITEM) and ins[3] == target:
            target = ins[2]
    return target


def after_count(frame: Frame, ins: ir.Instr, told: dict[access_paths.Place, int]) -> None:
    """A loop that counts has ended by itself; ``told`` is what each turn has tested, some of it at the counter."""
    for place, mask in told.items():
        if place.parts == (ANY,) and frame.env.get(place.variable) is place.root:
            whole(frame, frame.block, here(frame, ins), place.variable, mask)


def here(frame: Frame, ins: ir.Instr) -> int:
    return next((number for number, item in enumerate(frame.block) if item is ins), len(frame.block))


def whole(frame: Frame, block: ir.Block, position: int, operand: Any, mask: int) -> None:
    """Every element of the operand is harmless for ``mask``."""
    from glasshouse.scan.interp import refine

    for ref in frame.val(operand).refs:
        fields = frame.machine.fields(ref) if ref.__class__ is Obj else None
        for name, item in (fields or {}).items():
            if item.taint and name != "#len" and name.__class__ is not tuple:
                frame.machine.write(ref, name, with_taint(item, without(item.taint, mask)))
    for _ in range(LOOK_BACK):
        refine.scrub(frame, block, position, operand, mask)
        position, ins = definition(block, position, operand)
        if ins is None or ins[0] not in (ir.CALL_METHOD, ir.MOVE, ir.CALL):
            return
        if ins[0] == ir.CALL:
            if frame.val(ins[3]).path not in SPLITTING or not ins[4]:
                return
            operand = ins[4][0]
        elif ins[0] == ir.CALL_METHOD and ins[4] not in UNITS:
            return
        else:
            operand = ins[3]


def call_test(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> bool:
    """A call that asks of all or of some elements whether they pass a test; whether it is one."""
    method = ins[0] == ir.CALL_METHOD
    name = ins[4] if method else frame.val(ins[3]).path.rpartition(".")[2]
    args = [item for item in (ins[5] if method else ins[4]) if item.__class__ is not list]
    if name not in ALL and name not in SOME:
        return False
    if name == "noneMatch":
        holds = not holds
    every = holds if name in ALL else not holds
    if method and len(args) == 1:
        by_function(frame, block, position, (ins[3], args[0]), holds, every)
    elif len(args) == 1 and frame.module.language == "python":
        by_comprehension(frame, block, position, args[0], holds, every)
    return True


def by_function(
    frame: Frame, block: ir.Block, position: int, operands: tuple[Any, Any], holds: bool, every: bool
) -> None:
    """``items.every(test)``."""
    from glasshouse.scan.interp import refine

    items, test = frame.val(operands[0]), frame.val(operands[1])
    ref: Any = test.refs[0] if len(test.refs) == 1 else None
    element = elements.element(frame, items, "values", 0)
    if ref.__class__ is not FuncRef:
        model = frame.machine.matcher(frame).call(test.path) if every and test.path else None
        for sanitizer in model.sanitizers if model is not None else ():
            if sanitizer.guard == ("true" if holds else "false"):
                whole(frame, block, position, operands[0], sanitizer.mask)
        return
    if predicates.too_large(frame, ref) or not ref.fn.ir.params:
        return
    compared = predicates.compared_with(ref.fn)
    if compared is not None:  # ``allowed.stream().anyMatch(name::equals)``
        if not every and refine.allow_list(frame, items):
            refine.scrub(frame, block, position, compared, frame.machine.everything)
        return
    found = predicates.tried(frame, ref, [element], holds, block[position][1])
    if found is None:
        return
    after = found[1]
    if every:
        mask = predicates.ruled_out(frame, element, after.get(ref.fn.ir.params[0].name))
        if mask:
            whole(frame, block, position, operands[0], mask)
    for name, now in after.items():
        old = frame.env.get(name)
        if old is not None and name not in ref.fn.names:
            mask = predicates.ruled_out(frame, old, now)
            if mask:
                refine.scrub(frame, block, position, name, mask)


def by_comprehension(frame: Frame, block: ir.Block, position: int, operand: Any, holds: bool, every: bool) -> None:
    """``all(test(c) for c in items)``: a loop that appends the outcome of each test to a list."""
    from glasshouse.scan.interp import refine

    for index in range(position - 1, max(position - LOOK_BACK, -1), -1):
        loop = block[index]
        if loop[0] == ir.FOREACH and loop[5] and isinstance(operand, str):
            body = loop[5]
            last = body[-1]
            if last[0] != ir.CALL_METHOD or last[3] != operand or last[4] != "append" or len(last[5]) != 1:
                return
            break
    else:
        return
    known = elements.known_elements(frame, frame.val(loop[4]), loop[6])
    element = elements.element(frame, frame.val(loop[4]), loop[6], 0)
    turns = known if every and known is not None and len(known) <= MAX_ELEMENTS else [element]
    for item in turns:
        target = variable(loop[3], body)
        frame.store(loop[3], item)
        frame.store(target, item)
        held = frame.val(target)
        refine.assume(frame, body, len(body) - 1, last[5][0], holds, 1)
        if every and turns is not known:
            mask = predicates.ruled_out(frame, held, frame.val(target))
            if mask:
                whole(frame, block, index, loop[4], mask)
