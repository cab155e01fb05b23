"""Statements: declarations of locals, branches, loops, exceptions and jumps."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block
from glasshouse.scan.language.java.calls import arguments
from glasshouse.scan.language.java.expressions import array_initializer, meaningful
from glasshouse.scan.language.java.names import type_text
from glasshouse.scan.language.java.state import (
    COMMENTS,
    STATEMENTS,
    Lowering,
    expr,
    nested,
    statement,
    statements,
)

_FLAT_AFTER = 40  # else-if arms that are nested before the rest is written as a flat labelled block
_LOOPS = frozenset({"for_statement", "enhanced_for_statement", "while_statement", "do_statement", "switch_expression"})


def _expression(lo: Lowering, node: Node) -> None:
    kids = node.children
    if kids and kids[0].type not in COMMENTS:
        expr(lo, kids[0])
    elif len(kids) > 1:
        expr(lo, kids[1])


def _block(lo: Lowering, node: Node) -> None:
    statements(lo, node.children)


def _children(lo: Lowering, node: Node) -> None:
    """What is left of a region that did not parse."""
    for child in node.named_children:
        statement(lo, child)


def _local(lo: Lowering, node: Node) -> None:
    text = ""
    for child in node.children:
        kind = child.type
        if kind == "variable_declarator":
            declare_local(lo, child, text)
        elif not text and child.is_named and kind != "modifiers" and kind not in COMMENTS:
            text = type_text(lo, child)


def declare_local(lo: Lowering, node: Node, text: str) -> None:
    """``name[] = value`` of the given type."""
    kids = node.children
    name = lo.word(kids[0])
    span = lo.span(node)
    value = None
    if len(kids) > 1:
        if kids[1].type == "dimensions":
            text += "[]" * lo.word(kids[1]).count("[")
        if kids[-1].type != "dimensions":
            value = array_initializer(lo, kids[-1]) if kids[-1].type == "array_initializer" else expr(lo, kids[-1])
    lo.declare(name)
    block = lo.builder.block
    if text and text != "var":
        block.append([ir.DECLARE, span, name, text])
    if value is not None:
        block.append([ir.MOVE, span, name, value])


# --- branches ------------------------------------------------------------------------------------------------------
def _if(lo: Lowering, node: Node) -> None:
    """An ``if`` with its else-if arms; a long chain becomes a labelled block, so nesting stays bounded."""
    builder = lo.builder
    outer = builder.block
    current: Node | None = node
    arms = 0
    label = ""
    while current is not None and lo.stop_at >= 0:
        condition, then = current.child_by_field_name("condition"), current.child_by_field_name("consequence")
        following = current.child_by_field_name("alternative")
        if condition is None:
            break
        arms += 1
        span = lo.span(current)
        if arms == _FLAT_AFTER:
            label = lo.label()
            flat: Block = []
            builder.emit(ir.BLOCK, span, label, flat)
            builder.block = flat
        value = expr(lo, condition)
        body = nested(lo, then)
        other: Block = []
        builder.emit(ir.IF, lo.span(condition), value, body, other)
        if label:
            body.append([ir.BREAK, span, label])
        else:
            builder.block = other
        current = following
        if current is not None and current.type != "if_statement":
            builder.block.extend(nested(lo, current))
            current = None
        lo.depth += 0 if label else 1
    lo.depth -= min(arms, _FLAT_AFTER - 1)
    builder.block = outer


# --- loops ---------------------------------------------------------------------------------------------------------
def take_label(lo: Lowering) -> str:
    """The label written before the statement that is being lowered."""
    label, lo.pending_label = lo.pending_label, ""
    return label


def _labeled(lo: Lowering, node: Node) -> None:
    kids = meaningful(node)
    if len(kids) < 2:
        return
    label = lo.word(kids[0])
    if kids[-1].type in _LOOPS:
        lo.pending_label = label
        statement(lo, kids[-1])
        lo.pending_label = ""
        return
    lo.builder.emit(ir.BLOCK, lo.span(node), label, nested(lo, kids[-1]))


def _condition(lo: Lowering, node: Node | None) -> tuple[Block, int | str]:
    """The block that computes a loop condition, and the condition ("" when there is none)."""
    builder = lo.builder
    saved = builder.block
    block: Block = []
    builder.block = block
    value = expr(lo, node) if node is not None else ""
    builder.block = saved
    return block, value


def _while(lo: Lowering, node: Node) -> None:
    label = take_label(lo)
    test, value = _condition(lo, node.child_by_field_name("condition"))
    body = nested(lo, node.child_by_field_name("body"))
    lo.builder.emit(ir.LOOP, lo.span(node), label, test, value, body, [])


def _do(lo: Lowering, node: Node) -> None:
    label = take_label(lo)
    body = nested(lo, node.child_by_field_name("body"))
    test, value = _condition(lo, node.child_by_field_name("condition"))
    lo.builder.emit(ir.DO_LOOP, lo.span(node), label, body, test, value)


def _for(lo: Lowering, node: Node) -> None:
    label = take_label(lo)
    declared = lo.frame.declared
    mark = len(declared)
    for child in node.children_by_field_name("init"):
        statement(lo, child)
    test, value = _condition(lo, node.child_by_field_name("condition"))
    body = nested(lo, node.child_by_field_name("body"))
    builder = lo.builder
    saved = builder.block
    update: Block = []
    builder.block = update
    for child in node.children_by_field_name("update"):
        expr(lo, child)
    builder.block = saved
    builder.emit(ir.LOOP, lo.span(node), label, test, value, body, update)
    lo.locals.difference_update(declared[mark:])
    del declared[mark:]


def _for_each(lo: Lowering, node: Node) -> None:
    label = take_label(lo)
    type_node, name_node = node.child_by_field_name("type"), node.child_by_field_name("name")
    value = node.child_by_field_name("value")
    if value is None or name_node is None:
        return
    iterable = expr(lo, value)
    builder = lo.builder
    name, span = lo.word(name_node), lo.span(name_node)
    text = type_text(lo, type_node) if type_node is not None else ""
    element = builder.temp()
    declared = lo.frame.declared
    mark = len(declared)
    lo.declare(name)
    body: Block = [[ir.MOVE, span, name, element]]
    if text and text != "var":
        body.insert(0, [ir.DECLARE, span, name, text])
    body.extend(nested(lo, node.child_by_field_name("body")))
    builder.emit(ir.FOREACH, lo.span(node), label, element, iterable, body, "values")
    lo.locals.difference_update(declared[mark:])
    del declared[mark:]


# --- exceptions ----------------------------------------------------------------------------------------------------
def _try(lo: Lowering, node: Node) -> None:
    builder = lo.builder
    declared = lo.frame.declared
    mark = len(declared)
    handlers: list[list[object]] = []
    final: Block = []
    saved = builder.block
    lo.depth += 2  # handlers lie four levels deep in the result
    builder.block = body = []
    resources = node.child_by_field_name("resources")
    if resources is not None:
        for child in meaningful(resources):
            _resource(lo, child)
    builder.block = saved
    body.extend(nested(lo, node.child_by_field_name("body")))
    lo.locals.difference_update(declared[mark:])
    del declared[mark:]
    for child in node.children:
        if child.type == "catch_clause":
            handlers.append(_handler(lo, child))
        elif child.type == "finally_clause":
            kids = meaningful(child)
            final = nested(lo, kids[-1]) if kids else []
    lo.depth -= 2
    builder.emit(ir.TRY, lo.span(node), body, handlers, [], final)


def _resource(lo: Lowering, node: Node) -> None:
    value = node.child_by_field_name("value")
    name_node, type_node = node.child_by_field_name("name"), node.child_by_field_name("type")
    if value is None or name_node is None:
        for child in meaningful(node):
            expr(lo, child)
        return
    operand = expr(lo, value)
    name, span = lo.word(name_node), lo.span(node)
    lo.declare(name)
    text = type_text(lo, type_node) if type_node is not None else "var"
    if text != "var":
        lo.builder.emit(ir.DECLARE, span, name, text)
    lo.builder.emit(ir.MOVE, span, name, operand)


def _handler(lo: Lowering, node: Node) -> list[object]:
    types: list[str] = []
    name = ""
    for child in node.named_children:
        if child.type != "catch_formal_parameter":
            continue
        for part in child.named_children:
            if part.type == "catch_type":
                types = [type_text(lo, kid) for kid in meaningful(part)]
            elif part.type == "identifier":
                name = lo.word(part)
    declared = lo.frame.declared
    mark = len(declared)
    if name:
        lo.declare(name)
    block = nested(lo, node.child_by_field_name("body"))
    lo.locals.difference_update(declared[mark:])
    del declared[mark:]
    return [types, name, block]


def _throw(lo: Lowering, node: Node) -> None:
    kids = meaningful(node)
    if kids:
        value = expr(lo, kids[0])
        lo.builder.emit(ir.RAISE, lo.span(node), value)


def _synchronized(lo: Lowering, node: Node) -> None:
    body = node.child_by_field_name("body")
    lock = next((kid for kid in node.named_children if kid.type == "parenthesized_expression"), None)
    if lock is None:
        lo.builder.block.extend(nested(lo, body))
        return
    value = expr(lo, lock)
    span = lo.span(lock)
    lo.value(ir.CALL, span, "$monitor_enter", [value], [])
    lo.builder.block.extend(nested(lo, body))
    lo.value(ir.CALL, span, "$monitor_exit", [value], [])


# --- jumps and the rest --------------------------------------------------------------------------------------------
def _return(lo: Lowering, node: Node) -> None:
    kids = node.children
    value = expr(lo, kids[1]) if len(kids) == 3 else None
    if value is None:
        inner = meaningful(node)
        value = expr(lo, inner[0]) if inner else lo.builder.const(None)
    lo.builder.emit(ir.RETURN, lo.span(node), value)


def _break(lo: Lowering, node: Node) -> None:
    kids = meaningful(node)
    lo.builder.emit(ir.BREAK, lo.span(node), lo.word(kids[0]) if kids else "")


def _continue(lo: Lowering, node: Node) -> None:
    kids = meaningful(node)
    lo.builder.emit(ir.CONTINUE, lo.span(node), lo.word(kids[0]) if kids else "")


def _yield(lo: Lowering, node: Node) -> None:
    kids = meaningful(node)
    value = expr(lo, kids[0]) if kids else lo.builder.const(None)
    if lo.frame.yields:
        label, result = lo.frame.yields[-1]
        span = lo.span(node)
        lo.builder.emit(ir.MOVE, span, result, value)
        lo.builder.emit(ir.BREAK, span, label)


def _assert(lo: Lowering, node: Node) -> None:
    """Assertions are off unless the program is started with ``-ea``: a failing one does not keep data from going on."""
    kids = meaningful(node)
    if not kids:
        return
    value = expr(lo, kids[0])
    if len(kids) > 1:
        builder = lo.builder
        saved = builder.block
        detail: Block = []
        builder.block = detail
        expr(lo, kids[1])
        builder.block = saved
        builder.emit(ir.IF, lo.span(node), value, [], detail)


def _explicit_constructor(lo: Lowering, node: Node) -> None:
    args, which = node.child_by_field_name("arguments"), node.child_by_field_name("constructor")
    if args is None or which is None:
        return
    operands = arguments(lo, args)
    lo.value(ir.CALL, lo.span(node), "this" if which.type == "this" else "super", operands, [])


STATEMENTS.update(
    {
        "expression_statement": _expression,
        "block": _block,
        "constructor_body": _block,
        "ERROR": _children,
        "local_variable_declaration": _local,
        "field_declaration": _local,
        "if_statement": _if,
        "while_statement": _while,
        "do_statement": _do,
        "for_statement": _for,
        "enhanced_for_statement": _for_each,
        "labeled_statement": _labeled,
        "try_statement": _try,
        "try_with_resources_statement": _try,
        "throw_statement": _throw,
        "synchronized_statement": _synchronized,
        "return_statement": _return,
        "break_statement": _break,
        "continue_statement": _continue,
        "yield_statement": _yield,
        "assert_statement": _assert,
        "explicit_constructor_invocation": _explicit_constructor,
    }
)
