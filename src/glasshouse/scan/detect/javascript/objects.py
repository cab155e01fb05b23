"""Request data whose shape or keys a program trusts: prototype pollution, arrays for strings, lengths, method names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.requests import ALL, PARSED, request_reads
from glasshouse.scan.detect.javascript.values import Facts, Site, arguments, facts_of

_COMPARISONS = ("<", "<=", ">", ">=", "==", "===", "!=", "!==")
_LODASH_LOOPS = frozenset(
    "each eachRight every filter find findIndex findLast forEach forEachRight map reduce reduceRight some sortBy "
    "chunk compact difference drop fill flatten groupBy keyBy partition reject reverse shuffle union uniq zip".split()
)


def _moves(facts: Facts, site: Site) -> list[ir.Operand]:
    return [site.instr[3]] if site.instr[0] in (ir.MOVE, ir.AWAIT) else []


# --- an array where a string is expected ------------------------------------------------------------------------------


def find_type_confusion(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Checks with ``length``, ``indexOf`` or ``includes`` on a parameter that may be an array.

    ``options.checks`` names the checks to report (all when it is not given).
    """
    facts = facts_of(file)
    wanted = options.get("checks", ("length", "indexOf", "lastIndexOf", "includes"))
    for site in facts.every(ir.CALL_METHOD, ir.ATTR):
        if site.instr[4] not in wanted:
            continue
        if site.instr[0] == ir.CALL_METHOD:
            given = arguments(site.instr)
            if site.instr[4] not in ("indexOf", "lastIndexOf", "includes") or not given:
                continue
            if not isinstance(facts.constant(site.function, given[0]), str):
                continue
        elif site.instr[4] != "length" or not _compared(facts, site):
            continue
        value = site.instr[3]
        if _parsed_field(facts, site.function, value) and not _type_checked(facts, site.function, value):
            yield Hit(site.instr[1], site.function, {"name": facts.text(site.function, value)})


def _parsed_field(facts: Facts, function: int, value: ir.Operand) -> bool:
    """A field of a parsed query or body, not the query or body itself."""
    for origin in request_reads(facts, function, value, PARSED):
        read = origin.site
        assert read is not None
        if not any(
            facts.key(o.function, o.operand) == facts.key(read.function, read.instr[2])
            for o in facts.origins(function, value, _moves)
        ):
            return True
    return False


def _compared(facts: Facts, site: Site) -> bool:
    """The length is compared with something other than zero, outside a loop's test."""
    target = site.instr[2]
    for other in facts.sites[site.function]:
        instr = other.instr
        if instr[0] == ir.BINOP and instr[3] in _COMPARISONS and target in (instr[4], instr[5]):
            bound = instr[5] if instr[4] == target else instr[4]
            value = facts.constant(site.function, bound)
            looping = any(outer[0] in (ir.LOOP, ir.DO_LOOP) for outer in other.within)
            return value != 0 and not looping
    return False


def _type_checked(facts: Facts, function: int, value: ir.Operand) -> bool:
    """Somewhere around, the type of this value is looked at, or it is turned into a string."""
    keys = {facts.key(o.function, o.operand) for o in facts.origins(function, value, _moves, callers=True)}
    names = {facts.path(key.function, key.name) for key in keys} - {""}

    def is_value(place: int, operand: ir.Operand) -> bool:
        return facts.key(place, operand) in keys or facts.path(place, operand) in names

    for index in {key.function for key in keys} | set(facts.around(function)):
        for site in facts.sites[index] if index >= 0 else ():
            instr, op = site.instr, site.instr[0]
            if op == ir.UNOP and instr[3] == "typeof" and is_value(index, instr[4]):
                return True
            if op == ir.IS_TYPE and is_value(index, instr[3]):
                return True
            if op == ir.ATTR and instr[4] == "constructor" and is_value(index, instr[3]):
                return True
            if op in (ir.CALL, ir.CALL_METHOD) and _is_type_test(facts, site):
                if any(is_value(index, operand) for operand in arguments(instr)):
                    return True
    return any(_is_text(facts, site) for key in keys for site in facts.defs.get(key, ()))


def _is_type_test(facts: Facts, site: Site) -> bool:
    name = facts.callee(site)
    last = name.rpartition(".")[2]
    return last in (
        "isArray",
        "isString",
        "isPlainObject",
        "isObject",
        "isArrayLike",
        "Array",
        "toString",
        "ok",
        "validate",
    )


def _is_text(facts: Facts, site: Site) -> bool:
    """The definition makes a string."""
    instr = site.instr
    if instr[0] == ir.TEMPLATE or (instr[0] == ir.BINOP and instr[3] == "+"):
        return True
    if instr[0] == ir.MOVE:
        inner = facts.single(site.function, instr[3])
        return inner is not None and inner.instr[0] != ir.MOVE and _is_text(facts, inner)
    return instr[0] in (ir.CALL, ir.CALL_METHOD) and facts.callee(site).rpartition(".")[2] in (
        "String",
        "toString",
        "join",
        "trim",
    )


# --- loops as long as the client likes --------------------------------------------------------------------------------


