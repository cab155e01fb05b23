"""Values of Java literals and of constant annotation arguments.

Integers follow Java's two's complement (``0xFFFFFFFF`` is -1), text is cut at ``MAX_TEXT`` characters, and lone
surrogates are replaced, so every value can be encoded.
"""

from __future__ import annotations

import re
import textwrap

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Decorator, Operand
from glasshouse.scan.language.java.state import COMMENTS, EXPRESSIONS, Lowering, expr

MAX_TEXT = 4096
_ESCAPE = re.compile(r"\\(?:u+([0-9a-fA-F]{4})|([0-3]?[0-7]{1,2})|\r?(\n)|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "s": " "}
_NUMBERS = frozenset(
    {"decimal_integer_literal", "hex_integer_literal", "octal_integer_literal", "binary_integer_literal"}
)
_FLOATS = frozenset({"decimal_floating_point_literal", "hex_floating_point_literal"})


def unescape(text: str) -> str:
    """Java text with its escape sequences decoded."""
    if "\\" not in text:
        return text
    decoded = _ESCAPE.sub(_replacement, text)
    if decoded.isascii():
        return decoded
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _replacement(match: re.Match[str]) -> str:
    code, octal, newline, simple = match.groups()
    if code:
        return chr(int(code, 16))
    if octal:
        return chr(int(octal, 8))
    if newline:
        return ""
    return _SIMPLE.get(simple, simple)


def text_of(raw: str) -> str:
    """The value of a string literal or text block given as written."""
    if raw.startswith('"""'):
        body = raw[3 : 3 + 4 * MAX_TEXT]
        body = body[:-3] if len(raw) <= 3 + 4 * MAX_TEXT and body.endswith('"""') else body
        body = body.partition("\n")[2].replace("\r\n", "\n")
        last = body.rpartition("\n")[2]
        if not last.strip():
            dedented = textwrap.dedent(body + "|")[:-1]  # the closing line counts for the common indentation
        else:
            dedented = textwrap.dedent(body)
        return unescape("\n".join(line.rstrip() for line in dedented.split("\n")))[:MAX_TEXT]
    body = raw[1 : 1 + 4 * MAX_TEXT]
    if len(raw) <= 1 + 4 * MAX_TEXT and body.endswith('"'):
        body = body[:-1]
    return unescape(body)[:MAX_TEXT]


def character_of(raw: str) -> str:
    """The value of a character literal, as text of length one (shorter when it does not parse)."""
    return unescape(raw[1:-1])[:1]


def integer_of(raw: str) -> int | float:
    """The value of an integer literal; a float when it does not fit 64 bits."""
    digits = raw.replace("_", "")
    long = digits[-1:] in "lL"
    digits = digits.rstrip("lL")[:80]
    base = 16 if digits[:2] in ("0x", "0X") else 2 if digits[:2] in ("0b", "0B") else 0
    try:
        if not base and len(digits) > 1 and digits[0] == "0":
            base = 8
        value = int(digits, base or 10)
    except ValueError:
        return 0
    bits = 64 if long else 32
    if base and 1 << (bits - 1) <= value < 1 << bits:
        value -= 1 << bits
    return value if value < 1 << 63 else float(value)


def float_of(raw: str) -> float:
    """The value of a floating-point literal."""
    text = raw.replace("_", "")[:400]
    try:
        if text[:2] in ("0x", "0X"):
            return float.fromhex(text.rstrip("fFdD") if "p" in text.lower() else text)
        return float(text.rstrip("fFdD"))
    except (ValueError, OverflowError):
        return 0.0


# --- constants of annotations -------------------------------------------------------------------------------------
def constant(lo: Lowering, node: Node, depth: int = 0) -> object:
    """The constant an annotation argument holds, its dotted name for names and class literals, or None."""
    kind = node.type
    if kind == "string_literal":
        return text_of(lo.word(node))
    if kind in ("true", "false"):
        return kind == "true"
    if kind == "character_literal":
        return character_of(lo.word(node))
    if kind in _NUMBERS:
        return integer_of(lo.word(node))
    if kind in _FLOATS:
        return float_of(lo.word(node))
    if kind in ("identifier", "field_access", "class_literal"):
        return lo.word(node)[:MAX_TEXT]
    if depth > 20:
        return None
    if kind in ("element_value_array_initializer", "array_initializer"):
        items = [child for child in node.named_children if child.type not in COMMENTS]
        return [constant(lo, child, depth + 1) for child in items[:256]]
    if kind == "parenthesized_expression" and node.named_child_count:
        return constant(lo, node.named_children[-1], depth + 1)
    if kind == "binary_expression":
        parts = [constant(lo, child, depth + 1) for child in (node.children[0], node.children[-1])]
        if all(isinstance(part, str) for part in parts):
            return "".join(str(part) for part in parts)[:MAX_TEXT]
    return None


def annotation(lo: Lowering, node: Node) -> Decorator:
    """The decorator an annotation stands for."""
    name, args = node.child_by_field_name("name"), node.child_by_field_name("arguments")
    values: list[tuple[str, object]] = []
    for child in args.named_children if args is not None else ():
        if child.type == "element_value_pair":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and value is not None:
                values.append((lo.word(key), constant(lo, value)))
        elif child.type not in COMMENTS:
            values.append(("", constant(lo, child)))
    return Decorator(lo.word(name) if name is not None else "", values, lo.span(node))


# --- literals as expressions ---------------------------------------------------------------------------------------
def _string(lo: Lowering, node: Node) -> Operand:
    raw = lo.word(node)
    if "\\{" in raw:
        holes = [child for child in node.children if child.type == "string_interpolation"]
        if holes:
            return _template(lo, node)
    return lo.builder.const(text_of(raw))


def _template(lo: Lowering, node: Node) -> Operand:
    parts: list[Operand] = []
    for child in node.children:
        if child.type == "string_interpolation":
            parts.extend(expr(lo, inner) for inner in child.named_children[:1])
        elif child.is_named:
            parts.append(lo.builder.const(unescape(lo.word(child)[:MAX_TEXT])))
    return lo.value(ir.TEMPLATE, lo.span(node), parts)


def _template_expression(lo: Lowering, node: Node) -> Operand:
    argument = node.child_by_field_name("template_argument")
    return expr(lo, argument) if argument is not None else lo.opaque(node)


def _integer(lo: Lowering, node: Node) -> Operand:
    raw = lo.word(node)
    value = lo.builder.const(integer_of(raw))
    return lo.value(ir.CAST, lo.span(node), "long", value) if raw[-1:] in ("l", "L") else value


def _float(lo: Lowering, node: Node) -> Operand:
    return lo.builder.const(float_of(lo.word(node)))


EXPRESSIONS["string_literal"] = _string
EXPRESSIONS["template_expression"] = _template_expression
EXPRESSIONS["character_literal"] = lambda lo, node: lo.builder.const(character_of(lo.word(node)))
EXPRESSIONS["true"] = lambda lo, node: lo.builder.const(True)
EXPRESSIONS["false"] = lambda lo, node: lo.builder.const(False)
EXPRESSIONS["null_literal"] = lambda lo, node: lo.builder.const(None)
for _kind in _NUMBERS:
    EXPRESSIONS[_kind] = _integer
for _kind in _FLOATS:
    EXPRESSIONS[_kind] = _float
