"""What a file mentions, gathered in one cheap pass, so that detectors need not index files that cannot concern them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

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
    with a name; ``catches``: an exception is caught and named.
    """

    modules: frozenset[str]
    called: frozenset[str]
    texts: tuple[NamedText, ...]
    catches: bool

    def may_call(self, paths: Iterable[str]) -> bool:
        """Whether any of the callee paths could be called here (never wrong when it says no)."""
        return any(path.rpartition(".")[2].replace("()", "") in self.called for path in paths)


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
    for index, function in enumerate(file.functions):
        consts = function.consts
        waiting = [function.body]
        while waiting:
            for instr in waiting.pop():
                op = instr[0]
                blocks = ir.BLOCK_FIELDS.get(op)
                if blocks is not None:
                    waiting.extend(instr[place] for place in blocks)
                    if op == ir.DEFAULT:
                        _name(texts, instr[2], index, instr[4], consts, instr[1])
                    elif op == ir.TRY:
                        for handler in instr[3]:
                            catches = catches or bool(handler[1])
                            waiting.append(handler[2])
                elif op == ir.CALL_METHOD or op == ir.CALL or op == ir.NEW:
                    method = op == ir.CALL_METHOD
                    callee = instr[4] if method else instr[3]
                    if isinstance(callee, str):
                        called.add(callee if method else callee.rpartition(".")[2])
                    for pair in instr[6] if method else instr[5]:
                        if len(pair) == 2 and pair[1].__class__ is int and pair[1] < 0:
                            _name(texts, pair[0], index, pair[1], consts, instr[1])
                elif op == ir.ATTR:
                    called.add(instr[4])
                elif op == ir.MOVE or op == ir.SET_ATTR:
                    source = instr[3] if op == ir.MOVE else instr[4]
                    if source.__class__ is int and source < 0:
                        _name(texts, instr[2] if op == ir.MOVE else instr[3], index, source, consts, instr[1])
                elif op == ir.SET_ITEM:
                    if instr[4].__class__ is int and instr[4] < 0:
                        _name(texts, _constant(consts, instr[3]), index, instr[4], consts, instr[1])
                elif op == ir.MAKE and instr[3] == "dict":
                    for item in instr[4]:
                        if item.__class__ is list and len(item) == 2:
                            _name(texts, _constant(consts, item[0]), index, item[1], consts, instr[1])
                elif op == ir.SWITCH:
                    waiting.extend(case[1] for case in instr[4])
    texts.sort(key=lambda item: (item.function, item.span))
    return Mentions(frozenset(modules), frozenset(called), tuple(texts), catches)


def _constant(consts: list[object], operand: object) -> object:
    return consts[-1 - operand] if isinstance(operand, int) and operand < 0 else None


def _name(
    texts: list[NamedText], name: object, function: int, operand: object, consts: list[object], span: int
) -> None:
    value = _constant(consts, operand)
    if value.__class__ is str and value and isinstance(name, str) and name[:1] != "$":
        texts.append(NamedText(name, function, str(value), span))
