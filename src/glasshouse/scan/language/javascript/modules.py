"""ES modules and the TypeScript forms of import and export."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan.ir import CALL_METHOD, IMPORT, MAKE, SET_ATTR, Import, Operand
from glasshouse.scan.language.javascript.classes import Classes
from glasshouse.scan.language.javascript.functions import is_default
from glasshouse.scan.language.javascript.literals import decode_text


class Modules(Classes):
    """Lowers import and export statements, namespaces and enums."""

    def _text_value(self, node: Node) -> str:
        return decode_text(self.src[node.start_byte + 1 : node.end_byte - 1])

    def _bind_import(self, node: Node, local: str, module: str, name: str) -> None:
        span = self.span(node.start_byte, node.end_byte)
        self.declared.add(local)
        self.visible.add(local)
        self.assigned.add(local)
        self.block.append([IMPORT, span, local, module, name, 0])
        self.imports.append(Import(local, module, name, span))

    def run_import_statement(self, node: Node) -> None:
        self.is_module = True
        source = node.child_by_field_name("source")
        module = self._text_value(source) if source is not None else ""
        bound = False
        for part in node.named_children:
            if part.type == "import_clause":
                bound = True
                self._import_clause(part, module)
            elif part.type == "import_require_clause":
                bound = True
                self._import_require(part)
        if not bound and module:
            span = self.span(node.start_byte, node.end_byte)
            self.block.append([IMPORT, span, self.temp(), module, "", 0])
            self.imports.append(Import("", module, "", span))

    def _import_clause(self, node: Node, module: str) -> None:
        for part in node.named_children:
            if part.type == "identifier":
                self._bind_import(part, self._local(part), module, "default")
            elif part.type == "namespace_import":
                self._bind_import(part, self._local(part.named_children[-1]), module, "")
            elif part.type == "named_imports":
                for specifier in part.named_children:
                    names = [name for name in specifier.named_children if name.type != "comment"]
                    if specifier.type == "import_specifier" and names:
                        self._bind_import(specifier, self._local(names[-1]), module, self._external(names[0]))

    def _local(self, node: Node) -> str:
        return self.names[self.src[node.start_byte : node.end_byte]]

    def _external(self, node: Node) -> str:
        return self._text_value(node) if node.type == "string" else self.text(node)

    def _import_require(self, node: Node) -> None:
        """``import x = require("m")``."""
        source = node.child_by_field_name("source")
        parts = node.named_children
        if source is not None and parts:
            self._bind_import(node, self._local(parts[0]), self._text_value(source), "")

    def run_import_alias(self, node: Node) -> None:
        """``import A = B.C``."""
        parts = node.named_children
        if len(parts) > 1:
            chain = self.chain(parts[-1].start_byte, parts[-1].end_byte)
            value: Operand = self._local(parts[-1]) if chain is None else self._dotted(parts[-1])
            self.move(node, self.declare(parts[0]), value)

    def _dotted(self, node: Node) -> Operand:
        return self.value[self.k.member_expression](node)

    # --- exports ---------------------------------------------------------------------------------------------------

    def run_export_statement(self, node: Node) -> None:
        if self.export_target == "$exports":
            self.is_module = True
        source = node.child_by_field_name("source")
        declaration = node.child_by_field_name("declaration")
        value = node.child_by_field_name("value")
        if declaration is not None:
            self._export_declaration(node, declaration)
            return
        if value is not None:
            self._export_value(node, value, "default")
            return
        module = self._text_value(source) if source is not None else None
        words = [part.type for part in node.children]
        for part in node.named_children:
            if part.type == "export_clause":
                self._export_clause(part, module)
            elif part.type == "namespace_export" and module is not None:
                name = self._external(part.named_children[-1])
                self._set_export(node, name, self._import_value(node, module, ""))
                return
        if "*" in words and module is not None:
            value_of = self._import_value(node, module, "")
            self.emit_value(CALL_METHOD, node, self.export_target, "$assign", [value_of], [])
        elif "=" in words:
            inner = node.named_children[-1]
            self.move(node, "$exports", self.named_value(inner, "exports"))

    def _export_value(self, node: Node, value: Node, name: str) -> None:
        self._set_export(node, name, self.named_value(value, name))

    def _import_value(self, node: Node, module: str, name: str) -> int:
        number = self.emit_value(IMPORT, node, module, name, 0)
        self.imports.append(Import("", module, name, self.block[-1][1]))
        return number

    def _set_export(self, node: Node, name: str, operand: Operand) -> None:
        self.block.append([SET_ATTR, self.span(node.start_byte, node.end_byte), self.export_target, name, operand])

    def _export_clause(self, node: Node, module: str | None) -> None:
        for part in node.named_children:
            names = [name for name in part.named_children if name.type != "comment"]
            if part.type != "export_specifier" or not names:
                continue
            external = self._external(names[-1])
            if module is None:
                self._set_export(part, external, self.variable(names[0]))
            else:
                self._set_export(part, external, self._import_value(part, module, self._external(names[0])))

    def _export_declaration(self, node: Node, declaration: Node) -> None:
        k = self.k
        kind = declaration.kind_id
        if kind == k.function_declaration or kind == k.generator_function_declaration:
            return  # hoisted
        default = is_default(node)
        if declaration.type in ("class_declaration", "abstract_class_declaration"):
            decorators = [self.decorator(part) for part in node.named_children if part.type == "decorator"]
            name = self.declare_class(declaration, decorators)
            if name:
                self.export(node, name, "default" if default else name)
            return
        handler = self.run[kind]
        if handler is not None:
            handler(declaration)
            for name in self.declared_names(declaration):
                self.export(node, self.renames.get(name, name), name)

    # --- namespaces and enums --------------------------------------------------------------------------------------

    def value_internal_module(self, node: Node) -> Operand:
        """``namespace A.B {...}``: an object, filled in place."""
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if name is None or body is None or name.type == "string":
            return self.const(None)
        variable = self.text(name).split(".")[0]
        if variable not in self.declared:
            self.declared.add(variable)
            self.move(name, variable, self.emit_value(MAKE, name, "dict", []))
        outer, self.export_target = self.export_target, variable
        self.scoped(body.children)
        self.export_target = outer
        return variable

    def run_internal_module(self, node: Node) -> None:
        self.value_internal_module(node)

    run_module = run_internal_module

    def run_enum_declaration(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if name is None or body is None:
            return
        items: list[list[Operand]] = []
        following: int | None = 0
        for part in body.named_children:
            if self.spent > self.cap:
                break
            if part.type == "enum_assignment":
                sides = part.named_children
                value = self.value[sides[-1].kind_id](sides[-1])
                items.append([self.key(sides[0]), value])
                known = self.consts[-1 - value] if isinstance(value, int) and value < 0 else None
                following = known + 1 if isinstance(known, int) and not isinstance(known, bool) else None
            elif part.type != "comment":
                items.append([self.key(part), self.const(following)])
                following = following + 1 if following is not None else None
        self.move(node, self.declare(name), self.emit_value(MAKE, node, "dict", items))
