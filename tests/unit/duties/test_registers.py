"""Registers beside incidents: what their records add up to, and what is due by when."""

from __future__ import annotations

import datetime as dt

import pytest

from glasshouse.duties.law import shipped_law
from glasshouse.duties.records import CaseOpened, Recorded, ScopeDeclared, all_clocks, fold
from glasshouse.duties.registers import (
    RULES,
    AccessEnded,
    AccessGranted,
    ComplaintDecided,
    ComplaintReceived,
    FindingsReceived,
    RegisterRecord,
    RepresentativeChecked,
    RepresentativeEnded,
    RepresentativeNamed,
    RequestAnswered,
    RequestReceived,
)
from glasshouse.words.errors import DutyError

LAW = shipped_law()
START = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)  # a Monday
DIGEST = "sha256:" + "0" * 64
SCOPE = ScopeDeclared({"gpai_code": True, "house": True, "ai_act_gpai": True})
ASKED = RequestReceived("r-1", "Integrator Ltd", "known limits", START)
COMPLAINT = ComplaintReceived("c-1", "A. Author", "copyright", "my book", START)
GRANT = AccessGranted("g-1", "Lab", "screen", START.date(), dt.date(2026, 11, 30))
MANDATE = RepresentativeNamed("a-1", "Rep GmbH", "DE", "rep@example.org", DIGEST, START.date())


def after(days: float) -> dt.datetime:
    """A time after the start."""
    return START + dt.timedelta(days=days)


def states(*records: RegisterRecord, days: float) -> dict[str, str]:
    """State by rule, so many days after the start."""
    duties = fold(Recorded(n, START, each) for n, each in enumerate((SCOPE, *records)))
    return {clock.rule: clock.state for _, _, clock in all_clocks(duties, LAW, after(days))}


def test_every_rule_of_a_register_is_in_the_data() -> None:
    assert {rule for rules in RULES.values() for rule in rules} <= set(LAW.rules)


def test_a_downstream_request_is_due_in_fourteen_days_and_settled_by_its_answer() -> None:
    assert states(ASKED, days=14.5) == {"cop12_downstream": "due"}  # the fifteenth day has the end of the period
    assert states(ASKED, days=15) == {"cop12_downstream": "overdue"}
    answered = RequestAnswered("r-1", after(10), DIGEST, "O. Owner", "owner")
    assert states(ASKED, answered, days=90) == {"cop12_downstream": "filed"}


def test_a_complaint_is_due_until_it_is_decided() -> None:
    assert states(COMPLAINT, days=31) == {"house_complaint": "overdue"}
    decided = ComplaintDecided("c-1", after(3), False, "not in the data", "O. Owner", "owner")
    assert states(COMPLAINT, decided, days=31) == {"house_complaint": "filed"}


def test_findings_start_the_embargo_and_the_last_day_the_withdrawal() -> None:
    assert states(GRANT, days=1) == {"cop35_embargo": "not_started", "house_grant_end": "not_started"}
    found = FindingsReceived("g-1", after(2), DIGEST)
    assert states(GRANT, found, days=20)["cop35_embargo"] == "not_started"  # held back still
    assert states(GRANT, found, days=50) == {"cop35_embargo": "due", "house_grant_end": "overdue"}
    assert states(GRANT, days=29)["house_grant_end"] == "due"
    ended = AccessEnded("g-1", after(29), "term over")
    assert states(GRANT, ended, days=90)["house_grant_end"] == "filed"


def test_findings_may_come_after_the_access_was_withdrawn() -> None:
    ended, found = AccessEnded("g-1", after(5), "done"), FindingsReceived("g-1", after(6), DIGEST)
    assert states(GRANT, ended, found, days=90)["cop35_embargo"] == "due"


def test_a_mandate_is_checked_every_year_and_its_end_is_told_at_once() -> None:
    assert states(MANDATE, days=400) == {"house_mandate_check": "overdue", "aia54_end": "not_started"}
    checked = RepresentativeChecked("a-1", after(300), "O. Owner", "owner")
    assert states(MANDATE, checked, days=400)["house_mandate_check"] == "due"
    ended = RepresentativeEnded("a-1", after(310), "the provider left")
    assert states(MANDATE, checked, ended, days=400) == {"aia54_end": "due"}
    told = RepresentativeEnded("a-1", after(310), "the provider left", after(310))
    assert states(MANDATE, checked, told, days=400) == {"aia54_end": "filed"}


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ((ASKED, ASKED), "opened twice"),
        ((RequestAnswered("r-1", START, DIGEST, "n", "r"),), "in no register"),
        (
            (ASKED, ComplaintDecided("r-1", START, True, "r", "n", "r")),
            "is a request, and entry 2 is about a complaint",
        ),
        ((ASKED, FindingsReceived("r-1", START, DIGEST)), "is about a grant"),
        ((ASKED, *(RequestAnswered("r-1", START, DIGEST, "n", "r"),) * 2), "comes too late"),
    ],
)
def test_a_record_that_fits_no_row_is_named_and_nothing_is_guessed(
    records: tuple[RegisterRecord, ...], says: str
) -> None:
    with pytest.raises(DutyError, match=says):
        states(*records, days=1)


def test_cases_and_registers_stand_in_one_list() -> None:
    duties = fold([Recorded(0, START, CaseOpened("i", "t", ("gdpr33",))), Recorded(1, START, ASKED)])
    assert [(name, title) for name, title, _ in all_clocks(duties, LAW, START)] == [
        ("i", "t"),
        ("r-1", "request: Integrator Ltd"),
    ]
