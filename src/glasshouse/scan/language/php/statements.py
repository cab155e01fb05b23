"""Statements: output, branches, loops, switches, jumps, exceptions, constants and globals."""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Import, Operand
from glasshouse.scan.language.php.assignments import LISTS, store
from glasshouse.scan.language.php.declarations import (
    CLASSES,
    damaged_class,
    declare_class,
    function_definition,
    namespace,
    use,
)
from glasshouse.scan.language.php.expressions import flat_sequence, leave
from glasshouse.scan.language.php.output import echo
from glasshouse.scan.language.php.state import STATEMENTS, Lowering, expression, meaningful, statement

LOOSE = frozenset(["colon_block", "compound_statement", "switch_block"])


# --- blocks and the page around the code -----------------------------------------------------------------------------


def statements(lo: Lowering, nodes: Sequence[Node]) -> None:
    for node in nodes:
        if node.type == "php_tag":
            lo.echo_next = lo.text(node) == "<?="
        elif node.type == "ERROR":
            damaged(lo, node)
        else:
            statement(lo, node)


def damaged(lo: Lowering, node: Node) -> None:
    """What the parser could make of a damaged region."""
    if not lo.enough(node):
        lo.depth += 1
        damaged_class(lo, node)
        statements(lo, [part for part in node.named_children if part.type in STATEMENTS or part.type == "ERROR"])
        lo.depth -= 1


def page_text(lo: Lowering, node: Node) -> None:
    lo.page.feed(lo.text(node))


def interpolation(lo: Lowering, node: Node) -> None:
    """``?> text <?php``."""
    for part in node.named_children:
        if part.type == "text":
            lo.page.feed(lo.source[part.start_byte : part.end_byte].decode("utf-8", "replace"))
        elif part.type == "php_tag":
            lo.echo_next = lo.text(part) == "<?="


def block(lo: Lowering, node: Node) -> None:
    statements(lo, node.named_children)


def inside(lo: Lowering, node: Node | None) -> list[ir.Instr]:
    """The instructions of a body: one statement or a block."""
    with lo.block() as found:
        if node is not None:
            statements(lo, node.named_children if node.type in LOOSE else [node])
    return found


def plain(lo: Lowering, node: Node) -> None:
    parts = meaningful(node)
    if lo.echo_next:
        lo.echo_next = False
        print_all(lo, parts)
        return
    for part in parts:
        expression(lo, part)


def output(lo: Lowering, node: Node) -> None:
    print_all(lo, meaningful(node))


def print_all(lo: Lowering, parts: list[Node]) -> None:
    for part in parts:
        for item in flat_sequence(part):
            echo(lo, item)


# --- branches --------------------------------------------------------------------------------------------------------


def branch(lo: Lowering, node: Node) -> None:
    """``if`` with its other arms, which a block holds that each arm leaves: as deep as one ``if``."""
    arms, last = arms_of(node)
    if len(arms) == 1:
        lo.emit(ir.IF, node, condition(lo, arms[0]), inside(lo, arms[0].child_by_field_name("body")), inside(lo, last))
        return
    label = lo.builder.fresh()
    with lo.block() as flat:
        for position, arm in enumerate(arms):
            if lo.enough(arm):
                break
            test = condition(lo, arm)
            with lo.block() as then:
                then.extend(inside(lo, arm.child_by_field_name("body")))
                lo.emit(ir.BREAK, arm, label)
            lo.emit(ir.IF, arm, test, then, inside(lo, last) if position + 1 == len(arms) else [])
    lo.emit(ir.BLOCK, node, label, flat)


def arms_of(node: Node) -> tuple[list[Node], Node | None]:
    """The arms with a condition, and the body of the last ``else``."""
    arms = [node]
    last: Node | None = None
    current: Node | None = node
    while current is not None:
        following: Node | None = None
        for part in current.children_by_field_name("alternative"):
            if part.type == "else_if_clause":
                arms.append(part)
            else:
                last = part.child_by_field_name("body")
                if last is not None and last.type == "if_statement":
                    arms.append(last)
                    following, last = last, None
        current = following
    return arms, last


def condition(lo: Lowering, node: Node) -> Operand:
    return expression(lo, node.child_by_field_name("condition"))


