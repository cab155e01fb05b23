"""What the lowering of one file knows while it walks: text, scopes, the open function, and the bounds it works under.

Handlers are plain functions ``(state, node)`` registered by node type in ``EXPRESSIONS`` and ``STATEMENTS``; ``expr``
and ``statement`` are the only ways to them, so depth, node and time bounds hold everywhere.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Block, Builder, Class, Function, Import, Operand, Param
from glasshouse.scan.language.interface import LowerLimits

ExprHandler = Callable[["Lowering", Node], Operand]
StatementHandler = Callable[["Lowering", Node], None]

EXPRESSIONS: dict[str, ExprHandler] = {}
STATEMENTS: dict[str, StatementHandler] = {}
AnonymousHandler = Callable[["Lowering", Node, Node, str], int]
MEMBERS: dict[str, AnonymousHandler] = {}  # "anonymous": lowers a class body, gives its index
COMMENTS = frozenset({"line_comment", "block_comment"})

OPAQUE = "$opaque"  # a name that nothing binds: its value is unknown
_CLOCK_EVERY = 20_000  # nodes between two looks at the clock


class ClassScope:
    """Names a class declares, for deciding what a bare name means.  Values tell whether the member is static."""

    __slots__ = ("bases", "captured", "exported", "fields", "index", "methods", "name", "outer", "qualname")

    def __init__(self, name: str, qualname: str, outer: ClassScope | None, captured: frozenset[str]) -> None:
        self.name = name
        self.qualname = qualname
        self.outer = outer
        self.captured = captured
        self.index = -1
        self.exported = False
        self.bases = False
        self.fields: dict[str, bool] = {}
        self.methods: dict[str, bool] = {}


class Frame:
    """The function that is being lowered."""

    __slots__ = ("builder", "class_body", "declared", "function", "index", "labels", "locals", "static", "yields")

    def __init__(self, index: int, function: Function, names: set[str], static: bool) -> None:
        self.index = index
        self.function = function
        self.builder = Builder()
        self.locals = names
        self.declared: list[str] = []
        self.static = static
        self.class_body: ClassScope | None = None
        self.yields: list[tuple[str, str]] = []  # (label, result variable) of the open switch expressions
        self.labels = 0


class Lowering:
    """State of one file."""

    def __init__(self, source: bytes, path: str, limits: LowerLimits, test: bool) -> None:
        self.path = path
        self.limits = limits
        self.text = source.decode("latin-1")  # one character per byte, so byte offsets index it
        self.starts = [0]
        find, at = source.find, source.find(b"\n")
        while at >= 0:
            self.starts.append(at + 1)
            at = find(b"\n", at + 1)
        self.line_count = len(self.starts) - (1 if self.starts[-1] == len(source) else 0)
        self.starts.append(len(source) + 1)
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.imports: list[Import] = []
        self.static_names: set[str] = set()  # names imported by `import static`
        self.static_star = False
        self.package = ""
        self.notes: list[str] = []
        self.test_flag = ir.TEST if test else 0
        self.export_all = False  # a snippet without package and public type: its classes are what users paste
        self.records: dict[str, list[str]] = {}
        self.types: dict[str, str] = {}
        self.page_texts: dict[int, str] = {}  # byte offset -> expression-language text (JSP)
        self.scope: ClassScope | None = None
        module = Function("<module>", "", "module", [], [], [], 0, ir.pack_span(1, 0, 1, 0), flags=self.test_flag)
        self.functions.append(module)
        self.frame = Frame(0, module, set(), False)
        self.builder = self.frame.builder
        self.locals = self.frame.locals
        self.depth = 0
        self.max_depth = limits.max_depth
        self.nodes = 0
        self.stop_at = 0
        self.stopped = ""
        self.function_end = limits.max_function_nodes
        self.function_capped = False
        self.deadline = time.monotonic() + limits.max_seconds
        self.anonymous = 0
        self.pending_label = ""
        self._noted: set[str] = set()

    # --- text and places -------------------------------------------------------------------------------------------
    def word(self, node: Node) -> str:
        """The source text of a node."""
        text = self.text[node.start_byte : node.end_byte]
        return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

    def span(self, node: Node) -> int:
        """The packed span of a node."""
        start, end, starts = node.start_byte, node.end_byte, self.starts
        line = bisect_right(starts, start)
        begin = starts[line - 1]
        column = start - begin
        if end <= starts[line]:
            last = end - begin
            if last < 4096 and line < 1048576:
                return (line << 36) | (column << 24) | last
            return ir.pack_span(line, column, line, last)
        end_line = bisect_right(starts, end)
        return ir.pack_span(line, column, end_line, end - starts[end_line - 1])

    def note(self, text: str) -> None:
        """Record once what was capped or could not be lowered."""
        if text not in self._noted:
            self._noted.add(text)
            self.notes.append(text)

    # --- bounds ----------------------------------------------------------------------------------------------------
    def spent(self) -> bool:
        """Whether a bound is reached: nothing more is lowered in this function or file."""
        if self.stopped:
            return True
        if time.monotonic() > self.deadline:
            self.stopped = "time limit"
        elif self.nodes > self.limits.max_nodes:
            self.stopped = "node limit"
        if self.stopped:
            self.note(f"{self.stopped} reached; the rest of the file was not lowered")
            self.stop_at = -1
            return True
        if self.nodes > self.function_end:
            if not self.function_capped:
                self.function_capped = True
                self.note(f"node limit of one function reached in {self.frame.function.qualname or 'the file'}")
            self.stop_at = -1
            return True
        self.stop_at = min(self.nodes + _CLOCK_EVERY, self.function_end, self.limits.max_nodes)
        return False

    # --- functions -------------------------------------------------------------------------------------------------
    def open_function(
        self,
        kind: str,
        name: str,
        qualname: str,
        node: Node,
        params: list[Param],
        flags: int = 0,
        captured: Iterable[str] = (),
        static: bool = False,
    ) -> Frame:
        """Start a function and make it current; returns the frame to hand to ``close_function``."""
        before = self.frame
        function = Function(
            name=name,
            qualname=qualname,
            kind=kind,
            params=params,
            body=[],
            consts=[],
            temps=0,
            span=self.span(node),
            cls=self.scope.index if self.scope is not None else -1,
            parent=before.index,
            flags=flags | self.test_flag,
        )
        names = set(captured)
        names.update(param.name for param in params)
        self.frame = Frame(len(self.functions), function, names, static)
        self.functions.append(function)
        self.builder = self.frame.builder
        self.locals = names
        if before.function.kind == "module":
            self.function_end = self.nodes + self.limits.max_function_nodes
            if not self.stopped:
                self.stop_at = self.nodes
        return before

    def close_function(self, before: Frame) -> int:
        """Finish the current function, go back to ``before`` and give the finished function's index."""
        index = self.frame.index
        self.finish()
        self.frame = before
        self.builder = before.builder
        self.locals = before.locals
        if before.function.kind == "module" and self.function_capped:
            self.function_capped = False
            self.function_end = self.nodes + self.limits.max_function_nodes
            self.stop_at = -1 if self.stopped else self.nodes
        return index

    def finish(self) -> None:
        """Put what was built into the current function."""
        function, builder = self.frame.function, self.frame.builder
        function.body = builder.block
        function.consts = builder.consts
        function.temps = builder.temps
        function.capped = self.stopped or ("node limit" if self.function_capped else "")

    # --- instructions ----------------------------------------------------------------------------------------------
    def value(self, op: int, span: int, *fields: object) -> int:
        """Emit an instruction whose first field is a new temporary; gives that temporary."""
        builder = self.builder
        temp = builder.temps
        builder.temps = temp + 1
        builder.block.append([op, span, temp, *fields])
        return temp

    def opaque(self, node: Node) -> int:
        """A value nothing is known about."""
        return self.value(ir.CALL, self.span(node), OPAQUE, [], [])

    def declare(self, name: str) -> None:
        """Make a name a local of the innermost block."""
        if name not in self.locals:
            self.locals.add(name)
            self.frame.declared.append(name)

    def label(self) -> str:
        """A loop or block label that cannot occur in source text."""
        self.frame.labels += 1
        return f"$l{self.frame.labels}"


