"""Assignments: to variables, elements, properties, lists; references."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.php.access import CHAIN, MEMBERS, class_operand, holder_of, text_key
from glasshouse.scan.language.php.expressions import arithmetic, coalesce, joined, text_parts
from glasshouse.scan.language.php.state import EXPRESSIONS, Lowering, expression, meaningful

LISTS = frozenset(["list_literal", "array_creation_expression"])
COPIED = frozenset(["variable_name", "member_access_expression", "subscript_expression"])
MAX_TARGETS = 200


def assignment(lo: Lowering, node: Node) -> Operand:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operand = expression(lo, right)
    if right is not None and right.type in COPIED:
        operand = lo.ask(right, "$copy", operand)
    if left is not None:
        if left.type in LISTS:
            operand = lo.variable(node, operand)
        store(lo, node, left, operand)
    return operand


def reference(lo: Lowering, node: Node) -> Operand:
    """``$a = &$b``: from now on both are one variable."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operand = expression(lo, right)
    if left is None:
        return operand
    if right is not None and left.type == right.type == "variable_name":
        one, other = lo.text(left).lstrip("$"), lo.text(right).lstrip("$")
        group = lo.body.aliases.get(one, {one}) | lo.body.aliases.get(other, {other})
        lo.emit(ir.MOVE, node, one, operand)
        if len(group) <= 8:
            for name in group:
                lo.body.aliases[name] = group
        return operand
    store(lo, node, left, operand)
    return operand


def augmented(lo: Lowering, node: Node) -> Operand:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = lo.text(node.child_by_field_name("operator")).removesuffix("=")
    if left is None or right is None:
        return lo.builder.temp()
    old = expression(lo, left)
    if operator == ".":
        value = joined(lo, node, [old, *(operand for _, operand in text_parts(lo, right))])
    elif operator == "??":
        value = coalesce(lo, node, old, right)
    else:
        value = arithmetic(lo, node, operator, old, expression(lo, right))
    store(lo, node, left, value)
    return value


def step(lo: Lowering, node: Node) -> Operand:
    """``$i++`` and ``--$i``."""
    target = node.child_by_field_name("argument")
    if target is None:
        return lo.builder.temp()
    before = node.children[0].id == target.id
    operator = lo.text(node.child_by_field_name("operator"))[:1]
    old = expression(lo, target)
    kept = lo.variable(node, old) if before else old
    new = arithmetic(lo, node, operator or "+", kept, lo.const(1))
    store(lo, node, target, new)
    return kept if before else new


def store(lo: Lowering, node: Node, target: Node, operand: Operand) -> None:
    """``target = operand``."""
    kind = target.type
    if kind in ("by_ref", "parenthesized_expression") and target.named_children:
        store(lo, node, target.named_children[0], operand)
    elif kind == "variable_name":
        name = lo.text(target).lstrip("$")
        if name and name != "this":
            lo.write(node, name, operand)
    elif kind == "dynamic_variable_name":
        parts = meaningful(target)
        lo.ask(node, "$set_variable", expression(lo, parts[0] if parts else None), operand)
    elif kind in LISTS:
        destructure(lo, node, target, operand)
    elif kind in CHAIN:
        store_inside(lo, node, target, operand)
    elif kind == "scoped_property_access_expression":
        owner = class_operand(lo, target.child_by_field_name("scope"))
        lo.emit(ir.SET_ATTR, node, owner, lo.text(target.child_by_field_name("name")).lstrip("$"), operand)


def store_inside(lo: Lowering, node: Node, target: Node, operand: Operand) -> None:
    """An element or a property of something; arrays on the way come to be."""
    links: list[Node] = []
    current: Node | None = target
    while current is not None and current.type in CHAIN and len(links) < MAX_TARGETS:
        links.append(current)
        current = holder_of(current)
    holder = expression(lo, current)
    if current is not None and current.type == "variable_name" and links[-1].type == "subscript_expression":
        name = lo.text(current).lstrip("$")
        if isinstance(holder, str) and name != "this":
            holder = lo.ask(node, "$array", holder)
            lo.write(node, name, holder)
    while len(links) > 1:
        item = links.pop()
        key = key_of(lo, item)
        inside = read_link(lo, item, holder, key)
        if links[-1].type == "subscript_expression":
            inside = lo.ask(node, "$array", inside)
            write_link(lo, node, item, holder, key, inside)
        holder = inside
    write_link(lo, node, target, holder, key_of(lo, target), operand)


def key_of(lo: Lowering, item: Node) -> Operand | None:
    """The key or name of an access as an operand; None for ``[]``."""
    if item.type == "subscript_expression":
        parts = meaningful(item)
        return text_key(lo, parts[1]) if len(parts) > 1 else None
    name = item.child_by_field_name("name")
    if name is not None and name.type == "name":
        return lo.const(lo.text(name))
    return expression(lo, name)


def read_link(lo: Lowering, item: Node, holder: Operand, key: Operand | None) -> Operand:
    if key is None:
        return lo.builder.temp()
    known = lo.constant_of(key)
    if item.type in MEMBERS and isinstance(known, str):
        return lo.value(ir.ATTR, item, holder, known)
    return lo.value(ir.ITEM, item, holder, key)


def write_link(lo: Lowering, node: Node, item: Node, holder: Operand, key: Operand | None, operand: Operand) -> None:
    if key is None:
        lo.ask(node, "$push", holder, operand)
        return
    known = lo.constant_of(key)
    if item.type in MEMBERS and isinstance(known, str):
        lo.emit(ir.SET_ATTR, node, holder, known, operand)
    else:
        lo.emit(ir.SET_ITEM, node, holder, key, operand)


def destructure(lo: Lowering, node: Node, target: Node, operand: Operand) -> None:
    """``[$a, 'k' => $b] = ...``."""
    if lo.enough(target):
        return
    lo.depth += 1
    for key, place in list_targets(lo, target)[:MAX_TARGETS]:
        store(lo, node, place, lo.value(ir.ITEM, place, operand, key))
    lo.depth -= 1


def list_targets(lo: Lowering, target: Node) -> list[tuple[Operand, Node]]:
    """(key, target) of each part of a list; the grammar puts keys and targets side by side."""
    found: list[tuple[Operand, Node]] = []
    number = 0
    if target.type == "array_creation_expression":
        for child in target.children:
            pieces = meaningful(child) if child.type == "array_element_initializer" else []
            if len(pieces) > 1:
                found.append((expression(lo, pieces[0]), pieces[-1]))
            elif pieces:
                found.append((lo.const(number), pieces[0]))
            elif child.type == ",":
                number += 1
        return found
    key: Operand | None = None
    waiting: Node | None = None
    for child in target.children:
        kind = child.type
        if kind == "=>" and waiting is not None:
            key, waiting = expression(lo, waiting), None
        elif kind == "," or kind in ("]", ")"):
            if waiting is not None:
                found.append((lo.const(number) if key is None else key, waiting))
            number += kind == ","
            key = waiting = None
        elif child.is_named and kind != "comment":
            waiting = child
    return found


EXPRESSIONS.update(
    {
        "assignment_expression": assignment,
        "reference_assignment_expression": reference,
        "augmented_assignment_expression": augmented,
        "update_expression": step,
    }
)
