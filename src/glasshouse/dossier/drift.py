"""How far what comes in has moved from the first month: one stability index for each thing that is counted.

The index alone says little over few requests, so it stands beside the value that chance exceeds once in twenty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from glasshouse.dossier.evidence import Month

NOTICE = 0.2  # population stability index above which a shift is usually looked at
ONE_IN_TWENTY = 1.6449  # standard normal quantile


class Drift(msgspec.Struct, frozen=True):
    """The index of one thing between two months; ``chance`` is what it exceeds by chance once in twenty."""

    what: str
    before: Month
    after: Month
    index: float
    chance: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the shift is more than the numbers of requests explain."""
        return self.index > self.chance


MEASURED: dict[str, Callable[[Month], Mapping[str, int]]] = {
    "screening score": lambda month: {str(number): count for number, count in enumerate(month.scores)},
    "category": lambda month: month.categories,
    "length": lambda month: month.lengths,
    "language": lambda month: month.languages,
    "share of code": lambda month: month.code,
}
INPUTS = tuple(each for each in MEASURED if each != "screening score")


def drifts(months: tuple[Month, ...]) -> tuple[Drift, ...]:
    """Last month against first, for everything that was counted in two months."""
    found = []
    for what, read in MEASURED.items():
        counted = [month for month in months if sum(read(month).values())]
        if len(counted) > 1:
            before, after = read(counted[0]), read(counted[-1])
            classes = sorted({*before, *after})
            index = stability_index(
                tuple(before.get(each, 0) for each in classes), tuple(after.get(each, 0) for each in classes)
            )
            chance = by_chance(len(classes), sum(before.values()), sum(after.values()))
            found.append(Drift(what, counted[0], counted[-1], index, chance))
    return tuple(found)


def stability_index(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """The population stability index of two histograms over the same bins, each bin counted half a time more.

    Zero for equal shares and larger the more they differ.  Raises `ValueError` for different numbers of bins.
    """
    if len(before) != len(after) or not before:
        raise ValueError("the histograms need the same bins")
    total_before, total_after = sum(before) + len(before) / 2, sum(after) + len(after) / 2
    index = 0.0
    for one, other in zip(before, after, strict=True):
        share, now = (one + 0.5) / total_before, (other + 0.5) / total_after
        index += (now - share) * math.log(now / share)
    return index


def by_chance(bins: int, before: int, after: int) -> float:
    """What the index exceeds once in twenty where nothing changed.

    The index is then about (1/n + 1/m) times a chi-square of one degree of freedom less than bins (B. Yurdakul,
    Statistical properties of population stability index, 2018); its quantile by Wilson's and Hilferty's approximation.
    """
    degrees = max(1, bins - 1)
    quantile = degrees * (1 - 2 / (9 * degrees) + ONE_IN_TWENTY * math.sqrt(2 / (9 * degrees))) ** 3
    return (1 / before + 1 / after) * quantile
