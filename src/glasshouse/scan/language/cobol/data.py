"""The data of a program: items with their levels, tables, values, conditions; files and where they are assigned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from glasshouse.scan.language.cobol.tokens import Token

MAX_ITEMS = 50_000
_SECTIONS = {
    "FILE": "file",
    "WORKING-STORAGE": "storage",
    "LOCAL-STORAGE": "storage",
    "LINKAGE": "linkage",
    "SCREEN": "screen",
}
_NUMERIC = re.compile(r"^S?[9VP()0-9,.Z*$+-]+$")


class Item:
    """One data item.  ``parent`` is the group that holds it, ``table`` whether it repeats (itself or a group above)."""

    __slots__ = (
        "at",
        "children",
        "level",
        "name",
        "numeric",
        "parent",
        "redefines",
        "section",
        "table",
        "uses",
        "value",
    )

    def __init__(self, name: str, level: int, section: str, at: Token, parent: Item | None) -> None:
        self.name, self.level, self.section, self.at, self.parent = name, level, section, at, parent
        self.children: list[Item] = []
        self.numeric = False
        self.table: bool = parent is not None and parent.table
        self.redefines = ""
        self.value: Token | None = None
        self.uses: list[str] = []


class FileEntry:
    """One SELECT.  ``assigned`` is a data item's name, or empty for a literal or a name of the system."""

    def __init__(self, name: str, at: Token) -> None:
        self.name, self.at = name, at
        self.assigned = ""
        self.has_status = False


class Data:
    """All items by name, in the order of the source, and all files."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.order: list[Item] = []
        self.conditions: dict[str, str] = {}  # 88-level name -> its item
        self.files: dict[str, FileEntry] = {}

    def below(self, name: str) -> list[str]:
        """The item, what it holds, and what describes the same storage."""
        found: dict[str, None] = {}
        waiting = [name]
        while waiting and len(found) < 2_000:
            each = waiting.pop()
            if each in found:
                continue
            found[each] = None
            if item := self.items.get(each):
                waiting += [child.name for child in item.children]
                waiting += self._same.get(each, ())
        return list(found)

    def above(self, name: str) -> list[str]:
        """The groups that hold an item."""
        found: list[str] = []
        item = self.items.get(name)
        while item is not None and item.parent is not None and len(found) < 50:
            item = item.parent
            found.append(item.name)
        return found

    @cached_property
    def _same(self) -> dict[str, list[str]]:
        """Items that redefine each other; asked for when all are read."""
        same: dict[str, list[str]] = {}
        for item in self.order:
            if item.redefines:
                same.setdefault(item.redefines, []).append(item.name)
                same.setdefault(item.name, []).append(item.redefines)
        return same


def read_data(tokens: Sequence[Token]) -> Data:
    """Items and files of everything before PROCEDURE DIVISION."""
    data = Data()
    section = "storage"
    stack: list[Item] = []
    for sentence in _sentences(tokens):
        first = sentence[0]
        if len(sentence) >= 2 and sentence[1].word("SECTION") and first.text in _SECTIONS:
            section, stack = _SECTIONS[first.text], []
        elif first.word("SELECT"):
            _select(sentence, data)
        elif first.kind == "number" and first.text.isdigit() and len(data.order) < MAX_ITEMS:
            _entry(sentence, section, stack, data)
    for entry in data.files.values():
        if entry.assigned and entry.assigned not in data.items:
            entry.assigned = ""
    return data


def _sentences(tokens: Sequence[Token]) -> list[list[Token]]:
    found: list[list[Token]] = []
    current: list[Token] = []
    for token in tokens:
        if token.mark("."):
            if current:
                found.append(current)
            current = []
        else:
            current.append(token)
    if current:
        found.append(current)
    return found


def _select(sentence: Sequence[Token], data: Data) -> None:
    words = [token for token in sentence[1:] if not token.word("OPTIONAL")]
    if not words:
        return
    entry = FileEntry(words[0].text, words[0])
    for at, token in enumerate(words):
        if token.word("ASSIGN"):
            rest = [
                each for each in words[at + 1 : at + 5] if not each.word("TO", "DYNAMIC", "EXTERNAL", "USING", "DISK")
            ]
            if rest and rest[0].kind == "word":
                entry.assigned = rest[0].text
        if token.word("STATUS"):
            entry.has_status = True
    data.files[entry.name] = entry


def _entry(sentence: Sequence[Token], section: str, stack: list[Item], data: Data) -> None:
    level = int(sentence[0].text[:4])
    has_name = len(sentence) > 1 and sentence[1].kind == "word" and sentence[1].text not in _CLAUSES
    name = sentence[1].text if has_name else f"FILLER-{len(data.order)}"
    at = sentence[1] if has_name else sentence[0]
    if level == 88:
        if stack:
            data.conditions[name] = stack[-1].name
        return
    while stack and (level in (1, 77) or stack[-1].level >= level):
        stack.pop()
    item = Item(name, level, section, at, stack[-1] if stack else None)
    if item.parent is not None:
        item.parent.children.append(item)
    _clauses(item, sentence)
    stack.append(item)
    data.order.append(item)
    data.items.setdefault(name, item)


_CLAUSES = frozenset(
    "PIC PICTURE VALUE VALUES OCCURS REDEFINES USAGE COMP COMP-1 COMP-2 COMP-3 COMP-4 COMP-5 BINARY INDEX POINTER "
    "SYNC JUSTIFIED JUST BLANK SIGN LINE COL COLUMN GLOBAL EXTERNAL PACKED-DECIMAL DISPLAY".split()
)


def _clauses(item: Item, sentence: Sequence[Token]) -> None:
    for at, token in enumerate(sentence[1:], start=1):
        following = [each for each in sentence[at + 1 : at + 4] if not each.word("IS", "ARE")]
        after = following[0] if following else None
        if after is None or token.kind != "word":
            if token.word("COMP", "COMP-3", "COMP-4", "COMP-5", "BINARY", "INDEX", "PACKED-DECIMAL"):
                item.numeric = True
        elif token.word("PIC", "PICTURE"):
            item.numeric = bool(_NUMERIC.match(after.text))
        elif token.word("VALUE") and after.kind in ("literal", "number"):
            item.value = after
        elif token.word("OCCURS"):
            item.table = True
        elif token.word("REDEFINES"):
            item.redefines = after.text
        elif token.word("COMP", "COMP-3", "COMP-4", "COMP-5", "BINARY", "INDEX", "PACKED-DECIMAL"):
            item.numeric = True
        elif item.section == "screen" and token.word("USING", "TO") and after.kind == "word":
            item.uses.append(after.text)
