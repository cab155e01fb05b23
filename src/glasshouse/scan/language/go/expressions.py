"""Expressions: names, operators, access and calls, literals of every type, functions as values."""

from __future__ import annotations

import re

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.go.literals import number_value, rune_value, text_value
from glasshouse.scan.language.go.state import EXPRESSIONS, Lowering, expression
from glasshouse.scan.language.go.types import (
    ARRAYS,
    BASIC,
    fields_of,
    is_plain,
    type_operand,
    type_text,
    zero,
)

COMMENT = "comment"
TYPES = frozenset(
    """type_identifier qualified_type generic_type slice_type array_type map_type pointer_type function_type
    channel_type interface_type struct_type implicit_length_array_type parenthesized_type""".split()
)
VERB = re.compile(r"%(?:([+#]?[svqxXdtfgec])|%)")
DIGITS = frozenset("dtfgec")
TEXT_LITERALS = frozenset(["interpreted_string_literal", "raw_string_literal"])
SMALL = frozenset(["int8", "int16", "int32", "uint8", "uint16", "uint32", "byte", "rune"])
CHAIN = frozenset(["selector_expression", "call_expression", "index_expression", "type_assertion_expression"])


def asserted(text: str) -> str:
    """The type that an assertion tells of: a small number is a number, and nothing of it is cut off."""
    return "int" if text in SMALL else text


def meaningful(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != COMMENT]


# --- names and literals ----------------------------------------------------------------------------------------------


def identifier(lo: Lowering, node: Node) -> Operand:
    name = lo.text(node)
    if name == "iota" and lo.iota is not None:
        return lo.const(lo.iota)
    return lo.read(node, name)


def text_literal(lo: Lowering, node: Node) -> Operand:
    return lo.const(text_value(lo.text(node)))


def number(lo: Lowering, node: Node) -> Operand:
    return lo.const(number_value(lo.text(node)))


def rune(lo: Lowering, node: Node) -> Operand:
    return lo.const(rune_value(lo.text(node)))


def inner(lo: Lowering, node: Node) -> Operand:
    parts = meaningful(node)
    return expression(lo, parts[0]) if parts else lo.builder.temp()


def type_value(lo: Lowering, node: Node) -> Operand:
    return type_operand(lo, node)


def func_literal(lo: Lowering, node: Node) -> Operand:
    from glasshouse.scan.language.go.declarations import lower_function

    lo.literals += 1
    index = lower_function(lo, node, f"func{lo.literals}", "lambda")
    return lo.value(ir.CLOSURE, node, index)


def copy_of(lo: Lowering, node: Node) -> Operand:
    """The value of an expression that is assigned or passed on: structs and arrays are copied."""
    operand = expression(lo, node)
    if node.type == "identifier":
        local, _ = lo.find(lo.text(node))
        if local is not None and local.type:
            return lo.ask(node, "$clone", operand)
    elif node.type == "unary_expression" and node.children[0].type == "*":
        return lo.ask(node, "$clone", operand)
    return operand


# --- operators -------------------------------------------------------------------------------------------------------


def binary(lo: Lowering, node: Node) -> Operand:
    """Operators; the left side of a long chain is followed without recursion."""
    pending: list[Node] = []
    current: Node | None = node
    while current is not None and current.type == "binary_expression":
        pending.append(current)
        current = current.child_by_field_name("left")
    value = expression(lo, current)
    while pending:
        item = pending.pop()
        lo.spent += 1
        operator, right = item.child_by_field_name("operator"), item.child_by_field_name("right")
        name = lo.text(operator) if operator is not None else "+"
        if name in ("&&", "||"):
            value = short_circuit(lo, item, name, value, right)
        else:
            value = lo.value(ir.BINOP, item, name, value, expression(lo, right))
    return value


def short_circuit(lo: Lowering, node: Node, name: str, left: Operand, right: Node | None) -> Operand:
    """``a && b``: b is looked at only where a holds."""
    result = lo.builder.fresh()
    with lo.block(False) as other:
        lo.emit(ir.MOVE, node, result, expression(lo, right))
    with lo.block(False) as same:
        lo.emit(ir.MOVE, node, result, left)
    lo.emit(ir.IF, node, left, *((other, same) if name == "&&" else (same, other)))
    return result


