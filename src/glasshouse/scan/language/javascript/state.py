"""What every part of the lowering shares: the source, the function being built, its names, spans and bounds.

Two dispatch tables lead through the tree.  Statements small enough to be harmless use the plain ``value`` table; larger
ones use a guarded table whose entries count nodes, bound the depth and watch the clock.  That keeps the bounds exact
where they matter and free where they do not.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from tree_sitter import Node

from glasshouse.scan.ir import IF, MOVE, Block, Class, Decorator, Function, Import, Operand
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.javascript.grammar import Grammar
from glasshouse.scan.language.javascript.literals import MAX_TEXT, decode_text

ValueOf = Callable[[Node], Operand]
Run = Callable[[Node], object]

MAX_BLOCKS = 100  # nested blocks in one function's body
MAX_TYPE = 120  # characters of a type text

_CHAIN = re.compile(rb"[A-Za-z_$\x80-\xff][\w$\x80-\xff]*(?:\.#?[A-Za-z_$\x80-\xff][\w$\x80-\xff]*)+")
_SUFFIX = re.compile(rb"\s*\??\.\s*(#?[A-Za-z_$\x80-\xff][\w$\x80-\xff]*)")
_MAX_CHAIN = 100  # bytes of a dotted name that is taken apart as text
_CACHED_NAMES = 200_000


class Names(dict[bytes, str]):
    """Decoded names, each made once."""

    def __missing__(self, raw: bytes) -> str:
        name = raw.decode("utf-8", "replace")[:MAX_TEXT]
        if "\\" in name:
            name = decode_text(raw)
        if len(self) < _CACHED_NAMES:
            self[raw] = name
        return name


class Chain:
    """A dotted name: its root variable and, for each attribute, its name and where it ends."""

    __slots__ = ("parts", "root", "root_end")

    def __init__(self, raw: bytes) -> None:
        names = raw.split(b".")
        self.root = names[0].decode("utf-8", "replace")
        position = len(names[0])
        parts: list[tuple[str, int]] = []
        for name in names[1:]:
            position += 1 + len(name)
            parts.append((name.decode("utf-8", "replace"), position))
        self.root_end = len(names[0])
        if self.root == "exports":
            self.root = "$exports"
        elif self.root == "module" and parts[0][0] == "exports":
            self.root, self.root_end = "$exports", parts[0][1]
            del parts[0]
        self.parts = parts


class State:
    """State of lowering one file with one grammar."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.k = grammar.kinds
        self.names = Names()
        self.names[b"exports"] = "$exports"
        self.properties = Names()
        self.chains: dict[bytes, Chain | None] = {}
        self.suffixes: dict[bytes, str | None] = {}
        self.plain: list[ValueOf] = []
        self.guarded: list[ValueOf] = []
        self.run: list[Run | None] = []
        self.value: list[ValueOf] = self.plain
        self.reset(b"", LowerLimits())

    def reset(self, source: bytes, limits: LowerLimits) -> None:
        """Forget the last file and take up this one."""
        self.src = source
        self.limits = limits
        self.deadline = time.monotonic() + limits.max_seconds
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.imports: list[Import] = []
        self.notes: dict[str, None] = {}
        self.is_module = False
        self.exporting: set[int] = set()  # functions that write exports
        self.hidden: set[int] = set()  # functions of private and protected methods
        self.depth = 0
        self.quick = max(1, min(256, limits.max_depth))
        self.late = False
        self.total = 0
        self.class_index = -1
        self.export_target = "$exports"
        self.enclosing: list[set[str]] = []  # names declared by the functions around this one
        self.line_starts = _line_starts(source)
        self.line, self.line_from, self.line_to = 0, 0, -1
        self.start_function(-1)

    def start_function(self, index: int) -> None:
        """Fresh state for one function's body."""
        self.index = index
        self.block: Block = []
        self.consts: list[Any] = []
        self.const_index: dict[tuple[type, Any], int] = {}
        self.literals: dict[bytes, int] = {}
        self.temps = 0
        self.serial = 0
        self.parameter_serial = 0
        self.declared: set[str] = set()
        self.assigned: set[str] = set()
        self.visible: set[str] = set()  # names declared so far in the open blocks
        self.renames: dict[str, str] = {}
        self.rename_serial = 0
        self.spent = 0
        self.cap = min(self.limits.max_function_nodes, max(0, self.limits.max_nodes - self.total))
        self.capped = ""
        self.nesting = 0
        self.label = ""

    # --- operands and instructions ---------------------------------------------------------------------------------

    def const(self, value: str | int | float | bool | None) -> int:
        """Operand of a constant."""
        key = (value.__class__, value)
        found = self.const_index.get(key)
        if found is None:
            self.consts.append(value)
            found = self.const_index[key] = -len(self.consts)
        return found

    def temp(self) -> int:
        """A new temporary."""
        number = self.temps
        self.temps = number + 1
        return number

    def fresh(self) -> str:
        """A new variable for a value that several instructions write."""
        self.serial += 1
        name = f"${self.serial}"
        self.declared.add(name)
        return name

    def emit(self, op: int, node: Node, *fields: Any) -> None:
        """Append an instruction that stands where the node stands."""
        self.block.append([op, self.span(node.start_byte, node.end_byte), *fields])

    def emit_value(self, op: int, node: Node, *fields: Any) -> int:
        """Append an instruction whose first field is a new temporary; the temporary."""
        number = self.temps
        self.temps = number + 1
        self.block.append([op, self.span(node.start_byte, node.end_byte), number, *fields])
        return number

    def move(self, node: Node, name: str, operand: Operand) -> None:
        """Assign to a variable."""
        self.assigned.add(name)
        self.block.append([MOVE, self.span(node.start_byte, node.end_byte), name, operand])

    def opaque(self, node: Node) -> Operand:
        """A value nothing is known about."""
        return self.temp()

    def branch(self, node: Node | None, work: Callable[[], object]) -> Block:
        """The block that ``work`` emits; empty, with a note, where blocks are nested too deep."""
        outer = self.block
        block: Block = []
        if self.nesting >= MAX_BLOCKS:
            self.note("nested blocks too deep")
            return block
        self.block = block
        self.nesting += 1
        work()
        self.nesting -= 1
        self.block = outer
        return block

    def emit_if(self, node: Node, condition: Operand, then: Block, other: Block) -> None:
        """Append a conditional."""
        self.block.append([IF, self.span(node.start_byte, node.end_byte), condition, then, other])

    # --- positions -------------------------------------------------------------------------------------------------

    def span(self, start: int, end: int) -> int:
        """Packed span of a byte range."""
        if not self.line_from <= start < self.line_to:
            starts = self.line_starts
            line = self.line = bisect_right(starts, start, 0, len(starts) - 1)
            self.line_from = starts[line - 1]
            self.line_to = starts[line]
        first = self.line_from
        column = start - first
        line = self.line
        if column > 4095 or line > 1048575:
            column, line = min(column, 4095), min(line, 1048575)
        if end <= self.line_to:
            end -= first
            return (line << 36) | (column << 24) | min(end, 4095)
        starts = self.line_starts
        last = bisect_right(starts, end, 0, len(starts) - 1)
        height = min(last - self.line, 4095)
        return (line << 36) | (column << 24) | (height << 12) | min(end - starts[last - 1], 4095)

    def text(self, node: Node) -> str:
        """Source text of a name-like node."""
        return self.properties[self.src[node.start_byte : node.end_byte]]

    def plain_name(self, node: Node) -> str:
        """A property name as written, without quotes."""
        text = self.text(node)
        return text[1:-1] if node.type == "string" else text

    # --- names -----------------------------------------------------------------------------------------------------

    def variable(self, node: Node) -> str:
        """The variable an identifier stands for here."""
        name = self.names[self.src[node.start_byte : node.end_byte]]
        if self.renames:
            return self.renames.get(name, name)
        return name

    def declare(self, node: Node) -> str:
        """The variable an identifier in a declaration binds; it belongs to this function."""
        raw = self.names[self.src[node.start_byte : node.end_byte]]
        name = self.renames.get(raw, raw)
        self.declared.add(name)
        self.visible.add(raw)
        return name

    def chain(self, start: int, end: int) -> Chain | None:
        """The dotted name written in a byte range, or None where it is more than that."""
        if end - start > _MAX_CHAIN:
            return None
        raw = self.src[start:end]
        try:
            return self.chains[raw]
        except KeyError:
            found = Chain(raw) if _CHAIN.fullmatch(raw) else None
            if len(self.chains) < _CACHED_NAMES:
                self.chains[raw] = found
            return found

    def suffix(self, start: int, node: Node) -> str:
        """Attribute name of a member expression whose object ends at ``start``."""
        end = node.end_byte
        if end - start > _MAX_CHAIN:
            return self.text(node.children[-1])
        raw = self.src[start:end]
        try:
            found = self.suffixes[raw]
        except KeyError:
            match = _SUFFIX.fullmatch(raw)
            found = match[1].decode("utf-8", "replace") if match else None
            if len(self.suffixes) < _CACHED_NAMES:
                self.suffixes[raw] = found
        return self.text(node.children[-1]) if found is None else found

    # --- bounds ----------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Remember what was left out; each note is kept once."""
        self.notes[text] = None

    def exhausted(self) -> bool:
        """Whether this function's nodes or the file's time are used up."""
        if self.spent > self.cap:
            self.capped = "nodes"
            self.note("a function has too many nodes; the rest of it was left out")
            return True
        if self.late:
            self.capped = "time"
            self.note("time limit reached; the rest was left out")
        return self.late

    def guard(self, handler: ValueOf) -> ValueOf:
        """The handler, counting nodes and bounding depth and time."""

        def guarded(node: Node) -> Operand:
            self.spent += 1
            if not self.spent & 255 and time.monotonic() > self.deadline:
                self.late = True
            if self.exhausted():
                return self.opaque(node)
            if self.depth >= self.limits.max_depth:
                self.note("expressions or statements nested too deep")
                return self.opaque(node)
            self.depth += 1
            try:
                return handler(node)
            finally:
                self.depth -= 1

        return guarded

    # --- offered by the parts --------------------------------------------------------------------------------------

    def statements(self, nodes: list[Node]) -> None:
        """Lower a list of statements as one block scope."""
        raise NotImplementedError

    def scoped(self, nodes: list[Node]) -> None:
        """Lower a list of statements as a nested block scope."""
        raise NotImplementedError

    def hoist(self, nodes: list[Node], kinds: list[int]) -> None:
        """Make the function declarations of a block before its first statement."""
        raise NotImplementedError

    def declared_names(self, node: Node) -> list[str]:
        """Names that a declaration statement binds."""
        raise NotImplementedError

    def pattern_names(self, node: Node) -> list[str]:
        """Names that a target binds."""
        raise NotImplementedError

    def body_block(self, node: Node) -> Block:
        """The block of one statement or statement block."""
        raise NotImplementedError

    def bind(self, target: Node, operand: Operand, declares: bool) -> None:
        """Assign a value to a name, a property or a pattern."""
        raise NotImplementedError

    def named_value(self, node: Node, name: str) -> Operand:
        """Value of an expression; a function or class without a name takes this one."""
        raise NotImplementedError

    def closure(self, node: Node, name: str, kind: str = "", flags: int = 0) -> int:
        """Operand of a function expression."""
        raise NotImplementedError

    def key(self, node: Node) -> Operand:
        """Operand of a property name."""
        raise NotImplementedError

    def arguments(self, node: Node) -> list[Any]:
        """Operands of an argument list."""
        raise NotImplementedError

    def decorator(self, node: Node) -> Decorator:
        """A decorator as written."""
        raise NotImplementedError

    def type_text(self, node: Node | None) -> str:
        """Text of a simple type annotation, or ""."""
        raise NotImplementedError


def _line_starts(source: bytes) -> list[int]:
    """Where each line starts, then one past the end of the source."""
    return [0, *accumulate([len(line) + 1 for line in source.split(b"\n")])]
