"""What a function of another file, run in the state of its caller, is taken to have done.

Not everything that its run shows: names, globals and places of the other file mean nothing to the caller, and what is
imprecise about one file adds up over two.  To the caller the call is one of a function that may write what it can reach
and keep what it is given, and of which these facts are known on each way through it: which of its arguments it frees,
whether data from outside lands in them, which number or whether a null pointer it returns, and which locks it leaves
taken or released.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan.memory import api, bounds, lengths, lifetime
from glasshouse.scan.memory.evaluate import havoc
from glasshouse.scan.memory.names import ALL
from glasshouse.scan.memory.values import FREED, MAYBE, NONNULL, NULL, STRONG, Region, State, V, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call
    from glasshouse.scan.memory.engine import Engine

TOLD = frozenset(
    "buffer-overflow format-string command-injection sql-injection path-traversal library-loading outside-index "
    "outside-length outside-allocation".split()
)
"""Checks of which a caller is told that they fail in a function of another file, for what it passes."""
Locks = tuple[tuple[str, int], ...]


class Way(NamedTuple):
    """The facts of one way through a function."""

    freed: tuple[int, ...]  # arguments
    read: tuple[tuple[int, str], ...]  # arguments that data from outside lands in, and where it comes from
    null: int
    why: str
    number: int | None
    taint: int
    source: str
    locks: Locks


def settled(
    engine: Engine, state: State, made: Call, ends: Iterable[tuple[State, V]], pointer: bool
) -> list[tuple[State, V]]:
    """The states after a call, one for each way that differs in its facts; ``pointer``: what it returns is one."""
    ways = list(dict.fromkeys(way(state, made, after, value, pointer) for after, value in ends))
    agreed = len({one.locks for one in ways}) <= 1
    results = []
    for number, one in enumerate(ways):
        after = state.copy() if number + 1 < len(ways) else state
        results.append((after, happened(engine, after, made, one, agreed)))
    return results


def way(before: State, made: Call, after: State, value: V, pointer: bool) -> Way:
    """The facts of one way through a function that ended in a state with a value."""
    freed = []
    read = []
    for number, given in enumerate(made.args):
        region = given.reg
        if region is None or region.kind == "literal":
            continue
        if plain(made.operand(number), region) and given.idx is None:
            status = after.status.get(region)
            if status is not None and status[0] == FREED and before.status.get(region) is not status:
                freed.append(number)
        content = after.heap.get(region)
        if content is not None and content is not before.heap.get(region):
            for held in content.values():
                if held.taint & STRONG:
                    read.append((number, held.source))
                    break
    returned = None if pointer else value.const()
    null, why = value.null, value.why if value.null == MAYBE else ""
    strong = value.taint & STRONG
    locks = tuple(sorted((key, held[0]) for key, held in after.locks.items() if before.locks.get(key) is not held))
    return Way(tuple(freed), tuple(read), null, why, returned, strong, value.source if strong else "", locks)


def plain(operand: Any, region: Region) -> bool:
    """Whether an argument is a variable that points to memory of its own: elements of an array are not told apart."""
    return operand.__class__ is str and region.parent is None and region.kind in ("heap", "unknown", "param")


def happened(engine: Engine, state: State, made: Call, one: Way, agreed: bool) -> V:
    """Do to a state what a way through a function does, and give what it returns."""
    if engine.frame.measured and made.args:
        first = made.arg(0)
        lengths.read_by(engine, state, made.name, first, made.span, lifetime.shown(first, made.operand(0)))
    sources = dict(one.read)
    borrows = made.name in api.BORROWS or made.name.startswith(api.BORROWING)
    for number, given in enumerate(made.args):
        region = given.reg
        if region is None or region.kind == "literal":
            continue
        if number in one.freed:
            state.status[region] = (FREED, made.span)
            continue
        if borrows:
            if region not in state.heap and region.kind == "stack":
                state.heap[region] = {ALL: V()}
            continue
        have, _ = bounds.content_taint(state, given)
        lifetime.escape(state, given)
        havoc(state, given)
        if number in sources or have & STRONG:
            content = V()
            content.taint, content.source = STRONG, sources.get(number, "outside data")
            state.heap[region] = {ALL: content}
    if agreed and one.locks:
        state.locks = {**state.locks, **{key: (depth, made.span) for key, depth in one.locks}}
    result = V()
    result.sym, result.name = symbol(), f"{made.name}()"
    if one.number is not None:
        result.lo = result.hi = one.number
    result.taint, result.source = one.taint, one.source
    result.null, result.why = (
        (MAYBE, f"?`{made.name}`") if one.null == NULL and one.number is None else (one.null, one.why)
    )
    result.born = made.span if result.null == MAYBE else 0
    if result.null == NONNULL and one.number is None:
        result.why = ""
    return result
