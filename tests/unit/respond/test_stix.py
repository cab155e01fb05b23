"""The STIX bundle keeps to STIX 2.1: required properties, identifiers, references that lead somewhere, times in UTC."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from hypothesis import given, settings
from tests.unit.respond.examples import detection, rule
from tests.unit.respond.test_ocsf import detections, report

from glasshouse.respond.render import stix
from glasshouse.words.incident import Detection

# section 3.2 (common properties) and the tables of each object in STIX 2.1 (OASIS, 10 June 2021)
COMMON = {"type", "spec_version", "id", "created", "modified"}
REQUIRED: dict[str, set[str]] = {
    "identity": COMMON | {"name"},
    "attack-pattern": COMMON | {"name"},
    "vulnerability": COMMON | {"name"},
    "note": COMMON | {"content", "object_refs"},
    "report": COMMON | {"name", "published", "object_refs"},
    "ipv4-addr": {"type", "id", "value"},
    "ipv6-addr": {"type", "id", "value"},
    "domain-name": {"type", "id", "value"},
    "user-account": {"type", "id"},
    "file": {"type", "id", "name"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
IDENTIFIER = re.compile(r"[a-z0-9-]+--([0-9a-f-]{36})")


def bundle(found: list[Detection]) -> dict[str, Any]:
    """The bundle of a report."""
    made: dict[str, Any] = json.loads("".join(stix.render(report(found))))
    return made


@settings(max_examples=30, deadline=None)
@given(detections)
def test_every_object_has_what_the_standard_requires_and_every_reference_leads_somewhere(
    found: list[Detection],
) -> None:
    made = bundle(found)
    assert set(made) == {"type", "id", "objects"}
    known = {each["id"] for each in made["objects"]}
    assert len(known) == len(made["objects"])
    for each in made["objects"]:
        assert REQUIRED[each["type"]] <= set(each), each
        match = IDENTIFIER.fullmatch(each["id"])
        assert match is not None
        assert each["id"].startswith(f"{each['type']}--")
        assert uuid.UUID(match[1]).version == 5
        assert each["spec_version"] == "2.1"
        for name, value in each.items():
            if name in ("created", "modified", "published"):
                assert TIME.fullmatch(value), value
            if name.endswith("_ref"):
                assert value in known
            if name.endswith("_refs"):
                assert value
                assert set(value) <= known
            assert value not in ("", [], None), (name, each)
        for reference in each.get("external_references", ()):
            assert reference["source_name"]
            assert set(reference) & {"description", "url", "external_id"}


def test_the_same_report_gives_the_same_bundle() -> None:
    assert bundle([detection()]) == bundle([detection()])


def test_a_rule_travels_with_its_author_and_link() -> None:
    text = json.dumps(bundle([detection(by=rule("dump"))]))
    assert "A. Tester" in text
    assert "https://rules.example/dump" in text
