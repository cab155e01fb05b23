"""Classes, interfaces, enums, records and annotation types with their members.

A class is read twice: once for the names it declares (so that bare names can be resolved in any member), once to lower
its members.  Static initialisers become the class body, instance initialisers the ``fields`` function.
"""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Class, Decorator, Param
from glasshouse.scan.language.java.calls import arguments
from glasshouse.scan.language.java.expressions import array_initializer
from glasshouse.scan.language.java.names import type_text
from glasshouse.scan.language.java.parameters import NO_WORDS, modifiers, parameters
from glasshouse.scan.language.java.state import (
    COMMENTS,
    MEMBERS,
    STATEMENTS,
    ClassScope,
    Lowering,
    expr,
    statements,
)

CLASS_KINDS = {
    "class_declaration": 0,
    "interface_declaration": ir.INTERFACE,
    "enum_declaration": ir.ENUM,
    "record_declaration": 0,
    "annotation_type_declaration": ir.INTERFACE,
}
_METHODS = frozenset({"method_declaration", "constructor_declaration", "compact_constructor_declaration"})
_FIELDS = frozenset({"field_declaration", "constant_declaration"})
_VISIBLE = frozenset({"public", "protected"})


class Field:
    """One declared field."""

    __slots__ = ("declarator", "name", "static", "type")

    def __init__(self, name: str, type_: str, static: bool, declarator: Node) -> None:
        self.name, self.type, self.static, self.declarator = name, type_, static, declarator


class Members:
    """The members of one class body, in order of writing."""

    __slots__ = ("classes", "constants", "constructors", "initializers", "methods")

    def __init__(self) -> None:
        self.classes: list[Node] = []
        self.constants: list[Node] = []
        self.initializers: list[Field | Node] = []  # fields and initialiser blocks
        self.methods: list[tuple[Node, str, frozenset[str], list[Decorator]]] = []
        self.constructors = 0


# --- first reading -------------------------------------------------------------------------------------------------
def read_members(lo: Lowering, scope: ClassScope, nodes: list[Node], flags: int, members: Members) -> None:
    """Collect members and enter the names they declare into the scope."""
    for node in nodes:
        kind = node.type
        if kind in _METHODS:
            _read_method(lo, scope, node, flags, members)
        elif kind in _FIELDS:
            _read_field(lo, scope, node, flags, members)
        elif kind in CLASS_KINDS:
            members.classes.append(node)
        elif kind == "block" or kind == "static_initializer":
            members.initializers.append(node)
        elif kind == "enum_constant":
            members.constants.append(node)
            name = node.child_by_field_name("name")
            if name is not None:
                scope.fields[lo.word(name)] = True
        elif kind == "enum_body_declarations" or kind == "ERROR":
            read_members(lo, scope, node.children if lo.depth < 50 else [], flags, members)


def _read_method(lo: Lowering, scope: ClassScope, node: Node, flags: int, members: Members) -> None:
    first = node.children[0] if node.children else node
    words, decorators = modifiers(lo, first) if first.type == "modifiers" else (NO_WORDS, [])
    name_node = node.child_by_field_name("name")
    name = lo.word(name_node) if name_node is not None else ""
    if node.type != "method_declaration":
        members.constructors += 1
        name = "<init>"
    elif not name:  # a constructor that was pasted without its class
        type_node = node.child_by_field_name("type")
        name = lo.word(type_node) if type_node is not None else "<method>"
    else:
        scope.methods[name] = "static" in words or scope.methods.get(name, False)
    members.methods.append((node, name, words, decorators))


def _read_field(lo: Lowering, scope: ClassScope, node: Node, flags: int, members: Members) -> None:
    text = ""
    words = NO_WORDS
    for child in node.children:
        kind = child.type
        if kind == "variable_declarator":
            kids = child.children
            name = lo.word(kids[0])
            full = text
            if len(kids) > 1 and kids[1].type == "dimensions":
                full += "[]" * lo.word(kids[1]).count("[")
            static = "static" in words or bool(flags & ir.INTERFACE)
            scope.fields[name] = static
            members.initializers.append(Field(name, full, static, child))
        elif kind == "modifiers":
            words = modifiers(lo, child)[0]
        elif not text and child.is_named and kind not in COMMENTS:
            text = type_text(lo, child)


