"""What lowering one Go file shares: scopes, the function being built, spans, bounds and the tables of handlers.

Go's blocks are scopes: a name that is declared again in an inner block of one function gets a variable of its own
(``x$1``).  Variables of plain types whose address is taken live in boxes (calls of ``$box``), so that a pointer and
the variable share what is written through either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Function, Operand, Param
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.tree_lowering import TreeBody, TreeLowering

BOX = "$v"  # the field of a box
ADDRESSED = re.compile(rb"&\s*([A-Za-z_]\w*)")
WAITS = re.compile(rb"<-|\brange\b|\.(?:Wait|Lock|Load\w*)\(")

ExpressionOf = Callable[["Lowering", Node], Operand]
StatementOf = Callable[["Lowering", Node], None]
EXPRESSIONS: dict[str, ExpressionOf] = {}
STATEMENTS: dict[str, StatementOf] = {}


class Local:
    """A variable as one scope knows it.  ``type`` is the type's text as written ("" unknown)."""

    __slots__ = ("boxed", "name", "type")

    def __init__(self, name: str, type_text: str, boxed: bool) -> None:
        self.name = name
        self.type = type_text
        self.boxed = boxed


class Exit:
    """A call that runs when the function ends: a deferred call, or a goroutine that may wait for what follows it."""

    __slots__ = ("call", "flag", "goroutine")

    def __init__(self, call: Callable[[], object], flag: str, goroutine: bool) -> None:
        self.call = call
        self.flag = flag  # the variable that says whether the statement was reached; "" = always
        self.goroutine = goroutine


class Body(TreeBody):
    """The function that is being built."""

    __slots__ = (
        "addressed",
        "breaks",
        "exits",
        "renamed",
        "results",
        "scopes",
        "waits",
    )

    def __init__(self, function: Function, index: int, source: bytes) -> None:
        super().__init__(function, index)
        self.scopes: list[dict[str, Local]] = [{}]
        self.addressed = frozenset(match.decode("utf-8", "replace") for match in ADDRESSED.findall(source))
        self.waits = WAITS.search(source) is not None
        self.exits: list[Exit] = []
        self.results: list[str] = []  # named results
        self.renamed = 0
        self.breaks: list[str] = []  # what `break` without a label leaves; "" = the innermost loop or switch


class Lowering(TreeLowering[Body]):
    """State of lowering one file."""

    def __init__(self, source: bytes, path: str, limits: LowerLimits) -> None:
        super().__init__(source, path, limits)
        self.class_index: dict[str, int] = {}
        self.packages: dict[str, str] = {}  # local name -> import path
        self.structs: dict[str, list[str]] = {}  # names of fields, in order
        self.embedded: dict[str, set[str]] = {}
        self.errors: list[int] = []
        self.test = 0
        self.label = ""
        self.iota: int | None = None
        self.literals = 0

    # --- operands --------------------------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")[:4096]

    def ask(self, node: Node, name: str, *operands: Operand) -> int:
        """What an operation of the language gives (``$deref``, ``$copy``, ``$slice``, ...)."""
        return self.value(ir.CALL, node, name, list(operands), [])

    # --- names -----------------------------------------------------------------------------------------------------

    def find(self, name: str) -> tuple[Local | None, int]:
        """The local variable a name stands for, and how many functions further out it lives."""
        for distance, body in enumerate(reversed(self.bodies)):
            for scope in reversed(body.scopes):
                found = scope.get(name)
                if found is not None:
                    return found, distance
        return None, 0

    def declare(self, name: str, type_text: str = "", boxed: bool = False) -> Local:
        """A new variable in the innermost scope."""
        body = self.body
        again = any(name in scope for scope in body.scopes[:-1])
        body.renamed += again
        unique = f"{name}${body.renamed}" if again else name
        local = body.scopes[-1][name] = Local(unique, type_text, boxed and name in body.addressed)
        return local

    def bind(self, node: Node, name: str, operand: Operand, type_text: str = "", plain: bool = False) -> None:
        """``name := operand``."""
        if name in ("_", ""):
            return
        local = self.declare(name, type_text, plain)
        self.emit(ir.MOVE, node, local.name, self.ask(node, "$box", operand) if local.boxed else operand)

    def read(self, node: Node, name: str) -> Operand:
        local, _ = self.find(name)
        if local is None:
            return name
        return self.value(ir.ATTR, node, local.name, BOX) if local.boxed else local.name

    def write(self, node: Node, name: str, operand: Operand) -> None:
        """``name = operand``, where the name is declared already."""
        if name == "_":
            return
        local, distance = self.find(name)
        if local is not None and local.boxed:
            self.emit(ir.SET_ATTR, node, local.name, BOX, operand)
            return
        target = local.name if local is not None else name
        if (distance or local is None) and len(self.bodies) > 1:
            for body in self.bodies[len(self.bodies) - max(distance, 1) :]:
                if target not in body.function.outer:
                    body.function.outer.append(target)
        self.emit(ir.MOVE, node, target, operand)

    # --- blocks and functions --------------------------------------------------------------------------------------

    @contextmanager
    def block(self, scope: bool = True) -> Iterator[Block]:
        """Instructions inside go to a new block."""
        builder, body = self.builder, self.body
        outer, inner = builder.block, []  # type: tuple[Block, Block]
        builder.block = inner
        if scope:
            body.scopes.append({})
        try:
            yield inner
        finally:
            builder.block = outer
            if scope:
                body.scopes.pop()

    def open_function(self, name: str, kind: str, node: Node, params: list[Param], qualname: str = "") -> Body:
        parent = self.body.index if self.bodies else -1
        function = Function(name, qualname or name, kind, params, [], [], 0, self.span(node), parent=parent, outer=[])
        function.flags = self.test
        body = Body(function, len(self.functions), self.source[node.start_byte : node.end_byte])
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
