"""Statements of C and C++."""

from __future__ import annotations

import functools
import re

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.language.c.conditions import choose, is_simple, jump_false
from glasshouse.scan.language.c.declarations import declaration, enumerators, record, typedef
from glasshouse.scan.language.c.state import Lowering, statement

MAX_ELSE_IF = 2000


@statement("compound_statement", "translation_unit", "declaration_list", "attributed_statement", "seh_try_statement")
def compound(lo: Lowering, node: Node) -> None:
    children = node.named_children
    position = 0
    while position < len(children):
        child = children[position]
        position += 1
        if child.type in ("expression_statement", "labeled_statement") and position < len(children):
            labels, inner = _labels(child)
            call = _macro_loop(lo, inner)
            if call is not None:
                for label in labels:
                    _label(lo, label)
                _each(lo, call, children[position])
                position += 1
                continue
        lo.run(child)


def _labels(node: Node) -> tuple[list[Node], Node]:
    """The labels before a statement, and the statement."""
    labels = []
    while node.type == "labeled_statement" and node.named_children:
        labels.append(node)
        node = node.named_children[-1]
    return labels, node


LOOPS = re.compile(r"(?i)each|(^|_)iter(ate)?(_|$)")


def _macro_loop(lo: Lowering, node: Node) -> Node | None:
    """The call in ``list_for_each_entry(...)`` and its kind: a statement without a semicolon, which is a loop."""
    if node.type != "expression_statement" or not node.has_error or not node.named_children:
        return None
    if node.named_children[0].type != "call_expression":
        return None
    last = node.children[-1]
    call = node.named_children[0]
    name = lo.child(call, "function")
    is_loop = last.is_missing and name is not None and LOOPS.search(lo.text(name)) is not None
    return call if is_loop else None


STEPS = re.compile(r"h?list_for_each(_entry)?(_rcu)?(_reverse)?\(")


def _each(lo: Lowering, call: Node, body: Node) -> None:
    """The first argument takes unknown values, round by round."""
    label, span = lo.label(), lo.span(call)
    arguments = lo.child(call, "arguments")
    names = [child for child in arguments.named_children if child.type != "comment"] if arguments is not None else []
    cursors = names[:2] if "safe" in lo.text(call)[:60] else names[:1]
    if lo.text(call).startswith("HASH_ITER"):  # uthash: the handle, the table, the element, the next one
        cursors = names[2:4]
    lo.labels.append((label, label))

    def inside() -> None:
        for cursor in cursors:
            if cursor.type == "identifier":
                lo.builder.block.append([ir.MOVE, span, lo.text(cursor), lo.unknown(call)])
        lo.operand(call)  # whatever else it is given may be written
        lo.run(body)

    block = lo.block(inside)
    lo.labels.pop()
    test: ir.Block = []
    outer, lo.builder.block = lo.builder.block, test
    going = lo.unknown(call)
    lo.builder.block = outer
    update: ir.Block = []
    if STEPS.match(lo.text(call)[:60]) and names and names[0].type == "identifier":
        update = [[ir.ATTR, span, lo.builder.temp(), lo.text(names[0]), "next"]]  # the step to the next reads this one
    lo.builder.block.append([ir.LOOP, span, label, test, going, block, update])


@statement("expression_statement", "condition_clause")
def expression_statement(lo: Lowering, node: Node) -> None:
    for child in node.named_children:
        if child.type != "comment":
            lo.operand(child)


@statement("declaration", "init_statement")
def local_declaration(lo: Lowering, node: Node) -> None:
    declaration(lo, node)


statement("type_definition")(typedef)
statement("struct_specifier", "union_specifier", "class_specifier")(record)
statement("enum_specifier")(enumerators)


@statement(
    "comment", "preproc_include", "preproc_call", "using_declaration", "alias_declaration", "function_definition"
)
@statement("preproc_def", "preproc_function_def", "static_assert_declaration", "empty_statement")
def nothing(lo: Lowering, node: Node) -> None:
    """Says nothing about what happens here."""


