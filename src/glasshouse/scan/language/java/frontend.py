"""Java and JSP files to ``ir.File``.  Never raises on any bytes; bounds and syntax errors are part of the result."""

from __future__ import annotations

import tree_sitter_java
from tree_sitter import Language, Node, Parser

from glasshouse.scan import ir
from glasshouse.scan.ir import File
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.java import jsp, switches  # noqa: F401  # registers its handlers
from glasshouse.scan.language.java.declarations import CLASS_KINDS, class_body, function_declaration, lower_class
from glasshouse.scan.language.java.names import add_import, bind_import
from glasshouse.scan.language.java.state import EXPRESSIONS, STATEMENTS, Lowering, statement
from glasshouse.scan.language.parsing import broken, parsed, undisturbed, unparsed

_FRAMES_PER_LEVEL = 8  # interpreter frames one level of nesting may take


class JavaFrontEnd:
    """Lowers Java compilation units, pasted snippets without a class, and JSP pages."""

    language = "java"

    def __init__(self) -> None:
        self._parser = Parser(Language(tree_sitter_java.language()))

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        """Lower one file."""
        page = jsp.read_page(source) if jsp.is_page(path) else None
        if page is not None:
            source = page.java
        lo = Lowering(source, path, limits, _is_test(path))
        tree = parsed(self._parser, source, lo.deadline)
        if tree is None:
            return unparsed(path, "java", source)
        if page is not None:
            lo.page_texts = page.holes
        root = tree.root_node
        with undisturbed(limits, _FRAMES_PER_LEVEL):
            _lower_file(lo, root, page)
        return File(
            path=path,
            language="java",
            package=lo.package,
            functions=lo.functions,
            classes=lo.classes,
            imports=lo.imports,
            lines=lo.line_count,
            nodes=root.descendant_count,
            errors=broken(root, lo.span, until=lo.deadline + 1),
            notes=lo.notes,
        )


def _is_test(path: str) -> bool:
    name = path.rpartition("/")[2]
    return "src/test/" in path or (name.endswith(("Test.java", "Tests.java")) and name != "Test.java")


def _lower_file(lo: Lowering, root: Node, page: jsp.Page | None) -> None:
    nodes = root.children
    lo.functions[0].span = lo.span(root)
    if page is not None:
        for name, offset in page.imports:
            bind_import(lo, name.replace(" ", ""), False, ir.pack_span(1 + lo.text.count("\n", 0, offset), 0, 0, 0))
        span = ir.pack_span(1, 0, 1, 0)
        for name, text in jsp.IMPLICIT:
            lo.builder.emit(ir.DECLARE, span, name, text)
            lo.locals.add(name)
    lo.export_all = not any(node.type == "package_declaration" or _is_public(lo, node) for node in nodes)
    _top_level(lo, nodes)
    lo.finish()


def _is_public(lo: Lowering, node: Node) -> bool:
    if node.type not in CLASS_KINDS or not node.children:
        return False
    first = node.children[0]
    return first.type == "modifiers" and "public" in lo.word(first).split()


def _top_level(lo: Lowering, nodes: list[Node]) -> None:
    position = 0
    while position < len(nodes) and not lo.stopped:
        node = nodes[position]
        position += 1
        kind = node.type
        if kind == "import_declaration":
            add_import(lo, node)
        elif kind in CLASS_KINDS:
            index = lower_class(lo, node)
            _bind_class(lo, node, index)
        elif kind == "package_declaration":
            lo.package = _package(lo, node)
        elif kind == "method_declaration" or kind == "constructor_declaration":
            function_declaration(lo, node)
        elif kind == "ERROR":
            if lo.depth < 20:
                lo.depth += 1
                _top_level(lo, node.children)
                lo.depth -= 1
        elif kind in ("class", "interface", "enum") and position < len(nodes) and nodes[position].type == "identifier":
            _unfinished_class(lo, node, nodes[position], nodes[position + 1 :])
            return
        elif kind in STATEMENTS or kind in EXPRESSIONS:
            statement(lo, node)


def _bind_class(lo: Lowering, node: Node, index: int) -> None:
    if index >= 0:
        span = lo.span(node)
        lo.builder.emit(ir.MOVE, span, lo.classes[index].name, lo.value(ir.CLASS, span, index))


def _unfinished_class(lo: Lowering, node: Node, name: Node, rest: list[Node]) -> None:
    """A class whose end is missing: the parser gives its parts without a declaration around them."""
    index = class_body(lo, node, rest, lo.word(name), [], 0, frozenset({"public"}), [], frozenset(), [])
    _bind_class(lo, node, index)


def _package(lo: Lowering, node: Node) -> str:
    for child in node.named_children:
        if child.type in ("scoped_identifier", "identifier"):
            return "".join(lo.word(child).split())
    return ""
