"""After an edit: units whose input is as before keep their outcome, the others are run again.

A unit depends on the state of all modules, on the code it looked into and on the units it used, and on nothing else
(see ``interp.units``).  So after a plain edit (see ``alignment``) of functions that no module body looked into, the
units to run are those that looked into a changed function, and those that used one of them, directly or not.

Where this cannot be shown, the answer is None and everything is analysed: the edit is not plain, modules leave another
state, or what is to be run depends on how much the analysis may cost (see ``spending``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate, chain

import msgspec

from glasshouse.scan.alignment import Alignment
from glasshouse.scan.analysis import KINDS, guarded, plan_of, run_modules
from glasshouse.scan.frozen import GoneError, State, StateReader, moved, written
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.units import ENTRY, PLAN, STATE, SUMMARY, Key
from glasshouse.scan.languages import INTERPRETED
from glasshouse.scan.outcomes import KINDS as UNIT_KINDS
from glasshouse.scan.outcomes import Details, FlowRow, Numbers, Outcome, StepRow, UnitRow, outcome_of
from glasshouse.scan.parts import parts_of
from glasshouse.scan.program import Fn
from glasshouse.scan.spending import BASE, modules_over, of_modules, reusable


class Record(msgspec.Struct, array_like=True):
    """The outcome of an analysis.  ``files``: path, language, content key, and how many functions and classes."""

    files: list[tuple[str, str, bytes, int, int]]
    outcome: Outcome
    state: bytes = b""  # the digest of the state that modules left, which is kept beside this
    functions: list[int] = []  # where functions of the state are now (none: where they were; -1: nowhere)
    spans: dict[int, dict[int, int]] = {}  # where places of the state are now, by file, if they have moved
    parts: list[int] = []  # where the parts of the program begin, if units depend on that


class UnmovedError(Exception):
    """A place in an outcome has no counterpart after the edit."""


class Earlier:
    """What is known of an earlier state of the same files, and the outcome of the analysis for the next time."""

    def __init__(self, record: Record | None, edits: Mapping[int, Alignment] | None, state: bytes = b"") -> None:
        self.record = record
        self.edits = edits  # by position of the file; None: not plain
        self.state = state  # that modules left
        self.outcome: Outcome | None = None
        self.functions: list[int] = []
        self.spans: dict[int, dict[int, int]] = {}
        self.parts: list[int] = []
        self.used = False  # whether the record was of use
        self.renewed = False  # whether the state is a new one
        self.spoiled = False  # whether the machine cannot be used for anything else

    def promising(self) -> bool:
        """Whether it is worth trying ``again``."""
        return self.record is not None and self.edits is not None and (bool(self.state) or not self.looked_into())

    def looked_into(self) -> bool:
        """Whether a module body looked into what has changed."""
        assert self.record is not None
        assert self.edits is not None
        changed = changed_functions(self.record, self.edits)
        return any(row.key == BASE and not changed.isdisjoint(row.touched) for row in self.record.outcome.units)

    def again(self, machine: Machine, size: int) -> Outcome | None:
        """The outcome from the record and what has to be run again, or None (see ``again``).

        The machine has run nothing.  ``size``: of a part, in instructions.
        """
        assert self.record is not None
        assert self.edits is not None
        self.parts = self.record.parts
        if self.parts and self.parts != beginnings(machine, size):
            return None
        move = Move(self.record, self.edits, Numbers(machine.program))
        self.functions, self.spans = move.since(self.record)
        functions = self.functions or list(range(len(move.functions)))
        looked_into = self.looked_into()
        if looked_into or not self.state:
            run_modules(machine)
            if looked_into and not self._leads_to(machine, functions):
                return None
        else:
            self.spoiled = True
            StateReader(machine, self.state, functions, self._place).install()
        self.outcome = again(self.record, self.edits, machine, move, base=looked_into)
        self.used, self.spoiled = self.outcome is not None, True
        return self.outcome

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
        self.state, self.functions, self.spans, self.renewed = state, [], {}, True

    def keep(self, machine: Machine, outcomes: Sequence[Outcome], size: int) -> None:
        """The outcome of an analysis of everything, in parts of about ``size`` instructions."""
        outcome = joined(outcomes)
        outcome.over = modules_over(machine, outcome.units, outcome.exhausted)
        self.parts = beginnings(machine, size) if outcome.over else []
        self.outcome = outcome if reusable(machine, outcomes, outcome.units) else None


def beginnings(machine: Machine, size: int) -> list[int]:
    """The first module of each part of the program."""
    return [part[0].index if part else -1 for part in parts_of(machine, size)]


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Several outcomes as one; each unit once, and only steps that are referred to."""
    keeper = Keeper()
    units: dict[int, UnitRow] = {}
    for outcome in outcomes:
        keeper.begin(outcome.steps)
        for row in outcome.units:
            if row.key not in units:
                units[row.key] = row if row.details is None else keeper.row(row, row.details)
    exhausted: dict[int, int] = {}
    for outcome in outcomes:
        for index, count in outcome.exhausted.items():
            exhausted[index] = max(exhausted.get(index, 0), count)
    deepest = max(outcome.deepest for outcome in outcomes)
    return Outcome(list(units.values()), keeper.steps, {}, exhausted, 0, deepest, True)


