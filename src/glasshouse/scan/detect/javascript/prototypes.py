"""Prototype pollution: writes below an object that was looked up by a key from outside.

Three shapes lead there: a recursive merge (``merge(target[key], source[key])``), a walk along a path
(``current = current[keys[i]]``, in a loop, by recursion or by ``reduce``), and two levels of keys out of one text.
What refuses the dangerous keys is in ``prototype_checks``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.prototype_checks import keys_checked, without_prototype
from glasshouse.scan.detect.javascript.requests import ALL, request_reads
from glasshouse.scan.detect.javascript.values import (
    UNKNOWN,
    Facts,
    Key,
    Site,
    arguments,
    everything,
    facts_of,
    parts,
    same,
)

ITERATING = frozenset("each eachOf entries every filter find forEach forIn forOwn map reduce reduceRight some".split())
ITERATING_CALLS = frozenset("for-in for-own foreach for-each each forEach forIn forOwn each-own".split())
KEY_LISTS = ("Object.keys(", "Object.getOwnPropertyNames(", "Reflect.ownKeys(")
SPLITTING = frozenset(["split", "match", "exec", "matchAll"])
CUTTING = frozenset("split shift pop slice splice trim toString filter map concat match exec replace".split())
MAX_NESTED = 3  # callbacks inside callbacks that a key may come through


def find_prototype_pollution(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Writes to an object that was looked up by a key from outside, recursive merges, and walks along a given path."""
    facts = facts_of(file)
    seen: set[int] = set()
    for site in facts.every(ir.SET_ITEM, ir.SET_ATTR):
        if site.instr[1] in seen:
            continue
        found = _polluting(facts, site)
        if found is not None and not keys_checked(facts, site.function, merging=found[1]):
            seen.add(site.instr[1])
            yield Hit(site.instr[1], site.function, {"name": found[0]})


def _polluting(facts: Facts, site: Site) -> tuple[str, bool] | None:
    """The key that may lead to a prototype, and whether the write is part of a merge."""
    holder = site.instr[2]
    for origin in facts.origins(site.function, holder, moves, callers=True):
        found = origin.site
        if found is None or found.instr[0] != ir.ITEM or _kept_apart(facts, found):
            continue
        if any(True for _ in request_reads(facts, found.function, found.instr[4], ALL)):
            return facts.text(found.function, found.instr[4]), False
    if site.instr[0] != ir.SET_ITEM or facts.constant(site.function, site.instr[3]) is not UNKNOWN:
        return None
    name = facts.text(site.function, site.instr[3])
    if _is_merge(facts, site):
        return name, True
    walk = _is_path_walk(facts, site) or _is_recursive_walk(facts, site) or _is_reduction(facts, site)
    if (walk or _is_two_level(facts, site)) and not without_prototype(facts, site):
        return name, False
    return None


