"""What is known while a program runs: which items hold data from outside, and which were checked."""

from __future__ import annotations

from typing import NamedTuple

from glasshouse.scan.language.cobol.data import Data


class Taint(NamedTuple):
    """Data from outside: what it is and the line it came from.  ``weak``: it came from whoever calls the program.

    ``digits``: it can only be a number, so it is no command, name or piece of SQL.
    """

    source: str
    line: int
    weak: bool = False
    digits: bool = False


class State:
    """Items with data from outside; ``checked`` are those whose range was tested."""

    __slots__ = ("checked", "data", "taints")

    def __init__(
        self, data: Data, taints: dict[str, Taint] | None = None, checked: frozenset[str] = frozenset()
    ) -> None:
        self.data, self.taints, self.checked = data, dict(taints or {}), checked

    def copy(self) -> State:
        """The same, to go another way."""
        return State(self.data, self.taints, self.checked)

    def join(self, other: State) -> None:
        """What may hold after either way."""
        for name, taint in other.taints.items():
            self.taints.setdefault(name, taint)
        self.checked &= other.checked

    def get(self, name: str) -> Taint | None:
        """What an item may hold."""
        return self.taints.get(name)

    def put(self, name: str, taint: Taint) -> None:
        """The item now holds data from outside, and so does what lies in it, over it, and what holds it."""
        for each in self.data.below(name):
            item = self.data.items.get(each)
            self.taints[each] = taint._replace(digits=True) if item is not None and item.numeric else taint
        for each in self.data.above(name):
            self.taints.setdefault(each, taint)
        self.checked -= {name}

    def clear(self, name: str) -> None:
        """The item now holds something of the program's own."""
        for each in self.data.below(name):
            self.taints.pop(each, None)
        self.checked -= {name}

    def numeric(self, name: str) -> None:
        """The item was found to hold digits only."""
        for each in self.data.below(name):
            if each in self.taints:
                self.taints[each] = self.taints[each]._replace(digits=True)

    def check(self, names: frozenset[str]) -> None:
        """The ranges of these were tested."""
        self.checked |= names