LOGGERS = frozenset(
    "Slf4j Log4j2 Log Log4j CommonsLog JBossLog Flogger XSlf4j".split()
)  # of Lombok: give a field `log`


# --- classes -------------------------------------------------------------------------------------------------------
def lower_class(lo: Lowering, node: Node, captured: frozenset[str] = frozenset()) -> int:
    """Lower a class declaration; gives its index, or -1 when it has no name."""
    name_node, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name_node is None:
        return -1
    if lo.depth > lo.max_depth:
        lo.note("nesting limit reached; deeper classes were not lowered")
        return -1
    first = node.children[0]
    words, decorators = modifiers(lo, first) if first.type == "modifiers" else (NO_WORDS, [])
    flags = CLASS_KINDS.get(node.type, 0) | (ir.ABSTRACT if "abstract" in words else 0)
    name = lo.word(name_node)
    bases = _bases(lo, node)
    components: list[Param] = []
    params = node.child_by_field_name("parameters")
    if node.type == "record_declaration" and params is not None:
        components = parameters(lo, params)
    return class_body(
        lo, node, body.children if body is not None else [], name, bases, flags, words, decorators, captured, components
    )


def _bases(lo: Lowering, node: Node) -> list[str]:
    found: list[str] = []
    for child in node.children:
        if child.type in ("superclass", "super_interfaces", "extends_interfaces"):
            for part in child.named_children:
                if part.type == "type_list":
                    found.extend(type_text(lo, kid) for kid in part.named_children if kid.type not in COMMENTS)
                elif part.type not in COMMENTS:
                    found.append(type_text(lo, part))
    return found


def class_body(
    lo: Lowering,
    node: Node,
    nodes: list[Node],
    name: str,
    bases: list[str],
    flags: int,
    words: frozenset[str],
    decorators: list[Decorator],
    captured: frozenset[str],
    components: list[Param],
) -> int:
    """Lower the members of a class whose head was read; gives the class's index."""
    outer = lo.scope
    scope = ClassScope(name, f"{outer.qualname}.{name}" if outer is not None else name, outer, captured)
    scope.exported = _class_exported(lo, outer, words, flags)
    scope.bases = bool(bases)
    if scope.exported:
        flags |= ir.EXPORTED
    cls = Class(name, scope.qualname, bases, [], [], lo.span(node), flags=flags | lo.test_flag, decorators=decorators)
    cls.parent = outer.index if outer is not None else -1
    scope.index = len(lo.classes)
    lo.classes.append(cls)
    lo.scope = scope
    lo.depth += 4
    members = Members()
    for component in components:
        scope.fields[component.name] = False
        cls.fields.append((component.name, component.type))
    read_members(lo, scope, nodes, flags, members)
    cls.fields.extend((item.name, item.type) for item in members.initializers if isinstance(item, Field))
    if LOGGERS.intersection(item.name for item in decorators) and "log" not in scope.fields:
        scope.fields["log"] = False
        cls.fields.append(("log", "org.slf4j.Logger"))
    if components:
        lo.records[name] = [component.name for component in components]
    nested = [(child, lower_class(lo, child, captured)) for child in members.classes]
    _static_part(lo, cls, scope, node, nested, members)
    _instance_part(lo, cls, node, members)
    for method, method_name, method_words, method_decorators in members.methods:
        _method(lo, cls, scope, method, method_name, method_words, method_decorators, components)
    if components:
        _record_members(lo, cls, scope, node, components, members)
    lo.depth -= 4
    lo.scope = outer
    return scope.index


