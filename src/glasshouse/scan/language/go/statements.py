"""Statements: declarations and assignments, branches, loops, switches, jumps, goroutines and deferred calls."""

from __future__ import annotations

import re

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.go.deferred import defer, go, run_exits
from glasshouse.scan.language.go.expressions import asserted, copy_of, meaningful
from glasshouse.scan.language.go.state import BOX, STATEMENTS, Lowering, expression, statement
from glasshouse.scan.language.go.types import copied, is_plain, settable, type_text, zero

PLAIN_LITERALS = frozenset(
    """interpreted_string_literal raw_string_literal int_literal float_literal rune_literal true false nil
    func_literal""".split()
)
COMMA_OK = frozenset(["index_expression", "type_assertion_expression", "unary_expression"])
GOTO = re.compile(rb"\bgoto\s+(\w+)")


# --- blocks ----------------------------------------------------------------------------------------------------------


def statements(lo: Lowering, nodes: list[Node]) -> None:
    """Lower a list of statements; jumps to its labels become blocks that are left, or loops."""
    jumps = {name.decode("utf-8", "replace") for node in nodes if has_goto(lo, node) for name in gotos(lo, node)}
    if jumps:
        for position, node in enumerate(nodes):
            if node.type == "labeled_statement" and label_of(lo, node) in jumps:
                around_label(lo, nodes, position, label_of(lo, node))
                return
    for node in nodes:
        statement(lo, node)


def has_goto(lo: Lowering, node: Node) -> bool:
    return lo.source.find(b"goto ", node.start_byte, node.end_byte) >= 0


def gotos(lo: Lowering, node: Node) -> list[bytes]:
    return GOTO.findall(lo.source[node.start_byte : node.end_byte])


def label_of(lo: Lowering, node: Node) -> str:
    label = node.child_by_field_name("label")
    return lo.text(label) if label is not None else ""


def around_label(lo: Lowering, nodes: list[Node], position: int, label: str) -> None:
    """Statements before the label are a block that a jump forward leaves; those after it, a loop."""
    place, name = nodes[position], label.encode()
    if any(name in gotos(lo, node) for node in nodes[:position]):
        with lo.block(False) as before:
            for node in nodes[:position]:
                statement(lo, node)
        lo.emit(ir.BLOCK, place, label, before)
    else:
        for node in nodes[:position]:
            statement(lo, node)
    rest = nodes[position + 1 :]
    if any(name in gotos(lo, node) for node in nodes[position:]):
        with lo.block(False) as body:
            labeled(lo, place)
            for node in rest:
                statement(lo, node)
            lo.emit(ir.BREAK, place, label)
        lo.emit(ir.LOOP, place, f"{label}", [], "", body, [])
        return
    labeled(lo, place)
    statements(lo, rest)


def parts_of(node: Node | None) -> list[Node]:
    """The statements of a block or a case."""
    found: list[Node] = []
    for child in node.named_children if node is not None else ():
        if child.type == "statement_list":
            found.extend(child.named_children)
        elif child.type != "comment":
            found.append(child)
    return found


def nested(lo: Lowering, node: Node) -> None:
    with lo.block() as inside:
        statements(lo, parts_of(node))
    lo.builder.block.extend(inside)


# --- declarations and assignments ------------------------------------------------------------------------------------


