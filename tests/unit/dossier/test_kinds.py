"""Each document: nothing typed passes for measured, nothing missing is hidden, the law's questions are all there."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.dossier.evidence_samples import AT, DIGEST, bare, full

from glasshouse.dossier.document import AUDIENCES, Document, for_audience
from glasshouse.dossier.drift import stability_index
from glasshouse.dossier.evidence import Attestation, Evidence
from glasshouse.dossier.forms import code_of_practice, datasheet_questions, documentation_form
from glasshouse.dossier.kinds.registry import KINDS, make
from glasshouse.dossier.measures import gaps, measures
from glasshouse.dossier.render.registry import FORMATS, render

STATES = pytest.mark.parametrize("evidence", [bare(), full()], ids=["bare", "full"])


@STATES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [each for each in FORMATS if each != "pdf"])
def test_every_document_can_be_made_in_every_format(kind: str, form: str, evidence: Evidence) -> None:
    document = make(kind, evidence, "ai-office")
    assert render(document, form) == render(make(kind, evidence, "ai-office"), form)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_says_more_with_evidence_than_without(kind: str) -> None:
    if kind in ("monitoring", "incident-report"):
        assert make(kind, full(), "ai-office").shares().computed > 0
        return
    before, after = (make(kind, each, "ai-office").shares() for each in (bare(), full()))
    assert after.computed + after.attested > before.computed + before.attested


def values(document: Document) -> dict[str, str]:
    """Basis by field."""
    return {field.id: field.value.basis for section in document.sections for field in section.fields}


def test_what_the_model_file_says_is_missing_until_somebody_attests_it() -> None:
    assert values(make("documentation-form", bare(), "ai-office"))["architecture"] == "missing"
    assert values(make("documentation-form", full(), "ai-office"))["architecture"] == "attested"


def test_a_model_file_changed_after_its_attestation_is_no_longer_attested() -> None:
    changed = msgspec.structs.replace(full(), model_file_digest="sha256:" + "9f" * 32)
    assert values(make("documentation-form", changed, "ai-office"))["architecture"] == "missing"


def test_counted_figures_come_from_the_training_record_and_not_from_the_file() -> None:
    found = values(make("documentation-form", full(), "ai-office"))
    assert [found[each] for each in ("total_size_exact", "data_points_aio", "data_provenance")] == ["computed"] * 3


def test_a_training_record_of_other_weights_is_not_used() -> None:
    other = msgspec.structs.replace(full().trainings[0], weights_digest="sha256:" + "77" * 32)
    found = values(make("documentation-form", msgspec.structs.replace(full(), trainings=(other,)), "ai-office"))
    assert found["data_points_aio"] != "computed"


def test_the_form_has_its_47_fields_and_shows_each_audience_its_own() -> None:
    form = make("documentation-form", full(), "ai-office")
    assert sum(len(section.fields) for section in form.sections) == 47
    shown = {
        audience: sum(len(section.fields) for section in for_audience(form, audience).sections)
        for audience in AUDIENCES
    }
    assert shown == {"ai-office": 37, "authority": 37, "downstream": 24, "public": 0}


def test_authorities_get_orders_of_magnitude_where_the_ai_office_gets_figures() -> None:
    form = make("documentation-form", full(), "ai-office")
    texts = {field.id: field.value.text for section in form.sections for field in section.fields}
    assert texts["data_points_aio"] == "testing 680 rows, training 12,000 rows"
    assert texts["data_points_nca"] == "testing order of 10^2 rows, training order of 10^4 rows"
    assert texts["compute_magnitude"] == "10^12"


def test_the_rules_that_the_door_enforces_are_not_passed_off_as_the_terms_of_use() -> None:
    enforced = msgspec.structs.replace(bare(), policy_hash="ab" * 32, policy_entry=4)
    asked = {
        field.id: field.value for s in make("documentation-form", enforced, "ai-office").sections for field in s.fields
    }
    assert asked["acceptable_use_policy"].basis == "missing"
    assert "policy set abababababababab, entry 4" in asked["acceptable_use_policy"].needs


def test_no_two_questions_of_the_form_read_alike() -> None:
    asked = [field.asks for section in documentation_form().sections for field in section.fields]
    assert len(set(asked)) == len(asked)


def test_the_datasheet_asks_all_its_questions() -> None:
    asked = sum(len(section.fields) for section in make("datasheet", bare(), "public").sections)
    assert asked == sum(len(part.questions) for part in datasheet_questions().sections) == 59


def test_the_code_has_40_measures_and_each_is_accounted_for() -> None:
    code = code_of_practice()
    assert len(code.measures()) == len(measures(full())) == 40
    assert sum(len(each.measures) for c in code.chapters if c.id == "safety" for each in c.commitments) == 32
    assert len(documentation_form().sections) == 9


def test_a_measure_that_only_people_can_show_is_not_shown_by_records() -> None:
    found = {each.measure.id: each.value.basis for each in measures(full())}
    assert found["S-8.2"] == "attested"
    assert found["S-8.3"] == "missing"
    assert set(gaps(bare())) >= {"S-8.2", "S-8.3", "S-4.2"}


def test_front_matter_is_yaml_that_no_value_can_break_out_of() -> None:
    hostile = msgspec.structs.replace(full().model, licence='x"\n---\nevil: true')
    card = make("model-card", msgspec.structs.replace(full(), model=hostile), "public")
    parsed = front_matter(card)
    assert set(parsed) == {"license", "license_name", "tags", "model-index"}
    assert parsed["license_name"] == 'x"\n---\nevil: true'
    assert parsed["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.81


def front_matter(card: Document) -> dict[str, Any]:
    """The YAML head of a rendered card."""
    text = render(card, "md").decode()
    assert text.startswith("---\n")
    found = yaml.safe_load(text[4:].split("\n---\n")[0])
    assert isinstance(found, dict)
    return found


@STATES
def test_front_matter_holds_to_the_metadata_that_model_hubs_read(evidence: Evidence) -> None:
    """Hugging Face's rules: a known licence, or ``other`` with a name; results with task, dataset and metrics."""
    parsed = front_matter(make("model-card", evidence, "public"))
    assert parsed["license"] == "apache-2.0"
    for index in parsed.get("model-index", []):
        assert index["name"] == evidence.model.identity.name
        for result in index["results"]:
            assert set(result) == {"task", "dataset", "metrics"}
            assert result["task"]["type"]
            assert set(result["dataset"]) == {"name", "type"}
            assert all(each["type"] and isinstance(each["value"], int | float) for each in result["metrics"])
    assert ("model-index" in parsed) == bool(evidence.runs)


