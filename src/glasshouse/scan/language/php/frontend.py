"""Lowers a whole PHP file: the page and the code between its tags, in the order of the source."""

from __future__ import annotations

import tree_sitter_php
from tree_sitter import Language, Parser

from glasshouse.scan.ir import File
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.parsing import broken, parsed, undisturbed, unparsed
from glasshouse.scan.language.php import access, assignments  # noqa: F401 - they fill the tables of handlers
from glasshouse.scan.language.php.declarations import damaged_class
from glasshouse.scan.language.php.state import Lowering
from glasshouse.scan.language.php.statements import statements
from glasshouse.scan.language.tree_lowering import FRAMES_PER_LEVEL


class PhpFrontEnd:
    """Lowers PHP.  Functions, classes and constants are the program's (``glasshouse.scan.php_names``)."""

    language = "php"

    def __init__(self) -> None:
        self._parser = Parser(Language(tree_sitter_php.language_php()))

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        """The IR of one file; never raises on what the file holds."""
        lo = Lowering(source, path, limits)
        tree = parsed(self._parser, source, lo.deadline)
        if tree is None:
            return unparsed(path, "php", source)
        root = tree.root_node
        lo.open_function("<module>", "module", root, [])
        with undisturbed(limits, FRAMES_PER_LEVEL):
            if root.type == "ERROR":
                damaged_class(lo, root)
            statements(lo, root.named_children)
        lo.close_function()
        errors = broken(root, lo.span)
        lines = source.count(b"\n") + 1
        return File(path, "php", "", lo.functions, lo.classes, lo.imports, lines, lo.nodes, errors, list(lo.notes))
