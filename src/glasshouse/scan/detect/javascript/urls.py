"""Checks of addresses, hosts and message origins that let others through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import Facts, Site, arguments, facts_of

_TOP = "com|org|net|edu|gov|io|dev|app|co|uk|de|fr|nl|eu|us|ca|au|jp|cn|in|ru|br|info|biz|me|ai|cloud|example|test"
_HOST = re.compile(
    rf"(?P<scheme>https?://|//)?(?P<host>\.?(?:[\w-]+\.)+(?:{_TOP}))(?P<port>:\d+)?(?P<rest>/.*)?", re.IGNORECASE
)
_HOST_IN_PATTERN = re.compile(rf"[\w)\]]\\?\.(?:{_TOP})(?![\w-])", re.IGNORECASE)
_OPEN_DOT = re.compile(
    r"(?:(?<=[\w)\]])(?<!\\[wdsbDWSB])|(?<=[\w)\]][+*?]))\.(?P<rest>[\w-]+(?:\\?\.[\w-]+)*)", re.IGNORECASE
)
_SCHEMES = ("javascript", "data", "vbscript")
_SCHEME_IN_PATTERN = re.compile(r"(?<![a-z])(javascript|data|vbscript)(?![a-z])", re.IGNORECASE)
_LIST_NAME = re.compile(r"(list|hosts|domains|origins|urls|allowed|whitelist|names|sites|set)\d*$", re.IGNORECASE)
_SPLIT_DEPTH = 40
_NOT_TEXT = re.compile(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)|\[[^\]]*\]")
_LETTERS = re.compile(r"[a-zA-Z]{3}")


# --- schemes ----------------------------------------------------------------------------------------------------------


def find_incomplete_scheme_checks(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Functions that refuse ``javascript:`` but neither ``data:`` nor ``vbscript:``."""
    facts = facts_of(file)
    for function in range(len(file.functions)):
        tested = dict(_scheme_tests(facts, function))
        if "javascript" in tested and len(tested) < len(_SCHEMES):
            missing = [f"{name}:" for name in _SCHEMES if name not in tested]
            known = [f"{name}:" for name in _SCHEMES if name in tested]
            args = {"name": " and ".join(known), "value": " and ".join(missing)}
            yield Hit(tested["javascript"].instr[1], function, args)


def _scheme_tests(facts: Facts, function: int) -> Iterator[tuple[str, Site]]:
    """(scheme, test) of one function; later entries are kept last so the first test is reported by reversing."""
    for site in reversed(facts.sites[function]):
        for text in _tested_texts(facts, site):
            for name in _SCHEME_IN_PATTERN.findall(text):
                yield name.lower(), site


def _tested_texts(facts: Facts, site: Site) -> Iterator[str]:
    """Constant texts that an instruction compares with or searches for, when they name a scheme."""
    instr, op = site.instr, site.instr[0]
    if op == ir.CALL_METHOD and instr[4] in ("startsWith", "indexOf", "includes", "match", "test", "exec", "search"):
        operands = [*arguments(instr), instr[3]]
    elif op == ir.BINOP and instr[3] in ("==", "===", "!=", "!=="):
        operands = [instr[4], instr[5]]
    elif op == ir.SWITCH:
        operands = [item for case in instr[4] for item in case[0]]
    else:
        return
    for operand in operands:
        text = facts.constant(site.function, operand)
        if isinstance(text, str) and re.fullmatch(r"(javascript|data|vbscript):.{0,3}", text.strip(), re.IGNORECASE):
            yield text
        found = facts.regexp(site.function, operand)
        if found is not None and re.search(r":|\\W", found[0]) and "javascript" in found[0].lower():
            yield found[0]


# --- parts of an address ----------------------------------------------------------------------------------------------


