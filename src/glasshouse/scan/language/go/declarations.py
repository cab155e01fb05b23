"""Functions, methods, types and imports of a Go file."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Class, Import, Param
from glasshouse.scan.language.go.expressions import meaningful
from glasshouse.scan.language.go.literals import text_value
from glasshouse.scan.language.go.state import STATEMENTS, Lowering
from glasshouse.scan.language.go.statements import give_back, parts_of, run_exits, statements
from glasshouse.scan.language.go.types import (
    copied,
    embedded_names,
    fields_of,
    is_plain,
    type_operand,
    type_text,
    zero,
)

PARAMETERS = frozenset(["parameter_declaration", "variadic_parameter_declaration"])


# --- imports ---------------------------------------------------------------------------------------------------------


def import_declaration(lo: Lowering, node: Node) -> None:
    specs = [part for part in node.named_children if part.type == "import_spec"]
    for part in node.named_children:
        if part.type == "import_spec_list":
            specs.extend(spec for spec in part.named_children if spec.type == "import_spec")
    for spec in specs:
        written, name = spec.child_by_field_name("path"), spec.child_by_field_name("name")
        if written is None:
            continue
        module = module_path(text_value(lo.text(written)))
        local = lo.text(name) if name is not None else package_name(module)
        lo.imports.append(Import("*" if local == "." else local, module, "", lo.span(spec)))
        if local in ("_", "."):
            lo.emit(ir.IMPORT, spec, "", module, "*", 0)
            continue
        lo.packages[local] = module
        lo.emit(ir.IMPORT, spec, local, module, "", 0)


def package_name(module: str) -> str:
    """What a package imported without a name is called: ``mqtt`` for ``paho.mqtt.golang``, ``jwt`` for ``jwt-go``."""
    last = module.rpartition("/")[2].removeprefix("go-")
    for ending in (".go", "-go", ".golang"):
        last = last.removesuffix(ending)
    return last.rpartition(".")[2]


def module_path(path: str) -> str:
    """The import path without its version: ``example.com/m/v2`` is ``example.com/m``."""
    head, _, last = path.rpartition("/")
    if head and last[:1] == "v" and last[1:].isdecimal():
        return head
    name, dot, version = last.rpartition(".")
    if dot and version[:1] == "v" and version[1:].isdecimal():
        return f"{head}/{name}"
    return path


# --- types -----------------------------------------------------------------------------------------------------------


def types(lo: Lowering, node: Node) -> None:
    """Enter the types of a declaration; their methods follow."""
    for spec in node.named_children:
        name = spec.child_by_field_name("name")
        written = spec.child_by_field_name("type")
        if name is None or written is None:
            continue
        text = lo.text(name)
        cls = class_of(lo, text, spec)
        cls.flags |= ir.EXPORTED if text[:1].isupper() else 0
        if written.type == "struct_type":
            fields = fields_of(lo, written)
            lo.structs[text] = [field for field, _ in fields]
            cls.fields = [(field, type_text(lo, kind)) for field, kind in fields]
            cls.bases = [base for base in embedded_names(lo, written) if base]
        elif written.type == "interface_type":
            cls.flags |= ir.INTERFACE
            interface(lo, cls, written)


def class_of(lo: Lowering, name: str, node: Node) -> Class:
    """The class of that name; made when a method comes before its type or the type is in another file."""
    index = lo.class_index.get(name)
    if index is None:
        index = lo.class_index[name] = len(lo.classes)
        lo.classes.append(Class(name, name, [], [], [], lo.span(node), flags=lo.test))
    return lo.classes[index]


def interface(lo: Lowering, cls: Class, node: Node) -> None:
    for part in node.named_children:
        name = part.child_by_field_name("name") if part.type == "method_elem" else None
        if name is not None:
            body = lo.open_function(
                lo.text(name), "method", part, parameters(lo, part), qualname=f"{cls.name}.{lo.text(name)}"
            )
            body.function.flags |= ir.ABSTRACT
            body.function.cls = lo.class_index[cls.name]
            cls.methods.append((lo.text(name), lo.close_function()))
        elif part.type == "type_elem":
            cls.bases.extend(text for text in [type_text(lo, kind) for kind in part.named_children] if text)


def initialiser(lo: Lowering, node: Node) -> None:
    """A ``fields`` function per struct: what a new instance holds; an embedded struct is the instance itself."""
    for spec in node.named_children:
        name, written = spec.child_by_field_name("name"), spec.child_by_field_name("type")
        if name is None or written is None or written.type != "struct_type":
            continue
        cls = lo.classes[lo.class_index[lo.text(name)]]
        body = lo.open_function("<fields>", "fields", spec, [], f"{cls.name}.<fields>")
        body.function.cls = lo.class_index[cls.name]
        embedded = {base.rpartition(".")[2] for base in cls.bases}
        for field, kind in fields_of(lo, written):
            pointer = kind is not None and kind.type == "pointer_type"
            if field in embedded:
                lo.ask(spec, "$embed", "this", lo.const(field), type_operand(lo, kind))
            else:
                value = lo.const(None) if pointer else zero(lo, kind, spec)
                lo.emit(ir.SET_ATTR, spec, "this", field, value)
        cls.init = lo.close_function()


# --- functions -------------------------------------------------------------------------------------------------------


def parameters(lo: Lowering, node: Node) -> list[Param]:
    found: list[Param] = []
    written = node.child_by_field_name("parameters")
    for part in written.named_children if written is not None else ():
        if part.type not in PARAMETERS:
            continue
        kind = part.child_by_field_name("type")
        rest = part.type == "variadic_parameter_declaration"
        names = part.children_by_field_name("name")
        for name in names or [part]:
            text = lo.text(name) if names else f"${len(found)}"
            text = f"${len(found)}" if text == "_" else text
            found.append(Param(text, "*" if rest else "pos", "" if rest else type_text(lo, kind), lo.span(name)))
    return found


def parameter_types(node: Node) -> list[Node | None]:
    """The type of each parameter, in order."""
    written = node.child_by_field_name("parameters")
    found: list[Node | None] = []
    for part in written.named_children if written is not None else ():
        if part.type in PARAMETERS:
            kind = part.child_by_field_name("type")
            found.extend([kind] * max(1, len(part.children_by_field_name("name"))))
    return found


def lower_function(lo: Lowering, node: Node, name: str, kind: str, owner: str = "") -> int:
    """Lower a function, method or function literal; its index."""
    params = parameters(lo, node)
    spent, lo.spent = lo.spent, 0 if kind != "lambda" else lo.spent
    body = lo.open_function(name, kind, node, params, f"{owner}.{name}" if owner else name)
    function = body.function
    function.flags |= ir.EXPORTED if name[:1].isupper() or name == "main" else 0
    if owner:
        function.cls = lo.class_index[owner]
        receiver(lo, node)
    for param, written in zip(params, parameter_types(node), strict=True):
        local = lo.declare(param.name, copied(lo, written), is_plain(lo, written) and param.kind == "pos")
        if local.boxed:
            lo.emit(ir.MOVE, node, param.name, lo.ask(node, "$box", param.name))
    results(lo, node)
    contents(lo, node)
    index = lo.close_function()
    lo.spent = max(spent, lo.spent) if kind == "lambda" else spent
    return index


def receiver(lo: Lowering, node: Node) -> None:
    written = node.child_by_field_name("receiver")
    for part in written.named_children if written is not None else ():
        name, kind = part.child_by_field_name("name"), part.child_by_field_name("type")
        if name is not None and lo.text(name) != "_":
            pointer = kind is not None and kind.type == "pointer_type"
            local = lo.declare(lo.text(name), "" if pointer else type_text(lo, kind))
            lo.emit(ir.MOVE, name, local.name, "this" if pointer else lo.ask(name, "$clone", "this"))


def results(lo: Lowering, node: Node) -> None:
    """Named results are variables that start at zero."""
    written = node.child_by_field_name("result")
    lo.body.function.returns = type_text(lo, written) if written is not None else ""
    if written is None or written.type != "parameter_list":
        return
    for part in written.named_children:
        kind = part.child_by_field_name("type")
        for name in part.children_by_field_name("name"):
            text = lo.text(name) if lo.text(name) != "_" else f"$r{len(lo.body.results)}"
            lo.body.results.append(text)
            lo.bind(name, text, zero(lo, kind, name), copied(lo, kind), is_plain(lo, kind))


def contents(lo: Lowering, node: Node) -> None:
    """The body; with deferred calls, what they do when it panics too."""
    inside = node.child_by_field_name("body")
    if inside is None:
        return
    deferred = b"defer" in lo.source[inside.start_byte : inside.end_byte]
    if not deferred:
        with lo.block() as block:
            statements(lo, parts_of(inside))
            run_exits(lo, inside)
        lo.builder.block.extend(block)
        if lo.body.results:
            give_back(lo, inside)
        return
    lo.emit(ir.MOVE, inside, "$panic", lo.const(None))
    with lo.block() as block:
        statements(lo, parts_of(inside))
        run_exits(lo, inside)
    with lo.block() as handler:
        run_exits(lo, inside)
        give_back(lo, inside)
    lo.emit(ir.TRY, inside, block, [[[], "$panic", handler]], [], [])
    if lo.body.results:
        give_back(lo, inside)


def function_declaration(lo: Lowering, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    index = lower_function(lo, node, lo.text(name), "function")
    target = lo.text(name) if lo.text(name) not in ("init", "_") else f"$init{index}"
    lo.emit(ir.MOVE, node, target, lo.value(ir.CLOSURE, node, index))


def method_declaration(lo: Lowering, node: Node) -> None:
    name, written = node.child_by_field_name("name"), node.child_by_field_name("receiver")
    kinds = [part.child_by_field_name("type") for part in meaningful(written)] if written is not None else []
    owner = type_text(lo, kinds[0]) if kinds else ""
    if name is None or not owner:
        return
    cls = class_of(lo, owner, node)
    cls.methods.append((lo.text(name), lower_function(lo, node, lo.text(name), "method", owner)))


def local_types(lo: Lowering, node: Node) -> None:
    types(lo, node)
    initialiser(lo, node)


STATEMENTS["type_declaration"] = local_types
