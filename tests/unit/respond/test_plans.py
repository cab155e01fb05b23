"""Plans: valid CACAO, targets from the evidence, two people for what cannot be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from tests.unit.respond.examples import detection, incident

from glasshouse.respond.group.attack import attack
from glasshouse.respond.plan.actions import ACTIONS
from glasshouse.respond.plan.cacao import EXTENSION, decode, encode, playbook
from glasshouse.respond.plan.defend import defend
from glasshouse.respond.plan.planner import plan_for
from glasshouse.words.errors import PlanError
from glasshouse.words.incident import Entity, Incident, Level

NOW = 1_750_000_000
SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parent / "cacao" / "schemas.json").read_text())
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(body, DRAFT7)) for name, body in SCHEMAS.items()
)
PLAYBOOK = next(body for name, body in SCHEMAS.items() if name.endswith("schemas/playbook.json"))
VALIDATOR = Draft7Validator(PLAYBOOK, registry=REGISTRY)

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30)
kinds = st.sampled_from(["process", "session", "user", "address", "file", "domain", "key", "account", "service"])
addresses = st.ip_addresses().map(str)
entities = st.lists(st.one_of(st.tuples(kinds, names), st.tuples(st.just("address"), addresses)), max_size=8)
techniques = st.lists(st.sampled_from(sorted(attack().techniques)), max_size=4, unique=True)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    found = []
    for n in range(draw(st.integers(1, 4))):
        named: dict[str, Any] = dict(draw(entities))
        found.append(detection(float(n), host=draw(st.sampled_from(["ws1", "dc1"])), **named))
    severity: Level = draw(st.sampled_from(["low", "medium", "high", "critical"]))
    return incident(*found, severity=severity, techniques=tuple(draw(techniques)))


@settings(max_examples=20, deadline=None)
@given(incidents())
def test_every_plan_is_valid_cacao_and_comes_back_the_same(found: Incident) -> None:
    plan = plan_for(found, NOW)
    if plan.steps:
        body = json.loads(encode(plan))
        assert [error.message for error in VALIDATOR.iter_errors(body)] == []
        assert decode(encode(plan)) == plan


@settings(max_examples=60, deadline=None)
@given(incidents())
def test_every_target_is_an_entity_of_the_evidence(found: Incident) -> None:
    evidence = {Entity(e.kind, e.name, e.scope) for each in found.detections for e in each.entities}
    assert all(step.target in evidence for step in plan_for(found, NOW).steps)


@settings(max_examples=60, deadline=None)
@given(incidents())
def test_what_cannot_be_taken_back_needs_two_people_and_every_step_expires(found: Incident) -> None:
    plan = plan_for(found, NOW)
    for step in plan.steps:
        assert step.approvals == (1 if step.reversible else 2)
        assert NOW < step.expires <= plan.expires


def test_the_schema_is_strict_enough_to_refuse_a_wrong_playbook() -> None:
    body = msgspec.json.decode(encode(plan_for(incident(), NOW)))
    body["workflow"][next(iter(body["workflow"]))]["on_success"] = "nowhere"
    assert list(VALIDATOR.iter_errors(body))


def test_a_plan_that_asks_for_too_few_approvals_is_refused() -> None:
    plan = plan_for(incident(detection(process="guid-1"), techniques=("T1003.001",)), NOW)
    step = next(each for each in plan.steps if not each.reversible)
    weak = msgspec.structs.replace(step, approvals=1)
    changed = msgspec.structs.replace(plan, steps=tuple(weak if each == step else each for each in plan.steps))
    with pytest.raises(PlanError, match="needs 2 approvals"):
        decode(encode(changed))


def test_a_playbook_changed_beside_its_plan_is_refused() -> None:
    body = msgspec.json.decode(encode(plan_for(incident(), NOW)))
    action = next(each for each in body["workflow"].values() if each["type"] == "action")
    action["commands"][0]["command"] = "Do something else"
    with pytest.raises(PlanError, match="was changed"):
        decode(msgspec.json.encode(body))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"playbook_extensions": 3}'])
def test_what_is_no_plan_gives_one_clear_error(data: bytes) -> None:
    with pytest.raises(PlanError):
        decode(data)


def test_our_own_addresses_and_system_accounts_are_no_targets() -> None:
    found = incident(detection(address=["10.0.0.1", "8.8.4.4", "fe80::1"], user=["system", "ws1$", "eve"]))
    targets = {step.target.name for step in plan_for(found, NOW).steps}
    assert "8.8.4.4" in targets
    assert targets & {"10.0.0.1", "fe80::1", "system", "ws1$"} == set()


def test_rules_travel_with_the_plan_with_author_and_link() -> None:
    body = playbook(plan_for(incident(), NOW))
    assert body["external_references"][0] == {
        "name": "A. Tester",
        "description": "Sigma rule behind this plan",
        "external_id": "id-tool",
        "url": "https://rules.example/tool",
    }
    assert EXTENSION in body["extension_definitions"]


def test_actions_name_mitigations_that_exist() -> None:
    assert {each for action in ACTIONS for each in action.mitigations} <= set(attack().mitigations)


def test_actions_name_countermeasures_of_the_published_ontology() -> None:
    known = defend()
    assert known.version == "1.2.0"
    assert {each for action in ACTIONS for each in action.countermeasures} <= set(known.techniques)


def test_a_step_names_its_countermeasures_and_links_to_them() -> None:
    body = playbook(plan_for(incident(detection(address="8.8.4.4"), severity="high"), NOW))
    steps = [each for each in body["workflow"].values() if each["type"] == "action"]
    block = next(each for each in steps if each["name"].startswith("Block"))
    assert {
        "name": "MITRE D3FEND: Outbound Traffic Filtering",
        "external_id": "D3-OTF",
        "url": "https://d3fend.mitre.org/technique/d3f:OutboundTrafficFiltering/",
    } in block["external_references"]
    assert "MITRE ATT&CK mitigation: Filter Network Traffic" in [x["name"] for x in block["external_references"]]


def test_actions_name_techniques_and_tactics_that_exist() -> None:
    known = attack()
    for action in ACTIONS:
        assert set(action.techniques) <= set(known.techniques), action.id
        assert set(action.tactics) <= {tactic for each in known.techniques.values() for tactic in each.tactics}, (
            action.id
        )
