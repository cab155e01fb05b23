"""The fact store: append-only, idempotent, read as of a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.forecast.facts import Day, Fact, Listed, Text, Weaknesses, day
from glasshouse.forecast.store import FactStore, cve_name, cve_number
from glasshouse.inventory.advisory import Advisory, Interval
from glasshouse.words.errors import ForecastStoreError

OLD, NEW = day("2024-01-01"), day("2024-06-01")
FACTS = [
    Fact("CVE-2024-0001", OLD, "cvelist", Text("first text")),
    Fact("CVE-2024-0001", NEW, "cvelist", Text("second text")),
    Fact("CVE-2023-12345", NEW, "kev", Listed("Acme", "Gateway")),
    Fact("CVE-2023-12345", OLD, "cvelist", Weaknesses((78,))),
]


def test_a_fact_added_again_changes_nothing() -> None:
    with FactStore(":memory:") as store:
        assert store.add(FACTS) == 4
        assert store.add(reversed(FACTS)) == 0


def test_what_was_known_on_a_day_stays_what_it_was() -> None:
    with FactStore(":memory:") as store:
        store.add(FACTS[:1])
        before = store.about("CVE-2024-0001", OLD)
        store.add(FACTS)
        assert store.about("CVE-2024-0001", OLD) == before
        now = store.about("CVE-2024-0001", NEW)
        assert now is not None
        assert now.description == "second text"


def test_everything_yields_what_about_says_in_the_order_of_ids() -> None:
    with FactStore(":memory:") as store:
        store.add(FACTS)
        found = list(store.everything(NEW))
        assert [known.cve for known in found] == ["CVE-2023-12345", "CVE-2024-0001"]
        assert found == [store.about(known.cve, NEW) for known in found]
        assert [known.description for known in store.everything(OLD)] == ["", "first text"]


def test_listings_are_those_of_the_day_with_their_weaknesses() -> None:
    with FactStore(":memory:") as store:
        store.add(FACTS)
        assert store.listings(Day(NEW - 1)) == ()
        (listing,) = store.listings(NEW)
        assert (listing.day, listing.vendor, listing.cwes) == (NEW, "Acme", (78,))


def test_a_newer_advisory_replaces_an_older_one_and_never_the_other_way() -> None:
    old = Advisory("GHSA-1", "PyPI", "acme", "2024-01-01", intervals=(Interval("0"),))
    new = Advisory("GHSA-1", "PyPI", "acme", "2024-02-01", intervals=(Interval("0", fixed="2"),))
    with FactStore(":memory:") as store:
        store.add_advisories([new])
        store.add_advisories([old])
        assert list(store.advisories_about("PyPI", ["acme"])) == [new]
        assert store.ecosystems() == {"PyPI"}


def test_a_file_that_is_no_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "forecast.db"
    file.write_text("this is no database, although it has the name of one" * 50)
    with pytest.raises(ForecastStoreError) as caught:
        FactStore(file)
    assert str(file) in caught.value.diagnostics()


@pytest.mark.parametrize("name", ["CVE-1999-0001", "CVE-2024-12345", "CVE-2026-1234567"])
def test_ids_survive_the_store(name: str) -> None:
    assert cve_name(cve_number(name)) == name
