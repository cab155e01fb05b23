"""The clock, row by row, and the traps that public tools fall into."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.duties.clock import Anchor, Clock, Facts, Instant, Scope, read
from glasshouse.duties.law import shipped_law
from glasshouse.duties.periods import Calendar
from glasshouse.words.errors import AnchorError

LAW = shipped_law()
PARIS = dt.timezone(dt.timedelta(hours=1))
EVERYTHING = Scope(regimes=dict.fromkeys(LAW.regimes, True), kinds=frozenset({"annex_iii"}))
LATER = dt.datetime(2029, 12, 31, tzinfo=dt.UTC)
FRIDAY = dt.datetime(2029, 3, 2, 9, 30, tzinfo=PARIS)  # after every date of application


def case(
    rule: str, at: Instant | None = FRIDAY, *, filed: tuple[dt.datetime, ...] = (), **more: Instant | None
) -> Facts:
    """Facts in which the rule's own anchor happened at ``at``; more anchors by name."""
    names = LAW.rules[rule].deadline.anchors()[:1]
    anchors = {name: Anchor(name, at) for name in names} | {name: Anchor(name, when) for name, when in more.items()}
    return Facts(anchors, filed)


def state(
    rule: str, facts: Facts, now: dt.datetime = LATER, scope: Scope = EVERYTHING, calendar: Calendar | None = None
) -> Clock:
    """The clock of a shipped rule."""
    return read(LAW.rules[rule], facts, now, calendar or Calendar(), scope)


# id -> state and outer limit (Paris) when its event was on Friday 2 March 2029 at 09:30 and nothing was ever filed
GOLDEN: dict[str, tuple[str, str]] = {
    "aia73_default": ("overdue", "2029-03-17T23:59:59"),
    "aia73_critical": ("overdue", "2029-03-04T23:59:59"),
    "aia73_death": ("overdue", "2029-03-12T23:59:59"),
    "aia73_incomplete": ("not_applicable", ""),
    "aia73_investigate": ("due", ""),
    "aia73_authority": ("overdue", "2029-03-09T23:59:59"),
    "aia26_deployer": ("due", ""),
    "aia26_risk": ("due", ""),
    "aia52_notify": ("overdue", "2029-03-16T23:59:59"),
    "aia52_reassess": ("due", "2029-09-02T23:59:59"),
    "aia55_incident": ("due", ""),
    "cop93_infra": ("overdue", "2029-03-04T23:59:59"),
    "cop93_cyber": ("overdue", "2029-03-07T23:59:59"),
    "cop93_death": ("overdue", "2029-03-12T23:59:59"),
    "cop93_harm": ("overdue", "2029-03-17T23:59:59"),
    "cop93_intermediate": ("overdue", "2029-03-30T23:59:59"),
    "cop93_final": ("overdue", "2029-05-01T23:59:59"),
    "cop14_framework": ("overdue", "2029-03-09T23:59:59"),
    "cop77_report": ("overdue", "2029-03-02T23:59:59"),
    "cop77_update": ("overdue", "2029-03-09T23:59:59"),
    "cop77_delay": ("overdue", "2029-03-23T23:59:59"),
    "cop76_periodic": ("overdue", "2029-09-02T23:59:59"),
    "cop12_downstream": ("overdue", "2029-03-16T23:59:59"),
    "cra_vuln_early": ("overdue", "2029-03-03T09:30:00"),
    "cra_vuln_notification": ("overdue", "2029-03-05T09:30:00"),
    "cra_vuln_final": ("overdue", "2029-03-16T23:59:59"),
    "cra_inc_early": ("overdue", "2029-03-03T09:30:00"),
    "cra_inc_notification": ("overdue", "2029-03-05T09:30:00"),
    "cra_inc_final": ("overdue", "2029-04-02T23:59:59"),
    "cra_intermediate": ("due", ""),
    "cra_users": ("due", ""),
    "cra_upstream": ("due", ""),
    "cra_routing": ("not_applicable", ""),
    "nis2_early": ("overdue", "2029-03-03T09:30:00"),
    "nis2_notification": ("overdue", "2029-03-05T09:30:00"),
    "nis2_intermediate": ("due", ""),
    "nis2_final": ("overdue", "2029-04-02T23:59:59"),
    "nis2_ongoing": ("overdue", "2029-04-02T23:59:59"),
    "nis2_feedback": ("overdue", "2029-03-03T09:30:00"),
    "dora_initial": ("overdue", "2029-03-02T13:30:00"),
    "dora_intermediate": ("overdue", "2029-03-05T09:30:00"),
    "dora_final": ("overdue", "2029-04-02T23:59:59"),
    "dora_late": ("not_applicable", ""),
    "dora_weekend": ("not_applicable", ""),
    "dora_threat": ("not_applicable", ""),
    "gdpr33": ("overdue", "2029-03-05T09:30:00"),
    "gdpr34": ("due", ""),
    "cop13_framework_review": ("overdue", "2030-03-02T23:59:59"),
    "cop11_framework_after_notice": ("overdue", "2029-03-30T23:59:59"),
    "cop62_access_review": ("overdue", "2029-09-02T23:59:59"),
    "cop35_embargo": ("due", "2029-04-13T23:59:59"),
    "cop83_workers": ("overdue", "2030-03-02T23:59:59"),
    "house_audit": ("overdue", "2029-09-02T23:59:59"),
    "house_reassess": ("overdue", "2029-03-30T23:59:59"),
    "house_complaint": ("overdue", "2029-04-01T23:59:59"),
    "house_mandate_check": ("overdue", "2030-03-02T23:59:59"),
    "house_grant_end": ("overdue", "2029-03-05T23:59:59"),
    "aia54_end": ("due", ""),
}
AFTER_ALL = dt.datetime(2030, 12, 31, tzinfo=dt.UTC)


