"""Deadlines as an iCalendar file (RFC 5545), for the calendars that people already look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from glasshouse.duties.clock import Clock
from glasshouse.duties.law import Law

MAX_LINE_BYTES = 75
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


def icalendar(entries: Iterable[tuple[str, Clock]], law: Law, stamp: dt.datetime) -> str:
    """One event per open deadline: (case title, clock).  ``stamp`` is the time of the evidence, so bytes repeat."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//glasshouse//duties//EN", "CALSCALE:GREGORIAN"]
    for title, clock in entries:
        if clock.due is not None and clock.state in ("due", "overdue"):
            lines += _event(title, clock, law, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{piece}\r\n" for line in lines for piece in _folded(line))


def _event(title: str, clock: Clock, law: Law, stamp: dt.datetime) -> list[str]:
    rule = law.rules[clock.rule]
    assert clock.due is not None
    what = f"{rule.stage}: {title}"
    why = f"{rule.citation}. To: {rule.recipient}. {clock.reason}. Outer limit; the duty says without undue delay."
    return [
        "BEGIN:VEVENT",
        f"UID:{clock.rule}.{_utc(clock.due)}.{_slug(title)}@glasshouse",
        f"DTSTAMP:{_utc(stamp)}",
        f"DTSTART:{_utc(clock.due)}",
        f"SUMMARY:{what.translate(_ESCAPES)}",
        f"DESCRIPTION:{why.translate(_ESCAPES)}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{what.translate(_ESCAPES)}",
        "TRIGGER:-PT24H",
        "END:VALARM",
        "END:VEVENT",
    ]


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _slug(text: str) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in text)[:40]


def _folded(line: str) -> Iterable[str]:
    """The line in pieces of at most 75 bytes, no character cut; the later ones begin with a space."""
    piece = ""
    for character in line:
        if len((piece + character).encode()) > MAX_LINE_BYTES:
            yield piece
            piece = " "
        piece += character
    yield piece