@statement("if_statement")
def if_statement(lo: Lowering, node: Node) -> None:
    """Chains of ``else if`` are unrolled."""
    chain: list[Node] = []
    last: Node | None = node
    while last is not None and last.type == "if_statement" and len(chain) < MAX_ELSE_IF:
        chain.append(last)
        last = lo.child(last, "alternative")
        if last is not None and last.type == "else_clause":
            inner = [child for child in last.named_children if child.type != "comment"]
            last = inner[0] if inner else None
    if len(chain) <= 40:
        _arms(lo, chain, last, 0)
        return
    end = lo.label()

    def flat() -> None:
        for item in chain:

            def arm(item: Node = item) -> None:
                _run(lo, lo.child(item, "consequence"))
                lo.builder.block.append([ir.BREAK, lo.span(item), end])

            choose(lo, lo.child(item, "condition"), lo.span(item), arm, None)
        _run(lo, last)

    lo.builder.block.append([ir.BLOCK, lo.span(node), end, lo.block(flat)])


def _arms(lo: Lowering, chain: list[Node], last: Node | None, number: int) -> None:
    item = chain[number]
    then = lo.child(item, "consequence")
    if number + 1 < len(chain):
        choose(
            lo,
            lo.child(item, "condition"),
            lo.span(item),
            lambda: _run(lo, then),
            lambda: _arms(lo, chain, last, number + 1),
        )
    elif last is not None:
        choose(lo, lo.child(item, "condition"), lo.span(item), lambda: _run(lo, then), lambda: _run(lo, last))
    else:
        choose(lo, lo.child(item, "condition"), lo.span(item), lambda: _run(lo, then), None)


def _run(lo: Lowering, node: Node | None) -> None:
    if node is not None:
        lo.run(node)


@statement("while_statement")
def while_statement(lo: Lowering, node: Node) -> None:
    _loop(lo, node, lo.child(node, "condition"), None)


@statement("for_statement")
def for_statement(lo: Lowering, node: Node) -> None:
    start = lo.child(node, "initializer")
    if start is not None:
        lo.run(start)
    _loop(lo, node, lo.child(node, "condition"), lo.child(node, "update"))


def _loop(lo: Lowering, node: Node, condition: Node | None, update: Node | None) -> None:
    label, span = lo.label(), lo.span(node)
    body = lo.child(node, "body")
    lo.labels.append((label, label))
    test: ir.Block = []
    value: ir.Operand = ""
    if condition is not None and is_simple(lo, condition):
        held: list[ir.Operand] = []
        test = lo.block(lambda: held.append(lo.operand(condition)))
        value = held[0]
        inner = lo.block(lambda: _run(lo, body))
    else:

        def tested() -> None:
            if condition is not None:
                jump_false(lo, condition, label)
            _run(lo, body)

        inner = lo.block(tested)
    after = lo.block(lambda: _expression(lo, update))
    lo.labels.pop()
    lo.builder.block.append([ir.LOOP, span, label, test, value, inner, after])


def _expression(lo: Lowering, node: Node | None) -> None:
    if node is not None:
        lo.operand(node)


@statement("do_statement")
def do_statement(lo: Lowering, node: Node) -> None:
    label, span = lo.label(), lo.span(node)
    lo.labels.append((label, label))
    body = lo.block(lambda: _run(lo, lo.child(node, "body")))
    held: list[ir.Operand] = []
    test = lo.block(lambda: held.append(lo.operand(lo.child(node, "condition"))))
    lo.labels.pop()
    lo.builder.block.append([ir.DO_LOOP, span, label, body, test, held[0]])


@statement("for_range_loop")
def range_loop(lo: Lowering, node: Node) -> None:
    label, span = lo.label(), lo.span(node)
    items = lo.operand(lo.child(node, "right"))
    element = lo.builder.temp()
    lo.labels.append((label, label))
    body = lo.block(lambda: _run(lo, lo.child(node, "body")))
    lo.labels.pop()
    lo.builder.block.append([ir.FOREACH, span, label, element, items, body, "values"])


@statement("switch_statement")
def switch_statement(lo: Lowering, node: Node) -> None:
    label, span = lo.label(), lo.span(node)
    subject = lo.operand(lo.child(node, "condition"))
    body = lo.child(node, "body")
    cases: list[list[object]] = []
    outer = lo.labels[-1][1] if lo.labels else ""
    lo.labels.append((label, outer))
    for child in body.named_children if body is not None else []:
        if child.type == "case_statement":
            _case(lo, child, cases)
        elif cases and child.type != "comment":
            last = cases[-1][1]
            assert isinstance(last, list)
            last.extend(lo.block(lambda child=child: lo.run(child)))  # type: ignore[misc]
    lo.labels.pop()
    lo.builder.block.append([ir.SWITCH, span, label, subject, cases])


