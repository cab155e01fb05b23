"""Exposure: exact sums against brute force, patching, simulation.

Matching that never says clean when it cannot know.
"""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.forecast.exposure.analyse import (
    Found,
    concentrations,
    exposed,
    plan,
    simulate,
    single_points,
    weave,
    what_if,
    without,
)
from glasshouse.forecast.exposure.hosts import stakes_by_host
from glasshouse.forecast.exposure.match import weighed
from glasshouse.forecast.exposure.model import Service, Vulnerability
from glasshouse.inventory.advisory import Advisory, Interval
from glasshouse.inventory.component import Component
from glasshouse.inventory.match import match
from glasshouse.inventory.versions import verdict
from glasshouse.words.incident import Stake

COMPONENTS = [Component("PyPI", name, "1.0") for name in "abcd"]
CAUSES = [f"CVE-2024-100{number}" for number in range(4)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Service], Found]:
    """A few services, components and causes; causes may be carried by several components."""
    chance = {cause: draw(st.sampled_from([0.0, 0.001, 0.3, 0.9, 1.0])) for cause in CAUSES}
    found: dict[Component, list[Vulnerability]] = {}
    for component in COMPONENTS:
        carried = draw(st.sets(st.sampled_from(CAUSES), max_size=3))
        if carried:
            found[component] = [
                Vulnerability(
                    component, f"GHSA-{cause}", (cause,), chance[cause], assumed=False, listed=False, fixed=("2.0",)
                )
                for cause in sorted(carried)
            ]
    services = [
        Service(f"s{number}", tuple(sorted(draw(st.sets(st.sampled_from(COMPONENTS))))), criticality=float(number))
        for number in range(1, 4)
    ]
    return services, found


def brute_force(services: list[Service], found: Found) -> float:
    """The expected loss by going through every combination of causes."""
    chance = {each.cves[0]: each.chance for list_ in found.values() for each in list_}
    names = sorted(chance)
    total = 0.0
    for happens in product((False, True), repeat=len(names)):
        weight = 1.0
        for name, does in zip(names, happens, strict=True):
            weight *= chance[name] if does else 1 - chance[name]
        struck = {name for name, does in zip(names, happens, strict=True) if does}
        for service in services:
            if any(each.cves[0] in struck for component in service.components for each in found.get(component, ())):
                total += weight * service.criticality
    return total


@given(worlds())
def test_the_expected_loss_is_that_of_all_combinations_of_causes(world: tuple[list[Service], Found]) -> None:
    services, found = world
    assert weave(services, found).loss() == pytest.approx(brute_force(services, found), abs=1e-6)


@given(worlds())
def test_a_component_removes_what_the_loss_without_it_lacks(world: tuple[list[Service], Found]) -> None:
    services, found = world
    web = weave(services, found)
    loss = web.loss()
    for row in exposed(web, found, loss):
        assert row.removed * loss == pytest.approx(loss - without(web, row.component).loss(), abs=1e-6)


@given(worlds())
def test_each_step_of_the_plan_lowers_the_loss_and_all_steps_end_at_nought(world: tuple[list[Service], Found]) -> None:
    services, found = world
    web = weave(services, found)
    loss = web.loss()
    steps = plan(web, loss, exposed(web, found, loss))
    remaining = [1.0, *(step.remaining for step in steps)]
    assert all(before >= after - 1e-9 for before, after in pairwise(remaining))
    if steps:
        assert remaining[-1] == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=15)
@given(worlds())
def test_the_simulation_agrees_with_the_exact_expectation(world: tuple[list[Service], Found]) -> None:
    services, found = world
    web = weave(services, found)
    loss, hit = simulate(web)
    assert loss.mean == pytest.approx(web.loss(), abs=0.25)
    assert loss.low <= loss.high <= loss.worst + 1e-9
    assert hit.high <= len(services)


def test_services_that_share_a_component_are_hit_together() -> None:
    shared = COMPONENTS[0]
    services = [Service(f"s{number}", (shared,)) for number in range(10)]
    found = {shared: [Vulnerability(shared, "GHSA-1", (CAUSES[0],), 0.2, assumed=False, listed=False)]}
    _, hit = simulate(weave(services, found))
    assert (hit.low, hit.high) == (0.0, 10.0)


def test_one_supplier_for_all_is_full_concentration_and_a_single_point_of_failure() -> None:
    services = [Service(f"s{number}", (), critical=True, supplier="Host Ltd") for number in range(3)]
    (found,) = concentrations(services)
    assert (found.dimension, found.herfindahl, found.largest[0].share) == ("supplier", 1.0, 1.0)
    assert [point.name for point in single_points(services)] == ["supplier Host Ltd"]


