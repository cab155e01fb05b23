"""What the walk over one file carries: position, names, constants, the open function and the bounds."""

from __future__ import annotations

import time
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar

from glasshouse.scan.ir import MOVE, Block, Class, Function, Import, Instr, Operand, pack_span
from glasshouse.scan.language.python import kinds as k

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from glasshouse.scan.language.interface import LowerLimits

OPAQUE = "$opaque"  # a variable that nothing defines: an unknown value
MAX_NEST = 200  # nested blocks; a nested "if" counts as two
MAX_NOTES = 50  # per file
CLOCK_EVERY = 256  # statements between two looks at the clock
WIDEST = 4095  # columns that a packed span holds
MAX_LINE = (1 << 20) - 1


class Words(dict[bytes, str]):
    """Decoded names by source bytes."""

    def __missing__(self, text: bytes) -> str:
        name = self[text] = text.decode("utf-8", "replace")
        return name


class Names(dict[bytes, str]):
    """Variables by source bytes; a comprehension replaces the entries of its own variables while it is open."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = words

    def __missing__(self, text: bytes) -> str:
        name = self[text] = self.words[text]
        return name


class Walk:
    """State of one walk.  ``out`` is the block that instructions are appended to."""

    # What lowers each node kind; filled once, when the last of the walk's classes exists.
    expressions: ClassVar[dict[int, Callable[[Any, Node], Operand]]] = {}
    statements: ClassVar[dict[int, Callable[[Any, Node], None]]] = {}
    statement_kinds: ClassVar[frozenset[int]] = frozenset()

    def __init__(self, source: bytes, path: str, limits: LowerLimits, words: Words) -> None:
        self.source = source
        self.path = path
        self.limits = limits
        self.names = Names(words)
        self.words = words
        self.types: dict[bytes, str] = {}
        self.renamed = 0
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.imports: list[Import] = []
        self.notes: list[str] = []
        self.exports: list[str] | None = None
        self.test_flag = 0
        self.broken = False  # something in the file did not parse
        # The open function.
        self.fn: Function
        self.fn_index = -1
        self.out: Block = []
        self.consts: list[Any] = []
        self.const_index: dict[tuple[type, Any], int] = {}
        self.temps = 0
        self.serial = 0
        self.left = limits.max_function_nodes
        self.loop: Instr | None = None
        self.in_switch = False
        # Bounds of the file.
        self.file_left = limits.max_nodes
        self.depth = 0
        self.max_depth = limits.max_depth
        self.nest = 0
        self.max_nest = min(MAX_NEST, limits.max_depth)
        self.ticks = 0
        self.stopped = False
        self.deadline = time.monotonic() + limits.max_seconds
        # The line that spans are measured from.
        self.line_starts = line_starts(source)
        self.line_start = 0
        self.line_room = -1
        self.line_base = 0

    # --- positions and text ------------------------------------------------------------------------------------

    def span(self, node: Node) -> int:
        """Packed span of a node."""
        start = node.start_byte - self.line_start
        end = node.end_byte - self.line_start
        if start >= 0 and end <= self.line_room:
            return self.line_base | start << 24 | end
        return self._far_span(start + self.line_start, end + self.line_start)

    def _far_span(self, start: int, end: int) -> int:
        """Span outside the current line; the line it starts on becomes the current one."""
        starts = self.line_starts
        line = bisect_right(starts, start)
        first = starts[line - 1]
        room = (starts[line] if line < len(starts) else len(self.source) + 1) - first - 1
        if room > WIDEST or line >= MAX_LINE:
            self.line_start, self.line_room = first, -1
            last = bisect_right(starts, end, line - 1)
            return pack_span(line, start - first, last, end - starts[last - 1])
        self.line_start, self.line_room, self.line_base = first, room, line << 36
        if end - first <= room:
            return line << 36 | (start - first) << 24 | end - first
        last = bisect_right(starts, end, line)
        column = end - starts[last - 1]
        height = last - line
        return (
            line << 36
            | (start - first) << 24
            | (height if height < WIDEST else WIDEST) << 12
            | (column if column < WIDEST else WIDEST)
        )

    def text(self, node: Node) -> str:
        """Source text of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def word(self, node: Node) -> str:
        """An attribute's or keyword's name (never renamed)."""
        return self.words[self.source[node.start_byte : node.end_byte]]

    def dotted(self, node: Node) -> str:
        """``a.b.c`` as written, of the callee where the node is a call or subscript; "" if it is not a name."""
        while node.kind_id in (k.CALL, k.SUBSCRIPT, k.PARENTHESIZED, k.TYPE):
            parts = node.named_children
            if not parts:
                return ""
            node = parts[0]
        text = "".join(
            self.source[node.start_byte : min(node.end_byte, node.start_byte + 400)].decode("utf-8", "replace").split()
        )
        return text if text.replace(".", "a").isidentifier() else ""

    # --- instructions ------------------------------------------------------------------------------------------

    def const(self, value: str | int | float | bool | None) -> int:
        """Operand of a constant."""
        key = (value.__class__, value)
        found = self.const_index.get(key)
        if found is None:
            self.consts.append(value)
            found = self.const_index[key] = -len(self.consts)
        return found

    def temp(self) -> int:
        """A new temporary: write it with exactly one instruction."""
        self.temps += 1
        return self.temps - 1

    def fresh(self) -> str:
        """A new variable or label."""
        self.serial += 1
        return f"${self.serial}"

    def opaque(self, span: int) -> int:
        """A temporary whose value is unknown."""
        t = self.temp()
        self.out.append([MOVE, span, t, OPAQUE])
        return t

    # --- bounds ------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Record, once, that something was capped."""
        if len(self.notes) < MAX_NOTES and text not in self.notes:
            self.notes.append(text)

    def afford(self, node: Node) -> bool:
        """Whether a statement still fits into the bounds of its function and file; if not, that is recorded."""
        count = node.descendant_count
        self.ticks += 1
        if not self.ticks % CLOCK_EVERY and time.monotonic() > self.deadline:
            self.stopped = True
            self.fn.capped = f"more than {self.limits.max_seconds:g} seconds"
            self.note(f"lowering stopped after {self.limits.max_seconds:g} seconds")
            return False
        if count > self.left or count > self.file_left:
            which = "function" if count > self.left else "file"
            bound = self.limits.max_function_nodes if which == "function" else self.limits.max_nodes
            if not self.fn.capped:
                self.note(f"line {node.start_point[0] + 1}: left out, the {which} has more than {bound} nodes")
            self.fn.capped = f"more than {bound} nodes"
            return False
        self.left -= count
        self.file_left -= count
        return True

    def may_nest(self, levels: int = 1) -> bool:
        """Whether that many more blocks may be opened; if not, that is recorded."""
        if self.nest + levels <= self.max_nest:
            return True
        self.note(f"blocks nested deeper than {self.max_nest} left out")
        if not self.fn.capped:
            self.fn.capped = "nested too deep"
        return False


def line_starts(source: bytes) -> list[int]:
    """Byte offset of each line."""
    if b"\r" not in source:
        return [0, *accumulate(map(len, source.splitlines(keepends=True)))][: source.count(b"\n") + 1]
    starts = [0]
    find = source.find
    at = find(b"\n")
    while at >= 0:
        starts.append(at + 1)
        at = find(b"\n", at + 1)
    return starts


def parts_of(node: Node) -> list[Node]:
    """Named children without comments, line continuations and what did not parse."""
    children = node.named_children
    skipped = k.SKIPPED
    for child in children:
        if child.kind_id in skipped:
            return [child for child in children if child.kind_id not in skipped]
    return children
