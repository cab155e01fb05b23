"""Paths that come together: what they must not differ in, and what holds on all of them."""

from __future__ import annotations

from glasshouse.scan.memory import lifetime
from glasshouse.scan.memory.names import ALL
from glasshouse.scan.memory.values import FREED, LIVE, Region, State, V, hull, same_property

Difference = tuple[str, V, V]
Ends = list[tuple[State, V]]


def gathered(before: State, ends: Ends) -> Ends:
    """The ends of a function, those with the same constant answer and nothing else that matters as one."""
    if len(ends) < 2:
        return ends  # all that it does happens in every case
    written_somewhere(before, ends)
    kept: Ends = []
    for after, value in ends:
        forget(before, after, value)
        answer = value.const()
        for other, have in kept if answer is not None else ():
            alike = have.const() == answer and same_variables(other, after)
            different = differences(other, after) if alike else None
            if different is not None:
                join(other, after, different)
                break
        else:
            kept.append((after, value))
    return kept


def same_variables(a: State, b: State) -> bool:
    """Whether two ends left the caller's variables, as far as their address was given, alike."""
    for region, fields in a.heap.items():
        others = b.heap.get(region)
        if others is fields or region.root().kind != "stack":
            continue
        if others is None or others.keys() != fields.keys():
            return False
        if not all(same_property(value, others[key]) for key, value in fields.items()):
            return False
    return True


def written_somewhere(before: State, ends: Ends) -> None:
    """What one way through the function fills is not called unwritten after another: a loop over a length does that."""
    for after, _ in ends:
        for region in after.heap.keys() - before.heap.keys():
            if region.kind == "stack" and region.count is not None:
                for other, _ in ends:
                    other.heap.setdefault(region, {ALL: V()})


def forget(before: State, after: State, value: V) -> None:
    """Memory that came and went inside, or that nothing reaches any more (which its own function is told of)."""
    inside = [key for key in after.facts if key[0] == "used" and key not in before.facts]
    for key in inside:
        del after.facts[key]  # its answer may be tested for null because of its other ways out
    made = {
        region
        for region, (what, _) in after.status.items()
        if what in (LIVE, FREED) and region not in before.status and region.kind in ("heap", "resource")
    }
    if not made:
        return
    given_back = {region for region in made if after.status[region][0] == FREED}
    reached: set[Region | None] = {value.reg}
    for region, fields in after.heap.items():
        if region not in given_back:
            reached.update(item.reg for item in fields.values())
    reached.update(item.reg for item in after.env.values())
    for region in made - reached:
        del after.status[region]


def every_difference(a: State, b: State) -> list[Difference]:
    two = b.env
    return [
        (key, value, other)
        for key, value in a.env.items()
        if (other := two.get(key)) is not value and other is not None
    ]


def differences(a: State, b: State) -> list[Difference] | None:
    """The variables that two states differ in, or None where they differ in something that a rule cares about."""
    if a.status != b.status and {k: v[0] for k, v in a.status.items()} != {k: v[0] for k, v in b.status.items()}:
        return None
    if a.locks != b.locks and {k: v[0] for k, v in a.locks.items()} != {k: v[0] for k, v in b.locks.items()}:
        return None
    found = every_difference(a, b)
    for _, value, other in found:
        if not same_property(value, other):
            return None
    return found


def join(a: State, b: State, different: list[Difference]) -> None:
    """Make ``a`` hold only what holds in both."""
    env = a.env
    for key, value, other in different:
        env[key] = hull(value, other)
    if b.env.keys() != env.keys():
        for name in b.env.keys() - env.keys():
            if name[0] != "@":
                env[name] = b.env[name]
        for name in [name for name in env if name[0] == "@" and name not in b.env]:
            del env[name]
    if a.temps != b.temps:
        a.temps = {number: value for number, value in a.temps.items() if b.temps.get(number) is value}
    join_heap(a, b)
    if a.status != b.status:
        status = {}
        for region, (what, span) in a.status.items():
            other_status = b.status.get(region)
            if other_status is None or other_status[0] == what:
                status[region] = (what, span)
            else:
                status[region] = (lifetime.joined(what, other_status[0]), max(span, other_status[1]))
        for region, entry in b.status.items():
            status.setdefault(region, entry)
        a.status = status
    if a.texts != b.texts:
        a.texts = {region: hull(length, b.texts[region]) for region, length in a.texts.items() if region in b.texts}
    if a.locks != b.locks:
        a.locks = {key: value for key, value in a.locks.items() if key in b.locks and b.locks[key][0] == value[0]}
    if a.facts != b.facts:
        a.facts = {key: value for key, value in a.facts.items() if b.facts.get(key) == value}


def join_heap(a: State, b: State) -> None:
    """Contents of memory that both states know."""
    two = b.heap
    for region, fields in list(a.heap.items()):
        others = two.get(region)
        if others is fields:
            continue
        if others is None:
            del a.heap[region]
            continue
        both = {
            key: value if others[key] is value else hull(value, others[key])
            for key, value in fields.items()
            if key in others
        }
        every = None if ALL in both else fields.get(ALL) or others.get(ALL)
        if every is not None and every.taint:  # written at some place on one of the two
            both[ALL] = V().having(taint=every.taint, source=every.source)
        a.heap[region] = both
