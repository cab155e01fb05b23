"""Runs a program over what is known of its data: paragraphs in order, PERFORM and GO TO, branches apart and joined."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from glasshouse.scan.language.cobol import sinks
from glasshouse.scan.language.cobol.conditions import refine
from glasshouse.scan.language.cobol.data import Data
from glasshouse.scan.language.cobol.state import State, Taint
from glasshouse.scan.language.cobol.statements import Paragraph, Procedure, Statement
from glasshouse.scan.language.cobol.tokens import Token

MAX_RUN = 150_000
"""Statements run in one program; a branch counts each time it is taken."""
MAX_DEPTH = 40
_CLOCK = frozenset({"DATE", "DAY", "TIME", "DAY-OF-WEEK"})
_RECEIVES = frozenset({"WEB READ", "WEB RECEIVE", "WEB EXTRACT", "GET CONTAINER", "READQ TD", "DOCUMENT RETRIEVE"})
_LEAVES = frozenset({"GOBACK", "STOP"})


class Engine:
    """One program.  ``found`` holds what was found, each place once."""

    def __init__(self, data: Data, procedure: Procedure, deadline: float) -> None:
        self.data, self.procedure, self.deadline = data, procedure, deadline
        self.found: dict[tuple[str, int, int], sinks.Fact] = {}
        self.paragraph = ""
        self.run_count = 0
        self.capped = self.too_deep = False
        self.seen: set[int] = set()
        self.jumps: set[str] = set()

    def run(self) -> list[sinks.Fact]:
        """Everything found, by place."""
        state = State(self.data)
        for name in self.procedure.parameters:
            state.put(name, Taint("a parameter of the program", self._line_of(name), weak=True))
        if "DFHCOMMAREA" in self.data.items:
            state.put("DFHCOMMAREA", Taint("the communication area", self._line_of("DFHCOMMAREA")))
        self.paragraphs(self.procedure.paragraphs, state, 0)
        for paragraph in self.procedure.paragraphs:  # reached in ways that are not followed: handlers, ALTER, ENTRY
            if id(paragraph) not in self.seen:
                self.paragraphs([paragraph], state.copy(), 0)
        return sorted(self.found.values(), key=lambda fact: (fact.at.line, fact.at.column, fact.check))

    def _line_of(self, name: str) -> int:
        item = self.data.items.get(name)
        return item.at.line if item is not None else 0

    def paragraphs(self, members: Sequence[Paragraph], state: State, depth: int) -> bool:
        """Runs paragraphs one after the other; whether control goes on after the last."""
        outer = self.paragraph
        for paragraph in members:
            self.seen.add(id(paragraph))
            self.paragraph = paragraph.name or paragraph.section
            if not self.block(paragraph.body, state, depth):
                self.paragraph = outer
                return False
        self.paragraph = outer
        return True

    def block(self, body: Iterable[Statement], state: State, depth: int) -> bool:
        """Runs statements; false where control leaves."""
        for statement in body:
            self.run_count += 1
            late = self.run_count % 128 == 0 and time.monotonic() > self.deadline
            if self.capped or late or self.run_count > MAX_RUN:
                self.capped = True
                return False
            if not self.statement(statement, state, depth):
                return False
        return True

    def statement(self, statement: Statement, state: State, depth: int) -> bool:
        """One statement; false where control leaves."""
        for fact in sinks.facts(statement, state):
            key = (fact.check, fact.at.line, fact.at.column)
            self.found.setdefault(key, fact._replace(paragraph=self.paragraph))
        match statement.verb:
            case "IF":
                return self._if(statement, state, depth)
            case "EVALUATE" | "SEARCH":
                return self._cases(statement, state, depth)
            case "PERFORM":
                self._perform(statement, state, depth)
            case "GO":
                return self._go(statement, state, depth)
            case "EXIT":
                return not any(token.word("PROGRAM", "SECTION", "PARAGRAPH", "PERFORM") for token in statement.tokens)
            case "EXEC":
                return self._exec(statement, state)
            case _:
                if statement.verb in _LEAVES:
                    return False
                flow(statement, state)
        return True

    def _if(self, statement: Statement, state: State, depth: int) -> bool:
        condition = list(statement.tokens[1:])
        first = state.copy()
        refine(first, condition, holds=True)
        refine(state, condition, holds=False)
        goes_on = self.block(statement.blocks[0][1], first, depth)
        other = len(statement.blocks) < 2 or self.block(statement.blocks[1][1], state, depth)
        if goes_on and other:
            state.join(first)
        elif goes_on:
            state.taints, state.checked = first.taints, first.checked
        return goes_on or other

    def _cases(self, statement: Statement, state: State, depth: int) -> bool:
        subject = [token for token in statement.tokens[1:] if token.kind == "word"]
        name = subject[0].text if statement.verb == "EVALUATE" and len(subject) == 1 else ""
        ways: list[State] = []
        complete = False
        for condition, body in statement.blocks:
            way = state.copy()
            complete = complete or any(token.word("OTHER") for token in condition)
            if name == "TRUE" or statement.verb == "SEARCH":
                refine(way, condition, holds=True)
                if statement.verb == "SEARCH":  # found in a table of the program's own
                    for token in condition:
                        if token.kind == "word" and not self.data.below(token.text)[1:]:
                            way.clear(token.text)
            elif (
                name
                and condition
                and all(token.kind in ("literal", "number") or token.word("THRU") for token in condition)
            ):
                way.clear(name)
            if self.block(body, way, depth):
                ways.append(way)
        if complete and ways:
            state.taints, state.checked = ways[0].taints, ways[0].checked
            ways = ways[1:]
        elif complete:
            return False
        for way in ways:
            state.join(way)
        return True

    def _perform(self, statement: Statement, state: State, depth: int) -> None:
        words = statement.tokens[1:]
        if statement.blocks:
            refine(state, words, holds=False)
            for _ in range(2):
                way = state.copy()
                self.block(statement.blocks[0][1], way, depth)
                state.join(way)
            return
        first = words[0].text if words else ""
        last = first
        for at, token in enumerate(words[:-1]):
            if token.word("THRU", "THROUGH"):
                last = words[at + 1].text
        refine(state, words[1:], holds=False)
        if depth < MAX_DEPTH:
            self.paragraphs(self.procedure.span(first, last), state, depth + 1)
        else:
            self.too_deep = True

    def _go(self, statement: Statement, state: State, depth: int) -> bool:
        """The rest of the program from there, once for each place that jumps; control does not come back."""
        names = [
            token.text
            for token in statement.tokens[1:]
            if token.kind == "word" and not token.word("TO", "DEPENDING", "ON")
        ]
        for name in names:
            if name in self.jumps or depth >= MAX_DEPTH:
                continue
            members = self.procedure.paragraphs
            start = next((n for n, each in enumerate(members) if each.name == name), -1)
            if start >= 0:
                self.jumps.add(name)
                self.paragraphs(members[start:], state.copy(), depth + 1)
                self.jumps.discard(name)
        return False

    def _exec(self, statement: Statement, state: State) -> bool:
        words = statement.tokens[1:]
        kind = words[0].text if words else ""
        verbs = [token.text for token in words[1:3]]
        if kind == "CICS":
            _cics(words, verbs, state)
            return verbs[:1] not in (["RETURN"], ["ABEND"], ["XCTL"])
        return True


def _cics(words: Sequence[Token], verbs: Sequence[str], state: State) -> None:
    """What comes from a terminal, a browser or another program."""
    line = words[0].line
    if not verbs or not (verbs[0] in ("RECEIVE", "RETRIEVE") or " ".join(verbs) in _RECEIVES):
        return
    what = "a terminal" if verbs[0] == "RECEIVE" else "a request"
    into = option(words, "INTO", "VALUE", "SET")
    if not into and (name := option(words, "MAP", "MAPSET")):
        into = [token._replace(kind="word", text=f"{token.text}I") for token in name]
    for token in into:
        if token.kind == "word":
            state.put(token.text, Taint(f"what was received from {what}", line))


def option(words: Sequence[Token], *names: str) -> list[Token]:
    """What stands in brackets behind an option of EXEC CICS."""
    for at, token in enumerate(words[:-1]):
        if token.word(*names) and words[at + 1].mark("("):
            end = next((n for n in range(at + 2, len(words)) if words[n].mark(")")), len(words))
            return list(words[at + 2 : end])
    return []


def flow(statement: Statement, state: State) -> None:
    """How a plain statement moves data."""
    words = statement.tokens[1:]
    match statement.verb:
        case "ACCEPT" if words:
            _accept(words, state)
        case "MOVE":
            _assign(words, "TO", state)
        case "STRING" | "COMPUTE" | "SET":
            _assigned(statement.verb, words, state)
        case "UNSTRING":
            _assign(words, "INTO", state)
        case "ADD" | "SUBTRACT" | "MULTIPLY" | "DIVIDE":
            split = next(
                (n for n, token in enumerate(words) if token.word("GIVING", "TO", "FROM", "BY", "INTO")), len(words)
            )
            taint = taint_of(words, state)
            if taint is not None:
                for token in words[split:]:
                    if token.kind == "word" and token.text in state.data.items:
                        state.put(token.text, taint._replace(digits=True))
        case "INITIALIZE":
            for token in words:
                if token.kind == "word":
                    state.clear(token.text)
        case "READ" | "RETURN":
            for at, token in enumerate(words[:-1]):
                if token.word("INTO"):
                    state.clear(words[at + 1].text)


def _accept(words: Sequence[Token], state: State) -> None:
    target = words[0].text
    came = next((words[at + 1].text for at, token in enumerate(words[:-1]) if token.word("FROM")), "")
    if came in _CLOCK:
        state.clear(target)
        return
    source = {"ENVIRONMENT": "the environment", "COMMAND-LINE": "the command line"}.get(came, "ACCEPT")
    taint = Taint(source, words[0].line)
    state.put(target, taint)
    for each in state.data.below(target):
        item = state.data.items.get(each)
        for name in item.uses if item is not None else ():
            state.put(name, taint)


def _assigned(verb: str, words: Sequence[Token], state: State) -> None:
    if verb == "COMPUTE":
        at = next((n for n, token in enumerate(words) if token.mark("=")), len(words))
        _into([token.text for token in words[:at] if token.kind == "word"], words[at + 1 :], state)
    elif verb == "SET":
        _assign(words, "TO", state)
    else:
        at = next((n for n, token in enumerate(words) if token.word("INTO")), len(words))
        target = [token.text for token in words[at + 1 : at + 2]]
        old = state.get(target[0]) if target else None
        _into(target, [token for token in words[:at] if not token.word("DELIMITED", "BY", "SIZE")], state)
        if old is not None and any(token.word("POINTER") for token in words[at:]):
            state.put(target[0], old)  # it goes on behind what was there


_BETWEEN = frozenset({"OF", "IN", "TO", "INTO", "DELIMITER", "COUNT"})


def _assign(words: Sequence[Token], mark: str, state: State) -> None:
    at = next((n for n, token in enumerate(words) if token.word(mark)), len(words))
    names: list[str] = []
    inside = 0
    for position, token in enumerate(words[at + 1 :], start=at + 1):
        inside += token.mark("(") - token.mark(")")
        qualifier = position > 0 and words[position - 1].word("OF", "IN")
        if token.word("POINTER", "TALLYING", "WITH", "ON", "OVERFLOW"):
            break
        if (
            not inside
            and token.kind == "word"
            and not token.word("OF", "IN", "TO", "INTO", "DELIMITER", "COUNT")
            and not qualifier
        ):
            names.append(token.text)
    source = words[:at]
    if mark == "INTO":  # UNSTRING x DELIMITED BY y INTO ...: x alone
        source = words[:1]
    _into(names, source, state)


def _into(names: Sequence[str], source: Sequence[Token], state: State) -> None:
    taint = taint_of(source, state)
    checked = frozenset(names) if taint is not None and _is_checked(source, state) else frozenset()
    for name in names:
        if taint is None:
            state.clear(name)
        else:
            state.put(name, taint)
    state.check(checked)


def taint_of(words: Sequence[Token], state: State) -> Taint | None:
    """The first data from outside among the words; text before numbers.  What qualifies or selects does not count."""
    found: Taint | None = None
    inside = 0
    for at, token in enumerate(words):
        inside += token.mark("(") - token.mark(")")
        is_function = any(each.word("FUNCTION") for each in words[max(0, at - 6) : at])
        if token.kind != "word" or (inside and not is_function) or (at and words[at - 1].word("OF", "IN")):
            continue
        taint = state.get(token.text)
        if taint is not None and (found is None or (found.digits and not taint.digits)):
            found = taint
    return found


def _is_checked(words: Sequence[Token], state: State) -> bool:
    return all(token.text in state.checked for token in words if token.kind == "word" and state.get(token.text))
