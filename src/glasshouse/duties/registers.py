"""Registers beside incidents: the authorised representative, requests, complaints, and evaluators' access, with clocks.

Each has records of its own, because each asks for other facts: a mandate, an answer, a decision, a term and an embargo.
What a register holds is the fold of its records; who is told what by when is computed from them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec

from glasshouse.duties.clock import Anchor, Clock, Facts, Scope, read
from glasshouse.duties.law import Law
from glasshouse.duties.periods import Calendar
from glasshouse.words.errors import DutyError

Kind = Literal["representative", "request", "complaint", "grant"]
About = Literal["copyright", "screening", "admission", "other"]


class RepresentativeNamed(msgspec.Struct, frozen=True, tag="duty.representative"):
    """Somebody in the Union was given a written mandate (AI Act Art. 54); ``mandate`` is the digest of the document."""

    id: str
    name: str
    country: str
    contact: str
    mandate: str
    since: dt.date
    model: str = ""


class RepresentativeChecked(msgspec.Struct, frozen=True, tag="duty.representative-check"):
    """A named person checked that the representative holds the documentation and can be reached."""

    id: str
    at: dt.datetime
    name: str
    role: str


class RepresentativeEnded(msgspec.Struct, frozen=True, tag="duty.representative-end"):
    """The mandate ended; ``told`` is when the AI Office was told, None while it was not."""

    id: str
    at: dt.datetime
    reason: str
    told: dt.datetime | None = None


class RequestReceived(msgspec.Struct, frozen=True, tag="duty.request"):
    """A downstream provider asked for information (Code, Measure 1.2)."""

    id: str
    who: str
    asks: str
    at: dt.datetime
    model: str = ""


class RequestAnswered(msgspec.Struct, frozen=True, tag="duty.request-answer"):
    """What was sent, by its digest, and by whom."""

    id: str
    at: dt.datetime
    digest: str
    name: str
    role: str


class ComplaintReceived(msgspec.Struct, frozen=True, tag="duty.complaint"):
    """Somebody complained; ``about_entries`` are the log entries that they complain of."""

    id: str
    who: str
    about: About
    text: str
    at: dt.datetime
    model: str = ""
    about_entries: tuple[int, ...] = ()


class ComplaintDecided(msgspec.Struct, frozen=True, tag="duty.complaint-decision"):
    """A named person decided a complaint, with the reason that was given."""

    id: str
    at: dt.datetime
    upheld: bool
    reason: str
    name: str
    role: str


class AccessGranted(msgspec.Struct, frozen=True, tag="duty.grant"):
    """An independent evaluator may use a model from a day to a day (both included), free of training on what is asked
    unless ``may_train``; ``engagement`` is the one at the door that carries the access."""

    id: str
    evaluator: str
    model: str
    since: dt.date
    until: dt.date
    engagement: str = ""
    may_train: bool = False


class FindingsReceived(msgspec.Struct, frozen=True, tag="duty.findings"):
    """An evaluator handed in findings; the longest embargo counts from here."""

    id: str
    at: dt.datetime
    digest: str


class AccessEnded(msgspec.Struct, frozen=True, tag="duty.grant-end"):
    """The evaluator's access was withdrawn."""

    id: str
    at: dt.datetime
    reason: str


Opening = RepresentativeNamed | RequestReceived | ComplaintReceived | AccessGranted
RegisterRecord = (
    Opening
    | RepresentativeChecked
    | RepresentativeEnded
    | RequestAnswered
    | ComplaintDecided
    | FindingsReceived
    | AccessEnded
)
RULES: dict[Kind, tuple[str, ...]] = {
    "representative": ("house_mandate_check", "aia54_end"),
    "request": ("cop12_downstream",),
    "complaint": ("house_complaint",),
    "grant": ("cop35_embargo", "house_grant_end"),
}


class Row(msgspec.Struct, frozen=True):
    """One line of a register as its records add up.  ``records`` are (entry, record), oldest first."""

    kind: Kind
    opened: Opening
    records: tuple[tuple[int, RegisterRecord], ...]
    anchors: dict[str, Anchor] = {}
    filed: dict[str, tuple[dt.datetime, ...]] = {}
    closed: dt.datetime | None = None

    @property
    def id(self) -> str:
        """Its name."""
        return self.opened.id

    @property
    def entries(self) -> tuple[int, ...]:
        """The log entries behind it."""
        return tuple(entry for entry, _ in self.records)

    @property
    def who(self) -> str:
        """The other party."""
        opened = self.opened
        if isinstance(opened, RepresentativeNamed):
            return f"{opened.name}, {opened.country}"
        return opened.evaluator if isinstance(opened, AccessGranted) else opened.who


