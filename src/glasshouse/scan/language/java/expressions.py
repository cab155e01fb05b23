"""Operators, assignments, casts, arrays and conditional expressions."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Operand
from glasshouse.scan.language.java.names import class_operand, holder, type_text
from glasshouse.scan.language.java.state import COMMENTS, EXPRESSIONS, OPAQUE, Lowering, expr

Target = tuple[str, Operand, Operand]  # ("name" | "field" | "item" | "", holder or object, name or key)


def meaningful(node: Node) -> list[Node]:
    """The children that are neither punctuation nor comments."""
    return [child for child in node.named_children if child.type not in COMMENTS]


# --- operators -----------------------------------------------------------------------------------------------------
def _binary(lo: Lowering, node: Node) -> Operand:
    """A left-nested chain of operators, without recursion on its length."""
    spine: list[tuple[Node, list[Node]]] = []
    current = node
    while True:
        kids = current.children
        if len(kids) != 3:
            kids = [kid for kid in kids if kid.type not in COMMENTS]
            if len(kids) != 3:
                break
        spine.append((current, kids))
        current = kids[0]
        if current.type != "binary_expression":
            break
    if len(spine) > 1:
        lo.nodes += len(spine)
    left = expr(lo, current) if spine else lo.opaque(node)
    for part, kids in reversed(spine):
        operator = kids[1].type
        if operator == "&&" or operator == "||":
            left = _short_circuit(lo, part, operator, left, kids[2])
        else:
            right = expr(lo, kids[2])
            left = lo.value(ir.BINOP, lo.span(part), operator, left, right)
        if lo.stop_at < 0:
            break
    return left


def _short_circuit(lo: Lowering, node: Node, operator: str, left: Operand, right: Node) -> str:
    builder = lo.builder
    span = lo.span(node)
    result = builder.fresh()
    builder.emit(ir.MOVE, span, result, left)
    outer = builder.block
    other: Block = []
    builder.block = other
    value = expr(lo, right)
    builder.emit(ir.MOVE, span, result, value)
    builder.block = outer
    builder.emit(ir.IF, span, left, other if operator == "&&" else [], [] if operator == "&&" else other)
    return result


def _unary(lo: Lowering, node: Node) -> Operand:
    kids = meaningful(node)
    if not kids:
        return lo.opaque(node)
    operator = node.children[0].type
    operand = expr(lo, kids[-1])
    if operator == "-" and isinstance(operand, int) and operand < 0:
        value = lo.builder.consts[-1 - operand]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return lo.builder.const(-value)
    return lo.value(ir.UNOP, lo.span(node), "not" if operator == "!" else operator, operand)


def _ternary(lo: Lowering, node: Node) -> Operand:
    kids = meaningful(node)
    if len(kids) != 3:
        return lo.opaque(node)
    builder = lo.builder
    span = lo.span(node)
    condition = expr(lo, kids[0])
    result = builder.fresh()
    outer = builder.block
    arms = []
    lo.depth += 1  # two levels of nesting in the result for one in the source
    for kid in kids[1:]:
        arm: Block = []
        builder.block = arm
        value = expr(lo, kid)
        builder.emit(ir.MOVE, span, result, value)
        arms.append(arm)
    lo.depth -= 1
    builder.block = outer
    builder.emit(ir.IF, span, condition, arms[0], arms[1])
    return result


def _parenthesized(lo: Lowering, node: Node) -> Operand:
    kids = node.children
    if len(kids) == 3:
        return expr(lo, kids[1])
    inner = meaningful(node)
    return expr(lo, inner[0]) if inner else lo.opaque(node)


# --- assignments ---------------------------------------------------------------------------------------------------
def target(lo: Lowering, node: Node) -> Target:
    """Where an assignment writes; evaluates the object and the key."""
    kind = node.type
    while kind == "parenthesized_expression" and node.named_child_count:
        node = meaningful(node)[0] if meaningful(node) else node.named_children[0]
        kind = node.type
    if kind == "identifier":
        name = lo.word(node)
        owner = holder(lo, name)
        return ("field", owner, name) if owner else ("name", "", name)
    if kind == "field_access":
        obj, field = node.child_by_field_name("object"), node.child_by_field_name("field")
        if obj is not None and field is not None:
            return "field", expr(lo, obj), lo.word(field)
    if kind == "array_access":
        array, index = node.child_by_field_name("array"), node.child_by_field_name("index")
        if array is not None and index is not None:
            return "item", expr(lo, array), expr(lo, index)
    return "", expr(lo, node), ""


def load(lo: Lowering, place: Target, span: int) -> Operand:
    """The value at a place."""
    kind, obj, key = place
    if kind == "name":
        return key
    if kind == "field":
        return lo.value(ir.ATTR, span, obj, key)
    return lo.value(ir.ITEM, span, obj, key) if kind == "item" else obj


def store(lo: Lowering, place: Target, value: Operand, span: int) -> None:
    """Write a value to a place."""
    kind, obj, key = place
    if kind == "name":
        lo.builder.emit(ir.MOVE, span, key, value)
    elif kind == "field":
        lo.builder.emit(ir.SET_ATTR, span, obj, key, value)
    elif kind == "item":
        lo.builder.emit(ir.SET_ITEM, span, obj, key, value)


def _assignment(lo: Lowering, node: Node) -> Operand:
    """``a = b = c`` without recursion on its length."""
    chain: list[tuple[Node, Target, str]] = []
    current = node
    while current.type == "assignment_expression":
        kids = current.children
        if len(kids) != 3:
            kids = [kid for kid in kids if kid.type not in COMMENTS]
            if len(kids) != 3:
                return lo.opaque(node)
        chain.append((current, target(lo, kids[0]), kids[1].type))
        current = kids[2]
        if lo.stop_at < 0:
            return OPAQUE
    value = expr(lo, current)
    for part, place, operator in reversed(chain):
        span = lo.span(part)
        if operator != "=":
            before = load(lo, place, span)
            value = lo.value(ir.BINOP, span, operator[:-1], before, value)
        store(lo, place, value, span)
    return value


def _update(lo: Lowering, node: Node) -> Operand:
    kids = meaningful(node)
    if not kids:
        return lo.opaque(node)
    span = lo.span(node)
    place = target(lo, kids[0])
    before = load(lo, place, span)
    prefix = node.children[0].type in ("++", "--")
    operator = (node.children[0] if prefix else node.children[-1]).type
    parent = node.parent
    if (
        not prefix
        and place[0] == "name"
        and parent is not None
        and parent.type not in ("expression_statement", "for_statement")
    ):
        kept = lo.builder.temp()  # the variable changes, the value of the expression does not
        lo.builder.emit(ir.MOVE, span, kept, before)
        before = kept
    after = lo.value(ir.BINOP, span, "-" if operator == "--" else "+", before, lo.builder.const(1))
    store(lo, place, after, span)
    return after if prefix else before


# --- types ---------------------------------------------------------------------------------------------------------
def _cast(lo: Lowering, node: Node) -> Operand:
    type_node, value = node.child_by_field_name("type"), node.child_by_field_name("value")
    if type_node is None or value is None:
        return lo.opaque(node)
    operand = expr(lo, value)
    return lo.value(ir.CAST, lo.span(node), type_text(lo, type_node), operand)


def _instanceof(lo: Lowering, node: Node) -> Operand:
    left = node.child_by_field_name("left")
    if left is None:
        return lo.opaque(node)
    subject = expr(lo, left)
    pattern = node.child_by_field_name("pattern")
    if pattern is not None:
        return match_pattern(lo, pattern, subject)
    right, name = node.child_by_field_name("right"), node.child_by_field_name("name")
    if right is None:
        return lo.opaque(node)
    text = type_text(lo, right)
    if name is not None:
        bind_pattern(lo, name, text, subject, lo.span(node))
    return lo.value(ir.IS_TYPE, lo.span(node), subject, [text])


def bind_pattern(lo: Lowering, name_node: Node, text: str, subject: Operand, span: int) -> None:
    """Bind a pattern variable to the subject, as the pattern's type."""
    name = lo.word(name_node)
    lo.declare(name)
    if text == "var":
        lo.builder.emit(ir.MOVE, span, name, subject)
        return
    cast = lo.value(ir.CAST, span, text, subject)
    lo.builder.emit(ir.DECLARE, span, name, text)
    lo.builder.emit(ir.MOVE, span, name, cast)


