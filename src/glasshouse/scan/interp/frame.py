"""One activation of one function: runs structured blocks over an environment, joining where control flow meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, calls, operators, refine
from glasshouse.scan.interp.heap import Heap
from glasshouse.scan.interp.values import (
    NONE,
    NOT_CONST,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    Obj,
    Step,
    SuperRef,
    Value,
    join,
    join_taint,
    with_taint,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.program import Fn

Env = dict[str, Value]
State = tuple[Env, Heap]
LOOP_PASSES = 3


def same_fields(have: dict[Any, Value], fields: dict[Any, Value], ordered: bool) -> dict[Any, Value]:
    """Fields of one object after two ways meet."""
    merged = dict(have)
    for key, value in fields.items():
        old = merged.get(key)
        merged[key] = value if old is None or old is value else join(old, value)
    if ordered and len(have) != len(fields):
        merged["#len"] = UNKNOWN
    return merged


def join_env(a: Env, b: Env) -> Env:
    """Variables after two ways meet; ``a`` is changed and returned."""
    for name, value in b.items():
        have = a.get(name)
        if have is None:
            a[name] = value
        elif have is not value:
            a[name] = join(have, value)
    return a


def join_heap(a: Heap, b: Heap, since: int) -> Heap:
    """Fields after two ways meet; ``a`` is changed and returned.  Nothing written before log mark ``since`` can differ."""
    if a is b:
        return a
    log = a.log
    touched = b if len(log) - since > len(b) else dict.fromkeys(log[since:])
    for obj in touched:
        fields = b.get(obj)
        if fields is None:
            continue
        have = a.get(obj)
        if have is None:
            a[obj] = fields
        elif have is not fields:
            a[obj] = same_fields(have, fields, obj.__class__ is Obj and obj.kind == "list")
    return a


def join_state(a: State | None, b: State | None, since: int) -> State | None:
    if a is None:
        return b
    if b is None:
        return a
    return join_env(dict(a[0]), b[0]), join_heap(a[1].fork(), b[1], since)


class LoopContext:
    """Where ``break`` and ``continue`` of one loop, switch or labelled block lead."""

    __slots__ = ("breaks", "continues", "is_loop", "label", "mark")

    def __init__(self, label: str, is_loop: bool, mark: int) -> None:
        self.label = label
        self.mark = mark  # position in the heap's log where it began
        self.is_loop = is_loop
        self.breaks: State | None = None
        self.continues: State | None = None


class TryContext:
    """What may be thrown inside one ``try`` body."""

    __slots__ = ("mark", "raised", "state")

    def __init__(self, mark: int) -> None:
        self.mark = mark
        self.state: State | None = None
        self.raised: Value | None = None


class Frame:
    """See the module docstring.  ``closure`` is the frame of the enclosing function, if it is still known."""

    __slots__ = (
        "block",
        "closure",
        "env",
        "exit_env",
        "fn",
        "given",
        "loops",
        "machine",
        "mark",
        "module",
        "raised",
        "regs",
        "return_sinks",
        "returned",
        "returned_heap",
        "this",
        "tries",
        "yields",
    )

    def __init__(self, machine: Machine, fn: Fn, env: Env, this: Value | None, closure: Frame | None) -> None:
        self.machine = machine
        self.mark = len(machine.heap.log)
        self.fn = fn
        self.module = fn.module
        self.env = env
        self.this = this
        self.closure = closure
        constants = fn.constants
        if constants is None:
            constants = fn.constants = [Value(item) for item in reversed(fn.ir.consts)]
        self.regs: list[Value | None] = [None] * fn.ir.temps + constants  # type: ignore[operator]
        self.returned: Value | None = None
        self.returned_heap: Heap | None = None
        self.raised: Value | None = None
        self.exit_env: Env | None = None
        self.loops: list[LoopContext] = []
        self.tries: list[TryContext] = []
        self.given: frozenset[str] | set[str] = frozenset()
        self.yields: Value | None = None
        self.return_sinks: tuple[Any, ...] = ()
        self.block: ir.Block = []

    # --- values -------------------------------------------------------------------------------------------------

    def val(self, operand: int | str) -> Value:
        if operand.__class__ is int:
            return self.regs[operand] or UNKNOWN  # type: ignore[index]
        found = self.env.get(operand)  # type: ignore[arg-type]
        return found if found is not None else self.free(operand)  # type: ignore[arg-type]

    def free(self, name: str) -> Value:
        """A variable that is not local: enclosing functions, module, imports, builtins."""
        if name == "this":
            return self.receiver()
        closure = self.closure
        while closure is not None:
            found = closure.env.get(name)
            if found is not None:
                return found
            closure = closure.closure
        if name == "super":
            return self.super_value()
        return self.machine.global_value(self, name)

    def receiver(self) -> Value:
        frame: Frame | None = self
        while frame is not None:
            if frame.this is not None:
                return frame.this
            frame = frame.closure
        return UNKNOWN

    def super_value(self) -> Value:
        frame: Frame | None = self
        while frame is not None:
            if frame.fn.cls is not None:
                return Value(refs=(SuperRef(frame.fn.cls, frame.receiver_or_self()),))
            frame = frame.closure
        return UNKNOWN

    def receiver_or_self(self) -> Value:
        if self.this is not None:
            return self.this
        for param in self.fn.ir.params:
            if param.kind == "self":
                return self.env.get(param.name, UNKNOWN)
        return UNKNOWN

    def store(self, dst: int | str, value: Value, span: int = 0) -> None:
        if dst.__class__ is int:
            self.regs[dst] = value  # type: ignore[index]
            return
        name: str = dst  # type: ignore[assignment]
        if value.taint and name[:1] != "$":
            value = self.stepped(value, span, name)
        if self.fn.ir.outer and name in self.fn.ir.outer:
            self.store_outward(name, value)
        else:
            self.env[name] = value

    def stepped(self, value: Value, span: int, name: str) -> Value:
        """The value with the assignment added to the way of its real sources."""
        taint = value.taint
        assert taint is not None
        line = span >> 36
        changed = None
        for label, (mask, step) in taint.items():
            if label.kind == "source" and (step is None or step.span >> 36 != line or step.file != self.module.index):
                if changed is None:
                    changed = dict(taint)
                changed[label] = (mask, Step(self.module.index, span, f"assigned to `{name}`", step))
        return value if changed is None else with_taint(value, changed)

    def store_outward(self, name: str, value: Value) -> None:
        closure = self.closure
        while closure is not None:
            if name in closure.env and closure.fn.ir.kind != "module":
                closure.env[name] = value
                return
            closure = closure.closure
        self.machine.set_global(self, name, value)

    # --- running ------------------------------------------------------------------------------------------------

    def run(self) -> Value:
        """Run the whole function; the returned value.  ``exit_env`` and the machine's heap are those at the exits."""
        alive = self.exec(self.fn.ir.body)
        machine = self.machine
        if alive:
            self.exit_env = self.env if self.exit_env is None else join_env(dict(self.exit_env), self.env)
            if self.returned_heap is not None:
                machine.heap = join_heap(self.returned_heap.fork(), machine.heap, self.mark)
            if self.returned is not None and self.fn.ir.kind != "lambda":
                self.returned = join(self.returned, NONE)
        elif self.returned_heap is not None:
            machine.heap = self.returned_heap
        if self.exit_env is not None:
            self.env = self.exit_env
        if self.fn.ir.flags & ir.GENERATOR:
            made = machine.new_obj("list", self, self.fn.ir.span)
            machine.heap[made] = {"*": self.yields} if self.yields is not None else {}
            return Value(taint=self.yields.taint if self.yields else None, refs=(made,))
        return self.returned if self.returned is not None else NONE

    def exec(self, block: ir.Block) -> bool:
        """Run a block; whether control reaches its end."""
        machine = self.machine
        machine.steps += len(block) + 1
        if machine.steps > machine.limit:
            machine.capped = True
            return False
        handlers = HANDLERS
        outer, self.block = self.block, block
        for index, ins in enumerate(block):
            op = ins[0]
            if op == 16:  # IF looks back for the definition of its condition
                if not self.do_if(ins, index):
                    self.block = outer
                    return False
            elif handlers[op](self, ins):
                self.block = outer
                return False
            else:
                continue
            self.block = block
        self.block = outer
        return True

    def snapshot(self) -> State:
        return dict(self.env), self.machine.heap.fork()

    def restore(self, state: State) -> None:
        self.env, self.machine.heap = state

    def do_if(self, ins: ir.Instr, index: int) -> bool:
        _, _, cond, then, other = ins
        machine = self.machine
        value = self.val(cond)
        truth = operators.truth(machine, value)
        if truth is True:
            return self.exec(then) if then else True
        if truth is False:
            return self.exec(other) if other else True
        block = self.block
        start = (self.env, machine.heap)
        mark = len(machine.heap.log)
        self.env, machine.heap = dict(self.env), machine.heap.fork()
        refine.assume(self, block, index, cond, True)
        alive = self.exec(then) if then else True
        first = (self.env, machine.heap) if alive else None
        self.env, machine.heap = start
        if first is None and not other:
            refine.assume(self, block, index, cond, False)
            return True
        self.env, machine.heap = dict(self.env), machine.heap.fork()
        refine.assume(self, block, index, cond, False)
        self.block = block
        alive = self.exec(other) if other else True
        if first is None:
            return alive
        if alive:
            self.env = join_env(first[0], self.env)
            machine.heap = join_heap(first[1], machine.heap, mark)
        else:
            self.env, machine.heap = first
        return True

    def loop_body(self, context: LoopContext, body: Callable[[], bool]) -> None:
        """Run a loop body until its effect on the state is known (bounded passes)."""
        machine = self.machine
        for turn in range(LOOP_PASSES):
            before = (dict(self.env), machine.heap.fork())
            mark = len(machine.heap.log)
            alive = body()
            state: State | None = (self.env, machine.heap) if alive else None
            state = join_state(state, context.continues, context.mark)
            context.continues = None
            joined = before if state is None else join_state(before, state, context.mark)
            assert joined is not None
            settled = same_env(before[0], joined[0]) and same_heap(before[1], joined[1], mark)
            self.restore(joined)
            if settled or turn == LOOP_PASSES - 1 or machine.steps > machine.limit:
                return

    def leave_loop(self, context: LoopContext, alive: bool) -> bool:
        """State after the loop: its normal end and its breaks.  Returns whether anything gets there."""
        if context.breaks is not None:
            if alive:
                joined = join_state((self.env, self.machine.heap), context.breaks, context.mark)
                assert joined is not None
                self.restore(joined)
            else:
                self.restore(context.breaks)
            return True
        return alive

    def find_context(self, label: str, loops_only: bool) -> LoopContext | None:
        for context in reversed(self.loops):
            if label:
                if context.label == label:
                    return context
            elif context.is_loop or (not loops_only and not context.label.startswith("$block")):
                return context
        return None

    def note_raise(self, value: Value | None) -> None:
        """Something may be thrown here: remember state and value for the nearest handler."""
        if self.tries:
            context = self.tries[-1]
            context.state = join_state(context.state, self.snapshot(), context.mark)
            if value is not None:
                context.raised = value if context.raised is None else join(context.raised, value)
        elif value is not None:
            self.raised = value if self.raised is None else join(self.raised, value)