class Keeper:
    """Copies rows with the steps they refer to."""

    def __init__(self) -> None:
        self.steps: list[StepRow] = []
        self._from: Sequence[StepRow] = ()
        self._places: dict[int, int] = {-1: -1}

    def begin(self, steps: Sequence[StepRow]) -> None:
        """The rows that follow refer to these steps."""
        self._from, self._places = steps, {-1: -1}

    def row(self, row: UnitRow, details: Details) -> UnitRow:
        if not (details.flows or details.guesses or details.weak):
            return row
        flows, guesses, weak = self.flows(details.flows), self.flows(details.guesses), self.flows(details.weak)
        details = msgspec.structs.replace(details, flows=flows, guesses=guesses, weak=weak)
        return msgspec.structs.replace(row, details=details)

    def flows(self, rows: Iterable[FlowRow]) -> list[FlowRow]:
        return [msgspec.structs.replace(row, step=self.step(row.step)) for row in rows]

    def step(self, position: int) -> int:
        """Where a step is now; steps come after those they follow."""
        places, pending = self._places, [position]
        while pending:
            item = pending[-1]
            if item in places:
                pending.pop()
                continue
            file, span, text, before, inner = self._from[item]
            later = [one for one in (before, inner) if one not in places]
            if later:
                pending += later
                continue
            if span < 0:
                raise UnmovedError
            places[item] = len(self.steps)
            self.steps.append((file, span, text, places[before], places[inner]))
        return places[position]


