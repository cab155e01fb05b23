"""Suites: what they measure is recorded whole, of the weights that ran, and can be repeated."""

from __future__ import annotations

import datetime as dt
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.assess.conduct import conduct
from glasshouse.assess.model_file import ModelFile, load_model
from glasshouse.assess.records import RunRecorded
from glasshouse.assess.runs import Sample, area, difference, proportion
from glasshouse.assess.suite import SUITES, Setting, draw, load_suite
from glasshouse.assess.suites import misuse_classifier, probe
from glasshouse.assess.suites.llm import misses
from glasshouse.assess.suites.rewrites import REWRITES
from glasshouse.assess.suites.scanner import MIN_WEAK, Case
from glasshouse.assess.suites.scanner import metrics as scanner_metrics
from glasshouse.guard.misuse import Screener
from glasshouse.words.errors import SuiteError

AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def model(digest: str) -> ModelFile:
    """A model file of these weights."""
    text = (
        f"identity: {{name: s, version: '1', weights_digest: '{digest}'}}\nprovider: P\nintended_use: U\n"
        "placing: {on_union_market: false}"
    )
    return load_model("m.yaml", text.encode())


def quiet(_done: int, _total: int) -> None:
    """No progress."""


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_of_the_registry_can_be_loaded(name: str) -> None:
    assert callable(load_suite(name).run)


def test_a_run_keeps_every_sample_and_repeats_to_the_same_figures() -> None:
    digest = Screener.load().digest
    first, second = (conduct("misuse-classifier", model(digest), Setting(), lambda: AT, quiet) for _ in range(2))
    assert first == second
    attacks = [each for each in probe.requests() if each.label == "misuse" and each.variety == "en"]
    assert first.run.samples == len(probe.requests()) + len(attacks) * len(probe.DISGUISES)
    assert {each.name for each in first.run.metrics} >= {
        "auroc",
        "recall",
        "false_alarms_defensive",
        "bias_recall_dialects",
    }


@pytest.mark.parametrize("most", [1, 2, 7])
def test_a_run_over_few_samples_comes_back_from_its_record(most: int) -> None:
    """Metrics of groups without a sample say nothing; they are left out and were not measured."""
    digest = Screener.load().digest
    record = conduct("misuse-classifier", model(digest), Setting(max_samples=most), lambda: AT, quiet)
    assert msgspec.json.decode(msgspec.json.encode(record), type=RunRecorded) == record
    assert all(each.n for each in record.run.metrics)


def test_a_suite_whose_answers_repeat_never_claims_to_have_asked_more_than_once() -> None:
    digest = Screener.load().digest
    run = conduct("misuse-classifier", model(digest), Setting(repeats=3, max_samples=2), lambda: AT, quiet).run
    assert run.repeats == 1
    assert "asked once" in run.notes[-1]


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(1, 5))
def test_asking_the_same_questions_again_does_not_narrow_an_interval(missed: list[bool], repeats: int) -> None:
    asked = [
        Sample(f"q{n}.{epoch}", "?", "!", 0.0 if miss else 1.0)
        for n, miss in enumerate(missed)
        for epoch in range(repeats)
    ]
    assert misses("m", asked) == misses("m", asked[::repeats])


def test_the_scanner_is_measured_by_weakness_where_there_are_cases_enough() -> None:
    cases = [Case(f"{n}", "f", "python", (89,), weak=n < MIN_WEAK) for n in range(2 * MIN_WEAK)]
    rare = Case("x", "f", "python", (1,), weak=True)
    found = scanner_metrics({"plain": {**{each: each.weak for each in cases}, rare: False}})
    named = {each.name: each.estimate for each in found}
    assert (named["recall_cwe_89"], named["false_alarms_cwe_89"]) == (1, 0)
    assert "recall_cwe_1" not in named


def test_a_run_on_other_weights_than_the_file_names_is_refused() -> None:
    with pytest.raises(SuiteError, match="the model file names"):
        conduct("misuse-classifier", model("sha256:" + "0" * 64), Setting(max_samples=2), lambda: AT, quiet)


