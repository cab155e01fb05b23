"""What can be told from a program without running it: secrets in its data, and results that nobody looks at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from glasshouse.scan.detect.secrets import is_placeholder
from glasshouse.scan.language.cobol.data import Data
from glasshouse.scan.language.cobol.sinks import Fact
from glasshouse.scan.language.cobol.statements import Paragraph, Procedure, Statement

_SECRET_NAME = re.compile(
    r"(?:^|-)(?:PASSWORD|PASSWD|PASSWRD|PASSW|PSWD|PWD|PASSPHRASE|SECRET|API-?KEY|TOKEN|ENCR?-KEY)(?:-|$|\d)"
)
_NOT_SECRET = re.compile(
    r"(?:^|-)(?:PROMPT|MSG|MESSAGE|LABEL|LBL|LIT|TITLE|HEADING|ERR|ERROR|LEN|LENGTH|SW|FLAG|COUNT|CNT|FIELD|COL|HINT)(?:-|$)"
)
_SQL_CHANGES = frozenset("SELECT INSERT UPDATE DELETE FETCH OPEN EXECUTE PREPARE MERGE CALL COMMIT CONNECT".split())
_STATUS_WORDS = frozenset({"SQLCODE", "SQLSTATE", "SQLERRD", "SQLWARN0", "SQLCA"})
LOOK_AHEAD = 4
"""Statements after a piece of SQL within which its result must be looked at."""


def data_facts(data: Data) -> Iterator[Fact]:
    """Items with the name of a secret and a value."""
    for item in data.order:
        if item.value is None or item.value.kind != "literal" or item.section == "screen":
            continue
        if is_secret(item.name) and not _is_blank(item.value.text):
            yield Fact("credential", item.value, item.name)


def is_secret(name: str) -> bool:
    """Whether an item's name says that it holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not _NOT_SECRET.search(name)


def _is_blank(text: str) -> bool:
    stripped = text.strip(" *-_?.xX0")
    return len(stripped) < 3 or is_placeholder(stripped)


def procedure_facts(procedure: Procedure, data: Data) -> Iterator[Fact]:
    """Secrets that are moved, files and SQL whose result nobody looks at."""
    every = [statement for paragraph in procedure.paragraphs for statement in walk(paragraph.body)]
    for paragraph in procedure.paragraphs:
        for statement in walk(paragraph.body):
            if statement.verb == "MOVE":
                yield from (fact._replace(paragraph=paragraph.name) for fact in _moved(statement))
    opened = {token.text for each in every if each.verb == "OPEN" for token in each.tokens[1:] if token.kind == "word"}
    if not procedure.has_handler:
        for name, entry in data.files.items():
            if name in opened and not entry.has_status:
                yield Fact("file-status", entry.at, name)
    if not any(_handles_sql(each) for each in every):
        looking = {
            each.name: any(_mentions(statement) for statement in walk(each.body)) for each in procedure.paragraphs
        }
        for paragraph in procedure.paragraphs:
            yield from _sql(paragraph, looking)


def walk(body: Sequence[Statement]) -> Iterator[Statement]:
    """All statements, nested ones after the one that holds them."""
    waiting = list(reversed(body))
    while waiting:
        each = waiting.pop()
        yield each
        for _, block in reversed(each.blocks):
            waiting += reversed(block)


def _moved(statement: Statement) -> Iterator[Fact]:
    words = statement.tokens[1:]
    if len(words) >= 3 and words[0].kind == "literal" and words[1].word("TO") and not _is_blank(words[0].text):
        if any(is_secret(token.text) for token in words[2:] if token.kind == "word"):
            yield Fact("credential", words[0], words[2].text)


def _handles_sql(statement: Statement) -> bool:
    words = statement.tokens
    return (
        statement.verb == "EXEC"
        and any(token.word("WHENEVER") for token in words)
        and any(token.word("SQLERROR") for token in words)
    )


def _sql(paragraph: Paragraph, looking: dict[str, bool]) -> Iterator[Fact]:
    body = list(walk(paragraph.body))
    for at, statement in enumerate(body):
        words = statement.tokens
        if statement.verb != "EXEC" or len(words) < 3 or not words[1].word("SQL") or words[2].text not in _SQL_CHANGES:
            continue
        after = body[at + 1 : at + 1 + LOOK_AHEAD]
        if not any(_looks(each, looking) for each in after):
            yield Fact("sql-status", words[2], words[2].text, paragraph=paragraph.name)


def _looks(statement: Statement, looking: dict[str, bool]) -> bool:
    """Whether a statement, or the paragraph that it performs, looks at the result of SQL."""
    if _mentions(statement):
        return True
    performs = statement.verb == "PERFORM" and len(statement.tokens) > 1
    return performs and looking.get(statement.tokens[1].text, False)


def _mentions(statement: Statement) -> bool:
    held = [*statement.tokens, *(token for condition, _ in statement.blocks for token in condition)]
    return any(token.kind == "word" and token.text in _STATUS_WORDS for token in held)
