"""Calls, member chains, object creation, lambdas and method references."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand, Param
from glasshouse.scan.language.java.expressions import meaningful
from glasshouse.scan.language.java.names import class_operand, is_package_head, type_text
from glasshouse.scan.language.java.parameters import lambda_parameters
from glasshouse.scan.language.java.state import (
    COMMENTS,
    EXPRESSIONS,
    MEMBERS,
    OPAQUE,
    ClassScope,
    Lowering,
    expr,
    statements,
)

_CHAIN = frozenset({"method_invocation", "field_access"})
_TYPE_NODES = frozenset(
    {"generic_type", "array_type", "scoped_type_identifier", "integral_type", "floating_point_type"}
)
Link = tuple[Node, Node, Node | None]  # (whole node, member name, arguments or None for a field)


def arguments(lo: Lowering, node: Node) -> list[Operand]:
    """The operands of an argument list, left to right."""
    kids = node.children
    count = len(kids)
    if count == 2:
        return []
    out: list[Operand] = []
    lo.nodes += count
    for kid in kids[1:-1:2] if count & 1 else kids[1:-1]:
        kind = kid.type
        if kind == "," or kind in COMMENTS:
            break
        out.append(expr(lo, kid))
    else:
        return out
    rest = [kid for kid in kids[1:-1] if kid.is_named and kid.type not in COMMENTS]
    for kid in rest[len(out) :]:
        out.append(expr(lo, kid))
        if lo.stop_at < 0:
            break
    return out


# --- chains --------------------------------------------------------------------------------------------------------
def _chain(lo: Lowering, node: Node) -> Operand:
    """``a.b().c.d()``: the innermost receiver first, then each link; no recursion on the length."""
    links: list[Link] = []
    current: Node | None = node
    kind = node.type
    while current is not None and kind in _CHAIN:
        current = _link(lo, current, kind, links)
        if current is not None:
            kind = current.type
    if len(links) > 1:
        lo.nodes += len(links)
    if current is None:
        whole, name, args = links.pop()
        value = _bare_call(lo, whole, lo.word(name), args)
    elif kind == "identifier":
        value = _head(lo, current, links)
    else:
        value = expr(lo, current)
    while links:
        whole, name, args = links.pop()
        word = lo.word(name)
        if args is not None:
            operands = arguments(lo, args)
            value = lo.value(ir.CALL_METHOD, lo.span(whole), value, word, operands, [])
        elif word == "this":
            value = lo.word(whole)
        elif word == "super":
            value = "super"
        else:
            value = lo.value(ir.ATTR, lo.span(whole), value, word)
        if lo.stop_at < 0:
            return OPAQUE
    return value


def _link(lo: Lowering, node: Node, kind: str, links: list[Link]) -> Node | None:
    """Add one link; gives its receiver (None for a bare call)."""
    kids = node.children
    count = len(kids)
    if kind == "method_invocation":
        if count == 4:
            links.append((node, kids[2], kids[3]))
            return kids[0]
        if count == 2:
            links.append((node, kids[0], kids[1]))
            return None
        name, args = node.child_by_field_name("name"), node.child_by_field_name("arguments")
        receiver = node.child_by_field_name("object")
        if name is None:
            return kids[0] if kids else None
        links.append((node, name, args))
        if receiver is not None and any(kid.type == "super" for kid in kids):
            return next(kid for kid in kids if kid.type == "super")
        return receiver
    if count == 3:
        links.append((node, kids[2], None))
        return kids[0]
    receiver, name = node.child_by_field_name("object"), node.child_by_field_name("field")
    links.append((node, name if name is not None else node, None))
    return receiver


def _head(lo: Lowering, node: Node, links: list[Link]) -> Operand:
    name = lo.word(node)
    if name in lo.locals:
        return name
    if links and name[:1].islower() and links[-1][2] is None:
        following = []
        for _, member, args in reversed(links):
            if args is not None:
                break
            following.append(lo.word(member))
        if is_package_head(lo, name, following):
            return name
    return expr(lo, node)


def _bare_call(lo: Lowering, node: Node, name: str, args: Node | None) -> Operand:
    operands = arguments(lo, args) if args is not None else []
    span = lo.span(node)
    if name == "$e":
        return lo.value(ir.CALL_METHOD, span, "out", "print", operands, [])
    receiver = _receiver(lo, name)
    if receiver:
        return lo.value(ir.CALL_METHOD, span, receiver, name, operands, [])
    return lo.value(ir.CALL, span, name, operands, [])


def _receiver(lo: Lowering, name: str) -> str:
    """What a bare method name is called on; "" when it is a function (static import, or no class around)."""
    scope: ClassScope | None = lo.scope
    inherits = False
    while scope is not None:
        static = scope.methods.get(name)
        if static is not None:
            if static:
                return scope.name
            return "this" if scope is lo.scope else scope.name + ".this"
        inherits |= scope.bases
        scope = scope.outer
    if lo.scope is None or name in lo.static_names or (lo.static_star and not inherits):
        return ""
    return lo.scope.name if lo.frame.static else "this"


# --- new -----------------------------------------------------------------------------------------------------------
def _creation(lo: Lowering, node: Node) -> Operand:
    type_node, args = node.child_by_field_name("type"), node.child_by_field_name("arguments")
    if type_node is None:
        return lo.opaque(node)
    kids = node.children
    outer: list[object] = []
    if kids[0].type != "new" and kids[0].is_named:
        outer = [["$outer", expr(lo, kids[0])]]
    text = type_text(lo, type_node)
    body = kids[-1] if kids[-1].type == "class_body" else None
    operands = arguments(lo, args) if args is not None else []
    cls: Operand
    if body is not None:
        cls = lo.value(ir.CLASS, lo.span(type_node), MEMBERS["anonymous"](lo, node, body, text))
    else:
        cls = class_operand(lo, type_node, text)
    return lo.value(ir.NEW, lo.span(node), cls, operands, outer)


# --- lambdas and method references ---------------------------------------------------------------------------------
def open_lambda(lo: Lowering, node: Node, params: list[Param]) -> None:
    """Start the function of a lambda expression."""
    outer = lo.frame
    qualname = outer.function.qualname
    if outer.function.kind != "lambda":
        qualname = f"{qualname}.<lambda>" if qualname else "<lambda>"
    lo.open_function("lambda", "<lambda>", qualname, node, params, 0, outer.locals, outer.static)
    lo.frame.class_body = outer.class_body


def _lambda(lo: Lowering, node: Node) -> Operand:
    params, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    if body is None:
        return lo.opaque(node)
    before = lo.frame
    open_lambda(lo, node, lambda_parameters(lo, params) if params is not None else [])
    if body.type == "block":
        statements(lo, body.children)
    else:
        value = expr(lo, body)
        lo.builder.emit(ir.RETURN, lo.span(body), value)
    index = lo.close_function(before)
    return lo.value(ir.CLOSURE, lo.span(node), index)


def _reference(lo: Lowering, node: Node) -> Operand:
    """``a::m`` calls ``a.m`` with all arguments; ``Type::m`` is the member itself; ``Type::new`` creates."""
    kids = meaningful(node)
    if not kids:
        return lo.opaque(node)
    subject = kids[0]
    creates = node.children[-1].type == "new"
    if creates:
        text = type_text(lo, subject)
        return _forward(lo, node, "$array" if text.endswith("]") else text, "")
    name = lo.word(kids[-1])
    if _names_type(lo, subject):
        owner = class_operand(lo, subject, type_text(lo, subject))
        return lo.value(ir.ATTR, lo.span(node), owner, name)
    receiver = expr(lo, subject)
    if not isinstance(receiver, str):
        held = lo.builder.fresh()
        lo.builder.emit(ir.MOVE, lo.span(node), held, receiver)
        receiver = held
    return _forward(lo, node, receiver, name)


def _forward(lo: Lowering, node: Node, target: str, method: str) -> Operand:
    """A function that passes all its arguments on: to ``target.method``, or to the constructor of ``target``."""
    span = lo.span(node)
    before = lo.frame
    open_lambda(lo, node, [Param("args", "*", "", span)])
    spread: list[object] = [["*", "args"]]
    if method:
        value = lo.value(ir.CALL_METHOD, span, target, method, spread, [])
    elif target == "$array":
        value = lo.value(ir.CALL, span, target, spread, [])
    else:
        value = lo.value(ir.NEW, span, class_operand(lo, node, target), spread, [])
    lo.builder.emit(ir.RETURN, span, value)
    index = lo.close_function(before)
    return lo.value(ir.CLOSURE, span, index)


def _names_type(lo: Lowering, node: Node) -> bool:
    kind = node.type
    if kind in _TYPE_NODES:
        return True
    if kind == "identifier":
        name = lo.word(node)
        if name in lo.locals:
            return False
        scope: ClassScope | None = lo.scope
        while scope is not None:
            if name in scope.fields:
                return False
            if name == scope.name:
                return True
            scope = scope.outer
        return name[:1].isupper()
    if kind == "field_access":
        parts = lo.word(node).split(".")
        return parts[-1][:1].isupper() and parts[0] not in lo.locals and parts[0] != "this"
    return False


EXPRESSIONS.update(
    {
        "method_invocation": _chain,
        "field_access": _chain,
        "object_creation_expression": _creation,
        "lambda_expression": _lambda,
        "method_reference": _reference,
    }
)
