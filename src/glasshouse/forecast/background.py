"""What listings so far say about vendors, products and weakness classes, as of a day.

Built from listings known by that day only.  Names are found in the words of a description, because that works alike for
old and new records; whether a record carries structured product data depends on what happened to it later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

import msgspec

from glasshouse.forecast.facts import Day
from glasshouse.forecast.names import HOSTS, PLACES, Phrase, is_common, product_phrases, vendor_phrases

YEAR = 365


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


class _Count(NamedTuple):
    """How often a name was listed; sorts by what is most listed."""

    year: int
    ever: int
    phrase: Phrase
    last: int


_NONE = _Count(0, 0, (), 0)


class Background:
    """Histories of names and weakness classes as of a day."""

    def __init__(self, day: Day, listings: Iterable[Listing]) -> None:
        self.day = day
        vendors: dict[Phrase, list[int]] = defaultdict(list)
        products: dict[tuple[Phrase, Phrase], list[int]] = defaultdict(list)
        sellers: dict[Phrase, set[str]] = defaultdict(set)
        self._spelled: dict[tuple[str, Phrase], str] = {}
        self._cwe: dict[int, list[int]] = defaultdict(list)
        self.listings = 0
        for each in listings:
            if each.day > day:
                continue
            self.listings += 1
            makers = vendor_phrases(each.vendor)
            for maker, spelled in makers.items():
                vendors[maker].append(each.day)
                self._spelled.setdefault(("vendor", maker), spelled)
            for product, spelled in product_phrases(each.product).items():
                self._spelled.setdefault(("product", product), spelled)
                sellers[product].add(each.vendor.strip().casefold())
                for maker in makers or [()]:
                    products[product, maker].append(each.day)
            for cwe in each.cwes:
                self._cwe[cwe].append(each.day)
        self._vendors = {phrase: self._count(phrase, days) for phrase, days in vendors.items()}
        made: dict[Phrase, dict[Phrase, _Count]] = defaultdict(dict)
        for (product, maker), days in products.items():
            made[product][maker] = self._count(product, days)
        self._products = dict(made)
        # whose they must be even where no vendor is named: macOS is Apple's
        self._one_vendors = {phrase for phrase, sold in sellers.items() if len(sold) == 1 and not is_common(phrase)}
        self._by_word = _by_first_word(self._vendors), _by_first_word(self._products)

    def names(self, tokens: Sequence[str]) -> NameHistory:
        """The most listed vendor and product that stand in a sequence of words."""
        by_vendor, by_product = self._by_word
        makers = {phrase for before, phrase in _standing(by_vendor, tokens) if before not in HOSTS}
        products = {phrase for before, phrase in _standing(by_product, tokens) if before not in PLACES}
        product = max((count for phrase in products for count in self._meant(phrase, makers)), default=_NONE)
        makers.update(*(self._products[phrase] for phrase in products & self._one_vendors))
        vendor = max((self._vendors.get(phrase, _NONE) for phrase in makers), default=_NONE)
        return NameHistory(
            vendor=self._spelled.get(("vendor", vendor.phrase), ""),
            vendor_year=vendor.year,
            vendor_ever=vendor.ever,
            product=self._spelled.get(("product", product.phrase), ""),
            product_year=product.year,
            product_ever=product.ever,
            product_days=self.day - product.last if product.ever else None,
        )

    def _meant(self, product: Phrase, makers: Set[Phrase]) -> Iterable[_Count]:
        """The products of this name that a text means: those of vendors it names; any, if the name is no everyday word.

        So `Cisco IOS` is not what Apple makes.
        """
        made = self._products[product]
        if named := made.keys() & makers:
            return [made[maker] for maker in named]
        return () if is_common(product) else made.values()

    def weakness(self, cwes: Iterable[int]) -> tuple[int, int] | None:
        """Listings of the most listed of these classes in the last two years and ever; None without a class."""
        counted = [(self._recent(days, 2 * YEAR), len(days)) for days in (self._cwe.get(cwe, []) for cwe in cwes)]
        return max(counted, default=None)

    def _count(self, phrase: Phrase, days: Iterable[int]) -> _Count:
        ordered = sorted(days)
        return _Count(self._recent(ordered), len(ordered), phrase, ordered[-1])

    def _recent(self, days: Sequence[int], span: int = YEAR) -> int:
        return len(days) - bisect_right(days, self.day - span)


def _standing(index: Mapping[str, Sequence[Phrase]], tokens: Sequence[str]) -> Iterator[tuple[str, Phrase]]:
    """The phrases that stand in a sequence of words, each with the word before it."""
    for position in [position for position, token in enumerate(tokens) if token in index]:
        for phrase in index[tokens[position]]:
            size = len(phrase)
            if size == 1 or tuple(tokens[position : position + size]) == phrase:
                yield tokens[position - 1] if position else "", phrase


def _by_first_word(phrases: Iterable[Phrase]) -> dict[str, list[Phrase]]:
    index: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        index[phrase[0]].append(phrase)
    return dict(index)
