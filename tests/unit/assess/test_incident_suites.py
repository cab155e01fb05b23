"""The suites on made-up recordings: what is played is known, repeats, and tells good grouping from bad."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.assess.test_suites import quiet

from glasshouse.assess.conduct import conduct
from glasshouse.assess.model_file import load_model
from glasshouse.assess.own_models import model_file
from glasshouse.assess.suite import Setting
from glasshouse.assess.suites.incident_scripts import Condition, play, scripts
from glasshouse.respond.group.agreement import b_cubed, b_cubed_each
from glasshouse.respond.group.attack import attack

AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
SHELL = Condition("desk", recordings=30, hosts=1, one_user=True)


def test_every_script_is_played_step_by_step_and_names_techniques_there_are() -> None:
    for script in scripts():
        played = play(Condition("alone", recordings=1, hosts=1), 1, (script,))
        assert len(played.events) == len(script.steps)
        assert script.ordinary != bool(script.techniques)
        assert set(script.techniques) <= set(attack().techniques)
        assert "<" not in str([value for event in played.events for value in event.values()]).replace("<word>.docm", "")


def test_a_fleet_is_the_same_every_time_and_another_with_another_seed() -> None:
    assert play(SHELL, 1) == play(SHELL, 1)
    assert play(SHELL, 1) != play(SHELL, 2)


def test_recordings_of_one_person_on_one_host_hang_below_one_shell_and_share_nothing_else() -> None:
    played = play(SHELL, 3)
    parents = {
        each["ParentProcessGuid"] for each in played.events if each.get("ParentImage", "").endswith("explorer.exe")
    }
    assert len(parents) == 1
    started: dict[str, set[int]] = {}
    for event, recording in zip(played.events, played.recording, strict=True):
        if event["EventID"] == 1:
            started.setdefault(event["ProcessGuid"], set()).add(recording)
    assert all(len(each) == 1 for each in started.values())


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_agreement_is_whole_for_the_truth_alone_and_one_sided_for_all_in_one(truth: list[int]) -> None:
    right = [[at for at, true in enumerate(truth) if true == each] for each in set(truth)]
    assert b_cubed(truth, right) == (1.0, 1.0, 1.0)
    together = b_cubed_each(truth, [list(range(len(truth)))])
    assert all(recall == pytest.approx(1.0) for _, recall in together.values())
    assert sum(precision for precision, _ in together.values()) == pytest.approx(1.0)
    alone = b_cubed_each(truth, [[at] for at in range(len(truth))])
    assert all(precision == pytest.approx(1.0) for precision, _ in alone.values())


@pytest.mark.parametrize(
    ("name", "suite", "metric"),
    [("incident-grouping", "incident-grouping", "f1_slow"), ("technique-ranker", "technique-naming", "recall")],
)
def test_our_models_are_measured_on_what_ships_and_the_run_says_that_it_is_made_up(
    name: str, suite: str, metric: str
) -> None:
    model = load_model(name, model_file(name).encode())
    assert model.suites == (suite,)
    made = conduct(suite, model, Setting(), lambda: AT, quiet)
    found = made.run.metric(metric)
    assert found is not None
    assert 0.3 < found.estimate < 1.0
    assert any(note.startswith("synthetic") for note in made.run.notes)
    assert made.run.samples == len(made.samples) > 50