def unary(lo: Lowering, node: Node) -> Operand:
    operator = node.children[0].type
    operand = node.child_by_field_name("operand")
    if operand is None:
        return lo.builder.temp()
    if operator == "&":
        if operand.type == "identifier":
            local, _ = lo.find(lo.text(operand))
            if local is not None:
                return local.name
        return expression(lo, operand)
    value = expression(lo, operand)
    if operator == "*":
        return lo.ask(node, "$deref", value)
    if operator == "<-":
        return lo.ask(node, "$receive", value)
    return lo.value(ir.UNOP, node, "not" if operator == "!" else operator, value)


# --- access and calls ------------------------------------------------------------------------------------------------


def holder_of(node: Node) -> Node | None:
    kind = node.type
    if kind == "call_expression":
        callee = node.child_by_field_name("function")
        if callee is not None and callee.type == "selector_expression":
            return callee.child_by_field_name("operand")
        return callee
    return node.child_by_field_name("operand")


def chain(lo: Lowering, node: Node) -> Operand:
    """Access and calls, from the innermost object outwards, without recursion."""
    links: list[Node] = []
    current: Node | None = node
    while current is not None and current.type in CHAIN and not special(lo, current):
        links.append(current)
        current = holder_of(current)
    if current is not None and current.type in CHAIN:
        value = special_call(lo, current)
    else:
        value = expression(lo, current)
    while links:
        value = link(lo, links.pop(), value)
    return value


def link(lo: Lowering, node: Node, value: Operand) -> Operand:
    lo.spent += 1
    kind = node.type
    if kind == "selector_expression":
        field = node.child_by_field_name("field")
        return lo.value(ir.ATTR, node, value, lo.text(field) if field is not None else "")
    if kind == "index_expression":
        return lo.value(ir.ITEM, node, value, expression(lo, node.child_by_field_name("index")))
    if kind == "type_assertion_expression":
        text = type_text(lo, node.child_by_field_name("type"))
        plain = not text or text in ("string", "any", "error") or text.endswith("[]")
        return value if plain else lo.value(ir.CAST, node, asserted(text), value)
    callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    operands = arguments(lo, given)
    if callee is not None and callee.type == "selector_expression":
        field = callee.child_by_field_name("field")
        name = lo.text(field) if field is not None else ""
        return lo.value(ir.CALL_METHOD, node, value, name, operands, [])
    return lo.value(ir.CALL, node, value, operands, [])


def arguments(lo: Lowering, node: Node | None) -> list[object]:
    """Operands of an argument list; ``xs...`` is spread."""
    found: list[object] = []
    for part in meaningful(node) if node is not None else ():
        if lo.late or lo.spent > lo.limits.max_function_nodes:
            break
        if part.type == "variadic_argument":
            found.append(["*", inner(lo, part)])
        elif part.type in TYPES:
            found.append(type_operand(lo, part))
        else:
            found.append(copy_of(lo, part))
    return found


def special(lo: Lowering, node: Node) -> bool:
    """Whether a call is one that the language itself defines."""
    if node.type != "call_expression":
        return False
    callee = node.child_by_field_name("function")
    if callee is None:
        return False
    if callee.type == "identifier":
        name = lo.text(callee)
        return (name in SPECIAL or name in BASIC) and lo.find(name)[0] is None
    if callee.type == "selector_expression":
        return formatted(lo, node, callee) is not None
    return callee.type in TYPES or callee.type == "parenthesized_expression"


def formatted(lo: Lowering, node: Node, callee: Node) -> str | None:
    """The constant format of ``fmt.Sprintf("...", a, b)`` whose verbs are plain and fit the arguments."""
    if lo.source[callee.start_byte : callee.end_byte] != b"fmt.Sprintf" or lo.packages.get("fmt") != "fmt":
        return None
    given = node.child_by_field_name("arguments")
    parts = meaningful(given) if given is not None else []
    if not parts or not parts[0].type.endswith("string_literal"):
        return None
    text = text_value(lo.text(parts[0]))
    count = sum(1 for match in VERB.finditer(text) if match[1])
    plain = "%" not in VERB.sub("", text) and all(part.type != "variadic_argument" for part in parts)
    return text if plain and count == len(parts) - 1 else None


