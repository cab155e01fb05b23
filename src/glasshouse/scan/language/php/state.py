"""What lowering one PHP file shares: the function being built, names, the page that is printed, bounds and handlers.

Operands that are no variables are told apart by their first character, which no PHP variable can have:
``\\name`` a function (``\\?space\\name``: of the namespace, else global), ``\\:Name`` a class, ``\\#NAME`` a constant,
``$name`` an operation of the language (see ``glasshouse.scan.interp.php.builtins``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Function, Operand, Param
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.tree_lowering import TreeBody, TreeLowering
from glasshouse.scan.page import Page

ExpressionOf = Callable[["Lowering", Node], Operand]
StatementOf = Callable[["Lowering", Node], None]
EXPRESSIONS: dict[str, ExpressionOf] = {}
STATEMENTS: dict[str, StatementOf] = {}


class Body(TreeBody):
    """The function that is being built.  ``exits``: labels of loops and switches (true for a loop), innermost last."""

    __slots__ = ("aliases", "exits", "references", "static")

    def __init__(self, function: Function, index: int) -> None:
        super().__init__(function, index)
        self.exits: list[tuple[str, bool]] = []
        self.aliases: dict[str, set[str]] = {}  # variables that are references to one another
        self.references: set[str] = set()  # parameters by reference
        self.static = True  # no `$this` here


class Lowering(TreeLowering[Body]):
    """State of lowering one file."""

    def __init__(self, source: bytes, path: str, limits: LowerLimits) -> None:
        super().__init__(source, path, limits)
        self.namespace = ""
        self.uses: dict[str, str] = {}  # alias in lower case -> full name of a class or namespace
        self.function_uses: dict[str, str] = {}
        self.owner: list[int] = []  # classes being lowered, by index
        self.parents: dict[int, str] = {}  # class index -> full name of the class above
        self.page = Page()
        self.echo_next = False  # a `<?=` tag came before
        self.unnamed = 0

    # --- operands --------------------------------------------------------------------------------------------------

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")[:4096]

    def constant_of(self, operand: Operand) -> str | int | float | bool | None:
        """The constant that an operand is; None if it is none."""
        if operand.__class__ is int and operand < 0:
            found: str | int | float | bool | None = self.builder.consts[-1 - operand]
            return found
        return None

    def ask(self, node: Node, name: str, *operands: Operand) -> int:
        """What an operation of the language gives."""
        return self.value(ir.CALL, node, name, list(operands), [])

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
