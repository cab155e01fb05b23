"""Assignment targets: names, properties and destructuring patterns."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan.ir import ATTR, BINOP, CALL_METHOD, IF, ITEM, MOVE, SET_ATTR, SET_ITEM, Operand
from glasshouse.scan.language.javascript.state import State


class Patterns(State):
    """Lowers everything that can stand left of ``=``."""

    def bind(self, target: Node, operand: Operand, declares: bool) -> None:
        k = self.k
        kind = target.kind_id
        if kind == k.identifier or kind == k.shorthand_property_identifier_pattern:
            self.move(target, self.declare(target) if declares else self.variable(target), operand)
        elif kind == k.member_expression or kind == k.subscript_expression:
            self.store(target, operand)
        elif kind == k.object_pattern or kind == k.array_pattern:
            self.depth += 1
            if self.depth > self.limits.max_depth:
                self.note("expressions or statements nested too deep")
            elif kind == k.object_pattern:
                self._bind_object(target, operand, declares)
            else:
                self._bind_array(target, operand, declares)
            self.depth -= 1
        elif kind in (k.assignment_pattern, k.object_assignment_pattern):
            parts = target.children
            self.bind(parts[0], self.with_default(operand, parts[-1]), declares)
        elif kind in (k.parenthesized_expression, k.non_null_expression):
            inner = target.named_children
            if inner:
                self.bind(inner[0], operand, declares)
        elif target.type in ("as_expression", "satisfies_expression", "type_assertion"):
            self.bind(target.named_children[0], operand, declares)

    def with_default(self, operand: Operand, default: Node) -> str:
        """A variable that is the operand, or the default where the operand is undefined."""
        name = self.fresh()
        span = self.span(default.start_byte, default.end_byte)
        self.block.append([MOVE, span, name, operand])
        test = self.temp()
        self.block.append([BINOP, span, test, "===", name, self.const(None)])
        block = self.branch(
            default, lambda: self.block.append([MOVE, span, name, self.value[default.kind_id](default)])
        )
        self.block.append([IF, span, test, block, []])
        return name

    def store(self, target: Node, operand: Operand) -> None:
        """Assign to a member or subscript expression."""
        k = self.k
        span = self.span(target.start_byte, target.end_byte)
        parts = target.children
        if target.kind_id == k.member_expression:
            chain = self.chain(target.start_byte, target.end_byte)
            if chain is not None and not chain.parts:
                self.is_module = True
                self.exporting.add(self.index)
                self.move(target, chain.root, operand)
                return
            holder = self.value[parts[0].kind_id](parts[0])
            if holder == "$exports":
                self.is_module = True
                self.exporting.add(self.index)
            self.block.append([SET_ATTR, span, holder, self.text(parts[-1]), operand])
            return
        holder = self.value[parts[0].kind_id](parts[0])
        index = subscript_index(target)
        key = self.value[index.kind_id](index) if index is not None else self.const(None)
        self.block.append([SET_ITEM, span, holder, key, operand])

    def _bind_object(self, target: Node, operand: Operand, declares: bool) -> None:
        k = self.k
        taken: list[Operand] = []
        for part in target.named_children:
            kind = part.kind_id
            if kind == k.shorthand_property_identifier_pattern:
                name = self.text(part)
                taken.append(self.const(name))
                self.bind(part, self.emit_value(ATTR, part, operand, name), declares)
            elif kind == k.pair_pattern:
                sides = part.named_children
                key = self.key(sides[0])
                taken.append(key)
                self.bind(sides[-1], self._property(sides[0], operand, key), declares)
            elif kind == k.object_assignment_pattern:
                name = self.text(part.children[0])
                taken.append(self.const(name))
                self.bind(part, self.emit_value(ATTR, part, operand, name), declares)
            elif kind == k.rest_pattern:
                rest = part.named_children
                if rest:
                    self.bind(rest[0], self.emit_value(CALL_METHOD, part, operand, "$rest", taken, []), declares)

    def _property(self, node: Node, operand: Operand, key: Operand) -> int:
        if isinstance(key, int) and key < 0 and isinstance(self.consts[-1 - key], str):
            return self.emit_value(ATTR, node, operand, self.consts[-1 - key])
        return self.emit_value(ITEM, node, operand, key)

    def _bind_array(self, target: Node, operand: Operand, declares: bool) -> None:
        k = self.k
        position = 0
        for part in target.children:
            if part.type == ",":
                position += 1
            elif not part.is_named or part.kind_id == k.comment:
                continue
            elif part.kind_id == k.rest_pattern:
                rest = part.named_children
                nothing = self.const(None)
                if rest:
                    arguments = [self.const(position), nothing, nothing]
                    self.bind(rest[0], self.emit_value(CALL_METHOD, part, operand, "$slice", arguments, []), declares)
            else:
                self.bind(part, self.emit_value(ITEM, part, operand, self.const(position)), declares)


def subscript_index(node: Node) -> Node | None:
    """The expression between the brackets."""
    inside = False
    for part in node.children:
        if inside and part.is_named and part.type != "comment":
            return part
        inside = inside or part.type == "["
    return None
