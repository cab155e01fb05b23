"""Expressions of C and C++.

Memory is reached through pointers: ``p->f`` is ``ATTR p f``, ``s.f`` is ``ATTR &s f``, ``a[i]`` is ``ITEM a i``,
``*p`` is ``ITEM p 0``; ``&p->f`` is ``ADDR p f`` and ``&a[i]`` is ``a + i``.
"""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.c.state import Lowering, expression, number_of
from glasshouse.scan.language.c.types import char_value, declarator_type, string_value, type_text

MAX_SPINE = 4000


@expression("identifier", "field_identifier", "type_identifier", "this", "namespace_identifier")
def identifier(lo: Lowering, node: Node) -> Operand:
    return lo.text(node)


@expression("qualified_identifier", "template_function", "dependent_name")
def qualified(lo: Lowering, node: Node) -> Operand:
    return plain_name(lo.text(node))


def plain_name(text: str) -> str:
    """A C++ name without template arguments and without ``std::``."""
    name = text.partition("<")[0].replace(" ", "")
    return name.removeprefix("::").removeprefix("std::")


@expression("number_literal")
def number(lo: Lowering, node: Node) -> Operand:
    return lo.builder.const(number_of(lo.text(node)))


@expression("char_literal")
def character(lo: Lowering, node: Node) -> Operand:
    return lo.builder.const(char_value(lo.text(node)))


@expression("string_literal", "raw_string_literal")
def string(lo: Lowering, node: Node) -> Operand:
    return lo.builder.const(string_value(lo.text(node)))


@expression("concatenated_string")
def concatenated(lo: Lowering, node: Node) -> Operand:
    """Pieces that are no literals (PRIu64 and such macros) stand for one character each."""
    pieces = [string_value(lo.text(part)) if part.type.endswith("literal") else "?" for part in node.named_children]
    return lo.builder.const("".join(pieces))


@expression("true")
def true(lo: Lowering, node: Node) -> Operand:
    return lo.builder.const(1)


@expression("false", "null", "nullptr")
def zero(lo: Lowering, node: Node) -> Operand:
    return lo.builder.const(0)


@expression("parenthesized_expression", "condition_clause", "subscript_argument_list")
def parenthesized(lo: Lowering, node: Node) -> Operand:
    inner = [child for child in node.named_children if child.type != "comment"]
    if len(inner) == 1 and inner[0].type == "compound_statement":
        return statement_expression(lo, inner[0])
    for child in inner[:-1]:
        lo.run(child) if child.type in ("declaration", "init_statement") else lo.operand(child)
    if not inner:
        return lo.builder.const(None)
    last = inner[-1]
    if last.type == "declaration":
        lo.run(last)
        name = lo.child(last, "declarator")
        return declarator_type(lo, name, "")[0] or lo.unknown(node)
    return lo.operand(last)


def statement_expression(lo: Lowering, node: Node) -> Operand:
    """GNU ``({ ... })``: the value of the last expression."""
    children = node.named_children
    for child in children[:-1]:
        lo.run(child)
    if children and children[-1].type == "expression_statement" and children[-1].named_children:
        return lo.operand(children[-1].named_children[0])
    if children:
        lo.run(children[-1])
    return lo.unknown(node)


@expression("field_expression")
def field(lo: Lowering, node: Node) -> Operand:
    obj, name = field_parts(lo, node)
    return lo.value(ir.ATTR, lo.span(node), obj, name)


def field_parts(lo: Lowering, node: Node) -> tuple[Operand, str]:
    """The pointer that a field is reached through, and the field's name."""
    argument = lo.child(node, "argument")
    name = lo.child(node, "field")
    arrow = any(child.type == "->" for child in node.children[1:3])
    obj = lo.operand(argument) if arrow or argument is None else address(lo, argument)
    return obj, plain_name(lo.text(name)) if name is not None else "?"


@expression("subscript_expression")
def subscript(lo: Lowering, node: Node) -> Operand:
    return lo.value(ir.ITEM, lo.span(node), lo.operand(lo.child(node, "argument")), lo.operand(index_of(lo, node)))


def index_of(lo: Lowering, node: Node) -> Node | None:
    return lo.child(node, "index") or lo.child(node, "indices")


def address(lo: Lowering, node: Node) -> Operand:
    """A pointer to what an expression designates."""
    kind = node.type
    span = lo.span(node)
    if kind == "field_expression":
        obj, name = field_parts(lo, node)
        return lo.value(ir.ADDR, span, obj, name)
    if kind == "subscript_expression":
        base = lo.operand(lo.child(node, "argument"))
        return lo.value(ir.BINOP, span, "+", base, lo.operand(index_of(lo, node)))
    if kind == "pointer_expression":
        operator = lo.child(node, "operator")
        if operator is not None and operator.type == "*":
            return lo.operand(lo.child(node, "argument"))
    if kind == "parenthesized_expression" and node.named_child_count == 1:
        if lo.depth < 100:
            lo.depth += 1
            inner = address(lo, node.named_children[0])
            lo.depth -= 1
            return inner
    if kind in ("identifier", "qualified_identifier", "this"):
        return lo.value(ir.UNOP, span, "&", lo.operand(node))
    return lo.operand(node)


