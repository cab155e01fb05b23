"""Lowers what is written to: assignment targets, deletions, loop variables and comprehensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.conditions import Conditions
from glasshouse.scan.language.python.state import parts_of

if TYPE_CHECKING:
    from tree_sitter import Node

_WRAPPERS = frozenset((k.PARENTHESIZED, k.AS_TARGET, k.SPLAT_PATTERN, k.LIST_SPLAT))


class Targets(Conditions):
    """Assignment and comprehension."""

    def assign(self, target: Node, value: Operand) -> None:
        """``target = value``."""
        kind = target.kind_id
        if kind == k.IDENTIFIER:
            first, last = target.start_byte, target.end_byte
            name = self.names[self.source[first:last]]
            start, end = first - self.line_start, last - self.line_start
            near = start >= 0 and end <= self.line_room
            self.out.append([ir.MOVE, self.line_base | start << 24 | end if near else self.span(target), name, value])
            return
        if self.depth >= self.max_depth:
            self.note(f"expressions nested deeper than {self.max_depth} are unknown values")
            return
        self.depth += 1
        parts = target.named_children
        if kind == k.ATTRIBUTE and len(parts) >= 2:
            owner = self.expr(parts[0])
            self.out.append([ir.SET_ATTR, self.span(target), owner, self.word(parts[-1]), value])
        elif kind == k.SUBSCRIPT and len(parts) >= 2:
            owner = self.expr(parts[0])
            key = self.key(target, parts_of(target)[1:])
            self.out.append([ir.SET_ITEM, self.span(target), owner, key, value])
        elif kind in k.SEQUENCES:
            self.unpack(parts_of(target), value)
        elif kind in _WRAPPERS:
            for part in parts_of(target):
                self.assign(part, value)
        elif kind not in k.SKIPPED:
            self.expr(target)
        self.depth -= 1

    def unpack(self, targets: list[Node], value: Operand) -> None:
        """Each target is an element; a starred one is the slice between its neighbours."""
        star = next((at for at, each in enumerate(targets) if each.kind_id in (k.SPLAT_PATTERN, k.LIST_SPLAT)), -1)
        for at, target in enumerate(targets):
            span = self.span(target)
            t = self.temp()
            behind = len(targets) - at - 1
            if at == star:
                bounds = [self.const(at), self.const(-behind if behind else None), self.const(None)]
                self.out.append([ir.CALL_METHOD, span, t, value, "$slice", bounds, []])
            else:
                index = at if star < 0 or at < star else -1 - behind
                self.out.append([ir.ITEM, span, t, value, self.const(index)])
            self.assign(target, t)

    def delete(self, target: Node) -> None:
        """``del target``."""
        pending = [target]
        while pending:
            target = pending.pop()
            kind = target.kind_id
            span = self.span(target)
            parts = parts_of(target)
            if kind == k.IDENTIFIER:
                self.out.append([ir.MOVE, span, self.expr(target), self.const(None)])
            elif kind == k.ATTRIBUTE and len(parts) == 2:
                self.out.append([ir.DEL_ITEM, span, self.expr(parts[0]), self.const(self.word(parts[1]))])
            elif kind == k.SUBSCRIPT and len(parts) >= 2:
                self.out.append([ir.DEL_ITEM, span, self.expr(parts[0]), self.key(target, parts[1:])])
            elif kind in k.SEQUENCES or kind in _WRAPPERS:
                pending.extend(reversed(parts))

    # --- comprehensions ----------------------------------------------------------------------------------------

    def list_comprehension(self, node: Node) -> Operand:
        return self.comprehension(node, "list")

    def set_comprehension(self, node: Node) -> Operand:
        return self.comprehension(node, "set")

    def dict_comprehension(self, node: Node) -> Operand:
        return self.comprehension(node, "dict")

    def comprehension(self, node: Node, kind: str) -> Operand:
        """A result variable, nested loops and tests, and an addition in the innermost block."""
        parts = parts_of(node)
        span = self.span(node)
        if len(parts) < 2 or not self.may_nest(len(parts)):
            return self.unknown(node) if len(parts) < 2 else self.opaque(span)
        t = self.temp()
        result = self.fresh()
        self.out.append([ir.MAKE, span, t, kind, []])
        self.out.append([ir.MOVE, span, result, t])
        outer, nest = self.out, self.nest
        hidden: list[tuple[bytes, str]] = []
        for clause in parts[1:]:
            if clause.kind_id == k.FOR_IN:
                self.for_in(clause, hidden)
            elif clause.kind_id == k.IF_CLAUSE:
                test = parts_of(clause)
                if len(test) == 1:
                    self.enter_where(test[0])
        self.add_element(parts[0], result, kind)
        for text, name in reversed(hidden):
            self.names[text] = name
        self.renamed -= len(hidden)
        self.out, self.nest = outer, nest
        return result

    def for_in(self, clause: Node, hidden: list[tuple[bytes, str]]) -> None:
        """Open one ``for`` of a comprehension; its variables get names of their own."""
        parts = parts_of(clause)
        if len(parts) < 2:
            return
        span = self.span(clause)
        iterable = self.expr(parts[1]) if len(parts) == 2 else self.tuple_of(parts[1:], span)
        for text in self.bound_names(parts[0]):
            hidden.append((text, self.names[text]))
            self.serial += 1
            self.renamed += 1
            self.names[text] = f"{text.decode('utf-8', 'replace')}${self.serial}"
        t = self.temp()
        body: ir.Block = []
        self.out.append([ir.FOREACH, span, "", t, iterable, body, "values"])
        self.out = body
        self.nest += 1
        self.assign(parts[0], t)

    def tuple_of(self, nodes: list[Node], span: int) -> Operand:
        items = [self.expr(each) for each in nodes]
        t = self.temp()
        self.out.append([ir.MAKE, span, t, "tuple", items])
        return t

    def bound_names(self, target: Node) -> list[bytes]:
        """Names that a target binds, as source bytes."""
        names: list[bytes] = []
        pending = [target]
        while pending:
            node = pending.pop()
            kind = node.kind_id
            if kind == k.IDENTIFIER:
                text = self.source[node.start_byte : node.end_byte]
                if text not in names:
                    names.append(text)
            elif kind in k.SEQUENCES or kind in _WRAPPERS:
                pending.extend(reversed(node.named_children))
        return names

    def add_element(self, element: Node, result: str, kind: str) -> None:
        span = self.span(element)
        if kind == "dict":
            pair = parts_of(element)
            if len(pair) == 2:
                key = self.expr(pair[0])
                self.out.append([ir.SET_ITEM, span, result, key, self.expr(pair[1])])
            return
        value = self.expr(element)
        t = self.temp()
        self.out.append([ir.CALL_METHOD, span, t, result, "add" if kind == "set" else "append", [value], []])
