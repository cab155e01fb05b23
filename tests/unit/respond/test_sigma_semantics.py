"""Every Sigma modifier and condition means what the specification says, on the whole path from YAML to match."""

from __future__ import annotations

import base64

import pytest
from tests.unit.respond.support import Event, detection_rule, matched, rules_of, sysmon

ENCODED = base64.b64encode(b"http://evil.example/a").decode()
WIDE = base64.b64encode("whoami /all".encode("utf-16le")).decode()

CASES: list[tuple[str, Event, Event]] = [
    ("sel: {Image: 'C:\\a.exe'}\ncondition: sel", {"Image": "c:\\A.EXE"}, {"Image": "C:\\a.exe2"}),
    ("sel: {Image|endswith: '\\a.exe'}\ncondition: sel", {"Image": "C:\\A.exe"}, {"Image": "C:\\xa.exe"}),
    ("sel: {Image|startswith: 'C:\\'}\ncondition: sel", {"Image": "c:\\x"}, {"Image": "D:\\C:\\x"}),
    ("sel: {CommandLine|contains: 'foo'}\ncondition: sel", {"CommandLine": "a FOO b"}, {"CommandLine": "fo o"}),
    (
        "sel: {CommandLine|contains|all: ['foo', 'bar']}\ncondition: sel",
        {"CommandLine": "bar foo"},
        {"CommandLine": "foo"},
    ),
    ("sel: {CommandLine: 'a*c?e'}\ncondition: sel", {"CommandLine": "a--c.e"}, {"CommandLine": "a--ce"}),
    ("sel: {CommandLine: 'a\\*b'}\ncondition: sel", {"CommandLine": "a*b"}, {"CommandLine": "a--b"}),
    ("sel: {CommandLine|cased: 'Foo'}\ncondition: sel", {"CommandLine": "Foo"}, {"CommandLine": "foo"}),
    ("sel: {CommandLine|contains|cased: 'Foo'}\ncondition: sel", {"CommandLine": "a Foo"}, {"CommandLine": "a foo"}),
    ("sel: {CommandLine|re: '^a+b$'}\ncondition: sel", {"CommandLine": "aab"}, {"CommandLine": "AAB"}),
    ("sel: {CommandLine|re|i: '^a+b$'}\ncondition: sel", {"CommandLine": "AAB"}, {"CommandLine": "ac"}),
    ("sel: {CommandLine|re|m: '^b$'}\ncondition: sel", {"CommandLine": "a\nb"}, {"CommandLine": "a b"}),
    ("sel: {CommandLine|re|s: 'a.b'}\ncondition: sel", {"CommandLine": "a\nb"}, {"CommandLine": "a\n\nb"}),
    (
        "sel: {DestinationIp|cidr: '10.0.0.0/8'}\ncondition: sel",
        {"DestinationIp": "10.1.2.3"},
        {"DestinationIp": "11.1.1.1"},
    ),
    (
        "sel: {DestinationIp|cidr: 'fd00::/8'}\ncondition: sel",
        {"DestinationIp": "fd12::1"},
        {"DestinationIp": "fe80::1"},
    ),
    (
        "sel: {CommandLine|base64offset|contains: 'evil.example'}\ncondition: sel",
        {"CommandLine": "x " + ENCODED},
        {"CommandLine": "evil.example"},
    ),
    (
        "sel: {CommandLine|wide|base64offset|contains: 'whoami'}\ncondition: sel",
        {"CommandLine": "-enc " + WIDE},
        {"CommandLine": "whoami"},
    ),
    (
        "sel: {CommandLine|base64: 'http://evil.example/a'}\ncondition: sel",
        {"CommandLine": ENCODED},
        {"CommandLine": ENCODED[:-4]},
    ),
    (
        "sel: {CommandLine|utf16le|base64offset|contains: 'whoami'}\ncondition: sel",
        {"CommandLine": WIDE},
        {"CommandLine": "d2hvYW1p"},
    ),
    (
        "sel: {CommandLine|utf16be|base64offset|contains: 'whoami'}\ncondition: sel",
        {"CommandLine": base64.b64encode("whoami /all".encode("utf-16be")).decode()},
        {"CommandLine": WIDE[:8]},
    ),
    (
        "sel: {CommandLine|utf16|base64offset|contains: 'whoami'}\ncondition: sel",
        {"CommandLine": base64.b64encode("whoami /all".encode("utf-16")).decode()},
        {"CommandLine": "d2hvYW1p"},
    ),
    (
        "sel: {CommandLine|windash|contains: ' -s '}\ncondition: sel",
        {"CommandLine": "run /s now"},
        {"CommandLine": "run s now"},
    ),
    ("sel: {User|fieldref: Owner}\ncondition: sel", {"User": "Bob", "Owner": "bob"}, {"User": "Bob", "Owner": "eve"}),
    ("sel: {Image|exists: true}\ncondition: sel", {"Image": ""}, {"Other": "x"}),
    ("sel: {Image|exists: false}\ncondition: sel", {"Other": "x"}, {"Image": "x"}),
    ("sel: {Image: null}\ncondition: sel", {"Image": ""}, {"Image": "x"}),
    ("sel: {Image: ''}\ncondition: sel", {"Other": "x"}, {"Image": "x"}),
    ("sel: {Image: '*'}\ncondition: sel", {"Image": "x"}, {"Image": ""}),
    ("sel: {Size|gt: 10}\ncondition: sel", {"Size": 11}, {"Size": 10}),
    ("sel: {Size|gte: 10}\ncondition: sel", {"Size": "10"}, {"Size": "9.9"}),
    ("sel: {Size|lt: 10}\ncondition: sel", {"Size": "0x9"}, {"Size": 10}),
    ("sel: {Size|lte: 10}\ncondition: sel", {"Size": 10}, {"Size": "many"}),
    ("sel: {Size: 10}\ncondition: sel", {"Size": "10"}, {"Size": "100"}),
    ("sel: {Flag: true}\ncondition: sel", {"Flag": True}, {"Flag": False}),
    ("sel: {Image|neq: 'x'}\ncondition: sel", {"Image": "y"}, {"Image": "x"}),
    ("words: ['needle', 'pin']\ncondition: words", {"Any": "a Needle b"}, {"needle": "x"}),
    ("words: ['bad*thing']\ncondition: words", {"Any": "so bad a thing it is"}, {"Any": "a thing so bad"}),
    ("words: ['b?d']\ncondition: words", {"Any": "so bad a thing"}, {"Any": "so b a"}),
    ("words: {'|all': ['needle', 'pin']}\ncondition: words", {"A": "needle", "B": "pin"}, {"A": "needle"}),
    ("a1: {A: 1}\na2: {A: 2}\ncondition: 1 of a*", {"A": 2}, {"A": 3}),
    ("a1: {A: 1}\na2: {B: 2}\ncondition: all of a*", {"A": 1, "B": 2}, {"A": 1}),
    ("a1: {A: 1}\nb2: {B: 2}\ncondition: all of them", {"A": 1, "B": 2}, {"B": 2}),
    ("a: {A: 1}\nb: {B: 2}\ncondition: a and not b", {"A": 1}, {"A": 1, "B": 2}),
    ("a: {A: 1}\nb: {B: 2}\nc: {C: 3}\ncondition: a and (b or not c)", {"A": 1, "B": 2, "C": 3}, {"A": 1, "C": 3}),
    ("a:\n  - A: 1\n  - B: 2\ncondition: a", {"B": 2}, {"A": 2, "B": 1}),
    ("sel: {List: x}\ncondition: sel", {"List": ["a", "X"]}, {"List": ["a", "b"]}),
    ("sel: {a.b.c: x}\ncondition: sel", {"a": {"b": {"c": "x"}}}, {"a": {"b": {"d": "x"}}}),
    ("sel: {a.b: x}\ncondition: sel", {"a": '{"b": "x"}'}, {"a": '{"c": "x"}'}),
    ("sel: {UtcTime|hour: 3}\ncondition: sel", {"UtcTime": "2024-05-01 03:10:00"}, {"UtcTime": "2024-05-01 13:10:00"}),
    ("off: {A: 1}\non: {B: 2}\ncondition: off and not on", {"A": 1}, {"A": 1, "B": 2}),
]


