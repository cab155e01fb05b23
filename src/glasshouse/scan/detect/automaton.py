"""The position automaton of a regular expression: states are its character classes, edges say what may follow what."""

from __future__ import annotations

from glasshouse.scan.detect.regex import END, Node

MAX_STATES = 400
MAX_EDGES = 20_000
_COPIES = 2  # copies made of the required and of the optional part of a counted repetition
_UNBOUNDED = 25  # a maximum above this counts as no maximum


class Automaton:
    """``classes``: character mask per state; ``edges[p][q]``: in how many ways q may follow p.

    ``first``, ``accepting``: states a match may begin and end with.  ``unanchored``: a search may begin anywhere.
    """

    __slots__ = ("accepting", "classes", "edges", "first", "unanchored")

    def __init__(self) -> None:
        self.classes: list[int] = []
        self.edges: list[dict[int, int]] = []
        self.first: frozenset[int] = frozenset()
        self.accepting: frozenset[int] = frozenset()
        self.unanchored = True

    def loops(self) -> list[list[int]]:
        """Strongly connected components that hold a cycle (Tarjan, iterative)."""
        order: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        found: list[list[int]] = []
        for root in range(len(self.edges)):
            if root in order:
                continue
            work = [(root, iter(self.edges[root]))]
            order[root] = low[root] = len(order)
            stack.append(root)
            on_stack.add(root)
            while work:
                state, followers = work[-1]
                for follower in followers:
                    if follower not in order:
                        order[follower] = low[follower] = len(order)
                        stack.append(follower)
                        on_stack.add(follower)
                        work.append((follower, iter(self.edges[follower])))
                        break
                    if follower in on_stack:
                        low[state] = min(low[state], order[follower])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[state])
                    if low[state] == order[state]:
                        component = _pop_until(stack, on_stack, state)
                        if len(component) > 1 or state in self.edges[state]:
                            found.append(sorted(component))
        return found


def _pop_until(stack: list[int], on_stack: set[int], state: int) -> list[int]:
    component = []
    while True:
        item = stack.pop()
        on_stack.discard(item)
        component.append(item)
        if item == state:
            return component


class _TooLargeError(Exception):
    """The automaton would exceed its bounds."""


class _Builder:
    """Adds positions and edges for a tree; each part yields (may be empty, first states, last states)."""

    def __init__(self) -> None:
        self.automaton = Automaton()
        self.count = 0

    def part(self, node: Node) -> tuple[bool, list[int], list[int]]:
        kind = node[0]
        if kind == "set":
            return self._state(node[1])
        if kind == "cat":
            return self._sequence([self.part(item) for item in node[1]])
        if kind == "alt":
            parts = [self.part(item) for item in node[1]]
            return (
                any(empty for empty, _, _ in parts),
                [state for _, first, _ in parts for state in first],
                [state for _, _, last in parts for state in last],
            )
        if kind == "rep":
            return self._repeat(node[1], node[2], node[3])
        return True, [], []

    def _state(self, mask: int) -> tuple[bool, list[int], list[int]]:
        if len(self.automaton.classes) >= MAX_STATES:
            raise _TooLargeError
        self.automaton.classes.append(mask)
        self.automaton.edges.append({})
        state = len(self.automaton.classes) - 1
        return False, [state], [state]

    def _connect(self, last: list[int], first: list[int]) -> None:
        self.count += len(last) * len(first)
        if self.count > MAX_EDGES:
            raise _TooLargeError
        for state in last:
            edges = self.automaton.edges[state]
            for follower in first:
                edges[follower] = edges.get(follower, 0) + 1

    def _sequence(self, parts: list[tuple[bool, list[int], list[int]]]) -> tuple[bool, list[int], list[int]]:
        empty: bool = True
        first: list[int] = []
        last: list[int] = []
        for part_empty, part_first, part_last in parts:
            self._connect(last, part_first)
            first = first + part_first if empty else first
            last = last + part_last if part_empty else part_last
            empty = empty and part_empty
        return empty, first, last

    def _repeat(self, node: Node, least: int, most: int | None) -> tuple[bool, list[int], list[int]]:
        if most is not None and most > _UNBOUNDED:
            most = None
        parts: list[tuple[bool, list[int], list[int]]] = []
        if most is None:
            parts.extend(self.part(node) for _ in range(min(max(least - 1, 0), _COPIES)))
            empty, first, last = self.part(node)
            self._connect(last, first)
            parts.append((empty or least == 0, first, last))
            return self._sequence(parts)
        parts.extend(self.part(node) for _ in range(min(least, _COPIES)))
        for _ in range(min(most - least, _COPIES)):
            _, first, last = self.part(node)
            parts.append((True, first, last))
        return self._sequence(parts)


def build(tree: Node, *, whole: bool) -> Automaton | None:
    """The automaton of a parsed expression; ``whole``: it must match up to the end of the text.  None: too large."""
    builder = _Builder()
    try:
        _, first, last = builder.part(("cat", [tree, ("set", END)]) if whole else tree)
    except _TooLargeError:
        return None
    automaton = builder.automaton
    automaton.first = frozenset(first)
    automaton.accepting = frozenset(last)
    automaton.unanchored = not whole and not _begins_anchored(tree)
    return automaton


def _begins_anchored(node: Node) -> bool:
    while node[0] == "cat" and node[1]:
        node = node[1][0]
    return node[0] == "start" or (
        node[0] == "alt" and bool(node[1]) and all(_begins_anchored(item) for item in node[1])
    )