def values_of(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return meaningful(node) if node.type == "expression_list" else [node]


def evaluated(lo: Lowering, place: Node, sources: list[Node], count: int) -> list[Operand]:
    """As many values as there are targets; one call or look-up may give several."""
    if len(sources) == 1 and count > 1:
        source = sources[0]
        if source.type in COMMA_OK:
            value = expression(lo, source)
            last = lo.builder.block[-1] if lo.builder.block else None
            if last is not None and last[0] == ir.ITEM and last[2] == value and count == 2:
                return [value, lo.ask(source, "$has", last[3], last[4])]
            return [value, *(lo.builder.temp() for _ in range(count - 1))]
        value = expression(lo, source)
        return [lo.ask(place, "$result", value, lo.const(position)) for position in range(count)]
    found = [copy_of(lo, source) for source in sources]
    return [*found, *(lo.builder.temp() for _ in range(count - len(found)))][:count]


def short_declaration(lo: Lowering, node: Node) -> None:
    targets, sources = (values_of(node.child_by_field_name(name)) for name in ("left", "right"))
    operands = evaluated(lo, node, sources, len(targets))
    if len(targets) > 1 and len(sources) > 1:
        operands = [lo.variable(node, operand) for operand in operands]
    for position, (target, operand) in enumerate(zip(targets, operands, strict=True)):
        name = lo.text(target)
        if name in lo.body.scopes[-1]:
            lo.write(node, name, operand)
            continue
        source = sources[position] if position < len(sources) and len(sources) == len(targets) else None
        lo.bind(node, name, operand, *traits(lo, source))


def traits(lo: Lowering, source: Node | None) -> tuple[str, bool]:
    """(type text if assigning copies it, whether a pointer to it needs a box) of a variable that starts so."""
    if source is None:
        return "", False
    if source.type == "composite_literal":
        return copied(lo, source.child_by_field_name("type")), False
    if source.type == "identifier":
        local, _ = lo.find(lo.text(source))
        return (local.type, local.boxed) if local is not None else ("", False)
    if source.type == "call_expression":
        callee = source.child_by_field_name("function")
        return "", callee is not None and lo.text(callee) in ("string", "make", "fmt.Sprintf")
    return "", source.type in PLAIN_LITERALS or source.type == "binary_expression"


def variables(lo: Lowering, node: Node) -> None:
    """``var`` and ``const`` declarations."""
    specs = [part for part in node.named_children if part.type in ("var_spec", "const_spec", "var_spec_list")]
    for spec in specs:
        if spec.type == "var_spec_list":
            variables(lo, spec)
    before: tuple[Node | None, list[Node]] = None, []
    for number, spec in enumerate(item for item in specs if item.type != "var_spec_list"):
        names = spec.children_by_field_name("name")
        sources = values_of(spec.child_by_field_name("value"))
        written = spec.child_by_field_name("type")
        if spec.type == "const_spec":
            lo.iota = number
            if not sources:
                written, sources = before
            before = written, sources
        specification(lo, spec, names, written, sources)
        lo.iota = None


def specification(lo: Lowering, spec: Node, names: list[Node], written: Node | None, sources: list[Node]) -> None:
    of_package = len(lo.bodies) == 1 and len(lo.body.scopes) == 1
    if sources:
        operands = evaluated(lo, spec, sources, len(names))
    else:
        operands = [settable(lo, written, spec) if of_package else zero(lo, written, spec) for _ in names]
    for position, (name, operand) in enumerate(zip(names, operands, strict=True)):
        text, plain = copied(lo, written), is_plain(lo, written)
        if written is None and len(sources) == len(names):
            text, plain = traits(lo, sources[position])
        if of_package:
            if lo.text(name) != "_":
                lo.emit(ir.MOVE, spec, lo.text(name), operand)
        else:
            lo.bind(spec, lo.text(name), operand, text, plain)


def assignment(lo: Lowering, node: Node) -> None:
    targets, sources = (values_of(node.child_by_field_name(name)) for name in ("left", "right"))
    operator = node.child_by_field_name("operator")
    text = lo.text(operator) if operator is not None else "="
    if text != "=" and targets and sources:
        old, new = expression(lo, targets[0]), expression(lo, sources[0])
        store(lo, node, targets[0], lo.value(ir.BINOP, node, text[:-1], old, new))
        return
    operands = evaluated(lo, node, sources, len(targets))
    if len(targets) > 1 and len(sources) > 1:  # `a, b = b, a`
        operands = [lo.variable(node, operand) for operand in operands]
    for target, operand in zip(targets, operands, strict=True):
        store(lo, node, target, operand)


def store(lo: Lowering, node: Node, target: Node, operand: Operand) -> None:
    """``target = operand``."""
    kind = target.type
    while kind == "parenthesized_expression" and target.named_children:
        target = target.named_children[0]
        kind = target.type
    if kind == "identifier":
        lo.write(node, lo.text(target), operand)
        return
    holder = expression(lo, target.child_by_field_name("operand")) if kind != "identifier" else ""
    if kind == "selector_expression":
        field = target.child_by_field_name("field")
        lo.emit(ir.SET_ATTR, node, holder, lo.text(field) if field is not None else "", operand)
    elif kind == "index_expression":
        lo.emit(ir.SET_ITEM, node, holder, expression(lo, target.child_by_field_name("index")), operand)
    elif kind == "unary_expression":
        lo.ask(node, "$store", holder, operand)


def step(lo: Lowering, node: Node) -> None:
    """``i++`` and ``i--``."""
    parts = meaningful(node)
    if parts:
        sign = "+" if node.type == "inc_statement" else "-"
        store(lo, node, parts[0], lo.value(ir.BINOP, node, sign, expression(lo, parts[0]), lo.const(1)))


def send(lo: Lowering, node: Node) -> None:
    channel, value = node.child_by_field_name("channel"), node.child_by_field_name("value")
    if channel is not None and value is not None:
        lo.ask(node, "$send", expression(lo, channel), copy_of(lo, value))


def receive(lo: Lowering, node: Node, declares: bool) -> None:
    """``v := <-ch`` as the head of a select case."""
    right, targets = node.child_by_field_name("right"), values_of(node.child_by_field_name("left"))
    value = expression(lo, right)
    operands = [value, *(lo.builder.temp() for _ in targets[1:])]
    for target, operand in zip(targets, operands, strict=False):
        if declares and target.type == "identifier":
            lo.bind(node, lo.text(target), operand)
        else:
            store(lo, node, target, operand)


# --- branches --------------------------------------------------------------------------------------------------------


def branch(lo: Lowering, node: Node) -> None:
    """``if`` with its ``else if`` arms, which a block holds that each arm leaves: as deep as one ``if``."""
    arms: list[Node] = []
    current: Node | None = node
    while current is not None and current.type == "if_statement":
        arms.append(current)
        current = current.child_by_field_name("alternative")
    with lo.block() as outer:
        if len(arms) == 1:
            arm(lo, node, current, "")
        else:
            label = lo.builder.fresh()
            with lo.block(False) as flat:
                for position, item in enumerate(arms):
                    if lo.enough(item):
                        break
                    last = position + 1 == len(arms)
                    arm(lo, item, current if last else None, label)
            lo.emit(ir.BLOCK, node, label, flat)
    lo.builder.block.extend(outer)


def arm(lo: Lowering, node: Node, otherwise: Node | None, label: str) -> None:
    first = node.child_by_field_name("initializer")
    if first is not None:
        statement(lo, first)
    condition = expression(lo, node.child_by_field_name("condition"))
    with lo.block() as then:
        statements(lo, parts_of(node.child_by_field_name("consequence")))
        if label:
            lo.emit(ir.BREAK, node, label)
    with lo.block() as other:
        statements(lo, parts_of(otherwise))
    lo.emit(ir.IF, node, condition, then, other)


def switch(lo: Lowering, node: Node) -> None:
    """``switch`` on a value; Go's cases end by themselves."""
    label = take_label(lo)
    with lo.block() as outer:
        first = node.child_by_field_name("initializer")
        if first is not None:
            statement(lo, first)
        subject = node.child_by_field_name("value")
        cases = [part for part in node.named_children if part.type in ("expression_case", "default_case")]
        if subject is None:
            conditions(lo, node, cases, label)
        else:
            value_switch(lo, node, expression(lo, subject), cases, label)
    lo.builder.block.extend(outer)


def case_body(node: Node) -> list[Node]:
    return [part for child in node.named_children if child.type == "statement_list" for part in child.named_children]


def value_switch(lo: Lowering, node: Node, subject: Operand, cases: list[Node], label: str) -> None:
    lowered: list[list[object]] = []
    lo.body.breaks.append("")
    for case in cases:
        operands = [expression(lo, value) for value in values_of(case.child_by_field_name("value"))]
        body = case_body(case)
        with lo.block() as block:
            statements(lo, body)
            if not (body and body[-1].type == "fallthrough_statement"):
                lo.emit(ir.BREAK, case, "")
        lowered.append([operands, block])
    lo.body.breaks.pop()
    lo.emit(ir.SWITCH, node, label, subject, lowered)


def conditions(lo: Lowering, node: Node, cases: list[Node], label: str) -> None:
    """Cases that are tests of their own: the first that holds."""
    label = label or lo.builder.fresh()
    lo.body.breaks.append(label)
    with lo.block(False) as flat:
        for case in sorted(cases, key=lambda item: item.type == "default_case"):
            if case.type == "default_case":
                statements(lo, case_body(case))
                continue
            test = lo.builder.fresh()
            tests = values_of(case.child_by_field_name("value"))
            lo.emit(ir.MOVE, case, test, any_of(lo, case, tests))
            with lo.block() as then:
                statements(lo, case_body(case))
                lo.emit(ir.BREAK, case, label)
            lo.emit(ir.IF, case, test, then, [])
    lo.body.breaks.pop()
    lo.emit(ir.BLOCK, node, label, flat)


def any_of(lo: Lowering, node: Node, tests: list[Node]) -> Operand:
    if len(tests) == 1:
        return expression(lo, tests[0])
    return lo.value(ir.BINOP, node, "or", *([expression(lo, test) for test in tests] or [lo.const(True)] * 2)[:2])


def type_switch(lo: Lowering, node: Node) -> None:
    """``switch v := x.(type)``."""
    label = take_label(lo) or lo.builder.fresh()
    with lo.block() as outer:
        first = node.child_by_field_name("initializer")
        if first is not None:
            statement(lo, first)
        value = lo.variable(node, expression(lo, node.child_by_field_name("value")))
        alias = values_of(node.child_by_field_name("alias"))
        lo.body.breaks.append(label)
        with lo.block(False) as flat:
            cases = [part for part in node.named_children if part.type in ("type_case", "default_case")]
            for case in sorted(cases, key=lambda item: item.type == "default_case"):
                type_case(lo, case, value, lo.text(alias[0]) if alias else "", label)
        lo.body.breaks.pop()
        lo.emit(ir.BLOCK, node, label, flat)
    lo.builder.block.extend(outer)


def type_case(lo: Lowering, case: Node, value: str, alias: str, label: str) -> None:
    texts = [type_text(lo, part) for part in case.children_by_field_name("type")]
    test = lo.value(ir.IS_TYPE, case, value, [text for text in texts if text])
    with lo.block() as then:
        if alias:
            one = texts[0] if len(texts) == 1 else ""
            known = (
                lo.value(ir.CAST, case, asserted(one), value)
                if one and one not in ("string", "any", "error")
                else value
            )
            lo.bind(case, alias, known)
        statements(lo, case_body(case))
        lo.emit(ir.BREAK, case, label)
    if case.type == "default_case":
        lo.builder.block.extend(then)
    else:
        lo.emit(ir.IF, case, test, then, [])


def select(lo: Lowering, node: Node) -> None:
    """Any of the cases may run."""
    label = take_label(lo)
    lo.body.breaks.append("")
    cases: list[list[object]] = []
    for case in node.named_children:
        if case.type not in ("communication_case", "default_case"):
            continue
        with lo.block() as block:
            head = case.child_by_field_name("communication")
            if head is not None and head.type == "receive_statement":
                receive(lo, head, b":=" in lo.source[head.start_byte : head.end_byte])
            elif head is not None:
                statement(lo, head)
            statements(lo, case_body(case))
            lo.emit(ir.BREAK, case, "")
        cases.append([[lo.builder.temp()], block])
    lo.body.breaks.pop()
    if cases:
        cases[-1][0] = []
        lo.emit(ir.SWITCH, node, label, lo.builder.temp(), cases)


# --- loops and jumps -------------------------------------------------------------------------------------------------


def take_label(lo: Lowering) -> str:
    label, lo.label = lo.label, ""
    return label


def labeled(lo: Lowering, node: Node) -> None:
    for part in meaningful(node)[1:]:
        if part.type in ("for_statement", "expression_switch_statement", "type_switch_statement", "select_statement"):
            lo.label = label_of(lo, node)
        statement(lo, part)
        lo.label = ""


def loop(lo: Lowering, node: Node) -> None:
    label = take_label(lo)
    body = node.child_by_field_name("body")
    heads = [part for part in meaningful(node) if body is None or part.id != body.id]
    head = heads[0] if heads else None
    lo.body.breaks.append("")
    with lo.block() as outer:
        if head is not None and head.type == "range_clause":
            range_loop(lo, node, head, body, label)
        else:
            clause_loop(lo, node, head, body, label)
    lo.builder.block.extend(outer)
    lo.body.breaks.pop()


def clause_loop(lo: Lowering, node: Node, head: Node | None, body: Node | None, label: str) -> None:
    first = last = None
    condition = head
    if head is not None and head.type == "for_clause":
        first, condition, last = (head.child_by_field_name(name) for name in ("initializer", "condition", "update"))
    if first is not None:
        statement(lo, first)
    operand: Operand = ""
    with lo.block(False) as test:
        if condition is not None:
            operand = expression(lo, condition)
    with lo.block() as inside:
        statements(lo, parts_of(body))
    with lo.block(False) as update:
        if last is not None:
            statement(lo, last)
    lo.emit(ir.LOOP, node, label, test, operand, inside, update)


def range_loop(lo: Lowering, node: Node, head: Node, body: Node | None, label: str) -> None:
    targets = values_of(head.child_by_field_name("left"))
    declares = b":=" in lo.source[head.start_byte : head.end_byte]
    pairs = lo.ask(head, "$range", expression(lo, head.child_by_field_name("right")))
    pair = lo.builder.temp()
    with lo.block() as inside:
        for position, target in enumerate(targets[:2]):
            operand = lo.value(ir.ITEM, target, pair, lo.const(position))
            if declares:
                lo.bind(target, lo.text(target), operand)
            else:
                store(lo, target, target, operand)
        statements(lo, parts_of(body))
    lo.emit(ir.FOREACH, node, label, pair, pairs, inside, "values")


def jump(lo: Lowering, node: Node) -> None:
    labels = [part for part in node.named_children if part.type == "label_name"]
    label = lo.text(labels[0]) if labels else ""
    if node.type == "goto_statement":
        lo.emit(ir.CONTINUE if is_backward(lo, node, label) else ir.BREAK, node, label)
        return
    if node.type == "break_statement":
        lo.emit(ir.BREAK, node, label or (lo.body.breaks[-1] if lo.body.breaks else ""))
    else:
        lo.emit(ir.CONTINUE, node, label)


def is_backward(lo: Lowering, node: Node, label: str) -> bool:
    start = lo.body.function.span >> 36
    lines = lo.source[: node.start_byte].split(b"\n")[start - 1 :]
    return any(re.match(rb"\s*" + label.encode() + rb"\s*:(?!=)", line) for line in lines)


def give_back(lo: Lowering, node: Node) -> None:
    """Return the named results."""
    found = [lo.read(node, name) for name in lo.body.results]
    value = lo.const(None) if not found else found[0] if len(found) == 1 else lo.value(ir.MAKE, node, "tuple", found)
    lo.emit(ir.RETURN, node, value)


def leave(lo: Lowering, node: Node) -> None:
    sources = [part for child in meaningful(node) for part in values_of(child)]
    results = lo.body.results
    if results:
        if sources:
            operands = evaluated(lo, node, sources, len(results))
            operands = [lo.variable(node, operand) for operand in operands] if len(operands) > 1 else operands
            for name, operand in zip(results, operands, strict=True):
                lo.write(node, name, operand)
        run_exits(lo, node)
        give_back(lo, node)
        return
    operands = [copy_of(lo, source) for source in sources]
    for source, operand in zip(sources, operands, strict=True):
        if source.type == "func_literal":  # nothing here calls it: it is looked at while its variables are known
            lo.ask(source, "$escape", operand)
    value: Operand = lo.const(None)
    if operands:
        value = operands[0] if len(operands) == 1 else lo.value(ir.MAKE, node, "tuple", operands)
    if lo.body.exits:
        value = lo.variable(node, value)
        run_exits(lo, node)
    lo.emit(ir.RETURN, node, value)


def plain(lo: Lowering, node: Node) -> None:
    for part in meaningful(node):
        expression(lo, part)


STATEMENTS.update(
    {
        "block": nested,
        "expression_statement": plain,
        "short_var_declaration": short_declaration,
        "var_declaration": variables,
        "const_declaration": variables,
        "assignment_statement": assignment,
        "inc_statement": step,
        "dec_statement": step,
        "send_statement": send,
        "if_statement": branch,
        "expression_switch_statement": switch,
        "type_switch_statement": type_switch,
        "select_statement": select,
        "for_statement": loop,
        "labeled_statement": labeled,
        "break_statement": jump,
        "continue_statement": jump,
        "goto_statement": jump,
        "go_statement": go,
        "defer_statement": defer,
        "return_statement": leave,
    }
)

__all__ = ["BOX", "give_back", "run_exits", "statements"]
