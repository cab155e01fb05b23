"""JSX elements: calls of ``$jsx`` with a tag or component, the properties and the children."""

from __future__ import annotations

import html
from typing import Any

from tree_sitter import Node

from glasshouse.scan.ir import CALL, MAKE, Operand
from glasshouse.scan.language.javascript.state import State


class Jsx(State):
    """Lowers JSX."""

    def value_jsx_element(self, node: Node) -> Operand:
        parts = node.named_children
        opening = parts[0] if parts else node
        head = self._head(opening)
        children: list[Any] = []
        for part in parts[1:]:
            if self.spent > self.cap:
                break
            kind = part.type
            if kind in ("jsx_text", "html_character_reference"):
                text = self.src[part.start_byte : part.end_byte].decode("utf-8", "replace").strip()
                if text:
                    children.append(self.const(html.unescape(text)[:4096]))
            elif kind not in ("jsx_closing_element", "comment"):
                value = self._child(part)
                if value is not None:
                    children.append(value)
        return self.emit_value(CALL, node, "$jsx", head + children, [])

    def value_jsx_self_closing_element(self, node: Node) -> Operand:
        return self.emit_value(CALL, node, "$jsx", self._head(node), [])

    def value_jsx_expression(self, node: Node) -> Operand:
        value = self._child(node)
        return self.const(None) if value is None or isinstance(value, list) else value

    def _head(self, node: Node) -> list[Any]:
        """[tag, properties] of an opening or self-closing element."""
        tag: Operand = self.const("")
        items: list[list[Any]] = []
        named = False
        for part in node.named_children:
            kind = part.type
            if kind == "jsx_attribute":
                items.append(self._attribute(part))
            elif kind == "jsx_expression":
                value = self._child(part)
                if value is not None:
                    items.append(value if isinstance(value, list) else ["*", value])
            elif not named and kind not in ("comment", "type_arguments"):
                named = True
                tag = self._tag(part)
        return [tag, self.emit_value(MAKE, node, "dict", items)]

    def _tag(self, node: Node) -> Operand:
        if node.type == "identifier":
            text = self.text(node)
            return self.const(text) if text[:1].islower() else self.variable(node)
        if node.kind_id == self.k.member_expression:
            return self.value[node.kind_id](node)
        return self.const(self.text(node)[:200])

    def _attribute(self, node: Node) -> list[Any]:
        parts = node.named_children
        key = self.const(self.text(parts[0]))
        if len(parts) < 2:
            return [key, self.const(True)]
        value = self._child(parts[-1])
        return [key, self.const(None) if value is None else value]

    def _child(self, node: Node) -> Any:
        """Operand of a child or attribute value; ["*", x] for a spread; None for an empty expression."""
        if node.type != "jsx_expression":
            return self.value[node.kind_id](node)
        for part in node.named_children:
            if part.kind_id == self.k.spread_element:
                inner = part.children[-1]
                return ["*", self.value[inner.kind_id](inner)]
            if part.kind_id != self.k.comment:
                return self.value[part.kind_id](part)
        return None
