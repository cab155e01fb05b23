"""Types as short texts: ``unsigned int``, ``struct dev*``, ``char[16]``, ``fn*``; statics begin with ``static``."""

from __future__ import annotations

import functools
import re

from tree_sitter import Node

from glasshouse.scan.language.c.state import Lowering, number_of

DROPPED = frozenset(
    "const volatile register extern inline restrict mutable constexpr virtual explicit friend typename __restrict "
    "__restrict__ __inline __inline__ __extension__ __volatile__ _Atomic thread_local __thread auto_type "
    "noexcept".split()
)
MAX_DECLARATORS = 40
SIZE = re.compile(r"[\w\s()+*<-]{1,60}$")
"""A size in a header that its own constants do not tell: who includes it may know the names."""


def type_text(lo: Lowering, node: Node | None) -> str:
    """A type specifier without qualifiers; a struct or enum by its tag."""
    if node is None:
        return ""
    kind = node.type
    if kind == "primitive_type" or kind == "type_identifier":
        return lo.text(node)
    if kind in ("struct_specifier", "union_specifier", "class_specifier", "enum_specifier"):
        name = lo.child(node, "name")
        word = kind.partition("_")[0]
        return f"{word} {lo.text(name)}" if name is not None else f"{word} @{lo.tag}{node.start_byte}"
    if kind == "type_descriptor":
        base = type_text(lo, lo.child(node, "type"))
        return declarator_type(lo, lo.child(node, "declarator"), base)[1]
    words = lo.text(node).split()
    return " ".join(word for word in words if word not in DROPPED)[:80]


def declarator_type(lo: Lowering, node: Node | None, base: str) -> tuple[str, str, list[Node | None]]:
    """(declared name, type text, sizes of array dimensions that are no constants)."""
    stars, sizes = 0, []
    dims = ""
    function = False
    for _ in range(MAX_DECLARATORS):
        if node is None:
            break
        kind = node.type
        if kind in ("pointer_declarator", "abstract_pointer_declarator"):
            stars += 1
        elif kind in ("array_declarator", "abstract_array_declarator"):
            size = lo.child(node, "size")
            constant = constant_of(lo, size)
            text = "" if size is None else str(constant) if constant is not None else "?"
            if text == "?":
                sizes.append(size)
                said = lo.text(size) if size is not None and lo.tag and not lo.scope else ""
                text = said if SIZE.match(said) else text
            dims = f"[{text}]" + dims
        elif kind in ("function_declarator", "abstract_function_declarator"):
            function = True
        elif kind in ("reference_declarator", "abstract_reference_declarator"):
            dims += "&"
            node = node.named_children[-1] if node.named_children else None
            continue
        elif kind == "parenthesized_declarator":
            node = node.named_children[-1] if node.named_children else None
            continue
        elif kind in ("init_declarator", "attributed_declarator"):
            pass
        else:
            break
        following = lo.child(node, "declarator")
        if following is None and kind == "attributed_declarator":
            following = node.named_children[0] if node.named_children else None
        node = following
    name = lo.text(node) if node is not None and node.type.endswith("identifier") else ""
    if function:
        return name, "fn*" if stars else "fn", sizes
    return name, base + "*" * stars + dims, sizes


def constant_of(lo: Lowering, node: Node | None, depth: int = 0) -> int | None:
    """The value of a constant integer expression made of numbers, known macros and arithmetic."""
    if node is None or depth > 20:
        return None
    kind = node.type
    if kind == "number_literal":
        value = number_of(lo.text(node))
        return value if isinstance(value, int) else None
    if kind == "identifier":
        return lo.constant(lo.text(node))
    if kind == "char_literal":
        return char_value(lo.text(node))
    if kind == "parenthesized_expression" and node.named_child_count == 1:
        return constant_of(lo, node.named_children[0], depth + 1)
    if kind == "sizeof_expression":
        return SIZES.get(type_text(lo, lo.child(node, "type")))
    if kind == "binary_expression":
        left = constant_of(lo, lo.child(node, "left"), depth + 1)
        right = constant_of(lo, lo.child(node, "right"), depth + 1)
        operator = lo.child(node, "operator")
        if left is None or right is None or operator is None:
            return None
        return fold(operator.type, left, right)
    if kind == "unary_expression":
        inner = constant_of(lo, lo.child(node, "argument"), depth + 1)
        operator = lo.child(node, "operator")
        if inner is not None and operator is not None:
            return {"-": -inner, "+": inner, "~": ~inner, "!": int(not inner)}.get(operator.type)
    return None