def _class_exported(lo: Lowering, outer: ClassScope | None, words: frozenset[str], flags: int) -> bool:
    if outer is None:
        return "public" in words or lo.export_all
    interface = bool(lo.classes[outer.index].flags & ir.INTERFACE)
    return outer.exported and (interface or lo.export_all or not _VISIBLE.isdisjoint(words)) and "private" not in words


def _static_part(
    lo: Lowering, cls: Class, scope: ClassScope, node: Node, nested: list[tuple[Node, int]], members: Members
) -> None:
    """The class body: member classes, enum constants, static fields and static blocks."""
    static = [
        item
        for item in members.initializers
        if (
            item.static and len(item.declarator.children) > 2
            if isinstance(item, Field)
            else item.type == "static_initializer"
        )
    ]
    if not static and not nested and not members.constants:
        return
    before = lo.open_function("class", scope.name, scope.qualname, node, [], 0, (), True)
    lo.frame.class_body = scope
    for child, index in nested:
        if index >= 0:
            span = lo.span(child)
            lo.builder.emit(ir.MOVE, span, lo.classes[index].name, lo.value(ir.CLASS, span, index))
    for constant in members.constants:
        _enum_constant(lo, scope, constant)
    for item in static:
        if isinstance(item, Field):
            lo.builder.emit(ir.MOVE, lo.span(item.declarator), item.name, _initial(lo, item.declarator))
        else:
            statements(lo, [child for child in item.children if child.type == "block"])
        if lo.stop_at < 0:
            break
    cls.body = lo.close_function(before)


def _initial(lo: Lowering, declarator: Node) -> ir.Operand:
    value = declarator.children[-1]
    if value.type == "array_initializer":
        return array_initializer(lo, value)
    return expr(lo, value)


def _enum_constant(lo: Lowering, scope: ClassScope, node: Node) -> None:
    name, args = node.child_by_field_name("name"), node.child_by_field_name("arguments")
    body = node.child_by_field_name("body")
    if name is None:
        return
    operands = arguments(lo, args) if args is not None else []
    span = lo.span(node)
    cls: ir.Operand = scope.name
    if body is not None:
        cls = lo.value(ir.CLASS, span, anonymous(lo, node, body, scope.name))
    lo.builder.emit(ir.MOVE, span, lo.word(name), lo.value(ir.NEW, span, cls, operands, []))


def _instance_part(lo: Lowering, cls: Class, node: Node, members: Members) -> None:
    """The ``fields`` function: instance field initialisers and initialiser blocks, in order."""
    own = [
        item
        for item in members.initializers
        if (not item.static and len(item.declarator.children) > 2 if isinstance(item, Field) else item.type == "block")
    ]
    if not own:
        return
    before = lo.open_function("fields", "<fields>", f"{cls.qualname}.<fields>", node, [])
    for item in own:
        if isinstance(item, Field):
            value = _initial(lo, item.declarator)
            lo.builder.emit(ir.SET_ATTR, lo.span(item.declarator), "this", item.name, value)
        else:
            statements(lo, [item])
        if lo.stop_at < 0:
            break
    cls.init = lo.close_function(before)


# --- methods -------------------------------------------------------------------------------------------------------
def _method(
    lo: Lowering,
    cls: Class,
    scope: ClassScope,
    node: Node,
    name: str,
    words: frozenset[str],
    decorators: list[Decorator],
    components: list[Param],
) -> None:
    params_node, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    params = parameters(lo, params_node) if params_node is not None else []
    compact = node.type == "compact_constructor_declaration"
    if compact:
        params = components
    flags = _method_flags(cls, scope, name, words, body)
    before = lo.open_function(
        "method", name, f"{cls.qualname}.{name}", node, params, flags, (), bool(flags & ir.STATIC)
    )
    function = lo.frame.function
    function.decorators = decorators
    returns = node.child_by_field_name("type")
    if returns is not None:
        function.returns = type_text(lo, returns)
    cls.methods.append((name, lo.frame.index))
    if body is not None:
        statements(lo, body.children)
    if compact:
        _store_components(lo, node, components)
    lo.close_function(before)