def moves(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: the very same value."""
    return [site.instr[3]] if site.instr[0] in (ir.MOVE, ir.AWAIT) else []


def _kept_apart(facts: Facts, site: Site) -> bool:
    path = facts.path(site.function, site.instr[3])
    return path in ("Object.create()", "Map()") or ".session" in path


# --- merges -----------------------------------------------------------------------------------------------------------


def _is_merge(facts: Facts, site: Site) -> bool:
    """``dst[key] = src[key]`` for the keys of an object, in a function that is called again with ``dst[key]``."""
    holder, key, value = site.instr[2:5]
    if not _enumerated(facts, site.function, key, facts.key(site.function, holder)):
        return False
    if not _given(facts, site.function, holder):
        return False
    if not _read_with_key(facts, site.function, value, facts.key(site.function, key)):
        return False
    return any(_recurses(facts, index, holder, key, site) for index in _owners(facts, site.function))


def _owners(facts: Facts, function: int) -> list[int]:
    """The functions around, and those that pass this one on to be called."""
    found = list(facts.around(function))
    found += [call.site.function for call in facts.callbacks.get(function, ())]
    return [index for index in dict.fromkeys(found) if index > 0]


def _enumerated(facts: Facts, function: int, key: ir.Operand, holder: Key) -> bool:
    """The key runs over the keys of another object: ``for in``, or ``Object.keys(x)`` with a loop or callback."""
    for origin in facts.origins(function, key, same):
        site = origin.site
        if site is None:
            place = facts.parameter(origin.function, origin.operand)
            calls = facts.callbacks.get(place[0], ()) if place is not None and place[1] <= 1 else ()
            if any(iterates(facts, call.site) for call in calls):
                return True
        elif site.instr[0] == ir.FOREACH:
            if site.instr[6] == "keys":
                return facts.key(site.function, site.instr[4]) != holder
            if "Object." in facts.path(site.function, site.instr[4]):
                return True
        elif site.instr[0] == ir.ITEM and facts.path(site.function, site.instr[3]).startswith(KEY_LISTS):
            return True
    return False


def iterates(facts: Facts, site: Site) -> bool:
    """Whether a call runs the function it is given for every element or property of something."""
    if site.instr[0] == ir.CALL_METHOD:
        return site.instr[4] in ITERATING
    return facts.callee(site).rpartition(".")[2] in ITERATING_CALLS


def _given(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """The object comes from a caller: a parameter, ``arguments``, or ``this`` of a function that is passed on."""
    for origin in facts.origins(function, operand, parts):
        if origin.site is not None:
            continue
        if origin.operand == "arguments" or facts.parameter(origin.function, origin.operand) is not None:
            return True
        if origin.operand == "this" and origin.function in facts.callbacks:
            return True
    return False


def _read_with_key(facts: Facts, function: int, value: ir.Operand, key: Key) -> bool:
    """The value is, or was computed from, ``something[key]``."""
    for origin in facts.origins(function, value, _through_call):
        site = origin.site
        if site is not None and site.instr[0] == ir.ITEM and facts.key(site.function, site.instr[4]) == key:
            return True
        if (
            site is not None
            and site.instr[0] == ir.FOREACH
            and "Object.entries" in facts.path(site.function, site.instr[4])
        ):
            return True
        if site is None and _of_callback(facts, origin.function, origin.operand):
            return True
    return False


def _through_call(facts: Facts, site: Site) -> list[ir.Operand]:
    if site.instr[0] in (ir.CALL, ir.CALL_METHOD):
        return arguments(site.instr)
    return same(facts, site)


def _of_callback(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """``Object.entries(src).forEach(([key, value]) => ...)`` or ``_.each(src, (value, key) => ...)``."""
    place = facts.parameter(function, operand)
    return place is not None and any(iterates(facts, call.site) for call in facts.callbacks.get(place[0], ()))


def _recurses(facts: Facts, function: int, holder: ir.Operand, key: ir.Operand, write: Site) -> bool:
    """The function is called from within with what the target holds under the key."""
    wanted = (facts.key(write.function, holder), facts.key(write.function, key))
    for site in _inner_calls(facts, function, write.function):
        for operand in arguments(site.instr):
            if any(_is_member(facts, o.site, wanted) for o in facts.origins(site.function, operand, moves)):
                return True
    return False


def _inner_calls(facts: Facts, function: int, inside: int) -> Iterator[Site]:
    """Calls of a function from its own body, or from the body of one that it passes on."""
    name = facts.file.functions[function].name
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        if site.function == inside or function in facts.around(site.function):
            if _calls(facts, site, function, name):
                yield site


def _is_member(facts: Facts, site: Site | None, wanted: tuple[Key, Key]) -> bool:
    if site is None or site.instr[0] != ir.ITEM:
        return False
    return (facts.key(site.function, site.instr[3]), facts.key(site.function, site.instr[4])) == wanted


def _calls(facts: Facts, site: Site, function: int, name: str) -> bool:
    if site.instr[0] == ir.CALL_METHOD:
        return bool(site.instr[4] == name)
    callee = site.instr[3]
    return bool(callee == name) or facts.function_of(site.function, callee) == function


# --- walks along a path -----------------------------------------------------------------------------------------------


def _is_path_walk(facts: Facts, site: Site) -> bool:
    """``current = current[keys[i]]`` in a loop, then ``current[last] = value`` with keys from a parameter."""
    holder, key = site.instr[2], site.instr[3]
    if not isinstance(holder, str) or not _outside(facts, site.function, key):
        return False
    target = facts.key(site.function, holder)
    for step in facts.defs.get(target, ()):
        if step.instr[0] != ir.MOVE or not _repeated(facts, step):
            continue
        for origin in facts.origins(step.function, step.instr[3], moves):
            found = origin.site
            if found is not None and found.instr[0] == ir.ITEM and facts.key(found.function, found.instr[3]) == target:
                if _outside(facts, found.function, found.instr[4]):
                    return True
    return False


def _repeated(facts: Facts, site: Site) -> bool:
    if any(outer[0] in (ir.LOOP, ir.DO_LOOP, ir.FOREACH) for outer in site.within):
        return True
    return any(iterates(facts, call.site) for call in facts.callbacks.get(site.function, ()))


def _is_recursive_walk(facts: Facts, site: Site) -> bool:
    """``set(object[key], rest, value)``: the function calls itself with what it looked up by a part of the path."""
    holder, key = site.instr[2], site.instr[3]
    place = facts.parameter(site.function, holder)
    if place is None or not _outside(facts, site.function, key):
        return False
    wanted = facts.key(site.function, holder)
    member = (wanted, facts.key(site.function, key))
    if any(_is_member(facts, o.site, member) for o in facts.origins(site.function, site.instr[4], everything)):
        return False  # what is there already is changed in place
    for call in _inner_calls(facts, place[0], site.function):
        given = arguments(call.instr)
        if place[1] >= len(given):
            continue
        for origin in facts.origins(call.function, given[place[1]], moves):
            found = origin.site
            if found is None or found.instr[0] != ir.ITEM or facts.key(found.function, found.instr[3]) != wanted:
                continue
            if _cut_off(facts, found.function, found.instr[4]):
                return True
    return False


def _is_reduction(facts: Facts, site: Site) -> bool:
    """``keys.reduce((object, key) => object[key] = ..., root)``, where the callback gives back ``object[key]``."""
    place = facts.parameter(site.function, site.instr[2])
    if place is None or place[1] != 0 or not _outside(facts, site.function, site.instr[3]):
        return False
    if not any(
        call.site.instr[0] == ir.CALL_METHOD and call.site.instr[4] in ("reduce", "reduceRight")
        for call in facts.callbacks.get(place[0], ())
    ):
        return False
    wanted = facts.key(site.function, site.instr[2])
    for back in facts.sites[place[0]]:
        if back.instr[0] == ir.RETURN:
            for origin in facts.origins(back.function, back.instr[2], moves):
                found = origin.site
                if found is not None and found.instr[0] == ir.ITEM:
                    if facts.key(found.function, found.instr[3]) == wanted:
                        return True
    return False


def _is_two_level(facts: Facts, site: Site) -> bool:
    """``section = table[name]; section[key] = value``, where name and key are cut out of text that was given."""
    if not _cut_off(facts, site.function, site.instr[3], SPLITTING):
        return False
    for origin in facts.origins(site.function, site.instr[2], moves):
        found = origin.site
        if (
            found is not None
            and found.instr[0] == ir.ITEM
            and _cut_off(facts, found.function, found.instr[4], SPLITTING)
        ):
            return not _kept_apart(facts, found)
    return False


def _cut_off(facts: Facts, function: int, key: ir.Operand, by: frozenset[str] = CUTTING) -> bool:
    """The key is a part of a path or text that was given: split off, shifted, or taken apart by a pattern."""
    for origin in facts.origins(function, key, _pieces):
        site = origin.site
        if site is None:
            continue
        if site.instr[0] == ir.CALL_METHOD and site.instr[4] in by:
            return _outside(facts, function, key)
        if by is CUTTING and site.instr[0] == ir.ITEM and _outside(facts, function, key):
            return True
    return False


def _pieces(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: back to the text or list that something was cut out of."""
    instr = site.instr
    if instr[0] == ir.CALL_METHOD and instr[4] in CUTTING:
        regexp = instr[4] == "exec" and bool(instr[5])
        return [arguments(instr)[0]] if regexp and arguments(instr) else [instr[3]]
    if instr[0] in (ir.CALL, ir.CALL_METHOD):
        return arguments(instr)
    if instr[0] == ir.ATTR and instr[4] == "length":
        return []
    return parts(facts, site)


def _outside(facts: Facts, function: int, key: ir.Operand, depth: int = 0) -> bool:
    """The key is (an element of) a parameter, or of a text split up; not an element of a constant list."""
    for origin in facts.origins(function, key, _pieces):
        if origin.site is not None:
            continue
        if origin.operand == "arguments":
            return True
        place = facts.parameter(origin.function, origin.operand)
        if place is None:
            continue
        lists = [
            call.site
            for call in facts.callbacks.get(place[0], ())
            if call.site.instr[0] == ir.CALL_METHOD and call.site.instr[4] in ITERATING
        ]
        if not lists or depth >= MAX_NESTED:
            return True
        if any(_outside(facts, site.function, site.instr[3], depth + 1) for site in lists):
            return True
    return False