@pytest.mark.parametrize(("detection", "yes", "no"), CASES, ids=[case[0].partition("\n")[0] for case in CASES])
def test_a_detection_matches_what_it_describes_and_its_close_relative_not(
    detection: str, yes: Event, no: Event
) -> None:
    rules = detection_rule(detection)
    assert matched(rules, [sysmon(**yes), sysmon(**no)]) == [0]


def test_a_process_rule_sees_sysmon_and_the_audit_policy() -> None:
    rules = detection_rule("sel: {Image|endswith: '\\whoami.exe', ParentImage|endswith: '\\cmd.exe'}\ncondition: sel")
    audit = {
        "Channel": "Security",
        "EventID": 4688,
        "NewProcessName": "C:\\Windows\\System32\\whoami.exe",
        "ParentProcessName": "C:\\Windows\\System32\\cmd.exe",
    }
    other = {**audit, "EventID": 4689}
    assert matched(rules, [audit, other, sysmon(Image="C:\\whoami.exe", ParentImage="C:\\cmd.exe")]) == [0, 2]


def test_a_rule_does_not_see_events_of_another_log_source() -> None:
    rules = detection_rule("sel: {Image|endswith: '\\a.exe'}\ncondition: sel")
    elsewhere: list[Event] = [
        {"Channel": "Application", "EventID": 1, "Image": "C:\\a.exe"},
        {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 5, "Image": "C:\\a.exe"},
        {"Image": "C:\\a.exe"},
    ]
    assert matched(rules, elsewhere) == []


def test_a_filter_takes_matches_away_from_the_rules_that_it_names() -> None:
    rule = """
title: Tool
id: 00000000-0000-4000-8000-00000000000a
name: tool
logsource: {product: windows, category: process_creation}
detection: {sel: {Image|endswith: '\\tool.exe'}, condition: sel}
"""
    without = """
title: Our administrators
logsource: {product: windows, category: process_creation}
filter: {rules: [tool], admin: {User: admin}, condition: not admin}
"""
    events = [sysmon(Image="C:\\tool.exe", User="admin"), sysmon(Image="C:\\tool.exe", User="eve")]
    assert matched(rules_of(rule), events) == [0, 1]
    assert matched(rules_of(rule, without), events) == [1]


def test_a_value_in_another_batch_or_next_to_many_others_is_found_all_the_same() -> None:
    rules = detection_rule(
        "sel: {CommandLine|contains: 'needle'}\nnot_here: {User: bob}\ncondition: sel and not not_here"
    )
    events = [sysmon(CommandLine=f"straw {n}", User="eve") for n in range(40_000)]
    events[7] = sysmon(CommandLine="a needle", User="eve")
    events[35_001] = sysmon(CommandLine="a needle", User="bob")
    events[39_999] = sysmon(CommandLine="a needle", User="eve")
    assert matched(rules, events) == [7, 39_999]
