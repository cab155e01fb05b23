"""What a detection is tied to by events that no rule looks at: starts of processes, logons, connections."""

from __future__ import annotations

from typing import Any

from tests.unit.respond.support import SYSMON, rules_of, run_of

from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.plan.planner import plan_for
from glasshouse.words.incident import Entity

RULES = rules_of("""
title: Marked
id: 00000000-0000-4000-8000-000000000002
author: A. Tester
logsource: {product: windows}
level: high
detection:
  seen: {Mark: x}
  condition: seen
""")


def security(number: int, second: int, **fields: Any) -> dict[str, Any]:
    """An event of the audit policy."""
    when = f"2026-01-05T08:00:{second:02}Z"
    return {"Channel": "Security", "EventID": number, "Computer": "ws1.corp.example", "TimeCreated": when, **fields}


def entities_of(*events: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Role by kind and name, of what the one detection names."""
    (detection,) = run_of(RULES, list(events)).detections
    return {(each.kind, each.name): each.role for each in detection.entities}


SHELL = security(4688, 1, NewProcessId="0x64", ProcessId="0x4", SubjectLogonId="0xabc", TargetLogonId="0x0")
CHILD = security(4688, 2, NewProcessId="0xc8", ProcessId="0x64", SubjectLogonId="0xabc")


def test_the_audit_policy_alone_makes_a_process_tree_with_sessions() -> None:
    found = entities_of(SHELL, CHILD, security(4663, 5, ProcessId="0xc8", Mark="x"))
    assert found["process", "200 since 2026-01-05T08:00:02.000Z"] == "self"
    assert found["process", "100 since 2026-01-05T08:00:01.000Z"] == "ancestor"
    assert ("session", "0xabc") in found


def test_a_number_that_was_used_again_is_the_last_process_that_started_before() -> None:
    again = security(4688, 30, NewProcessId="0x64", ProcessId="0x8")
    found = entities_of(SHELL, CHILD, again, security(4663, 40, ProcessId="0xc8", Mark="x"))
    assert ("process", "100 since 2026-01-05T08:00:01.000Z") in found
    assert ("process", "100 since 2026-01-05T08:00:30.000Z") not in found


def test_both_sessions_of_a_logon_that_may_be_raised_are_one_persons() -> None:
    logon = security(4624, 1, TargetLogonId="0xa1", TargetLinkedLogonId="0xa2")
    found = entities_of(logon, security(4663, 5, SubjectLogonId="0xa2", Mark="x"))
    assert found["session", "0xa1"] == "linked"
    alone = security(4624, 1, TargetLogonId="0xa1", TargetLinkedLogonId="0x0")
    assert ("session", "0x0") not in entities_of(alone, security(4663, 5, SubjectLogonId="0xa1", Mark="x"))


def connection(host: str, address: str) -> dict[str, Any]:
    """A host opens a connection from an address."""
    return {"Channel": SYSMON, "EventID": 3, "Computer": host, "Initiated": "true", "SourceIp": address}


LOGON = security(4624, 1, TargetLogonId="0xa1", IpAddress="10.0.0.7", WorkstationName="DC1")
ACT = security(4663, 5, SubjectLogonId="0xa1", Mark="x")


def test_a_session_came_from_the_one_host_that_has_its_address_whatever_name_the_caller_gave() -> None:
    assert entities_of(connection("ws7", "10.0.0.7"), LOGON, ACT)["host", "ws7"] == "source"
    assert ("host", "dc1") not in entities_of(LOGON, ACT)


def test_an_address_that_two_hosts_had_says_nothing() -> None:
    found = entities_of(connection("ws7", "10.0.0.7"), connection("ws8", "10.0.0.7"), LOGON, ACT)
    assert not {("host", "ws7"), ("host", "ws8")} & found.keys()


def test_no_step_of_a_plan_is_aimed_at_a_host_that_only_a_caller_named() -> None:
    named = security(4624, 1, TargetLogonId="0xa1", IpAddress="-", WorkstationName="DC1")
    (detection,) = run_of(RULES, [named, ACT]).detections
    assert Entity("host", "dc1", "", "source") in detection.entities
    (incident,) = incidents_of([detection]).incidents
    steps = plan_for(incident, 1_800_000_000).steps
    assert "ws1" in {each.target.name for each in steps}
    assert "dc1" not in {each.target.name for each in steps}
