"""What a test says about ``req.query.x`` still holds when ``req.query.x`` is read again.

A place is a variable and the way from it: field names, constant keys, getters with constant arguments.  What was made
harmless is kept in the environment under ``TESTED``, so that it ends with the branch; it is bound to the variable's
value, so that it ends when the variable gets another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.interp.states import TESTED
from glasshouse.scan.interp.values import NOT_CONST, Obj, Value, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

LOOK_BACK = 40
MAX_PARTS = 6
MAX_AHEAD = 400  # instructions looked at for a later use
MAX_TESTED = 24  # places remembered at once
READS = frozenset([ir.ATTR, ir.ITEM, ir.CALL_METHOD])
GETTERS = frozenset(["param", "header", "query", "at"])
AT_POSITION = frozenset(["charAt", "charCodeAt", "codePointAt"])
SAME_FILE = frozenset(["toPath", "toAbsolutePath", "getAbsoluteFile", "toFile", "resolve"])
CHECKING = re.compile(
    r"(?i)check|valid|verif|ensure|assert|inside|within|protect|guard|escap|refuse|reject|require|allow|permit|safe"
)  # names of tests
CHANGING = ("getAnd", "getNext")
ANY = ("any",)  # part of a place: the element at some position
DEFINES = frozenset(
    [
        *(ir.MOVE, ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.TEMPLATE, ir.IS_TYPE),
        *(ir.CAST, ir.AWAIT),
    ]
)


class Place(NamedTuple):
    """``root`` is the variable's value when it was tested (compared by identity)."""

    variable: str
    root: Value
    parts: tuple[Any, ...]


def definition(block: ir.Block, index: int, operand: Any) -> tuple[int, ir.Instr | None]:
    """The instruction shortly before ``index`` that computed an operand."""
    for position in range(index - 1, max(index - LOOK_BACK, -1), -1):
        ins = block[position]
        op = ins[0]
        if op == ir.IF:
            if isinstance(operand, str) and (assigns(ins[3], operand) or assigns(ins[4], operand)):
                return position, ins
            continue
        if op in DEFINES and ins[2] == operand and ins[2].__class__ is operand.__class__:
            return position, ins
    return -1, None


def assigns(block: ir.Block, name: str) -> bool:
    return any(ins[0] == ir.MOVE and ins[2] == name for ins in block)


def beginning(frame: Frame, block: ir.Block, position: int, operand: Any) -> str | None:
    """The constant text that an operand, put together shortly before, begins with."""
    for _ in range(LOOK_BACK):
        const = frame.val(operand).const
        if const is not NOT_CONST:
            return const if const.__class__ is str else None
        position, ins = definition(block, position, operand)
        if ins is None:
            return None
        if ins[0] == ir.BINOP and ins[3] == "+":
            operand = ins[4]
        elif ins[0] == ir.MOVE:
            operand = ins[3]
        elif ins[0] == ir.TEMPLATE and ins[3]:
            operand = ins[3][0]
        else:
            return None
    return None


def used_later(frame: Frame, block: ir.Block, span: int, methods: frozenset[str]) -> bool:
    """Whether the call at ``span`` gives a variable on which one of these methods is called further down.

    ``mimetype=``: or of which this is set, to a type of content that is no page.
    """
    made: set[Any] = set()
    headers: set[Any] = set()
    pending = list(block)[::-1]
    for _ in range(MAX_AHEAD):
        if not pending:
            break
        ins = pending.pop()
        op = ins[0]
        if ins[1] == span and op in (ir.CALL, ir.CALL_METHOD, ir.NEW):
            made = {ins[2]}
        elif op == ir.MOVE and ins[3] in made:
            made.add(ins[2])
        elif op == ir.CALL_METHOD and ins[3] in made and ins[4] in methods:
            return True
        elif op == ir.CALL_METHOD and ins[3] in made and ins[4] in SAME_FILE:
            made.add(ins[2])
        elif op == ir.CALL_METHOD and CHECKING.search(ins[4]) and not made.isdisjoint(scalars(ins[5])):
            return True
        elif op == ir.SET_ATTR and ins[2] in made and f"{ins[3]}=" in methods:
            return no_page(frame, ins[4])
        elif op == ir.ATTR and ins[3] in made and ins[4] == "headers":
            headers.add(ins[2])
        elif op == ir.SET_ITEM and (ins[2] in headers or ins[2] in made) and "mimetype=" in methods:
            if str(frame.val(ins[3]).const).lower() == "content-type":
                return no_page(frame, ins[4])
        elif made and op == ir.IF:
            pending.extend([*ins[4][::-1], *ins[3][::-1]])
    return False