def expr(lo: Lowering, node: Node) -> Operand:
    """Lower an expression; gives the operand that holds its value."""
    kind = node.type
    if kind == "identifier":
        name = lo.text[node.start_byte : node.end_byte]
        if name in lo.locals:
            return name
        return EXPRESSIONS["identifier"](lo, node)
    handler = EXPRESSIONS.get(kind)
    if handler is None:
        return _unknown(lo, node, kind)
    lo.nodes += 1
    if lo.nodes > lo.stop_at and lo.spent():
        return OPAQUE
    if lo.depth > lo.max_depth:
        lo.note("nesting limit reached; deeper expressions were not lowered")
        return lo.opaque(node)
    lo.depth += 1
    result = handler(lo, node)
    lo.depth -= 1
    return result


def statement(lo: Lowering, node: Node) -> None:
    """Lower a statement into the current block."""
    kind = node.type
    handler = STATEMENTS.get(kind)
    if handler is None:
        if kind in EXPRESSIONS:
            expr(lo, node)
        return
    lo.nodes += 1
    if lo.nodes > lo.stop_at and lo.spent():
        return
    if lo.depth > lo.max_depth:
        lo.note("nesting limit reached; deeper statements were not lowered")
        return
    lo.depth += 1
    handler(lo, node)
    lo.depth -= 1


def statements(lo: Lowering, nodes: list[Node]) -> None:
    """Lower a sequence of statements in a scope of its own."""
    declared = lo.frame.declared
    mark = len(declared)
    for node in nodes:
        statement(lo, node)
        if lo.stop_at < 0:
            break
    if len(declared) > mark:
        lo.locals.difference_update(declared[mark:])
        del declared[mark:]


def nested(lo: Lowering, node: Node | None) -> Block:
    """Lower one statement (or nothing) into a block of its own."""
    builder = lo.builder
    saved = builder.block
    block: Block = []
    if node is None:
        return block
    builder.block = block
    if node.type == "block":
        lo.nodes += 1
        if lo.depth > lo.max_depth:
            statement(lo, node)
        else:
            lo.depth += 1
            statements(lo, node.children)
            lo.depth -= 1
    else:
        statements(lo, [node])
    builder.block = saved
    return block


def _unknown(lo: Lowering, node: Node, kind: str) -> Operand:
    if kind == "ERROR" and node.named_child_count:
        for child in node.named_children:
            if child.type in EXPRESSIONS:
                return expr(lo, child)
    return lo.opaque(node)
