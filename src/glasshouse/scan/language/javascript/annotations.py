"""Type annotations as text."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan.language.javascript.state import MAX_TYPE, State

_SIMPLE = frozenset({"type_identifier", "nested_type_identifier", "predefined_type", "array_type"})
_NOTHING = frozenset(["null", "undefined", "void"])
_SAME = frozenset(["Readonly", "Partial", "Required", "NonNullable", "Awaited"])
_LISTS = frozenset(["Array", "ReadonlyArray"])
MAX_PARTS = 20  # of a union


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
        if node.type == "union_type":  # `T | null`
            kinds = [kind for kind in parts_of(node) if self.text(kind) not in _NOTHING]
            return self.type_text(kinds[0]) if len(kinds) == 1 else ""
        if node.type == "generic_type":
            return self.generic(node)
        if node.type not in _SIMPLE:
            return ""
        text = self.text(node)
        return " ".join(text.split()) if len(text) <= MAX_TYPE else ""

    def generic(self, node: Node) -> str:
        """``Repository<User>`` is a ``Repository``; ``Readonly<T>`` is a ``T``, ``Array<T>`` a ``T[]``."""
        name = node.child_by_field_name("name")
        given = node.child_by_field_name("type_arguments")
        text = self.text(name) if name is not None else ""
        if text in _SAME or text in _LISTS:
            inner = self.type_text(given.named_children[0]) if given is not None and given.named_children else ""
            return f"{inner}[]" if inner and text in _LISTS else inner
        return text if len(text) <= MAX_TYPE else ""


def parts_of(union: Node) -> list[Node]:
    """The types of a union, however it is nested."""
    found: list[Node] = []
    pending = [union]
    while pending and len(found) < MAX_PARTS:
        node = pending.pop()
        if node.type == "union_type":
            pending.extend(node.named_children)
        else:
            found.append(node)
    return found
