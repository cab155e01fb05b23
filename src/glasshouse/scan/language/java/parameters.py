"""Modifiers, annotations and parameters of declarations."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan.ir import Decorator, Param
from glasshouse.scan.language.java.literals import annotation
from glasshouse.scan.language.java.names import type_text
from glasshouse.scan.language.java.state import COMMENTS, Lowering

ANNOTATIONS = frozenset({"annotation", "marker_annotation"})
NO_WORDS: frozenset[str] = frozenset()


def modifiers(lo: Lowering, node: Node) -> tuple[frozenset[str], list[Decorator]]:
    """The modifier words and the annotations of a ``modifiers`` node."""
    text = lo.word(node)
    if "@" not in text and "/" not in text:
        return frozenset(text.split()), []
    words: list[str] = []
    decorators: list[Decorator] = []
    for child in node.children:
        kind = child.type
        if kind in ANNOTATIONS:
            decorators.append(annotation(lo, child))
        elif kind not in COMMENTS:
            words.append(kind)
    return frozenset(words), decorators


def parameters(lo: Lowering, node: Node) -> list[Param]:
    """The parameters of a method or constructor (a receiver parameter is none)."""
    found: list[Param] = []
    for child in node.children:
        kind = child.type
        if kind == "formal_parameter" or kind == "spread_parameter":
            param = _parameter(lo, child, kind)
            if param is not None:
                found.append(param)
    return found


def _parameter(lo: Lowering, node: Node, kind: str) -> Param | None:
    name = text = suffix = ""
    decorators: list[Decorator] = []
    for child in node.children:
        part = child.type
        if part == "identifier":
            name = lo.word(child)
        elif part == "modifiers":
            decorators = modifiers(lo, child)[1]
        elif part == "variable_declarator":
            name = lo.word(child.children[0])
        elif part == "dimensions":
            suffix = "[]" * lo.word(child).count("[")
        elif part == "underscore_pattern":
            name = "_"
        elif not text and child.is_named and part not in COMMENTS and part not in ANNOTATIONS:
            text = type_text(lo, child)
    if not name:
        return None
    if kind == "spread_parameter":
        return Param(name, "*", text + "[]", lo.span(node), decorators)
    return Param(name, "pos", text + suffix, lo.span(node), decorators)


def lambda_parameters(lo: Lowering, node: Node) -> list[Param]:
    """The parameters of a lambda: typed, inferred, or a single name."""
    if node.type == "formal_parameters":
        found = parameters(lo, node)
        for param in found:
            if param.type == "var":
                param.type = ""
        return found
    if node.type == "inferred_parameters":
        return [
            Param(lo.word(child), "pos", "", lo.span(child))
            for child in node.named_children
            if child.type not in COMMENTS
        ]
    return [Param(lo.word(node), "pos", "", lo.span(node))]
