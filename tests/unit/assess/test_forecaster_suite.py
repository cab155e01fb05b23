"""The forecaster's suite: truth is what became known after the landmark, and nothing else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from glasshouse.assess.conduct import conduct
from glasshouse.assess.model_file import ModelFile, load_model
from glasshouse.assess.suite import Setting
from glasshouse.forecast.facts import Fact, Listed, Published, Text, day
from glasshouse.forecast.model import SHIPPED
from glasshouse.forecast.store import FactStore
from glasshouse.inventory.advisory import Advisory
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import SuiteError

AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
START, LANDMARK, END = day("2026-01-01"), day("2026-03-01"), day("2026-05-30")


def shipped_file() -> ModelFile:
    """A model file that names the shipped weights."""
    digest = sha256_of(Path(SHIPPED).read_bytes())
    text = (
        f"identity: {{name: f, version: '1', weights_digest: '{digest}'}}\nprovider: P\nintended_use: U\n"
        "placing: {on_union_market: false}"
    )
    return load_model("m.yaml", text.encode())


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """Two hundred records; those about one appliance are listed: before, within and after the window."""
    path = tmp_path / "facts.db"
    with FactStore(path) as store:
        found = []
        for number in range(200):
            name = f"CVE-2026-{1000 + number}"
            weak = number % 20 == 0
            text = (
                "Remote code execution in a VPN appliance login page"
                if weak
                else f"Typo in the manual of tool {number}"
            )
            found += [Fact(name, START, "test", Published()), Fact(name, START, "test", Text(text))]
            if weak:
                when = [day("2026-02-01"), day("2026-03-15"), END][number // 20 % 3]
                found.append(Fact(name, when, "test", Listed("Ivanti", "Connect Secure")))
        store.add(found)
    return path


def quiet(_done: int, _total: int) -> None:
    """No progress."""


def test_only_what_was_listed_in_the_window_counts_as_true(facts: Path) -> None:
    options = {"store": str(facts), "as-of": "2026-03-01"}
    run = conduct("forecaster", shipped_file(), Setting(options=options), lambda: AT, quiet).run
    area = run.metric("auroc")
    assert area is not None
    assert area.estimate > 0.9
    observed = run.metric("expected_observed")
    assert observed is not None
    assert observed.n == 6  # three in March, three on the last day of the window; those of February were listed already
    assert run.settings["as_of"] == "2026-03-01"


def test_what_is_listed_is_told_apart_by_vendor_and_by_ecosystem(facts: Path) -> None:
    with FactStore(facts) as store:
        store.add_advisories([Advisory("GHSA-1", "npm", "thing", "2026-01-01", ("CVE-2026-1020",))])
        assert store.ecosystem_of({"CVE-2026-1020", "CVE-2026-1040"}) == {"CVE-2026-1020": "npm"}
    options = {"store": str(facts), "as-of": "2026-03-01"}
    run = conduct("forecaster", shipped_file(), Setting(options=options), lambda: AT, quiet).run
    of_vendor, of_ecosystem = run.metric("coverage_10_vendor_ivanti"), run.metric("coverage_10_rare_ecosystems")
    assert of_vendor is not None
    assert of_ecosystem is not None
    assert (of_vendor.n, of_ecosystem.n) == (6, 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"store": "nowhere.db"}, "no facts"),
        ({"as-of": "2026-05-01"}, "are not over"),
        ({"as-of": "yesterday"}, "as-of"),
        ({"as-of": "2025-06-01"}, "nothing was listed"),
    ],
)
def test_a_landmark_that_cannot_be_judged_is_one_clear_error(options: dict[str, str], says: str, facts: Path) -> None:
    with pytest.raises(SuiteError, match=says):
        conduct("forecaster", shipped_file(), Setting(options={"store": str(facts)} | options), lambda: AT, quiet)
