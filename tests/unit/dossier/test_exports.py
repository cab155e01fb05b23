"""Exports in the formats of others hold to their schemas, and say no more than the evidence."""

from __future__ import annotations

import json
import uuid

import pytest
from tests.unit.dossier.evidence_samples import bare, full

from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.exports.cyclonedx import cyclonedx
from glasshouse.dossier.exports.oscal import oscal

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
