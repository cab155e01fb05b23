"""Functions, arrows and methods: parameters, bodies, hoisting."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from glasshouse.scan.ir import (
    ASYNC,
    CLOSURE,
    DEFAULT,
    GENERATOR,
    MOVE,
    PROPERTY,
    RETURN,
    SET_ATTR,
    STATIC,
    Decorator,
    Function,
    Param,
)
from glasshouse.scan.language.javascript.state import State

_WORDS = {"static": STATIC, "async": ASYNC, "*": GENERATOR, "get": PROPERTY}
_PATTERNS = frozenset({"identifier", "object_pattern", "array_pattern", "rest_pattern", "assignment_pattern", "this"})


class Functions(State):
    """Lowers functions; each becomes an entry of the file's function list."""

    def closure(self, node: Node, name: str, kind: str = "", flags: int = 0) -> int:
        index = self.function(node, name, kind, flags)
        operand = self.temps
        self.temps = operand + 1
        self.block.append([CLOSURE, self.functions[index].span, operand, index])
        if node.kind_id == self.k.function_expression:
            self._name_itself(node, operand)
        return operand

    def _name_itself(self, node: Node, operand: int) -> None:
        """A function expression that calls itself by its own name finds that name beside it."""
        own = node.child_by_field_name("name")
        if own is None:
            return
        name = self.names[self.src[own.start_byte : own.end_byte]]
        used = self.src.find(self.src[own.start_byte : own.end_byte], own.end_byte, node.end_byte) >= 0
        if used and name not in self.declared:
            self.move(own, self.declare(own), operand)

    def value_arrow_function(self, node: Node) -> int:
        return self.closure(node, "")

    def value_function_expression(self, node: Node) -> int:
        return self.closure(node, "")

    value_generator_function = value_function_expression

    def function(self, node: Node, name: str, kind: str = "", flags: int = 0) -> int:
        """Lower a function, arrow, method or declaration; its index."""
        arrow = node.kind_id == self.k.arrow_function
        own = ""
        parameters: list[Node] = []
        returns: Node | None = None
        parts = node.children
        for part in parts[:-1]:
            word = part.type
            if word in _WORDS:
                flags |= _WORDS[word]
            elif word == "formal_parameters":
                parameters = part.named_children
            elif word == "identifier":
                if arrow:
                    parameters = [part]
                else:
                    own = self.text(part)
            elif word == "type_annotation":
                returns = part
        body = parts[-1]

        def work(function: Function) -> None:
            function.params = self._parameters(parameters)
            if body.kind_id == self.k.statement_block:
                self.statements(body.children)
            elif arrow:
                result = self.value[body.kind_id](body)
                self.block.append([RETURN, self.span(body.start_byte, body.end_byte), result])

        index = self.enter(node, name or own or "<anonymous>", kind or ("lambda" if arrow else "function"), flags, work)
        if returns is not None:
            self.functions[index].returns = self.type_text(returns)
        return index

    def enter(self, node: Node, name: str, kind: str, flags: int, work: Callable[[Function], None]) -> int:
        """Lower one function's body with ``work``; its index."""
        index = len(self.functions)
        parent = self.functions[self.index].qualname if self.index >= 0 else ""
        owner = (
            self.classes[self.class_index].qualname
            if kind in ("method", "fields", "class") and self.class_index >= 0
            else ""
        )
        qualname = ".".join(part for part in (owner or parent, name) if part)[:400]
        span = self.span(node.start_byte, node.end_byte)
        cls = self.class_index if kind != "function" and kind != "lambda" else -1
        function = Function(name, qualname, kind, [], [], [], 0, span, cls, self.index, flags)
        self.functions.append(function)
        if self.depth >= self.limits.max_depth:
            self.note("expressions or statements nested too deep")
            function.capped = "depth"
            return index
        saved = self._save()
        renames = self.renames
        self.enclosing.append(self.declared)
        self.start_function(index)
        if renames:
            own = self._own_names(node)
            self.renames = {old: new for old, new in renames.items() if old not in own}
        self.value = self.plain if node.descendant_count <= self.quick else self.guarded
        self.depth += 1
        work(function)
        self.depth -= 1
        self._finish(function)
        self._restore(saved)
        self.enclosing.pop()
        return index

    def _finish(self, function: Function) -> None:
        function.body, function.consts, function.temps = self.block, self.consts, self.temps
        function.capped = self.capped
        if self.index > 0 and self.assigned:
            function.outer = sorted(self.assigned - self.declared)
        self.total += self.spent

    def _save(self) -> tuple[object, ...]:
        return (
            self.index, self.block, self.consts, self.const_index, self.literals, self.temps, self.serial,
            self.parameter_serial, self.declared, self.assigned, self.visible, self.renames, self.rename_serial,
            self.spent, self.cap, self.capped, self.nesting, self.label, self.value,
        )  # fmt: skip

    def _restore(self, saved: tuple[object, ...]) -> None:
        (
            self.index, self.block, self.consts, self.const_index, self.literals, self.temps, self.serial,
            self.parameter_serial, self.declared, self.assigned, self.visible, self.renames, self.rename_serial,
            self.spent, self.cap, self.capped, self.nesting, self.label, self.value,
        ) = saved  # type: ignore[assignment]  # fmt: skip

    def _own_names(self, node: Node) -> set[str]:
        """Names that a function declares: parameters, ``var`` anywhere, the rest in its outermost block."""
        found: set[str] = set()
        k = self.k
        body = node.child_by_field_name("body")
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        if parameters is not None:
            for part in [parameters] if parameters.kind_id == k.identifier else parameters.named_children:
                found.update(self.pattern_names(part.child_by_field_name("pattern") or part))
        if body is None or body.kind_id != k.statement_block:
            return found
        for part in body.named_children:
            if part.kind_id in k.lexical:
                found.update(self.declared_names(part))
        pending = [body]
        while pending:
            top = pending.pop()
            kind = top.type
            if kind == "variable_declaration":
                found.update(self.declared_names(top))
            elif kind.endswith(("_statement", "_block", "_clause", "_body", "_case", "_default")):
                pending.extend(top.named_children)
        return found

    # --- parameters ------------------------------------------------------------------------------------------------

    def _parameters(self, nodes: list[Node]) -> list[Param]:
        params: list[Param] = []
        k = self.k
        for node in nodes:
            kind = node.kind_id
            if kind == k.identifier:
                params.append(Param(self._own(node), "pos", "", self.span(node.start_byte, node.end_byte)))
            elif kind == k.comment:
                continue
            elif node.type in ("required_parameter", "optional_parameter"):
                self._typed_parameter(node, params)
            else:
                params.append(self._parameter(node, node, None))
        return params

    def _own(self, node: Node) -> str:
        """A parameter's name: it hides every outer name."""
        name = self.names[self.src[node.start_byte : node.end_byte]]
        self.declared.add(name)
        self.visible.add(name)
        return name

    def _parameter(self, node: Node, target: Node, default: Node | None) -> Param:
        k = self.k
        if target.kind_id == k.assignment_pattern:
            target, default = target.children[0], target.children[-1]
        if target.kind_id == k.rest_pattern:
            inner = target.named_children
            param = self._parameter(node, inner[0], None) if inner else Param("$rest", "*")
            param.kind = "*"
            return param
        span = self.span(node.start_byte, node.end_byte)
        simple = target.kind_id == k.identifier
        if simple:
            name = self._own(target)
        else:
            name = f"$p{self.parameter_serial}"
            self.parameter_serial += 1
            self.declared.add(name)
        if default is not None:
            self._default(name, default)
        if not simple:
            self.bind(target, name, True)
        return Param(name, "pos", "", span, [], default is not None)

    def _default(self, name: str, default: Node) -> None:
        operand = self.const(None)
        outer = self.block

        def work() -> None:
            nonlocal operand
            value = self.named_value(default, name)
            if isinstance(value, str):
                copy = self.temp()
                self.block.append([MOVE, self.span(default.start_byte, default.end_byte), copy, value])
                value = copy
            operand = value

        block = self.branch(default, work)
        outer.append([DEFAULT, self.span(default.start_byte, default.end_byte), name, block, operand])

    def _typed_parameter(self, node: Node, params: list[Param]) -> None:
        """A TypeScript parameter: decorators, modifiers, pattern, type, default."""
        decorators: list[Decorator] = []
        target: Node | None = None
        written: Node | None = None
        default: Node | None = None
        is_property = False
        for part in node.children:
            kind = part.type
            if kind == "decorator":
                decorators.append(self.decorator(part))
            elif kind in ("accessibility_modifier", "readonly", "override_modifier"):
                is_property = True
            elif kind == "type_annotation":
                written = part
            elif target is None and kind in _PATTERNS:
                target = part
            elif target is not None and part.is_named and kind != "comment":
                default = part
        if target is None or target.type == "this":
            return
        param = self._parameter(node, target, default)
        param.type = self.type_text(written)
        param.decorators = decorators
        params.append(param)
        if is_property:
            self.block.append([SET_ATTR, param.span, "this", param.name, param.name])
            if self.class_index >= 0:
                self.classes[self.class_index].fields.append((param.name, param.type))

    # --- declarations ----------------------------------------------------------------------------------------------

    def hoist(self, nodes: list[Node], kinds: list[int]) -> None:
        k = self.k
        for node, kind in zip(nodes, kinds, strict=True):
            if kind == k.function_declaration or kind == k.generator_function_declaration:
                self._declare_function(node)
            elif kind == k.export_statement:
                inner = node.child_by_field_name("declaration")
                if inner is not None and inner.kind_id in (k.function_declaration, k.generator_function_declaration):
                    name = self._declare_function(inner)
                    self.export(node, name, "default" if is_default(node) else name)

    def _declare_function(self, node: Node) -> str:
        name = node.child_by_field_name("name")
        operand = self.closure(node, "")
        if name is None:
            return ""
        variable = self.declare(name)
        self.move(node, variable, operand)
        return variable

    def export(self, node: Node, variable: str, name: str) -> None:
        """Make a variable's value visible to other files."""
        self.block.append([SET_ATTR, self.span(node.start_byte, node.end_byte), self.export_target, name, variable])


def is_default(node: Node) -> bool:
    """Whether an export statement is ``export default``."""
    return any(part.type == "default" for part in node.children[:4])
