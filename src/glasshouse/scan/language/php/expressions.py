"""Expressions: variables, texts, operators, arrays, conditions, functions as values."""

from __future__ import annotations

import re

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.php.literals import escape, number_value, single_quoted
from glasshouse.scan.language.php.state import EXPRESSIONS, Lowering, expression, meaningful

SUPERGLOBALS = frozenset("_GET _POST _REQUEST _COOKIE _SERVER _FILES _SESSION _ENV argv HTTP_RAW_POST_DATA".split())
INTEGERS = frozenset(["int", "integer", "bool", "boolean", "float", "double", "real"])
OPERATORS = {"and": "&&", "or": "||", "<>": "!="}
MAX_PARTS = 2_000
SENSITIVE = re.compile(r"(?i)pass|pwd|secret|token|key|credential")


# --- names and literals ----------------------------------------------------------------------------------------------


def variable_name(lo: Lowering, node: Node) -> Operand:
    name = lo.text(node).lstrip("$")
    if name in SUPERGLOBALS and (name != "argv" or lo.body.function.kind == "module"):
        return lo.value(ir.ATTR, node, "$PHP", name)
    return name or lo.builder.temp()


def dynamic_variable(lo: Lowering, node: Node) -> Operand:
    """``$$name``."""
    parts = meaningful(node)
    if parts and parts[0].type == "name":  # "${name}" inside a text
        return lo.text(parts[0])
    return lo.ask(node, "$variable", expression(lo, parts[0] if parts else None))


def named_constant(lo: Lowering, node: Node) -> Operand:
    written = lo.text(node)
    name = written.rpartition("\\")[2]
    magic = name.upper()
    if magic == "__DIR__":
        return lo.const(lo.path.rpartition("/")[0] or ".")
    if magic == "__FILE__":
        return lo.const(lo.path)
    if magic == "__LINE__":
        return lo.const(node.start_point[0] + 1)
    if magic == "__CLASS__":
        return lo.const(lo.class_name("self") if lo.owner else "")
    if magic in ("__FUNCTION__", "__METHOD__"):
        return lo.const(lo.body.function.name)
    if magic == "__NAMESPACE__":
        return lo.const(lo.namespace)
    if magic in ("DIE", "EXIT"):
        return leave(lo, node)
    return "\\#" + name


def number(lo: Lowering, node: Node) -> Operand:
    return lo.const(number_value(lo.text(node)))


def truth(lo: Lowering, node: Node) -> Operand:
    return lo.const(lo.text(node).lower() == "true")


def inner(lo: Lowering, node: Node) -> Operand:
    parts = meaningful(node)
    return expression(lo, parts[0]) if parts else lo.builder.temp()


def sequence(lo: Lowering, node: Node) -> Operand:
    """``a, b``: all are evaluated, the last is the value.  The grammar nests it to the right."""
    value: Operand = lo.builder.temp()
    for part in flat_sequence(node):
        value = expression(lo, part)
    return value


def flat_sequence(node: Node | None) -> list[Node]:
    """The expressions of a comma list."""
    found: list[Node] = []
    pending = [node] if node is not None else []
    while pending and len(found) < MAX_PARTS:
        item = pending.pop()
        if item.type == "sequence_expression":
            pending.extend(reversed(meaningful(item)))
        else:
            found.append(item)
    return found


# --- texts -----------------------------------------------------------------------------------------------------------


def text_parts(lo: Lowering, node: Node) -> list[tuple[Node, Operand]]:
    """The pieces of a text or of a chain of ``.``: constants and values, in order, each with its place."""
    found: list[tuple[Node, Operand]] = []
    pending = [node]
    while pending and len(found) < MAX_PARTS:
        item = pending.pop()
        lo.spent += 1
        kind = item.type
        if kind == "parenthesized_expression" and len(meaningful(item)) == 1:
            pending.append(meaningful(item)[0])
        elif kind == "binary_expression" and operator_of(lo, item) == ".":
            sides = [item.child_by_field_name("right"), item.child_by_field_name("left")]
            pending.extend(side for side in sides if side is not None)
        elif kind in ("encapsed_string", "heredoc_body"):
            found.extend(interpolated(lo, item))
        elif kind == "heredoc":
            body = item.child_by_field_name("value")
            if body is not None:
                found.extend(interpolated(lo, body))
        else:
            operand = expression(lo, item)
            if kind in IMPURE:  # evaluated now, whatever follows changes
                operand = lo.variable(item, operand)
            found.append((item, operand))
    if pending:
        lo.note("a text has too many pieces; the rest was left out")
    return found


