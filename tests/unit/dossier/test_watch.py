"""Fail conditions: computed from what the log holds, true when above, counted since the last verdict."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.dossier.evidence_samples import bare, full

from glasshouse.assess.framework import FailCondition
from glasshouse.dossier.document import Section
from glasshouse.dossier.drift import stability_index
from glasshouse.dossier.evidence import INCIDENT_RULES, Evidence, Incident
from glasshouse.dossier.involvement import Involvement, Seen
from glasshouse.dossier.kinds.registry import make
from glasshouse.dossier.render.registry import render
from glasshouse.dossier.watch import case_name, watch
from glasshouse.duties.law import shipped_law
from glasshouse.words.errors import FrameworkError


def true(evidence: Evidence) -> set[str]:
    """The conditions that hold."""
    return {each.condition.id for each in watch(evidence) if each.true}


def test_what_came_after_the_last_verdict_counts() -> None:
    assert true(full()) == {"drift", "incident", "overridden"}
    judged_again = tuple((verdict, 90) for verdict, _ in full().verdicts)
    assert true(msgspec.structs.replace(full(), verdicts=judged_again)) == {"drift"}


def test_requests_in_another_language_fire_the_condition_on_inputs() -> None:
    november, december = full().months
    moved = msgspec.structs.replace(december, languages={"en": 20, "de": 80})
    assert "inputs" not in true(full())
    assert "inputs" in true(msgspec.structs.replace(full(), months=(november, moved)))


def test_a_shift_that_few_requests_explain_fires_nothing() -> None:
    november, december = full().months
    few = msgspec.structs.replace(december, languages={"de": 1}, scores=())
    assert stability_index((800, 100), (0, 1)) > 0.25
    assert "inputs" not in true(msgspec.structs.replace(full(), months=(november, few)))


def test_nothing_seen_is_nothing_fired() -> None:
    assert true(msgspec.structs.replace(bare(), framework=full().framework)) == set()


def test_a_case_is_named_once_per_condition_and_verdict() -> None:
    (condition, *_) = watch(full())
    again = tuple((verdict, 90) for verdict, _ in full().verdicts)
    assert case_name(full(), condition.condition) == "reassess-screen-drift-13"
    assert case_name(msgspec.structs.replace(full(), verdicts=again), condition.condition) == "reassess-screen-drift-90"


def test_a_review_or_a_new_assessment_is_a_case_and_no_incident() -> None:
    (incident,) = full().incidents
    assert incident.serious
    clocks = tuple(msgspec.structs.replace(clock, rule="house_reassess") for clock in incident.clocks)
    review = msgspec.structs.replace(full(), incidents=(msgspec.structs.replace(incident, clocks=clocks),))
    assert "incident" not in true(review)
    assert "No incident" in render(make("incident-report", review, "ai-office"), "md").decode()


def report(*incidents: Incident) -> dict[str, Section]:
    """The sections of the incident report on the model `screen`."""
    made = make("incident-report", msgspec.structs.replace(full(), incidents=incidents), "ai-office")
    return {each.id: each for each in made.sections}


def test_a_case_that_names_no_model_is_told_as_left_out_and_not_reported_as_the_models() -> None:
    (incident,) = full().incidents
    nameless = msgspec.structs.replace(incident, id="inc-2", title="Somebody else's", model="")
    found = report(incident, nameless)
    assert set(found) == {"inc-1", "left-out"}
    assert [row[0].text for row in found["left-out"].tables[0].rows] == ["inc-2"]
    assert set(report(nameless)) == {"none", "left-out"}
    assert set(report(incident)) == {"inc-1"}


@pytest.mark.parametrize(("models", "sections"), [(("screen",), {"inc-2"}), (("other",), {"none"})])
def test_a_case_that_names_no_model_is_the_models_where_its_linked_entries_involved_it(
    models: tuple[str, ...], sections: set[str]
) -> None:
    (incident,) = full().incidents
    acts = Involvement((Seen(7, incident.opened, "act.request", "permit", models=models),))
    assert set(report(msgspec.structs.replace(incident, id="inc-2", model="", involved=acts))) == sections


def test_every_rule_that_is_about_an_incident_is_told_from_reviews() -> None:
    reviews = {rule for rule in shipped_law().rules if not rule.startswith(INCIDENT_RULES)}
    assert {"house_audit", "house_reassess", "cop13_framework_review", "cop62_access_review"} <= reviews
    assert not reviews & {"cop93_cyber", "nis2_early", "dora_initial", "gdpr33", "cra_vuln_early", "aia73_default"}


def test_a_figure_that_nobody_computes_is_refused() -> None:
    framework = full().framework
    assert framework is not None
    odd = msgspec.structs.replace(framework, fail_conditions=(FailCondition("x", "mood", 1, "bad"),))
    with pytest.raises(FrameworkError, match="mood"):
        watch(msgspec.structs.replace(full(), framework=odd))
    with pytest.raises(FrameworkError, match="committed"):
        watch(bare())
