"""Operators, literals, containers and templates."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from glasshouse.scan.ir import (
    AWAIT,
    BINOP,
    CAST,
    DEL_ITEM,
    IF,
    IS_TYPE,
    MAKE,
    MOVE,
    NEW,
    TEMPLATE,
    UNOP,
    YIELD,
    Operand,
)
from glasshouse.scan.language.javascript.literals import decode_number, decode_text
from glasshouse.scan.language.javascript.state import State

_LOGICAL = frozenset({"&&", "||", "??"})
_BINARY = {">>>": ">>"}
_UNARY = {"!": "not"}


class Expressions(State):
    """Lowers expressions other than access, calls, functions and classes."""

    # --- leaves ----------------------------------------------------------------------------------------------------

    def value_identifier(self, node: Node) -> Operand:
        name = self.names[self.src[node.start_byte : node.end_byte]]
        if self.renames:
            return self.renames.get(name, name)
        return name

    def value_this(self, node: Node) -> Operand:
        return "this"

    def value_super(self, node: Node) -> Operand:
        return "super"

    def value_null(self, node: Node) -> Operand:
        return self.const(None)

    value_undefined = value_null

    def value_true(self, node: Node) -> Operand:
        return self.const(True)

    def value_false(self, node: Node) -> Operand:
        return self.const(False)

    def value_string(self, node: Node) -> Operand:
        raw = self.src[node.start_byte : node.end_byte]
        found = self.literals.get(raw)
        if found is None:
            found = self.const(decode_text(raw[1:-1]))
            if len(raw) < 200:
                self.literals[raw] = found
        return found

    def value_number(self, node: Node) -> Operand:
        raw = self.src[node.start_byte : node.end_byte]
        found = self.literals.get(raw)
        if found is None:
            found = self.const(decode_number(raw))
            if len(raw) < 200:
                self.literals[raw] = found
        return found

    def value_regex(self, node: Node) -> Operand:
        raw = self.src[node.start_byte : node.end_byte]
        pattern, _, flags = raw[1:].rpartition(b"/")
        arguments = [self.const(pattern.decode("utf-8", "replace")[:4096])]
        if flags:
            arguments.append(self.const(flags.decode("ascii", "replace")[:20]))
        return self.emit_value(NEW, node, "RegExp", arguments, [])

    def value_import(self, node: Node) -> Operand:
        return "import"

    def value_meta_property(self, node: Node) -> Operand:
        return self.text(node)

    # --- grouping --------------------------------------------------------------------------------------------------

    def value_parenthesized_expression(self, node: Node) -> Operand:
        return self._last(node.named_children)

    def value_error(self, node: Node) -> Operand:
        """Where the parser could not read: the expressions that it recognised inside."""
        return self._last(node.named_children)

    def value_sequence_expression(self, node: Node) -> Operand:
        k = self.k
        parts: list[Node] = []
        pending = [node]
        while pending:
            top = pending.pop()
            if top.kind_id == k.sequence_expression:
                pending.extend(reversed(top.named_children))
            else:
                parts.append(top)
        return self._last(parts)

    def _last(self, nodes: list[Node]) -> Operand:
        result: Operand | None = None
        comment = self.k.comment
        for node in nodes:
            kind = node.kind_id
            if kind != comment and self.run[kind] is not None:
                if self.spent > self.cap:
                    break
                result = self.value[kind](node)
        return self.const(None) if result is None else result

    # --- operators -------------------------------------------------------------------------------------------------

    def value_binary_expression(self, node: Node) -> Operand:
        binary = self.k.binary_expression
        levels: list[tuple[Node, str, Node]] = []
        parts = node.children
        while len(parts) >= 3:
            levels.append((node, self.operator(parts), parts[-1]))
            node = parts[0]
            if node.kind_id != binary:
                break
            parts = node.children
        left = self.value[node.kind_id](node)
        held = ""  # the variable of a run of one logical operator
        for level, operator, right in reversed(levels):
            if self.spent > self.cap:
                break
            if operator in _LOGICAL:
                left = held = self._logical(level, operator, left, right, held)
                continue
            held = ""
            if operator == "instanceof":
                left = self.emit_value(IS_TYPE, level, left, [self.text(right)[:120]])
            else:
                other = self.value[right.kind_id](right)
                left = self.emit_value(BINOP, level, _BINARY.get(operator, operator), left, other)
        return left

    def operator(self, parts: list[Node]) -> str:
        """Text of the operator among a binary expression's parts."""
        if len(parts) == 3:
            return parts[1].type
        return next((part.type for part in parts[1:-1] if not part.is_named), "+")

    def _logical(self, node: Node, operator: str, left: Operand, right: Node, held: str) -> str:
        span = self.span(node.start_byte, node.end_byte)
        name = held
        if not (held and left == held):
            name = self.fresh()
            self.block.append([MOVE, span, name, left])
        then = self.branch(right, lambda: self.block.append([MOVE, span, name, self.value[right.kind_id](right)]))
        if operator == "&&":
            self.block.append([IF, span, name, then, []])
        elif operator == "||":
            self.block.append([IF, span, name, [], then])
        else:
            test = self.temp()
            self.block.append([BINOP, span, test, "==", name, self.const(None)])
            self.block.append([IF, span, test, then, []])
        return name

    def value_unary_expression(self, node: Node) -> Operand:
        parts = node.children
        operator, operand = parts[0].type, parts[-1]
        if operator == "delete":
            return self._delete(node, operand)
        if operator == "-" and operand.type == "number":
            value = decode_number(self.src[operand.start_byte : operand.end_byte])
            return self.const("-" + value if isinstance(value, str) else -value)
        if operator == "void" and operand.type == "number":
            return self.const(None)
        return self.emit_value(UNOP, node, _UNARY.get(operator, operator), self.value[operand.kind_id](operand))

    def _delete(self, node: Node, operand: Node) -> Operand:
        parts = operand.children
        if operand.kind_id == self.k.member_expression:
            holder = self.value[parts[0].kind_id](parts[0])
            self.emit(DEL_ITEM, node, holder, self.const(self.text(parts[-1])))
        elif operand.kind_id == self.k.subscript_expression and len(parts) >= 4:
            holder = self.value[parts[0].kind_id](parts[0])
            self.emit(DEL_ITEM, node, holder, self.value[parts[-2].kind_id](parts[-2]))
        else:
            self.value[operand.kind_id](operand)
        return self.const(True)

    def value_update_expression(self, node: Node) -> Operand:
        parts = node.children
        prefix = parts[0].type in ("++", "--")
        operator, target = (parts[0].type, parts[-1]) if prefix else (parts[-1].type, parts[0])
        old = self.value[target.kind_id](target)
        if not prefix and isinstance(old, str):
            old = self.emit_value(MOVE, node, old)
        new = self.emit_value(BINOP, node, operator[0], old, self.const(1))
        self.bind(target, new, False)
        return new if prefix else old

    def value_ternary_expression(self, node: Node) -> Operand:
        parts = [part for part in node.named_children if part.kind_id != self.k.comment]
        if len(parts) < 3:
            return self._last(parts)
        condition = self.value[parts[0].kind_id](parts[0])
        name = self.fresh()
        then, other = parts[1], parts[2]
        span = self.span(node.start_byte, node.end_byte)
        first = self.branch(then, lambda: self.block.append([MOVE, span, name, self.value[then.kind_id](then)]))
        second = self.branch(other, lambda: self.block.append([MOVE, span, name, self.value[other.kind_id](other)]))
        self.block.append([IF, span, condition, first, second])
        return name

    def value_await_expression(self, node: Node) -> Operand:
        inner = node.children[-1]
        return self.emit_value(AWAIT, node, self.value[inner.kind_id](inner))

    def value_yield_expression(self, node: Node) -> Operand:
        parts = node.children
        source = self.value[parts[-1].kind_id](parts[-1]) if len(parts) > 1 else self.const(None)
        delegate = int(len(parts) > 2 and parts[1].type == "*")
        return self.emit_value(YIELD, node, source, delegate)

    # --- assignment ------------------------------------------------------------------------------------------------

    def value_assignment_expression(self, node: Node) -> Operand:
        parts = node.children
        target, source = parts[0], parts[-1]
        name = ""
        if source.kind_id in self.k.functions:
            name = self.text(target).rpartition(".")[2][:100]
        operand = self.named_value(source, name) if name else self.value[source.kind_id](source)
        self.bind(target, operand, False)
        return operand

    def value_augmented_assignment_expression(self, node: Node) -> Operand:
        parts = node.children
        target, source = parts[0], parts[-1]
        operator = parts[1].type[:-1]
        old = self.value[target.kind_id](target)
        new: Operand
        if operator in _LOGICAL:
            new = self._logical(node, operator, old, source, "")
        else:
            other = self.value[source.kind_id](source)
            new = self.emit_value(BINOP, node, _BINARY.get(operator, operator), old, other)
        self.bind(target, new, False)
        return new

    # --- containers and templates ----------------------------------------------------------------------------------

    def value_array(self, node: Node) -> Operand:
        return self.emit_value(MAKE, node, "list", self.arguments(node))

    def value_object(self, node: Node) -> Operand:
        k = self.k
        items: list[list[Any]] = []
        for part in node.named_children:
            if self.spent > self.cap:
                break
            kind = part.kind_id
            if kind == k.pair:
                sides = part.children
                name, value = sides[0], sides[-1]
                if name.kind_id == k.property_identifier:
                    raw = self.src[name.start_byte : name.end_byte]
                    key: Operand | None = self.literals.get(raw)
                    if key is None:
                        key = self.literals[raw] = self.const(self.properties[raw])
                else:
                    key = self.key(name)
                if value.kind_id in k.functions:
                    items.append([key, self.named_value(value, self.plain_name(name))])
                else:
                    items.append([key, self.value[value.kind_id](value)])
            elif kind == k.shorthand_property_identifier:
                items.append([self.const(self.text(part)), self.variable(part)])
            elif kind == k.spread_element:
                inner = part.children[-1]
                items.append(["*", self.value[inner.kind_id](inner)])
            elif kind == k.method_definition:
                self._object_method(part, items)
        return self.emit_value(MAKE, node, "dict", items)

    def _object_method(self, node: Node, items: list[list[Any]]) -> None:
        """Add a method or getter; a setter is lowered but holds no value."""
        name = node.child_by_field_name("name")
        if name is None:
            return
        key = self.key(name)
        text = self.plain_name(name)
        setter = any(part.type == "set" for part in node.children[:2])
        outer, self.class_index = self.class_index, -1  # an object's method is no method of the class around it
        operand = self.closure(node, f"set {text}" if setter else text, "method")
        self.class_index = outer
        if not setter:
            items.append([key, operand])

    def key(self, node: Node) -> Operand:
        kind = node.type
        if kind == "string":
            return self.value_string(node)
        if kind == "number":
            return self.value_number(node)
        if kind == "computed_property_name":
            inner = node.named_children
            return self.value[inner[0].kind_id](inner[0]) if inner else self.const(None)
        return self.const(self.text(node))

    def template_parts(self, node: Node) -> tuple[list[Operand], list[Operand]]:
        """(all parts, the substitutions) of a template literal."""
        parts: list[Operand] = []
        values: list[Operand] = []
        substitution = self.k.template_substitution
        position = node.start_byte + 1
        for part in node.children:
            if part.kind_id != substitution:
                continue
            if self.spent > self.cap:
                break
            start = part.start_byte
            if start > position:
                parts.append(self.const(decode_text(self.src[position:start])))
            position = part.end_byte
            value = self._last(part.named_children)
            parts.append(value)
            values.append(value)
        end = node.end_byte - 1
        if end > position:
            parts.append(self.const(decode_text(self.src[position:end])))
        return parts, values

    def value_template_string(self, node: Node) -> Operand:
        parts, values = self.template_parts(node)
        if not values:
            return parts[0] if parts else self.const("")
        return self.emit_value(TEMPLATE, node, parts)

    # --- types in expressions --------------------------------------------------------------------------------------

    def value_as_expression(self, node: Node) -> Operand:
        parts = node.named_children
        source = self.value[parts[0].kind_id](parts[0])
        return self.cast(node, source, parts[-1]) if len(parts) > 1 else source

    value_satisfies_expression = value_as_expression

    def value_type_assertion(self, node: Node) -> Operand:
        parts = node.named_children
        source = self.value[parts[-1].kind_id](parts[-1])
        arguments = parts[0].named_children
        return self.cast(node, source, arguments[0]) if len(parts) > 1 and arguments else source

    def value_non_null_expression(self, node: Node) -> Operand:
        return self._last(node.named_children)

    def value_instantiation_expression(self, node: Node) -> Operand:
        inner = node.children[0]
        return self.value[inner.kind_id](inner)

    def cast(self, node: Node, source: Operand, written: Node) -> Operand:
        """The value with the type it is said to have; the value itself where the type says nothing."""
        text = self.type_text(written)
        if text in ("", "any", "unknown", "const", "never"):
            return source
        return self.emit_value(CAST, node, text, source)