def _method_flags(cls: Class, scope: ClassScope, name: str, words: frozenset[str], body: Node | None) -> int:
    interface = bool(cls.flags & ir.INTERFACE)
    flags = ir.STATIC if "static" in words else 0
    if name == "<init>":
        flags |= ir.CONSTRUCTOR
    if scope.exported and "private" not in words and (interface or not _VISIBLE.isdisjoint(words) or name == "main"):
        flags |= ir.EXPORTED
    if body is None and "native" not in words:
        flags |= ir.ABSTRACT
    return flags | (ir.SYNCHRONIZED if "synchronized" in words else 0)


def _store_components(lo: Lowering, node: Node, components: list[Param]) -> None:
    for component in components:
        lo.builder.emit(ir.SET_ATTR, lo.span(node), "this", component.name, component.name)


def _record_members(
    lo: Lowering, cls: Class, scope: ClassScope, node: Node, components: list[Param], members: Members
) -> None:
    """The accessors that are not written out, and the canonical constructor when none is."""
    visible = ir.EXPORTED if scope.exported else 0
    for component in components:
        if component.name in scope.methods:
            continue
        before = lo.open_function("method", component.name, f"{cls.qualname}.{component.name}", node, [], visible)
        lo.frame.function.returns = component.type
        cls.methods.append((component.name, lo.frame.index))
        value = lo.value(ir.ATTR, component.span, "this", component.name)
        lo.builder.emit(ir.RETURN, component.span, value)
        lo.close_function(before)
    if not members.constructors:
        flags = visible | ir.CONSTRUCTOR
        before = lo.open_function("method", "<init>", f"{cls.qualname}.<init>", node, components, flags)
        cls.methods.append(("<init>", lo.frame.index))
        _store_components(lo, node, components)
        lo.close_function(before)


def function_declaration(lo: Lowering, node: Node) -> None:
    """A method without a class, as in pasted snippets and JSP declarations: a function of the file."""
    members = Members()
    scratch = ClassScope("", "", None, frozenset())
    _read_method(lo, scratch, node, 0, members)
    _, name, _, decorators = members.methods[0]
    params_node, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    params = parameters(lo, params_node) if params_node is not None else []
    before = lo.open_function("function", name, name, node, params, ir.EXPORTED)
    lo.frame.function.decorators = decorators
    returns = node.child_by_field_name("type")
    if returns is not None:
        lo.frame.function.returns = type_text(lo, returns)
    if body is not None:
        statements(lo, body.children)
    index = lo.close_function(before)
    span = lo.span(node)
    lo.builder.emit(ir.MOVE, span, name, lo.value(ir.CLOSURE, span, index))


# --- classes inside functions --------------------------------------------------------------------------------------
def _visible_names(lo: Lowering) -> frozenset[str]:
    return frozenset(lo.locals) | (lo.scope.captured if lo.scope is not None else frozenset())


def anonymous(lo: Lowering, node: Node, body: Node, base: str) -> int:
    """Lower the body of an anonymous class (or of an enum constant); gives the class's index."""
    lo.anonymous += 1
    owner = lo.scope.name.partition("$")[0] if lo.scope is not None else ""
    name = f"{owner}${lo.anonymous}"
    return class_body(lo, node, body.children, name, [base], 0, NO_WORDS, [], _visible_names(lo), [])


def _local_class(lo: Lowering, node: Node) -> None:
    index = lower_class(lo, node, _visible_names(lo))
    if index >= 0:
        span, name = lo.span(node), lo.classes[index].name
        lo.builder.emit(ir.MOVE, span, name, lo.value(ir.CLASS, span, index))


MEMBERS["anonymous"] = anonymous
for _kind in CLASS_KINDS:
    STATEMENTS[_kind] = _local_class

__all__ = ["CLASS_KINDS", "class_body", "function_declaration", "lower_class"]
