"""Which calls are worth running the called function for, in the state of its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.memory import bounds
from glasshouse.scan.memory.values import MAYBE, NULL, STRONG, State, V

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call
    from glasshouse.scan.memory.program import FunctionFacts

MAX_READER = 40  # instructions of a function that puts a number together from bytes


def gives(facts: FunctionFacts) -> bool:
    return facts.function.returns not in ("", "void", "static void")


def holds_data(state: State, value: V) -> bool:
    """Whether it points to data from outside."""
    return value.reg is not None and bool(bounds.content_taint(state, value)[0] & STRONG)


def interesting(state: State, made: Call, facts: FunctionFacts) -> bool:
    """Whether running the callee in this state can show more than running it alone."""
    if facts.size <= 6:
        return True
    if not facts.owner.matters(facts.index):
        return facts.size <= MAX_READER and gives(facts) and any(holds_data(state, value) for value in made.args)
    for value in made.args:
        region = value.reg
        if value.taint & STRONG or value.null in (NULL, MAYBE) or value.func:
            return True
        if region is not None and (region.kind in ("heap", "stack", "resource", "literal") or region in state.status):
            return True
    return facts.returns_memory or facts.size <= 80