def match_pattern(lo: Lowering, node: Node, subject: Operand, depth: int = 0) -> Operand:
    """Bind a type or record pattern's variables; the result tells whether the (outer) type fits."""
    while node.type == "pattern" and node.named_child_count:
        node = node.named_children[0]
    kids = meaningful(node)
    span = lo.span(node)
    if not kids or depth > 30:
        return lo.builder.const(True)
    text = type_text(lo, kids[0])
    if node.type == "record_pattern":
        _bind_components(lo, kids[-1], text, subject, depth)
    elif len(kids) > 1 and kids[-1].type == "identifier":
        bind_pattern(lo, kids[-1], text, subject, span)
    return lo.value(ir.IS_TYPE, span, subject, [text])


def _bind_components(lo: Lowering, body: Node, text: str, subject: Operand, depth: int) -> None:
    known = lo.records.get(text.rpartition(".")[2], [])
    for position, component in enumerate(meaningful(body)):
        span = lo.span(component)
        name = known[position] if position < len(known) else f"component{position}"
        value = lo.value(ir.ATTR, span, subject, name)
        if component.type == "record_pattern":
            match_pattern(lo, component, value, depth + 1)
            continue
        kids = meaningful(component)
        if len(kids) > 1 and kids[-1].type == "identifier":
            bind_pattern(lo, kids[-1], type_text(lo, kids[0]), value, span)


