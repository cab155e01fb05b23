"""Words of a description, and the names that listings and descriptions use for one thing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.forecast.background import Background, Listing
from glasshouse.forecast.facts import day
from glasshouse.forecast.names import product_phrases, vendor_phrases
from glasshouse.forecast.text import words

DAY = day("2025-01-01")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("D-Link's routers", ["d-link", "routers"]),
        ("D\u2011Link", ["d-link"]),
        ("7-Zip, 3CX and Serv-U", ["7-zip", "3cx", "and", "serv-u"]),
        ("out-of-bounds TP-Link", ["out", "of", "bounds", "tp", "link"]),
        ("a 64-bit v8 1.2.3 n/a", ["bit", "v8"]),
        ("F5 BIG-IP", ["f5", "big", "ip"]),
        ("Mac OS X 10.8", ["mac", "os-x"]),
        ("photos xss", ["photos", "xss"]),
    ],
)
def test_a_letter_or_digit_stays_with_the_word_that_a_hyphen_joins_it_to(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text(max_size=200))
def test_every_word_holds_a_letter_and_two_characters(text: str) -> None:
    assert all(len(word) > 1 and any(each.isalpha() for each in word) for word in words(text))


def phrases(found: Iterable[tuple[str, ...]]) -> set[str]:
    """As text."""
    return {" ".join(phrase) for phrase in found}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("D-Link and TRENDnet", {"d-link", "trendnet"}),
        ("Hewlett Packard (HP)", {"hewlett packard", "hp"}),
        ("Palo Alto Networks", {"palo alto networks", "palo alto"}),
        ("Meta Platforms", {"meta platforms"}),
        ("Array Networks", {"array networks"}),
        ("n/a", set()),
    ],
)
def test_a_vendor_has_each_of_its_names(name: str, found: set[str]) -> None:
    assert phrases(vendor_phrases(name)) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("IOS XE Software", {"ios xe"}),
        ("FortiOS and FortiProxy", {"fortios", "fortiproxy"}),
        ("Endpoint Manager (EPM)", {"endpoint manager", "epm"}),
        ("iOS, iPadOS, and macOS", {"ios", "ipados", "macos"}),
        ("Multiple Products", set()),
        ("OS X", {"os-x"}),
        ("SQL Server", {"sql server"}),
        ("DIR-300 Router", {"dir"}),
        ("Multiple Network-Attached Storage (NAS) Devices", {"network attached storage", "nas"}),
        ("Skype for Business", {"skype for business"}),
        ("PHP", set()),
    ],
)
def test_a_product_has_each_of_its_names_without_what_names_nothing(name: str, found: set[str]) -> None:
    assert phrases(product_phrases(name)) == found


LISTINGS = (
    Listing(day("2024-06-01"), "D-Link", "DIR-859 Router"),
    Listing(day("2024-06-01"), "Microsoft", "Windows"),
    Listing(day("2024-06-01"), "Microsoft", "Word"),
    Listing(day("2020-06-01"), "Apple", "Multiple Products"),
    Listing(day("2020-07-01"), "Apple", "iOS"),
    Listing(day("2020-08-01"), "Apple", "iOS and macOS"),
    Listing(day("2020-09-01"), "Cisco", "IOS"),
    Listing(day("2020-10-01"), "WordPress", "Snap Creek Duplicator Plugin"),
)


def test_a_hyphenated_vendor_is_not_the_word_after_the_hyphen() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(words("A link in the mail plugin")).vendor == ""
    assert background.names(words("Overflow in D-Link DIR-859")).vendor == "D-Link"


def test_what_something_runs_on_is_not_what_has_the_flaw() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(words("Use after free in Chrome on Windows")).product == ""
    assert background.names(words("Elevation of privilege in Windows")).product == "Windows"


def test_an_everyday_word_is_a_product_only_beside_its_vendor() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(words("a word in the query is not escaped")).product == ""
    assert background.names(words("Microsoft Word opens a file")).product == "Word"


def test_a_product_is_that_of_the_vendor_that_the_text_names() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(words("Cisco IOS")).product_ever == 1
    assert background.names(words("Apple iOS")).product_ever == 2
    assert background.names(words("iOS")).product_ever == 2


def test_a_product_that_one_vendor_alone_makes_names_that_vendor() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(words("Elevation of privilege in Windows")).vendor == "Microsoft"
    assert background.names(words("fixed in macOS Ventura")).vendor == "Apple"
    assert background.names(words("iOS")).vendor == ""
    assert background.names(words("a word in the query")).vendor == ""


def test_a_listing_without_a_vendor_still_has_a_product() -> None:
    found = Background(DAY, [Listing(DAY, "n/a", "Polkit")]).names(words("a flaw in polkit"))
    assert (found.vendor, found.product, found.product_ever) == ("", "Polkit", 1)


def test_a_plugin_for_something_is_not_made_by_its_vendor() -> None:
    background = Background(DAY, LISTINGS)
    assert background.names(words("The Forms plugin for WordPress is open to injection")).vendor == ""
    assert background.names(words("WordPress before 6.1 is open to injection")).vendor == "WordPress"
    assert background.names(words("An issue was discovered on D-Link devices")).vendor == "D-Link"


def test_a_vendor_counts_in_the_year_and_ever() -> None:
    found = Background(DAY, LISTINGS).names(words("Apple Safari"))
    assert (found.vendor, found.vendor_year, found.vendor_ever) == ("Apple", 0, 3)
    assert found.product_days is None
