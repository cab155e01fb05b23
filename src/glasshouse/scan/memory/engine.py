"""Walks one function's instructions over a small set of states, one per path that matters.

Paths are kept apart only as long as they differ in something a rule cares about (a resource held or given back, a lock,
a pointer null or not, a variable written or not); past ``MAX_STATES`` they are merged.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.memory import abroad, calls, evaluate, lengths, lifetime, links, names, refine
from glasshouse.scan.memory.merging import differences, every_difference, gathered, join
from glasshouse.scan.memory.program import FileFacts, FunctionFacts
from glasshouse.scan.memory.values import NULL, UNKNOWN, Region, State, V

MAX_STATES = 4
MAX_STEPS = 60_000  # instructions times states for one function
MAX_DEPTH = 3  # calls inside calls that are followed
INLINE_STEPS = 900  # steps spent in functions called, for each function that is analysed
KERNEL_INLINE_STEPS = 250
STEPS_EACH = 7  # steps for each instruction, after which paths are no longer kept apart


class Found(NamedTuple):
    """One weakness.  ``check`` is what rules name in ``options.check``."""

    check: str
    span: int
    function: int
    name: str
    value: str
    confidence: str
    weak: bool
    inside: tuple[str, int] | None = None  # place in another file, in a function called from here


class Jumps:
    """Where paths go that leave a block: by label of loops, switches and blocks, and by name for ``goto``."""

    __slots__ = ("breaks", "continues", "gotos")

    def __init__(self) -> None:
        self.breaks: dict[str, list[State]] = {}
        self.continues: dict[str, list[State]] = {}
        self.gotos: dict[str, list[State]] = {}


class Frame:
    """One run of one function."""

    __slots__ = (
        "caller",
        "consts",
        "depth",
        "function",
        "index",
        "jumps",
        "loops",
        "measured",
        "path",
        "returns",
        "statics",
        "types",
    )

    def __init__(self, function: ir.Function, index: int, caller: Frame | None, path: str) -> None:
        self.function = function
        self.path = path  # of its file
        self.index = index
        self.consts: list[V] = [names.constant(value) for value in function.consts]
        self.jumps = Jumps()
        self.returns: list[tuple[State, V, int]] = []
        self.caller = caller
        self.types: dict[str, str] = {}  # of declared variables
        self.measured: dict[Region, lengths.Measured] = {}  # parameters that come with their length
        self.statics: set[str] = set()  # those that outlive the function
        self.depth: int = 0 if caller is None else caller.depth + 1
        self.loops = 0


class Engine:
    """Analyses the functions of one file."""

    def __init__(self, facts: FileFacts) -> None:
        self.facts = facts  # of the file whose function runs
        self.own = facts  # of the file that is analysed
        self.found: dict[tuple[str, int], Found] = {}
        self.frame: Frame = Frame(facts.file.functions[0], 0, None, facts.file.path)
        self.within: dict[tuple[str, int], set[tuple[str, int]]] = {}
        self.call_span = 0  # of the call in the function that is analysed, while its callees run
        self.steps = 0
        self.capped: list[str] = []
        self.root = 0
        self.defaults: dict[str, V] = {}  # globals that nothing on the path has changed
        self.limit = MAX_STATES  # paths that are kept apart
        self.inlining = INLINE_STEPS
        self.soft = INLINE_STEPS
        self.taken: set[str] = set()
        self.dropped: set[str] = set()
        self.given: set[str] = set()  # functions for other files that never return a null pointer
        self.foreign: dict[str, dict[str, V]] = {facts.file.path: self.defaults}  # globals by file

    # --- reporting ------------------------------------------------------------------------------------------------

    def report(
        self, check: str, span: int, name: str = "", value: str = "", confidence: str = "medium", weak: bool = False
    ) -> None:
        frame = self.frame
        inside = None
        if frame.caller is not None:  # the callee is fine by itself: what is wrong is this call of it
            path = self.facts.file.path
            if path != self.own.file.path and (weak or check not in abroad.TOLD):
                return  # told of the function itself, or too unsure over two files
            if path == self.own.file.path:
                self.within.setdefault((check, span), set()).add((check, self.call_span))
                value = f"{value} (in {frame.function.name}, line {span >> 36})".strip()
            else:
                inside = (path, span)
                value = f"{value} (in {frame.function.name}, {path.rpartition('/')[2]} line {span >> 36})".strip()
            span = self.call_span
        key = (check, span)
        have = self.found.get(key)
        if have is None or (have.weak and not weak):
            self.found[key] = Found(check, span, self.root, name, value, confidence, weak, inside)

    def results(self) -> list[Found]:
        """Everything found, by place; what a callee shows by itself is not told again for its calls."""
        for inner, outer in self.within.items():
            alone = self.found.get(inner)
            for call in outer if alone is not None else ():
                have = self.found.get(call)
                if have is not None and have.weak >= alone.weak and call != inner:  # type: ignore[union-attr]
                    del self.found[call]
        return sorted(self.found.values(), key=lambda item: (item.span, item.check))

    def locked(self, key: str) -> None:
        """A lock is taken in this function."""
        self.taken.add(key)

    def unlocked(self, key: str) -> None:
        self.dropped.add(key)

    def lock_balance(self, key: str) -> bool:
        """Whether the function also gives the lock back somewhere: then a path that does not is a mistake."""
        return key in self.dropped

    # --- functions ------------------------------------------------------------------------------------------------

    def run_function(self, index: int) -> None:
        """Analyse one function on its own: parameters are unknown."""
        self._within(self.own)  # an error may have left it in another
        function = self.facts.file.functions[index]
        self.steps = 0
        self.root = index
        self.taken, self.dropped = set(), set()
        self.limit = MAX_STATES
        self.inlining = KERNEL_INLINE_STEPS if self.facts.kernel else INLINE_STEPS
        self.soft = self.inlining + STEPS_EACH * self.facts.functions[index].size
        self.frame = Frame(function, index, None, self.facts.file.path)
        state = State()
        names.bind_parameters(self, state, self.facts.functions[index])
        self.frame.measured = lengths.pairs(self, state, function.params)
        self.finish(self.block(function.body, [state]))
        if function.flags & ir.EXPORTED and links.never_null(
            [value for _, value, _ in self.frame.returns], function.returns
        ):
            self.given.add(function.name)
        if self.steps > MAX_STEPS:
            self.capped.append(function.qualname)

    def finish(self, states: list[State]) -> None:
        """The end of the function: what falls off it returns nothing; every path is checked for what it still holds."""
        frame = self.frame
        for state in states:
            frame.returns.append((state, V(), frame.function.span))
        if frame.caller is None and self.steps <= MAX_STEPS:
            for state, value, span in frame.returns:
                lifetime.at_return(self, state, value, span)

    def inline(self, facts: FunctionFacts, state: State, made: calls.Call) -> list[tuple[State, V]] | None:
        """Run a function in the state of its caller; None when it would take too long."""
        outer = self.frame
        if outer.depth >= MAX_DEPTH or facts.size > self.inlining or self.limit == 1:
            return None
        caller: Frame | None = outer
        while caller is not None:
            if caller.index == facts.index and caller.path == facts.owner.file.path:
                return None
            caller = caller.caller
        steps = self.steps
        if outer.caller is None:
            self.call_span = made.span
        self.frame = Frame(facts.function, facts.index, outer, facts.owner.file.path)
        results = (self._here if facts.owner is self.facts else self._abroad)(facts, state, made)
        self.frame = outer
        self.inlining -= self.steps - steps
        return results

    def _here(self, facts: FunctionFacts, state: State, made: calls.Call) -> list[tuple[State, V]]:
        """Run a function of the same file."""
        before, temps = state.env, state.temps
        inner = state.copy()
        inner.temps = {}
        inner.env = {key: value for key, value in before.items() if key[0] == "@"}
        results: list[tuple[State, V]] = []
        for after, value in self._run(facts, inner, made):
            globals_now = {key: item for key, item in after.env.items() if key[0] == "@"}
            after.env = {**before, **globals_now}
            after.temps = temps.copy()
            results.append((after, value))
        return gathered(state, results)

    def _abroad(self, facts: FunctionFacts, state: State, made: calls.Call) -> list[tuple[State, V]]:
        """Run a function of another file, in which names mean what they mean there."""
        file, outer = self.facts, self.frame.caller
        inner = state.copy()
        inner.temps, inner.env = {}, {}
        self._within(facts.owner)
        ends = self._run(facts, inner, made)
        self._within(file)
        assert outer is not None
        self.frame = outer
        return abroad.settled(self, state, made, ends, facts.returns_memory)

    def _run(self, facts: FunctionFacts, inner: State, made: calls.Call) -> list[tuple[State, V]]:
        """The states and values that a function ends with."""
        names.bind_arguments(self, inner, facts, made.args)
        self.finish(self.block(facts.function.body, [inner]))
        told = [one for one in self.frame.returns if not gives_null_back(facts, made.args, one[0], one[1])]
        return [(after, value) for after, value, _ in told or self.frame.returns]

    def _within(self, facts: FileFacts) -> None:
        """From now on names mean what they mean in this file."""
        self.facts = facts
        self.defaults = self.foreign.setdefault(facts.file.path, {})

    # --- blocks -----------------------------------------------------------------------------------------------------

    def block(self, block: ir.Block, states: list[State]) -> list[State]:
        """Run a block; the states that reach its end."""
        for ins in block:
            op = ins[0]
            if op == ir.LABEL:
                come = self.frame.jumps.gotos.pop(ins[2], [])
                for state in states + come if come and states else ():  # a test down here is for those who jumped
                    state.facts = {key: value for key, value in state.facts.items() if key[0] != "used"}
                states = self.merge(states + come)
                continue
            if not states and not self.frame.jumps.gotos:
                break  # no path comes here, and none waits for a label below
            if op == ir.NOP:
                for state in states:
                    state.temps = {}
                continue
            self.steps += len(states)
            if self.steps > self.soft:
                if self.steps > MAX_STEPS:
                    return states[:1]
                self.limit = 1
            simple = SIMPLE.get(op)
            if simple is not None:
                for state in states:
                    simple(self, ins, state)
            elif op == ir.CALL or op == ir.CALL_METHOD:
                results: list[State] = []
                for state in states:
                    results.extend(calls.call(self, ins, state))
                states = results if len(results) <= self.limit else self.merge(results)
            else:
                handler = CONTROL.get(op)
                if handler is not None:
                    states = handler(self, ins, states)
        return states

    def waiting(self) -> bool:
        """Whether some ``goto`` has not met its label yet."""
        return bool(self.frame.jumps.gotos)

    def merge(self, states: list[State]) -> list[State]:
        """Join states that differ in nothing that matters; no more than ``limit`` remain."""
        if len(states) < 2:
            return states
        kept: list[State] = []
        for state in states:
            for other in kept:
                different = differences(other, state)
                if different is not None:
                    join(other, state, different)
                    break
            else:
                kept.append(state)
        while len(kept) > self.limit:
            last = kept.pop()
            join(kept[-1], last, every_difference(kept[-1], last))
        return kept

    # --- control flow ---------------------------------------------------------------------------------------------

    def op_if(self, ins: ir.Instr, states: list[State]) -> list[State]:
        _, _, cond, then, other = ins
        yes: list[State] = []
        no: list[State] = []
        for state in states:
            first = refine.assume(self, state, cond, True, True)
            if first is not None:
                yes.append(first)
            second = refine.assume(self, state, cond, False, first is None)
            if second is not None:
                no.append(second)
        if yes or self.waiting():
            yes = self.block(then, yes) if then else yes
        if no or self.waiting():
            no = self.block(other, no) if other else no
        if not yes or not no:
            return yes or no
        return self.merge(yes + no)

    def op_block(self, ins: ir.Instr, states: list[State]) -> list[State]:
        _, _, label, body = ins
        out = self.block(body, states)
        left = self.frame.jumps.breaks.pop(label, None)
        return self.merge(out + left) if left else out

    def op_break(self, ins: ir.Instr, states: list[State]) -> list[State]:
        self.frame.jumps.breaks.setdefault(ins[2], []).extend(states)
        return []

    def op_continue(self, ins: ir.Instr, states: list[State]) -> list[State]:
        self.frame.jumps.continues.setdefault(ins[2], []).extend(states)
        return []

    def op_goto(self, ins: ir.Instr, states: list[State]) -> list[State]:
        if states:
            waiting = self.frame.jumps.gotos.setdefault(ins[2], [])
            waiting.extend(states)
            if len(waiting) > self.limit * 2:
                self.frame.jumps.gotos[ins[2]] = self.merge(waiting)
        return []

    def op_return(self, ins: ir.Instr, states: list[State]) -> list[State]:
        for state in states:
            value = evaluate.read(self, state, ins[2], ins[1])
            self.frame.returns.append((state, value, ins[1]))
        return []

    def op_raise(self, ins: ir.Instr, states: list[State]) -> list[State]:
        return []

    def op_try(self, ins: ir.Instr, states: list[State]) -> list[State]:
        copies = [state.copy() for state in states]
        out = self.block(ins[2], states)
        for handler in ins[3]:
            out = out + self.block(handler[2], [evaluate.forget_all(self, state.copy()) for state in copies])
        return self.merge(out)

    def op_switch(self, ins: ir.Instr, states: list[State]) -> list[State]:
        _, _, label, subject, cases = ins
        running: list[State] = []
        rest = [state.copy() for state in states]
        default = any(not operands for operands, _ in cases)
        for operands, body in cases:
            entering: list[State] = []
            for state in states if not operands else rest:
                match = refine.assume_case(self, state, subject, operands, cases)
                if match is not None:
                    entering.append(match)
            if operands:
                rest = [
                    left
                    for left in (refine.exclude_case(self, state, subject, operands) for state in rest)
                    if left is not None
                ]
            running = self.merge(running + entering)
            running = self.block(body, running)
        out = running + self.frame.jumps.breaks.pop(label, [])
        return self.merge(out if default else out + rest)

    def op_loop(self, ins: ir.Instr, states: list[State]) -> list[State]:
        _, _, label, test, cond, body, update = ins
        facts = self.facts.loop(ins)
        frame = self.frame
        frame.loops += 1
        exits: list[State] = []
        again = states
        entered = frame.loops <= 1
        if entered:
            again, left = self.round(label, test, cond, body, update, states)
            exits.extend(left)
        elif cond != "":
            entered = self.enters(test, cond, states)
        if again:
            entry = [evaluate.widen(self, state, facts, cond) for state in self.merge(again)]
            again, left = self.round(label, test, cond, body, update, entry, first=entered and frame.loops > 1)
            exits.extend(left)
            if entered and frame.loops > 1 and again:
                again = [evaluate.widen(self, state, facts, cond) for state in self.merge(again)]
                for state in self.block(test, again):
                    leaves = refine.assume(self, state, cond, False, True, loop=True)
                    if leaves is not None:
                        exits.append(leaves)
        frame.loops -= 1
        return self.merge(exits)

    def enters(self, test: ir.Block, cond: Any, states: list[State]) -> bool:
        """Whether the body certainly runs at least once."""
        found = self.found.copy()
        tried = self.block(test, [state.copy() for state in states])
        leaves = any(refine.assume(self, state, cond, False, True, loop=True) is not None for state in tried)
        self.found = found
        return not leaves

    def round(
        self,
        label: str,
        test: ir.Block,
        cond: Any,
        body: ir.Block,
        update: ir.Block,
        states: list[State],
        *,
        first: bool = False,
    ) -> tuple[list[State], list[State]]:
        """One round of a loop: (states at the back edge, states that leave); ``first``: the test holds."""
        states = self.block(test, states)
        left: list[State] = []
        if cond != "":
            going: list[State] = []
            for state in states:
                stays = refine.assume(self, state, cond, True, True, loop=True)
                if stays is not None:
                    going.append(stays)
                leaves = refine.assume(self, state, cond, False, stays is None, loop=True)
                if leaves is not None and not first:
                    left.append(leaves)
            states = going
        states = self.block(body, states)
        jumps = self.frame.jumps
        states = self.merge(states + jumps.continues.pop(label, []))
        states = self.block(update, states)
        left.extend(jumps.breaks.pop(label, []))
        return states, left

    def op_do_loop(self, ins: ir.Instr, states: list[State]) -> list[State]:
        _, _, label, body, test, cond = ins
        frame = self.frame
        frame.loops += 1
        exits: list[State] = []
        for turn in range(2):
            states = self.merge(self.block(body, states) + frame.jumps.continues.pop(label, []))
            states = self.block(test, states)
            again: list[State] = []
            for state in states:
                stays = refine.assume(self, state, cond, True, True, loop=True)
                if stays is not None:
                    again.append(stays)
                leaves = refine.assume(self, state, cond, False, stays is None, loop=True)
                if leaves is not None:
                    exits.append(leaves)
            exits.extend(frame.jumps.breaks.pop(label, []))
            if not again or turn or frame.loops > 2:
                break
            facts = self.facts.loop(ins)
            states = [evaluate.widen(self, state, facts, cond) for state in again]
        frame.loops -= 1
        return self.merge(exits)

    def op_foreach(self, ins: ir.Instr, states: list[State]) -> list[State]:
        _, _, label, element, _items, body, _kind = ins
        skipped = [state.copy() for state in states]
        facts = self.facts.loop(ins)
        states = [evaluate.widen(self, state, facts, "") for state in states]
        for state in states:
            state.temps[element] = V()
        out = self.block(body, states) + self.frame.jumps.continues.pop(label, [])
        return self.merge(out + skipped + self.frame.jumps.breaks.pop(label, []))


SIMPLE = evaluate.SIMPLE
CONTROL: dict[int, Any] = {
    ir.IF: Engine.op_if,
    ir.BLOCK: Engine.op_block,
    ir.BREAK: Engine.op_break,
    ir.CONTINUE: Engine.op_continue,
    ir.GOTO: Engine.op_goto,
    ir.RETURN: Engine.op_return,
    ir.RAISE: Engine.op_raise,
    ir.TRY: Engine.op_try,
    ir.SWITCH: Engine.op_switch,
    ir.LOOP: Engine.op_loop,
    ir.DO_LOOP: Engine.op_do_loop,
    ir.FOREACH: Engine.op_foreach,
}


def gives_null_back(facts: FunctionFacts, args: list[V], state: State, value: V) -> bool:
    """``if (!p) return NULL;`` in a callee says nothing about the pointer that its caller passed."""
    if value.const() != 0 or not facts.returns_memory:
        return False
    for param, given in zip(facts.function.params, args, strict=False):
        held = state.env.get(param.name)
        if held is not None and held.null == NULL and given.null == UNKNOWN and given.const() is None:
            return True
    return False