def test_every_shipped_rule_has_a_golden_clock() -> None:
    assert set(GOLDEN) == set(LAW.rules)


@pytest.mark.parametrize("rule", GOLDEN)
def test_the_clock_of_each_rule_ends_when_its_text_says(rule: str) -> None:
    clock = state(rule, case(rule), AFTER_ALL)
    wanted_state, due = GOLDEN[rule]
    assert clock.state == wanted_state
    assert clock.due == (dt.datetime.fromisoformat(f"{due}+01:00") if due else None)


def test_a_nis2_final_report_counts_from_the_notification_and_not_from_detection() -> None:
    clock = state("nis2_final", Facts({"entity_aware": Anchor("entity_aware", FRIDAY)}))
    assert clock.state == "not_started"


def test_a_month_is_a_calendar_month_and_not_thirty_days() -> None:
    clock = state("cra_inc_final", case("cra_inc_final", dt.datetime(2029, 1, 31, 12, tzinfo=dt.UTC)))
    assert clock.due is not None
    assert clock.due.date() == dt.date(2029, 2, 28)


def test_a_cra_final_report_waits_for_the_fix() -> None:
    aware = {"manufacturer_aware": Anchor("manufacturer_aware", FRIDAY)}
    assert state("cra_vuln_final", Facts(aware)).state == "not_started"


def test_a_dora_incident_classified_late_has_four_hours_from_its_classification() -> None:
    late = FRIDAY + dt.timedelta(hours=30)
    clock = state("dora_initial", case("dora_initial", late, entity_aware=FRIDAY), late + dt.timedelta(hours=1))
    assert (clock.state, clock.due) == ("due", late + dt.timedelta(hours=4))


def test_a_dora_incident_classified_within_a_day_is_due_at_the_earlier_of_both() -> None:
    classified = FRIDAY + dt.timedelta(hours=22)
    clock = state("dora_initial", case("dora_initial", classified, entity_aware=FRIDAY))
    assert clock.due == FRIDAY + dt.timedelta(hours=24)


def test_a_dora_incident_that_nobody_classified_as_major_is_never_overdue() -> None:
    clock = state("dora_initial", Facts({"entity_aware": Anchor("entity_aware", FRIDAY)}))
    assert clock.state == "not_started"


def test_trust_service_providers_notify_within_a_day() -> None:
    trust = Scope(EVERYTHING.regimes, frozenset({"trust_service_provider"}))
    clock = state("nis2_notification", case("nis2_notification"), scope=trust)
    assert clock.due == FRIDAY + dt.timedelta(hours=24)


def test_hours_are_never_counted_from_a_date_without_a_time() -> None:
    clock = state("nis2_early", case("nis2_early", dt.date(2029, 3, 2)))
    assert clock.state == "anchor_missing"
    assert "time of day" in clock.reason


def test_days_may_be_counted_from_a_date_because_the_first_day_does_not_count() -> None:
    clock = state("cop93_cyber", case("cop93_cyber", dt.date(2029, 3, 2)))
    assert clock.due == dt.datetime(2029, 3, 7, 23, 59, 59, tzinfo=dt.UTC)


def test_an_event_whose_time_was_not_recorded_says_so() -> None:
    assert state("gdpr33", case("gdpr33", None)).state == "anchor_missing"


