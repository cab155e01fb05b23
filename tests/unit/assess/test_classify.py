"""Classification under the AI Act: unknown is stricter, outcomes add up, dates are data."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.assess.classify import Answer, Classification, classify
from glasshouse.assess.decision_tree import load_tree, shipped_tree
from glasshouse.words.errors import AnswerError, LawDataError

TREE = shipped_tree()
DAY = dt.date(2026, 11, 27)
SHIPPED = (files("glasshouse.assess") / "data" / "ai_act_classification.yaml").read_text()


def none_of(node: str) -> Answer:
    """Every item of a checklist answered with no."""
    return Answer(node, checklist={each.id: "no" for each in TREE.nodes[node].checklist})


def answered(*more: Answer) -> dict[str, Answer]:
    """A system that is nothing in particular, with some answers changed."""
    usual = [
        Answer("n_ai_system", ("yes",)),
        Answer("n_scope_exclusions", ("no",)),
        Answer("n_role", ("provider",)),
        none_of("n_prohibited"),
        Answer("n_annex1", ("no",)),
        none_of("n_annex3"),
        none_of("n_transparency"),
        Answer("n_gpai", ("no",)),
    ]
    return {each.node: each for each in (*usual, *more)}


def outcomes(result: Classification) -> set[str]:
    """The ids of the outcomes."""
    return {each.outcome.id for each in result.findings}


def test_a_system_that_is_nothing_in_particular_has_the_literacy_duty_alone() -> None:
    result = classify(TREE, answered(), DAY)
    assert outcomes(result) == {"o_literacy"}
    assert result.open_questions == ()


def test_nothing_answered_counts_as_everything() -> None:
    result = classify(TREE, {}, DAY)
    assert {"o_prohibited", "o_transparency", "o_gpai", "o_gpai_systemic", "o_auth_rep"} <= outcomes(result)
    assert len(result.open_questions) == len([visit for visit in result.visits if visit.node != "n_residual"])


def test_outcomes_add_up() -> None:
    uses = Answer("n_annex3", checklist={"a3_2": "yes"})
    talks = Answer("n_transparency", checklist={"t_1": "yes"})
    result = classify(TREE, answered(uses, talks, Answer("n_derogation", ("no",))), DAY)
    assert outcomes(result) == {"o_high_risk_annex3", "o_transparency", "o_literacy"}


def test_profiling_of_persons_forbids_the_derogation() -> None:
    uses = Answer("n_annex3", checklist={"a3_4": "yes"})
    claim = Answer("n_derogation", ("yes",), {"d_profiling": "yes"})
    assert "o_high_risk_annex3" in outcomes(classify(TREE, answered(uses, claim), DAY))


@pytest.mark.parametrize(("flops", "systemic"), [(1e25, False), (1.1e25, True), (1025.0, False), (1e24, False)])
def test_the_compute_threshold_is_ten_to_the_twenty_fifth_and_not_1025(flops: float, systemic: bool) -> None:
    model = [Answer("n_gpai", ("yes",)), Answer("n_gpai_modifier", ("no",)), Answer("n_gpai_open", ("no",))]
    compute = Answer("n_systemic", ("no",), figure=flops)
    result = classify(TREE, answered(*model, compute, Answer("n_third_country", ("no",))), DAY)
    assert ("o_gpai_systemic" in outcomes(result)) is systemic


def test_an_open_licence_exempts_only_without_systemic_risk() -> None:
    model = [Answer("n_gpai", ("yes",)), Answer("n_gpai_modifier", ("no",)), Answer("n_gpai_open", ("yes",))]
    duties = {
        answer: {
            each.id
            for each in classify(
                TREE, answered(*model, Answer("n_systemic", (answer,)), Answer("n_third_country", ("no",))), DAY
            ).obligations
        }
        for answer in ("yes", "no")
    }
    assert "ob_53a" not in duties["no"]
    assert {"ob_53a", "ob_55c"} <= duties["yes"]


def test_a_prohibition_of_december_2026_applies_from_its_day() -> None:
    practice = answered(Answer("n_prohibited", checklist={"p_bb": "yes"}))
    before, after = (classify(TREE, practice, day).findings[0] for day in (dt.date(2026, 12, 1), dt.date(2026, 12, 2)))
    assert (before.applies, after.applies) == (False, True)


def test_moving_a_date_in_the_data_moves_the_outcome() -> None:
    assert SHIPPED.count('applies_from: "2027-12-02"') + SHIPPED.count("applies_from: 2027-12-02") >= 1
    moved = load_tree("moved.yaml", SHIPPED.replace("2027-12-02", "2031-01-01").encode())
    uses = answered(Answer("n_annex3", checklist={"a3_2": "yes"}), Answer("n_derogation", ("no",)))
    days = [
        next(each.applies_from for each in classify(tree, uses, DAY).findings if "annex3" in each.outcome.id)
        for tree in (TREE, moved)
    ]
    assert days == [dt.date(2027, 12, 2), dt.date(2031, 1, 1)]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer("n_annex9", ("yes",)), "no question"),
        (Answer("n_annex1", ("perhaps",)), "offers"),
        (Answer("n_annex3", checklist={"a9": "yes"}), "no item"),
        (Answer("n_annex3", checklist={"a3_2": "maybe"}), "yes, no or unknown"),
    ],
)
def test_an_answer_that_is_not_offered_is_refused(answer: Answer, says: str) -> None:
    with pytest.raises(AnswerError, match=says):
        classify(TREE, {answer.node: answer}, DAY)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("citation: Art. 3(1)\n", 'citation: ""\n', "citation"),
        ("next: n_derogation", "next: n_nowhere", "n_nowhere"),
        ("start: n_ai_system", "start: n_other", "n_other"),
        ("stricter: any yes", "stricter: some", "stricter"),
        ("\nnodes:", "\nunheard: []\nnodes:", "unheard"),
    ],
)
def test_a_tree_that_lacks_what_it_needs_is_refused(old: str, new: str, says: str) -> None:
    assert old in SHIPPED
    with pytest.raises(LawDataError, match=says):
        load_tree("broken.yaml", SHIPPED.replace(old, new, 1).encode())


every_answer = st.fixed_dictionaries(
    {},
    optional={
        node.id: st.builds(
            Answer,
            st.just(node.id),
            st.sampled_from([each.answer for each in node.options]).map(lambda text: (text,)),
            st.dictionaries(
                st.sampled_from([each.id for each in node.checklist] or ["-"]), st.sampled_from(["yes", "no"])
            )
            if node.checklist
            else st.just({}),
        )
        for node in TREE.nodes.values()
    },
)


@given(every_answer)
def test_forgetting_an_answer_never_loses_an_obligation(given: dict[str, Answer]) -> None:
    """But for the two that come with the claim that an Annex III use is not high-risk: then the whole set applies."""
    whole = {each.id for each in classify(TREE, given, DAY).obligations}
    for name in given:
        rest = {key: value for key, value in given.items() if key != name}
        assert whole <= {each.id for each in classify(TREE, rest, DAY).obligations} | {"ob_6_4", "ob_49_2"}