def special_call(lo: Lowering, node: Node) -> Operand:
    callee = node.child_by_field_name("function")
    given = node.child_by_field_name("arguments")
    parts = meaningful(given) if given is not None else []
    if callee is None:
        return lo.builder.temp()
    if callee.type == "selector_expression":
        return sprintf(lo, node, formatted(lo, node, callee) or "", parts[1:])
    if callee.type != "identifier":
        if callee.type == "parenthesized_expression":
            return lo.value(ir.CALL, node, expression(lo, callee), arguments(lo, given), [])
        return cast(lo, node, callee, expression(lo, parts[0]) if parts else lo.builder.temp())
    name = lo.text(callee)
    if name in BASIC:
        return cast(lo, node, callee, expression(lo, parts[0]) if parts else lo.builder.temp())
    if name == "make":
        return make(lo, node, parts)
    if name == "new":
        return new(lo, node, parts)
    if name == "recover":
        return "$panic"
    operands = arguments(lo, given)
    if name == "panic":
        lo.emit(ir.RAISE, node, operands[0] if operands else lo.const(None))
        return lo.const(None)
    if name == "delete" and len(operands) == 2:
        lo.emit(ir.DEL_ITEM, node, *operands)
        return lo.const(None)
    return lo.value(ir.CALL, node, f"${name}", operands, [])


SPECIAL = frozenset("append cap copy delete len make new panic recover".split())


def sprintf(lo: Lowering, node: Node, text: str, parts: list[Node]) -> Operand:
    """Text with the arguments put in; what is written as a number stays one."""
    pieces: list[Operand] = []
    start = 0
    waiting = iter(parts)
    for match in VERB.finditer(text):
        before = text[start : match.start()] + ("" if match[1] else "%")
        if before:
            pieces.append(lo.const(before))
        start = match.end()
        if match[1]:
            operand = expression(lo, next(waiting))
            if match[1][-1] in DIGITS:
                operand = lo.value(ir.CAST, node, "int", operand)
            pieces.append(operand)
    if text[start:]:
        pieces.append(lo.const(text[start:]))
    return lo.value(ir.TEMPLATE, node, pieces)


def cast(lo: Lowering, node: Node, written: Node | None, value: Operand) -> Operand:
    """A conversion or assertion; to text and bytes the value stays what it is."""
    text = type_text(lo, written)
    if not text or text in ("string", "any", "error") or text.endswith("[]"):
        return lo.ask(node, "$text", value) if text in ("string", "byte[]", "rune[]") else value
    return lo.value(ir.CAST, node, text, value)


def conversion(lo: Lowering, node: Node) -> Operand:
    written, operand = node.child_by_field_name("type"), node.child_by_field_name("operand")
    value = expression(lo, operand)
    if written is not None and written.type == "generic_type":  # `f[int](x)` is written like a conversion
        return lo.value(ir.CALL, node, type_operand(lo, written), [value], [])
    return cast(lo, node, written, value)


def slice_expression(lo: Lowering, node: Node) -> Operand:
    value = expression(lo, node.child_by_field_name("operand"))
    bounds = [node.child_by_field_name(name) for name in ("start", "end")]
    low, high = (expression(lo, bound) if bound is not None else lo.const(None) for bound in bounds)
    return lo.ask(node, "$slice", value, low, high)


def make(lo: Lowering, node: Node, parts: list[Node]) -> Operand:
    kind = parts[0].type if parts else ""
    if kind == "map_type":
        return lo.value(ir.MAKE, node, "dict", [])
    if kind == "channel_type":
        return lo.ask(node, "$channel")
    size = expression(lo, parts[1]) if len(parts) > 1 else lo.const(0)
    element = parts[0].child_by_field_name("element") if kind == "slice_type" else None
    plain = is_plain(lo, element)
    return lo.ask(node, "$make", size, zero(lo, element, node) if plain else lo.const(None))


def new(lo: Lowering, node: Node, parts: list[Node]) -> Operand:
    written = parts[0] if parts else None
    value = zero(lo, written, node)
    return lo.ask(node, "$box", value) if is_plain(lo, written) else value


# --- composite literals ----------------------------------------------------------------------------------------------


def composite(lo: Lowering, node: Node) -> Operand:
    return literal(lo, node, node.child_by_field_name("type"), node.child_by_field_name("body"))


def elements(body: Node | None) -> list[tuple[Node | None, Node]]:
    """(key, value) of a literal's elements; a literal_element stands for what is in it."""
    found: list[tuple[Node | None, Node]] = []
    for part in meaningful(body) if body is not None else ():
        if part.type == "keyed_element":
            key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
            if value is not None:
                found.append((unwrapped(key), unwrapped(value) or value))
        else:
            found.append((None, unwrapped(part) or part))
    return found