@expression("pointer_expression")
def pointer(lo: Lowering, node: Node) -> Operand:
    argument = lo.child(node, "argument")
    operator = lo.child(node, "operator")
    if argument is None:
        return lo.unknown(node)
    if operator is not None and operator.type == "&":
        return address(lo, argument)
    return lo.value(ir.ITEM, lo.span(node), lo.operand(argument), lo.builder.const(0))


@expression("unary_expression")
def unary(lo: Lowering, node: Node) -> Operand:
    operator = lo.child(node, "operator")
    word = operator.type if operator is not None else "?"
    argument = lo.child(node, "argument")
    inner = lo.operand(argument)
    if word == "-" and isinstance(inner, int) and inner < 0:
        constant = lo.builder.consts[-1 - inner]
        if isinstance(constant, (int, float)):
            return lo.builder.const(-constant)
    return lo.value(ir.UNOP, lo.span(node), {"not": "!", "compl": "~"}.get(word, word), inner)


@expression("update_expression")
def update(lo: Lowering, node: Node) -> Operand:
    """``i++`` and ``++i``: the value before or after."""
    argument = lo.child(node, "argument")
    operator = lo.child(node, "operator")
    if argument is None or operator is None:
        return lo.unknown(node)
    place = Place(lo, argument)
    before = place.load(argument)
    held = lo.builder.temp()
    lo.builder.block.append([ir.MOVE, lo.span(node), held, before])
    after = lo.value(ir.BINOP, lo.span(node), operator.type[0], held, lo.builder.const(1))
    place.store(node, after)
    return held if operator.start_byte > argument.start_byte else after


class Place:
    """Where an assignment writes; its parts are computed once."""

    def __init__(self, lo: Lowering, node: Node) -> None:
        self.lo = lo
        self.kind, self.obj, self.key = 0, "", ""  # type: int, Operand, Operand
        for _ in range(20):
            if node.type == "parenthesized_expression" and node.named_child_count == 1:
                node = node.named_children[0]
        if node.type == "identifier":
            self.obj = lo.text(node)
        elif node.type == "field_expression":
            self.kind = 1
            self.obj, self.key = field_parts(lo, node)
        elif node.type == "subscript_expression":
            self.kind = 2
            self.obj = lo.operand(lo.child(node, "argument"))
            self.key = lo.operand(index_of(lo, node))
        elif node.type == "pointer_expression":
            self.kind = 2
            self.obj = lo.operand(lo.child(node, "argument"))
            self.key = lo.builder.const(0)
        else:
            self.kind = 3
            self.obj = lo.operand(node)

    def load(self, node: Node) -> Operand:
        if self.kind == 1:
            return self.lo.value(ir.ATTR, self.lo.span(node), self.obj, self.key)
        if self.kind == 2:
            return self.lo.value(ir.ITEM, self.lo.span(node), self.obj, self.key)
        return self.obj

    def store(self, node: Node, value: Operand) -> None:
        span, block = self.lo.span(node), self.lo.builder.block
        if self.kind == 0:
            block.append([ir.MOVE, span, self.obj, value])
        elif self.kind == 1:
            block.append([ir.SET_ATTR, span, self.obj, self.key, value])
        elif self.kind == 2:
            block.append([ir.SET_ITEM, span, self.obj, self.key, value])


@expression("assignment_expression")
def assignment(lo: Lowering, node: Node) -> Operand:
    left, right = lo.child(node, "left"), lo.child(node, "right")
    operator = lo.child(node, "operator")
    if left is None or right is None:
        return lo.unknown(node)
    if right.type == "initializer_list":
        place = Place(lo, left)
        place.store(node, lo.operand(right))
        return place.obj
    word = operator.type if operator is not None else "="
    if word == "=":
        value = lo.operand(right)
        place = Place(lo, left)
        place.store(node, value)
        return value
    place = Place(lo, left)
    before = place.load(left)
    word = {"and_eq": "&=", "or_eq": "|=", "xor_eq": "^="}.get(word, word)
    value = lo.value(ir.BINOP, lo.span(node), word[:-1], before, lo.operand(right))
    place.store(node, value)
    return value