def test_an_override_is_listed_in_every_later_report() -> None:
    for kind in ("framework", "model-report", "model-card"):
        assert "pilot under watch" in render(make(kind, full(), "ai-office"), "json").decode()


def test_random_samples_are_for_the_ai_office_alone() -> None:
    report = make("model-report", full(), "public")
    assert "Random samples" not in render(report, "md").decode()


def test_a_statement_about_the_model_comes_before_one_about_the_organisation() -> None:
    said = (
        Attestation("limitations", "ours", "A", "r", AT, "screen", 30),
        Attestation("limitations", "everybody's", "B", "r", AT, "", 31),
        Attestation("limitations", "another's", "C", "r", AT, "other", 32),
    )
    value = msgspec.structs.replace(full(), attestations=said).attested("limitations")
    assert (value.text, value.entries) == ("ours", (30,))


def test_json_names_the_entries_of_every_computed_value() -> None:
    for kind in KINDS:
        raw = json.loads(render(make(kind, full(), "ai-office"), "json"))
        cells = [f["value"] for s in raw["sections"] for f in s["fields"]]
        cells += [v for s in raw["sections"] for t in s["tables"] for row in t["rows"] for v in row]
        computed = [each for each in cells if each["basis"] == "computed"]
        assert all(each["entries"] or each["span"] or each["digest"] for each in computed)


bins = st.lists(st.integers(0, 10_000), min_size=10, max_size=10).map(tuple)


@given(bins, bins)
def test_drift_is_zero_for_equal_shares_and_never_negative(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert stability_index(one, one) == 0
    assert stability_index(one, other) >= 0


def test_the_digest_of_the_sample_model_is_its_weights() -> None:
    assert full().digest == DIGEST
