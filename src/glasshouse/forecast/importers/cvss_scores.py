"""How severe a record in OSV format says that a flaw is: the score of its CVSS vector, or the database's own word."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from glasshouse.forecast.importers import values
from glasshouse.forecast.importers.values import items, table

MAX_VECTOR = 300
_NEWEST_FIRST = ("CVSS:4", "CVSS:3", "")


class Scored(NamedTuple):
    """A base score (0: none), the vector it was computed from, and the database's word in lower case."""

    score: float = 0.0
    vector: str = ""
    rating: str = ""


def scored_of(record: dict[str, Any]) -> Scored:
    """From ``severity`` and ``database_specific`` of a record or of one of its affected packages."""
    rating = _rating(record)
    vectors = list(_vectors(record))
    for version in _NEWEST_FIRST:
        for vector in vectors:
            if vector.startswith(version) and (score := base_score(vector)):
                return Scored(score, vector, rating)
    return Scored(rating=rating)


def _vectors(record: dict[str, Any]) -> Iterator[str]:
    for each in items(record.get("severity"))[:20]:
        if str(table(each).get("type")).startswith("CVSS") and (
            vector := values.text(table(each).get("score"), MAX_VECTOR)
        ):
            yield vector


def _rating(record: dict[str, Any]) -> str:
    for holder in ("database_specific", "ecosystem_specific"):
        if found := values.text(table(record.get(holder)).get("severity"), 40):
            return found.lower()
    return ""


@lru_cache(maxsize=20_000)
def base_score(vector: str) -> float:
    """The base score of a CVSS vector of version 2, 3 or 4; 0 for what is none."""
    import cvss

    try:
        if vector.startswith("CVSS:4"):
            return float(cvss.CVSS4(vector).base_score)
        if vector.startswith("CVSS:3"):
            return float(cvss.CVSS3(vector).base_score)
        return float(cvss.CVSS2(vector).base_score)
    except (cvss.CVSSError, ValueError, KeyError, TypeError, ArithmeticError):
        return 0.0
