"""Knowledge as of a day: nothing known later can be seen, whatever order facts come in."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.forecast.background import Background, Listing
from glasshouse.forecast.facts import (
    ADVISORY,
    Affected,
    AnyClaim,
    Day,
    Exploit,
    Fact,
    InvalidDayError,
    Listed,
    Mentions,
    Published,
    Severity,
    Text,
    Weaknesses,
    day,
    known_on,
)
from glasshouse.forecast.features import FEATURES, name_text, vector
from glasshouse.forecast.text import words

CVE = "CVE-2024-12345"
DAY = day("2024-06-01")

counts = st.integers(0, 5_000)
claims: st.SearchStrategy[AnyClaim] = st.one_of(
    st.just(Published()),
    st.builds(Text, st.sampled_from(["remote code execution in Acme Gateway", "cross-site scripting in a blog", ""])),
    st.builds(Weaknesses, st.sampled_from([(78,), (79, 20), ()])),
    st.builds(Severity, st.sampled_from(["3.1", "2.0"]), st.just("CVSS:3.1/AV:N/PR:N"), st.sampled_from([4.3, 9.8])),
    st.builds(Mentions, counts, counts, counts),
    st.builds(Exploit, st.sampled_from(["metasploit", "nuclei", "exploitdb", "repository"])),
    st.just(Affected((("acme", "gateway"),))),
)
facts = st.lists(
    st.builds(Fact, st.just(CVE), st.integers(DAY - 900, DAY + 300).map(Day), st.sampled_from(["a", "b"]), claims),
    max_size=25,
)
LISTINGS = (Listing(Day(DAY - 40), "Acme", "Gateway", (78,)), Listing(Day(DAY + 5), "Blogger", "Blog", (79,)))


def features(found: list[Fact], listings: tuple[Listing, ...] = LISTINGS) -> list[str] | None:
    """The model's inputs on the day, as text so that `nan` equals `nan`."""
    known = known_on(CVE, found, DAY)
    if known is None:
        return None
    return [repr(value) for value in vector(known, Background(DAY, listings), words(name_text(known)))]


@given(facts)
def test_facts_known_after_the_day_change_no_feature(found: list[Fact]) -> None:
    assert features(found) == features([fact for fact in found if fact.known_at <= DAY])


@given(facts, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_were_imported_changes_no_feature(found: list[Fact], chance: random.Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert features(shuffled) == features(found)


@given(facts, st.lists(st.integers(1, 400), min_size=25, max_size=25))
def test_what_happens_to_the_future_is_invisible(found: list[Fact], shifts: list[int]) -> None:
    moved = [
        Fact(fact.cve, Day(fact.known_at + shift), fact.source, fact.claim) if fact.known_at > DAY else fact
        for fact, shift in zip(found, shifts, strict=False)
    ]
    assert features(moved) == features(found[: len(moved)])


BASE = [Fact(CVE, Day(DAY - 100), "x", Text("a flaw"))]
SHIFTED: list[tuple[str, Callable[[Day], Fact]]] = [
    ("metasploit", lambda at: Fact(CVE, at, "x", Exploit("metasploit"))),
    ("nuclei", lambda at: Fact(CVE, at, "x", Exploit("nuclei"))),
    ("exploitdb", lambda at: Fact(CVE, at, "x", Exploit("exploitdb"))),
    ("repository", lambda at: Fact(CVE, at, "x", Exploit("repository"))),
    ("repositories", lambda at: Fact(CVE, at, "x", Mentions(1, 40, 7))),
    ("cvss", lambda at: Fact(CVE, at, "x", Severity("3.1", "CVSS:3.1/AV:N/PR:N/UI:N/C:H", 9.8))),
    ("weakness_ever", lambda at: Fact(CVE, at, "x", Weaknesses((78,)))),
    ("product_ever", lambda at: Fact(CVE, at, "x", Affected((("acme", "gateway"),)))),
    ("text_length", lambda at: Fact(CVE, at, "x", Text("a much longer description of the same flaw"))),
]


@pytest.mark.parametrize(("name", "fact"), SHIFTED, ids=[name for name, _ in SHIFTED])
def test_a_feature_whose_date_moves_past_the_day_vanishes(name: str, fact: Callable[[Day], Fact]) -> None:
    column = [feature for feature, _ in FEATURES].index(name)
    without, before, after = features(BASE), features([*BASE, fact(DAY)]), features([*BASE, fact(Day(DAY + 1))])
    assert without is not None
    assert before is not None
    assert before[column] != without[column]
    assert after == without


@pytest.mark.parametrize("advised", [DAY - 200, DAY - 50])
def test_an_advisory_about_a_package_describes_a_cve_only_where_its_record_does_not(advised: int) -> None:
    advice = Fact(CVE, Day(advised), ADVISORY, Text("a package is affected"))
    known, alone = known_on(CVE, [*BASE, advice], DAY), known_on(CVE, [advice], DAY)
    assert known is not None
    assert alone is not None
    assert (known.description, alone.description) == ("a flaw", "a package is affected")


def test_a_listing_after_the_day_is_no_background() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(["blogger", "blog"]).vendor_ever == 0
    assert background.names(["acme", "gateway"]).product_ever == 1


def test_a_vendor_is_spelled_as_the_catalogue_does() -> None:
    background = Background(DAY, [Listing(Day(DAY - 10), "D-Link", "DIR-859 Router")])
    assert background.names(words("A flaw in D-Link DIR-859")).vendor == "D-Link"


def test_knowledge_and_background_of_different_days_do_not_mix() -> None:
    known = known_on(CVE, BASE, DAY)
    assert known is not None
    with pytest.raises(ValueError, match="same day"):
        vector(known, Background(Day(DAY - 1), ()), [])


def test_nothing_is_known_before_the_first_fact() -> None:
    assert known_on(CVE, BASE, Day(DAY - 101)) is None


def test_listing_counts_from_the_day_it_was_made() -> None:
    listed = [*BASE, Fact(CVE, DAY, "kev", Listed("Acme", "Gateway"))]
    today, before = known_on(CVE, listed, DAY), known_on(CVE, listed, Day(DAY - 1))
    assert today is not None
    assert today.listed_on == DAY
    assert before is not None
    assert before.listed_on is None


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "99999-01-01"])
def test_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidDayError):
        day(text)