def find_substring_checks(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``includes``, ``indexOf``, ``startsWith`` and ``endsWith`` with a host where a whole host must be compared."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD):
        name, given = site.instr[4], arguments(site.instr)
        if name not in ("includes", "indexOf", "lastIndexOf", "startsWith", "endsWith", "contains") or not given:
            continue
        text = facts.constant(site.function, given[0])
        host = _HOST.fullmatch(text) if isinstance(text, str) else None
        if host is None or _is_list(facts, site):
            continue
        if _lets_others_through(facts, site, name, host):
            yield Hit(site.instr[1], site.function, {"value": repr(text)})


def _is_list(facts: Facts, site: Site) -> bool:
    """The receiver is a list of texts, where ``includes`` compares whole elements."""
    holder = facts.single(site.function, site.instr[3])
    if holder is not None and holder.instr[0] == ir.MOVE:
        inner = facts.single(holder.function, holder.instr[3])
        holder = inner if inner is not None else holder
    made = holder is not None and holder.instr[0] in (ir.MAKE, ir.NEW)
    return made or bool(_LIST_NAME.search(facts.path(site.function, site.instr[3])))


def _lets_others_through(facts: Facts, site: Site, name: str, host: re.Match[str]) -> bool:
    at_start = name == "startsWith" or (name == "indexOf" and _compared_with_zero(facts, site))
    if at_start:
        return host["scheme"] is not None and host["rest"] is None and host["port"] is None
    if name == "endsWith":
        return not host["host"].startswith(".") and host["scheme"] is None
    return True


def _compared_with_zero(facts: Facts, site: Site) -> bool:
    target = site.instr[2]
    for other in facts.sites[site.function]:
        instr = other.instr
        if instr[0] == ir.BINOP and instr[3] in ("==", "===", "!=", "!==") and target in (instr[4], instr[5]):
            sides = [facts.literal(site.function, operand) for operand in (instr[4], instr[5])]
            return any(side == 0 and side is not False for side in sides)
    return False


# --- patterns for hosts -----------------------------------------------------------------------------------------------


def _patterns(facts: Facts) -> Iterator[tuple[Site, str, bool]]:
    """(place, pattern, used for replacing) of every constant regular expression that a text is matched against."""
    for site in facts.every(ir.NEW, ir.CALL):
        if facts.path(site.function, site.instr[3]) == "RegExp":
            found = facts.regexp(site.function, site.instr[2])
            if found is not None:
                yield site, found[0], _only_replaces(facts, site)
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] in ("match", "matchAll", "search") and arguments(site.instr):
            text = facts.constant(site.function, arguments(site.instr)[0])
            if isinstance(text, str):
                yield site, text, False


def _only_replaces(facts: Facts, site: Site) -> bool:
    """The expression is given to ``replace`` or ``split``."""
    return any(
        other.instr[0] == ir.CALL_METHOD
        and other.instr[4] in ("replace", "replaceAll", "split")
        and site.instr[2] in arguments(other.instr)
        for other in facts.sites[site.function]
    )


