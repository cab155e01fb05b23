"""What is printed: each piece of data as one call of ``echo``, prepared for the place of the page where it lands."""

from __future__ import annotations

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.language.php.expressions import text_parts
from glasshouse.scan.language.php.state import Lowering
from glasshouse.scan.page import QUOTED, TEXT


def echo(lo: Lowering, node: Node, name: str = "\\echo") -> None:
    """Print an expression, piece by piece."""
    for place, operand in text_parts(lo, node):
        known = lo.constant_of(operand)
        if operand.__class__ is int and operand < 0:
            lo.page.feed("" if known is None else str(known))
            continue
        where = lo.page.place()
        lo.page.data()
        if where not in (TEXT, QUOTED):
            operand = lo.ask(place, "$place", operand, lo.const(where))
        lo.value(ir.CALL, place, name, [operand], [])
