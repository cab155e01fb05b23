"""Incidents: what belongs together is joined, common values join nothing, every join has its reason."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.respond.examples import detection, rule

from glasshouse.respond.group.cluster import Maker
from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.group.likeness import FEATURES, Setting, features
from glasshouse.respond.group.link import grouped
from glasshouse.respond.group.rarity import Rarity
from glasshouse.respond.group.techniques import STATED, named
from glasshouse.respond.group.values import title_words
from glasshouse.words.incident import Detection, Entity


def test_a_shared_process_joins_across_a_long_pause() -> None:
    found = [detection(0, process="guid-a"), detection(1800, by=rule("other"), process="guid-a")]
    result = grouped(found)
    assert result.groups == ((0, 1),)
    assert "process guid-a" in result.links[0][0].reason


def test_strangers_far_apart_on_one_host_stay_apart() -> None:
    found = [detection(0, process="guid-a"), detection(1800, by=rule("other"), process="guid-b")]
    assert grouped(found).groups == ((0,), (1,))


def test_a_value_that_is_everywhere_joins_nothing() -> None:
    found = [detection(n * 1800, by=rule(f"r{n}"), user="svc-backup", process=f"guid-{n}") for n in range(40)]
    assert len(grouped(found).groups) == 40


def test_accounts_that_every_machine_has_join_nothing() -> None:
    far = [detection(n * 1800, by=rule(f"r{n}"), user="system", session="0x3e7") for n in range(2)]
    assert len(grouped(far).groups) == 2


def test_two_attacks_at_once_are_told_apart_by_their_processes() -> None:
    found = []
    for n in range(10):
        name = "ab"[n % 2]
        found.append(detection(n * 120, by=rule(f"{name}{n}"), process=[f"guid-{name}"], session=f"0x{name}"))
    assert {frozenset(group) for group in grouped(found).groups} == {
        frozenset(range(0, 10, 2)),
        frozenset(range(1, 10, 2)),
    }


def test_what_one_person_starts_below_one_shell_in_one_session_is_no_incident_by_that_alone() -> None:
    shell = Entity("process", "guid-shell", "ws1", "parent")
    found = []
    for n in range(12):
        each = detection(n * 1800, by=rule(f"r{n}"), user="eve", session="0x5a", process=f"guid-{n}")
        found.append(msgspec.structs.replace(each, entities=(*each.entities, shell)))
    assert len(grouped(found).groups) == 12


def test_a_step_below_another_parent_as_another_user_within_moments_on_a_quiet_host_is_the_same_attack() -> None:
    tags = ("attack.privilege-escalation", "attack.t1548.002")
    found = [
        detection(0, by=rule("bypass", tags=tags), user="eve", session="0x5a", process="guid-a"),
        detection(5, by=rule("elevated", tags=tags), user="system", session="0x77", process="guid-b"),
        detection(9000, by=rule("other"), user="eve", session="0x5a", process="guid-c"),
    ]
    assert grouped(found).groups == ((0, 1), (2,))


detections = st.lists(
    st.builds(
        detection,
        st.floats(0, 10_000),
        by=st.sampled_from([rule("a", "low"), rule("b", "medium"), rule("c", "critical")]),
        host=st.sampled_from(["ws1", "ws2", ""]),
        process=st.sampled_from(["g1", "g2", "g3"]),
        user=st.sampled_from(["eve", "system"]),
    ),
    max_size=25,
).map(lambda found: sorted(found, key=lambda each: each.time or 0.0))


@settings(max_examples=80, deadline=None)
@given(detections)
def test_no_detection_is_lost_or_taken_twice_and_links_point_inside(found: list[Detection]) -> None:
    result = incidents_of(found)
    taken = [each for incident in result.incidents for each in incident.detections]
    assert sorted(map(repr, [*taken, *result.loose])) == sorted(map(repr, found))
    for incident in result.incidents:
        assert len(incident.links) == len(incident.detections) - 1
        assert all(0 <= link.first < link.second < len(incident.detections) for link in incident.links)
        crossing = [
            link for link in incident.links if " on ws1 and ws2" in link.reason or " on ws2 and ws1" in link.reason
        ]
        assert len({each.host for each in incident.detections}) <= 1 + len(crossing)


def test_the_same_events_give_the_same_incident_ids() -> None:
    found = [detection(0, process="g"), detection(5, process="g")]
    assert incidents_of(found).incidents[0].id == incidents_of(found).incidents[0].id


def test_one_trifle_is_no_grave_incident_and_many_rules_are_graver_than_one() -> None:
    low = incidents_of([detection(0, by=rule("l", "low"))]).incidents[0]
    high = incidents_of([detection(n, by=rule(f"h{n}", "high"), process="g") for n in range(4)]).incidents[0]
    assert low.severity == "low"
    assert high.severity == "critical"
    assert high.score > low.score


def test_techniques_come_from_the_rules_and_name_who_says_so() -> None:
    tags = ("attack.credential-access", "attack.t1003.001")
    techniques = named([detection(0, by=rule("dump", "high", tags))], {})
    assert [each.id for each in techniques] == ["T1003.001"]
    assert techniques[0].rules == ("id-dump",)
    assert named([detection(0, by=rule("bare", "high", ()))], {}) == ()


def test_a_technique_that_a_rule_itself_states_is_never_told_with_less_than_such_rules_are_worth() -> None:
    cleared = rule("cleared", "high", ("attack.t1070.001",))
    (alone,) = named([detection(0, by=cleared)], {})
    (low,) = named([detection(0, by=rule("cleared", "low", ("attack.t1070.001",)))], {})
    assert alone.id == "T1070.001"
    assert alone.score >= STATED > low.score


def test_an_id_of_a_later_attack_version_is_translated() -> None:
    assert named([detection(0, by=rule("off", "high", ("attack.t1685",)))], {})[0].id == "T1562.001"


def test_an_account_that_only_two_hosts_name_within_minutes_makes_one_incident_of_both() -> None:
    found = [detection(0, user="eve", process="a"), detection(300, host="ws2", user="eve", process="b")]
    (joined,) = incidents_of(found).incidents
    assert joined.hosts == ("ws1", "ws2")
    assert joined.links[-1].reason == "both name user eve, 300 s apart on ws1 and ws2"


def test_what_came_from_another_host_is_one_incident_with_what_happened_there_nearest_in_time() -> None:
    arrived = detection(300, host="ws2", process="b")
    arrived = msgspec.structs.replace(arrived, entities=(*arrived.entities, Entity("host", "ws1", "", "source")))
    found = [detection(0, process="a"), arrived, detection(320, host="ws3", process="c")]
    joined, apart = incidents_of(found).incidents
    assert {joined.hosts, apart.hosts} == {("ws1", "ws2"), ("ws3",)}
    assert any("between ws2 and ws1, 300 s apart" in link.reason for link in joined.links + apart.links)
    late = msgspec.structs.replace(arrived, time=(arrived.time or 0.0) + 3600)
    assert len(incidents_of([found[0], late]).incidents) == 2


def test_a_value_that_a_third_host_names_joins_no_hosts() -> None:
    found = [detection(n * 100, host=f"ws{n}", user="svc-scan", process=f"g{n}") for n in range(3)]
    assert len(incidents_of(found).incidents) == 3


def test_names_that_every_company_has_and_long_pauses_join_no_hosts() -> None:
    for user, pause in (("administrator", 60), ("eve", 4000)):
        found = [detection(0, user=user, process="a"), detection(pause, host="ws2", user=user, process="b")]
        assert len(incidents_of(found).incidents) == 2, user


def test_what_two_hosts_share_does_not_chain_through_a_whole_network() -> None:
    found = [
        detection(n * 10, host=f"ws{n}", by=rule(f"r{n}"), user=[f"u{n}", f"u{n + 1}"], process=f"g{n}")
        for n in range(20)
    ]
    assert max(len(each.hosts) for each in incidents_of(found).incidents) <= 8


def test_very_many_detections_are_grouped_in_bounded_time_and_none_is_lost() -> None:
    found = [detection(n / 2, by=rule(f"r{n % 40}"), process=f"g{n % 997}") for n in range(4600)]
    groups = grouped(found).groups
    assert sorted(at for group in groups for at in group) == list(range(4600))
    assert len(groups) < 4000


def test_titles_are_compared_by_their_telling_words() -> None:
    assert title_words("Suspicious Mshta.exe Execution Via CommandLine") == {"mshta.exe"}


def test_a_step_along_the_tactics_has_a_direction() -> None:
    early, late = rule("a", "high", ("attack.execution",)), rule("b", "high", ("attack.persistence",))
    found = [detection(0, by=early), detection(600, by=late), detection(900, by=rule("c", "high", ()))]
    rarity = Rarity(found, [0, 1, 2])
    first, second, bare = (Maker(found, [0, 1, 2], rarity).cluster([at]) for at in range(3))
    step = FEATURES.index("step")
    setting = Setting(0.0, (), "ws1", {})
    assert features(first, second, setting, rarity)[step] == 0.2
    assert features(second, bare, setting, rarity)[step] == 0.0
