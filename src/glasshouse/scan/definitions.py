"""Names of a file that come, go or change with an edit, where nothing can notice but code that holds them.

A *plain definition* is an undecorated function at the top of a Python file, or an undecorated method of a class there.
A *plain binding* is a statement at the top of a Python file that gives a name a constant, or a module or something in
it by import.  Their coming or going changes nothing but one name of a module or class, and that is looked up by name
only: in functions that hold the name (``noticing``), and where code has put the name together, which units tell
(``asked``).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions

Binding = list[Any]
"""What a name is given: ``[constant]``, or ``[module, name in it]``."""

PLAIN_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
NO_OPERANDS = {ir.IMPORT: (5,), ir.YIELD: (4,), ir.CLOSURE: (3,), ir.CLASS: (3,)}  # where instructions hold numbers


def plain_definitions(file: ir.File, names: Iterable[tuple[int, int]]) -> dict[int, tuple[int, str]]:
    """Which functions of a file are plain definitions: class and name by index.

    ``names``: indexes of functions, and which of several of the same name each is.
    """
    if file.language != "python":
        return {}
    found = {}
    for index, number in names:
        function = file.functions[index]
        if number or function.decorators or function.parent != 0 or not plain(function.name):
            continue
        cls = function.cls
        top = function.kind == "method" and file.classes[cls].parent < 0 and file.classes[cls].qualname.isidentifier()
        if top or (function.kind == "function" and function.qualname == function.name):
            found[index] = cls, function.name
    return found


def plain_bindings(file: ir.File) -> dict[str, Binding]:
    """What the plain bindings of a file give to which names."""
    found: dict[str, list[Binding]] = {}
    if file.language == "python" and file.functions:
        module = file.functions[0]
        for ins in module.body:
            if ins[0] in (ir.MOVE, ir.IMPORT) and ins[2].__class__ is str:
                found.setdefault(ins[2], []).append(bound(ins, module.consts))
    return {name: given[0] for name, given in found.items() if len(given) == 1 and given[0] and plain(name)}


def bound(ins: ir.Instr, consts: Sequence[Any]) -> Binding:
    """What a statement gives to a name, if that is plain."""
    if ins[0] == ir.IMPORT:
        return [ins[3], ins[4]] if ins[5] == 0 else []
    return [consts[-1 - ins[3]]] if ins[3].__class__ is int and ins[3] < 0 else []


def plain(name: str) -> bool:
    return PLAIN_NAME.fullmatch(name) is not None


def without(function: ir.Function, functions: Collection[int], names: Collection[str]) -> tuple[list[int], ir.Block]:
    """A body without the statements that define some functions or bind names, and the temporaries that these used."""
    kept: ir.Block = []
    temps: list[int] = []
    skipped = False
    for ins, after in zip_longest(function.body, function.body[1:]):
        if skipped:
            skipped = False
        elif ins[0] == ir.CLOSURE and ins[3] in functions and after and after[0] == ir.MOVE and after[3] == ins[2]:
            temps.append(ins[2])
            skipped = True
        elif ins[0] not in (ir.MOVE, ir.IMPORT) or ins[2] not in names or not bound(ins, function.consts):
            kept.append(ins)
    return sorted(temps), kept


class Shifted:
    """Instructions as if some temporaries had never been, with constants themselves in them."""

    def __init__(self, gone: list[int], consts: Sequence[Any]) -> None:
        self._gone = gone
        self._consts = consts

    def block(self, block: ir.Block) -> ir.Block:
        return [self.instruction(ins) for ins in block]

    def instruction(self, ins: ir.Instr) -> ir.Instr:
        op = ins[0]
        blocks, numbers = ir.BLOCK_FIELDS.get(op, ()), NO_OPERANDS.get(op, ())
        made = ins[:2]
        for position, item in enumerate(ins[2:], 2):
            if position in blocks:
                made.append(self.block(item))
            elif position in numbers:
                made.append(item)
            elif op == ir.TRY and position == 3:
                made.append([[kinds, variable, self.block(inner)] for kinds, variable, inner in item])
            elif op == ir.SWITCH and position == 4:
                made.append([[self.operands(subjects), self.block(inner)] for subjects, inner in item])
            else:
                made.append(self.operands(item))
        return made

    def operands(self, item: Any) -> Any:
        if item.__class__ is int:
            return item - bisect_left(self._gone, item) if item >= 0 else ["=", self._consts[-1 - item]]
        return [self.operands(each) for each in item] if item.__class__ is list else item


def noticing(file: ir.File, names: Collection[str], own: bool) -> set[int] | None:
    """Functions of a file that hold one of some names; None if anything else of it does (imports, bodies of classes).

    ``own``: they are names of this file, or it may have them by importing all names of theirs; else variables of the
    same name are others.  Where a name is given a value, nothing is looked up.
    """
    holds = Holding(names, own)
    if any(entry.name in names or (own and holds.text(entry.module)) for entry in file.imports):
        return None
    if any(holds.texts((cls.bases, cls.fields, cls.decorators)) for cls in file.classes):
        return None
    named = {index for index, function in enumerate(file.functions) if function.name in names}
    found = set()
    for index, function in enumerate(file.functions):
        called = function.kind in ir.CALLED
        body = function.body if called else without(function, named, names)[1]
        if holds.constants(function.consts) or holds.head(function) or holds.code(body):
            if not called:
                return None
            found.add(index)
    return found


LOOKED_UP = {ir.ATTR: 4, ir.SET_ATTR: 3, ir.CALL_METHOD: 4, ir.IMPORT: 4}
"""Where instructions hold a name that is no variable, counted with ``op`` and ``span``."""
TYPES = {ir.DECLARE: 3, ir.CAST: 3, ir.IS_TYPE: 4}
"""Where they hold texts of types."""


class Holding:
    """Whether code holds one of some names (see ``noticing``)."""

    def __init__(self, names: Collection[str], own: bool) -> None:
        before = r"(?<![A-Za-z0-9_])" if own else r"(?<=\.)"  # of another file, only what comes after a dot
        self._word = re.compile(rf"{before}(?:{'|'.join(map(re.escape, sorted(names)))})(?![A-Za-z0-9_])")
        self._names = names
        self._own = own

    def text(self, text: str) -> bool:
        return self._word.search(text) is not None

    def texts(self, item: Any) -> bool:
        """Types, names of classes, and arguments of decorators, however they are put together."""
        return any(map(self.text, strings(item)))

    def constants(self, consts: Sequence[Any]) -> bool:
        """Names that are constants; those that code puts together are told by the units."""
        return any(const in self._names for const in consts if const.__class__ is str)

    def head(self, function: ir.Function) -> bool:
        return self.texts((function.params, function.decorators, function.outer, function.returns))

    def code(self, body: ir.Block) -> bool:
        if self._own:
            return self.texts(body)
        for ins in instructions(body):
            op = ins[0]
            if op in LOOKED_UP and ins[LOOKED_UP[op]] in self._names:
                return True
            if op in TYPES and self.texts(ins[TYPES[op]]):
                return True
        return False


def strings(item: Any) -> Iterator[str]:
    """All texts in something."""
    pending = [msgspec.to_builtins(item)]
    while pending:
        each = pending.pop()
        if each.__class__ is str:
            yield each
        elif each.__class__ in (list, tuple):
            pending.extend(each)
        elif each.__class__ is dict:
            pending.extend((*each, *each.values()))


def mentioned(names: Iterable[str], blobs: Collection[bytes]) -> bool:
    """Whether lowered files may hold one of the names, or a longer one that begins with it."""
    for name in names:
        text = name.encode()
        word = re.compile(
            rb"(?:(?<![A-Za-z0-9_])|(?<=\xd9.)|(?<=\xda..))" + text, re.DOTALL
        )  # a long string has its length before it; what follows is another item, which may look like a letter
        if any(text in blob and word.search(blob) for blob in blobs):
            return True
    return False
