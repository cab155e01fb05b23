"""What listings so far say about vendors, products and weakness classes, as of a day.

Built from listings known by that day only.  Names are found in the words of a description, because that works alike for
old and new records; whether a record carries structured product data depends on what happened to it later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from glasshouse.forecast.facts import Day
from glasshouse.forecast.text import words

YEAR = 365
_GENERIC = frozenset("multiple products product software server client linux web management system platform".split())


class Listing(msgspec.Struct, frozen=True):
    """A known-exploited listing: the day, vendor and product as listed, CWE numbers if known."""

    day: Day
    vendor: str
    product: str
    cwes: tuple[int, ...] = ()


class NameHistory(msgspec.Struct, frozen=True):
    """Listings of the vendor and the product that a text names: in the last year, ever, and days since the last.

    Both are spelled as the catalogue does.
    """

    vendor: str = ""
    vendor_year: int = 0
    vendor_ever: int = 0
    product: str = ""
    product_year: int = 0
    product_ever: int = 0
    product_days: int | None = None


class Background:
    """Histories of names and weakness classes as of a day."""

    def __init__(self, day: Day, listings: Iterable[Listing]) -> None:
        self.day = day
        vendors: dict[tuple[str, ...], list[int]] = defaultdict(list)
        products: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._spelled: dict[tuple[str, ...], str] = {}
        self._cwe: dict[int, list[int]] = defaultdict(list)
        self.listings = 0
        for each in listings:
            if each.day > day:
                continue
            self.listings += 1
            for phrases, name in ((vendors, each.vendor), (products, each.product)):
                tokens = tuple(words(name))
                if tokens and not all(token in _GENERIC for token in tokens):
                    phrases[tokens].append(each.day)
                    self._spelled.setdefault(tokens, name)
            for cwe in each.cwes:
                self._cwe[cwe].append(each.day)
        self._vendors = _by_first_word(vendors)
        self._products = _by_first_word(products)

    def names(self, tokens: Sequence[str]) -> NameHistory:
        """The most listed vendor and product that stand in a sequence of words."""
        vendor, vendor_days = self._best(self._vendors, tokens)
        product, product_days = self._best(self._products, tokens)
        return NameHistory(
            vendor=vendor,
            vendor_year=self._recent(vendor_days),
            vendor_ever=len(vendor_days),
            product=product,
            product_year=self._recent(product_days),
            product_ever=len(product_days),
            product_days=self.day - product_days[-1] if product_days else None,
        )

    def weakness(self, cwes: Iterable[int]) -> tuple[int, int] | None:
        """Listings of the most listed of these classes in the last two years and ever; None without a class."""
        counted = [(self._recent(days, 2 * YEAR), len(days)) for days in (self._cwe.get(cwe, []) for cwe in cwes)]
        return max(counted, default=None)

    def _recent(self, days: Sequence[int], span: int = YEAR) -> int:
        return len(days) - bisect_right(days, self.day - span)

    def _best(self, index: _Index, tokens: Sequence[str]) -> tuple[str, Sequence[int]]:
        best: tuple[int, int, str, Sequence[int]] = (0, 0, "", ())
        for position, token in enumerate(tokens):
            for phrase, days in index.get(token, ()):
                size = len(phrase)
                if size == 1 or tuple(tokens[position : position + size]) == phrase:
                    rank = (self._recent(days), len(days), " ".join(phrase), days)
                    if rank[:3] > best[:3]:
                        best = rank
        return self._spelled.get(tuple(best[2].split()), ""), best[3]


_Index = dict[str, list[tuple[tuple[str, ...], list[int]]]]


def _by_first_word(phrases: dict[tuple[str, ...], list[int]]) -> _Index:
    index: _Index = defaultdict(list)
    for phrase, days in phrases.items():
        index[phrase[0]].append((phrase, sorted(days)))
    return dict(index)