def same_env(a: Env, b: Env) -> bool:
    if len(a) != len(b):
        return False
    for name, value in b.items():
        have = a.get(name)
        if have is not value and (have is None or not same_value(have, value)):
            return False
    return True


def same_value(a: Value, b: Value) -> bool:
    if a.taint is not b.taint:
        if not a.taint or not b.taint or len(a.taint) != len(b.taint):
            return False
        for label, mark in b.taint.items():
            have = a.taint.get(label)
            if have is None or have[0] != mark[0]:
                return False
    return a.const is b.const and a.path == b.path and len(a.refs) == len(b.refs)


def same_heap(a: Heap, b: Heap, since: int) -> bool:
    for obj in dict.fromkeys(b.log[since:]):
        have, fields = a.get(obj), b.get(obj)
        if have is not fields and (have is None or fields is None or not same_env(have, fields)):
            return False
    return True


# --- instructions: each returns True when control does not go on ---------------------------------------------------


def do_move(self: Frame, ins: ir.Instr) -> bool | None:
    dst = ins[2]
    value = self.val(ins[3])
    if dst.__class__ is str:
        self.machine.assigned(self, dst, value, ins[1])
        value = self.machine.sensitive(self, dst, value, ins[1])
    self.store(dst, value, ins[1])
    return None


