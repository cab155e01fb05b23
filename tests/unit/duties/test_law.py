"""The rules as data: complete, cited, and refused when they are not."""

from __future__ import annotations

import datetime as dt

import pytest

from glasshouse.duties.law import load_law, shipped_law
from glasshouse.words.errors import LawDataError

ROW = """
meta: {{compiled: "2026-11-22"}}
regimes: [{{id: nis2, title: NIS2}}]
rows:
- {{id: x, regime: nis2, who: entity, trigger: incident, stage: report, deadline: {deadline}, recipient: CSIRT,
   content: [what], citation: "{citation}", confidence: {confidence}}}
"""
FIGURE = "{value: 1, unit: days, anchor: entity_aware}"


def row(deadline: str = FIGURE, citation: str = "Art. 1", confidence: str = "verified") -> list[tuple[str, bytes]]:
    """One file with one row."""
    return [("mine.yaml", ROW.format(deadline=deadline, citation=citation, confidence=confidence).encode())]


def test_every_shipped_row_is_loaded_with_its_regime_and_a_day_of_compilation() -> None:
    law = shipped_law()
    assert len(law.rules) == 58
    assert law.as_of >= dt.date(2026, 11, 22)
    assert {rule.regime for rule in law.rules.values()} <= set(law.regimes)


def test_the_row_used_by_these_tests_is_a_good_one() -> None:
    assert list(load_law(row()).rules) == ["x"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (row(citation=" "), "citation"),
        (row(confidence="sure"), "confidence"),
        (row(deadline="{value: 1, anchor: entity_aware}"), "unit"),
        (row(deadline="{value: 1, unit: days, anchor: a, no_figure: soon}"), "one form"),
        (row(deadline="{anchor: a}"), "one form"),
        (row(deadline="{value: 1, unit: moons, anchor: a}"), "unit"),
        (row(deadline="{value: 1, unit: days, anchor: a, wehn: b}"), "wehn"),
        (row() + row(), "twice"),
        ([("mine.yaml", b"rows: [")], "YAML"),
        ([("mine.yaml", b"meta: {}\nregimes: []\nrows: []")], "compiled"),
    ],
)
def test_a_file_that_lacks_what_a_rule_needs_is_refused_by_name(broken: list[tuple[str, bytes]], says: str) -> None:
    with pytest.raises(LawDataError, match=says) as caught:
        load_law(broken)
    assert "mine.yaml" in caught.value.diagnostics()


def test_a_refused_row_is_named() -> None:
    with pytest.raises(LawDataError, match="row `x`"):
        load_law(row(citation=""))


def test_changing_a_date_in_the_data_changes_the_first_day() -> None:
    text = ROW.format(deadline=FIGURE, citation="Art. 1", confidence="verified").replace(
        "confidence:", 'applies_from: {all: "2027-12-02"}, confidence:'
    )
    assert load_law([("mine.yaml", text.encode())]).rules["x"].applies_from == {"all": dt.date(2027, 12, 2)}
