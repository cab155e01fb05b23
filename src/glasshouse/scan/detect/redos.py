"""Finds regular expressions whose matching time explodes: exponential, or polynomial of a high degree.

The expression (Python, JavaScript or Java syntax) is parsed into a small tree and turned into a position automaton
(Glushkov): one state per character class, an edge where one may follow the other.  Each edge counts how many ways
lead over it.  Then

- exponential: inside one loop, the same text can be read along two ways that meet again (Weber and Seidl's EDA
  criterion, on pairs of states);
- polynomial: loops over overlapping characters follow each other, so that a text can be cut between them in many ways.

Either only matters when something after the loop can fail to match.  Anything that we cannot parse, or that is larger
than the bounds, is not reported.  Never raises; time is bounded by ``_BUDGET`` steps.
"""

from __future__ import annotations

from glasshouse.scan.detect.automaton import Automaton, build
from glasshouse.scan.detect.regex import END, RegexError, parse_regex, sample

_MAX_PATTERN = 4000  # characters
_BUDGET = 200_000  # steps of all searches together
_POLYNOMIAL_DEGREE = 3


def is_slow(pattern: str, flags: str = "") -> str | None:
    """What makes the pattern slow, with a text to repeat; None when nothing was found.

    ``flags``: ``i`` ignore case, ``s`` dot matches newline, ``x`` verbose, ``m`` multi-line, ``f`` the whole text must
    match (Java ``matches``, Python ``fullmatch``).
    """
    if len(pattern) > _MAX_PATTERN:
        return None
    try:
        trees = parse_regex(pattern, flags)
    except RegexError:
        return None
    budget = [_BUDGET]
    for index, tree in enumerate(trees):
        automaton = build(tree, whole="f" in flags and index == 0)
        if automaton is None:
            continue
        text = _exponential(automaton, budget)
        if text is not None:
            return f"the time doubles with each further {text!r}"
        degree, text = _polynomial(automaton, budget)
        if degree >= _POLYNOMIAL_DEGREE:
            return f"the time grows with the {_ordinal(degree)} power of the number of repeated {text!r}"
    return None


def _ordinal(number: int) -> str:
    return {3: "third", 4: "fourth", 5: "fifth"}.get(number, f"{number}th")


def _exponential(automaton: Automaton, budget: list[int]) -> str | None:
    for component in automaton.loops():
        if any(state in automaton.accepting for state in component):
            continue
        inside = set(component)
        for state in component:
            for follower, ways in automaton.edges[state].items():
                if ways > 1 and follower in inside:
                    return sample(automaton.classes[follower])
        shared = _ambiguous_pair(automaton, component, inside, budget)
        if shared:
            return sample(shared)
    return None


def _ambiguous_pair(automaton: Automaton, component: list[int], inside: set[int], budget: list[int]) -> int:
    """Characters after which a text can go on along two ways that meet again; 0 for none."""
    starts: dict[tuple[int, int], int] = {}
    for state in component:
        followers = [item for item in automaton.edges[state] if item in inside]
        budget[0] -= len(followers) * len(followers)
        if budget[0] < 0:
            return 0
        for number, first in enumerate(followers):
            for second in followers[number + 1 :]:
                shared = automaton.classes[first] & automaton.classes[second]
                if shared:
                    starts[min(first, second), max(first, second)] = shared
    seen, waiting = dict(starts), sorted(starts)
    while waiting:
        first, second = waiting.pop()
        shared = seen[first, second]
        for left in automaton.edges[first]:
            if left not in inside:
                continue
            for right in automaton.edges[second]:
                budget[0] -= 1
                if budget[0] < 0:
                    return 0
                if right not in inside or not automaton.classes[left] & automaton.classes[right]:
                    continue
                if left == right:
                    return shared
                pair = (min(left, right), max(left, right))
                if pair not in seen:
                    seen[pair] = shared
                    waiting.append(pair)
    return 0


def _polynomial(automaton: Automaton, budget: list[int]) -> tuple[int, str]:
    """Degree of the worst chain of overlapping single-class loops, and a text that runs through it."""
    loops = [state for state, followers in enumerate(automaton.edges) if state in followers]
    best, text = 0, ""
    for start in loops:
        degree, shared, last = _chain(automaton, start, loops, budget)
        if last in automaton.accepting or degree < 2:
            continue
        if automaton.unanchored and start in automaton.first:
            degree += 1
        if degree > best:
            best, text = degree, sample(shared)
    return best, text


def _chain(automaton: Automaton, start: int, loops: list[int], budget: list[int]) -> tuple[int, int, int]:
    """Follow loops greedily from ``start``: (number of loops, characters they share, last loop)."""
    degree, shared, last = 1, automaton.classes[start], start
    used = {start}
    targets = set(loops)
    while True:
        found = _next_loop(automaton, last, shared, targets - used, budget)
        if found is None:
            return degree, shared, last
        used.add(found)
        degree, shared, last = degree + 1, shared & automaton.classes[found], found


def _next_loop(automaton: Automaton, start: int, shared: int, targets: set[int], budget: list[int]) -> int | None:
    """A loop that may follow at once and reads characters of ``shared``."""
    for follower in automaton.edges[start]:
        budget[0] -= 1
        if budget[0] < 0:
            return None
        if follower in targets and automaton.classes[follower] & shared & ~END:
            return follower
    return None
