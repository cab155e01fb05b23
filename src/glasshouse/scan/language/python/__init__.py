"""The Python front end: tree-sitter's tree in, ``ir.File`` out, in one walk.

Python 2 is read too, as far as the grammar knows it (print and exec statements, backticks, ``except A, e``).
Bounds: nodes of a function and of the file, nesting of expressions and blocks, seconds.  What lies beyond one is left
out, and said in ``File.notes`` and ``Function.capped``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tree_sitter import Parser

from glasshouse.scan import ir
from glasshouse.scan.ir import Class, File, Function
from glasshouse.scan.language.parsing import broken, parsed, undisturbed
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.definitions import Definitions
from glasshouse.scan.language.python.state import Words

if TYPE_CHECKING:
    from tree_sitter import Node

    from glasshouse.scan.language.interface import LowerLimits

__all__ = ["PythonFrontEnd"]

UNTIMED = 1 << 14  # bytes; some longer inputs take the grammar's scanner quadratic time
MAX_WORDS = 200_000  # names kept between files
FRAMES_PER_LEVEL = 24  # Python frames that one level of nesting may take
_TEST_PATH = re.compile(r"(?:^|/)tests?/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$")

_EXPRESSIONS = {
    "attribute": "chain",
    "call": "chain",
    "subscript": "chain",
    "binary_operator": "binary",
    "boolean_operator": "boolean",
    "comparison_operator": "comparison",
    "not_operator": "negation",
    "unary_operator": "unary",
    "conditional_expression": "conditional",
    "named_expression": "named_expression",
    "lambda": "lambda_",
    "await": "await_",
    "yield": "yield_",
    "assignment": "assignment_value",
    "parenthesized_expression": "inner",
    "as_pattern_target": "inner",
    "type": "inner",
    "list_splat": "inner",
    "parenthesized_list_splat": "inner",
    "dictionary_splat": "inner",
    "list": "list_display",
    "tuple": "tuple_display",
    "expression_list": "tuple_display",
    "pattern_list": "tuple_display",
    "tuple_pattern": "tuple_display",
    "list_pattern": "list_display",
    "set": "set_display",
    "dictionary": "dict_display",
    "list_comprehension": "list_comprehension",
    "set_comprehension": "set_comprehension",
    "dictionary_comprehension": "dict_comprehension",
    "generator_expression": "list_comprehension",
    "string": "string",
    "concatenated_string": "concatenated",
    "integer": "integer",
    "float": "integer",
    "true": "true",
    "false": "false",
    "none": "none",
    "ellipsis": "ellipsis",
}
_STATEMENTS = {
    "expression_statement": "expression_statement",
    "assignment": "assignment",
    "augmented_assignment": "augmented",
    "return_statement": "return_",
    "raise_statement": "raise_",
    "assert_statement": "assert_",
    "delete_statement": "delete_statement",
    "global_statement": "scope_statement",
    "nonlocal_statement": "scope_statement",
    "print_statement": "print_statement",
    "exec_statement": "exec_statement",
    "import_statement": "import_",
    "import_from_statement": "import_from",
    "future_import_statement": "import_future",
    "break_statement": "break_",
    "continue_statement": "continue_",
    "pass_statement": "skip",
    "type_alias_statement": "skip",
    "comment": "skip",
    "line_continuation": "skip",
    "if_statement": "if_statement",
    "while_statement": "while_statement",
    "for_statement": "for_statement",
    "try_statement": "try_statement",
    "with_statement": "with_statement",
    "match_statement": "match_statement",
    "function_definition": "function_definition",
    "class_definition": "class_definition",
    "decorated_definition": "decorated_definition",
    "block": "suite",
    "ERROR": "error",
}


class _Lowering(Definitions):
    """The walk over one file, with a method for each node kind."""

    def run(self, root: Node | None) -> None:
        """Lower the module; without a tree it stays empty."""
        lines = self.source.count(b"\n") + 1
        module = Function("<module>", "", "module", [], self.out, self.consts, 0, ir.pack_span(1, 0, lines, 0))
        module.flags = self.test_flag
        self.functions.append(module)
        self.fn, self.fn_index = module, 0
        if root is None:
            module.capped = "not parsed in time"
            self.note(f"parsing stopped after {self.limits.max_seconds:g} seconds")
            return
        self.broken = root.has_error
        self.suite(root)
        module.temps = self.temps
        self.apply_exports()

    def apply_exports(self) -> None:
        """With a literal ``__all__`` only what it lists is exported."""
        if self.exports is None:
            return
        listed = set(self.exports)
        defined: list[Function | Class] = [*self.functions, *self.classes]
        for each in defined:
            if each.flags & ir.EXPORTED and each.qualname.partition(".")[0] not in listed:
                each.flags &= ~ir.EXPORTED


def _kinds(table: dict[str, str]) -> list[tuple[int, str]]:
    return [(k.ERROR if name == "ERROR" else k.kind(name), method) for name, method in table.items()]


def _fill_tables() -> None:
    """Node kind to method, for every kind that the parser can produce."""
    statements = _kinds(_STATEMENTS)
    _Lowering.statement_kinds = frozenset(kind for kind, _ in statements)
    _Lowering.expressions.update(dict.fromkeys(k.ALL_KINDS, _Lowering.unknown))
    _Lowering.expressions.update({kind: getattr(_Lowering, method) for kind, method in _kinds(_EXPRESSIONS)})
    _Lowering.statements.update(dict.fromkeys(k.ALL_KINDS, _Lowering.other))
    _Lowering.statements.update({kind: getattr(_Lowering, method) for kind, method in statements})


_fill_tables()


class PythonFrontEnd:
    """Lowers one Python file; between files it keeps only the parser and the decoded names."""

    language = "python"

    def __init__(self) -> None:
        self._parser = Parser(k.LANGUAGE)
        self._words = Words()

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        """The file's IR; never raises on any bytes."""
        with undisturbed(limits, FRAMES_PER_LEVEL):
            return self._lower(source, path, limits)

    def _lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        if len(self._words) > MAX_WORDS:
            self._words = Words()
        walk = _Lowering(source, path, limits, self._words)
        walk.test_flag = ir.TEST if _TEST_PATH.search(path) else 0
        tree = parsed(self._parser, source, walk.deadline, UNTIMED)
        walk.run(tree.root_node if tree is not None else None)
        errors = broken(tree.root_node, walk.span) if tree is not None else []
        return File(
            path=path,
            language="python",
            package="",
            functions=walk.functions,
            classes=walk.classes,
            imports=walk.imports,
            lines=source.count(b"\n") + (1 if source and not source.endswith(b"\n") else 0),
            nodes=tree.root_node.descendant_count if tree is not None else 0,
            errors=errors,
            notes=walk.notes,
        )