def switch(lo: Lowering, node: Node) -> None:
    subject = condition(lo, node)
    held = subject if isinstance(subject, str) else lo.variable(node, subject)
    label = lo.builder.fresh()
    cases: list[list[object]] = []
    with lo.exit(label, False):
        for part in meaningful(node.child_by_field_name("body")):
            if part.type not in ("case_statement", "default_statement") or lo.enough(part):
                continue
            value = part.child_by_field_name("value")
            operands = [expression(lo, value)] if value is not None else []
            with lo.block() as found:
                statements(lo, [item for item in part.named_children if value is None or item.id != value.id])
            cases.append([operands, found])
    if lo.constant_of(subject) is True:  # `switch (true)`: the cases are conditions
        label_conditions(lo, node, label, cases)
        return
    lo.emit(ir.SWITCH, node, label, held, cases)


def label_conditions(lo: Lowering, node: Node, label: str, cases: list[list[object]]) -> None:
    with lo.block() as flat:
        for operands, found in sorted(cases, key=lambda case: not case[0]):
            if operands:
                lo.emit(ir.IF, node, operands[0], found, [])  # type: ignore[index]
            else:
                lo.builder.block.extend(found)  # type: ignore[arg-type]
    lo.emit(ir.BLOCK, node, label, flat)


# --- loops and jumps -------------------------------------------------------------------------------------------------


def while_loop(lo: Lowering, node: Node) -> None:
    label = lo.builder.fresh()
    with lo.block() as test:
        operand = condition(lo, node)
    with lo.exit(label, True):
        found = inside(lo, node.child_by_field_name("body"))
    lo.emit(ir.LOOP, node, label, test, operand, found, [])


def do_loop(lo: Lowering, node: Node) -> None:
    label = lo.builder.fresh()
    with lo.exit(label, True):
        found = inside(lo, node.child_by_field_name("body"))
    with lo.block() as test:
        operand = condition(lo, node)
    lo.emit(ir.DO_LOOP, node, label, found, test, operand)


def for_loop(lo: Lowering, node: Node) -> None:
    label = lo.builder.fresh()
    expression_list(lo, node.child_by_field_name("initialize"))
    operand: Operand = ""
    with lo.block() as test:
        head = node.child_by_field_name("condition")
        if head is not None:
            operand = expression(lo, head)
    with lo.exit(label, True):
        found = inside(lo, node.child_by_field_name("body"))
    with lo.block() as update:
        expression_list(lo, node.child_by_field_name("update"))
    lo.emit(ir.LOOP, node, label, test, operand, found, update)


def expression_list(lo: Lowering, node: Node | None) -> None:
    for part in flat_sequence(node):
        expression(lo, part)


def foreach_loop(lo: Lowering, node: Node) -> None:
    """``foreach ($items as $key => $value)``: pairs of keys and elements, one by one."""
    body = node.child_by_field_name("body")
    heads = [part for part in meaningful(node) if body is None or part.id != body.id]
    heads = [part for part in heads if part.type != "text_interpolation"]
    if len(heads) < 2:
        return
    label = lo.builder.fresh()
    pairs = lo.ask(heads[0], "$range", expression(lo, heads[0]))
    pair = lo.builder.temp()
    targets = meaningful(heads[1]) if heads[1].type == "pair" else [heads[1]]
    with lo.exit(label, True), lo.block() as found:
        if len(targets) > 1:
            store(lo, targets[0], targets[0], lo.value(ir.ITEM, targets[0], pair, lo.const(0)))
        operand: Operand = lo.value(ir.ITEM, targets[-1], pair, lo.const(1))
        if targets[-1].type in LISTS:
            operand = lo.variable(targets[-1], operand)
        store(lo, targets[-1], targets[-1], operand)
        lo.builder.block.extend(inside(lo, body))
    lo.emit(ir.FOREACH, node, label, pair, pairs, found, "values")


def jump(lo: Lowering, node: Node) -> None:
    """``break 2`` and ``continue 2``; to go on with a switch is to leave it."""
    levels = [part for part in meaningful(node) if part.type == "integer"]
    count = int(lo.text(levels[0])) if levels and lo.text(levels[0]).isdecimal() else 1
    exits = lo.body.exits
    if not exits:
        return
    label, loop = exits[-min(max(count, 1), len(exits))]
    lo.emit(ir.CONTINUE if loop and node.type == "continue_statement" else ir.BREAK, node, label)


