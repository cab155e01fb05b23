"""Detectors that judge a value by name or shape: constant credentials, weak randomness, comparisons, slow patterns."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, everything, facts_of
from glasshouse.scan.detect.mentions import mentions_of
from glasshouse.scan.detect.private_flow import CALLS, keywords, named, pick, shown
from glasshouse.scan.detect.secrets import credential_name, is_placeholder, looks_like_secret, redact

_MIN_ARGUMENT = 4  # characters of a constant password argument
_WHOLE = (".fullmatch", ".matches")  # the whole text must match
_MIN_PATTERN, _MAX_PATTERN = 4, 2000  # characters of a regular expression worth judging
_QUANTIFIED = re.compile(r"\)[*+{]|[*+}].*[*+}]", re.DOTALL)


def find_hardcoded_credentials(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Constant texts that are given to credential-like names, or to arguments that are known to be credentials."""
    mentions = mentions_of(file)
    seen: set[int] = set()
    for name, function, value, span in mentions.texts:
        if span not in seen and credential_name(name) and looks_like_secret(name, value)[0]:
            seen.add(span)
            yield Hit(span, function, {"name": name, "value": redact(value), "source": name, "sink": name})
    entries = [entry for entry in map(_entry, options.get("calls", ())) if mentions.may_call(entry["call"])]
    if not entries:
        return
    facts = facts_of(file)
    for site in facts.every(*CALLS):
        if site.instr[1] in seen:
            continue
        for entry in entries:
            callee = facts.callee(site)
            if any(named(callee, path) for path in entry["call"]) and _constant_credential(facts, site, entry["args"]):
                seen.add(site.instr[1])
                name = f"a password for {shown(callee)}"
                yield Hit(site.instr[1], site.function, {"name": name, "sink": shown(callee), "value": ""})
                break


def _constant_credential(facts: Facts, site: Site, selectors: list[str]) -> bool:
    for selector in selectors:
        for operand in pick(site, selector):
            value = facts.constant(site.function, operand)
            if isinstance(value, str) and len(value) >= _MIN_ARGUMENT and not is_placeholder(value):
                return True
    return False


def _given(facts: Facts) -> Iterator[tuple[str, int, ir.Operand, int]]:
    """(name, function, value, span) for every place where a value is given a name."""
    for sites in facts.sites:
        for site in sites:
            instr, op = site.instr, site.instr[0]
            if op == ir.MOVE and isinstance(instr[2], str):
                yield instr[2], site.function, instr[3], instr[1]
            elif op == ir.SET_ATTR:
                yield str(instr[3]), site.function, instr[4], instr[1]
            elif op == ir.SET_ITEM:
                key = facts.literal(site.function, instr[3])
                if isinstance(key, str):
                    yield key, site.function, instr[4], instr[1]
            elif op == ir.MAKE and instr[3] == "dict":
                for item in instr[4]:
                    if isinstance(item, list) and len(item) == 2 and item[0] != "*":
                        key = facts.literal(site.function, item[0])
                        if isinstance(key, str):
                            yield key, site.function, item[1], instr[1]
            elif op == ir.DEFAULT and isinstance(instr[2], str):
                yield instr[2], site.function, instr[4], instr[1]
            elif op in CALLS:
                for keyword, operand in keywords(instr):
                    yield keyword, site.function, operand, instr[1]


