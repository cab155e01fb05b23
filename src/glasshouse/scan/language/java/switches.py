"""``switch``: colon and arrow forms, statements and expressions, constants and patterns."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Operand
from glasshouse.scan.language.java.expressions import match_pattern, meaningful
from glasshouse.scan.language.java.state import COMMENTS, EXPRESSIONS, STATEMENTS, Lowering, expr, statement, statements
from glasshouse.scan.language.java.statements import take_label

_PATTERNS = frozenset({"pattern", "type_pattern", "record_pattern"})


class _Case:
    """One arm: its labels, its guard, and what it runs."""

    __slots__ = ("arrow", "body", "default", "guard", "labels", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.arrow = node.type == "switch_rule"
        self.default = False
        self.labels: list[Node] = []
        self.guard: Node | None = None
        self.body: list[Node] = []


def _cases(body: Node) -> list[_Case]:
    found = []
    for group in body.named_children:
        if group.type not in ("switch_rule", "switch_block_statement_group"):
            continue
        case = _Case(group)
        for child in group.children:
            if child.type == "switch_label":
                _read_label(case, child)
            elif child.is_named and child.type not in COMMENTS:
                case.body.append(child)
        found.append(case)
    return found


def _read_label(case: _Case, label: Node) -> None:
    for child in label.children:
        kind = child.type
        if kind == "default" or (
            kind == "identifier" and child.end_byte - child.start_byte == 7 and child.text == b"default"
        ):
            case.default = True
        elif kind == "guard":
            case.guard = child
        elif child.is_named and kind not in COMMENTS:
            case.labels.append(child)


def _switch(lo: Lowering, node: Node, label: str, result: str) -> None:
    condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if condition is None or body is None:
        return
    subject = expr(lo, condition)
    cases = _cases(body)
    lo.depth += 2  # an arm lies four levels deep in the result
    patterns = any(case.guard is not None or any(kid.type in _PATTERNS for kid in case.labels) for case in cases)
    if patterns:
        arms: list[list[object]] = [[[], _pattern_arms(lo, cases, subject, result)]]
    else:
        arms = []
        for case in cases:
            operands: list[Operand] = [] if case.default else [_label_operand(lo, kid) for kid in case.labels]
            if not operands and not case.default:
                continue
            arms.append([operands, _arm(lo, case, result)])
            if lo.stop_at < 0:
                break
    lo.depth -= 2
    lo.builder.emit(ir.SWITCH, lo.span(node), label, subject, arms)


def _label_operand(lo: Lowering, node: Node) -> Operand:
    if node.type == "identifier":
        name = lo.word(node)
        scope = lo.scope
        while scope is not None:
            if name in scope.fields:
                return expr(lo, node)
            scope = scope.outer
        return name  # a constant of the subject's enum
    return expr(lo, node)


def _arm(lo: Lowering, case: _Case, result: str) -> Block:
    builder = lo.builder
    saved = builder.block
    block: Block = []
    builder.block = block
    if not case.arrow:
        # Names declared in one colon arm are in scope in the next, so they stay declared until the switch ends.
        for child in case.body:
            statement(lo, child)
    elif case.body and case.body[0].type == "expression_statement" and result:
        inner = meaningful(case.body[0])
        value = expr(lo, inner[0]) if inner else builder.const(None)
        builder.emit(ir.MOVE, lo.span(case.body[0]), result, value)
    else:
        statements(lo, case.body)
    if case.arrow:
        builder.emit(ir.BREAK, lo.span(case.node), "")
    builder.block = saved
    return block


def _pattern_arms(lo: Lowering, cases: list[_Case], subject: Operand, result: str) -> Block:
    """Tests in order; the default arm last.  ``BREAK`` leaves the surrounding switch."""
    builder = lo.builder
    saved = builder.block
    block: Block = []
    builder.block = block
    for case in sorted(cases, key=lambda item: item.default):
        tests = [
            match_pattern(lo, kid, subject)
            if kid.type in _PATTERNS
            else lo.value(ir.BINOP, lo.span(kid), "==", subject, _label_operand(lo, kid))
            for kid in case.labels
        ]
        if case.default or not tests:
            block.extend(_arm(lo, case, result))
            continue
        test = tests[0]
        for other in tests[1:]:
            test = lo.value(ir.BINOP, lo.span(case.node), "|", test, other)
        guards = meaningful(case.guard) if case.guard is not None else []
        if guards:
            inner: Block = []
            builder.emit(ir.IF, lo.span(case.node), test, inner, [])
            builder.block = inner
            test = expr(lo, guards[0])
            builder.emit(ir.IF, lo.span(guards[0]), test, _arm(lo, case, result), [])
            builder.block = block
        else:
            builder.emit(ir.IF, lo.span(case.node), test, _arm(lo, case, result), [])
    builder.block = saved
    return block


def _switch_statement(lo: Lowering, node: Node) -> None:
    label = take_label(lo)
    declared = lo.frame.declared
    mark = len(declared)
    _switch(lo, node, label, "")
    lo.locals.difference_update(declared[mark:])
    del declared[mark:]


def _switch_expression(lo: Lowering, node: Node) -> Operand:
    result, label = lo.builder.fresh(), lo.label()
    lo.frame.yields.append((label, result))
    _switch(lo, node, label, result)
    lo.frame.yields.pop()
    return result


EXPRESSIONS["switch_expression"] = _switch_expression
STATEMENTS["switch_expression"] = _switch_statement
