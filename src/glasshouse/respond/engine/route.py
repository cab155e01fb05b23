"""From the log source of an event to the rules that can match there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from glasshouse.respond.engine.demand import cheapest_first, required_values, witnesses
from glasshouse.respond.sigma.ir import STRING_KINDS, And, Expression, Leaf, Not, Or, Route, RuleSet


class SourceTag(NamedTuple):
    """Which log an event comes from.  Windows event logs have a channel and an event id, the others a product,
    service and categories.  All lower case."""

    product: str = ""
    service: str = ""
    categories: tuple[str, ...] = ()
    channel: str = ""
    event_id: str = ""


class Section:
    """Rules that look at a log source with the same names of fields.

    ``fields`` are pairs (name in rules, name in events) that string predicates read; ``witness`` leads from a predicate
    to the rules that it may make true; ``always`` are rules that may match without any; ``keywords`` holds the search
    for keywords once it is made.
    """

    __slots__ = ("always", "fields", "keywords", "names", "relevant", "witness")

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.fields: list[tuple[str, str]] = []
        self.witness: defaultdict[int, list[int]] = defaultdict(list)
        self.always: list[int] = []
        self.relevant: frozenset[int] = frozenset()
        self.keywords: list[Any] = []


class Router:
    """Finds the sections of a log source; the answers are kept."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        predicates = rules.predicates
        self.expressions = [cheapest_first(rule.expression, predicates) for rule in rules.rules]
        self._witnesses = [witnesses(tree, predicates) for tree in self.expressions]
        self._event_ids = [required_values(tree, predicates, "EventID") for tree in self.expressions]
        self._channels = [required_values(tree, predicates, "Channel") for tree in self.expressions]
        self._by_channel: defaultdict[str, list[tuple[int, Route]]] = defaultdict(list)
        self._others: defaultdict[tuple[str, str], list[tuple[int, Route]]] = defaultdict(list)
        for number, rule in enumerate(rules.rules):
            for route in rule.routes:
                for channel in route.channels:
                    self._by_channel[channel].append((number, route))
                if not route.channels:
                    self._others[route.product, route.category].append((number, route))
        self._known: dict[SourceTag, tuple[Section, ...]] = {}

    def sections(self, tag: SourceTag) -> tuple[Section, ...]:
        """The rules for events of this source, none when no rule looks there."""
        found = self._known.get(tag)
        if found is None:
            found = self._known[tag] = tuple(self._sections(tag))
        return found

    def using(self, predicate: int) -> Iterable[int]:
        """The rules that ask a predicate."""
        for number, tree in enumerate(self.expressions):
            found: set[int] = set()
            _leaves(tree, found)
            if predicate in found:
                yield number

    def _sections(self, tag: SourceTag) -> Iterable[Section]:
        chosen: dict[tuple[tuple[str, str], ...], dict[int, None]] = {}
        for number, route in self._candidates(tag):
            chosen.setdefault(tuple(sorted(route.fields.items())), {})[number] = None
        for names, numbers in chosen.items():
            yield self._section(dict(names), list(numbers))

    def _candidates(self, tag: SourceTag) -> Iterable[tuple[int, Route]]:
        for number, route in self._by_channel.get(tag.channel, ()) if tag.channel else ():
            if (not route.event_ids or tag.event_id in route.event_ids) and self._demands(number, tag):
                yield number, route
        for product in {"", tag.product}:
            for category in {"", *tag.categories}:
                for number, route in self._others.get((product, category), ()):
                    if route.service in ("", tag.service) and (not tag.channel or self._demands(number, tag)):
                        yield number, route

    def _demands(self, number: int, tag: SourceTag) -> bool:
        ids, channels = self._event_ids[number], self._channels[number]
        return (ids is None or tag.event_id in ids) and (channels is None or tag.channel in channels)

    def _section(self, names: dict[str, str], numbers: list[int]) -> Section:
        section = Section(names)
        used: set[int] = set()
        for number in numbers:
            _leaves(self.expressions[number], used)
            wanted = self._witnesses[number]
            if wanted is None:
                section.always.append(number)
            for predicate in wanted or ():
                section.witness[predicate].append(number)
        predicates = self._rules.predicates
        strings = {at for at in used if predicates[at].kind in STRING_KINDS}
        fields = sorted({predicates[at].field for at in strings})
        section.fields = [(field, names.get(field, field)) for field in fields]
        section.relevant = frozenset(strings)
        return section


def _leaves(node: Expression, found: set[int]) -> None:
    match node:
        case Leaf():
            found.add(node.at)
        case And() | Or():
            for arg in node.args:
                _leaves(arg, found)
        case Not():
            _leaves(node.arg, found)