@expression("binary_expression")
def binary(lo: Lowering, node: Node) -> Operand:
    """Left-deep chains are unrolled, so that thousands of terms need no recursion."""
    spine: list[Node] = []
    left: Node | None = node
    while left is not None and left.type == "binary_expression" and len(spine) < MAX_SPINE:
        operator = lo.child(left, "operator")
        if operator is None or operator.type in ("&&", "||", "and", "or"):
            break
        spine.append(left)
        left = lo.child(left, "left")
    if not spine:
        return short_circuit(lo, node)
    value = lo.operand(left)
    for item in reversed(spine):
        operator = lo.child(item, "operator")
        right = lo.operand(lo.child(item, "right"))
        value = lo.value(ir.BINOP, lo.span(item), operator.type if operator is not None else "?", value, right)
        lo.nodes += 1
    return value


def short_circuit(lo: Lowering, node: Node) -> Operand:
    """``a && b`` as a value: b is only computed where it matters."""
    from glasshouse.scan.language.c.conditions import jump_false

    result, label, span = lo.builder.fresh(), lo.label(), lo.span(node)
    lo.builder.block.append([ir.MOVE, span, result, lo.builder.const(0)])

    def body() -> None:
        jump_false(lo, node, label)
        lo.builder.block.append([ir.MOVE, span, result, lo.builder.const(1)])

    lo.builder.block.append([ir.BLOCK, span, label, lo.block(body)])
    return result


@expression("conditional_expression")
def conditional(lo: Lowering, node: Node) -> Operand:
    from glasshouse.scan.language.c.conditions import choose

    result, span = lo.builder.fresh(), lo.span(node)

    def arm(part: Node | None) -> None:
        lo.builder.block.append([ir.MOVE, span, result, lo.operand(part)])

    condition = lo.child(node, "condition")
    consequence, alternative = lo.child(node, "consequence"), lo.child(node, "alternative")
    if consequence is None:  # GNU a ?: b
        held = lo.operand(condition)
        lo.builder.block.append([ir.MOVE, span, result, held])
        test = lo.value(ir.MOVE, span, held) if isinstance(held, str) else held
        lo.builder.block.append([ir.IF, span, test, [], lo.block(lambda: arm(alternative))])
        return result
    choose(lo, condition, span, lambda: arm(consequence), lambda: arm(alternative))
    return result


@expression("cast_expression")
def cast(lo: Lowering, node: Node) -> Operand:
    inner = lo.operand(lo.child(node, "value"))
    text = type_text(lo, lo.child(node, "type"))
    if text == "void":
        return inner
    return lo.value(ir.CAST, lo.span(node), text, inner)


def _steps(lo: Lowering, node: Node) -> tuple[Node | None, list[str]]:
    """The variable that ``a[i].b->c`` begins with, and the way from it: ``[]``, ``b``, ``c``."""
    steps: list[str] = []
    at: Node | None = node
    for _ in range(MAX_SPINE):
        if at is None or at.type not in ("field_expression", "subscript_expression"):
            break
        field_name = lo.child(at, "field")
        steps.append(lo.text(field_name) if field_name is not None else "[]")
        at = lo.child(at, "argument")
    return at if at is not None and at.type == "identifier" else None, steps[::-1]


@expression("sizeof_expression")
def sizeof(lo: Lowering, node: Node) -> Operand:
    """A number where the type is known, else the text ``sizeof T`` as a constant that stands for it."""
    described = lo.child(node, "type")
    if described is not None:
        text = type_text(lo, described)
        if text.endswith("*") or text == "fn*":
            return lo.value(ir.UNOP, lo.span(node), "sizeof", lo.builder.const("*" + text))
        return lo.value(ir.UNOP, lo.span(node), "sizeof", lo.builder.const(text))
    argument = lo.child(node, "value")
    while argument is not None and argument.type == "parenthesized_expression" and argument.named_child_count == 1:
        argument = argument.named_children[0]
    if argument is not None and argument.type == "identifier":
        return lo.value(ir.UNOP, lo.span(node), "sizeof", lo.text(argument))
    if argument is not None and argument.type == "field_expression":
        base, steps = _steps(lo, argument)
        if base is not None:  # nothing is read
            return lo.value(ir.UNOP, lo.span(node), f"sizeof->{'.'.join(steps)}", lo.text(base))
        return lo.value(ir.UNOP, lo.span(node), "sizeof", lo.builder.const("(" + lo.text(argument)[:60]))
    text = lo.text(argument) if argument is not None else ""
    if argument is not None and argument.type == "pointer_expression" and text.startswith("*"):
        return lo.value(ir.UNOP, lo.span(node), "sizeof*", text[1:].strip())
    return lo.value(ir.UNOP, lo.span(node), "sizeof", lo.builder.const("(" + text[:60]))