def unwrapped(node: Node | None) -> Node | None:
    if node is not None and node.type == "literal_element":
        parts = meaningful(node)
        return parts[0] if parts else None
    return node


def element_value(lo: Lowering, node: Node, written: Node | None) -> Operand:
    """An element; one without a type of its own has the container's element type."""
    if node.type != "literal_value":
        return copy_of(lo, node)
    if lo.enough(node):
        return lo.builder.temp()
    if written is not None and written.type == "pointer_type":
        written = written.named_children[0]
    lo.depth += 1
    value = literal(lo, node, written, node)
    lo.depth -= 1
    return value


def literal(lo: Lowering, node: Node, written: Node | None, body: Node | None) -> Operand:
    kind = written.type if written is not None else ""
    if kind == "slice_type" or kind in ARRAYS:
        return sequence(lo, node, written, body)
    if kind == "map_type":
        inside = written.child_by_field_name("value") if written is not None else None
        outside = written.child_by_field_name("key") if written is not None else None
        items: list[list[Operand]] = []
        for key, value in elements(body):
            left = element_value(lo, key, outside) if key is not None else lo.const(None)
            items.append([left, element_value(lo, value, inside)])
        return lo.value(ir.MAKE, node, "dict", items)
    return structure(lo, node, written, body)


def sequence(lo: Lowering, node: Node, written: Node | None, body: Node | None) -> Operand:
    inside = written.child_by_field_name("element") if written is not None else None
    parts = elements(body)
    if any(key is not None for key, _ in parts):
        made = zero(lo, written, node) if written is not None and written.type == "array_type" else None
        made = lo.value(ir.MAKE, node, "list", []) if made is None else made
        at = 0
        for key, value in parts:
            index = expression(lo, key) if key is not None else lo.const(at)
            known = lo.builder.consts[-1 - index] if index.__class__ is int and index < 0 else at
            at = known + 1 if known.__class__ is int else 0
            lo.emit(ir.SET_ITEM, value, made, index, element_value(lo, value, inside))
        return made
    return lo.value(ir.MAKE, node, "list", [element_value(lo, value, inside) for _, value in parts])


def structure(lo: Lowering, node: Node, written: Node | None, body: Node | None) -> Operand:
    """A struct: fields by name; by position where the struct is declared in this file."""
    anonymous = written is None or written.type == "struct_type"
    names: list[str] = []
    kinds: dict[str, Node | None] = {}
    if anonymous and written is not None:
        kinds = dict(fields_of(lo, written))
        names = list(kinds)
    elif written is not None:
        names = lo.structs.get(type_text(lo, written), [])
    fields: list[list[object]] = []
    rest: list[Operand] = []
    for position, (key, value) in enumerate(elements(body)):
        name = lo.text(key) if key is not None else names[position] if position < len(names) else ""
        if key is not None and key.type in TEXT_LITERALS:  # a map with a name of its own
            name = name[1:-1]
        operand = element_value(lo, value, kinds.get(name))
        if name:
            fields.append([name, operand])
        else:
            rest.append(operand)
    if not anonymous:
        return lo.value(ir.NEW, node, type_operand(lo, written), rest, fields)
    given = {str(name) for name, _ in fields}
    items: list[list[object]] = [[lo.const(name), zero(lo, kinds[name], node)] for name in names if name not in given]
    return lo.value(ir.MAKE, node, "dict", items + [[lo.const(str(name)), operand] for name, operand in fields])


EXPRESSIONS.update(
    {
        "identifier": identifier,
        "iota": identifier,
        "field_identifier": identifier,
        "interpreted_string_literal": text_literal,
        "raw_string_literal": text_literal,
        "int_literal": number,
        "float_literal": number,
        "imaginary_literal": number,
        "rune_literal": rune,
        "true": lambda lo, node: lo.const(True),
        "false": lambda lo, node: lo.const(False),
        "nil": lambda lo, node: lo.const(None),
        "parenthesized_expression": inner,
        "literal_element": inner,
        "expression_list": inner,
        "func_literal": func_literal,
        "binary_expression": binary,
        "unary_expression": unary,
        "slice_expression": slice_expression,
        "type_conversion_expression": conversion,
        "composite_literal": composite,
        "type_instantiation_expression": inner,
        **dict.fromkeys(TYPES, type_value),
    }
)

for _kind in CHAIN:
    EXPRESSIONS[_kind] = chain
