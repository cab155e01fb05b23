"""What a file mentions, gathered in one cheap pass, so that detectors need not index files that cannot concern them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from glasshouse.scan import ir


class NamedText(NamedTuple):
    """A constant text that is given to a name: variable, field, key, keyword or default."""

    name: str
    function: int
    value: str
    span: int


class Mentions(NamedTuple):
    """What was found.

    ``modules``: first parts of imported modules; ``called``: last names of what may be called; ``texts``: constants
    with a name; ``catches``: an exception is caught and named.  For each function, ``ops``: one bit for each kind of
    instruction in it; ``words``: names of calls and fields, declared types and types of casts, operators.
    """

    modules: frozenset[str]
    called: frozenset[str]
    texts: tuple[NamedText, ...]
    catches: bool
    ops: tuple[int, ...]
    words: tuple[set[str], ...]

    def having(self, op: int) -> Iterator[int]:
        """The functions, by index, that have such an instruction."""
        bit = 1 << op
        return (index for index, ops in enumerate(self.ops) if ops & bit)

    def may_call(self, paths: Iterable[str]) -> bool:
        """Whether any of the callee paths could be called here (never wrong when it says no)."""
        return any(path.rpartition(".")[2].replace("()", "") in self.called for path in paths)


_BITS = tuple(1 << op for op in range(max(ir.OP_NAMES) + 1))
_BLOCKS = ir.BLOCK_FIELDS
_TYPED = frozenset([ir.DECLARE, ir.BINOP, ir.CAST])
_CALL_METHOD, _CALL, _NEW = ir.CALL_METHOD, ir.CALL, ir.NEW
_MOVE, _ATTR, _SET_ATTR = ir.MOVE, ir.ATTR, ir.SET_ATTR
_latest: list[tuple[ir.File, Mentions]] = []


def mentions_of(file: ir.File) -> Mentions:
    """The mentions of a file; kept for the next detector that looks at the same file."""
    if _latest and _latest[0][0] is file:
        return _latest[0][1]
    found = _gather(file)
    _latest[:] = [(file, found)]
    return found


def _gather(file: ir.File) -> Mentions:
    modules = {item.module.partition(".")[0] for item in file.imports}
    called = {item.name or item.module.rpartition(".")[2] for item in file.imports}
    texts: list[NamedText] = []
    catches = False
    every_ops: list[int] = []
    every_words: list[set[str]] = []
    for index, function in enumerate(file.functions):
        consts = function.consts
        waiting = [function.body]
        names: set[str] = set()
        others: set[str] = set()
        ops = 0
        while waiting:
            for instr in waiting.pop():
                op = instr[0]
                ops |= _BITS[op]
                if op == _CALL_METHOD:
                    names.add(instr[4])
                    if instr[6]:
                        _keywords(texts, instr[6], index, consts, instr[1])
                elif op in (_MOVE, _SET_ATTR):
                    source = instr[-1]
                    if source.__class__ is int and source < 0 and consts[-1 - source].__class__ is str:
                        _name(texts, instr[-2], index, source, consts, instr[1])
                elif op == _ATTR:
                    names.add(instr[4])
                elif op in _TYPED:
                    others.add(instr[3])
                elif op in (_CALL, _NEW):
                    callee = instr[3]
                    if callee.__class__ is str:
                        names.add(callee.rpartition(".")[2])
                        others.add(callee)
                    if instr[5]:
                        _keywords(texts, instr[5], index, consts, instr[1])
                elif op in _BLOCKS:
                    waiting.extend([instr[place] for place in _BLOCKS[op]])
                    if op == ir.DEFAULT:
                        _name(texts, instr[2], index, instr[4], consts, instr[1])
                    elif op == ir.TRY:
                        for handler in instr[3]:
                            catches = catches or bool(handler[1])
                            waiting.append(handler[2])
                elif op == ir.SET_ITEM:
                    if instr[4].__class__ is int and instr[4] < 0:
                        _name(texts, _constant(consts, instr[3]), index, instr[4], consts, instr[1])
                elif op == ir.MAKE and instr[3] == "dict":
                    for item in instr[4]:
                        if item.__class__ is list and len(item) == 2:
                            _name(texts, _constant(consts, item[0]), index, item[1], consts, instr[1])
                elif op == ir.SWITCH:
                    waiting.extend(case[1] for case in instr[4])
        called |= names
        names |= others
        every_ops.append(ops)
        every_words.append(names)
    texts.sort(key=lambda item: (item.function, item.span))
    found = frozenset(modules), frozenset(called), tuple(texts), catches
    return Mentions(*found, tuple(every_ops), tuple(every_words))


def _keywords(texts: list[NamedText], pairs: list[Any], function: int, consts: list[object], span: int) -> None:
    for pair in pairs:
        if len(pair) == 2 and pair[1].__class__ is int and pair[1] < 0:
            _name(texts, pair[0], function, pair[1], consts, span)


def _constant(consts: list[object], operand: object) -> object:
    return consts[-1 - operand] if isinstance(operand, int) and operand < 0 else None


def _name(
    texts: list[NamedText], name: object, function: int, operand: object, consts: list[object], span: int
) -> None:
    value = _constant(consts, operand)
    if value.__class__ is str and value and isinstance(name, str) and name[:1] != "$":
        texts.append(NamedText(name, function, str(value), span))