def test_what_if_counts_the_services_that_contain_the_component() -> None:
    services = [Service("x", (COMPONENTS[0],), criticality=3.0, critical=True), Service("y", (COMPONENTS[1],))]
    for_any, for_one, none = what_if(services, ["a", "a@2.0", "zzz"])
    assert (for_any.critical_services, for_any.weight_share) == (("x",), 0.75)
    assert for_one.services == none.services == ()


def advisory(*intervals: Interval, ecosystem: str = "PyPI", versions: tuple[str, ...] = ()) -> Advisory:
    """An advisory about package a."""
    return Advisory("GHSA-1", ecosystem, "a", "2024", ("CVE-2024-1000",), intervals, versions)


@pytest.mark.parametrize(
    ("ecosystem", "version", "interval", "expected"),
    [
        ("PyPI", "1.0rc1", Interval("1.0", fixed="2.0"), "not affected"),
        ("PyPI", "1.10", Interval("1.9", fixed="2.0"), "affected"),
        ("PyPI", "2.0", Interval("0", fixed="2.0"), "not affected"),
        ("PyPI", "2.0", Interval("0", last_affected="2.0"), "affected"),
        ("npm", "1.0.0-beta.2", Interval("1.0.0-beta.10"), "not affected"),
        ("Maven", "1.0-SNAPSHOT", Interval("0", fixed="1.0"), "affected"),
        ("Debian:12", "1.0~rc1-1", Interval("0", fixed="1.0-1"), "affected"),
        ("Red Hat", "5.1.8-6.el9", Interval("0", fixed="5.1.8-10.el9"), "affected"),
        ("Alpine:v3.19", "3.1.4-r2", Interval("0", fixed="3.1.4-r10"), "affected"),
        ("Go", "1.2.3", Interval("1.2.0", fixed="1.2.3"), "not affected"),
        ("RubyGems", "2.2.3", Interval("2.0", fixed="2.2.3.1"), "affected"),
        ("PyPI", "latest", Interval("0", fixed="2.0"), "unknown"),
        ("PyPI", "1.0", Interval("whatever", fixed="2.0"), "unknown"),
        ("PyPI", "1.0", Interval("0", fixed="next"), "unknown"),
    ],
)
def test_versions_compare_by_the_rules_of_their_ecosystem(
    ecosystem: str, version: str, interval: Interval, expected: str
) -> None:
    assert verdict(version, advisory(interval, ecosystem=ecosystem)) == expected


def test_a_listed_version_is_affected_without_any_interval() -> None:
    assert verdict("1.0", advisory(versions=("1.0",))) == "affected"
    assert verdict("1.1", advisory(versions=("1.0",))) == "not affected"
    assert verdict("1.1", advisory()) == "unknown"


@pytest.mark.parametrize(
    ("component", "why"),
    [
        (Component("", "a", "1"), "unknown ecosystem"),
        (Component("purl:conan", "a", "1"), "unknown ecosystem `conan`"),
        (Component("PyPI", "a", ""), "no version"),
        (Component("npm", "a", "1.0.0"), "no advisories about npm were imported"),
        (Component("Debian", "a", "1"), "no advisories about Debian were imported"),
        (Component("PyPI", "a", "latest"), "GHSA-1: version cannot be compared"),
    ],
)
def test_a_component_that_cannot_be_judged_is_unknown_and_never_clean(component: Component, why: str) -> None:
    covered = frozenset({"PyPI", "Debian:12"})
    found = weighed(
        match([component], lambda *_: [advisory(Interval("0", fixed="2"))], covered), {}, frozenset(), 0.001
    )
    assert found.found == {}
    assert [item.why for item in found.unknown] == [why]


def test_two_databases_about_one_cve_count_once_and_a_listed_one_is_certain() -> None:
    component = Component("PyPI", "A", "1.0")
    twins = [
        advisory(Interval("0", fixed="2")),
        Advisory("PYSEC-1", "PyPI", "a", "2024", ("CVE-2024-1000",), (Interval("0"),)),
    ]
    found = weighed(match([component], lambda *_: twins, frozenset({"PyPI"})), {}, frozenset({"CVE-2024-1000"}), 0.001)
    (only,) = found.found[component]
    assert (only.chance, only.listed, only.assumed) == (1.0, True, False)


def test_a_host_has_the_services_of_the_table_and_the_flaws_of_their_components() -> None:
    one, two = COMPONENTS[:2]
    services = [
        Service("pay", (one, two), owner="Ann", criticality=5.0, critical=True, hosts=("h1", "h2")),
        Service("shop", (two,)),
    ]
    by_host = stakes_by_host(services, {one: ["CVE-2024-1001", "CVE-2024-1000"], two: ["CVE-2024-1000"]})
    assert by_host["h2"] == [Stake("h2", "pay", "Ann", 5.0, critical=True, cves=("CVE-2024-1000", "CVE-2024-1001"))]
    assert by_host["shop"] == [Stake("shop", "shop", cves=("CVE-2024-1000",))]
    assert set(by_host) == {"h1", "h2", "shop"}
