"""After an edit: units whose input is as before keep their outcome, the others are run again.

A unit depends on the state of all modules, on the code it looked into and on the units it used, and on nothing else
(see ``interp.units``).  So after a plain edit (see ``alignment``) of functions that no module body looked into, the
units to run are those that looked into a changed function, and those that used one of them, directly or not.

Where this cannot be shown, the answer is None and everything is analysed: the edit is not plain, modules leave another
state, or what is to be run depends on how much the analysis may cost (see ``spending``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.analysis import guarded, plan_of, run_modules
from glasshouse.scan.frozen import GoneError, State, StateReader, moved, written
from glasshouse.scan.interp import entry_points
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.units import ENTRY, PLAN, STATE, SUMMARY, Key
from glasshouse.scan.languages import INTERPRETED
from glasshouse.scan.moves import Definition, Edited, Move, Record, UnmovedError, changed_functions, joined
from glasshouse.scan.outcomes import KINDS as UNIT_KINDS
from glasshouse.scan.outcomes import Numbers, Outcome, UnitRow, outcome_of
from glasshouse.scan.parts import parts_of
from glasshouse.scan.program import Fn
from glasshouse.scan.spending import BASE, modules_over, of_modules, reusable

if TYPE_CHECKING:
    from glasshouse.scan.rules.loader import RuleSet


WORD = re.compile(r"\w+", re.ASCII)
DEFINITION_STEPS = 2  # of a module body, to make a function and to give it its name


class Earlier:
    """What is known of an earlier state of the same files, and the outcome of the analysis for the next time."""

    def __init__(
        self,
        record: Record | None,
        edited: Edited | None,
        state: bytes = b"",
    ) -> None:
        self.record = record
        self.edited = edited  # None: not known, or not plain
        self.state = state  # that modules left
        self.outcome: Outcome | None = None
        self.functions: list[int] = []
        self.spans: dict[int, dict[int, int]] = {}
        self.parts: list[int] = []
        self.defined: list[Definition] = []
        self.starred: list[tuple[int, str]] = []
        self.used = False  # whether the record was of use
        self.renewed = False  # whether the state is a new one
        self.spoiled = False  # whether the machine cannot be used for anything else

    def promising(self) -> bool:
        """Whether it is worth trying ``again``."""
        return self.record is not None and self.edited is not None and (bool(self.state) or not self.looked_into())

    def looked_into(self) -> bool:
        """Whether a module body looked into what has changed."""
        assert self.record is not None
        assert self.edited is not None
        changed = changed_functions(self.record, self.edited)
        return any(row.key == BASE and not changed.isdisjoint(row.touched) for row in self.record.outcome.units)

    def again(self, machine: Machine, size: int, rules: Mapping[str, RuleSet]) -> Outcome | None:
        """The outcome from the record and what has to be run again, or None (see ``again``).

        The machine, made with these rules, has run nothing.  ``size``: of a part, in instructions.
        """
        assert self.record is not None
        assert self.edited is not None
        self.parts = self.record.parts
        if self.parts and self.parts != beginnings(machine, size):
            return None
        move = Move(self.record, self.edited, Numbers(machine.program))
        self.functions, self.spans = move.since(self.record)
        self.defined, come_or_gone = move.defined(self.record, self.edited.edits)
        self.starred = self.record.starred
        if come_or_gone and self._noticed(machine, come_or_gone, rules):
            return None
        functions = self.functions or list(range(len(move.functions)))
        looked_into = self.looked_into()
        if looked_into or not self.state:
            run_modules(machine)
            if looked_into and (self.defined or not self._leads_to(machine, functions)):
                return None
        else:
            self.spoiled = True
            try:
                self._install(machine, functions, move.numbers)
            except GoneError:
                return None
        self.outcome = again(self.record, self.edited, machine, move, base=looked_into)
        self.used, self.spoiled = self.outcome is not None, True
        return self.outcome

    def _install(self, machine: Machine, functions: list[int], numbers: Numbers) -> None:
        """Give the machine the state that modules left."""
        reader = StateReader(machine, self.state, functions, self._place)
        reader.install()
        for file, cls, name, given in self.defined:
            module = machine.program.modules[file]
            if not isinstance(given, int):
                reader.bind(module, name, given)
            else:
                reader.define(module, cls, name, numbers.functions[given] if given >= 0 else None)

    def _noticed(self, machine: Machine, found: Sequence[Definition], rules: Mapping[str, RuleSet]) -> bool:
        """Whether a definition that came or went may be noticed by something that is not code that names it."""
        assert self.record is not None
        assert self.edited is not None
        modules, over = machine.program.modules, self.record.outcome.over
        files, names = {item[0] for item in found}, {item[2] for item in found}
        whole = {
            target.index
            for module in modules
            for star in module.stars
            if (target := machine.program.find_module(module, star.module, star.level)) is not None
        }
        starred = {(item[0], item[2]) for item in found if item[0] in whole and item[1] < 0}
        if not files.isdisjoint(over) or not starred.isdisjoint(self.edited.elsewhere):
            return True
        self.starred = sorted(starred.union(self.starred))
        for matcher in machine.matchers.values():
            if any(matcher.concerns(name) for name in names):
                return True
        edits = self.edited.edits.values()
        defined = {name for edit in edits for table in (edit.come, edit.gone) for _, name in table.values()}
        imported = {given[0] for edit in edits for table in (edit.bound, edit.unbound) for given in table.values()}
        words = vocabulary(rules.values()) if defined else set()
        return not defined.isdisjoint(words) or asks_for_imports(rules.values(), map(str, imported))

    def _leads_to(self, machine: Machine, functions: list[int]) -> bool:
        """Whether modules have left the state that they left before; it is kept as it is now."""
        try:
            before = moved(msgspec.msgpack.decode(self.state, type=State), functions, self._place)
        except (GoneError, KeyError):
            return False
        state = written(machine)
        if state != msgspec.msgpack.encode(before):
            return False
        self.keep_state(state)
        return True

    def _place(self, file: int, span: int) -> int:
        spans = self.spans.get(file)
        return span if spans is None or not span else spans[span]

    def keep_state(self, state: bytes) -> None:
        """The state that modules left, where all of them have run."""
        self.state, self.functions, self.spans, self.defined, self.starred, self.renewed = state, [], {}, [], [], True

    def keep(self, machine: Machine, outcomes: Sequence[Outcome], size: int) -> None:
        """The outcome of an analysis of everything, in parts of about ``size`` instructions."""
        outcome = joined(outcomes)
        outcome.over = modules_over(machine, outcome.units, outcome.exhausted)
        self.parts = beginnings(machine, size) if outcome.over else []
        self.outcome = outcome if reusable(machine, outcomes, outcome.units) else None


def vocabulary(rules: Iterable[RuleSet]) -> set[str]:
    """All words by which rules and models tell code."""
    texts = []
    for each in rules:
        told = [(r.sinks, r.sanitizers, r.sources, r.matches, r.protocol, r.options) for r in each.rules.values()]
        texts.append(msgspec.json.encode((told, each.models)).decode())
    return {word for text in texts for word in WORD.findall(text)}


def asks_for_imports(rules: Iterable[RuleSet], modules: Iterable[str]) -> bool:
    """Whether something holds only in files that import one of some modules, or of the same package."""
    asked: set[str] = set()
    for each in rules:
        asked.update(name for rule in each.rules.values() for match in rule.matches for name in match.imports)
        asked.update(name for models in each.models for entry in models.entries for name in entry.imports)
    packages = {name.partition(".")[0] for name in asked}
    return any(module.partition(".")[0] in packages for module in modules)


def beginnings(machine: Machine, size: int) -> list[int]:
    """The first module of each part of the program."""
    return [part[0].index if part else -1 for part in parts_of(machine, size)]


def again(record: Record, edited: Edited, machine: Machine, move: Move, *, base: bool) -> Outcome | None:
    """The outcome of a program after plain edits of some files; None: unknown.

    The machine has its modules' state, which is as before; ``base``: it has run them, since they looked into a change.
    """
    numbers, over = move.numbers, record.outcome.over
    units = {row.key: row for row in record.outcome.units}
    affected = affected_units(record.outcome.units, move.gone, edited.names())
    if base != (BASE in affected):
        return None  # a module body has put together a name that comes or goes
    if over and not (affected - {BASE}).isdisjoint(users_of(record.outcome.units, of_modules(units.values(), over))):
        return None
    modules = machine.program.modules
    edits = {index: edit for index, edit in edited.edits.items() if modules[index].language in INTERPRETED}
    touched = {index for index, edit in edits.items() if edit.added or edit.removed}
    for unit in affected:
        number, kind = divmod(unit, UNIT_KINDS)
        if kind == ENTRY and number not in move.removed:
            touched.add(move.file(move.functions[number]))
    affected |= {index * UNIT_KINDS + PLAN for index in touched}
    wanted = [move.unit(unit) for unit in affected if unit_stays(unit, move)]
    for file, edit in edits.items():
        first = numbers.of_module(modules[file]).start
        wanted += [(first + index) * UNIT_KINDS + SUMMARY for index in edit.added]
    try:
        rows = [row for key, row in units.items() if key not in affected]
        kept = {row.key: row for row in (rows if move.same_numbers else map(move.row, rows))}
        if move.same_numbers:
            for row in rows:
                if row.details is not None:
                    move.details(row.details)
    except UnmovedError:
        return None
    if BASE in kept:
        for file, edit in edits.items():
            cost = kept[BASE].cost
            statements = DEFINITION_STEPS * (len(edit.come) - len(edit.gone)) + len(edit.bound) - len(edit.unbound)
            cost[file] = cost.get(file, 0) + statements
    run_units(machine, numbers, wanted, kept)
    return put_together(record, move, machine, kept)


def unit_stays(unit: int, move: Move) -> bool:
    number, kind = divmod(unit, UNIT_KINDS)
    return kind not in (ENTRY, SUMMARY) or number not in move.removed


def affected_units(rows: Collection[UnitRow], changed: set[int], names: set[str]) -> set[int]:
    """Units that looked into changed functions or put together one of the names, and all that used them."""
    found = [row.key for row in rows if not changed.isdisjoint(row.touched)]
    found += [row.key for row in rows if row.details is not None and not names.isdisjoint(row.details.asked)]
    return users_of(rows, found)


def users_of(rows: Collection[UnitRow], wanted: Iterable[int]) -> set[int]:
    """Some units, and all that used one of them, directly or not."""
    found = set(wanted)
    size = -1
    while size < len(found):  # mostly, what is used comes first
        size = len(found)
        found.update([row.key for row in rows if not found.isdisjoint(row.needs)])
    return found


def run_units(machine: Machine, numbers: Numbers, wanted: Sequence[int], kept: Collection[int]) -> None:
    """Run some units again, in the order of ``run_roots``; classes' states are made where they are wanted."""

    def place(key: Key) -> tuple[int, int, int]:
        kind, item = key
        return (item.index, PLAN, 0) if kind == PLAN else (item.module.index, kind, item.index)

    keys = [numbers.key(unit) for unit in wanted]
    for kind, item in sorted((key for key in keys if key[0] in (PLAN, SUMMARY)), key=place):
        if kind == PLAN:
            for fn, entry in plan_of(machine, item):
                if not entry_points.registered(machine, fn) and numbers.unit((ENTRY, fn)) not in kept:
                    guarded(machine, item, entry_points.enter, machine, fn, entry)
        elif kind == SUMMARY and item.ir.kind in ir.CALLED:
            guarded(machine, item.module, machine.summary_of, item)


