"""Type annotations as text."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan.language.javascript.state import MAX_TYPE, State

_SIMPLE = frozenset({"type_identifier", "nested_type_identifier", "generic_type", "predefined_type", "array_type"})


class Types(State):
    """Reads type annotations."""

    def type_text(self, node: Node | None) -> str:
        if node is None:
            return ""
        if node.type == "type_annotation":
            inner = node.named_children
            if not inner:
                return ""
            node = inner[-1]
        if node.type == "readonly_type" and node.named_children:
            node = node.named_children[-1]
        if node.type not in _SIMPLE:
            return ""
        text = self.text(node)
        return " ".join(text.split()) if len(text) <= MAX_TYPE else ""
