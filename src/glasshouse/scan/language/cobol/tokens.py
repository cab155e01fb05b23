"""Words, numbers, literals and marks of a program, each with its place; copybooks put in where they are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from glasshouse.scan.language.cobol.lines import Line, logical_lines

MAX_TOKENS = 1_000_000
MAX_COPIES = 500
MAX_COPY_DEPTH = 10
SYSTEM_COPYBOOKS = frozenset("SQLCA SQLDA DFHAID DFHBMSCA DFHEIBLK DFHATTR CMQV CMQODV CMQMDV CMQPMOV CMQGMOV".split())
"""Of the database and the transaction monitor: they hold nothing that matters here."""
_TOKEN = re.compile(
    r"(?P<literal>[XNGZxngz]?(?:\"(?:[^\"]|\"\")*\"?|'(?:[^']|'')*'?))"
    r"|(?P<pseudo>==)"
    r"|(?P<number>[+-]?\d+(?:[.,]\d+)?(?![A-Za-z0-9-]))"
    r"|(?P<tag>:[A-Za-z0-9]+:-[A-Za-z0-9-]+|[A-Za-z0-9-]+-:[A-Za-z0-9]+:)"
    r"|(?P<word>[A-Za-z0-9_À-ɏ](?:[A-Za-z0-9_À-ɏ-]*[A-Za-z0-9_À-ɏ])?)"
    r"|(?P<mark>\*\*|<=|>=|<>|[.(),;:=<>*/+&-])"
)
Find = Callable[[str], str | None]
"""The text of a copybook by its name; None where the tree has none."""


class Token(NamedTuple):
    """``text`` in upper case for words, without quotation marks for literals; ``column`` in characters from 0."""

    kind: str  # word, literal, number, mark
    text: str
    line: int
    column: int
    width: int

    def word(self, *names: str) -> bool:
        """Whether it is one of these words."""
        return self.kind == "word" and self.text in names

    def mark(self, text: str) -> bool:
        """Whether it is this mark."""
        return self.kind == "mark" and self.text == text


class Copies:
    """Copybooks as they are put in; ``missing`` are those that the tree does not hold."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self.count = 0
        self.missing: dict[str, int] = {}
        self.read: set[str] = set()


def tokens_of(text: str, copies: Copies) -> list[Token]:
    """The tokens of a program with its copybooks, whose tokens stand at the place of the COPY statement."""
    return list(_expanded(_raw(text), copies, 0))[:MAX_TOKENS]


def _raw(text: str) -> list[Token]:
    return [token for line in _joined(logical_lines(text)) for token in _of_line(line)][:MAX_TOKENS]


def _joined(lines: Sequence[Line]) -> Iterator[list[Line]]:
    group: list[Line] = []
    for line in lines:
        if group and not line.joins:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _of_line(group: list[Line]) -> Iterator[Token]:
    """Tokens of a line and those that go on from it."""
    starts: list[int] = []
    text = ""
    for line in group:
        starts.append(len(text))
        text += line.text
    if len(text) > 100_000:
        return
    part = 0
    for match in _TOKEN.finditer(text):
        while part + 1 < len(starts) and match.start() >= starts[part + 1]:
            part += 1
        number, column = group[part].number, group[part].column + match.start() - starts[part]
        kind, value = str(match.lastgroup), match.group()
        if kind in ("word", "tag"):
            kind, value = "word", value.upper()
        elif kind == "pseudo":
            kind = "mark"
        elif kind == "literal":
            quote = value.lstrip("XNGZxngz")[:1]
            value = value.lstrip("XNGZxngz")[1:].removesuffix(quote)
        yield Token(kind, value, number, column, len(match.group()))


def _expanded(tokens: Sequence[Token], copies: Copies, depth: int) -> Iterator[Token]:
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.word("EXEC") and index + 3 < len(tokens) and tokens[index + 2].word("INCLUDE"):
            yield from _copied(tokens[index + 3 : index + 4], token, copies, depth)
            index += 5 + (index + 5 < len(tokens) and tokens[index + 5].mark("."))
            continue
        if not token.word("COPY") or index + 1 >= len(tokens):
            yield token
            index += 1
            continue
        end = next((at for at in range(index, min(index + 2_000, len(tokens))) if tokens[at].mark(".")), index)
        if end <= index + 1:  # no end, or no name
            yield token
            index += 1
            continue
        yield from _copied(tokens[index + 1 : end], token, copies, depth)
        index = end + 1


def _copied(clause: Sequence[Token], at: Token, copies: Copies, depth: int) -> Iterator[Token]:
    name = clause[0].text
    copies.count += 1
    if name in SYSTEM_COPYBOOKS:
        return
    text = copies.find(name) if copies.count <= MAX_COPIES and depth < MAX_COPY_DEPTH else None
    if text is None:
        copies.missing.setdefault(name[:80], at.line)
        return
    copies.read.add(name)
    inner = _replaced(_raw(text), _pairs(clause))
    for token in _expanded(inner, copies, depth + 1):
        yield token._replace(line=at.line, column=at.column, width=at.width)


Pair = tuple[list[str], list[Token], str]


def _pairs(clause: Sequence[Token]) -> list[Pair]:
    """What REPLACING says: words to look for, tokens to put there, and LEADING, TRAILING or neither."""
    start = next((n for n, token in enumerate(clause) if token.word("REPLACING")), len(clause))
    pairs: list[Pair] = []
    at = start + 1
    while at < len(clause):
        part = ""
        if clause[at].word("LEADING", "TRAILING"):
            part = clause[at].text
            at += 1
        old, at = _operand(clause, at)
        if at >= len(clause) or not clause[at].word("BY"):
            break
        new, at = _operand(clause, at + 1)
        pairs.append(([token.text for token in old], new, part))
    return pairs


def _operand(clause: Sequence[Token], at: int) -> tuple[list[Token], int]:
    if at < len(clause) and clause[at].mark("=="):
        end = next((n for n in range(at + 1, len(clause)) if clause[n].mark("==")), len(clause))
        return list(clause[at + 1 : end]), end + 1
    return list(clause[at : at + 1]), at + 1


def _replaced(tokens: list[Token], pairs: list[Pair]) -> list[Token]:
    if not pairs:
        return tokens
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        for old, new, part in pairs:
            if part and old and tokens[at].kind == "word" and (changed := _part(tokens[at].text, old[0], new, part)):
                found.append(tokens[at]._replace(text=changed))
                at += 1
                break
            if not part and old and [token.text for token in tokens[at : at + len(old)]] == old:
                found += new
                at += len(old)
                break
        else:
            found.append(_tagged(tokens[at], pairs))
            at += 1
    return found


def _part(text: str, old: str, new: list[Token], part: str) -> str:
    put = "".join(token.text for token in new)
    if part == "LEADING" and text.startswith(old):
        return put + text[len(old) :]
    if part == "TRAILING" and text.endswith(old):
        return text[: -len(old)] + put
    return ""


def _tagged(token: Token, pairs: list[Pair]) -> Token:
    """``:TAG:-NAME`` with ``==:TAG:== BY ==WS==``: the usual way to name the fields of a copybook."""
    text = token.text
    for old, new, _ in pairs:
        tag = "".join(old)
        if token.kind == "word" and len(tag) > 2 and tag[0] == tag[-1] == ":" and tag in text:
            text = text.replace(tag, "".join(each.text for each in new))
    return token._replace(text=text) if text != token.text else token