def find_weak_random(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Calls of ordinary generators whose results become something with a secret's name."""
    wanted = frozenset(options.get("calls", ()))
    mentions = mentions_of(file)
    if not mentions.modules & {path.partition(".")[0] for path in wanted} or not mentions.may_call(wanted):
        return
    facts = facts_of(file)
    if not any(facts.callee(site) in wanted for site in facts.every(*CALLS)):
        return
    names = re.compile(str(options.get("names", "")))
    seen: set[int] = set()
    for site in facts.every(*CALLS) if options.get("within") else ():  # in a function that is called what it makes
        name = facts.file.functions[site.function].name
        if names.fullmatch(name) and facts.callee(site) in wanted:
            seen.add(site.instr[1])
            yield Hit(site.instr[1], site.function, {"name": name, "sink": shown(facts.callee(site)), "value": ""})
    for name, function, operand, _ in [*_given(facts), *_returned(facts)]:
        if not names.fullmatch(name):
            continue
        for site in _made_of(facts, function, operand):
            if site.instr[0] not in CALLS or site.instr[1] in seen:
                continue
            callee = facts.callee(site)
            if callee in wanted:
                seen.add(site.instr[1])
                yield Hit(site.instr[1], site.function, {"name": name, "sink": shown(callee), "value": ""})


def _made_of(facts: Facts, function: int, operand: ir.Operand) -> Iterator[Site]:
    """Definitions behind a value, and behind what was appended to the lists it was joined from."""
    appended: dict[ir.Operand, list[Any]] = {}
    for site in facts.sites[function]:
        if site.instr[0] == ir.CALL_METHOD and site.instr[4] in ("append", "add", "insert", "extend"):
            appended.setdefault(site.instr[3], []).extend(site.instr[5])
    waiting, seen = [operand], {operand}
    while waiting:
        for origin in facts.origins(function, waiting.pop(), everything):
            if origin.site is not None:
                yield origin.site
            for added in appended.get(origin.operand, ()) if origin.function == function else ():
                if isinstance(added, (str, int)) and added not in seen:
                    seen.add(added)
                    waiting.append(added)


def _returned(facts: Facts) -> Iterator[tuple[str, int, ir.Operand, int]]:
    for site in facts.every(ir.RETURN):
        if facts.file.functions[site.function].decorators:
            continue  # a page of `token` is no token: what it holds has names of its own
        yield facts.file.functions[site.function].name, site.function, site.instr[2], site.instr[1]


def find_timing_comparisons(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``==`` on a computed signature."""
    calls = tuple(options.get("calls", ()))
    if not mentions_of(file).modules & {path.partition(".")[0] for path in calls}:
        return
    facts = facts_of(file)
    for site in facts.every(ir.BINOP):
        if site.instr[3] not in ("==", "!=", "===", "!=="):
            continue
        left, right = site.instr[4], site.instr[5]
        if any(facts.constant(site.function, item) is not UNKNOWN for item in (left, right)):
            continue
        for operand in (left, right):
            path = facts.path(site.function, operand)
            if any(path in (f"{call}()", call) for call in calls):
                yield Hit(site.instr[1], site.function, {"name": "a signature", "value": "", "sink": "=="})
                break


def find_slow_patterns(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Constant regular expressions that can take very long, where the rule's calls are given them."""
    if not any(_may_be_slow(value) for function in file.functions for value in function.consts):
        return
    facts = facts_of(file)
    wanted: dict[str, list[Mapping[str, Any]]] = {}
    for entry in map(_entry, options.get("calls", ())):
        for path in entry["call"]:
            wanted.setdefault(path.rpartition(".")[2], []).append(entry)
    for site in facts.every(*CALLS):
        name = facts.callee(site)
        for entry in wanted.get(name.rpartition(".")[2], ()):
            if not any(named(name, path) for path in entry["call"]):
                continue
            text = _slow(facts, site, entry, "f" if name.endswith(_WHOLE) else "")
            if text:
                yield Hit(site.instr[1], site.function, {"value": text, "name": shown(name), "sink": shown(name)})
            break


@functools.lru_cache(maxsize=1024)
def _judge(pattern: str, flags: str) -> str:
    from glasshouse.scan.detect.redos import is_slow

    return is_slow(pattern, flags) or ""


def _may_be_slow(value: object) -> bool:
    """Whether a constant could be a slow pattern, or a piece of one, at a glance."""
    if not isinstance(value, str) or not _MIN_PATTERN <= len(value) <= _MAX_PATTERN or "\n\n" in value:
        return False
    return _QUANTIFIED.search(value) is not None and bool(_judge(value, "f"))


def _entry(given: object) -> Mapping[str, Any]:
    """An entry of ``options.calls``; a bare path means its first argument."""
    return given if isinstance(given, Mapping) else {"call": [str(given)], "args": ["0"]}


def _slow(facts: Facts, site: Site, entry: Mapping[str, Any], flags: str) -> str:
    for selector in entry["args"]:
        for operand in pick(site, selector):
            pattern = facts.constant(site.function, operand)
            if isinstance(pattern, str):
                return _judge(pattern, flags + str(entry.get("flags", "")))
    return ""
