"""jQuery plugins that take an option for a selector where it can also be markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, everything, facts_of, same, walk

_JQUERY = ("$", "jQuery", "jquery")
_EXTENSIBLE = ("$.fn", "jQuery.fn", "jquery.fn", "$.prototype", "jQuery.prototype")
_INSERTS = frozenset(["appendTo", "prependTo", "insertBefore", "insertAfter", "replaceAll"])
_OPTIONS = re.compile(r"o|opts?|options?|settings|config|conf|params?", re.IGNORECASE)
_MARKUP_NAME = re.compile(r"html|markup|template|content", re.IGNORECASE)
_TEXT_PROPERTIES = frozenset(["length", "toString"])


def find_unsafe_jquery_plugins(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``$(options.target)`` in a plugin: an option that begins with ``<`` makes elements."""
    facts = facts_of(file)
    if not any(site.instr[4] in ("fn", "prototype") for site in facts.every(ir.ATTR)):
        return
    plugins = set(_plugins(facts))
    for site in facts.every(ir.CALL, ir.CALL_METHOD) if plugins else ():
        given = arguments(site.instr)
        if not given or not _takes_selector(facts, site) or not plugins & set(facts.around(site.function)):
            continue
        if facts.constant(site.function, given[0]) is not UNKNOWN:
            continue
        if _is_option(facts, site.function, given[0], plugins) and not _guarded(facts, site, given[0]):
            yield Hit(site.instr[1], site.function, {"name": facts.text(site.function, given[0])})


def _takes_selector(facts: Facts, site: Site) -> bool:
    if site.instr[0] == ir.CALL:
        return facts.path(site.function, site.instr[3]) in _JQUERY
    return site.instr[4] in _INSERTS and facts.path(site.function, site.instr[3]).startswith(("$(", "jQuery("))


def _plugins(facts: Facts) -> Iterator[int]:
    """Functions stored in ``$.fn``: by assignment or with ``$.extend``."""
    for site in facts.every(ir.SET_ATTR, ir.SET_ITEM):
        if facts.path(site.function, site.instr[2]) in _EXTENSIBLE:
            target = facts.function_of(site.function, site.instr[4])
            if target is not None:
                yield target
    for site in facts.every(ir.CALL_METHOD):
        given = arguments(site.instr)
        if site.instr[4] != "extend" or len(given) < 2 or facts.path(site.function, given[0]) not in _EXTENSIBLE:
            continue
        made = facts.single(site.function, given[1])
        for item in made.instr[4] if made is not None and made.instr[0] == ir.MAKE else ():
            target = facts.function_of(site.function, item[-1]) if isinstance(item, list) else None
            if target is not None:
                yield target


def _is_option(facts: Facts, function: int, operand: ir.Operand, plugins: set[int]) -> bool:
    """A field of a plugin's parameter (also merged with defaults by ``$.extend``), at the start of the text."""
    name = ""
    found = False
    for origin in facts.origins(function, operand, _start):
        site = origin.site
        if site is None:
            place = facts.parameter(origin.function, origin.operand)
            if place is not None and place[0] in plugins:
                found = found or bool(name) or bool(_OPTIONS.fullmatch(str(origin.operand)))
            continue
        if site.instr[0] == ir.ATTR and not name:
            name = str(site.instr[4])
        if site.instr[0] == ir.MOVE and _markup(facts.constant(site.function, site.instr[3])):
            return False
    return found and not _MARKUP_NAME.search(name) and not _markup_by_default(facts, name)


def _start(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: what decides how the text begins."""
    instr = site.instr
    if instr[0] == ir.CALL_METHOD and instr[4] in ("extend", "assign"):
        return everything(facts, site)
    if instr[0] == ir.BINOP:
        return [instr[4]] if instr[3] == "+" else []
    if instr[0] == ir.TEMPLATE:
        return list(instr[3][:1])
    return same(facts, site)


def _markup(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("<")


def _markup_by_default(facts: Facts, name: str) -> bool:
    """Some object literal of the file gives the option a value that is markup: it is meant to be."""
    for site in facts.every(ir.MAKE):
        for item in site.instr[4]:
            if isinstance(item, list) and len(item) == 2 and facts.constant(site.function, item[0]) == name:
                if _markup(facts.constant(site.function, item[1])):
                    return True
    return False


# --- tests around the use ---------------------------------------------------------------------------------------------


def _guarded(facts: Facts, site: Site, operand: ir.Operand) -> bool:
    """The use lies in the arm of a test in which the value is not text."""
    names = {facts.path(site.function, operand)} - {""}
    keys = {facts.key(o.function, o.operand) for o in facts.origins(site.function, operand, same)}
    for outer in site.within:
        if outer[0] != ir.IF:
            continue
        arm = _arm(outer, site.instr)
        safe = _safe_arm(facts, site.function, outer[2], (keys, names))
        if arm is not None and safe is not None and arm == safe:
            return True
    return False


def _arm(outer: ir.Instr, instr: ir.Instr) -> bool | None:
    for arm, block in ((True, outer[3]), (False, outer[4])):
        if any(item is instr for item, _ in walk(block)):
            return arm
    return None


def _safe_arm(facts: Facts, function: int, condition: ir.Operand, value: tuple[set[Any], set[str]]) -> bool | None:
    """In which arm the tested value is no text; None when the condition does not tell."""
    test = facts.single(function, condition)
    if test is None:
        return None
    instr = test.instr
    if instr[0] == ir.MOVE:
        return _safe_arm(facts, function, instr[3], value)
    if instr[0] == ir.UNOP and instr[3] in ("not", "!"):
        inner = _safe_arm(facts, function, instr[4], value)
        return None if inner is None else not inner
    if instr[0] == ir.ATTR:
        return True if instr[4] not in _TEXT_PROPERTIES and _is(facts, function, instr[3], value) else None
    if instr[0] in (ir.CALL, ir.CALL_METHOD):
        return True if any(_is(facts, function, item, value) for item in arguments(instr)) else None
    if instr[0] == ir.BINOP and instr[3] in ("==", "===", "!=", "!=="):
        return _safe_comparison(facts, function, instr, value)
    return None


def _safe_comparison(facts: Facts, function: int, instr: ir.Instr, value: tuple[set[Any], set[str]]) -> bool | None:
    """``typeof x === "string"``, ``x.jquery !== undefined``, ``typeof x.jquery === "undefined"``."""
    equal = instr[3] in ("==", "===")
    left = facts.single(function, instr[4])
    right = facts.constant(function, instr[5])
    absent = right in (None, "undefined") or facts.path(function, instr[5]) == "undefined"
    if left is None:
        return None
    tested = left.instr
    if tested[0] == ir.UNOP and tested[3] == "typeof":
        if _is(facts, function, tested[4], value):
            return (not equal) if right == "string" else equal
        inner = facts.single(function, tested[4])
        if inner is None or not absent:
            return None
        tested = inner.instr
    if tested[0] == ir.ATTR and absent and tested[4] not in _TEXT_PROPERTIES and _is(facts, function, tested[3], value):
        return not equal
    return None


def _is(facts: Facts, function: int, operand: ir.Operand, value: tuple[set[Any], set[str]]) -> bool:
    keys, names = value
    return facts.path(function, operand) in names or (
        isinstance(operand, str) and facts.key(function, operand) in keys and facts.parameter(function, operand) is None
    )
