"""Joining states where control flow meets, and telling whether a loop has settled."""

from __future__ import annotations

from typing import Any

from glasshouse.scan.interp.heap import Heap
from glasshouse.scan.interp.values import UNKNOWN, Obj, Taint, Value, join

Env = dict[str, Value]
State = tuple[Env, Heap]
TESTED = "$tested"  # variable that holds what tests have told of fields (see `access_paths`)


def same_fields(have: dict[Any, Value], fields: dict[Any, Value], ordered: bool) -> dict[Any, Value]:
    """Fields of one object after two ways meet."""
    merged = dict(have)
    for key, value in fields.items():
        old = merged.get(key)
        merged[key] = value if old is None or old is value else join(old, value)
    if ordered and len(have) != len(fields):
        merged["#len"] = UNKNOWN
    return merged


def join_env(a: Env, b: Env) -> Env:
    """Variables after two ways meet; ``a`` is changed and returned."""
    if TESTED in a or TESTED in b:
        a = keep_common(a, b)
    for name, value in b.items():
        have = a.get(name)
        if have is None:
            a[name] = value
        elif have is not value and name != TESTED:
            a[name] = join(have, value)
    return a


def keep_common(a: Env, b: Env) -> Env:
    """What tests have told holds afterwards only if it holds on both ways; ``a`` is changed and returned."""
    mine, other = a.pop(TESTED, None), b.get(TESTED)
    left = mine.const if mine is not None else {}
    right = other.const if other is not None else {}
    a[TESTED] = Value({place: mask & right[place] for place, mask in left.items() if place in right})
    return a


def join_heap(a: Heap, b: Heap, since: int) -> Heap:
    """Fields after two ways meet; ``a`` is changed and returned.  What was written before ``since`` is the same."""
    if a is b:
        return a
    log = a.log
    touched = b if len(log) - since > len(b) else dict.fromkeys(log[since:])
    for obj in touched:
        fields = b.get(obj)
        if fields is None:
            continue
        have = a.get(obj)
        if have is None:
            a[obj] = fields
        elif have is not fields:
            a[obj] = same_fields(have, fields, obj.__class__ is Obj and obj.kind == "list")
    return a


def join_state(a: State | None, b: State | None, since: int) -> State | None:
    if a is None:
        return b
    if b is None:
        return a
    return join_env(dict(a[0]), b[0]), join_heap(a[1].fork(), b[1], since)


def same_env(a: Env, b: Env) -> bool:
    """Whether nothing that was there before (``a``) has changed; what is new cannot be carried round a loop."""
    for name, have in a.items():
        value = b.get(name)
        if have is not value and (value is None or not same_value(have, value)):
            return False
    return True


def same_value(a: Value, b: Value) -> bool:
    if a.taint is not b.taint:
        if not a.taint or not b.taint or len(a.taint) != len(b.taint):
            return False
        for label, mark in b.taint.items():
            have = a.taint.get(label)
            if have is None or have[0] != mark[0]:
                return False
    return a.const is b.const and a.path == b.path and len(a.refs) == len(b.refs)


def same_heap(a: Heap, b: Heap, since: int) -> bool:
    """Whether no object that was there before has taken on taint."""
    for obj in dict.fromkeys(b.log[since:]):
        have, fields = a.get(obj), b.get(obj)
        if have is None or fields is None or have is fields:
            continue
        for name, value in fields.items():
            if value.taint and (name not in have or not covers(have[name].taint, value.taint)):
                return False
    return True


def covers(have: Taint | None, taint: Taint) -> bool:
    if have is taint:
        return True
    if not have or len(have) < len(taint):
        return False
    return all(label in have and not mark[0] & ~have[label][0] for label, mark in taint.items())
