"""Written training texts: what can be made again, filled in, and kept apart from what is measured."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pyarrow")

from train.misuse_documents import documents
from train.misuse_rows import FOLDS, POSITIVE, written_rows
from train.misuse_synthetic import SLOT, Made


@pytest.fixture(scope="module")
def made() -> list[Made]:
    """What training adds to the data."""
    return documents(per_kind=40)


def test_the_same_seed_gives_the_same_texts_and_another_seed_other_ones(made: list[Made]) -> None:
    assert documents(per_kind=40) == made
    assert {each.text for each in documents(seed=5, per_kind=40)} != {each.text for each in made}


def test_every_slot_of_a_template_is_filled(made: list[Made]) -> None:
    assert [each.text for each in made if SLOT.search(each.text)] == []


def test_no_text_is_written_twice_and_each_has_one_label(made: list[Made]) -> None:
    assert max(Counter(each.text for each in made).values()) == 1


def test_attempts_on_a_model_are_misuse_and_everything_that_shows_what_is_normal_is_not(made: list[Made]) -> None:
    assert {each.source for each in made if each.label in POSITIVE} == {"written_probes"}


def test_nothing_written_is_measured_on() -> None:
    rows = written_rows()
    assert all(row.written for row in rows)
    assert {row.source for row in rows}.isdisjoint({source for group in FOLDS.values() for source in group})
