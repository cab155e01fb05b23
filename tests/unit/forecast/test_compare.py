"""A comparison on a past day is judged by what came later, and refuses to judge what it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.forecast.compare import compare
from glasshouse.forecast.facts import Day, Epss, Fact, Listed, Text, day
from glasshouse.forecast.render.comparison import text
from glasshouse.forecast.store import FactStore
from glasshouse.words.errors import UsageError

DAY = day("2025-06-01")
LATER = day("2025-12-31")


@pytest.fixture
def store() -> Iterator[FactStore]:
    """An empty store."""
    with FactStore(":memory:") as found:
        yield found


def filled(store: FactStore, listed: int, after: int = 10) -> FactStore:
    """The store with a hundred CVEs with scores, some of which are listed some days after."""
    facts = []
    for number in range(100):
        name = f"CVE-2025-{2_000 + number}"
        facts.append(
            Fact(name, Day(DAY - 30), "x", Text("remote code execution" if number < 10 else "cross-site scripting"))
        )
        facts.append(Fact(name, Day(DAY - 1), "epss", Epss(0.9 - number / 200, 0.5)))
        if number < listed:
            facts.append(Fact(name, Day(DAY + after), "kev", Listed("Acme", "Gateway")))
    store.add(facts)
    return store


def test_a_ranking_that_has_them_first_gets_full_marks_beside_ours_on_the_same_rows(store: FactStore) -> None:
    found = compare(filled(store, listed=8), DAY, 90, LATER)
    rows = {row.name: row for row in found.rows}
    assert set(rows) == {"glasshouse", "EPSS"}
    assert rows["EPSS"].roc_auc.value == 1.0
    assert rows["EPSS"].rows == 100
    assert found.observed == 8
    assert "EPSS predicts activity" in "".join(text(found))


def test_listings_after_the_window_do_not_count(store: FactStore) -> None:
    with pytest.raises(UsageError, match="only 0 of 100"):
        compare(filled(store, listed=8, after=91), DAY, 90, LATER)


def test_a_window_that_is_not_over_cannot_be_judged(store: FactStore) -> None:
    with pytest.raises(UsageError, match="not over"):
        compare(filled(store, listed=8), DAY, 90, Day(DAY + 89))