def find_loop_bounds(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Loops up to the ``length`` of a parsed object that was not checked to be an array."""
    facts = facts_of(file)
    for site in facts.every(ir.ATTR):
        if site.instr[4] != "length":
            continue
        loop = next((outer for outer in reversed(site.within) if outer[0] in (ir.LOOP, ir.DO_LOOP)), None)
        if loop is None:
            loop = _loop_over(facts, site)
            if loop is None:
                continue
        elif not _in_test(loop, site.instr):
            continue
        value = site.instr[3]
        if _is_parsed(facts, site.function, value) and not _type_checked(facts, site.function, value):
            if not _ends_early(facts, site.function, loop, value):
                yield Hit(site.instr[1], site.function, {"name": facts.text(site.function, value)})
    yield from _library_loops(facts)


def _is_parsed(facts: Facts, function: int, value: ir.Operand) -> bool:
    return any(True for _ in request_reads(facts, function, value, PARSED))


def _in_test(loop: ir.Instr, instr: ir.Instr) -> bool:
    tests = loop[3] if loop[0] == ir.LOOP else loop[4]
    return any(item is instr for item in tests)


def _loop_over(facts: Facts, site: Site) -> ir.Instr | None:
    """The loop whose test compares with a variable that holds this length (``const n = x.length``)."""
    holders = {
        facts.key(s.function, s.instr[2])
        for s in facts.sites[site.function]
        if s.instr[0] == ir.MOVE and s.instr[3] == site.instr[2]
    }
    for other in facts.sites[site.function] if holders else ():
        if other.instr[0] != ir.LOOP:
            continue
        for test in other.instr[3]:
            if test[0] == ir.BINOP and any(
                isinstance(operand, str) and facts.key(site.function, operand) in holders for operand in test[4:6]
            ):
                return other.instr
    return None


def _ends_early(facts: Facts, function: int, loop: ir.Instr, value: ir.Operand) -> bool:
    """The body leaves the loop, or reads a field of an element, which fails when there are no elements."""
    path = facts.path(function, value)
    elements: set[ir.Operand] = set()
    for site in facts.sites[function]:
        if not any(outer is loop for outer in site.within):
            continue
        instr, op = site.instr, site.instr[0]
        if op in (ir.BREAK, ir.RETURN, ir.RAISE):
            return True
        if op == ir.ITEM and facts.path(function, instr[3]) == path:
            elements.add(instr[2])
        elif op == ir.MOVE and instr[3] in elements:
            elements.add(instr[2])
        elif op in (ir.ATTR, ir.CALL_METHOD) and instr[3] in elements:
            return True
    return False


def _library_loops(facts: Facts) -> Iterator[Hit]:
    """lodash and underscore treat every object with a ``length`` as a list."""
    for site in facts.every(ir.CALL_METHOD, ir.CALL):
        module, _, name = facts.callee(site).rpartition(".")
        given = arguments(site.instr)
        if module not in ("lodash", "underscore", "_") or name not in _LODASH_LOOPS or not given:
            continue
        if not _is_parsed(facts, site.function, given[0]) or _type_checked(facts, site.function, given[0]):
            continue
        callback = facts.function_of(site.function, given[1]) if len(given) > 1 else None
        if callback is None or not _reads_field_of_first(facts, callback):
            yield Hit(site.instr[1], site.function, {"name": facts.text(site.function, given[0])})


def _reads_field_of_first(facts: Facts, function: int) -> bool:
    params = facts.file.functions[function].params
    if not params:
        return False
    name = params[0].name
    return any(site.instr[0] in (ir.ATTR, ir.CALL_METHOD) and site.instr[3] == name for site in facts.sites[function])


# --- methods chosen by name -------------------------------------------------------------------------------------------


def find_dynamic_calls(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Calls of ``object[key]`` where the key comes from a request and the result is not checked."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL):
        for origin in facts.origins(site.function, site.instr[3], _moves):
            found = origin.site
            if found is None or not _looked_up(facts, found):
                continue
            key = found.instr[4] if found.instr[0] == ir.ITEM else arguments(found.instr)[0]
            if any(True for _ in request_reads(facts, found.function, key, ALL)) and not _call_checked(facts, site):
                yield Hit(site.instr[1], site.function, {"name": facts.text(found.function, key)})
                break


def _looked_up(facts: Facts, site: Site) -> bool:
    if site.instr[0] == ir.ITEM:
        return True
    return (
        site.instr[0] == ir.CALL_METHOD
        and site.instr[4] == "get"
        and len(arguments(site.instr)) == 1
        and _is_map(facts, site)
    )


def _is_map(facts: Facts, site: Site) -> bool:
    return facts.path(site.function, site.instr[3]) in ("Map()", "WeakMap()")


def _call_checked(facts: Facts, call: Site) -> bool:
    """``typeof f === 'function'``, an own-property test or ``in`` in the same function, or the call is caught."""
    if any(outer[0] == ir.TRY and any(item is call.instr for item in outer[2]) for outer in call.within):
        return True
    for site in facts.sites[call.function]:
        instr = site.instr
        if instr[0] == ir.UNOP and instr[3] == "typeof":
            return True
        if instr[0] == ir.BINOP and instr[3] == "in":
            return True
        if instr[0] == ir.CALL_METHOD and (
            "hasOwn" in facts.callee(site) or instr[4] in ("has", "includes", "isFunction")
        ):
            return True
    return False
