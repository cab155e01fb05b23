"""Correlations of the Sigma specification 2.1, decided on event time."""

from __future__ import annotations

import random

import pytest
from tests.unit.respond.support import Event, rules_of, run_of, sysmon

from glasshouse.respond.run import Settings

BASE = """
title: Base {name}
id: 00000000-0000-4000-8000-0000000000{number}
name: {name}
logsource: {{product: windows, category: process_creation}}
detection: {{sel: {{Image: {name}}}, condition: sel}}
level: low
"""
ONE, TWO = BASE.format(name="one", number="01"), BASE.format(name="two", number="02")


def correlation(kind: str, rest: str, rules: str = "[one]") -> str:
    """A correlation grouped by User within ten minutes."""
    body = f"type: {kind}, rules: {rules}, group-by: [User], timespan: 10m{rest}"
    return f"title: Correlated\nid: 00000000-0000-4000-8000-0000000000ff\nlevel: high\ncorrelation: {{{body}}}\n"


def event(second: float, image: str = "one", user: str = "eve", **more: object) -> Event:
    """An event at a second after noon."""
    minute, rest = divmod(int(second), 60)
    return sysmon(TimeCreated=f"2024-05-01T12:{minute:02}:{rest:02}Z", Image=image, User=user, **more)


def fired(rule: str, events: list[Event], *more: str) -> list[int]:
    """The number of events in each correlated detection."""
    run = run_of(rules_of(ONE, TWO, rule, *more), events, Settings(min_level="low"))
    return [each.events for each in run.detections if each.rule.kind == "correlation"]


def test_event_count_fires_at_the_threshold_and_not_below() -> None:
    rule = correlation("event_count", ", condition: {gte: 3}")
    assert fired(rule, [event(n) for n in range(3)]) == [3]
    assert fired(rule, [event(n) for n in range(2)]) == []


def test_events_further_apart_than_the_timespan_do_not_count_together() -> None:
    rule = correlation("event_count", ", condition: {gte: 3}")
    assert fired(rule, [event(0), event(300), event(901)]) == []
    assert fired(rule, [event(0), event(300), event(600)]) == [3]


def test_groups_are_counted_apart_and_events_without_the_field_not_at_all() -> None:
    rule = correlation("event_count", ", condition: {gte: 2}")
    assert fired(rule, [event(0, user="a"), event(1, user="b"), event(2, user="")]) == []


def test_the_order_in_which_events_arrive_does_not_matter() -> None:
    rule = correlation("temporal_ordered", "", "[one, two]")
    events = [event(n * 7, "one" if n % 3 else "two", user=f"u{n % 4}") for n in range(60)]
    expected = fired(rule, events)
    shuffled = events[:]
    random.Random(1).shuffle(shuffled)
    assert expected
    assert fired(rule, shuffled) == expected


def test_value_count_counts_distinct_values() -> None:
    rule = correlation("value_count", ", condition: {field: Target, gte: 3}")
    assert fired(rule, [event(n, Target=f"t{n}") for n in range(3)]) == [3]
    assert fired(rule, [event(n, Target="same") for n in range(9)]) == []


def test_temporal_needs_every_rule_in_any_order_and_ordered_in_its_order() -> None:
    backwards = [event(0, "two"), event(5, "one")]
    assert fired(correlation("temporal", "", "[one, two]"), backwards) == [2]
    assert fired(correlation("temporal_ordered", "", "[one, two]"), backwards) == []
    assert fired(correlation("temporal_ordered", "", "[one, two]"), [event(0, "one"), event(5, "two")]) == [2]
    assert fired(correlation("temporal", "", "[one, two]"), [event(0), event(5)]) == []


@pytest.mark.parametrize(
    ("kind", "condition", "yes", "no"),
    [
        ("value_sum", "{field: Size, gte: 10}", [4, 6], [4, 5]),
        ("value_avg", "{field: Size, gt: 5}", [5, 7], [4, 6]),
        ("value_percentile", "{field: Size, gte: 9, percentile: 90}", [9, 9, 9], [1, 1, 9]),
        ("value_median", "{field: Size, gte: 5}", [1, 5, 9], [1, 4, 9]),
    ],
)
def test_numbers_are_added_averaged_and_ranked(kind: str, condition: str, yes: list[int], no: list[int]) -> None:
    rule = correlation(kind, f", condition: {condition}")
    assert fired(rule, [event(n, Size=size) for n, size in enumerate(yes)]) == [len(yes)]
    assert fired(rule, [event(n, Size=size) for n, size in enumerate(no)]) == []


def test_a_condition_that_asks_for_few_is_decided_for_whole_windows() -> None:
    rule = correlation("event_count", ", condition: {lt: 3}")
    assert fired(rule, [event(n) for n in range(5)]) == []
    assert fired(rule, [event(0), event(1)]) == [2]


def test_an_alias_joins_fields_of_different_names() -> None:
    rule = """
title: Correlated
id: 00000000-0000-4000-8000-0000000000ff
level: high
correlation:
  type: temporal
  rules: [one, two]
  group-by: [who]
  timespan: 10m
  aliases: {who: {one: User, two: Owner}}
"""
    assert fired(rule, [event(0, "one", "eve"), event(1, "two", "x", Owner="eve")]) == [2]
    assert fired(rule, [event(0, "one", "eve"), event(1, "two", "eve", Owner="bob")]) == []


def test_an_extended_condition_may_exclude_a_rule() -> None:
    rule = correlation("temporal", ", condition: one and not two", "[one, two]")
    assert fired(rule, [event(0, "one")]) == [1]
    assert fired(rule, [event(0, "one"), event(5, "two")]) == []


def test_rules_of_a_correlation_are_silent_unless_it_says_generate() -> None:
    plain = correlation("event_count", ", condition: {gte: 2}")
    loud = correlation("event_count", ", condition: {gte: 2}, generate: true")
    for rule, titles in ((plain, {"Correlated"}), (loud, {"Base one", "Correlated"})):
        run = run_of(rules_of(ONE, rule), [event(0), event(1)])
        assert {each.rule.title for each in run.detections} == titles


def test_a_correlation_may_use_another() -> None:
    inner = correlation("event_count", ", condition: {gte: 2}").replace("Correlated", "Inner").replace("ff", "fe")
    inner = inner.replace("level: high", "level: high\nname: inner")
    outer = correlation("temporal", "", "[inner, two]")
    run = run_of(rules_of(ONE, TWO, inner, outer), [event(0), event(1), event(2, "two")])
    assert [each.rule.title for each in run.detections] == ["Correlated"]


def test_a_correlation_of_unknown_rules_is_listed_with_its_reason() -> None:
    from glasshouse.respond.sigma.compile import RuleFile, compile_rules

    made = compile_rules([RuleFile("c.yml", correlation("event_count", ", condition: {gte: 2}", "[missing]"))])
    assert made.correlations == ()
    assert "missing" in made.problems[0].reason
