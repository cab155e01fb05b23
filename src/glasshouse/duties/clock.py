"""The clock: one pure function that says where a duty stands, and why.

States: ``scope_not_declared`` (nobody said whether the regime applies), ``not_applicable``, ``not_started`` (the event
has not happened), ``anchor_missing`` (it happened, but its time was not recorded), ``due``, ``overdue``, ``filed``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec

from glasshouse.duties.law import Period, Rule
from glasshouse.duties.periods import Calendar, End, end_of
from glasshouse.words.errors import AnchorError

State = Literal["scope_not_declared", "not_applicable", "not_started", "anchor_missing", "due", "overdue", "filed"]
Instant = dt.datetime | dt.date


class Anchor(msgspec.Struct, frozen=True):
    """An event that starts a clock.  ``at`` is None when it happened and nobody recorded when."""

    name: str
    at: Instant | None = None
    recorded_by: str = ""


class Scope(msgspec.Struct, frozen=True):
    """What an organisation declared about itself: regime id to whether it applies; roles; kinds of system."""

    regimes: Mapping[str, bool] = {}
    roles: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()


class Facts(msgspec.Struct, frozen=True):
    """What is known of one case: its anchors by name, and when the report of this rule was filed, oldest first."""

    anchors: Mapping[str, Anchor] = {}
    filed: tuple[dt.datetime, ...] = ()
    closed: bool = False  # recurring duties end


class Clock(msgspec.Struct, frozen=True):
    """Where a duty stands.

    ``due`` is the outer limit by the figure; the duty itself says without undue delay.  ``extended`` is the later end
    where the last day is no working day: never plan with it.  ``late`` tells that a filing came after both.
    """

    rule: str
    state: State
    reason: str
    due: dt.datetime | None = None
    extended: dt.datetime | None = None
    late: bool = False
    notes: tuple[str, ...] = ()


def read(rule: Rule, facts: Facts, now: dt.datetime, calendar: Calendar, scope: Scope) -> Clock:
    """The state of a duty at ``now``.  Raises `AnchorError` for an event in the future, or without a time zone."""
    _check(facts, now)
    outside = _outside(rule, facts, scope, now)
    if outside is not None:
        return outside
    deadline = rule.deadline
    if deadline.none or deadline.before or deadline.moves_to:
        words = deadline.none or deadline.before or "moves another deadline"
        return Clock(rule.id, "not_applicable", f"no clock of its own: {words}")
    missing = _missing(rule, facts, scope)
    if missing is not None:
        return missing
    if deadline.no_figure or deadline.requested:
        return _without_figure(rule, facts)
    return _with_figure(rule, facts, now, calendar, scope)


def _check(facts: Facts, now: dt.datetime) -> None:
    for name, at in [*((a.name, a.at) for a in facts.anchors.values()), *(("filing", at) for at in facts.filed)]:
        if isinstance(at, dt.datetime):
            if at.tzinfo is None:
                raise AnchorError(f"the time of `{name}` has no time zone: {at.isoformat()}")
            if at > now:
                raise AnchorError(f"`{name}` lies in the future: {at.isoformat()} is after {now.isoformat()}")
        elif at is not None and at > (now + dt.timedelta(hours=14)).date():  # the day may have begun further east
            raise AnchorError(f"`{name}` lies in the future: {at.isoformat()} is after {now.date().isoformat()}")


def _outside(rule: Rule, facts: Facts, scope: Scope, now: dt.datetime) -> Clock | None:
    applies = scope.regimes.get(rule.regime)
    if applies is None:
        return Clock(rule.id, "scope_not_declared", f"nobody declared whether `{rule.regime}` applies")
    if not applies:
        return Clock(rule.id, "not_applicable", f"`{rule.regime}` was declared not to apply")
    start = first_day(rule, scope)
    days = [_day(anchor.at) for anchor in facts.anchors.values() if anchor.at is not None]
    event = min(days, default=now.date())
    if start is not None and event < start:
        return Clock(rule.id, "not_applicable", f"the duty applies from {start.isoformat()}")
    return None


def first_day(rule: Rule, scope: Scope) -> dt.date | None:
    """The first day on which the rule applies to this scope; the earliest of its days where no kind is declared."""
    days = rule.applies_from
    mine = [day for kind, day in days.items() if kind == "all" or kind in scope.kinds]
    return min(mine or days.values(), default=None)


def _day(at: Instant) -> dt.date:
    return at.date() if isinstance(at, dt.datetime) else at


def _missing(rule: Rule, facts: Facts, scope: Scope) -> Clock | None:
    """A clock that cannot run: none of its events is there, or one happened at an unrecorded time."""
    periods = rule.deadline.periods(scope.roles)
    names = [each.anchor for each in periods] or [rule.deadline.anchor]
    there = [facts.anchors[name] for name in names if name in facts.anchors]
    if not there:
        return Clock(rule.id, "not_started", f"no `{' or '.join(dict.fromkeys(names))}` was recorded")
    hours = {each.anchor for each in periods if each.unit == "hours"}
    decisive = rule.deadline.alone_when_later
    if decisive and decisive not in facts.anchors:
        return Clock(rule.id, "not_started", f"no `{decisive}` was recorded, which makes it a duty")
    for anchor in there:
        if anchor.at is None:
            return Clock(rule.id, "anchor_missing", f"`{anchor.name}` happened, but its time was not recorded")
        if anchor.name in hours and not isinstance(anchor.at, dt.datetime):
            return Clock(
                rule.id, "anchor_missing", f"`{anchor.name}` has a date but no time of day to count hours from"
            )
    return None


def _without_figure(rule: Rule, facts: Facts) -> Clock:
    words = rule.deadline.no_figure or rule.deadline.requested
    if facts.filed:
        return Clock(rule.id, "filed", f"filed on {facts.filed[-1].isoformat()}")
    return Clock(rule.id, "due", f"{words}; the rule gives no figure")


def _with_figure(rule: Rule, facts: Facts, now: dt.datetime, calendar: Calendar, scope: Scope) -> Clock:
    deadline = rule.deadline
    period, start, end = _earliest(rule, facts, calendar, scope)
    notes = _notes(rule, period, calendar)
    if deadline.direction == "not before":
        state: State = "not_started" if now < end.due else "due"
        return Clock(rule.id, state, f"not before {end.due.isoformat()}", end.due, None, False, notes)
    if deadline.recurring and facts.filed:
        if facts.closed:
            return Clock(rule.id, "filed", "closed; nothing recurs", notes=notes)
        end = end_of(
            period, max(facts.filed[-1], start) if isinstance(start, dt.datetime) else facts.filed[-1], calendar
        )
    elif facts.filed:
        late = facts.filed[0] > (end.extended or end.due)
        return Clock(rule.id, "filed", f"filed on {facts.filed[0].isoformat()}", end.due, end.extended, late, notes)
    state = "overdue" if now > (end.extended or end.due) else "due"
    reason = f"{period.value} {period.unit.replace('_', ' ')} from `{period.anchor}`"
    return Clock(rule.id, state, reason, end.due, end.extended, False, notes)


def _earliest(rule: Rule, facts: Facts, calendar: Calendar, scope: Scope) -> tuple[Period, Instant, End]:
    """The period that ends first among those whose event is recorded.

    Where the event of ``alone_when_later`` comes only after another period has ended, its own period counts alone: the
    classification of an incident as major after 24 hours is no breach of the 24 hours (2025/301 Article 5(2)).
    """
    ends: list[tuple[Period, Instant, End]] = []
    for period in rule.deadline.periods(scope.roles):
        anchor = facts.anchors.get(period.anchor)
        if anchor is not None and anchor.at is not None:
            ends.append((period, anchor.at, end_of(period, anchor.at, calendar)))
    alone = [each for each in ends if each[0].anchor == rule.deadline.alone_when_later]
    if alone:
        others = [each for each in ends if each is not alone[0]]
        at = alone[0][1]
        if isinstance(at, dt.datetime) and any(at > each[2].due for each in others):
            return alone[0]
    return min(ends, key=lambda each: each[2].due)


def _notes(rule: Rule, period: Period, calendar: Calendar) -> tuple[str, ...]:
    notes = [rule.deadline.also, rule.deadline.softness, rule.deadline.exception, period.note]
    if period.unit == "business_days" and not calendar.name:
        notes.append("no holiday calendar declared: Monday to Friday counted")
    if rule.confidence == "secondary":
        notes.append("rests on accounts of the rule, not on its text")
    return tuple(note for note in notes if note)
