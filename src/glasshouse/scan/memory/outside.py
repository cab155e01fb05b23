"""What a file of C or C++ knows from elsewhere: from the headers that it includes, and functions of other files.

Each header is read once per process.  Where two headers differ about a name, nothing is known of it: only a build could
tell which of them counts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from glasshouse.scan.language.c.functions import evaluated
from glasshouse.scan.memory.program import FileFacts, FunctionFacts

MAX_ROUNDS = 4  # names that stand for names
MAX_ENTRIES = 60_000  # names that one file gets from its headers
Item = TypeVar("Item")


class Outside:
    """Tables of what other files say.  ``functions``: those that may be run in the state of a caller."""

    def __init__(self, headers: Sequence[FileFacts] = ()) -> None:
        self.constants: dict[str, Any] = {}
        self.macros: dict[str, tuple[str, list[str] | None]] = {}
        self.records: dict[str, dict[str, str]] = {}
        self.typedefs: dict[str, str] = {}
        self.globals: dict[str, str] = {}
        self.prototypes: dict[str, str] = {}
        self.functions: dict[str, FunctionFacts] = {}
        self.ends: set[str] = set()
        if not headers:
            return
        late: dict[str, str] = {}
        for facts in headers:
            if len(self.constants) + len(self.records) + len(self.typedefs) > MAX_ENTRIES:
                break
            add(self.constants, facts.constants)
            add(self.macros, facts.macros)
            add(late, facts.late)
            add(self.records, facts.records)
            add(self.typedefs, facts.typedefs)
            add(self.globals, facts.globals)
            add(self.prototypes, facts.prototypes)
            self.ends |= facts.ends
            for name, index in facts.by_name.items():
                own = facts.functions[index]
                self.functions[name] = own if self.functions.get(name, own) is own else NOT_ONE
        self._settle(late)

    def _settle(self, late: dict[str, str]) -> None:
        """Leave out what is not sure, and work out what names of other headers were needed for."""
        self.functions = {name: one for name, one in self.functions.items() if one is not NOT_ONE}
        for table in (self.constants, self.macros, self.records, self.typedefs, self.globals, self.prototypes, late):
            for name in [name for name, value in table.items() if value is NOT_ONE]:
                del table[name]
        numbers = self.number
        for _ in range(MAX_ROUNDS):
            more = {name: value for name, text in late.items() if (value := evaluated(text, numbers)) is not None}
            for name, (target, slots) in self.macros.items():
                if slots is None and (value := self.number(target)) is not None:
                    more[name] = value
            more = {name: value for name, value in more.items() if name not in self.constants}
            if not more:
                break
            self.constants.update(more)
        self.globals = {name: settled(text, numbers) for name, text in self.globals.items()}
        self.typedefs = {name: settled(text, numbers) for name, text in self.typedefs.items()}
        for name, fields in self.records.items():
            if any("[" in text for text in fields.values()):
                self.records[name] = {field: settled(text, numbers) for field, text in fields.items()}

    def number(self, name: str) -> int | None:
        """The number a name stands for."""
        found = self.constants.get(name)
        return found if found.__class__ is int else None


NOT_ONE: Any = object()
"""Stands for what two headers say differently."""
NOTHING = Outside()


def add(table: dict[str, Item], more: Mapping[str, Item]) -> None:
    """Add the names of one header; those that are known otherwise are no longer known."""
    if table.keys().isdisjoint(more):
        table.update(more)
        return
    for name, value in more.items():
        have = table.get(name)
        table[name] = value if have is None or have == value else NOT_ONE


def settled(text: str, numbers: Callable[[str], int | None]) -> str:
    """A type whose sizes are numbers where they can be told, ``?`` where not."""
    if "[" not in text or (text[text.find("[") + 1 : text.find("]")].isdigit() and text.count("[") == 1):
        return text
    base, *dimensions = text.split("[")
    made = [base]
    for dimension in dimensions:
        said, _, rest = dimension.partition("]")
        value = None if said.isdigit() or not said or said == "?" else evaluated(said, numbers)
        made.append(f"{said if said.isdigit() or not said else '?' if value is None else value}]{rest}")
    return "[".join(made)


@functools.lru_cache(maxsize=64)
def together(headers: tuple[FileFacts, ...]) -> Outside:
    """What headers say together (files of one folder mostly have the same)."""
    return Outside(headers)


def joined(first: Outside, functions: Mapping[str, FunctionFacts]) -> Outside:
    """The same with functions of other files; what headers define comes first."""
    if not functions:
        return first
    made = Outside()
    for table in ("constants", "macros", "records", "typedefs", "globals", "prototypes"):
        setattr(made, table, getattr(first, table))
    made.functions = {**functions, **first.functions}
    return made