def _class_literal(lo: Lowering, node: Node) -> Operand:
    kids = meaningful(node)
    if not kids:
        return lo.opaque(node)
    cls = class_operand(lo, node, type_text(lo, kids[0]))
    return lo.value(ir.ATTR, lo.span(node), cls, "class")


# --- arrays --------------------------------------------------------------------------------------------------------
def _array_access(lo: Lowering, node: Node) -> Operand:
    array, index = node.child_by_field_name("array"), node.child_by_field_name("index")
    if array is None or index is None:
        return lo.opaque(node)
    obj = expr(lo, array)
    return lo.value(ir.ITEM, lo.span(node), obj, expr(lo, index))


def array_initializer(lo: Lowering, node: Node) -> Operand:
    """``{1, 2}`` as a list."""
    items: list[Operand] = []
    for child in node.children:
        if not child.is_named or child.type in COMMENTS:
            continue
        lo.nodes += 1
        if lo.nodes > lo.stop_at and lo.spent():
            break
        items.append(expr(lo, child))
    return lo.value(ir.MAKE, lo.span(node), "list", items)


def _array_creation(lo: Lowering, node: Node) -> Operand:
    value = node.child_by_field_name("value")
    if value is not None:
        return array_initializer(lo, value)
    sizes: list[Operand] = []
    for child in node.children:
        if child.type == "dimensions_expr":
            inner = meaningful(child)
            if inner:
                sizes.append(expr(lo, inner[-1]))
    return lo.value(ir.CALL, lo.span(node), "$array", sizes, [])


EXPRESSIONS.update(
    {
        "binary_expression": _binary,
        "unary_expression": _unary,
        "ternary_expression": _ternary,
        "parenthesized_expression": _parenthesized,
        "assignment_expression": _assignment,
        "update_expression": _update,
        "cast_expression": _cast,
        "instanceof_expression": _instanceof,
        "class_literal": _class_literal,
        "array_access": _array_access,
        "array_initializer": array_initializer,
        "array_creation_expression": _array_creation,
    }
)
