"""Classes: methods, fields, static parts, decorators."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from glasshouse.scan.ir import (
    ABSTRACT,
    CLASS,
    CONSTRUCTOR,
    MOVE,
    SET_ATTR,
    Class,
    Decorator,
    Operand,
)
from glasshouse.scan.language.javascript.functions import Functions
from glasshouse.scan.language.javascript.literals import decode_number, decode_text

_FIELDS = frozenset({"field_definition", "public_field_definition"})
_MAX_DECORATOR_VALUES = 50


class Classes(Functions):
    """Lowers classes; each becomes an entry of the file's class list."""

    def run_class_declaration(self, node: Node) -> None:
        self.declare_class(node, [])

    run_abstract_class_declaration = run_class_declaration

    def declare_class(self, node: Node, decorators: list[Decorator]) -> str:
        """Lower a class declaration; the variable that holds it."""
        name = node.child_by_field_name("name")
        variable = self.declare(name) if name is not None else ""
        operand = self.class_value(node, "", decorators)
        if variable:
            self.move(node, variable, operand)
        return variable

    def value_class(self, node: Node) -> Operand:
        return self.class_value(node, "", [])

    def named_value(self, node: Node, name: str) -> Operand:
        kind = node.kind_id
        if kind == self.k.class_:
            return self.class_value(node, name, [])
        return self.closure(node, name) if kind in self.k.functions else self.value[kind](node)

    def class_value(self, node: Node, name: str, decorators: list[Decorator]) -> int:
        """Lower a class; the operand that holds it."""
        index = len(self.classes)
        parent = self.functions[self.index].qualname
        written = node.child_by_field_name("name")
        if written is not None:
            name = self.text(written)
        name = name or "<anonymous>"
        flags = ABSTRACT if node.type == "abstract_class_declaration" else 0
        span = self.span(node.start_byte, node.end_byte)
        cls = Class(name, f"{parent}.{name}"[:400] if parent else name, [], [], [], span)
        cls.parent, cls.flags, cls.decorators = self.class_index, flags, list(decorators)
        self.classes.append(cls)
        outer, self.class_index = self.class_index, index
        for part in node.children:
            if part.type == "decorator":
                cls.decorators.append(self.decorator(part))
            elif part.type == "class_heritage":
                cls.bases = self._bases(part)
            elif part.type == "class_body":
                self._class_body(part, cls)
        self.class_index = outer
        return self.emit_value(CLASS, node, index)

    def _bases(self, node: Node) -> list[str]:
        bases: list[str] = []
        for part in node.named_children:
            if part.type in ("extends_clause", "implements_clause"):
                names = [inner for inner in part.named_children if inner.type not in ("type_arguments", "comment")]
            else:
                names = [part]
            for name in names:
                if name.type == "generic_type":
                    name = name.children[0]
                chain = self.chain(name.start_byte, name.end_byte)
                if chain is not None:
                    bases.append(".".join([chain.root, *[attribute for attribute, _ in chain.parts]]))
                else:
                    bases.append(self.text(name)[:120])
        return bases

    def _class_body(self, node: Node, cls: Class) -> None:
        fields: list[Node] = []
        statics: list[Node] = []
        decorators: list[Decorator] = []
        for part in node.named_children:
            kind = part.type
            if kind == "decorator":
                decorators.append(self.decorator(part))
                continue
            if kind == "method_definition":
                self._method_definition(part, cls, decorators)
            elif kind in _FIELDS:
                static = self._field(part, cls, decorators)
                if part.child_by_field_name("value") is not None:
                    (statics if static else fields).append(part)
            elif kind == "class_static_block":
                statics.append(part)
            decorators = []
        if fields:
            cls.init = self.enter(node, "<fields>", "fields", 0, lambda _: self._initialise(fields))
        if statics:
            cls.body = self.enter(node, "<static>", "class", 0, lambda _: self._initialise_static(statics))

    def _method_definition(self, node: Node, cls: Class, decorators: list[Decorator]) -> None:
        name_node = node.child_by_field_name("name")
        name = self.plain_name(name_node) if name_node is not None else "<anonymous>"
        flags = 0
        setter = hidden = False
        own: list[Decorator] = list(decorators)
        for part in node.children:
            kind = part.type
            if kind == "decorator":
                own.append(self.decorator(part))
            elif kind == "set":
                setter = True
            elif kind == "accessibility_modifier":
                hidden = self.text(part) != "public"
            elif kind == "formal_parameters":
                break
        if name == "constructor":
            flags = CONSTRUCTOR
        index = self.function(node, f"set {name}" if setter else name, "method", flags)
        self.functions[index].decorators = own
        if hidden:
            self.hidden.add(index)
        if not setter:
            cls.methods.append((name, index))

    def _field(self, node: Node, cls: Class, decorators: list[Decorator]) -> bool:
        """Note a field's name and type; whether it is static."""
        static = False
        name = written = None
        for part in node.children:
            kind = part.type
            if kind == "decorator":
                decorators.append(self.decorator(part))
            elif kind == "static":
                static = True
            elif kind == "type_annotation":
                written = part
            elif kind == "=":
                break
            elif name is None and part.is_named and kind in _FIELD_NAMES:
                name = part
        if name is not None:
            cls.fields.append((self.text(name), self.type_text(written)))
            cls.marks += [(self.text(name), decorator) for decorator in decorators]
        return static

    def _field_parts(self, node: Node) -> tuple[Node | None, Node | None]:
        """(name, initialiser) of a field."""
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        return name, node.child_by_field_name("value")

    def _initialise(self, fields: list[Node]) -> None:
        for node in fields:
            name, value = self._field_parts(node)
            if name is not None and value is not None:
                if self.exhausted():
                    return
                operand = self.named_value(value, self.text(name))
                self.emit(SET_ATTR, node, "this", self.plain_name(name), operand)

    def _initialise_static(self, parts: list[Node]) -> None:
        for node in parts:
            if self.exhausted():
                return
            if node.type == "class_static_block":
                body = node.children[-1]
                self.scoped(body.children)
                continue
            name, value = self._field_parts(node)
            if name is not None and value is not None:
                text = self.plain_name(name)
                operand = self.named_value(value, text)
                self.declared.add(text)
                self.emit(MOVE, node, text, operand)

    # --- decorators ------------------------------------------------------------------------------------------------

    def decorator(self, node: Node) -> Decorator:
        span = self.span(node.start_byte, node.end_byte)
        inner = node.children[-1]
        if inner.kind_id != self.k.call_expression:
            return Decorator(self.text(inner)[:200], [], span)
        parts = inner.children
        args: list[tuple[str, Any]] = []
        for part in parts[-1].named_children[:_MAX_DECORATOR_VALUES]:
            if part.kind_id == self.k.object:
                args.extend(self._object_constants(part))
            elif part.kind_id != self.k.comment:
                args.append(("", self._constant(part)))
                args += self._named(part)
        return Decorator(self.text(parts[0])[:200], args, span)

    def _named(self, node: Node) -> list[tuple[str, Any]]:
        """The name or class, or the regular expression, that a decorator is given."""
        if node.type == "regex":
            return [("$regex", self.text(node)[:400])]
        if node.type == "new_expression" and node.named_children:
            node = node.named_children[0]
        return [("$name", self.text(node)[:100])] if node.type in ("identifier", "member_expression") else []

    def _object_constants(self, node: Node) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for pair in node.named_children[:_MAX_DECORATOR_VALUES]:
            if pair.kind_id == self.k.pair:
                sides = pair.named_children
                found.append((self.plain_name(sides[0]), self._constant(sides[-1])))
        return found

    def _constant(self, node: Node) -> Any:
        """The constant an expression is, a list of constants, or None."""
        raw = self.src[node.start_byte : node.end_byte]
        kind = node.type
        if kind == "string" or (kind == "template_string" and b"${" not in raw):
            return decode_text(raw[1:-1])
        if kind == "number":
            return decode_number(raw)
        if kind in ("true", "false"):
            return kind == "true"
        if kind == "array":
            values = node.named_children[:_MAX_DECORATOR_VALUES]
            return [None if part.kind_id == self.k.array else self._constant(part) for part in values]
        return None


_FIELD_NAMES = frozenset(
    {"property_identifier", "private_property_identifier", "string", "number", "computed_property_name"}
)
