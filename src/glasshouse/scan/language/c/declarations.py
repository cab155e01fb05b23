"""Declarations: variables, parameters, records, enumerations, type names."""

from __future__ import annotations

from bisect import bisect_left

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Param
from glasshouse.scan.language.c.state import Lowering
from glasshouse.scan.language.c.types import constant_of, declarator_type, type_text

RECORDS = ("struct_specifier", "union_specifier", "class_specifier")
MAX_FIELDS = 2000
MAX_CLASSES = 20_000
UNSIZED = ("#", "?")
"""A field that stands for what makes the size of a record unknown: ``#if``, bit fields, no padding."""
AFTER = 24  # bytes after a record in which it may be said to be packed


def declaration(lo: Lowering, node: Node) -> None:
    """Each declared variable: its type, the sizes of variable-length dimensions, and its first value."""
    kind = lo.child(node, "type")
    if kind is not None and kind.type in RECORDS:
        record(lo, kind)
    elif kind is not None and kind.type == "enum_specifier":
        enumerators(lo, kind)
    base = type_text(lo, kind)
    if any(child.type == "storage_class_specifier" and lo.text(child) == "static" for child in node.children[:3]):
        base = "static " + base
    first = lo.child(node, "value")  # `if (auto *p = find())`: only there does it belong to the declaration
    for child in node.children_by_field_name("declarator"):
        _variable(lo, child, base, first)


def _variable(lo: Lowering, node: Node, base: str, value: Node | None = None) -> None:
    name, text, sizes = declarator_type(lo, node, base)
    if not name or text == "fn":
        if name and text == "fn":
            _constructed(lo, node, name, base)
        return
    span, block = lo.span(node), lo.builder.block
    block.append([ir.DECLARE, span, name, text])
    if sizes:
        lengths = [lo.operand(size) for size in sizes]
        block.append([ir.MOVE, span, name, lo.value(ir.CALL, span, "$vla", [lo.builder.const(text), *lengths], [])])
    if node.type == "init_declarator":
        value = lo.child(node, "value")
    if value is None:
        return
    if value.type == "argument_list":
        args = [lo.operand(child) for child in value.named_children if child.type != "comment"]
        lo.builder.block.append([ir.NEW, span, lo.builder.temp(), base, [name, *args], []])
    else:
        lo.builder.block.append([ir.MOVE, lo.span(node), name, lo.operand(value)])


def _constructed(lo: Lowering, node: Node, name: str, base: str) -> None:
    """``std::unique_lock lock(mutex)`` reads like a function declaration; inside a function it is a variable."""
    if lo.scope:
        lo.builder.block.append([ir.DECLARE, lo.span(node), name, base])


def parameters(lo: Lowering, node: Node | None) -> list[Param]:
    """The parameters of a function declarator."""
    found: list[Param] = []
    for child in node.named_children if node is not None else []:
        if child.type in ("parameter_declaration", "optional_parameter_declaration"):
            name, text, _ = declarator_type(lo, lo.child(child, "declarator"), type_text(lo, lo.child(child, "type")))
            if text != "void" or name:
                found.append(Param(name or f"${len(found)}", "pos", text, lo.span(child)))
        elif child.type == "variadic_parameter":
            found.append(Param("...", "*", "", lo.span(child)))
        elif child.type == "identifier":  # K&R
            found.append(Param(lo.text(child), "pos", "int", lo.span(child)))
    return found


def record(lo: Lowering, node: Node) -> None:
    """A struct, union or class with a body: its fields with their types."""
    body = lo.child(node, "body")
    if body is None or len(lo.classes) >= MAX_CLASSES:
        return
    fields: list[tuple[str, str]] = []
    pending = list(body.named_children)
    while pending and len(fields) < MAX_FIELDS:
        child = pending.pop(0)
        if child.type.startswith("preproc_if") or child.type == "preproc_else":
            pending[:0] = child.named_children
            fields.append(UNSIZED)
        if child.type != "field_declaration":
            continue
        kind = lo.child(child, "type")
        if kind is not None and kind.type in RECORDS and lo.depth < 60:
            lo.depth += 1
            record(lo, kind)
            lo.depth -= 1
        if any(part.type == "bitfield_clause" for part in child.children):
            fields.append(UNSIZED)
        for declarator in child.children_by_field_name("declarator"):
            name, text, _ = declarator_type(lo, declarator, type_text(lo, kind))
            if name:
                fields.append((name, text))
    if lo.packed and (at := bisect_left(lo.packed, node.start_byte)) < len(lo.packed):
        if lo.packed[at] < node.end_byte + AFTER:
            fields.append(UNSIZED)
    name = type_text(lo, node)
    bases = [lo.text(child) for child in node.named_children if child.type == "base_class_clause"]
    lo.classes.append(ir.Class(name, name, bases, [], fields, lo.span(node)))


def typedef(lo: Lowering, node: Node) -> None:
    """``typedef struct { ... } name``: the name is a record with one base, the type it stands for."""
    kind = lo.child(node, "type")
    if kind is None:
        return
    if kind.type in RECORDS:
        record(lo, kind)
    elif kind.type == "enum_specifier":
        enumerators(lo, kind)
    for declarator in node.children_by_field_name("declarator"):
        name, text, _ = declarator_type(lo, declarator, type_text(lo, kind))
        if name and len(lo.classes) < MAX_CLASSES:
            lo.classes.append(ir.Class(name, name, [text], [], [], lo.span(node)))


def define(lo: Lowering, name: str, value: int) -> None:
    """A name stands for a number; which of two it is, only a build could tell."""
    if lo.constants.get(name, value) != value:
        lo.unsure.add(name)
    lo.constants[name] = value


def enumerators(lo: Lowering, node: Node) -> None:
    """Enumeration constants get their values."""
    body = lo.child(node, "body")
    following: int | None = 0
    for child in body.named_children if body is not None else []:
        if child.type != "enumerator":
            continue
        name, value = lo.child(child, "name"), lo.child(child, "value")
        if value is not None:
            following = constant_of(lo, value)
        if name is not None and following is not None:
            define(lo, lo.text(name), following)
            following += 1