def _all(lo: Lowering, nodes: list[Node]) -> None:
    for node in nodes:
        lo.run(node)


def _case(lo: Lowering, node: Node, cases: list[list[object]]) -> None:
    """One ``case``; labels nested directly below it (``case 1: case 2:``) become cases of their own."""
    for _ in range(2000):
        value = lo.child(node, "value")
        operands = [lo.operand(value)] if value is not None else []
        rest = [child for child in node.named_children if child != value and child.type != "comment"]
        nested = rest[0] if rest and rest[0].type == "case_statement" else None
        statements = rest[1:] if nested is not None else rest
        if nested is None:
            cases.append([operands, lo.block(functools.partial(_all, lo, statements))])
            return
        cases.append([operands, []])
        node = nested


@statement("break_statement")
def break_statement(lo: Lowering, node: Node) -> None:
    lo.builder.block.append([ir.BREAK, lo.span(node), lo.labels[-1][0] if lo.labels else ""])


@statement("continue_statement")
def continue_statement(lo: Lowering, node: Node) -> None:
    lo.builder.block.append([ir.CONTINUE, lo.span(node), lo.labels[-1][1] if lo.labels else ""])


@statement("return_statement", "co_return_statement")
def return_statement(lo: Lowering, node: Node) -> None:
    inner = [child for child in node.named_children if child.type != "comment"]
    value = lo.operand(inner[0]) if inner else lo.builder.const(None)
    lo.builder.block.append([ir.RETURN, lo.span(node), value])


@statement("throw_statement")
def throw_statement(lo: Lowering, node: Node) -> None:
    value = lo.operand(node.named_children[0]) if node.named_children else lo.builder.const(None)
    lo.builder.block.append([ir.RAISE, lo.span(node), value])


@statement("goto_statement")
def goto_statement(lo: Lowering, node: Node) -> None:
    label = lo.child(node, "label")
    lo.has_goto = True
    lo.builder.block.append([ir.GOTO, lo.span(node), lo.text(label) if label is not None else "?"])


def _label(lo: Lowering, node: Node) -> Node | None:
    label = lo.child(node, "label")
    lo.builder.block.append([ir.LABEL, lo.span(node), lo.text(label) if label is not None else "?"])
    return label


@statement("labeled_statement")
def labeled_statement(lo: Lowering, node: Node) -> None:
    label = _label(lo, node)
    for child in node.named_children:
        if label is None or child.start_byte != label.start_byte:
            lo.run(child)


@statement("try_statement")
def try_statement(lo: Lowering, node: Node) -> None:
    span = lo.span(node)
    body = lo.block(lambda: _run(lo, lo.child(node, "body")))
    handlers = []
    for child in node.named_children:
        if child.type == "catch_clause":
            handlers.append([["..."], "", lo.block(lambda child=child: _run(lo, lo.child(child, "body")))])  # type: ignore[misc]
    lo.builder.block.append([ir.TRY, span, body, handlers, [], []])


@statement("preproc_if", "preproc_ifdef", "preproc_elif", "preproc_elifdef")
def conditional_region(lo: Lowering, node: Node) -> None:
    """Regions that the preprocessor chooses between are branches of an unknown condition (``#if 0`` is left out)."""
    condition, name = lo.child(node, "condition"), lo.child(node, "name")
    alternative = lo.child(node, "alternative")
    skip = {part.start_byte for part in (condition, name, alternative) if part is not None}
    inside = [child for child in node.named_children if child.start_byte not in skip]
    value = lo.text(condition).strip() if condition is not None else ""
    if value == "0" or (value == "1" and alternative is None):
        for child in inside if value == "1" else ():
            lo.run(child)
        if value == "0" and alternative is not None:
            lo.run(alternative)
        return

    def then() -> None:
        for child in inside:
            lo.run(child)

    if alternative is None:  # code that is usually there
        then()
        return
    other = alternative
    lo.builder.block.append([ir.IF, lo.span(node), lo.unknown(node), lo.block(then), lo.block(lambda: lo.run(other))])


@statement("preproc_else")
def else_region(lo: Lowering, node: Node) -> None:
    for child in node.named_children:
        lo.run(child)
