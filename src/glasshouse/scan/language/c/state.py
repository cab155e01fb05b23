"""What the lowering of one C or C++ file shares: the grammar's tables, the current function, texts, spans, bounds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from tree_sitter import Language, Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Builder, Operand
from glasshouse.scan.language.interface import LowerLimits

Handler = Callable[["Lowering", Node], Any]

EXPRESSIONS: dict[str, Callable[[Lowering, Node], Operand]] = {}
STATEMENTS: dict[str, Callable[[Lowering, Node], None]] = {}
FIELDS = (
    "alternative argument arguments body condition consequence declarator default_value field function index indices "
    "initializer label left name operator parameters path right scope size type update value"
).split()
FRESH = frozenset(
    "expression_statement if_statement while_statement for_statement switch_statement return_statement".split()
)
CLEAR: list[Any] = [ir.NOP, 0]
"""Stands between statements: no temporary is needed any more."""
MAX_NOTES = 20
MAX_DEPTH = 160
"""Nested expressions and statements below this are lowered; what lies deeper is an unknown value, with a note."""


def expression(*kinds: str) -> Callable[[Callable[[Lowering, Node], Operand]], Callable[[Lowering, Node], Operand]]:
    """Registers how a kind of expression is lowered."""

    def register(handler: Callable[[Lowering, Node], Operand]) -> Callable[[Lowering, Node], Operand]:
        for kind in kinds:
            EXPRESSIONS[kind] = handler
        return handler

    return register


def statement(*kinds: str) -> Callable[[Callable[[Lowering, Node], None]], Callable[[Lowering, Node], None]]:
    """Registers how a kind of statement is lowered."""

    def register(handler: Callable[[Lowering, Node], None]) -> Callable[[Lowering, Node], None]:
        for kind in kinds:
            STATEMENTS[kind] = handler
        return handler

    return register


class Grammar:
    """Handlers by kind number and field numbers of one grammar (they differ between C and C++)."""

    def __init__(self, language: Language) -> None:
        self.language = language
        count = language.node_kind_count
        names = [language.node_kind_for_id(number) or "" for number in range(count)]
        self.names = names
        self.expressions = [EXPRESSIONS.get(name) for name in names]
        self.statements = [STATEMENTS.get(name) for name in names]
        self.fresh = frozenset(number for number, name in enumerate(names) if name in FRESH)
        self.field = {name: language.field_id_for_name(name) or 0 for name in FIELDS}


class Lowering:
    """State of one file.  ``builder`` is the current function's; ``labels`` are its enclosing loops and switches."""

    __slots__ = (
        "_field",
        "builder",
        "classes",
        "clock",
        "constants",
        "deadline",
        "depth",
        "expressions",
        "fresh",
        "functions",
        "has_goto",
        "inside",
        "kernel",
        "kinds",
        "labels",
        "limits",
        "nodes",
        "notes",
        "outside",
        "packed",
        "scope",
        "serial",
        "source",
        "statements",
        "stopped",
        "tag",
        "unsure",
    )

    def __init__(self, grammar: Grammar, source: bytes, limits: LowerLimits, kernel: bool = False) -> None:
        self._field = grammar.field
        self.kinds = grammar.names
        self.expressions = grammar.expressions
        self.statements = grammar.statements
        self.fresh = grammar.fresh
        self.source = source
        self.limits = limits
        self.functions: list[ir.Function] = []
        self.classes: list[ir.Class] = []
        self.constants: dict[str, int] = {}
        self.outside: Mapping[str, int] = {}  # constants of the headers that the file includes
        self.unsure: set[str] = set()  # names defined more than once, as different numbers
        self.packed: list[int] = []  # where the word stands
        self.tag = ""  # part of the names of records without one, so that they differ between files
        self.notes: list[str] = []
        self.builder = Builder()
        self.labels: list[tuple[str, str]] = []
        self.scope: list[str] = []
        self.depth = 0
        self.nodes = 0
        self.serial = 0
        self.has_goto = False
        self.kernel = kernel
        self.inside = 0  # how many expressions enclose what is lowered
        self.stopped = ""
        self.clock = 0
        self.deadline = time.monotonic() + limits.max_seconds

    # --- reading the tree ---------------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def child(self, node: Node, field: str) -> Node | None:
        return node.child_by_field_id(self._field[field])

    @staticmethod
    def span(node: Node) -> int:
        line, column = node.start_point
        end_line, end_column = node.end_point
        if line < 1048574 and column < 4095 and end_column < 4095 and end_line - line < 4095:  # as `ir.pack_span`
            return line + 1 << 36 | column << 24 | end_line - line << 12 | end_column
        return ir.pack_span(line + 1, column, end_line + 1, end_column)

    # --- writing instructions -----------------------------------------------------------------------------------

    def value(self, op: int, span: int, *fields: Any) -> int:
        """Emit an instruction that computes something; the temporary that holds it."""
        target = self.builder.temp()
        self.builder.block.append([op, span, target, *fields])
        return target

    def unknown(self, node: Node) -> int:
        """A value of which nothing is known."""
        return self.value(ir.UNOP, self.span(node), "?", self.builder.const(None))

    def constant(self, name: str) -> int | None:
        """The number a name stands for, here or in what the file includes."""
        found = self.constants.get(name)
        return self.outside.get(name) if found is None else found

    def label(self) -> str:
        self.serial += 1
        return f"${self.serial}"

    def block(self, body: Callable[[], None]) -> ir.Block:
        """The instructions that ``body`` emits."""
        outer, self.builder.block = self.builder.block, []
        body()
        made, self.builder.block = self.builder.block, outer
        return made

    # --- dispatch -------------------------------------------------------------------------------------------------

    def operand(self, node: Node | None) -> Operand:
        """Lower an expression; what is not understood is an unknown value."""
        if node is None:
            return self.builder.const(None)
        self.nodes += 1
        handler = self.expressions[node.kind_id] if node.kind_id < len(self.expressions) else None
        if handler is None or self.stopped:
            return self.unknown(node)
        if self.depth > MAX_DEPTH or self.nodes > self.limits.max_function_nodes:
            self.cap()
            return self.unknown(node)
        self.depth += 1
        self.inside += 1
        result = handler(self, node)
        self.inside -= 1
        self.depth -= 1
        return result

    def run(self, node: Node) -> None:
        """Lower a statement."""
        self.nodes += 1
        number = node.kind_id
        handler = self.statements[number] if number < len(self.statements) else None
        if self.stopped:
            return
        if self.depth > MAX_DEPTH or self.nodes > self.limits.max_function_nodes or self.late():
            self.cap()
            return
        self.depth += 1
        if not self.inside and self.builder.temps and number in self.fresh:
            self.builder.block.append(CLEAR)
        if handler is not None:
            handler(self, node)
        elif number < len(self.expressions) and self.expressions[number] is not None:
            self.operand(node)
        elif self.kinds[number if number < len(self.kinds) else 0] == "ERROR" or number >= len(self.kinds):
            for child in node.named_children:
                self.run(child)
        self.depth -= 1

    def late(self) -> bool:
        """Whether the time for this file is over (looked up now and then)."""
        self.clock += 1
        if self.clock & 255 == 0 and time.monotonic() > self.deadline:
            self.stopped = "time limit reached"
            self.note("time limit reached; the rest of the file was not lowered")
        return bool(self.stopped)

    def cap(self) -> None:
        """The current function is lowered only in part."""
        if not self.stopped and self.depth > MAX_DEPTH:
            self.note(f"nesting deeper than {MAX_DEPTH} was not followed")
        elif not self.stopped:
            self.stopped = f"more than {self.limits.max_function_nodes} nodes"

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(text)


_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)[uUlLzZ]*$")
_FLOAT = re.compile(r"[0-9.]+([eEpP][-+]?[0-9]+)?[fFlL]?$")


def number_of(text: str) -> int | float | None:
    """The value of a C number, or None."""
    text = text.replace("'", "").strip()
    if text[:1] in ("-", "+"):  # the grammar takes the sign for a part of the number
        value = number_of(text[1:]) if text[1:2] not in ("-", "+") else None
        return -value if value is not None and text[0] == "-" else value
    match = _NUMBER.match(text)
    if match is not None:
        digits = match.group(1)
        if digits[:2] in ("0x", "0X"):
            return int(digits, 16)
        if digits[:2] in ("0b", "0B"):
            return int(digits, 2)
        return int(digits, 8) if digits[0] == "0" and len(digits) > 1 else int(digits)
    if _FLOAT.match(text):
        try:
            return float(text.rstrip("fFlL"))
        except ValueError:
            return None
    return None
