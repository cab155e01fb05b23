"""What duties keep in the log: declarations of scope, cases, anchors, notes, filings; and the state they add up to.

A register is never stored: it is the fold of its records, in the order of the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from glasshouse.duties.clock import Anchor, Clock, Facts, Scope, read
from glasshouse.duties.law import Law
from glasshouse.duties.periods import Calendar
from glasshouse.duties.registers import RegisterRecord, Row, row_clocks, taken
from glasshouse.words.errors import DutyError


class ScopeDeclared(msgspec.Struct, frozen=True, tag="duty.scope"):
    """The organisation says which regimes it is under; the newest declaration counts."""

    regimes: dict[str, bool]
    roles: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    calendar: str = ""
    holidays: tuple[dt.date, ...] = ()


class CaseOpened(msgspec.Struct, frozen=True, tag="duty.open"):
    """A case that duties belong to: an incident, a request, a complaint, a review, a grant to an evaluator."""

    case: str
    title: str
    rules: tuple[str, ...]
    model: str = ""


class AnchorRecorded(msgspec.Struct, frozen=True, tag="duty.anchor"):
    """An event of a case.  ``time`` is known to the second, ``day`` to the day; neither: its time was not recorded."""

    case: str
    anchor: str
    time: dt.datetime | None = None
    day: dt.date | None = None


class Noted(msgspec.Struct, frozen=True, tag="duty.note"):
    """A statement on one of the points that a report asks for."""

    case: str
    point: str
    text: str
    name: str
    role: str


class Linked(msgspec.Struct, frozen=True, tag="duty.link"):
    """The log entries that a case is about: acts, denials, outcomes."""

    case: str
    entries: tuple[int, ...]


class Filed(msgspec.Struct, frozen=True, tag="duty.file"):
    """A report was sent: under which rule, when, to whom, and the digest of what was sent."""

    case: str
    rule: str
    at: dt.datetime
    recipient: str
    digest: str


class CaseClosed(msgspec.Struct, frozen=True, tag="duty.close"):
    """Nothing of the case recurs any more."""

    case: str
    reason: str


CaseRecord = CaseOpened | AnchorRecorded | Noted | Linked | Filed | CaseClosed
DutyRecord = ScopeDeclared | CaseRecord | RegisterRecord
FOLLOWING = {  # filing a report under a rule is itself the event that starts the next clock
    "cra_inc_notification": "incident_notification_submitted",
    "nis2_notification": "incident_notification_submitted",
    "dora_initial": "initial_notification_submitted",
    "dora_intermediate": "latest_intermediate_submitted",
    "cop93_infra": "initial_report_sent",
    "cop93_cyber": "initial_report_sent",
    "cop93_death": "initial_report_sent",
    "cop93_harm": "initial_report_sent",
}


class Recorded(msgspec.Struct, frozen=True):
    """A record with its log entry and the time the log gave it."""

    entry: int
    at: dt.datetime
    record: DutyRecord


class Case(msgspec.Struct, frozen=True):
    """A case as its records add up; notes are (point, note with its entry and time)."""

    opened: CaseOpened
    entries: tuple[int, ...]
    at: dt.datetime
    anchors: dict[str, Anchor] = {}
    notes: dict[str, Recorded] = {}
    filings: tuple[tuple[str, dt.datetime, int], ...] = ()
    closed: dt.datetime | None = None
    linked: frozenset[int] = frozenset()


class Duties(msgspec.Struct, frozen=True):
    """Everything about duties that the log holds."""

    scope: Scope
    calendar: Calendar
    cases: dict[str, Case]
    rows: dict[str, Row] = {}


def fold(records: Iterable[Recorded]) -> Duties:
    """The state after all records, in log order.

    Raises `DutyError` for a record about a case that is not there; the log keeps it, and nothing is guessed.
    """
    scope, calendar = Scope(), Calendar()
    cases: dict[str, Case] = {}
    rows: dict[str, Row] = {}
    for each in records:
        record = each.record
        if isinstance(record, ScopeDeclared):
            scope = Scope(record.regimes, frozenset(record.roles), frozenset(record.kinds))
            calendar = Calendar(record.calendar, frozenset(record.holidays))
        elif isinstance(record, RegisterRecord):
            rows[record.id] = taken(rows, record, each.entry)
        elif isinstance(record, CaseOpened):
            if record.case in cases:
                raise DutyError(f"case `{record.case}` is opened twice, by entry {each.entry}")
            cases[record.case] = Case(record, (each.entry,), each.at)
        else:
            cases[record.case] = _with(_case(cases, record.case, each.entry), each)
    return Duties(scope, calendar, cases, rows)


def _case(cases: dict[str, Case], name: str, entry: int) -> Case:
    if name not in cases:
        raise DutyError(f"entry {entry} is about the case `{name}`, which was not opened")
    return cases[name]


def _with(case: Case, each: Recorded) -> Case:
    record, entries = each.record, (*case.entries, each.entry)
    replace = msgspec.structs.replace
    if isinstance(record, AnchorRecorded):
        return replace(
            case,
            entries=entries,
            anchors=case.anchors | {record.anchor: Anchor(record.anchor, record.time or record.day)},
        )
    if isinstance(record, Noted):
        return replace(case, entries=entries, notes=case.notes | {record.point: each})
    if isinstance(record, Linked):
        return replace(case, entries=entries, linked=case.linked | set(record.entries))
    if isinstance(record, CaseClosed):
        return replace(case, entries=entries, closed=each.at)
    assert isinstance(record, Filed)
    anchors = dict(case.anchors)
    if record.rule in FOLLOWING:
        anchors[FOLLOWING[record.rule]] = Anchor(FOLLOWING[record.rule], record.at)
    filings = (*case.filings, (record.rule, record.at, each.entry))
    return replace(case, entries=entries, anchors=anchors, filings=filings)


def clocks(duties: Duties, case: Case, law: Law, now: dt.datetime) -> tuple[Clock, ...]:
    """Where every duty of a case stands.  Raises `DutyError` for a rule that the law data no longer has."""
    found = []
    for name in case.opened.rules:
        if name not in law.rules:
            raise DutyError(f"case `{case.opened.case}` names the rule `{name}`, which is not in the data")
        filed = tuple(sorted(at for rule, at, _ in case.filings if rule == name))
        facts = Facts(case.anchors, filed, case.closed is not None)
        found.append(read(law.rules[name], facts, now, duties.calendar, duties.scope))
    return tuple(found)


def all_clocks(duties: Duties, law: Law, now: dt.datetime) -> list[tuple[str, str, Clock]]:
    """Every clock of every case and register: (name, title, clock), in the order of opening."""
    found = [
        (name, case.opened.title, clock)
        for name, case in duties.cases.items()
        for clock in clocks(duties, case, law, now)
    ]
    for name, row in duties.rows.items():
        title = f"{row.kind}: {row.who}"
        found += [(name, title, clock) for clock in row_clocks(row, law, now, duties.calendar, duties.scope)]
    return found
