"""Lowers tests to IF.  ``and``, ``or`` and ``not`` become control flow, so that each test guards what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.state import parts_of
from glasshouse.scan.language.python.strings import Strings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    Arm = Callable[[], None] | None

MAX_OPERANDS = 6  # of one and/or that become control flow; longer ones are computed as a value
_JUMPS = frozenset((ir.RETURN, ir.RAISE, ir.BREAK, ir.CONTINUE))


class Conditions(Strings):
    """Branches."""

    def branch(self, test: Node, then: Arm, other: Arm) -> None:
        """``if test: then() else: other()``; an arm of None is empty.  Each arm is lowered exactly once."""
        while True:
            kind = test.kind_id
            if kind == k.NOT or kind == k.PARENTHESIZED:
                parts = parts_of(test)
                if len(parts) != 1:
                    break
                test = parts[0]
                if kind == k.NOT:
                    then, other = other, then
            else:
                break
        if kind == k.BOOLEAN:
            operands, is_and = self.boolean_operands(test)
            if 2 <= len(operands) <= MAX_OPERANDS and self.nest + len(operands) < self.max_nest:
                if is_and:
                    self.all_of(operands, then, other)
                else:
                    self.none_of(operands, then, other)
                return
        span = self.span(test)
        condition = self.expr(test)
        outer = self.out
        first: ir.Block = []
        second: ir.Block = []
        outer.append([ir.IF, span, condition, first, second])
        self.nest += 1
        if then is not None:
            self.out = first
            then()
        if other is not None:
            self.out = second
            other()
        self.nest -= 1
        self.out = outer

    def all_of(self, operands: list[Node], then: Arm, other: Arm) -> None:
        if other is None:
            self.each(operands, True, then)
        else:
            self.either(operands, True, then, other)

    def none_of(self, operands: list[Node], then: Arm, other: Arm) -> None:
        """``a or b`` fails where each operand fails."""
        if then is None:
            self.each(operands, False, other)
        else:
            self.either(operands, False, other, then)

    def each(self, operands: list[Node], value: bool, then: Arm) -> None:
        """Run ``then`` where every operand has that truth value."""
        first, rest = operands[0], operands[1:]
        arm = then if not rest else lambda: self.each(rest, value, then)
        if value:
            self.branch(first, arm, None)
        else:
            self.branch(first, None, arm)

    def either(self, operands: list[Node], value: bool, all_hold: Arm, otherwise: Callable[[], None]) -> None:
        """``all_hold`` where every operand has that value, else ``otherwise``: a block that the first leaves."""
        span = self.span(operands[0])
        label = self.fresh()
        outer = self.out
        block: ir.Block = []
        self.out = block
        outer.append([ir.BLOCK, span, label, block])
        self.nest += 1

        def leave() -> None:
            if all_hold is not None:
                all_hold()
            if not self.out or self.out[-1][0] not in _JUMPS:
                self.out.append([ir.BREAK, span, label])

        self.each(operands, value, leave)
        self.out = block
        otherwise()
        self.nest -= 1
        self.out = outer

    def enter_where(self, test: Node, value: bool = True) -> None:
        """Open a block that runs only where the test has that truth value; the caller restores ``out`` and ``nest``."""
        found: list[tuple[ir.Block, int]] = []

        def remember() -> None:
            found.append((self.out, self.nest))

        self.branch(test, remember if value else None, None if value else remember)
        self.out, self.nest = found[0]

    def conditional(self, node: Node) -> Operand:
        """``a if test else b``."""
        parts = parts_of(node)
        if len(parts) != 3 or not self.may_nest(2):
            return self.opaque(self.span(node)) if len(parts) == 3 else self.unknown(node)
        result = self.fresh()

        def arm(value: Node) -> Callable[[], None]:
            return lambda: self.out.append([ir.MOVE, self.span(value), result, self.expr(value)])

        self.branch(parts[1], arm(parts[0]), arm(parts[2]))
        return result