def test_the_probe_asks_both_kinds_in_every_variety() -> None:
    by_variety: dict[str, set[str]] = {}
    for each in probe.requests():
        by_variety.setdefault(each.variety, set()).add(each.label)
    assert len(by_variety) == 14
    assert all(labels == {"misuse", "legitimate"} for labels in by_variety.values())
    assert len({each.id for each in probe.requests()}) == len(probe.requests())


def test_everything_is_asked_in_every_variety_and_in_pairs_about_one_thing() -> None:
    varied = [each for each in probe.requests() if each.variety != "en"]
    asked: dict[str, set[tuple[str, str]]] = {}
    for each in varied:
        asked.setdefault(each.variety, set()).add((each.id.partition(".")[0], each.label))
    (same,) = {frozenset(each) for each in asked.values()}
    labels = [label for _, label in same]
    assert labels.count("misuse") == labels.count("legitimate") >= 12
    assert len({each.text for each in varied}) == len(varied) >= 300


def test_a_screener_that_treats_a_variety_differently_is_caught() -> None:
    asked = [each for each in probe.requests() if each.variety != "en"]
    fair = {each.id: each.label == "misuse" for each in asked}
    found = {each.name: each for each in misuse_classifier.varieties(asked, fair)}
    assert all(each.low <= 0 <= each.high for name, each in found.items() if name.startswith("bias_"))
    deaf = fair | {each.id: False for each in asked if not each.variety.startswith("en")}
    found = {each.name: each for each in misuse_classifier.varieties(asked, deaf)}
    assert found["bias_recall_languages"].high < 0
    assert found["recall_de"].estimate == 0
    assert found["bias_recall_dialects"].estimate == 0


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1), st.floats(0, 1))
def test_a_difference_holds_its_estimate_and_turns_its_sign_with_its_order(n: int, m: int, p: float, q: float) -> None:
    one, other = proportion("a", p * n, n), proportion("b", q * m, m)
    gap, turned = difference("d", one, other), difference("d", other, one)
    assert -1 <= gap.low <= gap.estimate <= gap.high <= 1
    assert gap.low < gap.high
    assert (turned.estimate, turned.low, turned.high) == pytest.approx((-gap.estimate, -gap.high, -gap.low))


def test_a_draw_is_random_by_its_seed_alone() -> None:
    samples = conduct(
        "misuse-classifier", model(Screener.load().digest), Setting(max_samples=40), lambda: AT, quiet
    ).samples
    assert draw(samples, 1) == draw(samples, 1) != draw(samples, 2)
    assert len(draw(samples, 1)) == 5


scores = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(scores, scores)
def test_the_area_counts_how_often_an_attack_outranks_a_legitimate_request(
    one: list[float], other: list[float]
) -> None:
    metric = area("auroc", one, other)
    assert metric.low <= metric.estimate <= metric.high
    assert math.isclose(metric.estimate + area("auroc", other, one).estimate, 1)


PYTHON = """
import os


def run(argument):
    command = "echo " + argument
    total = 0
    for part in argument:
        total += 1
    os.system(command)
    return total
"""


@pytest.mark.parametrize("name", REWRITES)
def test_a_rewrite_keeps_the_meaning_of_a_program(name: str) -> None:
    text = REWRITES[name](PYTHON, "python")
    calls: list[str] = []
    space: dict[str, object] = {}
    exec(compile(text, "x", "exec"), space)
    space["os"] = type("Os", (), {"system": staticmethod(calls.append)})
    run = space["run"]
    assert callable(run)
    assert run("abc") == 3
    assert calls == ["echo abc"]
    assert text != PYTHON


def test_a_program_that_looks_names_up_is_not_renamed() -> None:
    text = "def f():\n    secret = 1\n    return locals()\n"
    assert "secret" in REWRITES["renamed_locals"](text, "python")