IMPURE = frozenset(["assignment_expression", "augmented_assignment_expression", "update_expression"])


def interpolated(lo: Lowering, node: Node) -> list[tuple[Node, Operand]]:
    """The pieces of a double-quoted text."""
    found: list[tuple[Node, Operand]] = []
    held: list[str] = []
    first: Node | None = None
    for part in node.named_children[:MAX_PARTS]:
        if part.type == "string_content":
            held.append(lo.text(part))
        elif part.type == "escape_sequence":
            held.append(escape(lo.text(part)))
        else:
            if held:
                found.append((first or part, lo.const("".join(held)[:4096])))
            held, first = [], None
            found.append((part, expression(lo, part)))
            continue
        first = first or part
    if held:
        found.append((first or node, lo.const("".join(held)[:4096])))
    return found


def template(lo: Lowering, node: Node) -> Operand:
    """A text put together."""
    return joined(lo, node, [operand for _, operand in text_parts(lo, node)])


def joined(lo: Lowering, node: Node, parts: list[Operand]) -> Operand:
    if not parts:
        return lo.const("")
    constants = [lo.constant_of(part) for part in parts]
    if all(item.__class__ is str for item in constants):
        return lo.const("".join(str(item) for item in constants)[:4096])
    return lo.value(ir.TEMPLATE, node, parts)


def plain_text(lo: Lowering, node: Node) -> Operand:
    written = lo.text(node)
    return lo.const(single_quoted(written[1 + (written[:1] in "bB") : -1]))


def nowdoc(lo: Lowering, node: Node) -> Operand:
    body = node.child_by_field_name("value")
    return lo.const(lo.text(body) if body is not None else "")


def shell(lo: Lowering, node: Node) -> Operand:
    """Backticks."""
    parts = [operand for _, operand in interpolated(lo, node)]
    return lo.value(ir.CALL, node, "\\shell_exec", [joined(lo, node, parts)], [])


# --- operators -------------------------------------------------------------------------------------------------------


def operator_of(lo: Lowering, node: Node) -> str:
    return lo.text(node.child_by_field_name("operator")).lower()


def binary(lo: Lowering, node: Node) -> Operand:
    """Operators; the left side of a long chain is followed without recursion."""
    if operator_of(lo, node) == ".":
        return template(lo, node)
    pending: list[Node] = []
    current: Node | None = node
    while current is not None and current.type == "binary_expression" and operator_of(lo, current) != ".":
        pending.append(current)
        current = current.child_by_field_name("left")
    value = expression(lo, current)
    while pending:
        item = pending.pop()
        lo.spent += 1
        value = operation(lo, item, operator_of(lo, item), value, item.child_by_field_name("right"))
    return value


def operation(lo: Lowering, node: Node, name: str, left: Operand, right: Node | None) -> Operand:
    name = OPERATORS.get(name, name)
    if name in ("&&", "||"):
        return short_circuit(lo, node, name, left, right)
    if name == "??":
        return coalesce(lo, node, left, right)
    if name == "instanceof" and right is not None:
        if right.type in ("name", "qualified_name"):
            return lo.value(ir.IS_TYPE, node, left, [lo.class_name(lo.text(right))])
        expression(lo, right)
        return lo.builder.temp()
    return arithmetic(lo, node, name, left, expression(lo, right))


def arithmetic(lo: Lowering, node: Node, name: str, left: Operand, right: Operand) -> Operand:
    """What an operator gives for two values; ``+`` adds numbers or joins arrays."""
    if name == "+":
        return lo.ask(node, "$plus", left, right)
    return lo.value(ir.BINOP, node, name, left, right)


