"""What lowering a file has in common where a walk over the tree builds functions one inside the other: Go and PHP."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Builder, Class, Function, Import, Operand
from glasshouse.scan.language.interface import LowerLimits

MAX_DEPTH = 100  # nested expressions and statements; each takes a few Python frames
FRAMES_PER_LEVEL = 8


class TreeBody:
    """A function that is being built."""

    __slots__ = ("builder", "function", "index")

    def __init__(self, function: Function, index: int) -> None:
        self.function = function
        self.index = index
        self.builder = Builder()


BodyT = TypeVar("BodyT", bound=TreeBody)


class TreeLowering(Generic[BodyT]):
    """State of lowering one file: what was made, the functions under way (innermost last), and the bounds."""

    def __init__(self, source: bytes, path: str, limits: LowerLimits) -> None:
        self.source = source
        self.path = path
        self.limits = limits
        self.max_depth = min(limits.max_depth, MAX_DEPTH)
        self.deadline = time.monotonic() + limits.max_seconds
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.imports: list[Import] = []
        self.notes: dict[str, None] = {}
        self.depth = 0
        self.nodes = 0
        self.spent = 0
        self.late = False
        self.bodies: list[BodyT] = []

    @property
    def body(self) -> BodyT:
        return self.bodies[-1]

    @property
    def builder(self) -> Builder:
        return self.bodies[-1].builder

    def span(self, node: Node) -> int:
        (line, column), (end_line, end_column) = node.start_point, node.end_point
        return ir.pack_span(line + 1, column, end_line + 1, end_column)

    def const(self, value: str | int | float | bool | None) -> int:
        return self.builder.const(value)

    def emit(self, op: int, node: Node, *fields: object) -> None:
        self.builder.emit(op, self.span(node), *fields)

    def value(self, op: int, node: Node, *fields: object) -> int:
        """Append an instruction whose first field is a new temporary; the temporary."""
        number = self.builder.temp()
        self.builder.emit(op, self.span(node), number, *fields)
        return number

    def variable(self, node: Node, operand: Operand) -> str:
        """A new variable with that value."""
        name = self.builder.fresh()
        self.emit(ir.MOVE, node, name, operand)
        return name

    def close_function(self) -> int:
        body = self.bodies.pop()
        function = body.function
        function.body, function.consts, function.temps = body.builder.block, body.builder.consts, body.builder.temps
        return body.index

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
