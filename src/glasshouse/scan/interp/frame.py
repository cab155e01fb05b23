"""One activation of one function: runs structured blocks over an environment, joining where control flow meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import operators, refine
from glasshouse.scan.interp.handlers import HANDLERS
from glasshouse.scan.interp.heap import Heap
from glasshouse.scan.interp.states import Env, State, join_env, join_heap, join_state, same_env, same_heap
from glasshouse.scan.interp.values import NONE, UNKNOWN, Step, SuperRef, Value, join, with_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.program import Fn
    from glasshouse.scan.rules import schema

LOOP_PASSES = (2, 3)  # of a loop body: in summaries, in roots with real data


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
        "expected",
        "fn",
        "given",
        "loops",
        "machine",
        "mark",
        "module",
        "raised",
        "regs",
        "returned",
        "returned_heap",
        "returned_to",
        "this",
        "tries",
        "types",
        "unit",
        "yields",
    )

    def __init__(self, machine: Machine, fn: Fn, env: Env, this: Value | None, closure: Frame | None) -> None:
        self.machine = machine
        self.mark = len(machine.heap.log)
        self.unit = machine.unit
        self.fn = fn
        self.module = fn.module
        self.env = env
        self.this = this
        self.closure = closure
        constants = fn.constants
        if constants is None:
            constants = fn.constants = [Value(item) for item in reversed(fn.ir.consts)]
        self.regs: list[Value | None] = [None] * fn.ir.temps + constants
        self.returned: Value | None = None
        self.returned_heap: Heap | None = None
        self.raised: Value | None = None
        self.exit_env: Env | None = None
        self.loops: list[LoopContext] = []
        self.tries: list[TryContext] = []
        self.given: frozenset[str] | set[str] = frozenset()
        self.yields: Value | None = None
        self.returned_to: schema.Entry | None = None  # whose caller's use of the result is a call of its own
        self.block: ir.Block = []
        self.expected: bool | None = None  # only ways out that return such a value count
        self.types: dict[str, str] = {}  # declared types of variables (Java)

    # --- values -------------------------------------------------------------------------------------------------

    def val(self, operand: Any) -> Value:
        if operand.__class__ is int:
            return self.regs[operand] or UNKNOWN
        found = self.env.get(operand)
        return found if found is not None else self.free(operand)

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
        return self.machine.ambient_this(self) if self.module.language == "javascript" else UNKNOWN

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

    def store(self, dst: Any, value: Value, span: int = 0) -> None:
        if dst.__class__ is int:
            self.regs[dst] = value
            return
        name: str = dst
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
                if closure.unit is self.machine.unit:
                    closure.env[name] = value
                else:
                    self.machine.assign(closure.env, name, value)
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
        refine.assume(self, block, index, cond, False)  # nothing needs the state before the test any more
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
        passes = LOOP_PASSES[machine.root.concrete]
        for turn in range(passes):
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
            if settled or turn == passes - 1 or machine.steps > machine.limit:
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
            if context.state is None:
                context.state = self.snapshot()
            else:  # the state is the context's own: no copies
                env, heap = context.state
                context.state = join_env(env, self.env), join_heap(heap, self.machine.heap, context.mark)
            if value is not None:
                context.raised = value if context.raised is None else join(context.raised, value)
        elif value is not None:
            self.raised = value if self.raised is None else join(self.raised, value)
