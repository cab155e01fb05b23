"""Lowers a whole Go file: imports and types first, then functions, then package variables in their order."""

from __future__ import annotations

import tree_sitter_go
from tree_sitter import Language, Node, Parser

from glasshouse.scan import ir
from glasshouse.scan.ir import File
from glasshouse.scan.language.go.declarations import (
    function_declaration,
    import_declaration,
    initialiser,
    method_declaration,
    types,
)
from glasshouse.scan.language.go.state import Lowering, statement
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.parsing import broken, parsed, undisturbed, unparsed
from glasshouse.scan.language.tree_lowering import FRAMES_PER_LEVEL


class GoFrontEnd:
    """Lowers Go.  A package's files find each other by their folder (``glasshouse.scan.program``)."""

    language = "go"

    def __init__(self) -> None:
        self._parser = Parser(Language(tree_sitter_go.language()))

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        """The IR of one file; never raises on what the file holds."""
        lo = Lowering(source, path, limits)
        tree = parsed(self._parser, source, lo.deadline)
        if tree is None:
            return unparsed(path, "go", source)
        root = tree.root_node
        lo.test = ir.TEST if path.endswith("_test.go") else 0
        lo.open_function("<module>", "module", root, [])
        top = top_level(root)
        package = ""
        for node in top:
            if node.type == "package_clause" and node.named_children:
                package = lo.text(node.named_children[0])
        with undisturbed(limits, FRAMES_PER_LEVEL):
            declare_all(lo, top)
        lo.close_function()
        errors = broken(root, lo.span)
        lines = source.count(b"\n") + 1
        return File(path, "go", package, lo.functions, lo.classes, lo.imports, lines, lo.nodes, errors, list(lo.notes))


def top_level(root: Node) -> list[Node]:
    """Declarations of the file; those that the parser put below a damaged region too."""
    found: list[Node] = []
    for node in root.named_children:
        found.extend(node.named_children if node.type == "ERROR" else [node])
    return found


def declare_all(lo: Lowering, top: list[Node]) -> None:
    for node in top:
        if node.type == "import_declaration":
            import_declaration(lo, node)
    declarations = [node for node in top if node.type == "type_declaration"]
    for node in declarations:
        types(lo, node)
    for node in declarations:
        initialiser(lo, node)
    for node in top:
        if lo.late:
            return
        if node.type == "function_declaration":
            function_declaration(lo, node)
        elif node.type == "method_declaration":
            method_declaration(lo, node)
    for node in top:
        lo.spent = 0
        if node.type in ("var_declaration", "const_declaration"):
            statement(lo, node)
    for node in top:  # package initialisers, and statements of a pasted snippet
        if node.type == "function_declaration":
            name = node.child_by_field_name("name")
            if name is not None and lo.text(name) == "init":
                call_init(lo, node)
        elif node.type.endswith("_statement") or node.type == "short_var_declaration":
            statement(lo, node)


def call_init(lo: Lowering, node: Node) -> None:
    for index, function in enumerate(lo.functions):
        if function.name == "init" and function.span == lo.span(node):
            lo.value(ir.CALL, node, f"$init{index}", [], [])
            return
