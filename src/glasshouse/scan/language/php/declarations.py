"""Functions, classes, interfaces, traits, enums, namespaces and imports."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Class, Decorator, Import, Param
from glasshouse.scan.language.php.expressions import INTEGERS
from glasshouse.scan.language.php.state import Lowering, expression, meaningful
from glasshouse.scan.page import Page

PARAMETERS = frozenset(["simple_parameter", "variadic_parameter", "property_promotion_parameter"])
CLASSES = frozenset(["class_declaration", "interface_declaration", "trait_declaration", "enum_declaration"])
MEMBERS = frozenset(["method_declaration", "property_declaration"])
UNTYPED = frozenset(
    "array mixed callable iterable object void null string static self never resource true false".split()
)


# --- types and parameters --------------------------------------------------------------------------------------------


def type_text(lo: Lowering, node: Node | None) -> str:
    """A declared type: the full name of a class, ``int`` for all numbers, "" for what tells nothing."""
    if node is None:
        return ""
    text = lo.text(node).strip().lstrip("?").strip("()")
    names = [part.strip() for part in text.split("|")] if "&" not in text else [text.split("&")[0].strip()]
    names = [name for name in names if name.lower() not in ("null", "false")]
    if len(names) != 1:
        return "int" if names and all(name.lower() in INTEGERS for name in names) else ""
    name = names[0]
    if name.lower() in INTEGERS:
        return "int"
    return "" if name.lower() in UNTYPED or not name else lo.class_name(name)


def parameters(lo: Lowering, node: Node) -> list[Param]:
    found: list[Param] = []
    for part in meaningful(node.child_by_field_name("parameters")):
        if part.type not in PARAMETERS:
            continue
        name = part.child_by_field_name("name")
        if name is not None and name.type == "by_ref" and name.named_children:
            name = name.named_children[0]
        kind = "*" if part.type == "variadic_parameter" else "pos"
        text = type_text(lo, part.child_by_field_name("type")) if kind == "pos" else ""
        marks = decorators(lo, part)
        if is_reference(lo, part):
            marks.append(Decorator("&", [], lo.span(part)))
        default = part.child_by_field_name("default_value") is not None
        label = lo.text(name).lstrip("$") or f"$p{len(found)}"
        found.append(Param(label, kind, text, lo.span(part), marks, default))
    return found


def is_reference(lo: Lowering, part: Node) -> bool:
    return any(child.type in ("reference_modifier", "&", "by_ref") for child in part.children)


MAX_ITEMS = 50  # of an array in an attribute


def decorators(lo: Lowering, node: Node) -> list[Decorator]:
    """Attributes, with the constants among their arguments."""
    found: list[Decorator] = []
    listed = node.child_by_field_name("attributes")
    for group in meaningful(listed):
        for attribute in meaningful(group):
            pieces = meaningful(attribute)
            if attribute.type != "attribute" or not pieces:
                continue
            args = [
                pair for part in meaningful(attribute.child_by_field_name("parameters")) for pair in constant(lo, part)
            ]
            found.append(Decorator(lo.class_name(lo.text(pieces[0])), args, lo.span(attribute)))
    return found


def constant(lo: Lowering, part: Node) -> list[tuple[str, Any]]:
    name = part.child_by_field_name("name")
    pieces = [piece for piece in meaningful(part) if name is None or piece.id != name.id]
    if not pieces:
        return []
    known = lo.text(pieces[-1])[1:-1] if pieces[-1].type == "string" else None
    found: list[tuple[str, Any]] = [(lo.text(name), known)]
    if name is not None and pieces[-1].type == "array_creation_expression":  # `requirements: ['id' => '[0-9]+']`
        for item in meaningful(pieces[-1])[:MAX_ITEMS]:
            pair = meaningful(item)
            if len(pair) == 2 and pair[0].type == pair[1].type == "string":
                found.append((f"{lo.text(name)}.{lo.text(pair[0])[1:-1]}", lo.text(pair[1])[1:-1]))
    return found


# --- functions -------------------------------------------------------------------------------------------------------


def lower_function(lo: Lowering, node: Node, name: str, kind: str, owner: str = "", flags: int = 0) -> int:
    """Lower a function, method or closure; its index."""
    params = parameters(lo, node)
    spent, lo.spent = lo.spent, 0 if kind != "lambda" else lo.spent
    page, lo.page = lo.page, Page()
    echo, lo.echo_next = lo.echo_next, False
    outside = lo.body.static
    qualname = f"{owner}.{name}" if owner else f"{lo.namespace}\\{name}" if lo.namespace else name
    body = lo.open_function(name, kind, node, params, qualname)
    function = body.function
    function.flags |= flags
    function.decorators = decorators(lo, node)
    function.returns = type_text(lo, node.child_by_field_name("return_type"))
    if owner:
        function.cls = lo.owner[-1]
    body.static = bool(flags & ir.STATIC) if owner else outside if kind == "lambda" else True
    bind_parameters(lo, node, params)
    contents(lo, node)
    index = lo.close_function()
    lo.page, lo.echo_next = page, echo
    lo.spent = max(spent, lo.spent) if kind == "lambda" else spent
    return index


def bind_parameters(lo: Lowering, node: Node, params: list[Param]) -> None:
    """Defaults, parameters by reference, and properties that a constructor's parameters are."""
    parts = [part for part in meaningful(node.child_by_field_name("parameters")) if part.type in PARAMETERS]
    for param, part in zip(params, parts, strict=True):
        default = part.child_by_field_name("default_value")
        if default is not None:
            with lo.block() as block:
                operand = expression(lo, default)
            lo.emit(ir.DEFAULT, part, param.name, block, operand)
        if any(mark.name == "&" for mark in param.decorators):
            lo.emit(ir.MOVE, part, f"$ref {param.name}", param.name)
            lo.body.references.add(param.name)
        if part.type == "property_promotion_parameter":
            lo.emit(ir.SET_ATTR, part, "this", param.name, param.name)