def do_attr(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], attributes.get_attr(self, self.val(ins[3]), ins[4], ins[1]), ins[1])
    return None


def do_set_attr(self: Frame, ins: ir.Instr) -> bool | None:
    value = self.val(ins[4])
    self.machine.assigned(self, ins[3], value, ins[1])
    attributes.set_attr(self, self.val(ins[2]), ins[3], value, ins[1])
    return None


def do_item(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], attributes.get_item(self, self.val(ins[3]), self.val(ins[4]), ins[1]), ins[1])
    return None


def do_set_item(self: Frame, ins: ir.Instr) -> bool | None:
    key, value = self.val(ins[3]), self.val(ins[4])
    if key.const.__class__ is str:
        self.machine.assigned(self, key.const, value, ins[1])
    attributes.set_item(self, self.val(ins[2]), key, value, ins[1])
    return None


def do_del_item(self: Frame, ins: ir.Instr) -> bool | None:
    attributes.del_item(self, self.val(ins[2]), self.val(ins[3]))
    return None


def do_call(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, callee, args, kwargs = ins
    given = calls.arguments(self, args, kwargs)
    self.store(dst, calls.call_value(self, self.val(callee), given, span), span)
    return None


def do_call_method(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, obj, name, args, kwargs = ins
    given = calls.arguments(self, args, kwargs)
    self.store(dst, calls.call_method(self, self.val(obj), name, given, span, obj), span)
    return None


def do_new(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, cls, args, kwargs = ins
    given = calls.arguments(self, args, kwargs)
    self.store(dst, calls.construct(self, self.val(cls), given, span), span)
    return None


def do_binop(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], operators.binary(self, ins[3], self.val(ins[4]), self.val(ins[5]), ins[1]), ins[1])
    return None


def do_unop(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], operators.unary(self.machine, ins[3], self.val(ins[4])), ins[1])
    return None


def do_template(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], operators.concat(self, [self.val(part) for part in ins[3]]), ins[1])
    return None


