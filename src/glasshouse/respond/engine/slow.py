"""Predicates that are asked last and only of the rows still in question: regular expressions, networks, numbers.

Regular expressions come with the rules and may backtrack without end: each search has a time limit, and a rule whose
expression ran into it is reported.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from glasshouse.respond.engine.times import seconds
from glasshouse.respond.sigma.ir import Predicate

REGEX_SECONDS = 0.25
MAX_REGEX_CHARACTERS = 65_536
"""Longer values are searched up to here."""

_PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda when: when.minute,
    "hour": lambda when: when.hour,
    "day": lambda when: when.day,
    "week": lambda when: when.isocalendar()[1],
    "month": lambda when: when.month,
    "year": lambda when: when.year,
}


class SlowPredicates:
    """Asks slow predicates; ``timed_out`` holds the numbers of those that took too long, with how often."""

    def __init__(self, predicates: tuple[Predicate, ...]) -> None:
        self._predicates = predicates
        self._tests: dict[int, Callable[[str], bool]] = {}
        self.timed_out: dict[int, int] = {}

    def holds(self, number: int, value: str) -> bool:
        """Whether predicate ``number`` holds for ``value``."""
        test = self._tests.get(number)
        if test is None:
            test = self._tests[number] = self._test(number)
        return test(value)

    def _test(self, number: int) -> Callable[[str], bool]:
        each = self._predicates[number]
        match each.kind:
            case "re":
                return self._regex(number, each)
            case "cidr":
                return _network(each.value)
            case "part":
                part, wanted = _PARTS[each.option], int(each.value)
                return lambda value: (when := seconds(value)) is not None and part(_moment(when)) == wanted
            case _:
                return _comparison(each.kind, float(each.value))

    def _regex(self, number: int, each: Predicate) -> Callable[[str], bool]:
        import regex

        known = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "d": regex.DOTALL}
        flags = 0
        for letter in each.option:
            flags |= known[letter]
        pattern: Any = regex.compile(each.value, flags)

        def search(value: str) -> bool:
            try:
                return pattern.search(value[:MAX_REGEX_CHARACTERS], timeout=REGEX_SECONDS) is not None
            except TimeoutError:
                self.timed_out[number] = self.timed_out.get(number, 0) + 1
                return False

        return search


def _moment(when: float) -> datetime:
    return datetime.fromtimestamp(when, tz=UTC)


def _network(text: str) -> Callable[[str], bool]:
    network = ipaddress.ip_network(text, strict=False)

    def inside(value: str) -> bool:
        try:
            address = ipaddress.ip_address(value.strip().removeprefix("::ffff:"))
        except ValueError:
            return False
        return address.version == network.version and address in network

    return inside


def _comparison(kind: str, bound: float) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        number = as_number(value)
        if number is None:
            return False
        match kind:
            case "lt":
                return number < bound
            case "lte":
                return number <= bound
            case "gt":
                return number > bound
            case "gte":
                return number >= bound
            case _:
                return number != bound

    return test


def as_number(value: str) -> float | None:
    """A number as logs write them, decimal or ``0x``; None when it is none (or not finite)."""
    try:
        number = float(int(value, 16)) if value[:2].lower() == "0x" else float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0 else None
