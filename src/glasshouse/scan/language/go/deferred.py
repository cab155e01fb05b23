"""Goroutines and deferred calls: prepared where they are written, carried out when the function ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.language.go.expressions import arguments, meaningful
from glasshouse.scan.language.go.state import Exit, Lowering, expression


def prepared(lo: Lowering, node: Node) -> Callable[[], object] | None:
    """A call with its function and arguments evaluated now; calling it makes it happen."""
    from glasshouse.scan.language.go.expressions import special

    call = next((part for part in meaningful(node) if part.type == "call_expression"), None)
    if call is None:
        return None
    callee = call.child_by_field_name("function")
    if callee is None or special(lo, call):
        return partial(expression, lo, call)
    given: list[object] = []
    if callee.type == "selector_expression":
        holder = lo.variable(call, expression(lo, callee.child_by_field_name("operand")))
        field = callee.child_by_field_name("field")
        given = held(lo, call)
        return partial(lo.value, ir.CALL_METHOD, call, holder, lo.text(field) if field else "", given, [])
    function = lo.variable(call, expression(lo, callee))
    given = held(lo, call)
    return partial(lo.value, ir.CALL, call, function, given, [])


def held(lo: Lowering, call: Node) -> list[object]:
    found: list[object] = []
    for operand in arguments(lo, call.child_by_field_name("arguments")):
        if isinstance(operand, list):
            found.append(["*", lo.variable(call, operand[1])])
        else:
            found.append(lo.variable(call, operand) if isinstance(operand, int) and operand >= 0 else operand)
    return found


def at_exit(lo: Lowering, node: Node, goroutine: bool) -> None:
    call = prepared(lo, node)
    if call is None:
        return
    if goroutine:
        call()
        if not lo.body.waits:
            return
    flag = ""
    if len(lo.body.scopes) > 2:
        flag = lo.builder.fresh()
        lo.emit(ir.MOVE, node, flag, lo.const(True))
    lo.body.exits.append(Exit(call, flag, goroutine))


def defer(lo: Lowering, node: Node) -> None:
    at_exit(lo, node, False)


def go(lo: Lowering, node: Node) -> None:
    at_exit(lo, node, True)


def run_exits(lo: Lowering, node: Node) -> None:
    """What happens when the function ends: goroutines that waited, then deferred calls, last first."""
    deferred = [item for item in reversed(lo.body.exits) if not item.goroutine]
    for item in [*(item for item in lo.body.exits if item.goroutine), *deferred]:
        if not item.flag:
            item.call()
            continue
        with lo.block(False) as block:
            item.call()
        lo.emit(ir.IF, node, item.flag, block, [])
