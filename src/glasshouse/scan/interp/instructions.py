"""What each IR instruction does.  A handler returns True when control does not go on after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.interp import (
    access_paths,
    attributes,
    binding,
    calls,
    construction,
    elements,
    every_element,
    literals,
    operators,
    predicates,
    refine,
    sources,
)
from glasshouse.scan.interp.frame import Frame, LoopContext, TryContext
from glasshouse.scan.interp.go import tests as go_tests
from glasshouse.scan.interp.handlers import HANDLERS
from glasshouse.scan.interp.java import collections as java_collections
from glasshouse.scan.interp.javascript import builtins as javascript_builtins
from glasshouse.scan.interp.javascript import promises as javascript_promises
from glasshouse.scan.interp.modules import NUMERIC
from glasshouse.scan.interp.php import builtins as php_builtins
from glasshouse.scan.interp.states import TESTED, State, join_env, join_heap, join_state
from glasshouse.scan.interp.values import (
    FALSE,
    NEVER,
    NOT_CONST,
    UNKNOWN,
    ClassRef,
    FuncRef,
    Obj,
    Value,
    join,
    join_all,
    join_taint,
)


def do_move(self: Frame, ins: ir.Instr) -> bool | None:
    dst = ins[2]
    value = self.val(ins[3])
    if dst.__class__ is int:
        self.regs[dst] = value
        return None
    machine = self.machine
    if machine.matchers[self.module.language].concerns(dst):
        machine.assigned(self, dst, value, ins[1])
        value = machine.sensitive(self, dst, value, ins[1])
    if dst in self.types:
        plain = not value.refs and value.const is NOT_CONST and value.path[-2:] in ("", "()")
        if plain or (value.taint and self.types[dst] in NUMERIC):
            value = machine.declared(self.module, self.types[dst], value)
    self.store(dst, value, ins[1])
    return None


def do_attr(self: Frame, ins: ir.Instr) -> bool | None:
    value = attributes.get_attr(self, self.val(ins[3]), ins[4], ins[1])
    if value.taint and TESTED in self.env:
        value = access_paths.refined(self, ins, value)
    self.store(ins[2], value, ins[1])
    return None


def do_set_attr(self: Frame, ins: ir.Instr) -> bool | None:
    owner, value = self.val(ins[2]), self.val(ins[4])
    self.machine.assigned(self, ins[3], value, ins[1], owner)
    if owner.path and self.module.language == "go":
        sources.field_set(self.machine, self, owner, ins[3], value, ins[1])
    if value.taint and TESTED in self.env:
        access_paths.written(self, ins[3])
    attributes.set_attr(self, owner, ins[3], value, ins[1])
    return None


def do_item(self: Frame, ins: ir.Instr) -> bool | None:
    if self.module.language == "java" and java_collections.out_of_range(self, self.val(ins[3]), self.val(ins[4])):
        self.note_raise(None)
        return True
    value = elements.get_item(self, self.val(ins[3]), self.val(ins[4]), ins[1])
    if value.taint and TESTED in self.env:
        value = access_paths.refined(self, ins, value)
    self.store(ins[2], value, ins[1])
    return None


def do_set_item(self: Frame, ins: ir.Instr) -> bool | None:
    key, value = self.val(ins[3]), self.val(ins[4])
    if key.const.__class__ is str:
        self.machine.assigned(self, key.const, value, ins[1])
    elif self.module.language == "java" and java_collections.out_of_range(self, self.val(ins[2]), key):
        self.note_raise(None)
        return True
    if value.taint and TESTED in self.env:
        access_paths.written(self, key.const)
    elements.set_item(self, self.val(ins[2]), key, value, ins[1])
    return None


def do_del_item(self: Frame, ins: ir.Instr) -> bool | None:
    elements.del_item(self, self.val(ins[2]), self.val(ins[3]))
    return None


def do_call(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, callee, args, kwargs = ins
    given = binding.evaluated(self, args, kwargs)
    function = self.val(callee)
    boxes = (
        php_builtins.boxed(self, function, args, given, span)
        if function.refs and self.module.language == "php"
        else None
    )
    value = calls.call_value(self, function, given, span)
    if value is NEVER:
        return True
    self.store(dst, value, span)
    if boxes:
        php_builtins.take_back(self, boxes, span)
    if function.path and not function.refs:
        owner, _, name = function.path.rpartition(".")
        return ended(self, owner, name)
    return None


def do_call_method(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, obj, name, args, kwargs = ins
    given = binding.evaluated(self, args, kwargs)
    receiver = self.val(obj)
    boxes = php_builtins.boxed(self, receiver, args, given, span, name) if self.module.language == "php" else None
    value = calls.call_method(self, receiver, name, given, span, obj)
    if value is NEVER:
        return True
    if value.taint and TESTED in self.env:
        value = access_paths.refined(self, ins, value)
    self.store(dst, value, span)
    if boxes:
        php_builtins.take_back(self, boxes, span)
    if receiver.path and not receiver.refs:
        return ended(self, receiver.path, name)
    return None


def ended(self: Frame, owner: str, name: str) -> bool | None:
    """Whether control does not come back from an external call."""
    if not self.machine.matchers[self.module.language].ends(owner, name):
        return None
    self.note_raise(None)
    return True


def do_new(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, cls, args, kwargs = ins
    given = binding.evaluated(self, args, kwargs)
    self.store(dst, construction.construct(self, self.val(cls), given, span), span)
    return None


def do_binop(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], operators.binary(self, ins[3], self.val(ins[4]), self.val(ins[5]), ins[1]), ins[1])
    return None


def do_unop(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], operators.unary(self.machine, ins[3], self.val(ins[4])), ins[1])
    return None


def do_template(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], operators.concat(self, [self.val(part) for part in ins[3]], ins[1]), ins[1])
    return None


def do_make(self: Frame, ins: ir.Instr) -> bool | None:
    self.store(ins[2], literals.make(self, ins[3], ins[4], ins[1]), ins[1])
    return None


def do_closure(self: Frame, ins: ir.Instr) -> bool | None:
    fn = self.module.functions[ins[3]]
    self.store(ins[2], Value(refs=(FuncRef(fn, self),)), ins[1])
    return None


def do_class(self: Frame, ins: ir.Instr) -> bool | None:
    cls = self.module.classes[ins[3]]
    ref = ClassRef(cls, self)
    self.machine.run_class_body(self, cls)
    value = Value(refs=(ref,))
    if self.module.language == "javascript":
        value = javascript_builtins.decorated_class(self, cls, value, ins[1])
    self.store(ins[2], value, ins[1])
    return None


def do_import(self: Frame, ins: ir.Instr) -> bool | None:
    _, span, dst, module, name, level = ins
    if name == "*" and self.module.language != "javascript":
        self.machine.import_star(self, module, level)
        return None
    value = self.machine.import_value(self.module, module, name, level)
    self.store(dst, value, span)
    return None


UNROLLED = 10  # turns taken one by one while it is known that the loop goes on


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
    told: dict[access_paths.Place, int] = {}

    def once() -> bool:
        nonlocal told
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
        told = access_paths.tested(self)
        return self.exec(update) and (not test or self.exec(test))

    alive = True
    turns = 0
    while truth is True and not endless and alive and turns < UNROLLED and len(self.loops) < 3:
        alive = once()
        truth = operators.truth(self.machine, self.val(cond)) if alive else None
        turns += 1
    if truth is False or not alive:
        self.loops.pop()
        return not self.leave_loop(context, alive)
    self.loop_body(context, once)
    self.loops.pop()
    if test and not endless:
        refine.assume(self, test, len(test), cond, False)
        if told:
            every_element.after_count(self, ins, told)
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
    items = elements.known_elements(self, value, kind)
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
    element = elements.element(self, value, kind, span)

    def once() -> bool:
        self.store(dst, element, span)
        return self.exec(body)

    self.loop_body(context, once)
    self.loops.pop()
    if element.taint or element.refs:
        every_element.after_loop(self, ins, element)
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
    if self.expected is not None and not predicates.returns(self, ins, value):
        return True
    if self.returned_to is not None and ins[1]:
        sources.check_result(self, value, ins)
    if value.path[:1] == "$" and value.taint and ins[1]:
        self.machine.check_statement(self, "return", value, ins[1])
    self.returned = value if self.returned is None else join(self.returned, value)
    machine = self.machine
    self.returned_heap = (
        machine.heap if self.returned_heap is None else join_heap(self.returned_heap.fork(), machine.heap, self.mark)
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
                self.store(name, caught(self, types, context.raised), span)
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
        known: list[Value] = []
        if enters:
            matched = True
            entry: State = (dict(start[0]), start[1].fork())
            constants = [self.val(operand) for operand in operands]
            known = constants if all(item.const is not NOT_CONST for item in constants) else []
            if known and isinstance(subject, str) and subject in entry[0]:
                entry[0][subject] = join_all(known)
            elif known and value.taint and self.module.language == "javascript":
                self.env = entry[0]
                access_paths.chosen(self, ins, subject)
            state = join_state(state, entry, context.mark)
        if state is None:
            continue
        self.env, machine.heap = dict(state[0]), state[1].fork()
        if known and fall is None and value.taint and subject.__class__ is int and self.module.language == "go":
            go_tests.chosen(self, ins, subject)
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
        value = elements.element(self, value, "values", span)
    self.yields = value if self.yields is None else join(self.yields, value)
    if self.returned_to is not None:
        sources.check_result(self, value, (0, span, value))
    self.store(dst, UNKNOWN, span)
    return None


def do_await(self: Frame, ins: ir.Instr) -> bool | None:
    value = self.val(ins[3])
    self.store(ins[2], javascript_promises.awaited(self, value) if value.refs else value, ins[1])
    return None


def do_declare(self: Frame, ins: ir.Instr) -> bool | None:
    name = ins[2]
    self.types[name] = ins[3]
    self.env[name] = self.machine.declared(self.module, ins[3], self.env.get(name))
    return None


def do_cast(self: Frame, ins: ir.Instr) -> bool | None:
    value = self.val(ins[4])
    if value.taint and self.module.language == "go":
        sources.pseudo_call(self.machine, self, "$convert", [value, Value(ins[3])], ins[1], ins[3])
    self.store(ins[2], self.machine.cast(self, value, ins[3]), ins[1])
    return None


def do_is_type(self: Frame, ins: ir.Instr) -> bool | None:
    value = self.val(ins[3])
    result = UNKNOWN
    if self.module.language == "java" and value.const is None:
        self.store(ins[2], FALSE, ins[1])
        return None
    for ref in value.refs:
        if ref.__class__ is Obj and ref.cls is not None and ref.kind == "instance":
            names = {cls.ir.name for cls in self.machine.program.supers(ref.cls)[0]}
            result = Value(any(text.rsplit(".", 1)[-1] in names for text in ins[4]))
    self.store(ins[2], result if len(value.refs) == 1 and not value.taint else UNKNOWN, ins[1])
    return None


def do_default(self: Frame, ins: ir.Instr) -> bool | None:
    _, _, name, block, operand = ins
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


TABLE: list[Callable[[Frame, ir.Instr], bool | None]] = [
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
HANDLERS.extend(TABLE)