@expression("comma_expression")
def comma(lo: Lowering, node: Node) -> Operand:
    right: Node | None = node
    result: Operand = lo.builder.const(None)
    for _ in range(MAX_SPINE):
        if right is None or right.type != "comma_expression":
            break
        lo.operand(lo.child(right, "left"))
        right = lo.child(right, "right")
    if right is not None:
        result = lo.operand(right)
    return result


@expression("initializer_list")
def initializer_list(lo: Lowering, node: Node) -> Operand:
    items: list[Operand] = []
    names: list[str] = []
    for child in node.named_children[:400]:
        if child.type == "initializer_pair":
            named = child.named_children[0]
            names.append(lo.text(named)[1:].strip() if named.type == "field_designator" else "")
            child = lo.child(child, "value") or child
        if child.type != "comment":
            items.append(lo.operand(child))
    kind = "list " + ",".join(names) if names and len(names) == len(items) else "list"
    return lo.value(ir.MAKE, lo.span(node), kind, items)


@expression("compound_literal_expression")
def compound_literal(lo: Lowering, node: Node) -> Operand:
    text = type_text(lo, lo.child(node, "type"))
    return lo.value(ir.CAST, lo.span(node), text, lo.operand(lo.child(node, "value")))


@expression("call_expression")
def call(lo: Lowering, node: Node) -> Operand:
    function = lo.child(node, "function")
    arguments = lo.child(node, "arguments")
    while function is not None and function.type == "parenthesized_expression" and function.named_child_count == 1:
        function = function.named_children[0]
    if function is None:
        return lo.unknown(node)
    if function.type == "field_expression":
        obj, name = field_parts(lo, function)
        args = call_arguments(lo, arguments)
        return lo.value(ir.CALL_METHOD, lo.span(node), obj, name, args, [])
    if function.type == "template_function" and (text := _cast_to(lo, function)):
        args = call_arguments(lo, arguments)
        return lo.value(ir.CAST, lo.span(node), text, args[0]) if len(args) == 1 else lo.unknown(node)
    callee = lo.operand(function)
    args = call_arguments(lo, arguments)
    return lo.value(ir.CALL, lo.span(node), callee, args, [])


CASTS = frozenset(["static_cast", "reinterpret_cast", "const_cast"])


def _cast_to(lo: Lowering, node: Node) -> str:
    """The type that ``static_cast<T>`` converts to, "" where it is no cast."""
    name, types = lo.child(node, "name"), lo.child(node, "arguments")
    if name is None or types is None or lo.text(name) not in CASTS:
        return ""
    described = [child for child in types.named_children if child.type != "comment"]
    return type_text(lo, described[0]) if len(described) == 1 else ""


def call_arguments(lo: Lowering, node: Node | None) -> list[Operand]:
    if node is None:
        return []
    args: list[Operand] = []
    for child in node.named_children:
        kind = child.type
        if kind == "comment":
            continue
        if kind == "compound_statement":
            lo.run(child)
            args.append(lo.unknown(child))
        elif kind in ("type_descriptor", "primitive_type", "sized_type_specifier"):
            args.append(lo.builder.const(type_text(lo, child)))
        else:
            args.append(lo.operand(child))
    return args


@expression("new_expression")
def new(lo: Lowering, node: Node) -> Operand:
    """``new T(args)`` is ``NEW``; ``new T[n]`` a call of ``operator new[]`` with n and the size of T."""
    text = type_text(lo, lo.child(node, "type"))
    declarator = lo.child(node, "declarator")
    args = call_arguments(lo, lo.child(node, "arguments"))
    if declarator is not None:
        length = next((child for child in declarator.named_children if child.type != "comment"), None)
        return lo.value(ir.CALL, lo.span(node), "operator new[]", [lo.operand(length), lo.builder.const(text)], [])
    nothrow = "nothrow" in lo.source[node.start_byte : node.start_byte + 40].decode("utf-8", "replace")
    return lo.value(
        ir.CALL, lo.span(node), "operator new", [lo.builder.const(text), lo.builder.const(int(nothrow)), *args], []
    )


@expression("delete_expression")
def delete(lo: Lowering, node: Node) -> Operand:
    array = any(child.type == "[" for child in node.children)
    inner = lo.operand(node.named_children[-1]) if node.named_children else lo.builder.const(None)
    return lo.value(ir.CALL, lo.span(node), "operator delete[]" if array else "operator delete", [inner], [])


@expression("lambda_expression")
def lambda_(lo: Lowering, node: Node) -> Operand:
    return lo.unknown(node)


@expression(
    "offsetof_expression", "alignof_expression", "generic_expression", "gnu_asm_expression", "user_defined_literal"
)
def opaque(lo: Lowering, node: Node) -> Operand:
    return lo.unknown(node)
