"""Access and calls: elements, properties, methods, static members, functions, new objects."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.php.expressions import array_key, inner, joined, text_parts
from glasshouse.scan.language.php.library import CALLABLES, FILE_FIELDS, OUTPUTS, PRINTING
from glasshouse.scan.language.php.output import echo
from glasshouse.scan.language.php.state import EXPRESSIONS, Lowering, expression, meaningful

MEMBERS = frozenset(["member_access_expression", "nullsafe_member_access_expression"])
METHODS = frozenset(["member_call_expression", "nullsafe_member_call_expression"])
CHAIN = MEMBERS | METHODS | {"subscript_expression"}
NAMES = frozenset(["name", "qualified_name", "relative_scope", "namespace_name"])


def holder_of(node: Node) -> Node | None:
    if node.type == "subscript_expression":
        parts = meaningful(node)
        return parts[0] if parts else None
    return node.child_by_field_name("object")


def chain(lo: Lowering, node: Node) -> Operand:
    """Access and calls, from the innermost object outwards, without recursion."""
    links: list[Node] = []
    current: Node | None = node
    while current is not None and current.type in CHAIN:
        links.append(current)
        current = holder_of(current)
    value = expression(lo, current)
    while links:
        value = link(lo, links.pop(), value)
    return value


def link(lo: Lowering, node: Node, value: Operand) -> Operand:
    lo.spent += 1
    if node.type == "subscript_expression":
        return element(lo, node, value)
    name = node.child_by_field_name("name")
    if node.type in MEMBERS:
        if name is not None and name.type == "name":
            return lo.value(ir.ATTR, node, value, lo.text(name))
        return lo.value(ir.ITEM, node, value, expression(lo, name))
    operands, named = arguments(lo, node.child_by_field_name("arguments"))
    if name is not None and name.type == "name":
        return lo.value(ir.CALL_METHOD, node, value, lo.text(name), operands, named)
    method = expression(lo, name)
    return lo.value(ir.CALL, node, lo.ask(node, "$method", value, method), operands, named)


def element(lo: Lowering, node: Node, value: Operand) -> Operand:
    parts = meaningful(node)
    if len(parts) < 2:
        return lo.builder.temp()
    key = text_key(lo, parts[1])
    if lo.constant_of(key) in FILE_FIELDS:
        return lo.ask(node, "$file_field", value, key)
    return lo.value(ir.ITEM, node, value, key)


def text_key(lo: Lowering, node: Node) -> Operand:
    """The key between brackets; inside a text a bare name is one."""
    if node.type == "name" and node.parent is not None and node.parent.parent is not None:
        if node.parent.parent.type in ("encapsed_string", "heredoc_body"):
            return lo.const(lo.text(node))
    return array_key(lo, expression(lo, node))


# --- arguments -------------------------------------------------------------------------------------------------------


def arguments(lo: Lowering, node: Node | None) -> tuple[list[object], list[list[object]]]:
    """Operands by position and by name; ``...$xs`` is spread."""
    found: list[object] = []
    named: list[list[object]] = []
    for part in meaningful(node):
        if lo.late or lo.spent > lo.limits.max_function_nodes:
            break
        if part.type != "argument":
            continue
        name = part.child_by_field_name("name")
        pieces = [piece for piece in meaningful(part) if name is None or piece.id != name.id]
        if not pieces:
            continue
        if pieces[-1].type == "variadic_unpacking":
            found.append(["*", inner(lo, pieces[-1])])
        elif name is not None:
            named.append([lo.text(name), expression(lo, pieces[-1])])
        else:
            found.append(expression(lo, pieces[-1]))
    return found, named


def argument_nodes(node: Node) -> list[Node | None]:
    """The expressions of plain arguments, by position (None for spread and named ones)."""
    found: list[Node | None] = []
    for part in meaningful(node.child_by_field_name("arguments")):
        pieces = meaningful(part)
        plain = len(pieces) == 1 and part.child_by_field_name("name") is None
        found.append(pieces[0] if plain and pieces[0].type != "variadic_unpacking" else None)
    return found


def is_reference(node: Node | None) -> bool:
    """``f(...)``: the function itself as a value."""
    return any(part.type == "variadic_placeholder" for part in meaningful(node))


# --- functions -------------------------------------------------------------------------------------------------------


def call(lo: Lowering, node: Node) -> Operand:
    callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if callee is None:
        return lo.builder.temp()
    if callee.type not in NAMES:
        function = expression(lo, callee)
        operands, named = arguments(lo, given)
        if callee.type not in ("anonymous_function", "arrow_function", "parenthesized_expression"):
            function = lo.ask(callee, "$callable", function)
        return lo.value(ir.CALL, node, function, operands, named)
    written = lo.text(callee)
    name = written.rpartition("\\")[2].lower()
    if is_reference(given):
        return lo.function_name(written)
    if name in PRINTING and not lo.depth > lo.max_depth - 4:
        return printed(lo, node, name)
    handler = SPECIAL.get(name)
    if handler is not None:
        return handler(lo, node)
    operands, named = arguments(lo, given)
    place = CALLABLES.get(name)
    if place is not None and place < len(operands) and operands[place].__class__ is not list:
        operands[place] = lo.ask(node, "$callable", operands[place])  # type: ignore[arg-type]
    result = lo.value(ir.CALL, node, lo.function_name(written), operands, named)
    outputs(lo, node, name, result, operands)
    return result


def outputs(lo: Lowering, node: Node, name: str, result: int, operands: list[object]) -> None:
    """Variables that a function of the library fills."""
    places = OUTPUTS.get(name)
    if places is None:
        return
    targets = argument_nodes(node)
    given = [item for item in operands if item.__class__ is not list]
    for place in places:
        if place < len(targets):
            target = targets[place]
            if target is not None:
                from glasshouse.scan.language.php.assignments import store

                store(lo, node, target, lo.ask(node, "$output", lo.const(name), lo.const(place), result, *given))  # type: ignore[arg-type]


def printed(lo: Lowering, node: Node, name: str) -> Operand:
    """``printf`` prints text; ``print_r`` and ``var_dump`` print data."""
    targets = argument_nodes(node)
    if name == "print_r" and len(targets) > 1:
        return ordinary(lo, node)
    if name in ("printf", "vprintf"):
        made = ordinary(lo, node, "s" + name if name == "printf" else "vsprintf")
        lo.value(ir.CALL, node, "\\" + name, [made], [])
        return lo.const(1)
    for target in targets:
        if target is not None:
            echo(lo, target, "\\" + name)
    return lo.const(1)


def ordinary(lo: Lowering, node: Node, name: str = "") -> Operand:
    callee = node.child_by_field_name("function")
    operands, named = arguments(lo, node.child_by_field_name("arguments"))
    written = "\\" + name if name else lo.function_name(lo.text(callee))
    return lo.value(ir.CALL, node, written, operands, named)


def print_text(lo: Lowering, node: Node) -> Operand:
    for part in meaningful(node):
        echo(lo, part, "\\print")
    return lo.const(1)


def include(lo: Lowering, node: Node) -> Operand:
    parts = meaningful(node)
    operand = joined(lo, node, [item for _, item in text_parts(lo, parts[0])]) if parts else lo.builder.temp()
    return lo.value(ir.CALL, node, "\\" + node.type.removesuffix("_expression"), [operand], [])


def is_set(lo: Lowering, node: Node) -> Operand:
    """``isset($array[$key])``: the array and the key are told apart; ``isset($x)``."""
    result: Operand = lo.builder.temp()
    for target in argument_nodes(node)[:20]:
        parts = meaningful(target) if target is not None and target.type == "subscript_expression" else []
        if len(parts) == 2:
            base = expression(lo, parts[0])
            result = lo.value(ir.CALL, node, "$has", [array_key(lo, expression(lo, parts[1])), base], [])
        elif target is not None:
            result = lo.ask(node, "$isset", expression(lo, target))
    return result


def is_empty(lo: Lowering, node: Node) -> Operand:
    targets = argument_nodes(node)
    return lo.value(ir.UNOP, node, "not", expression(lo, targets[0] if targets else None))


def define(lo: Lowering, node: Node) -> Operand:
    """``define('NAME', value)``."""
    from glasshouse.scan.language.php.statements import make_constant

    operands, _ = arguments(lo, node.child_by_field_name("arguments"))
    name = lo.constant_of(operands[0]) if operands and operands[0].__class__ is int else None
    if isinstance(name, str) and len(operands) > 1 and operands[1].__class__ is not list:
        make_constant(lo, node, name, operands[1])  # type: ignore[arg-type]
    return lo.const(True)


def compact(lo: Lowering, node: Node) -> Operand:
    """``compact('a', 'b')``: an array of variables."""
    operands, _ = arguments(lo, node.child_by_field_name("arguments"))
    names = [lo.constant_of(item) for item in operands if item.__class__ is int]
    return lo.value(ir.MAKE, node, "dict", [[lo.const(name), name] for name in names if isinstance(name, str) and name])


SPECIAL = {
    "isset": is_set,
    "empty": is_empty,
    "define": define,
    "compact": compact,
}


# --- classes ---------------------------------------------------------------------------------------------------------


def class_operand(lo: Lowering, node: Node | None) -> Operand:
    """A class as a value."""
    if node is None:
        return lo.builder.temp()
    if node.type in NAMES or lo.text(node).lower() in ("static", "self", "parent"):
        return "\\:" + lo.class_name(lo.text(node))
    return lo.ask(node, "$class", expression(lo, node))


def receiver(lo: Lowering, node: Node | None) -> Operand:
    """What ``X::method()`` is called on: the object itself for ``self`` and ``parent`` inside a method."""
    text = lo.text(node).lower()
    if not lo.body.static:
        if text in ("self", "static"):
            return "this"
        if text == "parent":
            return "super"
    return class_operand(lo, node)


def static_call(lo: Lowering, node: Node) -> Operand:
    name = node.child_by_field_name("name")
    holder = receiver(lo, node.child_by_field_name("scope"))
    given = node.child_by_field_name("arguments")
    if name is not None and name.type == "name":
        if is_reference(given):
            return lo.value(ir.ATTR, node, holder, lo.text(name))
        operands, named = arguments(lo, given)
        return lo.value(ir.CALL_METHOD, node, holder, lo.text(name), operands, named)
    method = lo.ask(node, "$method", holder, expression(lo, name))
    operands, named = arguments(lo, given)
    return lo.value(ir.CALL, node, method, operands, named)


def static_property(lo: Lowering, node: Node) -> Operand:
    name = node.child_by_field_name("name")
    return lo.value(ir.ATTR, node, class_operand(lo, node.child_by_field_name("scope")), lo.text(name).lstrip("$"))


def class_constant(lo: Lowering, node: Node) -> Operand:
    parts = meaningful(node)
    if len(parts) < 2:
        return lo.builder.temp()
    name = lo.text(parts[1])
    if name.lower() == "class":
        if parts[0].type in NAMES:
            return lo.const(lo.class_name(lo.text(parts[0])))
        return lo.builder.temp()
    return lo.value(ir.ATTR, node, class_operand(lo, parts[0]), name)


def creation(lo: Lowering, node: Node) -> Operand:
    """``new``."""
    from glasshouse.scan.language.php.declarations import class_declaration

    given: Node | None = None
    kind: Node | None = None
    for part in meaningful(node):
        if part.type == "arguments":
            given = part
        elif kind is None and part.type != "attribute_list":
            kind = part
    if kind is not None and kind.type in ("anonymous_class", "declaration_list"):
        source = kind if kind.type == "anonymous_class" else node
        lo.unnamed += 1
        name = class_declaration(lo, source, f"class@anonymous{lo.unnamed}")
        inside = next((part for part in meaningful(source) if part.type == "arguments"), None)
        operands, named = arguments(lo, inside)
        return lo.value(ir.NEW, node, "\\:" + name, operands, named)
    cls = class_operand(lo, kind)
    operands, named = arguments(lo, given)
    return lo.value(ir.NEW, node, cls, operands, named)


EXPRESSIONS.update(
    {
        **dict.fromkeys(CHAIN, chain),
        "function_call_expression": call,
        "print_intrinsic": print_text,
        "include_expression": include,
        "include_once_expression": include,
        "require_expression": include,
        "require_once_expression": include,
        "scoped_call_expression": static_call,
        "scoped_property_access_expression": static_property,
        "class_constant_access_expression": class_constant,
        "object_creation_expression": creation,
    }
)
