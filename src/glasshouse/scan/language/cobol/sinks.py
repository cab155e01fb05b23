"""Where data from outside does harm, and what is left unchecked: facts about one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from glasshouse.scan.language.cobol.state import State, Taint
from glasshouse.scan.language.cobol.statements import Statement
from glasshouse.scan.language.cobol.tokens import Token

_RUNS_COMMANDS = frozenset({"SYSTEM", "C$SYSTEM", "CBL_EXEC_RUN_UNIT", "X91", "BPXWDYN", "CBL_RUN_COMMAND"})
_OPENS_FILES = frozenset(
    "CBL_OPEN_FILE CBL_CREATE_FILE CBL_DELETE_FILE CBL_RENAME_FILE CBL_COPY_FILE CBL_CREATE_DIR CBL_DELETE_DIR "
    "CBL_CHANGE_DIR C$DELETE C$COPY C$RENAME C$CHDIR C$MAKEDIR".split()
)
_ARITHMETIC = frozenset({"ADD", "SUBTRACT", "MULTIPLY", "DIVIDE", "COMPUTE"})
_CICS_PROGRAMS = frozenset({"LINK", "XCTL", "START", "LOAD"})


class Fact(NamedTuple):
    """One place: which check, where, about which item, and what comes in."""

    check: str
    at: Token
    name: str
    source: str = ""
    weak: bool = False
    paragraph: str = ""


def facts(statement: Statement, state: State) -> Iterator[Fact]:
    """What a statement does with what is known before it."""
    words = statement.tokens[1:]
    match statement.verb:
        case "CALL":
            yield from _call(words, state)
        case "EXEC":
            yield from _exec(words, state)
        case "OPEN":
            for token in words:
                entry = state.data.files.get(token.text) if token.kind == "word" else None
                if entry is not None and entry.assigned:
                    yield from _text("file-name", token, entry.assigned, state)
        case verb if verb in _ARITHMETIC:
            yield from _arithmetic(words, state)
    if not statement.blocks or statement.verb == "IF":
        yield from _subscripts(words, state)


def _text(check: str, at: Token, name: str, state: State) -> Iterator[Fact]:
    """A fact where an item holds text from outside."""
    taint = state.get(name)
    if taint is not None and not taint.digits:
        yield Fact(check, at, name, told(taint), taint.weak)


def told(taint: Taint) -> str:
    """The source in words."""
    return f"{taint.source} (line {taint.line})" if taint.line else taint.source


def _call(words: Sequence[Token], state: State) -> Iterator[Fact]:
    if not words:
        return
    program = words[0]
    if program.kind == "word":
        yield from _text("dynamic-call", program, program.text, state)
        return
    name = program.text.upper()
    check = "os-command" if name in _RUNS_COMMANDS else "file-name" if name in _OPENS_FILES else ""
    if check:
        for token in words[1:]:
            if token.kind == "word" and state.get(token.text) is not None:
                yield from _text(check, token, token.text, state)
                return


def _exec(words: Sequence[Token], state: State) -> Iterator[Fact]:
    kind = words[0].text if words else ""
    rest = words[1:]
    if kind == "SQL" and rest:
        if rest[0].word("PREPARE") or (rest[0].word("EXECUTE") and len(rest) > 1 and rest[1].word("IMMEDIATE")):
            start = next((n for n, token in enumerate(rest) if token.word("FROM", "IMMEDIATE")), 0)
            for token in rest[start + 1 :]:
                if token.kind == "word":
                    yield from _text("dynamic-sql", token, token.text, state)
        elif rest[0].word("CONNECT"):
            for at, token in enumerate(rest[:-1]):
                if token.word("BY", "USING") and rest[at + 1].kind == "literal" and rest[at + 1].text:
                    yield Fact("credential", rest[at + 1], "CONNECT")
    elif kind == "CICS" and rest:
        for at, token in enumerate(rest[:-2]):
            in_brackets = rest[at + 1].mark("(") and rest[at + 2].kind == "word"
            if rest[0].text in _CICS_PROGRAMS and token.word("PROGRAM", "TRANSID") and in_brackets:
                yield from _text("cics-program", rest[at + 2], rest[at + 2].text, state)
            elif token.word("FILE", "DATASET") and in_brackets:
                yield from _text("file-name", rest[at + 2], rest[at + 2].text, state)


def _arithmetic(words: Sequence[Token], state: State) -> Iterator[Fact]:
    if any(token.word("SIZE", "ERROR") for token in words):
        return
    for token in words:
        taint = state.get(token.text) if token.kind == "word" else None
        if taint is not None and token.text not in state.checked:
            yield Fact("size-error", token, token.text, told(taint), taint.weak)
            return


def _subscripts(words: Sequence[Token], state: State) -> Iterator[Fact]:
    """``TABLE-ITEM (INDEX)`` and ``ITEM (START : LENGTH)`` with a number from outside that was not compared."""
    for at, token in enumerate(words[:-2]):
        if token.kind != "word" or not words[at + 1].mark("("):
            continue
        item = state.data.items.get(token.text)
        if item is None:
            continue
        end = next((n for n in range(at + 2, min(at + 20, len(words))) if words[n].mark(")")), at + 2)
        inside = words[at + 2 : end]
        if not item.table and not any(each.mark(":") for each in inside):
            continue
        for each in inside:
            taint = state.get(each.text) if each.kind == "word" else None
            if taint is not None and each.text not in state.checked:
                yield Fact("subscript", each, each.text, told(taint), taint.weak)
                break