class Move:
    """Old numbers and places to new ones."""

    def __init__(self, record: Record, edits: Mapping[int, Alignment], numbers: Numbers) -> None:
        starts = list(accumulate((entry[3] for entry in record.files), initial=0))
        self.spans = {file: edit.spans for file, edit in edits.items()}
        self.functions: list[int] = list(range(starts[-1]))
        self.gone = changed_functions(record, edits)  # nothing that looked into them stays
        shift = 0
        for file, (_, _, _, count, _) in enumerate(record.files):
            first, edit = starts[file], edits.get(file)
            if edit is not None:
                for index in range(count):
                    self.functions[first + index] = first + shift + edit.same.get(index, 0)
                shift += len(edit.added) - len(edit.removed)
            elif shift:
                self.functions[first : first + count] = range(first + shift, first + shift + count)
        self.same_numbers = self.functions == list(range(len(self.functions)))
        self.removed = {starts[file] + index for file, edit in edits.items() for index in edit.removed}
        self.numbers = numbers

    def since(self, record: Record) -> tuple[list[int], dict[int, dict[int, int]]]:
        """Where functions and places of the record's state are now."""
        spans = dict(record.spans)
        for file, found in self.spans.items():
            before = spans.get(file)
            moved = {old: found[new] for old, new in before.items() if new in found} if before is not None else found
            spans[file] = moved
        if self.same_numbers and not record.functions:
            return [], spans
        functions = record.functions or list(range(len(self.functions)))
        return [-1 if item < 0 or item in self.removed else self.functions[item] for item in functions], spans

    def unit(self, unit: int) -> int:
        number, kind = divmod(unit, UNIT_KINDS)
        return self.functions[number] * UNIT_KINDS + kind if kind in (ENTRY, SUMMARY) else unit

    def row(self, row: UnitRow) -> UnitRow:
        """A row that depends on nothing that changed, as it is after the edit."""
        if not self.same_numbers:
            functions = self.functions
            row.key = self.unit(row.key)
            row.touched = [functions[number] for number in row.touched]
            row.needs = [self.unit(number) for number in row.needs]
            row.called = [functions[number] for number in row.called]
        if row.details is not None:
            self.details(row.details)
        return row

    def details(self, row: Details) -> None:
        functions = self.functions
        for table in (row.flows, row.guesses, row.weak):
            for position, flow in enumerate(table):
                table[position] = self.flow(flow)
        for fact in row.facts:
            fact.fn = functions[fact.fn]
            fact.span = self.span(self.file(fact.fn), fact.span)
        row.entries = [functions[number] for number in row.entries]
        row.capped = [functions[number] for number in row.capped]
        row.widened = [(file, self.span(file, span)) for file, span in row.widened]

    def flow(self, row: FlowRow) -> FlowRow:
        fn, label = self.functions[row.fn], row.label
        if label is not None:
            kind, source, text, (file, span) = label
            label = kind, source, text, (file, self.span(file, span))
        span = self.span(self.file(fn), row.span)
        return msgspec.structs.replace(row, fn=fn, span=span, label=label, owner=self.functions[row.owner])

    def file(self, function: int) -> int:
        return self.numbers.functions[function].module.index

    def span(self, file: int, span: int) -> int:
        spans = self.spans.get(file)
        if spans is None or not span:
            return span
        found = spans.get(span)
        if found is None:
            raise UnmovedError
        return found

    def steps(self, steps: Iterable[StepRow]) -> list[StepRow]:
        """Steps after the edit; those that have no counterpart have no place."""
        made = []
        for step in steps:
            spans = self.spans.get(step[0])
            place = spans.get(step[1], -1) if spans is not None and step[1] else step[1]
            made.append((step[0], place, *step[2:]))
        return made


def again(
    record: Record, edits: Mapping[int, Alignment], machine: Machine, move: Move, *, base: bool
) -> Outcome | None:
    """The outcome of a program after plain ``edits`` of some files; None: unknown.

    The machine has its modules' state, which is as before; ``base``: it has run them, since they looked into a change.
    """
    numbers, over = move.numbers, record.outcome.over
    units = {row.key: row for row in record.outcome.units}
    affected = affected_units(record.outcome.units, move.gone)
    assert base == (BASE in affected)
    if over and not (affected - {BASE}).isdisjoint(users_of(record.outcome.units, of_modules(units.values(), over))):
        return None
    modules = machine.program.modules
    edits = {index: edit for index, edit in edits.items() if modules[index].language in INTERPRETED}
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
    run_units(machine, numbers, wanted, kept)
    return put_together(record, move, machine, kept)


def changed_functions(record: Record, edits: Mapping[int, Alignment]) -> set[int]:
    """Functions that changed or are gone, by their old numbers."""
    starts = list(accumulate((entry[3] for entry in record.files), initial=0))
    return {starts[file] + index for file, edit in edits.items() for index in (*edit.changed, *edit.removed)}


def unit_stays(unit: int, move: Move) -> bool:
    number, kind = divmod(unit, UNIT_KINDS)
    return kind not in (ENTRY, SUMMARY) or number not in move.removed


def affected_units(rows: Collection[UnitRow], changed: set[int]) -> set[int]:
    """Units that looked into changed functions, and all that used them."""
    return users_of(rows, [row.key for row in rows if not changed.isdisjoint(row.touched)])


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
                if not machine.registered(fn) and numbers.unit((ENTRY, fn)) not in kept:
                    guarded(machine, item, machine.enter, fn, entry)
        elif kind == SUMMARY and item.ir.kind in KINDS:
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
    others = {number for number, fn in enumerate(functions) if fn.ir.kind not in KINDS}
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