def give(lo: Lowering, node: Node) -> None:
    parts = meaningful(node)
    lo.emit(ir.RETURN, node, expression(lo, parts[0]) if parts else lo.const(None))


def end(lo: Lowering, node: Node) -> None:
    leave(lo, node)


# --- exceptions ------------------------------------------------------------------------------------------------------


def attempt(lo: Lowering, node: Node) -> None:
    body = inside(lo, node.child_by_field_name("body"))
    handlers: list[list[object]] = []
    last: list[ir.Instr] = []
    for part in meaningful(node):
        if part.type == "catch_clause":
            names = [lo.class_name(lo.text(item)) for item in meaningful(part.child_by_field_name("type"))]
            caught = lo.text(part.child_by_field_name("name")).lstrip("$")
            handlers.append([names, caught, inside(lo, part.child_by_field_name("body"))])
        elif part.type == "finally_clause":
            last = inside(lo, part.child_by_field_name("body"))
    lo.emit(ir.TRY, node, body, handlers, [], last)


# --- variables and constants -----------------------------------------------------------------------------------------


def unset(lo: Lowering, node: Node) -> None:
    for part in meaningful(node):
        if part.type == "variable_name":
            lo.write(node, lo.text(part).lstrip("$"), lo.const(None))
        elif part.type == "subscript_expression":
            pieces = meaningful(part)
            if len(pieces) > 1:
                lo.emit(ir.DEL_ITEM, node, expression(lo, pieces[0]), expression(lo, pieces[1]))


def globals_of(lo: Lowering, node: Node) -> None:
    if lo.body.function.kind == "module":
        return
    for part in meaningful(node):
        name = lo.text(part).lstrip("$")
        if name and name not in lo.body.function.outer:
            lo.body.function.outer.append(name)


def statics(lo: Lowering, node: Node) -> None:
    """Static variables of a function: as they are the first time."""
    for part in meaningful(node):
        name, value = part.child_by_field_name("name"), part.child_by_field_name("value")
        if name is not None:
            operand = expression(lo, value) if value is not None else lo.const(None)
            lo.emit(ir.MOVE, part, lo.text(name).lstrip("$"), operand)


def constants(lo: Lowering, node: Node) -> None:
    for element in meaningful(node):
        pieces = meaningful(element)
        if element.type == "const_element" and len(pieces) > 1:
            make_constant(lo, element, lo.text(pieces[0]), expression(lo, pieces[-1]))


def make_constant(lo: Lowering, node: Node, name: str, operand: Operand) -> None:
    """A constant that every file sees."""
    local = "\\#" + name.rpartition("\\")[2]
    if lo.body.function.kind != "module" and local not in lo.body.function.outer:
        lo.body.function.outer.append(local)
    lo.imports.append(Import(local, lo.path, "const", lo.span(node)))
    lo.emit(ir.MOVE, node, local, operand)


def declared(lo: Lowering, node: Node) -> None:
    """``declare(ticks=1) { ... }``."""
    statements(lo, [part for part in node.named_children if part.type != "declare_directive"])


STATEMENTS.update(
    {
        "text": page_text,
        "text_interpolation": interpolation,
        "compound_statement": block,
        "colon_block": block,
        "expression_statement": plain,
        "echo_statement": output,
        "if_statement": branch,
        "switch_statement": switch,
        "while_statement": while_loop,
        "do_statement": do_loop,
        "for_statement": for_loop,
        "foreach_statement": foreach_loop,
        "break_statement": jump,
        "continue_statement": jump,
        "return_statement": give,
        "exit_statement": end,
        "try_statement": attempt,
        "unset_statement": unset,
        "global_declaration": globals_of,
        "function_static_declaration": statics,
        "const_declaration": constants,
        "declare_statement": declared,
        "function_definition": function_definition,
        "namespace_definition": namespace,
        "namespace_use_declaration": use,
        **dict.fromkeys(CLASSES, declare_class),
    }
)
