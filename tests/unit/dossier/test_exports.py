"""Exports in the formats of others hold to their schemas, and say no more than the evidence."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.unit.dossier.evidence_samples import bare, full

from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.exports.cyclonedx import cyclonedx
from glasshouse.dossier.exports.oscal import oscal

OSCAL_SCHEMA = Path(__file__).parents[2] / "data" / "oscal" / "assessment-results-1.2.1.schema.json"
STATES = pytest.mark.parametrize("evidence", [bare(), full()], ids=["bare", "full"])


@STATES
def test_the_bill_of_materials_passes_the_strict_validator(evidence: Evidence) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is not installed")
    schema = pytest.importorskip("cyclonedx.schema", reason="cyclonedx-python-lib is not installed")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(cyclonedx(evidence).decode()) is None
    broken = json.loads(cyclonedx(evidence))
    broken["components"][0]["modelCard"]["unheard"] = 1
    assert validator.validate_str(json.dumps(broken)) is not None


@STATES
def test_assessment_results_have_an_observation_per_measure_and_repeat(evidence: Evidence) -> None:
    results = json.loads(oscal(evidence))["assessment-results"]
    observations = results["results"][0]["observations"]
    assert len(observations) == 40
    assert {uuid.UUID(each["uuid"]).version for each in observations} == {5}
    assert oscal(evidence) == oscal(evidence)
    with_entries = [each for each in observations if each["props"][1]["value"] == "computed"]
    assert all(
        "relevant-evidence" in each or "entries" in each["remarks"] or "sha256" in each["remarks"]
        for each in with_entries
    )


def test_figures_in_a_bill_come_from_runs_alone() -> None:
    assert "quantitativeAnalysis" not in json.loads(cyclonedx(bare()))["components"][0]["modelCard"]
    metrics = json.loads(cyclonedx(full()))["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics[0]["value"] == "0.81"


@pytest.fixture(scope="module")
def oscal_schema() -> jsonschema.Draft7Validator:
    """The published schema; its patterns in the words of Python's `re`, which knows no classes of Unicode."""
    text = OSCAL_SCHEMA.read_text().replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d")
    return jsonschema.Draft7Validator(json.loads(text))


@STATES
def test_assessment_results_hold_to_the_published_schema(
    evidence: Evidence, oscal_schema: jsonschema.Draft7Validator
) -> None:
    assert [error.message for error in oscal_schema.iter_errors(json.loads(oscal(evidence)))] == []
    for damage in ({"uuid": "7"}, {"unheard": 1}, {"collected": "yesterday"}):
        broken = json.loads(oscal(evidence))
        broken["assessment-results"]["results"][0]["observations"][0] |= damage
        assert not oscal_schema.is_valid(broken)


@pytest.mark.parametrize("text", ["", " \n ", "two\nlines", "  padded  ", "\u202eturned", "a\x00b"])
def test_no_text_that_people_typed_breaks_the_schema(text: str, oscal_schema: jsonschema.Draft7Validator) -> None:
    whole = full()
    said = tuple(msgspec.structs.replace(each, text=text, name=text or "n") for each in whole.attestations)
    identity = msgspec.structs.replace(whole.model.identity, name=text or "n")
    evidence = msgspec.structs.replace(
        whole,
        attestations=said,
        model=msgspec.structs.replace(whole.model, identity=identity),
        basis=msgspec.structs.replace(whole.basis, origin=f"log {text}"),
    )
    assert [error.message for error in oscal_schema.iter_errors(json.loads(oscal(evidence)))] == []