def test_a_regime_that_nobody_declared_starts_no_clock() -> None:
    assert state("gdpr33", case("gdpr33"), scope=Scope()).state == "scope_not_declared"
    assert state("gdpr33", case("gdpr33"), scope=Scope({"gdpr": False})).state == "not_applicable"


def test_a_duty_does_not_apply_to_events_before_its_first_day() -> None:
    before = dt.datetime(2026, 9, 10, 23, 0, tzinfo=dt.UTC)
    assert state("cra_vuln_early", case("cra_vuln_early", before)).state == "not_applicable"
    assert state("cra_vuln_early", case("cra_vuln_early", before + dt.timedelta(hours=1))).state == "overdue"


def test_annex_one_products_start_later_than_annex_three_uses() -> None:
    event = dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    product = Scope(EVERYTHING.regimes, kinds=frozenset({"annex_i"}))
    assert state("aia73_death", case("aia73_death", event)).state == "overdue"
    assert state("aia73_death", case("aia73_death", event), scope=product).state == "not_applicable"


def test_an_end_on_a_weekend_is_shown_but_not_overdue_before_the_next_working_day_ends() -> None:
    sunday = dt.datetime(2029, 3, 5, 12, tzinfo=PARIS)  # Monday after the Sunday on which two days end
    clock = state("cop93_infra", case("cop93_infra"), sunday)
    assert clock.state == "due"
    assert clock.due == dt.datetime(2029, 3, 4, 23, 59, 59, tzinfo=PARIS)
    assert clock.extended == dt.datetime(2029, 3, 5, 23, 59, 59, tzinfo=PARIS)


def test_business_days_without_a_calendar_say_what_was_counted() -> None:
    assert any("Monday to Friday" in note for note in state("cop14_framework", case("cop14_framework")).notes)
    holiday = Calendar("BE", frozenset({dt.date(2029, 3, 5)}))
    clock = state("cop14_framework", case("cop14_framework"), calendar=holiday)
    assert clock.due is not None
    assert clock.due.date() == dt.date(2029, 3, 12)


def test_an_event_in_the_future_is_refused() -> None:
    with pytest.raises(AnchorError, match="future"):
        state("gdpr33", case("gdpr33"), FRIDAY - dt.timedelta(minutes=1))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(AnchorError, match="time zone"):
        state("gdpr33", case("gdpr33", FRIDAY.replace(tzinfo=None)))


def test_a_filing_after_the_limit_is_filed_and_late() -> None:
    on_time, late = FRIDAY + dt.timedelta(hours=72), FRIDAY + dt.timedelta(hours=72, seconds=1)
    assert not state("gdpr33", case("gdpr33", filed=(on_time,))).late
    clock = state("gdpr33", case("gdpr33", filed=(late,)))
    assert (clock.state, clock.late) == ("filed", True)


def test_intermediate_reports_recur_until_the_incident_is_closed() -> None:
    filed = (FRIDAY + dt.timedelta(days=20),)
    clock = state("cop93_intermediate", case("cop93_intermediate", filed=filed), FRIDAY + dt.timedelta(days=21))
    assert clock.state == "due"
    assert clock.due is not None
    assert clock.due.date() == (FRIDAY + dt.timedelta(days=48)).date()
    anchors = case("cop93_intermediate").anchors
    assert state("cop93_intermediate", Facts(anchors, filed, closed=True)).state == "filed"


FIRST = dt.datetime(2028, 9, 1, tzinfo=dt.UTC)
moments = st.integers(0, 200_000_000).map(lambda seconds: FIRST + dt.timedelta(seconds=seconds))


@given(
    rule=st.sampled_from(sorted(LAW.rules)), at=moments, waits=st.tuples(st.integers(0, 10**8), st.integers(0, 10**8))
)
def test_a_clock_never_turns_back_from_overdue_to_due(rule: str, at: dt.datetime, waits: tuple[int, int]) -> None:
    first, second = sorted(at + dt.timedelta(seconds=wait) for wait in waits)
    before, after = state(rule, case(rule, at), first), state(rule, case(rule, at), second)
    if before.state == "overdue":
        assert after.state == "overdue"
    assert before.due == after.due


@given(rule=st.sampled_from(sorted(LAW.rules)), at=moments, later=st.integers(0, 10**8))
def test_a_later_event_never_ends_earlier(rule: str, at: dt.datetime, later: int) -> None:
    first = state(rule, case(rule, at), AFTER_ALL.replace(year=2050)).due
    second = state(rule, case(rule, at + dt.timedelta(seconds=later)), AFTER_ALL.replace(year=2050)).due
    assert first is None or (second is not None and first <= second)
