"""What lowering one PHP file shares: the function being built, names, the page that is printed, bounds and handlers.

Operands that are no variables are told apart by their first character, which no PHP variable can have:
``\\name`` a function (``\\?space\\name``: of the namespace, else global), ``\\:Name`` a class, ``\\#NAME`` a constant,
``$name`` an operation of the language (see ``glasshouse.scan.interp.php_builtins``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Builder, Class, Function, Import, Operand, Param
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.page import Page

MAX_DEPTH = 100  # nested expressions and statements; each takes a few Python frames

ExpressionOf = Callable[["Lowering", Node], Operand]
StatementOf = Callable[["Lowering", Node], None]
EXPRESSIONS: dict[str, ExpressionOf] = {}
STATEMENTS: dict[str, StatementOf] = {}


class Body:
    """The function that is being built.  ``exits``: labels of loops and switches (true for a loop), innermost last."""

    __slots__ = ("aliases", "builder", "exits", "function", "index", "references", "static")

    def __init__(self, function: Function, index: int) -> None:
        self.function = function
        self.index = index
        self.builder = Builder()
        self.exits: list[tuple[str, bool]] = []
        self.aliases: dict[str, set[str]] = {}  # variables that are references to one another
        self.references: set[str] = set()  # parameters by reference
        self.static = True  # no `$this` here


class Lowering:
    """State of lowering one file."""

    def __init__(self, source: bytes, path: str, limits: LowerLimits) -> None:
        self.source = source
        self.path = path
        self.limits = limits
        self.max_depth = min(limits.max_depth, MAX_DEPTH)
        self.deadline = time.monotonic() + limits.max_seconds
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.imports: list[Import] = []
        self.namespace = ""
        self.uses: dict[str, str] = {}  # alias in lower case -> full name of a class or namespace
        self.function_uses: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.owner: list[int] = []  # classes being lowered, by index
        self.parents: dict[int, str] = {}  # class index -> full name of the class above
        self.page = Page()
        self.echo_next = False  # a `<?=` tag came before
        self.depth = 0
        self.nodes = 0
        self.spent = 0
        self.late = False
        self.unnamed = 0
        self.bodies: list[Body] = []

    # --- operands --------------------------------------------------------------------------------------------------

    @property
    def body(self) -> Body:
        return self.bodies[-1]

    @property
    def builder(self) -> Builder:
        return self.bodies[-1].builder

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")[:4096]

    def span(self, node: Node) -> int:
        (line, column), (end_line, end_column) = node.start_point, node.end_point
        return ir.pack_span(line + 1, column, end_line + 1, end_column)

    def const(self, value: str | int | float | bool | None) -> int:
        return self.builder.const(value)

    def constant_of(self, operand: Operand) -> str | int | float | bool | None:
        """The constant that an operand is; None if it is none."""
        if operand.__class__ is int and operand < 0:
            found: str | int | float | bool | None = self.builder.consts[-1 - operand]
            return found
        return None

    def emit(self, op: int, node: Node, *fields: object) -> None:
        self.builder.emit(op, self.span(node), *fields)

    def value(self, op: int, node: Node, *fields: object) -> int:
        """Append an instruction whose first field is a new temporary; the temporary."""
        number = self.builder.temp()
        self.builder.emit(op, self.span(node), number, *fields)
        return number

    def ask(self, node: Node, name: str, *operands: Operand) -> int:
        """What an operation of the language gives."""
        return self.value(ir.CALL, node, name, list(operands), [])

    def variable(self, node: Node, operand: Operand) -> str:
        """A new variable with that value."""
        name = self.builder.fresh()
        self.emit(ir.MOVE, node, name, operand)
        return name

    def write(self, node: Node, name: str, operand: Operand) -> None:
        """``$name = operand``, and every reference to it."""
        self.emit(ir.MOVE, node, name, operand)
        if name in self.body.references:
            self.emit(ir.CALL, node, self.builder.temp(), "$give_back", [f"$ref {name}", name], [])
        for other in sorted(self.body.aliases.get(name, ())):
            if other != name:
                self.emit(ir.MOVE, node, other, operand)

    # --- names -----------------------------------------------------------------------------------------------------

    def class_name(self, written: str) -> str:
        """The full name of a class."""
        if written[:1] == "\\":
            return written[1:]
        head, _, rest = written.partition("\\")
        if head.lower() == "namespace" and rest:
            return f"{self.namespace}\\{rest}" if self.namespace else rest
        if head.lower() in ("self", "static") and not rest and self.owner:
            return self.classes[self.owner[-1]].qualname
        if head.lower() == "parent" and not rest and self.owner:
            return self.parents.get(self.owner[-1], "parent")
        found = self.uses.get(head.lower())
        if found is not None:
            return f"{found}\\{rest}" if rest else found
        return f"{self.namespace}\\{written}" if self.namespace else written

    def function_name(self, written: str) -> str:
        """The operand of a function."""
        if written[:1] == "\\":
            return written
        if "\\" in written:
            return "\\" + self.class_name(written)
        found = self.function_uses.get(written.lower())
        if found is not None:
            return "\\" + found
        return f"\\?{self.namespace}\\{written}" if self.namespace else "\\" + written

    # --- blocks and functions --------------------------------------------------------------------------------------

    @contextmanager
    def block(self) -> Iterator[Block]:
        """Instructions inside go to a new block."""
        builder = self.builder
        outer, inner = builder.block, []  # type: tuple[Block, Block]
        builder.block = inner
        try:
            yield inner
        finally:
            builder.block = outer

    @contextmanager
    def exit(self, label: str, loop: bool) -> Iterator[None]:
        """What ``break`` and ``continue`` inside lead to."""
        self.body.exits.append((label, loop))
        try:
            yield
        finally:
            self.body.exits.pop()

    def open_function(self, name: str, kind: str, node: Node, params: list[Param], qualname: str = "") -> Body:
        parent = self.body.index if self.bodies else -1
        function = Function(name, qualname or name, kind, params, [], [], 0, self.span(node), parent=parent, outer=[])
        body = Body(function, len(self.functions))
        self.functions.append(function)
        self.bodies.append(body)
        return body

    def close_function(self) -> int:
        body = self.bodies.pop()
        function = body.function
        function.body, function.consts, function.temps = body.builder.block, body.builder.consts, body.builder.temps
        return body.index

    # --- bounds ----------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        self.notes[text] = None

    def enough(self, node: Node) -> bool:
        """Whether a bound is reached: the node is left out."""
        self.spent += 1
        self.nodes += 1
        if self.depth >= self.max_depth:
            self.note("nesting limit reached; deeper code was left out")
            return True
        if self.spent > self.limits.max_function_nodes or self.nodes > self.limits.max_nodes:
            self.body.function.capped = "nodes"
            self.note("a function has too many nodes; the rest of it was left out")
            return True
        if not self.nodes & 255 and time.monotonic() > self.deadline:
            self.late = True
        if self.late:
            self.body.function.capped = "time"
            self.note("time limit reached; the rest was left out")
        return self.late


def expression(lo: Lowering, node: Node | None) -> Operand:
    """The value of an expression; an unknown value where it is not understood or a bound is reached."""
    if node is None or lo.enough(node):
        return lo.builder.temp()
    handler = EXPRESSIONS.get(node.type)
    if handler is None:
        return lo.builder.temp()
    lo.depth += 1
    try:
        return handler(lo, node)
    finally:
        lo.depth -= 1


def statement(lo: Lowering, node: Node) -> None:
    """Lower one statement."""
    handler = STATEMENTS.get(node.type)
    if handler is None or lo.enough(node):
        return
    lo.depth += 1
    try:
        handler(lo, node)
    finally:
        lo.depth -= 1


def meaningful(node: Node | None) -> list[Node]:
    """The named children that are no comments."""
    return [child for child in node.named_children if child.type != "comment"] if node is not None else []
