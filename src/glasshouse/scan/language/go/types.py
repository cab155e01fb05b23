"""Types as written: their text for the analysis, whether values of them are copied, and their zero values."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.go.state import Lowering

NUMBERS = frozenset(
    """int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 uintptr byte rune float32 float64 complex64
    complex128""".split()
)
BASIC = NUMBERS | {"string", "bool", "error", "any"}
REFERENCES = frozenset(["slice_type", "map_type", "pointer_type", "function_type", "channel_type", "interface_type"])
ARRAYS = frozenset(["array_type", "implicit_length_array_type"])
MAX_TYPE = 200
MAX_ARRAY = 16  # elements of an array that are kept apart from the start


def type_text(lo: Lowering, node: Node | None) -> str:
    """The type's name; a pointer's is that of what it points to; ``T[]`` for slices and arrays; "" for others."""
    for _ in range(8):
        if node is None:
            return ""
        kind = node.type
        if kind in ("pointer_type", "parenthesized_type"):
            node = node.named_children[0] if node.named_children else None
        elif kind == "generic_type":
            node = node.child_by_field_name("type")
        elif kind in ("type_identifier", "identifier", "qualified_type"):
            return lo.text(node)[:MAX_TYPE]
        elif kind == "slice_type" or kind in ARRAYS:
            inner = type_text(lo, node.child_by_field_name("element"))
            return f"{inner}[]" if inner else ""
        else:
            return ""
    return ""


def is_plain(lo: Lowering, node: Node | None) -> bool:
    """Whether a pointer to a variable of this type must point to a box: the value is no object of its own."""
    return node is not None and (node.type in REFERENCES or lo.text(node) in BASIC)


def copied(lo: Lowering, node: Node | None) -> str:
    """Text of the type if assigning a value of it copies an object (structs and arrays), or ""."""
    if node is None:
        return ""
    if node.type in ARRAYS:
        return "array"
    if node.type in ("type_identifier", "generic_type") and lo.text(node) not in BASIC:
        return type_text(lo, node)
    return ""


def type_operand(lo: Lowering, node: Node | None) -> Operand:
    """The type as a value: a class of the program or an external path."""
    if node is not None and node.type == "generic_type":
        node = node.child_by_field_name("type")
    if node is None:
        return lo.const(None)
    if node.type in ("type_identifier", "identifier"):
        return lo.text(node)
    if node.type == "qualified_type":
        package, name = node.child_by_field_name("package"), node.child_by_field_name("name")
        if package is not None and name is not None:
            return lo.value(ir.ATTR, node, lo.text(package), lo.text(name))
    return lo.const(None)


def zero(lo: Lowering, node: Node | None, place: Node) -> Operand:
    """The value of a variable that nothing was assigned to."""
    if node is None:
        return lo.const(None)
    kind, text = node.type, lo.text(node)
    if text == "string":
        return lo.const("")
    if text in NUMBERS:
        return lo.const(0)
    if text == "bool":
        return lo.const(False)
    if text in BASIC:
        return lo.const(None)
    if kind in ("type_identifier", "qualified_type", "generic_type"):
        return lo.ask(place, "$zero", type_operand(lo, node))
    if kind == "array_type":
        return zero_array(lo, node, place)
    if kind == "slice_type":
        return lo.value(ir.MAKE, place, "list", [])
    if kind == "struct_type":
        return lo.value(ir.MAKE, place, "dict", struct_items(lo, node, place))
    return lo.const(None)


def settable(lo: Lowering, node: Node | None, place: Node) -> Operand:
    """The value of a package's variable that begins as zero: by the time functions read it, something has set it."""
    text = type_text(lo, node)
    if node is None or not text or node.type == "slice_type" or node.type in ARRAYS:
        return zero(lo, node, place)
    return lo.ask(place, "$settable", lo.const(text))


def struct_items(lo: Lowering, node: Node, place: Node) -> list[list[Operand]]:
    """Zero values of an anonymous struct's fields."""
    if lo.depth >= lo.max_depth:
        return []
    lo.depth += 1
    items = [[lo.const(name), zero(lo, kind, place)] for name, kind in fields_of(lo, node)]
    lo.depth -= 1
    return items


def zero_array(lo: Lowering, node: Node, place: Node) -> Operand:
    length, element = node.child_by_field_name("length"), node.child_by_field_name("element")
    text = lo.text(length) if length is not None else ""
    count = int(text) if text.isdecimal() and len(text) < 4 else 0
    if lo.depth >= lo.max_depth or count > MAX_ARRAY:
        return lo.value(ir.MAKE, place, "list", [])
    lo.depth += 1
    items = [zero(lo, element, place) for _ in range(count)]
    lo.depth -= 1
    return lo.value(ir.MAKE, place, "list", items)


def fields_of(lo: Lowering, node: Node) -> list[tuple[str, Node | None]]:
    """Names and types of a struct's fields, in order; an embedded type is a field of its own name."""
    found: list[tuple[str, Node | None]] = []
    for part in node.named_children:
        if part.type == "field_declaration_list":
            for field in part.named_children:
                if field.type != "field_declaration":
                    continue
                kind = field.child_by_field_name("type")
                names = field.children_by_field_name("name")
                if names:
                    found.extend((lo.text(name), kind) for name in names)
                else:
                    found.append((type_text(lo, kind).rpartition(".")[2], kind))
    return found


def embedded_names(lo: Lowering, node: Node) -> list[str]:
    """Types that a struct embeds, as written."""
    return [
        type_text(lo, field.child_by_field_name("type"))
        for part in node.named_children
        if part.type == "field_declaration_list"
        for field in part.named_children
        if field.type == "field_declaration" and not field.children_by_field_name("name")
    ]