def do_make(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], attributes.make(self, ins[3], ins[4], ins[1]), ins[1])
    return None


def do_closure(self: Frame, ins: ir.Instr) -> bool | None:
    fn = self.module.functions[ins[3]]
    self.store(ins[2], Value(refs=(FuncRef(fn, self),)), ins[1])
    return None


def do_class(self: Frame, ins: ir.Instr) -> bool | None:
    cls = self.module.classes[ins[3]]
    ref = ClassRef(cls, self)
    self.machine.run_class_body(self, cls)
    self.store(ins[2], Value(refs=(ref,)), ins[1])
    return None


def do_import(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, module, name, level = ins
    if name == "*" and self.module.language != "javascript":
        self.machine.import_star(self, module, level)
        return None
    value = self.machine.import_value(self.module, module, name, level)
    self.store(dst, value, span)
    return None


def do_loop(self: Frame, ins: ir.Instr) -> bool | None:
    _, _, label, test, cond, body, update = ins
    context = LoopContext(label, True, len(self.machine.heap.log))
    if test and not self.exec(test):
        return True
    endless = cond == ""
    truth = True if endless else operators.truth(self.machine, self.val(cond))
    if truth is False:
        return None
    self.loops.append(context)

    def once() -> bool:
        if test:
            refine.assume(self, test, len(test), cond, True)
        if not self.exec(body):
            if context.continues is None:
                return False
            self.restore(context.continues)
            context.continues = None
        elif context.continues is not None:
            joined = join_state((self.env, self.machine.heap), context.continues, context.mark)
            assert joined is not None
            self.restore(joined)
            context.continues = None
        return self.exec(update) and (not test or self.exec(test))

    self.loop_body(context, once)
    self.loops.pop()
    if test and not endless:
        refine.assume(self, test, len(test), cond, False)
    return not self.leave_loop(context, not endless)


def do_do_loop(self: Frame, ins: ir.Instr) -> bool | None:
    _, _, label, body, test, cond = ins
    context = LoopContext(label, True, len(self.machine.heap.log))
    self.loops.append(context)
    first_alive = False

    def once() -> bool:
        nonlocal first_alive
        alive = self.exec(body)
        state = join_state((self.env, self.machine.heap) if alive else None, context.continues, context.mark)
        context.continues = None
        if state is None:
            return False
        self.restore(state)
        first_alive = self.exec(test) or first_alive
        return True

    start = self.snapshot()
    if once():
        if operators.truth(self.machine, self.val(cond)) is not False:
            self.loop_body(context, once)
    else:
        self.restore(start)
    self.loops.pop()
    return not self.leave_loop(context, first_alive)


def do_foreach(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, label, dst, iterable, body, kind = ins
    value = self.val(iterable)
    context = LoopContext(label, True, len(self.machine.heap.log))
    items = attributes.known_elements(self, value, kind)
    if items is not None and not items:
        return None
    self.loops.append(context)
    if items is not None and len(items) <= 8:
        alive = True
        for item in items:
            self.store(dst, item, span)
            alive = self.exec(body)
            state = join_state((self.env, self.machine.heap) if alive else None, context.continues, context.mark)
            context.continues = None
            alive = state is not None
            if state is None:
                break
            self.restore(state)
        self.loops.pop()
        return not self.leave_loop(context, alive)
    element = attributes.element(self, value, kind, span)

    def once() -> bool:
        self.store(dst, element, span)
        return self.exec(body)

    self.loop_body(context, once)
    self.loops.pop()
    return not self.leave_loop(context, True)


def do_break(self: Frame, ins: ir.Instr) -> bool | None:
    context = self.find_context(ins[2], False)
    if context is not None:
        context.breaks = join_state(context.breaks, (self.env, self.machine.heap), context.mark)
    return True


def do_continue(self: Frame, ins: ir.Instr) -> bool | None:
    context = self.find_context(ins[2], True)
    if context is not None:
        context.continues = join_state(context.continues, (self.env, self.machine.heap), context.mark)
    return True


def do_return(self: Frame, ins: ir.Instr) -> bool | None:
    value = self.val(ins[2])
    if self.return_sinks and ins[1]:
        self.machine.check_return(self, value, ins[1])
    self.returned = value if self.returned is None else join(self.returned, value)
    machine = self.machine
    self.returned_heap = (
        machine.heap
        if self.returned_heap is None
        else join_heap(self.returned_heap.fork(), machine.heap, self.mark)
    )
    self.exit_env = self.env if self.exit_env is None else join_env(dict(self.exit_env), self.env)
    return True


def do_raise(self: Frame, ins: ir.Instr) -> bool | None:
    self.note_raise(self.val(ins[2]))
    return True


def do_try(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, body, handlers, otherwise, finally_block = ins
    start = self.snapshot()
    context = TryContext(len(self.machine.heap.log))
    self.tries.append(context)
    alive = self.exec(body)
    self.tries.pop()
    if alive and otherwise:
        alive = self.exec(otherwise)
    done: State | None = (self.env, self.machine.heap) if alive else None
    if handlers:
        entry = join_state(start, context.state, context.mark)
        entry = join_state(entry, done, context.mark)
        assert entry is not None
        if not alive and context.state is not None:
            entry = context.state
        for types, name, block in handlers:
            self.env, self.machine.heap = dict(entry[0]), entry[1].fork()
            if name:
                self.store(name, self.caught(types, context.raised), span)
            if self.exec(block):
                done = join_state(done, (self.env, self.machine.heap), context.mark)
    if finally_block:
        state = done or join_state(start, context.state, context.mark)
        assert state is not None
        self.restore((dict(state[0]), state[1].fork()))
        if not self.exec(finally_block):
            return True
        return done is None
    if done is None:
        return True
    self.restore(done)
    return None


def caught(self: Frame, types: list[str], raised: Value | None) -> Value:
    """The exception object a handler sees."""
    path = ""
    if types and self.module.language != "javascript":
        found = self.machine.program.type_of(self.module, types[0])
        path = found if isinstance(found, str) else ""
    elif self.module.language == "javascript":
        path = "Error"
    base = Value(path=path)
    return base if raised is None else join(raised, base)


Frame.caught = caught  # type: ignore[attr-defined]


def do_switch(self: Frame, ins: ir.Instr) -> bool | None:
    _, _, label, subject, cases = ins
    value = self.val(subject)
    machine = self.machine
    context = LoopContext(label, False, len(self.machine.heap.log))
    self.loops.append(context)
    start = self.snapshot()
    chosen = choose_case(self, value, cases)
    fall: State | None = None
    matched = False
    for number, (operands, block) in enumerate(cases):
        enters = chosen is None or number == chosen
        state = fall
        if enters:
            matched = True
            entry: State = (dict(start[0]), start[1].fork())
            if len(operands) == 1 and isinstance(subject, str) and subject in entry[0]:
                constant = self.val(operands[0])
                if constant.const is not NOT_CONST:
                    entry[0][subject] = constant
            state = join_state(state, entry, context.mark)
        if state is None:
            continue
        self.env, machine.heap = dict(state[0]), state[1].fork()
        fall = (self.env, machine.heap) if self.exec(block) else None
    self.loops.pop()
    has_default = any(not operands for operands, _ in cases)
    end = fall
    if not matched or (chosen is None and not has_default):
        end = join_state(end, start, context.mark)
    if end is not None:
        self.restore(end)
    return not self.leave_loop(context, end is not None)


def choose_case(self: Frame, value: Value, cases: list[Any]) -> int | None:
    """Index of the only case a constant subject can enter (-1: none), or None when any may be entered."""
    if value.const is NOT_CONST:
        return None
    default = -1
    for number, (operands, _) in enumerate(cases):
        if not operands:
            default = number
            continue
        for operand in operands:
            constant = self.val(operand).const
            if constant is NOT_CONST:
                return None
            if constant == value.const:
                return number
    return default


def do_block(self: Frame, ins: ir.Instr) -> bool | None:
    context = LoopContext(ins[2], False, len(self.machine.heap.log))
    context.label = ins[2] or "$block"
    self.loops.append(context)
    alive = self.exec(ins[3])
    self.loops.pop()
    return not self.leave_loop(context, alive)


def do_yield(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, src, delegate = ins
    value = self.val(src)
    if delegate:
        value = attributes.element(self, value, "values", span)
    self.yields = value if self.yields is None else join(self.yields, value)
    if self.return_sinks:
        self.machine.check_return(self, value, span)
    self.store(dst, UNKNOWN, span)
    return None


def do_await(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], self.val(ins[3]), ins[1])
    return None


def do_declare(self: Frame, ins: ir.Instr) -> bool | None:
    name = ins[2]
    self.env[name] = self.machine.declared(self.module, ins[3], self.env.get(name))
    return None


def do_cast(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], self.machine.cast(self, self.val(ins[4]), ins[3]), ins[1])
    return None


def do_is_type(self: Frame, ins: ir.Instr) -> bool | None:
    value = self.val(ins[3])
    result = UNKNOWN
    for ref in value.refs:
        if ref.__class__ is Obj and ref.cls is not None and ref.kind == "instance":
            names = {cls.ir.name for cls in self.machine.program.supers(ref.cls)[0]}
            result = Value(any(text.rsplit(".", 1)[-1] in names for text in ins[4]))
    self.store(ins[2], result if len(value.refs) == 1 and not value.taint else UNKNOWN, ins[1])
    return None


def do_default(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, name, block, operand = ins
    if name in self.given:
        return None
    if not self.machine.symbolic(self) or name not in self.env:
        if self.exec(block):
            self.env[name] = self.val(operand)
        return None
    have = self.env[name]
    if self.exec(block):
        default = self.val(operand)
        self.env[name] = Value(NOT_CONST, join_taint(have.taint, default.taint), have.refs, have.path or default.path)
    return None


def do_assert(self: Frame, ins: ir.Instr) -> bool | None:
    block = self.block
    index = next((number for number, item in enumerate(block) if item is ins), len(block))
    refine.assume(self, block, index, ins[2], True)
    return operators.truth(self.machine, self.val(ins[2])) is False


def do_nop(self: Frame, ins: ir.Instr) -> bool | None:
    return None


HANDLERS: list[Callable[[Frame, ir.Instr], bool | None]] = [
    do_move,
    do_attr,
    do_set_attr,
    do_item,
    do_set_item,
    do_del_item,
    do_call,
    do_call_method,
    do_new,
    do_binop,
    do_unop,
    do_template,
    do_make,
    do_closure,
    do_class,
    do_import,
    do_nop,
    do_loop,
    do_do_loop,
    do_foreach,
    do_break,
    do_continue,
    do_return,
    do_raise,
    do_try,
    do_switch,
    do_block,
    do_yield,
    do_await,
    do_declare,
    do_cast,
    do_is_type,
    do_default,
    do_assert,
    do_nop,
]
_ = (Bound,)
