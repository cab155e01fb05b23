"""Marks what users of a file can reach: what it exports or, in a plain script, what stands at its top level."""

from __future__ import annotations

from glasshouse.scan.ir import (
    ATTR,
    CALL,
    CALL_METHOD,
    CLASS,
    CLOSURE,
    EXPORTED,
    IF,
    MAKE,
    MOVE,
    NEW,
    RETURN,
    SET_ATTR,
    TRY,
    Block,
    Class,
    Function,
    Instr,
    Operand,
)

_MAX_VISITS = 100_000
_MAX_MOVES = 8  # moves followed to a function that is called
_MAX_DEPTH = 3  # functions inside functions whose results are looked at


class _Marker:
    """Follows the module body's values from its exports to functions and classes."""

    def __init__(self, functions: list[Function], classes: list[Class], hidden: set[int], depth: int = 0) -> None:
        self.depth = depth
        self.returned: list[Operand] = []
        self.hidden = hidden
        self.functions = functions
        self.classes = classes
        self.makers: dict[Operand, list[Instr]] = {}  # what makes a temporary or is assigned to a variable
        self.members: dict[Operand, list[Operand]] = {}  # what is stored in a value's attributes
        self.seen: set[Operand] = set()

    def read(self, block: Block) -> None:
        pending = [block]
        while pending:
            for instruction in pending.pop():
                op = instruction[0]
                if op == IF:
                    pending += (instruction[3], instruction[4])
                elif op == TRY:
                    pending.append(instruction[2])
                elif op == SET_ATTR:
                    self.members.setdefault(instruction[2], []).append(instruction[4])
                elif op == RETURN:
                    self.returned.append(instruction[2])
                elif op in (ATTR, CALL, CALL_METHOD, CLASS, CLOSURE, MAKE, MOVE, NEW):
                    self.makers.setdefault(instruction[2], []).append(instruction)

    def mark(self, roots: list[Operand]) -> None:
        """Mark everything that the roots lead to."""
        pending = list(roots)
        # F.prototype is a value of its own: its members belong to F.
        owners: dict[Operand, list[Operand]] = {}
        for operand, makers in self.makers.items():
            for maker in makers:
                if maker[0] == ATTR and maker[4] == "prototype":
                    owners.setdefault(maker[3], []).append(operand)
        while pending and len(self.seen) < _MAX_VISITS:
            operand = pending.pop()
            if operand in self.seen or (isinstance(operand, int) and operand < 0):
                continue
            self.seen.add(operand)
            pending += self.members.get(operand, ())
            pending += owners.get(operand, ())
            for maker in self.makers.get(operand, ()):
                pending += self._follow(maker)

    def _follow(self, maker: Instr) -> list[Operand]:
        op = maker[0]
        if op == CLOSURE:
            self.functions[maker[3]].flags |= EXPORTED
        elif op == CLASS:
            self.mark_class(self.classes[maker[3]])
        elif op == MOVE:
            return [maker[3]]
        elif op == MAKE:
            return _items(maker[4])
        elif op == NEW:
            return [maker[3], *_items(maker[4])]
        elif op == CALL:
            self.mark_results(maker[3])
            return _items(maker[4])
        elif op == CALL_METHOD:
            return _items(maker[5])
        return []

    def mark_results(self, callee: Operand) -> None:
        """Mark what a function returns that is called on the spot: ``module.exports = (function () { ... })()``."""
        for _ in range(_MAX_MOVES):
            makers = self.makers.get(callee, ())
            if len(makers) != 1 or makers[0][0] not in (MOVE, CLOSURE):
                return
            if makers[0][0] == CLOSURE:
                self.mark_returned(makers[0][3])
                return
            callee = makers[0][3]

    def mark_returned(self, index: int) -> None:
        """Mark what a function of the file returns."""
        if self.depth < _MAX_DEPTH:
            inner = _Marker(self.functions, self.classes, self.hidden, self.depth + 1)
            inner.read(self.functions[index].body)
            inner.mark(inner.returned)

    def mark_factories(self) -> None:
        """Mark what functions return that are handed to a wrapper which exports it (UMD)."""
        for makers in list(self.makers.values()):
            for maker in makers:
                if maker[0] == CALL:
                    for item in _items(maker[4]):
                        for closure in self.makers.get(item, ()):
                            if closure[0] == CLOSURE:
                                self.mark_returned(closure[3])

    def mark_class(self, cls: Class) -> None:
        cls.flags |= EXPORTED
        for name, index in cls.methods:
            if index not in self.hidden and not name.startswith("#"):
                self.functions[index].flags |= EXPORTED
        if cls.init >= 0:
            body = self.functions[cls.init].body
            closures = {instruction[2]: instruction[3] for instruction in body if instruction[0] == CLOSURE}
            for instruction in body:
                if instruction[0] == SET_ATTR and instruction[4] in closures and not instruction[3].startswith("#"):
                    self.functions[closures[instruction[4]]].flags |= EXPORTED


def _items(items: list[Operand | list[Operand]]) -> list[Operand]:
    return [item[-1] if isinstance(item, list) else item for item in items]


def mark_exported(
    functions: list[Function], classes: list[Class], hidden: set[int], is_module: bool, exporting: set[int]
) -> None:
    """Set EXPORTED on the functions and classes that other files can reach.

    ``hidden`` methods are private; ``exporting`` functions write exports, as the module body does.
    """
    if is_module:
        for index in sorted({0} | exporting):
            marker = _Marker(functions, classes, hidden)
            marker.read(functions[index].body)
            marker.mark(["$exports"])
        if exporting - {0}:
            wrapped = _Marker(functions, classes, hidden)
            wrapped.read(functions[0].body)
            wrapped.mark_factories()
        return
    marker = _Marker(functions, classes, hidden)
    marker.read(functions[0].body)
    named = [operand for operand in marker.makers if isinstance(operand, str) and not operand.startswith("$")]
    held = [operand for operand in marker.members if isinstance(operand, int)]
    marker.mark([*named, *held])
