"""State machines: what is in the table is legal, nothing else is, and no way leads back from the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.access.machines import ENGAGEMENT, KEY, MACHINES, WITHDRAWING, Machine, changes_by
from glasshouse.words.errors import TransitionError

PAIRS = [
    (machine, state, event)
    for machine in MACHINES
    for state in machine.states()
    for event in sorted({step.event for step in machine.steps})
]


@pytest.mark.parametrize(("machine", "state", "event"), PAIRS, ids=lambda each: getattr(each, "name", each))
def test_a_step_is_legal_exactly_when_the_table_has_it(machine: Machine, state: str, event: str) -> None:
    targets = [step.target for step in machine.steps if (step.source, step.event) == (state, event)]
    if targets:
        assert machine.after(state, event) == targets[0]
        assert len(targets) == 1
    else:
        with pytest.raises(TransitionError, match=state):
            machine.after(state, event)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: each.name)
def test_every_state_can_be_reached(machine: Machine) -> None:
    reached = {machine.initial}
    for _ in machine.steps:
        reached |= {step.target for step in machine.steps if step.source in reached}
    assert reached == set(machine.states())


@given(st.lists(st.sampled_from(sorted({step.event for step in ENGAGEMENT.steps}))))
def test_nothing_revives_an_engagement_that_is_over(events: list[str]) -> None:
    for end in ("expired", "revoked"):
        state = end
        for event in events:
            with pytest.raises(TransitionError):
                state = ENGAGEMENT.after(state, event)
        assert state == end


@given(st.lists(st.sampled_from(["rotate", "revoke"])))
def test_a_revoked_key_stays_revoked(events: list[str]) -> None:
    state = KEY.after("active", "revoke")
    for event in events:
        with pytest.raises(TransitionError):
            KEY.after(state, event)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: each.name)
def test_what_passes_as_taking_rights_away_never_leads_to_a_state_that_may_be_used(machine: Machine) -> None:
    for event in WITHDRAWING.get(machine.name, ()):
        targets = [step.target for step in machine.steps if step.event == event]
        assert targets
        assert not set(targets) & set(machine.live)


@pytest.mark.parametrize("machine", [each for each in MACHINES if each.name in WITHDRAWING], ids=lambda each: each.name)
def test_every_step_out_of_use_is_one_that_takes_rights_away(machine: Machine) -> None:
    ends = {step.event for step in machine.steps if step.source in machine.live and step.target not in machine.live}
    gives = {step.event for step in machine.steps if step.target in machine.live}
    assert {changes_by(machine, event) for event in ends} == {"access.withdraw"}
    assert {changes_by(machine, event) for event in gives} == {"access.change"}


def test_the_diagram_shows_every_step() -> None:
    for machine in MACHINES:
        for step in machine.steps:
            assert f"{step.source} --> {step.target}: {step.event}" in machine.diagram()
