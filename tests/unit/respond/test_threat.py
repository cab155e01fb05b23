"""Vulnerabilities that incidents name, and the order of incidents that follows from the forecast."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.respond.examples import detection, incident, rule

from glasshouse.respond.threat import MAX_NAMED, RAISING, named, told, with_threats
from glasshouse.words.forecast import Forecast, Probability, Reason
from glasshouse.words.incident import LEVEL_RANK, LEVELS, Incident

LOG4J, OTHER = "CVE-2021-44228", "CVE-2023-1111"


def forecast(cve: str, chance: float | None = None) -> Forecast:
    """A forecast with a chance within 90 days, or, without one, of a listed vulnerability."""
    if chance is None:
        return Forecast(cve, "2026-01-01", (), "full", "kev-1", listed_on="2021-12-10")
    reasons = (Reason("text", 3.0, "reads like listed ones"),)
    return Forecast(
        cve, "2026-01-01", (Probability(90, chance, chance / 2, chance * 2),), "full", "kev-1", "", None, reasons
    )


def found(*tags: str, score: float = 5.0, text: str = "", severity: str = "high", name: str = "a") -> Incident:
    """An incident whose rule has these tags and whose event holds this text."""
    one = msgspec.structs.replace(detection(by=rule("r", tags=tags)), evidence=(("message", text),))
    made = incident(one, severity=severity)  # type: ignore[arg-type]
    return msgspec.structs.replace(made, score=score, id=name)


@pytest.mark.parametrize("tag", ["cve.2021-44228", "cve.2021.44228", "CVE.2021-44228", "cve-2021-44228"])
def test_a_tag_of_a_rule_names_a_vulnerability_however_it_is_written(tag: str) -> None:
    assert named(found(tag)) == {LOG4J: ("Rule r",)}


@pytest.mark.parametrize("tag", ["cve", "cve.2021", "attack.t1190", "cve.2021-1", "xcve.2021-44228", "cve.2021-44228x"])
def test_another_tag_names_none(tag: str) -> None:
    assert named(found(tag)) == {}


def test_an_event_names_one_by_its_id() -> None:
    assert named(found(text="ET EXPLOIT log4j RCE (CVE-2021-44228) seen")) == {LOG4J: ()}
    assert named(found("cve.2021-44228", text="CVE_2021_44228")) == {LOG4J: ("Rule r",)}


def test_a_log_full_of_ids_is_cut_and_what_rules_name_is_kept() -> None:
    text = " ".join(f"CVE-2020-{number}" for number in range(1000, 3000))
    names = named(found("cve.2021-44228", text=text))
    assert len(names) == MAX_NAMED
    assert LOG4J in names


def test_within_a_severity_what_is_exploited_goes_first() -> None:
    plain, listed = found(score=9.0, name="plain"), found("cve.2021-44228", score=5.0, name="listed")
    likely = found("cve.2023-1111", score=6.0, name="likely")
    grave = found(score=1.0, severity="critical", name="grave")
    known = {LOG4J: forecast(LOG4J), OTHER: forecast(OTHER, RAISING)}
    order = with_threats([plain, listed, likely, grave], lambda cves: known)
    assert [each.id for each in order] == ["grave", "likely", "listed", "plain"]


def test_a_small_chance_only_breaks_a_tie() -> None:
    known = {LOG4J: forecast(LOG4J, 0.002)}
    low, high = found("cve.2021-44228", score=5.0, name="z"), found(score=6.0, name="b")
    assert [each.id for each in with_threats([low, high], lambda cves: known)] == ["b", "z"]
    equal = found(score=5.0, name="a")
    assert [each.id for each in with_threats([equal, low], lambda cves: known)] == ["z", "a"]


def test_text_of_an_event_moves_nothing() -> None:
    known = {LOG4J: forecast(LOG4J)}
    quiet, loud = found(score=6.0, name="a"), found(score=5.0, text="User-Agent: CVE-2021-44228", name="b")
    order = with_threats([loud, quiet], lambda cves: known)
    assert [each.id for each in order] == ["a", "b"]
    assert order[1].threats[0].listed_on == "2021-12-10"


def test_the_forecast_is_asked_only_when_something_is_named() -> None:
    def never(cves: Sequence[str]) -> dict[str, Forecast]:
        raise AssertionError("asked")

    assert with_threats([found(text="nothing")], never)[0].threats == ()


def test_what_is_told_has_number_interval_reason_and_who_names_it() -> None:
    known = {OTHER: forecast(OTHER, 0.04)}
    (likely,) = with_threats([found("cve.2023-1111")], lambda cves: known)[0].threats
    assert told(likely) == (
        "4 % [2 %, 8 %] chance of being listed as exploited within 90 days, because: reads like listed ones; "
        "named by Rule r"
    )
    (listed,) = with_threats([found("cve.2021-44228")], lambda cves: {LOG4J: forecast(LOG4J)})[0].threats
    assert told(listed) == "listed as exploited since 2021-12-10; named by Rule r"
    (unknown,) = with_threats([found(text=LOG4J)], lambda cves: {})[0].threats
    assert told(unknown).startswith("nothing is known about it")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEVELS[1:]), st.booleans(), st.integers(0, 20)), max_size=8))
def test_no_incident_is_lost_and_severity_always_decides_first(rows: list[tuple[str, bool, int]]) -> None:
    given_ones = [
        found(*(["cve.2021-44228"] if tagged else []), score=float(score), severity=level, name=str(number))
        for number, (level, tagged, score) in enumerate(rows)
    ]
    order = with_threats(given_ones, lambda cves: {LOG4J: forecast(LOG4J)})
    assert sorted(each.id for each in order) == sorted(each.id for each in given_ones)
    ranks = [LEVEL_RANK[each.severity] for each in order]
    assert ranks == sorted(ranks, reverse=True)
    assert order == with_threats(reversed(given_ones), lambda cves: {LOG4J: forecast(LOG4J)})