def fold(operator: str, left: int, right: int) -> int | None:
    """Constant arithmetic; None where C leaves it open or the result is absurdly large."""
    if operator in ("<<", ">>") and not 0 <= right < 64:
        return None
    if operator in ("/", "%"):
        if right == 0:
            return None
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    table = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "<<": lambda: left << right,
        ">>": lambda: left >> right,
        "&": lambda: left & right,
        "|": lambda: left | right,
        "^": lambda: left ^ right,
        "==": lambda: int(left == right),
        "!=": lambda: int(left != right),
        "<": lambda: int(left < right),
        ">": lambda: int(left > right),
        "<=": lambda: int(left <= right),
        ">=": lambda: int(left >= right),
        "&&": lambda: int(bool(left) and bool(right)),
        "||": lambda: int(bool(left) or bool(right)),
    }
    action = table.get(operator)
    result = action() if action is not None else None
    return result if result is not None and abs(result) < 1 << 65 else None


SIZES = {
    "char": 1,
    "signed char": 1,
    "unsigned char": 1,
    "bool": 1,
    "_Bool": 1,
    "short": 2,
    "unsigned short": 2,
    "int": 4,
    "unsigned": 4,
    "unsigned int": 4,
    "signed": 4,
    "long": 8,
    "unsigned long": 8,
    "long long": 8,
    "unsigned long long": 8,
    "size_t": 8,
    "ssize_t": 8,
    "float": 4,
    "double": 8,
    "wchar_t": 4,
    **{f"{sign}int{bits}_t": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"{mark}{sign}{bits}": bits // 8 for mark in ("", "__") for sign in "us" for bits in (8, 16, 32, 64)},
    "__le16": 2,
    "__be16": 2,
    "__le32": 4,
    "__be32": 4,
    "__le64": 8,
    "__be64": 8,
    "u_char": 1,
    "uchar": 1,
    "u_short": 2,
    "ushort": 2,
    "u_int": 4,
    "uint": 4,
    "ulong": 8,
    "u_long": 8,
    "off_t": 8,
    "time_t": 8,
    "pid_t": 4,
    "uid_t": 4,
    "gid_t": 4,
    "loff_t": 8,
    "uintptr_t": 8,
    "intptr_t": 8,
    "BYTE": 1,
    "WORD": 2,
    "DWORD": 4,
    "BOOL": 4,
    "TCHAR": 1,
    "WCHAR": 4,
    "gint": 4,
    "guint": 4,
    "gchar": 1,
    "guchar": 1,
    "guint8": 1,
    "guint16": 2,
    "guint32": 4,
    "guint64": 8,
    "gsize": 8,
}
"""Sizes in bytes on 64-bit Linux."""
SAID = re.compile(r"(?i)^[a-z_]*?(u?)int_?(8|16|32|64)(_?t|number)?$")


@functools.lru_cache(maxsize=20_000)
def size_said(text: str) -> int | None:
    """The size of a number type, known or told by its name (``OPJ_UINT32``), None of all others."""
    known = SIZES.get(text)
    told = SAID.match(text) if known is None else None
    return int(told.group(2)) // 8 if told is not None else known


@functools.lru_cache(maxsize=20_000)
def unsigned_said(text: str) -> bool:
    told = SAID.match(text)
    return told is not None and bool(told.group(1))


_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, '"': 34, "a": 7, "b": 8, "f": 12, "v": 11}


def char_value(text: str) -> int | None:
    """The value of a character constant."""
    inner = text[text.find("'") + 1 : -1]
    if len(inner) == 1:
        return ord(inner)
    if inner[:1] == "\\" and len(inner) == 2:
        return _ESCAPES.get(inner[1])
    if inner[:2] == "\\x":
        try:
            return int(inner[1:].replace("x", "0x", 1), 0)
        except ValueError:
            return None
    return None


def string_value(text: str) -> str:
    """A string constant with its escapes replaced, so that its length is right."""
    inner = text[text.find('"') + 1 : -1] if text.endswith('"') else text
    if "\\" not in inner:
        return inner
    out, position = [], 0
    while position < len(inner):
        letter = inner[position]
        if letter != "\\" or position + 1 >= len(inner):
            out.append(letter)
            position += 1
            continue
        following = inner[position + 1]
        position += 2
        if following in "01234567":
            start = position - 1
            while position < len(inner) and position - start < 3 and inner[position] in "01234567":
                position += 1
            out.append(chr(int(inner[start:position], 8) & 255))
        elif following == "x":
            start = position
            while position < len(inner) and position - start < 2 and inner[position] in "0123456789abcdefABCDEF":
                position += 1
            out.append(chr(int(inner[start:position] or "0", 16)))
        elif following != "\n":
            out.append(chr(_ESCAPES.get(following, ord(following))))
    return "".join(out)
