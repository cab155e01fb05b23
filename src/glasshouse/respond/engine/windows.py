"""Correlation windows over occurrences in order of time: pure functions, one per kind of condition.

A window starts at an occurrence and reaches as far as the timespan.  When its condition holds, it is reported and the
next window starts behind it, so a burst is one result.  Conditions that ask for few (``lt``, ``lte``, ``eq``, ``neq``,
``not``), averages and percentiles are decided for windows that follow each other, since a window could be cut short
enough to satisfy them.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from glasshouse.respond.sigma.correlation_signs import AND, NOT, OR
from glasshouse.respond.sigma.ir import Correlation

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "LT": operator.lt,
    "LTE": operator.le,
    "GT": operator.gt,
    "GTE": operator.ge,
    "EQ": operator.eq,
    "NEQ": operator.ne,
}


SHARES = frozenset({"value_avg", "value_percentile", "value_median"})
"""Results that a shorter window can raise as well as lower."""


class Occurrence(msgspec.Struct, frozen=True, order=True):
    """A match of one of a correlation's rules: ``rule`` is its position there, ``value`` the field that is counted."""

    time: float
    rule: int
    value: str
    source: str
    record: int
    host: str


class Window(msgspec.Struct, frozen=True):
    """Occurrences ``start`` to ``end`` (exclusive) satisfy the condition; ``result`` is the number compared."""

    start: int
    end: int
    result: float


def windows(rule: Correlation, found: Sequence[Occurrence]) -> Iterator[Window]:
    """The windows of one group that satisfy the correlation; ``found`` is sorted by time."""
    if rule.kind == "temporal_ordered" and not rule.condition:
        yield from _ordered(rule, found)
        return
    holds = _condition(rule)
    follow = rule.operator not in ("GTE", "GT") or rule.kind in SHARES or NOT in rule.condition
    aggregate = _Aggregate(rule)
    end, start = 0, 0
    while start < len(found):
        limit = found[start].time + rule.timespan
        while end < len(found) and found[end].time <= limit:
            aggregate.add(found[end])
            end += 1
        if holds(aggregate):
            yield Window(start, end, aggregate.result())
        elif not follow:
            aggregate.remove(found[start])
            start += 1
            continue
        aggregate = _Aggregate(rule)
        start = end


def _condition(rule: Correlation) -> Callable[[_Aggregate], bool]:
    if rule.condition:
        return lambda aggregate: _boolean(rule, aggregate.rules)
    compare = OPERATORS[rule.operator]
    return lambda aggregate: aggregate.known() and compare(aggregate.result(), rule.threshold)


def _boolean(rule: Correlation, present: Counter[int]) -> bool:
    stack: list[bool] = []
    for word in rule.condition:
        if word == NOT:
            stack.append(not stack.pop())
        elif word in (AND, OR):
            right, left = stack.pop(), stack.pop()
            stack.append(left and right if word == AND else left or right)
        else:
            stack.append(present[rule.rules.index(word)] > 0)
    return stack.pop()


class _Aggregate:
    """What a window amounts to, kept up to date as occurrences come and go."""

    def __init__(self, rule: Correlation) -> None:
        self._rule = rule
        self.rules: Counter[int] = Counter()
        self._values: Counter[str] = Counter()
        self._numbers: list[float] = []
        self._count = 0
        self._total = 0.0

    def add(self, item: Occurrence) -> None:
        self._count += 1
        self.rules[item.rule] += 1
        if self._rule.kind == "value_count":
            if item.value:
                self._values[item.value] += 1
        elif self._rule.kind.startswith("value_") and (number := _number(item.value)) is not None:
            self._total += number
            if self._rule.kind in SHARES:
                insort(self._numbers, number)

    def remove(self, item: Occurrence) -> None:
        self._count -= 1
        self.rules[item.rule] -= 1
        if self._rule.kind == "value_count":
            self._values[item.value] -= 1
            if self._values[item.value] <= 0:
                del self._values[item.value]
        elif self._rule.kind.startswith("value_") and (number := _number(item.value)) is not None:
            self._total -= number
            if self._rule.kind in SHARES:
                self._numbers.pop(bisect_left(self._numbers, number))

    def known(self) -> bool:
        """Whether there is anything to compare: an average of nothing is no number."""
        return bool(self._numbers) if self._rule.kind in ("value_avg", "value_percentile", "value_median") else True

    def result(self) -> float:
        match self._rule.kind:
            case "value_count":
                return len(self._values)
            case "value_sum":
                return self._total
            case "value_avg":
                return self._total / len(self._numbers) if self._numbers else 0.0
            case "value_percentile":
                return percentile(self._numbers, self._rule.percentile)
            case "value_median":
                return percentile(self._numbers, 50.0)
            case "temporal" | "temporal_ordered":
                return sum(1 for count in self.rules.values() if count > 0)
            case _:
                return self._count


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The percentile by linear interpolation between closest ranks; 0 of nothing."""
    if not ordered:
        return 0.0
    place = (len(ordered) - 1) * min(max(percent, 0.0), 100.0) / 100.0
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _number(value: str) -> float | None:
    try:
        found = float(value)
    except ValueError:
        return None
    return found if found - found == 0 else None


def _ordered(rule: Correlation, found: Sequence[Occurrence]) -> Iterator[Window]:
    """Chains in which the rules match one after the other; of several beginnings the latest counts."""
    steps = len(rule.rules)
    begin: list[int | None] = [None] * steps
    for at, item in enumerate(found):
        for step in range(steps - 1, -1, -1):
            if item.rule != step and rule.rules[item.rule] != rule.rules[step]:
                continue
            first = at if step == 0 else begin[step - 1]
            if first is not None and item.time - found[first].time <= rule.timespan:
                begin[step] = first
        last = begin[steps - 1]
        if last is not None:
            yield Window(last, at + 1, float(steps))
            begin = [None] * steps
