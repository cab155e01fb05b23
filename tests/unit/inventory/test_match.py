"""Matching: the same answer as trying every advisory; bounds hold; what cannot be told is never called clean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.inventory.advisory import Advisory, Interval
from glasshouse.inventory.component import Component
from glasshouse.inventory.match import match
from glasshouse.inventory.versions import fixes, parse, verdict

versions = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: f"{pair[0]}.{pair[1]}")
intervals = st.builds(
    Interval,
    introduced=st.one_of(st.just("0"), versions),
    fixed=st.one_of(st.just(""), versions),
    last_affected=st.one_of(st.just(""), versions),
)
advisories = st.builds(
    Advisory,
    id=st.sampled_from(["A", "B"]),
    ecosystem=st.just("PyPI"),
    package=st.sampled_from(["x", "y"]),
    modified=st.just("2024"),
    intervals=st.lists(intervals, max_size=3).map(tuple),
    versions=st.lists(versions, max_size=2).map(tuple),
    withdrawn=st.booleans(),
)


@given(st.lists(advisories, max_size=6), st.lists(st.tuples(st.sampled_from("xyz"), versions), max_size=5))
def test_a_batch_gives_what_trying_every_advisory_gives(known: list[Advisory], held: list[tuple[str, str]]) -> None:
    components = [Component("PyPI", name.upper(), version) for name, version in held]

    def look_up(ecosystem: str, names: Sequence[str]) -> Iterator[Advisory]:
        return (each for each in known if each.ecosystem == ecosystem and each.package in names)

    found = match(components, look_up, frozenset({"PyPI"}))
    for component in components:
        about = [each for each in known if each.package == component.key[1]]
        expected = [each for each in about if verdict(component.version, each) == "affected"]
        assert found.found.get(component, []) == expected
        unknown = [each for each in about if verdict(component.version, each) == "unknown"]
        assert len(found.unknown.get(component, [])) == len(unknown)


@given(versions, advisories)
def test_a_fix_is_later_than_the_version_in_use_and_not_in_the_interval_that_it_closes(
    version: str, advisory: Advisory
) -> None:
    for fixed in fixes(version, advisory):
        assert parse("PyPI", version) < parse("PyPI", fixed)


def test_a_version_in_a_series_is_fixed_in_that_series() -> None:
    advisory = Advisory("A", "npm", "x", "2024", intervals=(Interval("0", "1.2.3"), Interval("2.0.0", "2.1.0")))
    assert fixes("1.0.0", advisory) == ("1.2.3",)
    assert fixes("2.0.5", advisory) == ("2.1.0",)
    assert verdict("1.5.0", advisory) == "not affected"


@pytest.mark.parametrize(
    ("ecosystem", "inside", "outside"),
    [
        ("PyPI", "2.0rc1", "2.0"),
        ("npm", "2.0.0-rc.1", "2.0.0"),
        ("Maven", "2.0-alpha", "2.0"),
        ("Go", "1.9.9", "2.0.0"),
        ("crates.io", "2.0.0-beta", "2.0.0"),
        ("RubyGems", "2.0.pre", "2.0"),
        ("Packagist", "1.9.0", "2.0.0"),
        ("NuGet", "2.0.0-rc", "2.0.0"),
        ("Debian:12", "2.0~rc1-1", "2.0"),
        ("Ubuntu:22.04", "1.9-1ubuntu9", "2.0"),
        ("Alpine:v3.19", "1.9-r9", "2.0-r0"),
        ("Rocky Linux:9", "0:1.9-9.el9", "2.0-1.el9"),
    ],
)
def test_versions_compare_by_the_rules_of_their_ecosystem(ecosystem: str, inside: str, outside: str) -> None:
    fixed = "2.0-r0" if ecosystem.startswith("Alpine") else "2.0-1.el9" if ecosystem.startswith("Rocky") else "2.0"
    fixed = "2.0.0" if ecosystem in ("npm", "Go", "crates.io", "Packagist", "NuGet") else fixed
    advisory = Advisory("A", ecosystem, "x", "2024", intervals=(Interval("0", fixed=fixed),))
    assert verdict(inside, advisory) == "affected"
    assert verdict(outside, advisory) == "not affected"


@pytest.mark.parametrize("bound", ["", "not a version", "1.0.0"])
@pytest.mark.parametrize("version", ["", "not a version", "9" * 500])
def test_a_version_that_cannot_be_read_is_unknown(version: str, bound: str) -> None:
    advisory = Advisory("A", "PyPI", "x", "2024", intervals=(Interval("0", fixed=bound),))
    assert verdict(version, advisory) == "unknown"


def test_a_withdrawn_advisory_is_about_nothing() -> None:
    assert verdict("1.0", Advisory("A", "PyPI", "x", "2024", withdrawn=True)) == "not affected"
