"""Lifetimes: use after free, double free, wrong free, leaks, null pointers, locks held at a return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.memory.api import COMPATIBLE
from glasshouse.scan.memory.values import FREED, GONE, LIVE, MAYBE, NONNULL, NULL, Region, State, V

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine

PROGRAMS = frozenset(["main", "wmain", "_tmain", "WinMain"])  # the system takes back what they hold at their end
GIVEN_AWAY = 4  # passed to a function whose name says that it destroys
MOVED = 5  # given to realloc, which succeeded


def joined(a: int, b: int) -> int:
    """Two paths that had to be merged."""
    return GONE


def dereference(engine: Engine, state: State, value: V, operand: Any, span: int, address: bool = False) -> None:
    """Memory is reached through a pointer."""
    region = value.reg
    if region is not None:
        status = state.status.get(region)
        if status is not None and status[0] == GIVEN_AWAY:
            engine.report("use-after-free", span, shown(value, operand), "", "low", weak=True)
            state.status[region] = (GONE, span)
        elif status is not None and status[0] == MOVED:
            engine.report("use-after-free", span, shown(value, operand), "", "medium")
            state.status[region] = (GONE, span)
        elif status is not None and status[0] == FREED and region.family not in ("close", "CloseHandle"):
            engine.report("use-after-free", span, shown(value, operand), "", "high")
            state.status[region] = (GONE, span)
    null = value.null
    if address:
        return
    if null == NULL and (value.const() == 0 or value.born or value.reg is not None or value.type.endswith("*")):
        if operand.__class__ is int and operand < 0:
            return
        engine.report("null-dereference", span, shown(value, operand), "", "high")
        set_nonnull(state, value, operand)
    elif null == MAYBE:
        if value.why.startswith("?"):
            engine.report("unchecked-result", span, shown(value, operand), value.why[1:], "low", weak=True)
        else:
            engine.report("unchecked-allocation", span, shown(value, operand), value.why, "medium")
        set_nonnull(state, value, operand)
    elif null == 0 and region is not None and region.kind in ("unknown", "param"):
        state.facts[("used", id(value))] = (span, value)


def set_nonnull(state: State, value: V, operand: Any) -> None:
    """Reported once: later uses on this path are not new."""
    new = value.having(null=NONNULL, why="", lo=None, hi=None)
    env = state.env
    shared = value.const() is not None
    if not shared:
        for key in [key for key, held in env.items() if held is value]:
            env[key] = new
    if operand.__class__ is int:
        state.temps[operand] = new
    elif operand in env and env[operand].home is None:
        env[operand] = new


def shown(value: V, operand: Any) -> str:
    if isinstance(operand, str) and not operand.startswith("$"):
        return operand
    return value.name or (value.reg.name if value.reg is not None and value.reg.name else "the pointer")


def free(engine: Engine, state: State, value: V, operand: Any, family: str, span: int, callee: str) -> None:
    """A resource is given back."""
    region = value.reg
    if region is None or value.null == NULL:
        return
    name = shown(value, operand)
    root = region
    if family in ("fclose", "close", "pclose", "closedir", "CloseHandle", "filp_close"):
        status = state.status.get(region)
        if status is not None and status[0] == FREED:
            engine.report("double-close", span, name, callee, "medium")
        if status is not None:
            state.status[region] = (FREED, span)
        return
    if region.kind in ("stack", "global", "literal") or (
        region.parent is not None and region.root().kind in ("stack", "global")
    ):
        if region.root().kind in ("stack", "global", "literal") and not region.name.startswith("*"):
            engine.report("free-of-non-heap", span, name, callee, "high")
        return
    if region.family == "stack":
        engine.report("free-of-non-heap", span, name, callee, "high")
        return
    status = state.status.get(root)
    if status is not None and status[0] == FREED:
        engine.report("double-free", span, name, callee, "high")
        return
    if value.idx is not None and value.idx.const() != 0 and region.kind == "heap":
        engine.report("free-inside-block", span, name, callee, "medium" if value.idx.const() is None else "high")
    if (
        region.family
        and region.family != family
        and (region.family, family) not in COMPATIBLE
        and region.kind == "heap"
    ):
        engine.report("mismatched-free", span, name, f"{region.family}/{callee}", "high")
    state.status[root] = (FREED, span)
    for owner, fields in list(state.heap.items()):  # elements are not told apart: the next one is another
        held = fields.get("*") if owner.type.endswith("]") else None
        if held is not None and held.reg is root:
            state.heap[owner] = {key: value for key, value in fields.items() if key != "*"}


def moved(engine: Engine, state: State, old: V, new: Region, span: int) -> None:
    """``realloc`` gave the memory back, unless it fails: who still holds the old pointer must not use it."""
    region = old.reg
    if region is None and old.sym and old.const() is None:
        region = Region("unknown", old.name)
        for name, value in list(state.env.items()):
            if value.sym == old.sym and value.off == old.off and value.reg is None and value.home is None:
                state.env[name] = value.having(reg=region)
    if region is None or region.kind not in ("heap", "unknown", "param"):
        return
    state.status[region] = (MOVED, span)
    state.facts["moved", new] = region


def escape(state: State, value: V, depth: int = 0) -> None:
    """Something else may keep or give back what the value refers to."""
    region = value.reg
    if region is None:
        return
    for owner in (region, region.root()):
        status = state.status.get(owner)
        if status is not None and status[0] == LIVE:
            state.status[owner] = (GONE, status[1])
    if depth < 3:
        for inner in list(state.heap.get(region, {}).values()):
            if inner.reg is not None and inner.reg is not region:
                escape(state, inner, depth + 1)


def stored(state: State, region: Region, value: V) -> None:
    """A pointer is stored in memory that outlives the function, or that holds it."""
    root = region.root()
    if root.kind in ("stack", "heap") and region.root() not in _escaped(state):
        return
    escape(state, value)


def _escaped(state: State) -> set[Region]:
    return {region for region, (what, _) in state.status.items() if what == GONE}


def at_return(engine: Engine, state: State, value: V, span: int) -> None:
    """What a path still holds when the function ends."""
    if value.reg is not None:
        if value.reg.root().kind == "stack" and value.type.endswith(("*", "]")) and value.reg.family != "$vla":
            returned_stack(engine, value, span)
        status = state.status.get(value.reg)
        if status is not None and status[0] == FREED and value.type.endswith("*") and value.reg.kind == "heap":
            engine.report("use-after-free", span, shown(value, -1), "", "medium")
        escape(state, value)
    ends = engine.frame.function.name in PROGRAMS and engine.frame.caller is None
    for region, (what, born) in state.status.items():
        if what != LIVE or ends:
            continue
        if any(held.reg is region for fields in _reachable(state) for held in fields):
            continue
        if region.kind == "resource":
            engine.report("resource-leak", born, region.name or "the resource", region.family, "medium")
        elif region.family != "stack":
            engine.report("memory-leak", born, region.name or "the memory", region.family, "medium")
    for lock, (depth, born) in state.locks.items():
        if depth > 0 and engine.lock_balance(lock):
            engine.report("lock-held-at-return", born, lock, "", "medium")


def _reachable(state: State) -> list[list[V]]:
    """Contents of memory that outlives the function."""
    return [
        list(fields.values())
        for region, fields in state.heap.items()
        if region.root().kind in ("param", "unknown", "global") or (state.status.get(region.root(), (0, 0))[0] == GONE)
    ]


def returned_stack(engine: Engine, value: V, span: int) -> None:
    region = value.reg
    if region is not None and region.root().kind == "stack":
        engine.report("stack-address-returned", span, region.root().name, "", "high")