def short_circuit(lo: Lowering, node: Node, name: str, left: Operand, right: Node | None) -> Operand:
    """``a && b``: b is looked at only where a holds."""
    result = lo.builder.fresh()
    with lo.block() as other:
        lo.emit(ir.MOVE, node, result, expression(lo, right))
    with lo.block() as same:
        lo.emit(ir.MOVE, node, result, left)
    lo.emit(ir.IF, node, left, *((other, same) if name == "&&" else (same, other)))
    return result


def coalesce(lo: Lowering, node: Node, left: Operand, right: Node | None) -> Operand:
    result = lo.builder.fresh()
    with lo.block() as given:
        lo.emit(ir.MOVE, node, result, left)
    with lo.block() as missing:
        lo.emit(ir.MOVE, node, result, expression(lo, right))
    lo.emit(ir.IF, node, lo.ask(node, "$given", left), given, missing)
    return result


def unary(lo: Lowering, node: Node) -> Operand:
    operator = operator_of(lo, node)
    value = expression(lo, node.child_by_field_name("argument"))
    return lo.value(ir.UNOP, node, "not" if operator == "!" else operator, value)


def cast(lo: Lowering, node: Node) -> Operand:
    kind = lo.text(node.child_by_field_name("type")).strip("() \t").lower()
    value = expression(lo, node.child_by_field_name("value"))
    if kind in INTEGERS:
        return lo.value(ir.CAST, node, "int", value)
    if kind == "unset":
        return lo.const(None)
    return lo.ask(node, "$array", value) if kind == "array" else value


def conditional(lo: Lowering, node: Node) -> Operand:
    """``a ? b : c`` and ``a ?: c``."""
    condition = expression(lo, node.child_by_field_name("condition"))
    body = node.child_by_field_name("body")
    if body is None:
        condition = lo.variable(node, condition)
    result = lo.builder.fresh()
    with lo.block() as then:
        lo.emit(ir.MOVE, node, result, condition if body is None else expression(lo, body))
    with lo.block() as other:
        lo.emit(ir.MOVE, node, result, expression(lo, node.child_by_field_name("alternative")))
    lo.emit(ir.IF, node, condition, then, other)
    return result


def match(lo: Lowering, node: Node) -> Operand:
    """``match``: the arms of a block that each arm leaves."""
    operand = expression(lo, node.child_by_field_name("condition"))
    plain = lo.constant_of(operand) is True
    subject = lo.variable(node, operand)
    result, label = lo.builder.fresh(), lo.builder.fresh()
    body = node.child_by_field_name("body")
    arms = [part for part in meaningful(body) if part.type.startswith("match_")]
    with lo.block() as flat:
        for arm in sorted(arms, key=lambda item: item.type == "match_default_expression"):
            if lo.enough(arm):
                break
            given = arm.child_by_field_name("return_expression")
            if arm.type == "match_default_expression":
                lo.emit(ir.MOVE, arm, result, expression(lo, given))
                continue
            wanted = meaningful(arm.child_by_field_name("conditional_expressions"))
            with lo.block() as then:
                lo.emit(ir.MOVE, arm, result, expression(lo, given))
                lo.emit(ir.BREAK, arm, label)
            lo.emit(ir.IF, arm, arm_test(lo, arm, subject, wanted, plain), then, [])
    lo.emit(ir.BLOCK, node, label, flat)
    return result


def arm_test(lo: Lowering, arm: Node, subject: str, wanted: list[Node], plain: bool) -> Operand:
    """Whether an arm is taken; with ``match (true)``, its conditions say so themselves."""
    operands = [expression(lo, item) for item in wanted]
    if len(operands) == 1:
        return operands[0] if plain else lo.value(ir.BINOP, arm, "===", subject, operands[0])
    items = [[lo.const(number), operand] for number, operand in enumerate(operands)]
    return lo.builder.temp() if plain else lo.value(ir.BINOP, arm, "in", subject, lo.value(ir.MAKE, arm, "dict", items))


# --- arrays ----------------------------------------------------------------------------------------------------------


