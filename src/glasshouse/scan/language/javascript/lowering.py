"""Puts the parts together: dispatch tables for one grammar, and the walk over one file."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan.ir import TEST, File, Operand
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.javascript.annotations import Types
from glasshouse.scan.language.javascript.calls import Calls
from glasshouse.scan.language.javascript.exported import mark_exported
from glasshouse.scan.language.javascript.expressions import Expressions
from glasshouse.scan.language.javascript.grammar import Grammar
from glasshouse.scan.language.javascript.jsx import Jsx
from glasshouse.scan.language.javascript.modules import Modules
from glasshouse.scan.language.javascript.patterns import Patterns
from glasshouse.scan.language.javascript.state import Run, ValueOf
from glasshouse.scan.language.javascript.statements import Statements
from glasshouse.scan.language.parsing import broken, node_span

MAX_ERRORS = 1000
_ERROR = 0xFFFF  # tree-sitter's number of ERROR nodes, in every grammar
_TABLE = _ERROR + 1


class Lowering(Types, Patterns, Expressions, Calls, Jsx, Statements, Modules):
    """Lowers files of one grammar, one at a time."""

    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar)
        language = grammar.language
        self.plain = [self.value_unknown] * _TABLE
        self.run = [None] * _TABLE
        self.guarded = [self.guard(self.value_unknown)] * _TABLE
        self._register(_ERROR, self.value_error, self.run_error)
        for number in range(language.node_kind_count):
            if language.node_kind_is_named(number):
                kind = language.node_kind_for_id(number)
                value = getattr(self, f"value_{kind}", None)
                self._register(number, value, getattr(self, f"run_{kind}", value))

    def _register(self, number: int, value: ValueOf | None, run: Run | None) -> None:
        self.run[number] = run
        if value is not None:
            self.plain[number] = value
            self.guarded[number] = self.guard(value)

    def value_unknown(self, node: Node) -> Operand:
        """A kind of node without a meaning here."""
        return self.temp()

    def lower(self, root: Node, source: bytes, path: str, limits: LowerLimits, is_test: bool) -> File:
        """The IR of one parsed file."""
        self.reset(source, limits)
        self.enter(root, "", "module", 0, lambda _: self.statements(root.children))
        mark_exported(self.functions, self.classes, self.hidden, self.is_module, self.exporting)
        if is_test:
            for function in self.functions:
                function.flags |= TEST
            for cls in self.classes:
                cls.flags |= TEST
        errors = broken(root, node_span, limit=MAX_ERRORS)
        notes = list(self.notes)
        lines = source.count(b"\n") + (not source.endswith(b"\n") and bool(source))
        count = root.descendant_count
        return File(path, "javascript", "", self.functions, self.classes, self.imports, lines, count, errors, notes)
