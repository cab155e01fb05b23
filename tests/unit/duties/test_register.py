"""The register of duties is the fold of its records; a filing is itself the event that starts the next clock."""

from __future__ import annotations

import datetime as dt

import pytest

from glasshouse.duties.icalendar import icalendar
from glasshouse.duties.law import shipped_law
from glasshouse.duties.records import (
    AnchorRecorded,
    CaseClosed,
    CaseOpened,
    DutyRecord,
    Filed,
    Noted,
    Recorded,
    ScopeDeclared,
    clocks,
    fold,
)
from glasshouse.words.errors import DutyError

LAW = shipped_law()
START = dt.datetime(2026, 11, 27, 8, 0, tzinfo=dt.UTC)
DORA = CaseOpened("inc-1", "Payment outage, second; third", ("dora_initial", "dora_intermediate", "dora_final"))


def logged(*records: DutyRecord) -> list[Recorded]:
    """Records as the log gives them back, an hour apart."""
    return [Recorded(n, START + dt.timedelta(hours=n), each) for n, each in enumerate(records)]


def states(*records: DutyRecord, hours: int = 100) -> dict[str, str]:
    """State by rule of the first case."""
    duties = fold(logged(*records))
    now = START + dt.timedelta(hours=hours)
    return {clock.rule: clock.state for clock in clocks(duties, duties.cases["inc-1"], LAW, now)}


SCOPE = ScopeDeclared({"dora": True})
AWARE = AnchorRecorded("inc-1", "entity_aware", START)
MAJOR = AnchorRecorded("inc-1", "classified_as_major", START)


def test_without_a_declaration_no_clock_runs() -> None:
    assert set(states(DORA, AWARE, MAJOR).values()) == {"scope_not_declared"}


def test_the_next_report_waits_for_the_filing_before_it() -> None:
    assert states(SCOPE, DORA, AWARE, MAJOR) == {
        "dora_initial": "overdue",
        "dora_intermediate": "not_started",
        "dora_final": "not_started",
    }
    sent = Filed("inc-1", "dora_initial", START + dt.timedelta(hours=3), "authority", "sha256:" + "0" * 64)
    assert states(SCOPE, DORA, AWARE, MAJOR, sent) == {
        "dora_initial": "filed",
        "dora_intermediate": "overdue",
        "dora_final": "not_started",
    }


def test_the_newest_declaration_counts() -> None:
    assert states(SCOPE, DORA, AWARE, MAJOR, ScopeDeclared({"dora": False}))["dora_initial"] == "not_applicable"


@pytest.mark.parametrize("record", [AWARE, CaseClosed("inc-1", "done"), Noted("inc-1", "harm", "none", "A", "r")])
def test_a_record_about_a_case_that_was_not_opened_is_refused(record: DutyRecord) -> None:
    with pytest.raises(DutyError, match="not opened"):
        fold(logged(record))


def test_a_case_is_opened_once() -> None:
    with pytest.raises(DutyError, match="twice"):
        fold(logged(DORA, DORA))


def test_a_rule_that_the_data_lost_is_named() -> None:
    duties = fold(logged(CaseOpened("inc-1", "x", ("repealed_rule",))))
    with pytest.raises(DutyError, match="repealed_rule"):
        clocks(duties, duties.cases["inc-1"], LAW, START)


def test_open_deadlines_become_calendar_events_whose_lines_are_short_and_whole() -> None:
    duties = fold(logged(SCOPE, DORA, AWARE, MAJOR))
    case = duties.cases["inc-1"]
    entries = [(case.opened.title, clock) for clock in clocks(duties, case, LAW, START + dt.timedelta(hours=1))]
    text = icalendar(entries, LAW, START)
    assert text.count("BEGIN:VEVENT") == 1
    assert "DTSTART:20261127T120000Z" in text
    assert "Payment outage\\, second\\; third" in text.replace("\r\n ", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text == icalendar(entries, LAW, START)