def array(lo: Lowering, node: Node) -> Operand:
    """An array: keys in order, elements without a key by number, spread ones."""
    items: list[object] = []
    number = 0
    for part in meaningful(node):
        if lo.late or lo.spent > lo.limits.max_function_nodes:
            break
        if part.type != "array_element_initializer":
            continue
        pieces = meaningful(part)
        if not pieces:
            continue
        if pieces[0].type == "variadic_unpacking":
            items.append(["*", inner(lo, pieces[0])])
            continue
        if len(pieces) > 1:
            key = array_key(lo, expression(lo, pieces[0]))
            known = lo.constant_of(key)
            number = max(number, known + 1) if isinstance(known, int) and not isinstance(known, bool) else number
            operand = expression(lo, pieces[-1])
            if isinstance(known, str) and SENSITIVE.search(known) and isinstance(lo.constant_of(operand), str):
                lo.emit(ir.NOP, part, key, operand)  # for checks that tell its place and not that of the whole array
            items.append([key, operand])
        else:
            items.append([lo.const(number), expression(lo, pieces[0])])
            number += 1
    return lo.value(ir.MAKE, node, "dict", items)


def array_key(lo: Lowering, operand: Operand) -> Operand:
    """A key as PHP keeps it: a text that is a number is one."""
    known = lo.constant_of(operand)
    if isinstance(known, str) and len(known) < 16 and known.lstrip("-").isdecimal() and str(int(known)) == known:
        return lo.const(int(known))
    return operand


# --- functions as values, and the rest -------------------------------------------------------------------------------


def closure(lo: Lowering, node: Node) -> Operand:
    from glasshouse.scan.language.php.declarations import lower_function

    lo.unnamed += 1
    index = lower_function(lo, node, "{closure}", "lambda")
    function = lo.functions[index]
    for part in meaningful(node):
        if part.type == "anonymous_function_use_clause":
            function.outer.extend(
                lo.text(inside.named_children[0]).lstrip("$")
                for inside in part.named_children
                if inside.type == "by_ref" and inside.named_children
            )
    return lo.value(ir.CLOSURE, node, index)


def throw(lo: Lowering, node: Node) -> Operand:
    lo.emit(ir.RAISE, node, inner(lo, node))
    return lo.builder.temp()


def clone(lo: Lowering, node: Node) -> Operand:
    return lo.ask(node, "$clone", inner(lo, node))


def generate(lo: Lowering, node: Node) -> Operand:
    """``yield``."""
    lo.body.function.flags |= ir.GENERATOR
    parts = meaningful(node)
    pieces = meaningful(parts[0]) if parts and parts[0].type == "array_element_initializer" else parts
    delegated = b"from" in lo.source[node.start_byte : node.start_byte + 12].lower()
    value = expression(lo, pieces[-1]) if pieces else lo.const(None)
    return lo.value(ir.YIELD, node, value, int(delegated))


def leave(lo: Lowering, node: Node) -> Operand:
    """``exit``, with what it prints."""
    from glasshouse.scan.language.php.output import echo

    for part in meaningful(node):
        if part.type not in ("integer", "name"):
            echo(lo, part)
    return lo.value(ir.CALL, node, "\\exit", [], [])


EXPRESSIONS.update(
    {
        "variable_name": variable_name,
        "dynamic_variable_name": dynamic_variable,
        "name": named_constant,
        "qualified_name": named_constant,
        "string": plain_text,
        "encapsed_string": template,
        "heredoc": template,
        "nowdoc": nowdoc,
        "shell_command_expression": shell,
        "integer": number,
        "float": number,
        "boolean": truth,
        "null": lambda lo, node: lo.const(None),
        "parenthesized_expression": inner,
        "error_suppression_expression": inner,
        "by_ref": inner,
        "sequence_expression": sequence,
        "binary_expression": binary,
        "unary_op_expression": unary,
        "cast_expression": cast,
        "conditional_expression": conditional,
        "match_expression": match,
        "array_creation_expression": array,
        "anonymous_function": closure,
        "anonymous_function_creation_expression": closure,
        "arrow_function": closure,
        "throw_expression": throw,
        "clone_expression": clone,
        "yield_expression": generate,
        "exit_statement": leave,
    }
)