def taken(rows: Mapping[str, Row], record: RegisterRecord, entry: int) -> Row:
    """The row after a record.  Raises `DutyError` for one about a row that is not there, of another kind, or closed."""
    if isinstance(record, Opening):
        if record.id in rows:
            raise DutyError(f"`{record.id}` is opened twice, by entry {entry}")
        return _opened(record, entry)
    row = rows.get(record.id)
    if row is None:
        raise DutyError(f"entry {entry} is about `{record.id}`, which is in no register")
    kind = str(record.__struct_config__.tag).removeprefix("duty.").partition("-")[0].replace("findings", "grant")
    if kind != row.kind:
        raise DutyError(f"`{record.id}` is a {row.kind}, and entry {entry} is about a {kind}")
    if row.closed is not None and not isinstance(record, FindingsReceived):
        raise DutyError(f"`{record.id}` is closed since {row.closed.isoformat()}; entry {entry} comes too late")
    return _after(row, record, entry)


def _opened(record: Opening, entry: int) -> Row:
    match record:
        case RepresentativeNamed(since=since):
            return _row("representative", record, entry, "last_mandate_check", since)
        case RequestReceived(at=at):
            return _row("request", record, entry, "request_received", at)
        case ComplaintReceived(at=at):
            return _row("complaint", record, entry, "complaint_received", at)
        case AccessGranted():
            return Row("grant", record, ((entry, record),))


def _row(kind: Kind, record: Opening, entry: int, anchor: str, at: dt.datetime | dt.date) -> Row:
    return Row(kind, record, ((entry, record),), {anchor: Anchor(anchor, at)})


def _after(row: Row, record: RegisterRecord, entry: int) -> Row:
    row = msgspec.structs.replace(row, records=(*row.records, (entry, record)))
    match record:
        case RepresentativeChecked(at=at):
            return _filed(row, "house_mandate_check", at)
        case RepresentativeEnded(at=at, told=told):
            ended = _closed(_with_anchor(row, "mandate_terminated", at), at)
            return ended if told is None else _filed(ended, "aia54_end", told)
        case RequestAnswered(at=at):
            return _closed(_filed(row, "cop12_downstream", at), at)
        case ComplaintDecided(at=at):
            return _closed(_filed(row, "house_complaint", at), at)
        case FindingsReceived(at=at):
            return _with_anchor(row, "signatory_made_aware_of_findings", at)
        case AccessEnded(at=at):
            assert isinstance(row.opened, AccessGranted)
            expired = _with_anchor(row, "grant_expired", min(row.opened.until, at.date()))
            return _closed(_filed(expired, "house_grant_end", at), at)
    raise AssertionError(record)


def _with_anchor(row: Row, name: str, at: dt.datetime | dt.date) -> Row:
    return msgspec.structs.replace(row, anchors=row.anchors | {name: Anchor(name, at)})


def _filed(row: Row, rule: str, at: dt.datetime) -> Row:
    return msgspec.structs.replace(row, filed=row.filed | {rule: (*row.filed.get(rule, ()), at)})


def _closed(row: Row, at: dt.datetime) -> Row:
    return msgspec.structs.replace(row, closed=at)


def row_clocks(row: Row, law: Law, now: dt.datetime, calendar: Calendar, scope: Scope) -> tuple[Clock, ...]:
    """Where every duty of a row stands at ``now``.  An evaluator's access expires with its last day by itself."""
    anchors = dict(row.anchors)
    opened = row.opened
    if isinstance(opened, AccessGranted) and row.closed is None and now.date() > opened.until:
        anchors["grant_expired"] = Anchor("grant_expired", opened.until)
    return tuple(
        read(law.rules[name], Facts(anchors, row.filed.get(name, ()), row.closed is not None), now, calendar, scope)
        for name in RULES[row.kind]
        if not (law.rules[name].deadline.recurring and row.closed is not None)
    )
