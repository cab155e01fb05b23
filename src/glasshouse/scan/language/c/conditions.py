"""Conditions as jumps: ``a && b`` tests a, then b, and leaves a labelled block where one of them decides."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.language.c.state import MAX_DEPTH, Lowering

LOGICAL = {"&&": "&&", "||": "||", "and": "&&", "or": "||"}


def jump_false(lo: Lowering, node: Node | None, label: str) -> None:
    """Fall through where the condition holds, else break to ``label``."""
    _jump(lo, node, label, False)


def _jump(lo: Lowering, node: Node | None, label: str, when: bool) -> None:
    node, when = _stripped(lo, node, when)
    word = _logical(lo, node)
    if node is None or not word or lo.depth > MAX_DEPTH:
        value = lo.operand(node)
        span = lo.span(node) if node is not None else 0
        leave: ir.Block = [[ir.BREAK, span, label]]
        lo.builder.block.append([ir.IF, span, value, leave if when else [], [] if when else leave])
        return
    lo.depth += 1
    parts = _terms(lo, node, word)
    if (word == "&&") != when:  # every term decides alone
        for part in parts:
            _jump(lo, part, label, when)
    else:
        stay = lo.label()

        def body() -> None:
            for part in parts[:-1]:
                _jump(lo, part, stay, not when)
            _jump(lo, parts[-1], label, when)

        lo.builder.block.append([ir.BLOCK, lo.span(node), stay, lo.block(body)])
    lo.depth -= 1


def _stripped(lo: Lowering, node: Node | None, when: bool) -> tuple[Node | None, bool]:
    """The condition without parentheses and negations."""
    for _ in range(200):
        if node is None:
            break
        kind = node.type
        if kind in ("parenthesized_expression", "condition_clause") and node.named_child_count == 1:
            inner = node.named_children[0]
            if inner.type in ("compound_statement", "declaration"):
                break
            node = inner
        elif kind == "unary_expression" and node.children[0].type in ("!", "not"):
            node, when = lo.child(node, "argument"), not when
        elif kind == "call_expression" and node.named_child_count == 2 and _hint(lo, node):
            arguments = lo.child(node, "arguments")
            if arguments is None or not arguments.named_children:
                break
            node = arguments.named_children[0]
        else:
            break
    return node, when


def _hint(lo: Lowering, node: Node) -> bool:
    """``likely(x)`` and its kind say nothing about the value."""
    function = lo.child(node, "function")
    return function is not None and lo.text(function) in HINTS


HINTS = frozenset("likely unlikely __builtin_expect LIKELY UNLIKELY G_LIKELY G_UNLIKELY WARN_ON WARN_ON_ONCE".split())


def _logical(lo: Lowering, node: Node | None) -> str:
    if node is None or node.type != "binary_expression":
        return ""
    operator = lo.child(node, "operator")
    return LOGICAL.get(operator.type, "") if operator is not None else ""


def _terms(lo: Lowering, node: Node, word: str) -> list[Node | None]:
    """The terms of a left-deep chain of one operator."""
    terms: list[Node | None] = []
    item: Node | None = node
    while item is not None and _logical(lo, item) == word and len(terms) < 2000:
        terms.append(lo.child(item, "right"))
        item = lo.child(item, "left")
    terms.append(item)
    terms.reverse()
    return terms


def is_simple(lo: Lowering, node: Node | None) -> bool:
    """Whether a condition is one test, without ``&&`` or ``||`` at its top."""
    return not _logical(lo, _stripped(lo, node, True)[0])


def choose(
    lo: Lowering, condition: Node | None, span: int, then: Callable[[], None], other: Callable[[], None] | None
) -> None:
    """``if (condition) then else other``."""
    block = lo.builder.block
    if is_simple(lo, condition):
        inner, positive = _stripped(lo, condition, True)
        value = lo.operand(inner)
        first = lo.block(then)
        second = lo.block(other) if other is not None else []
        block.append([ir.IF, span, value, first if positive else second, second if positive else first])
        return
    end = lo.label()
    if other is None:

        def alone() -> None:
            jump_false(lo, condition, end)
            then()

        block.append([ir.BLOCK, span, end, lo.block(alone)])
        return
    skip, rest = lo.label(), other

    def first_arm() -> None:
        jump_false(lo, condition, skip)
        then()
        lo.builder.block.append([ir.BREAK, span, end])

    def both() -> None:
        lo.builder.block.append([ir.BLOCK, span, skip, lo.block(first_arm)])
        rest()

    block.append([ir.BLOCK, span, end, lo.block(both)])
