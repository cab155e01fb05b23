"""OCSF both ways: findings keep to the published schema, process activity is read as process starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.respond.examples import START, detection, rule

from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.shapes import flat
from glasshouse.respond.render import ocsf
from glasshouse.respond.report import Report
from glasshouse.respond.run import Run
from glasshouse.words.incident import Detection

DEFINITIONS = json.loads(
    (Path(__file__).resolve().parents[2] / "data" / "ocsf" / "ocsf-1.8.0.schema.json").read_text(encoding="utf-8")
)["$defs"]
VALIDATORS = {
    uid: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{uid}", "$defs": DEFINITIONS}) for uid in (2004, 2005)
}


def report(found: list[Detection]) -> Report:
    """A report of some detections."""
    grouping = incidents_of(found)
    run = Run(tuple(found), len(found), 1, 1, 0, 0, (), ())
    return Report("1.0", "2026-01-01T00:00:00+00:00", run, grouping.incidents, grouping.loose)


def problems(event: dict[str, Any]) -> list[str]:
    """What is wrong with an event."""
    found = VALIDATORS[event["class_uid"]].iter_errors(event)
    return [f"{list(each.absolute_path)}: {each.message}" for each in found]


detections = st.lists(
    st.builds(
        detection,
        st.floats(0, 10_000),
        by=st.sampled_from([rule("a", "low"), rule("b", "informational", ()), rule("c", "critical")]),
        host=st.sampled_from(["ws1", ""]),
        process=st.sampled_from(["g1", "pid 7"]),
        user=st.text(max_size=8),
        address=st.ip_addresses().map(str),
    ),
    min_size=1,
    max_size=6,
).map(lambda found: sorted(found, key=lambda each: each.time or 0.0))


@settings(max_examples=30, deadline=None)
@given(detections)
def test_every_finding_keeps_to_the_schema_and_names_its_rule_and_author(found: list[Detection]) -> None:
    events = [json.loads(line) for line in ocsf.render(report(found))]
    assert [each for event in events for each in problems(event)] == []
    for event in events:
        assert event["metadata"]["version"] == "1.8.0"
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert "A. Tester" in json.dumps(event)
    single = [event for event in events if event["class_uid"] == 2004]
    assert len(single) == len(found)


def test_a_finding_without_what_the_schema_requires_would_be_noticed() -> None:
    event = json.loads(next(iter(ocsf.render(report([detection()])))))
    for field in ("severity_id", "finding_info", "time"):
        assert problems({name: value for name, value in event.items() if name != field}), field


LAUNCH: dict[str, Any] = {
    "class_uid": 1007,
    "activity_id": 1,
    "time": int(START * 1000),
    "metadata": {"version": "1.8.0", "product": {"name": "EDR"}},
    "device": {"hostname": "WS1.corp.example", "os": {"type_id": 100, "name": "Windows"}},
    "process": {
        "pid": 42,
        "uid": "guid-1",
        "cmd_line": "whoami /all",
        "file": {"path": "C:\\Windows\\System32\\whoami.exe", "hashes": [{"algorithm_id": 3, "value": "AB"}]},
        "user": {"name": "CORP\\eve"},
        "parent_process": {"pid": 7, "uid": "guid-0", "file": {"path": "C:\\a.exe"}, "cmd_line": "a"},
    },
}


def test_a_process_launch_has_the_fields_of_a_process_start() -> None:
    event = flat(json.loads(json.dumps(LAUNCH)))
    assert (event["Image"], event["CommandLine"]) == ("C:\\Windows\\System32\\whoami.exe", "whoami /all")
    assert (event["ParentImage"], event["ParentProcessGuid"]) == ("C:\\a.exe", "guid-0")
    assert (event["User"], event["Hashes"], event["Computer"]) == ("CORP\\eve", "SHA256=AB", "WS1.corp.example")


@pytest.mark.parametrize(("system", "product"), [(100, "windows"), (200, "linux"), (300, "macos"), (99, "")])
def test_a_launch_is_routed_by_its_operating_system(system: int, product: str) -> None:
    event = {**LAUNCH, "device": {"hostname": "h", "os": {"type_id": system}}}
    tag = Classifier().tag(flat(event))
    assert (tag.product, "process_creation" in tag.categories) == (product, True)


@pytest.mark.parametrize("change", [{"activity_id": 2}, {"class_uid": 1001}])
def test_other_activity_is_no_process_start(change: dict[str, int]) -> None:
    event = flat({**LAUNCH, **change})
    assert "Image" not in event
    assert Classifier().tag(event).product == "ocsf"


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)))
def test_a_launch_with_hostile_parts_is_read_without_failing(part: Any) -> None:
    for name in ("process", "device"):
        event = flat({**LAUNCH, name: part})
        Classifier().tag(event)
    flat({**LAUNCH, "process": {"file": {"hashes": [part, {"algorithm_id": 3, "value": part}]}, "pid": part}})