def put_together(record: Record, move: Move, machine: Machine, kept: dict[int, UnitRow]) -> Outcome | None:
    """What was kept and what was found again, if nothing depends on what the analysis may cost."""
    numbers = move.numbers
    ran = [machine.units.open[0], *machine.units.done.values()]
    over = record.outcome.over
    if any(not set(over).isdisjoint(chain(unit.cost, unit.dropped)) for unit in machine.units.done.values()):
        return None  # what they use now depends on order
    fresh = outcome_of(machine, [unit for unit in ran if numbers.unit(unit.key) not in kept])
    old = Outcome(
        list(kept.values()),
        move.steps(record.outcome.steps),
        {},
        record.outcome.exhausted,
        0,
        record.outcome.deepest,
        True,
    )
    try:
        outcome = joined([old, fresh])
    except UnmovedError:
        return None
    found = reachable(outcome.units, numbers.functions)
    if found is None or not reusable(machine, [old, fresh], found):
        return None
    outcome.units, outcome.over = found, modules_over(machine, found, outcome.exhausted)
    return outcome if outcome.over == over else None


def reachable(rows: Sequence[UnitRow], functions: Sequence[Fn]) -> list[UnitRow] | None:
    """The units that an analysis from the start would make: roots, and what they use; None if one is not there."""
    others = {number for number, fn in enumerate(functions) if fn.ir.kind not in ir.CALLED}
    asked: dict[int, UnitRow] = {}  # only what is asked for can be out of reach
    roots: set[int] = set()
    reached: set[int] = set()
    for row in rows:
        number, kind = divmod(row.key, UNIT_KINDS)
        if kind == STATE or (kind == SUMMARY and number in others):
            asked[row.key] = row
        else:
            roots.add(row.key)
            reached.update(row.needs)
    reached -= roots
    pending = list(reached)
    while pending:
        found = asked.get(pending.pop())
        if found is None:
            return None
        later = set(found.needs).difference(reached, roots)
        reached |= later
        pending += later
    return [row for row in rows if row.key in roots or row.key in reached]