def no_page(frame: Frame, operand: Any) -> bool:
    """Whether a type of content is known, and browsers do not run script in it."""
    kind = frame.val(operand).const
    return kind.__class__ is str and re.search("html|svg|xml", kind) is None


def scalars(args: list[Any]) -> list[Any]:
    return [item for item in args if item.__class__ is not list]


def operands_of(ins: ir.Instr) -> list[Any]:
    """What a call is given by position."""
    return scalars(ins[5] if ins[0] == ir.CALL_METHOD else ins[4])


def place_of(frame: Frame, block: ir.Block, position: int, ins: ir.Instr) -> Place | None:
    """The place that an instruction reads."""
    parts: list[Any] = []
    while len(parts) < MAX_PARTS:
        part = part_read(frame, ins)
        if part is None:
            return None
        parts.append(part)
        owner = ins[3]
        if isinstance(owner, str):
            return Place(owner, frame.val(owner), tuple(parts))
        before: ir.Instr | None
        position, before = definition(block, position, owner)
        if before is None or before[0] not in READS:
            return None
        ins = before
    return None


def part_read(frame: Frame, ins: ir.Instr) -> Any:
    """One field name, key or getter call; None when it may give something else the next time."""
    op = ins[0]
    if op == ir.ATTR:
        return ins[4]
    if op == ir.ITEM:
        key = frame.val(ins[4]).const
        return key if key.__class__ in (str, int) else ANY if isinstance(ins[4], str) else None
    name, args = ins[4], ins[5]
    if name in AT_POSITION and len(args) == 1 and isinstance(args[0], str):
        return ANY
    getter = name in GETTERS or (name[:3] == "get" and not name.startswith(CHANGING))
    if ins[6] or len(args) > 2 or not (getter or (not args and is_component(frame, ins))):
        return None
    constants = [frame.val(item).const if item.__class__ is not list else NOT_CONST for item in args]
    return None if NOT_CONST in constants else (name, *constants)


def is_component(frame: Frame, ins: ir.Instr) -> bool:
    """Whether a method without arguments gives the component of a Java record (or a field named like it)."""
    if frame.module.language != "java":
        return False
    for ref in frame.val(ins[3]).refs:
        if ref.__class__ is Obj and ref.cls is not None and any(name == ins[4] for name, _ in ref.cls.ir.fields):
            return True
    return False


def note(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, mask: int) -> None:
    """What ``ins`` (at ``position``) read has been made harmless for ``mask``."""
    place = place_of(frame, block, position, ins)
    if place is None:
        return
    have = tested(frame)
    if len(have) < MAX_TESTED or place in have:
        frame.env[TESTED] = Value({**have, place: have.get(place, 0) | mask})


def chosen(frame: Frame, switch: ir.Instr, subject: Any) -> None:
    """In a case of ``switch (req.query.kind)``, that is one of the case's constants."""
    index = next((number for number, item in enumerate(frame.block) if item is switch), 0)
    position, ins = definition(frame.block, index, subject)
    if ins is not None and ins[0] in READS:
        note(frame, frame.block, position, ins, frame.machine.everything)


def tested(frame: Frame) -> dict[Place, int]:
    found = frame.env.get(TESTED)
    return found.const if found is not None and found.const.__class__ is dict else {}


def refined(frame: Frame, ins: ir.Instr, value: Value) -> Value:
    """A tainted value just read by ``ins``, without what tests of the same place have ruled out."""
    block = frame.block
    index = next((number for number, item in enumerate(block) if item is ins), len(block))
    place = place_of(frame, block, index, ins)
    mask = tested(frame).get(place, 0) if place is not None and ANY not in place.parts else 0
    return with_taint(value, without(value.taint, mask)) if mask else value


def written(frame: Frame, name: Any) -> None:
    """A field of that name got tainted data: what was known of places through it no longer holds."""
    left = {place: mask for place, mask in tested(frame).items() if name is NOT_CONST or name not in place.parts}
    frame.env[TESTED] = Value(left)
