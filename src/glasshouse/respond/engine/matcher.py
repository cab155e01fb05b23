"""All string predicates over one field at once: one pass of an Aho-Corasick automaton per distinct value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from glasshouse.respond.engine.globs import Glob, longest_literal
from glasshouse.respond.sigma.ir import STRING_KINDS, Predicate

CACHE_CHARACTERS = 4_000_000
"""Values whose answers are kept per field; the cache starts anew when they are longer than this together."""
MAX_CACHED_VALUE = 2_000

Entry = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Length of the literal; predicates true anywhere, at the start, at the end, and those that need a second look."""


class FieldMatcher:
    """Answers which predicates hold for a value; ``predicates`` are (number, predicate) of string kinds."""

    def __init__(self, predicates: Iterable[tuple[int, Predicate]]) -> None:
        self._equal: defaultdict[str, list[int]] = defaultdict(list)
        self._triggers: dict[str, dict[str, list[int]]] = {}
        self._second: dict[int, Predicate] = {}
        self._globs: dict[int, Glob] = {}
        self._always: list[int] = []
        for number, each in predicates:
            self._add(number, each)
        self._automaton: Any = None
        self._cache: dict[str, tuple[int, ...]] = {}
        self._cached = 0

    def _add(self, number: int, each: Predicate) -> None:
        assert each.kind in STRING_KINDS
        if each.cased or each.kind == "glob":
            self._second[number] = each
            literal = longest_literal(each.value).lower() if each.kind == "glob" else each.value.lower()
            if each.kind == "glob":
                self._globs[number] = Glob(each.value)
            if not literal:
                self._always.append(number)
                return
            self._trigger(literal, "second", number)
        elif each.kind == "eq":
            self._equal[each.value].append(number)
        else:
            self._trigger(each.value, each.kind, number)

    def _trigger(self, literal: str, kind: str, number: int) -> None:
        self._triggers.setdefault(literal, {}).setdefault(kind, []).append(number)

    def _build(self) -> Any:
        import ahocorasick

        automaton = ahocorasick.Automaton()
        for literal, kinds in self._triggers.items():
            entry = tuple(tuple(kinds.get(kind, ())) for kind in ("contains", "starts", "ends", "second"))
            automaton.add_word(literal, (len(literal), *entry))
        automaton.make_automaton()
        return automaton

    def hits(self, value: str) -> tuple[int, ...]:
        """The numbers of the predicates that hold for ``value``."""
        found = self._cache.get(value)
        if found is None:
            found = self._search(value)
            if len(value) <= MAX_CACHED_VALUE:
                self._cached += len(value)
                if self._cached > CACHE_CHARACTERS:
                    self._cache.clear()
                    self._cached = len(value)
                self._cache[value] = found
        return found

    def _search(self, value: str) -> tuple[int, ...]:
        low = value.lower()
        found = set(self._equal.get(low, ()))
        if self._triggers:
            if self._automaton is None:
                self._automaton = self._build()
            last = len(low) - 1
            second: set[int] = set()
            for end, (length, anywhere, starts, ends, unsure) in self._automaton.iter(low):
                if anywhere:
                    found.update(anywhere)
                if starts and end + 1 == length:
                    found.update(starts)
                if ends and end == last:
                    found.update(ends)
                if unsure:
                    second.update(unsure)
            found.update(number for number in second if self._holds(number, value, low))
        found.update(number for number in self._always if self._holds(number, value, low))
        return tuple(found)

    def _holds(self, number: int, value: str, low: str) -> bool:
        each = self._second[number]
        subject = value if each.cased else low
        match each.kind:
            case "glob":
                return self._globs[number].matches(subject)
            case "eq":
                return subject == each.value
            case "starts":
                return subject.startswith(each.value)
            case "ends":
                return subject.endswith(each.value)
            case _:
                return each.value in subject
