"""Order by the chance of exploitation: a number for a CVE where one is known, else for a weakness class.  Imports no
numpy.

The rates per weakness class are data (``data/weakness_rates.json``, with their origin): of the CVEs of a class, how
many were listed as known exploited.  They say which classes attackers use, not how bad one finding is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

RATES = Path(__file__).parent / "data" / "weakness_rates.json"
PRIOR_STRENGTH = 500.0
"""CVEs' worth of belief in the overall rate; a class with few CVEs stays near it."""


class WeaknessRates(msgspec.Struct, frozen=True):
    """Per CWE number: CVEs known, of these ever listed, listed in the last two years."""

    origin: str
    licence: str
    as_of: str
    total: tuple[int, int, int]
    weaknesses: dict[str, tuple[int, int, int]]


@cache
def weakness_rates() -> WeaknessRates:
    """The shipped table."""
    return msgspec.json.decode(RATES.read_bytes(), type=WeaknessRates)


def by_weakness(cwes: Iterable[int]) -> float:
    """Share of the CVEs of the most exploited of these classes that were listed; the overall share without a class.

    Smoothed towards the overall share, so that a rare class is not first by chance.
    """
    table = weakness_rates()
    overall = table.total[1] / table.total[0]
    found = [table.weaknesses[str(cwe)] for cwe in cwes if str(cwe) in table.weaknesses]
    rates = [(listed + PRIOR_STRENGTH * overall) / (known + PRIOR_STRENGTH) for known, listed, _ in found]
    return max(rates, default=overall)


def priority(cves: Iterable[str], cwes: Iterable[int], chances: Mapping[str, float]) -> float:
    """A number to sort by, highest first: the chance that at least one of the CVEs is exploited, else the class's rate.

    ``chances`` holds forecasts by CVE.  CVEs without one count with the rate of the class.
    """
    base = by_weakness(cwes)
    names = list(cves)
    if not names:
        return base
    escape = 1.0
    for name in names:
        escape *= 1.0 - chances.get(name, base)
    return 1.0 - escape
