"""What is kept of an analysis, and what an edit does to it: numbers of functions and places move.

Places are spans of a file; after a plain edit (see ``alignment``) each has its counterpart, but for those in changed
bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec

from glasshouse.scan.alignment import Alignment
from glasshouse.scan.definitions import Binding
from glasshouse.scan.interp.units import ENTRY, SUMMARY
from glasshouse.scan.outcomes import KINDS as UNIT_KINDS
from glasshouse.scan.outcomes import Details, FlowRow, LabelRow, Numbers, Outcome, StepRow, UnitRow

Definition = tuple[int, int, str, int | Binding]  # file, class in it, name, and number of the function (-1: gone)


class Record(msgspec.Struct, array_like=True):
    """The outcome of an analysis.  ``files``: path, language, content key, and how many functions and classes."""

    files: list[tuple[str, str, bytes, int, int]]
    outcome: Outcome
    state: bytes = b""  # the digest of the state that modules left, which is kept beside this
    functions: list[int] = []  # where functions of the state are now (none: where they were; -1: nowhere)
    spans: dict[int, dict[int, int]] = {}  # where places of the state are now, by file, if they have moved
    parts: list[int] = []  # where the parts of the program begin, if units depend on that
    defined: list[Definition] = []  # what has come or gone since the state was written
    starred: list[tuple[int, str]] = []  # names of these that other files may have by importing all names of the file


class Edited(NamedTuple):
    """What was edited since a record, by position of the file.

    ``noticing``: functions that stay as they are but name what comes or goes, by file and index in it before the edit.
    ``elsewhere``: names that come or go, with their file, and that other edited files name.
    """

    edits: dict[int, Alignment]
    noticing: set[tuple[int, int]]
    elsewhere: set[tuple[int, str]]

    def names(self) -> set[str]:
        """Names that come or go."""
        return {name for edit in self.edits.values() for name in edit.coming() | edit.going()}


class UnmovedError(Exception):
    """A place in an outcome has no counterpart after the edit."""


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
        if not (details.flows or details.guesses or details.weak or details.reads or details.kept):
            return row
        kept = [msgspec.structs.replace(item, step=self.step(item.step)) for item in details.kept]
        flows, guesses, weak = self.flows(details.flows), self.flows(details.guesses), self.flows(details.weak)
        reads = self.flows(details.reads)
        details = msgspec.structs.replace(details, flows=flows, guesses=guesses, weak=weak, reads=reads, kept=kept)
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

    def __init__(self, record: Record, edited: Edited, numbers: Numbers) -> None:
        edits = edited.edits
        starts = list(accumulate((entry[3] for entry in record.files), initial=0))
        self.spans = {file: edit.spans for file, edit in edits.items()}
        self.functions: list[int] = list(range(starts[-1]))
        self.gone = changed_functions(record, edited)  # nothing that looked into them stays
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

    def defined(self, record: Record, edits: Mapping[int, Alignment]) -> tuple[list[Definition], list[Definition]]:
        """What has come or gone since the record's state was written, and since the record itself."""
        found: dict[tuple[int, int, str], int | Binding] = {}
        for file, cls, name, given in record.defined:
            if isinstance(given, int):
                given = -1 if given < 0 or given in self.removed else self.functions[given]
            found[file, cls, name] = given
        last: list[Definition] = []
        for file, edit in edits.items():
            first = self.numbers.of_module(self.numbers.modules[file]).start
            last += [(file, cls, name, -1) for cls, name in edit.gone.values()]
            last += [(file, -1, name, -1) for name in edit.unbound]
            last += [(file, cls, name, first + index) for index, (cls, name) in edit.come.items()]
            last += [(file, -1, name, given) for name, given in edit.bound.items()]
        found.update({item[:3]: item[3] for item in last})
        return [(*place, given) for place, given in found.items()], last

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
        for table in (row.flows, row.guesses, row.weak, row.reads):
            for position, flow in enumerate(table):
                table[position] = self.flow(flow)
        for fact in row.facts:
            fact.fn = functions[fact.fn]
            fact.span = self.span(self.file(fact.fn), fact.span)
        row.kept = [msgspec.structs.replace(item, label=self.label(item.label)) for item in row.kept]
        row.entries = [functions[number] for number in row.entries]
        row.checked = [functions[number] for number in row.checked]
        row.capped = [functions[number] for number in row.capped]
        row.widened = [(file, self.span(file, span)) for file, span in row.widened]

    def flow(self, row: FlowRow) -> FlowRow:
        fn, label = self.functions[row.fn], row.label
        if label is not None:
            label = self.label(label)
        span = self.span(self.file(fn), row.span)
        return msgspec.structs.replace(row, fn=fn, span=span, label=label, owner=self.functions[row.owner])

    def label(self, label: LabelRow) -> LabelRow:
        kind, source, text, (file, span) = label
        return kind, source, text, (file, self.span(file, span))

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


def changed_functions(record: Record, edited: Edited) -> set[int]:
    """Functions that changed, are gone, or may notice what comes or goes, by their old numbers."""
    starts = list(accumulate((entry[3] for entry in record.files), initial=0))
    found = {starts[file] + index for file, index in edited.noticing}
    for file, edit in edited.edits.items():
        found.update(starts[file] + index for index in (*edit.changed, *edit.removed))
    return found
