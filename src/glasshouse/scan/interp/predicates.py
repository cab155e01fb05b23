"""Tests that are functions of the program: ``if (!isSafe(name)) return``.

The function is run again with the arguments of the test, and only the ways out count that return what the test gave;
what is harmless on all of them is harmless for the caller, fields of the receiver (``form.isValid()``) included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp import access_paths, binding, operators, refine
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import ClassRef, FuncRef, Obj, Value, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.heap import Heap
    from glasshouse.scan.interp.states import Env
    from glasshouse.scan.program import Fn

MAX_SIZE = 60  # instructions of a function that is run again
MAX_STACK = 6
EQUALITY = frozenset(["equals", "equalsIgnoreCase"])


def assume(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool, operands: list[Any]) -> None:
    """Take it that the call gave true (or false), if it calls a function of the program."""
    ref = callee(frame, ins, len(operands))
    if ref is None or too_large(frame, ref):
        return
    given = binding.evaluated(frame, *(ins[5:7] if ins[0] == ir.CALL_METHOD else ins[4:6]))
    if given.rest is not None or given.kw:
        return
    receiver = owner(ref)
    fields = dict(frame.machine.fields(receiver) or {}) if receiver is not None else {}
    found = tried(frame, ref, given.pos, holds, ins[1])
    if found is None:
        return
    before, after, heap = found
    for (name, old), operand in zip(before.items(), operands, strict=False):
        mask = ruled_out(frame, old, after.get(name))
        if mask:
            refine.scrub(frame, block, position, operand, mask)
    for name, old in fields.items():
        if old.taint:
            mask = ruled_out(frame, old, (heap.get(receiver) or fields).get(name))
            if mask:
                frame.machine.write(receiver, name, with_taint(old, without(old.taint, mask)))


def compared_with(fn: Fn) -> ir.Operand | None:
    """What a method reference compares its argument with: ``name::equals``."""
    body = fn.ir.body
    found = body and body[0][0] == ir.CALL_METHOD and body[0][4] in EQUALITY and fn.ir.params[0].kind == "*"
    return body[0][3] if found else None


def owner(ref: FuncRef) -> Obj | None:
    """The object that a method is called on."""
    this: Any = ref.this.refs[0] if ref.this is not None and len(ref.this.refs) == 1 else None
    return this if this.__class__ is Obj else None


def too_large(frame: Frame, ref: FuncRef) -> bool:
    """Whether a function is not to be run again."""
    machine = frame.machine
    if len(machine.stack) > MAX_STACK or ref.fn in machine.stack:
        return True
    machine.unit.touched.add(ref.fn)
    return bool(ref.fn.ir.flags & (ir.ASYNC | ir.GENERATOR | ir.ABSTRACT)) or machine.budget.size(ref.fn) > MAX_SIZE


def tried(
    frame: Frame, ref: FuncRef, values: list[Value], holds: bool, span: int
) -> tuple[dict[str, Value | None], Env, Heap] | None:
    """Run a function where it gives true (or false): its parameters before, and variables and heap afterwards."""
    machine = frame.machine
    heap, machine.heap = machine.heap, machine.heap.fork()
    new = machine.new_frame(ref.fn, ref.this, ref.frame)
    new.expected = holds
    binding.bind(frame, new, ref.fn, Arguments(values, {}), span)
    before = {param.name: new.env.get(param.name) for param in ref.fn.ir.params if param.kind == "pos"}
    machine.stack.append(ref.fn)
    new.run()
    machine.stack.pop()
    machine.heap, after = heap, machine.heap
    if new.exit_env is None or machine.steps > machine.limit:
        return None
    return before, new.env, after


def refuses(known: dict[Fn, bool], fn: Fn) -> bool:
    """Whether a function gives nothing back and raises for some arguments: ``void check(name) { if (...) throw }``.

    Only functions that are called like tests are looked at: running every one again would cost too much.
    """
    found = known.get(fn)
    if found is None and not access_paths.CHECKING.search(fn.ir.name):
        found = known[fn] = False
    if found is None:
        raises = gives = False
        for instr in instructions(fn.ir.body):
            raises |= instr[0] == ir.RAISE
            gives |= instr[0] == ir.RETURN and not is_nothing(fn, instr[2])
        found = known[fn] = raises and not gives
    return found


def is_nothing(fn: Fn, operand: ir.Operand) -> bool:
    return isinstance(operand, int) and operand < 0 and fn.ir.consts[-1 - operand] is None


def ruled_out(frame: Frame, old: Value | None, now: Value | None) -> int:
    """The classes of weakness for which a parameter's value has become harmless."""
    if old is None or now is None or not old.taint:
        return 0
    before = left = 0
    for bits, _ in old.taint.values():
        before |= bits
    for bits, _ in (now.taint or {}).values():
        left |= bits
    return before & ~left & frame.machine.everything


def callee(frame: Frame, ins: ir.Instr, count: int) -> FuncRef | None:
    """The one function of the program that a call runs."""
    value = frame.val(ins[3])
    if len(value.refs) != 1:
        return None
    ref: Any = value.refs[0]
    if ins[0] == ir.CALL:
        return ref if ref.__class__ is FuncRef and not value.path else None
    program = frame.machine.program
    if ref.__class__ is Obj and ref.cls is not None:
        fn = program.find_method(ref.cls, ins[4], count)
        if fn is None or fn.ir.flags & ir.CLASS_METHOD or (ref.open and program.overrides(ref.cls, ins[4], count, 1)):
            return None
        return FuncRef(fn, ref.home, Value(refs=(ref,)))
    if ref.__class__ is ClassRef:
        fn = program.find_method(ref.cls, ins[4], count)
        return FuncRef(fn, None, None) if fn is not None and fn.ir.flags & ir.STATIC else None
    if ref.__class__ is FuncRef and frame.module.language == "javascript":
        held = (frame.machine.fields(ref.fn) or {}).get(ins[4])
        inner: Any = held.refs[0] if held is not None and len(held.refs) == 1 else None
        return inner if inner.__class__ is FuncRef else None
    return None


def returns(frame: Frame, ins: ir.Instr, value: Value) -> bool:
    """Whether a return can give the expected truth; if it can, what that tells of the variables is taken in."""
    expected = bool(frame.expected)
    known = operators.truth(frame.machine, value)
    if known is None and value.path in ERRORS:
        known = True
    if known is not None:
        return known == expected
    index = next((number for number, item in enumerate(frame.block) if item is ins), len(frame.block))
    refine.assume(frame, frame.block, index, ins[2], expected)
    return True


ERRORS = ("errors.New()", "fmt.Errorf()")  # of Go: never nil
PASSING = frozenset("forName loadClass getName getClassLoader getContextClassLoader currentThread resolveClass".split())


def passes_on(fn: Fn) -> bool:
    """Whether a method only loads classes: it raises nothing and calls nothing that could refuse one."""
    for instr in instructions(fn.ir.body):
        if instr[0] == ir.RAISE or (instr[0] == ir.CALL_METHOD and instr[4] not in PASSING):
            return False
    return True
