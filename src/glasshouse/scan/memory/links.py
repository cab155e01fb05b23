"""What files of C and C++ say about each other: who calls a function, and which functions never give a null pointer.

This is held against what was found in each.  A weakness that needs a parameter to be anything at all is told in library
mode only of a function that another file calls: its callers say what is passed, and ``abroad`` looks at it.  (Code of
the kernel takes no part: its trees are large, and its functions are called through tables.  Neither does a file that
includes none of its neighbours: what has its name elsewhere need not be its own.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.ir import PART_PACKAGE
from glasshouse.scan.memory.values import NONNULL, V

if TYPE_CHECKING:
    from glasshouse.scan.lowered import LocalHit, Lowered
    from glasshouse.scan.memory.engine import Engine
    from glasshouse.scan.rules.schema import Rule

MAX_CALLS = 3000  # names of functions of other files that one file calls
PARAMETERS = frozenset(
    "outside-index outside-length allocation-overflow stack-allocation divide-by-zero integer-underflow "
    "unmeasured-read wrapping-check path-traversal command-injection sql-injection library-loading unbounded-copy "
    "format-string".split()
)
"""Checks that in library mode say what happens if a caller passes what it likes."""
RESULTS = frozenset(["unchecked-result"])


class Links(msgspec.Struct, frozen=True, array_like=True):
    """Of one file: functions of other files that it calls, and its own that never return a null pointer."""

    calls: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    part: bool = False  # of a program of several files
    defined: tuple[str, ...] = ()  # functions that other files may call
    waits: bool = False  # not analysed yet


def waiting(file: ir.File) -> Links:
    """Of a file that is to be analysed together with others."""
    from glasshouse.scan.memory.program import walk  # which loads the front end: other languages do without

    own = {function.name for function in file.functions}
    called = {
        ins[3]
        for function in file.functions[1:]
        for ins in walk(function.body)
        if ins[0] == ir.CALL and ins[3].__class__ is str and ins[3] not in own
    }
    defined = {item.name for item in file.functions[1:] if item.flags & ir.EXPORTED and item.name == item.qualname}
    return Links(tuple(sorted(called)[:MAX_CALLS]), (), True, tuple(sorted(defined - {"main"})), True)


def links_of(engine: Engine) -> Links:
    """What other files may want to know of a file that was analysed; ``part`` only of one that is part of a program."""
    facts = engine.own
    if facts.file.package != PART_PACKAGE:
        return Links()
    calls = sorted(facts.called - facts.by_name.keys())[:MAX_CALLS]
    return Links(tuple(calls), tuple(sorted(engine.given)), True)


def never_null(returned: Sequence[V], returns: str) -> bool:
    """Whether a function that returns a pointer gave a good one on every path."""
    return returns.endswith("*") and bool(returned) and all(value.null == NONNULL for value in returned)


def told_apart(
    local: Iterable[tuple[int, LocalHit]], files: Sequence[Lowered], rules: Mapping[str, Rule]
) -> list[tuple[int, LocalHit]]:
    """``local`` (file number and hit) without what the other files answer.

    What goes wrong in a function of another file, and is told there, is not told again where it is called.
    """
    there = {
        (item.file.path, hit.rule, hit.span): hit.mode
        for item in files
        if item.file is not None and item.links is not None
        for hit in item.hits
        if hit.inside is None
    }
    local = [
        (number, hit)
        for number, hit in local
        if hit.inside is None or there.get((hit.inside[0], hit.rule, hit.inside[1])) not in (hit.mode, "application")
    ]
    callers: set[str] = set()
    given: set[str] = set()
    for item in files:
        if item.links is not None:
            callers.update(item.links.calls)
            given.update(item.links.given)
    if not callers and not given:
        return local
    return [(number, hit) for number, hit in local if not answered(files[number], hit, rules, callers, given)]


def answered(item: Lowered, hit: LocalHit, rules: Mapping[str, Rule], callers: set[str], given: set[str]) -> bool:
    rule = rules.get(hit.rule)
    if (
        item.links is None
        or not item.links.part
        or item.file is None
        or rule is None
        or rule.detector != "memory"
        or hit.mode != "library"
    ):
        return False
    named: Any = rule.options.get("check", "")
    checks = {named} if isinstance(named, str) else set(named)
    if checks <= PARAMETERS:
        functions = item.file.functions
        return hit.function < len(functions) and functions[hit.function].name in callers
    return checks <= RESULTS and hit.details.get("value", "").strip("`") in given
