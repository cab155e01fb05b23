"""Units of analysis: what one root looked at and found, and summaries that are the same whoever asks first.

Once all modules have run, their state is frozen.  A unit (an entry point, a summary, what constructors leave behind)
starts from that state whatever ran before it: what it writes to module variables, to classes or to frames of others is
taken back at its end, and while a unit that it asked for runs.  So what a unit finds depends on the program only.

A result that was made while another was being made, and that met it half-done, holds only there: it is dropped when the
other is done and made again when it is wanted for itself.  So results do not depend on where a cycle was entered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from glasshouse.scan.program import Cls, Fn, Module

if TYPE_CHECKING:
    from glasshouse.scan.interp.findings import Fact, Flow
    from glasshouse.scan.interp.values import Label, Mark

MODULES, PLAN, ENTRY, SUMMARY, STATE = range(5)
Key = tuple[int, Any]  # one of the above, with its module, function or class
MAX_REMADE = 200  # results that are made again because of cycles; beyond, and one per 40 functions, the first one stays


class Unit:
    """One unit.  ``touched``: functions whose code it looked into; ``needs``: units whose results it used.

    ``cost``: steps of its own, by number of the module they count for; ``dropped``: those of results that were dropped
    at its end, ``remade`` of them.
    """

    __slots__ = (
        "asked",
        "called",
        "capped",
        "checked",
        "cost",
        "dropped",
        "entries",
        "facts",
        "flows",
        "guesses",
        "handed",
        "kept",
        "key",
        "lowest",
        "needs",
        "reads",
        "registered",
        "remade",
        "touched",
        "widened",
        "writes",
    )

    def __init__(self, key: Key, depth: int) -> None:
        self.key = key
        self.lowest = depth  # depth of the outermost unit under way that it met
        self.touched: set[Fn] = set()
        self.needs: set[Key] = set()
        self.called: set[Fn] = set()
        self.entries: set[Fn] = set()
        self.registered: set[Fn] = set()
        self.handed: set[Fn] = set()  # functions inside registered ones, such as `wrap(handler)` gives
        self.checked: set[Fn] = set()  # those that a framework calls only with data that it has checked
        self.flows: dict[tuple[str, int, int], Flow] = {}
        self.guesses: dict[tuple[str, int, int], Flow] = {}  # flows from values of unknown origin
        self.reads: dict[tuple[str, int, int, str], Flow] = {}  # flows from places of stores (see `stores`)
        self.kept: dict[tuple[str, Label], Mark] = {}  # what was kept at such places
        self.facts: dict[tuple[str, int, int], Fact] = {}
        self.capped: dict[Fn, None] = {}
        self.widened: dict[tuple[int, int], None] = {}  # calls with too many candidates: file, span
        self.asked: set[str] = set()  # names of attributes that code has put together
        self.cost: dict[int, int] = {}
        self.dropped: dict[int, int] = {}
        self.remade = 0
        self.writes: list[list[Any]] = []  # table (or class), key, what was there before

    def spend(self, module: int, steps: int) -> None:
        """Steps of its own that count for a module."""
        self.cost[module] = self.cost.get(module, 0) + steps

    def shrink(self) -> None:
        """Let go of empty tables: most units have most of them empty, and there are many."""
        self.touched = self.touched or NOBODY
        self.needs = self.needs or NOBODY
        self.called = self.called or NOBODY
        self.entries = self.entries or NOBODY
        self.registered = self.registered or NOBODY
        self.handed = self.handed or NOBODY
        self.checked = self.checked or NOBODY
        self.asked = self.asked or NOBODY
        self.flows = self.flows or NOTHING
        self.guesses = self.guesses or NOTHING
        self.reads = self.reads or NOTHING
        self.kept = self.kept or NOTHING
        self.facts = self.facts or NOTHING
        self.capped = self.capped or NOTHING
        self.widened = self.widened or NOTHING
        self.cost = self.cost or NOTHING
        self.dropped = self.dropped or NOTHING

    def swap(self) -> None:
        """Take back what was written, or write it again."""
        for entry in reversed(self.writes):
            table, key, value = entry
            if table.__class__ is Cls:
                entry[2], table.attrs = table.attrs, value
                continue
            entry[2] = table.get(key)
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        self.writes.reverse()


NOBODY: Any = frozenset()  # shared, so never to be written to
NOTHING: Any = MappingProxyType({})


class Units:
    """All units of one machine, and those under way (the last one is at work)."""

    def __init__(self, machine: Any, functions: int) -> None:
        self.machine = machine
        self.done: dict[Key, Unit] = {}
        self.open: list[Unit] = [Unit((MODULES, None), 0)]
        self.frozen = False
        self.settled = True  # no result depends on who asked first
        self._depths: dict[Key, int] = {}
        self._passing: dict[Key, tuple[Any, int]] = {}  # results that hold for now, with the unit they depend on
        self._remade = 0
        self._most = most_remade(functions)
        machine.unit = self.open[0]

    def freeze(self) -> None:
        """All modules have run; what they looked into on the way stays known."""
        self.frozen = True
        base = self.open[0]
        base.needs.clear()
        base.cost = {module.index: steps for module, steps in self.machine.budget.spent.items()}
        self._remade = 0
        for unit in self.done.values():
            base.touched |= unit.touched
            base.asked |= unit.asked
        self.done.clear()
        self._passing.clear()

    def begin(self, key: Key) -> Unit:
        """Start a unit."""
        if self.frozen:
            self.open[-1].swap()
        unit = Unit(key, len(self.open))
        self._depths[key] = len(self.open)
        self.open.append(unit)
        self.machine.unit = unit
        return unit

    def under_way(self, key: Key) -> bool:
        """Whether a result is being made; whoever asks then depends on that."""
        depth = self._depths.get(key)
        if depth is None:
            return False
        unit = self.open[-1]
        unit.lowest = min(unit.lowest, depth)
        return True

    def passing(self, key: Key) -> Any:
        """A result that holds while the unit it depends on is under way, or None."""
        found = self._passing.get(key)
        if found is None:
            return None
        unit = self.open[-1]
        unit.lowest = min(unit.lowest, found[1])
        return found[0]

    def need(self, key: Key) -> None:
        """The unit at work uses a result."""
        self.open[-1].needs.add(key)

    def end(self, result: Any) -> list[tuple[Key, Any]]:
        """End the unit at work; the results that are now known for good, its own last (none if it met others)."""
        unit = self._close()
        depth = len(self.open)
        if unit.lowest < depth:
            self._passing[unit.key] = result, unit.lowest
            self._hand_up(unit)
            return []
        unit.shrink()
        self.done[unit.key] = unit
        self.open[-1].needs.add(unit.key)
        inner = [key for key, (_, lowest) in self._passing.items() if lowest >= depth] if self._passing else []
        known = [(key, self._passing.pop(key)[0]) for key in inner]
        unit.remade = len(known)
        self._remade += len(known)
        if self._remade <= self._most:
            known = []
        else:  # a program made of cycles: not worth the work
            self.settled = False
            for key, _ in known:
                held = self.done.setdefault(key, Unit(key, 0))
                held.needs = {*held.needs, unit.key}
        return [*known, (unit.key, result)]

    def drop(self, depth: int) -> None:
        """An error has left units under way: give them up."""
        while len(self.open) > depth:
            self._close()
        self._passing.clear()

    def _close(self) -> Unit:
        unit = self.open.pop()
        if self.frozen:
            unit.swap()
        unit.writes = []
        del self._depths[unit.key]
        above = self.machine.unit = self.open[-1]
        if self.frozen:
            above.swap()
        return unit

    def _hand_up(self, unit: Unit) -> None:
        """What an unfinished unit looked at and found belongs to the one that asked for it."""
        above = self.open[-1]
        above.lowest = min(above.lowest, unit.lowest)
        above.touched |= unit.touched
        above.needs |= unit.needs
        above.asked |= unit.asked
        above.called |= unit.called
        above.entries |= unit.entries
        above.checked |= unit.checked
        above.capped.update(unit.capped)
        above.widened.update(unit.widened)
        for steps in (unit.cost, unit.dropped):
            for module, count in steps.items():
                above.dropped[module] = above.dropped.get(module, 0) + count
        machine = self.machine
        for flow in unit.flows.values():
            machine.record(flow)
        for flow in unit.guesses.values():
            machine.record_guess(flow)
        for flow in unit.reads.values():
            machine.record_read(flow)
        for (place, label), mark in unit.kept.items():
            machine.record_kept(place, label, mark)
        for fact in unit.facts.values():
            machine.record_fact(fact)


def most_remade(functions: int) -> int:
    """How many results of a program of so many functions may be dropped and made again."""
    return MAX_REMADE + functions // 40


def local(cls: Cls) -> bool:
    """Whether a class is defined inside a function, anew for each call."""
    module: Module = cls.module
    body = module.functions[cls.ir.body] if 0 <= cls.ir.body < len(module.functions) else None
    return body is not None and body.parent is not None and body.parent.ir.kind in ("function", "method", "lambda")