def contents(lo: Lowering, node: Node) -> None:
    from glasshouse.scan.language.php.statements import statements

    inside = node.child_by_field_name("body")
    if inside is None:
        return
    if inside.type == "compound_statement":
        statements(lo, inside.named_children)
    else:
        lo.emit(ir.RETURN, inside, expression(lo, inside))


def function_definition(lo: Lowering, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        lower_function(lo, node, lo.text(name), "function", flags=ir.EXPORTED)


# --- classes ---------------------------------------------------------------------------------------------------------


def declare_class(lo: Lowering, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        class_declaration(lo, node, lo.text(name))


def class_declaration(lo: Lowering, node: Node, name: str) -> str:
    """Lower a class; its full name."""
    full = f"{lo.namespace}\\{name}" if lo.namespace else name
    cls = Class(name, full, [], [], [], lo.span(node), parent=-1)
    cls.flags = ir.EXPORTED | (ir.INTERFACE if node.type == "interface_declaration" else 0)
    cls.decorators = decorators(lo, node)
    index = len(lo.classes)
    lo.classes.append(cls)
    body = node.child_by_field_name("body")
    if body is None and node.type == "anonymous_class":
        body = next((part for part in meaningful(node) if part.type == "declaration_list"), None)
    bases(lo, node, body, cls, index)
    lower_members(lo, node, meaningful(body), cls, index)
    return full


def damaged_class(lo: Lowering, node: Node) -> None:
    """Members that the parser could read of a class whose end or beginning it could not find."""
    members = [part for part in meaningful(node) if part.type in MEMBERS]
    if not members:
        return
    name = f"class@damaged{len(lo.classes)}"
    for before, part in zip(node.children, node.children[1:], strict=False):
        if before.type == "class" and part.type == "name":
            name = lo.text(part)
            break
    full = f"{lo.namespace}\\{name}" if lo.namespace else name
    lo.classes.append(Class(name, full, [], [], [], lo.span(node), flags=ir.EXPORTED))
    lower_members(lo, node, members, lo.classes[-1], len(lo.classes) - 1)


def lower_members(lo: Lowering, node: Node, members: list[Node], cls: Class, index: int) -> None:
    lo.owner.append(index)
    class_body(lo, node, members, cls, index)
    instance_fields(lo, node, members, cls, index)
    for member in members:
        if member.type == "method_declaration" and not lo.late:
            method(lo, member, cls)
    lo.owner.pop()


def bases(lo: Lowering, node: Node, body: Node | None, cls: Class, index: int) -> None:
    for part in meaningful(node):
        if part.type in ("base_clause", "class_interface_clause"):
            names = [lo.class_name(lo.text(item)) for item in meaningful(part)]
            if part.type == "base_clause" and names and node.type != "interface_declaration":
                lo.parents[index] = names[0]
            cls.bases.extend(names)
    for part in meaningful(body):
        if part.type == "use_declaration":
            cls.bases.extend(
                lo.class_name(lo.text(item)) for item in meaningful(part) if item.type in ("name", "qualified_name")
            )


def class_body(lo: Lowering, node: Node, members: list[Node], cls: Class, index: int) -> None:
    """Constants, enum cases and static properties."""
    body = lo.open_function("<class>", "class", node, [], f"{cls.qualname}.<class>")
    body.function.cls = index
    for member in members:
        if member.type == "const_declaration":
            for element in meaningful(member):
                pieces = meaningful(element)
                if element.type == "const_element" and len(pieces) > 1:
                    lo.emit(ir.MOVE, element, lo.text(pieces[0]), expression(lo, pieces[-1]))
        elif member.type == "enum_case":
            value = member.child_by_field_name("value")
            operand = expression(lo, value) if value is not None else lo.const(lo.text(member))
            lo.emit(ir.MOVE, member, lo.text(member.child_by_field_name("name")), operand)
        elif member.type == "property_declaration" and is_static(member):
            for name, default, place in properties(lo, member):
                lo.emit(ir.MOVE, place, name, expression(lo, default) if default is not None else lo.const(None))
    cls.body = lo.close_function()


def instance_fields(lo: Lowering, node: Node, members: list[Node], cls: Class, index: int) -> None:
    body = lo.open_function("<fields>", "fields", node, [], f"{cls.qualname}.<fields>")
    body.function.cls = index
    body.static = False
    for member in members:
        if member.type == "property_declaration" and not is_static(member):
            kind = type_text(lo, member.child_by_field_name("type"))
            for name, default, place in properties(lo, member):
                cls.fields.append((name, kind))
                if default is not None:
                    lo.emit(ir.SET_ATTR, place, "this", name, expression(lo, default))
    cls.init = lo.close_function()


def is_static(member: Node) -> bool:
    return any(child.type == "static_modifier" for child in member.children)


def properties(lo: Lowering, member: Node) -> list[tuple[str, Node | None, Node]]:
    """(name, default, place) of a declaration's properties."""
    found: list[tuple[str, Node | None, Node]] = []
    for part in meaningful(member):
        if part.type == "property_element":
            pieces = meaningful(part)
            default = part.child_by_field_name("default_value") or (pieces[-1] if len(pieces) > 1 else None)
            found.append((lo.text(pieces[0]).lstrip("$"), default, part))
    return found


def method(lo: Lowering, member: Node, cls: Class) -> None:
    name = member.child_by_field_name("name")
    if name is None:
        return
    flags = 0
    hidden = False
    for child in member.children:
        if child.type == "static_modifier":
            flags |= ir.STATIC
        elif child.type == "abstract_modifier":
            flags |= ir.ABSTRACT
        elif child.type == "visibility_modifier":
            hidden = lo.text(child).lower() != "public"
    if member.child_by_field_name("body") is None:
        flags |= ir.ABSTRACT
    text = lo.text(name)
    flags |= 0 if hidden else ir.EXPORTED
    flags |= ir.CONSTRUCTOR if text.lower() == "__construct" else 0
    text = text.lower() if text[:2] == "__" else text
    cls.methods.append((text, lower_function(lo, member, text, "method", cls.qualname, flags)))


# --- namespaces and imports ------------------------------------------------------------------------------------------


def namespace(lo: Lowering, node: Node) -> None:
    from glasshouse.scan.language.php.statements import statements

    name = node.child_by_field_name("name")
    lo.namespace = lo.text(name) if name is not None else ""
    lo.uses, lo.function_uses = {}, {}
    body = node.child_by_field_name("body")
    if body is not None:
        statements(lo, body.named_children)
        lo.namespace = ""


def use(lo: Lowering, node: Node) -> None:
    """``use A\\B as C, function d, E\\{F, G}``."""
    written = lo.text(node)
    head = written[3:].strip().rstrip(";").strip()
    kind, _, rest = head.partition(" ")
    functions = kind.lower() == "function"
    if kind.lower() in ("function", "const"):
        head = rest.strip()
    prefix, brace, inside = head.partition("{")
    items = inside.rstrip("} ").split(",") if brace else head.split(",")
    for item in items[:500]:
        full, alias = named_as(item)
        if not full:
            continue
        full = (prefix.strip() + full if brace else full).lstrip("\\")
        alias = alias or full.rpartition("\\")[2]
        if functions:
            lo.function_uses[alias.lower()] = full
        elif kind.lower() != "const":
            lo.uses[alias.lower()] = full
            lo.imports.append(Import(alias, full, "", lo.span(node)))


def named_as(item: str) -> tuple[str, str]:
    words = item.split()
    if len(words) == 3 and words[1].lower() == "as":
        return words[0], words[2]
    return (words[-1], "") if words else ("", "")