def find_unescaped_hostnames(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Host names in patterns with a dot that matches any character."""
    facts = facts_of(file)
    for site, pattern, _ in _patterns(facts):
        for match in _OPEN_DOT.finditer(pattern):
            rest = match["rest"]
            plain = rest.replace("\\", "")
            ends = re.search(rf"(?:^|\.)(?:{_TOP})$", plain, re.IGNORECASE)
            if ends and _looks_like_host(pattern, match.start(), plain):
                yield Hit(site.instr[1], site.function, {"value": repr(plain)})
                break


def _looks_like_host(pattern: str, dot: int, rest: str) -> bool:
    """A scheme, an anchor or a further label before the dot tell a host from prose."""
    before = pattern[:dot]
    return "." in rest or bool(re.search(r"//|\\/|\^|\\\.|https?|www", before))


def find_missing_anchors(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Patterns for addresses that match anywhere, and alternatives of which only some are anchored."""
    facts = facts_of(file)
    for site, pattern, replaces in _patterns(facts):
        if replaces or not _HOST_IN_PATTERN.search(pattern):
            fault = not replaces and _half_anchored(pattern)
        else:
            fault = _unanchored(pattern) or _half_anchored(pattern)
        if fault:
            yield Hit(site.instr[1], site.function, {"value": f"/{pattern[:80]}/"})


def _unanchored(pattern: str) -> bool:
    if not pattern.startswith(("^", "(^", "(?:^")) and not re.search(r"(?<!\\)\$\)?$", pattern):
        return "^" not in pattern.replace("[^", "")
    return pattern.startswith("^") and bool(re.search(rf"\\?\.(?:{_TOP})\)?$", pattern, re.IGNORECASE))


def _half_anchored(pattern: str) -> bool:
    """``^a|b$``: each anchor holds for one alternative only."""
    choices = alternatives(pattern)
    if len(choices) < 2 or not all(_LETTERS.search(_NOT_TEXT.sub("", choice)) for choice in choices):
        return False
    starts = [choice.startswith("^") for choice in choices]
    ends = [choice.endswith("$") and not choice.endswith("\\$") for choice in choices]
    return (starts[0] and not any(starts[1:]) and not all(ends)) or (
        ends[-1] and not any(ends[:-1]) and not all(starts)
    )


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern outside groups and classes."""
    found, depth, start, place, inside = [], 0, 0, 0, False
    while place < len(pattern):
        mark = pattern[place]
        if mark == "\\":
            place += 1
        elif inside:
            inside = mark != "]"
        elif mark == "[":
            inside = True
        elif mark in "()":
            depth += 1 if mark == "(" else -1
        elif mark == "|" and depth == 0:
            found.append(pattern[start:place])
            start = place + 1
            if len(found) > _SPLIT_DEPTH:
                break
        place += 1
    return [*found, pattern[start:]]


# --- messages between windows -----------------------------------------------------------------------------------------


def find_missing_origin_checks(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Handlers of window messages that use the data and never look at the origin."""
    facts = facts_of(file)
    for function in sorted(set(_message_handlers(facts))):
        params = file.functions[function].params
        if not params:
            continue
        reads = _reads(facts, function, params[0].name, 0)
        if "data" in reads and not reads & {"origin", "source", "?"}:
            name = params[0].name if not params[0].name.startswith("$") else "event"
            yield Hit(file.functions[function].span, function, {"name": name})


def _message_handlers(facts: Facts) -> Iterator[int]:
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        name = site.instr[4] if site.instr[0] == ir.CALL_METHOD else site.instr[3]
        given = arguments(site.instr)
        if name in ("addEventListener", "attachEvent", "on") and len(given) > 1:
            holder = facts.path(site.function, site.instr[3]) if site.instr[0] == ir.CALL_METHOD else "window"
            window = holder in ("window", "self", "globalThis", "top", "parent", "$()", "jQuery()")
            target = facts.function_of(site.function, given[1])
            if window and facts.constant(site.function, given[0]) in ("message", "onmessage") and target is not None:
                yield target
    for site in facts.every(ir.SET_ATTR):
        if site.instr[3] == "onmessage" and facts.path(site.function, site.instr[2]) in ("window", "globalThis"):
            target = facts.function_of(site.function, site.instr[4])
            if target is not None:
                yield target


def _reads(facts: Facts, function: int, name: str, depth: int) -> set[str]:
    """Attributes read of a parameter, here and in functions of the file that it is passed to; "?": unknown."""
    found: set[str] = set()
    key = facts.key(function, name)
    for sites in facts.sites:
        for site in sites:
            instr, op = site.instr, site.instr[0]
            if op == ir.ATTR and facts.key(site.function, instr[3]) == key:
                found.add(instr[4])
            elif op == ir.CALL_METHOD and facts.key(site.function, instr[3]) == key:
                found.add(instr[4])
            elif op == ir.CALL and any(facts.key(site.function, item) == key for item in arguments(instr)):
                found |= _passed_on(facts, site, key.name, depth)
    return found


def _passed_on(facts: Facts, site: Site, name: ir.Operand, depth: int) -> set[str]:
    target = facts.function_of(site.function, site.instr[3])
    place = arguments(site.instr).index(name) if name in arguments(site.instr) else -1
    if target is None or depth > 2 or not 0 <= place < len(facts.file.functions[target].params):
        return {"?"}
    return _reads(facts, target, facts.file.functions[target].params[place].name, depth + 1)
