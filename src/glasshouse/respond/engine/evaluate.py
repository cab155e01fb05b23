"""Rules over one group of events: predicates on distinct values, then boolean algebra on bit sets.

Every evaluation carries the rows still in question, so a branch that is dead ends there, and slow predicates are asked
only of values that can still matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from glasshouse.respond.engine.columns import Column, bits_of, column, rows_of
from glasshouse.respond.engine.keywords import candidates, pattern
from glasshouse.respond.engine.matcher import FieldMatcher
from glasshouse.respond.engine.route import Section
from glasshouse.respond.engine.slow import SlowPredicates
from glasshouse.respond.engine.texts import Event, lookup, texts
from glasshouse.respond.sigma.ir import KEYWORD_FIELD, STRING_KINDS, And, Expression, Leaf, Not, Or, Predicate


class Group:
    """Events of one log source in one batch; columns are made when first asked for."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.everyone = (1 << len(events)) - 1
        self._columns: dict[str, Column] = {}

    def column(self, name: str) -> Column:
        """The column of an event field."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = column(self.events, name)
        return found


class Evaluator:
    """Evaluates sections of rules on groups."""

    def __init__(
        self,
        predicates: tuple[Predicate, ...],
        expressions: Sequence[Expression],
        matchers: Mapping[str, FieldMatcher],
        slow: SlowPredicates,
    ) -> None:
        self._predicates = predicates
        self._expressions = expressions
        self._matchers = matchers
        self._slow = slow
        self._fast = [each.kind in STRING_KINDS for each in predicates]
        self._live: dict[int, int] = {}
        self._names: dict[str, str] = {}
        self._group = Group(())

    def matches(self, section: Section, group: Group) -> Iterator[tuple[int, int]]:
        """Pairs of a rule's number and the rows where it matches."""
        self._group, self._names = group, section.names
        self._live = live = self._string_predicates(section, group)
        candidates = dict.fromkeys(section.always)
        witness = section.witness
        for number in live:
            rules = witness.get(number)
            if rules:
                candidates.update(dict.fromkeys(rules))
        for rule in candidates:
            bits = self._evaluate(self._expressions[rule], group.everyone)
            if bits:
                yield rule, bits

    def _string_predicates(self, section: Section, group: Group) -> dict[int, int]:
        live: dict[int, int] = {}
        relevant = section.relevant
        for field, name in section.fields:
            matcher = self._matchers[field]
            values = self._keywords(section, group) if field == KEYWORD_FIELD else group.column(name)
            hits, bits = matcher.hits, values.bits
            for value in values.cells:
                found = hits(value)
                if found:
                    rows = bits(value)
                    for number in found:
                        if number in relevant:
                            live[number] = live.get(number, 0) | rows
        return live

    def _keywords(self, section: Section, group: Group) -> Column:
        if not section.keywords:
            wanted = [self._predicates[at] for at in section.relevant if self._predicates[at].field == KEYWORD_FIELD]
            section.keywords.append(pattern(wanted))
        search = section.keywords[0]
        return group.column(KEYWORD_FIELD) if search is None else candidates(group.events, search)

    def _evaluate(self, node: Expression, within: int) -> int:
        kind = type(node)
        if kind is Leaf:
            at: int = node.at  # type: ignore[union-attr]
            if self._fast[at]:
                return self._live.get(at, 0) & within
            return self._slow_leaf(at, within)
        if kind is And:
            for arg in node.args:  # type: ignore[union-attr]
                within = self._evaluate(arg, within)
                if not within:
                    return 0
            return within
        if kind is Or:
            found, rest = 0, within
            for arg in node.args:  # type: ignore[union-attr]
                more = self._evaluate(arg, rest)
                if more:
                    found |= more
                    rest &= ~more
                    if not rest:
                        break
            return found
        assert isinstance(node, Not)
        return within & ~self._evaluate(node.arg, within)

    def _slow_leaf(self, at: int, within: int) -> int:
        each = self._predicates[at]
        name = self._names.get(each.field, each.field)
        match each.kind:
            case "any":
                return self._group.column(name).present & within
            case "null":
                return within & ~self._group.column(name).present
            case "exists":
                return bits_of(self._having(name, within), len(self._group.events)) & within
            case "fieldref":
                return self._same(each, name, within)
        found = 0
        values = self._group.column(name)
        for value in values.cells:
            rows = values.bits(value) & within
            if rows and self._slow.holds(at, value):
                found |= rows
        return found

    def _having(self, name: str, within: int) -> list[int]:
        events = self._group.events
        return [row for row in rows_of(within) if name in events[row] or lookup(events[row], name) is not None]

    def _same(self, each: Predicate, name: str, within: int) -> int:
        other = self._names.get(each.value, each.value)
        found = 0
        for row in rows_of(within):
            event = self._group.events[row]
            left = [value.lower() for value in texts(lookup(event, name))]
            right = [value.lower() for value in texts(lookup(event, other))]
            if any(_compares(a, b, each.option) for a in left for b in right):
                found |= 1 << row
        return found


def _compares(left: str, right: str, mode: str) -> bool:
    if mode == "starts":
        return left.startswith(right)
    return left.endswith(right) if mode == "ends" else left == right
