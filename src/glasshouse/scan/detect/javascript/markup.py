"""Text made by hand for another language: HTML stripped of angle brackets only, tags expanded, code around JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.sanitization import (
    Replacement,
    chain_before,
    class_members,
    receivers,
    replacements,
)
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, facts_of, parts

_ALTERNATIVES = re.compile(r"\(?(?:\?:)?((?:\\?[^\w\\]\|)+\\?[^\w\\])\)?")
_NEEDED = frozenset("\"'&")
_OPEN_AND_CLOSE = re.compile(r"<\$\d[^<>]*></\$\d>")
_SELF_CLOSING = re.compile(r"^<.*/>$", re.DOTALL)
_CODE = re.compile(r"\bfunction\s*\w*\s*\([^)]*\)\s*\{|\)\s*=>\s*\{|^\s*\w+\s*=>\s*\{")
_ENCODERS = frozenset(["stringify", "htmlescape", "serialize"])


# --- tags stripped of their brackets ----------------------------------------------------------------------------------


def find_bracket_stripping(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Chains of removals that take out ``<`` but leave a quote or ``&``: markup inside attributes stays possible."""
    facts = facts_of(file)
    found = [item for item in replacements(facts) if _removes_brackets(item)]
    later = receivers(replacements(facts), facts) if found else {}
    for item in found:
        chain = [item, *chain_before(facts, item)]
        after = later.get(id(item.site.instr), [])
        if any(_removes_brackets(other) for other in after):
            continue
        covered = [_covered(other) for other in (*chain, *after)]
        if any(members is None for members in covered):
            continue
        left = _NEEDED - frozenset().union(*(members or () for members in covered))
        if left:
            shown = " and ".join(sorted(left))
            yield Hit(item.site.instr[1], item.site.function, {"name": f"{shown} stay in the text"})


def _removes_brackets(item: Replacement) -> bool:
    if item.text != "" or item.flags is None or "g" not in item.flags:
        return False
    members = _covered(item)
    return members is not None and "<" in members


def _covered(item: Replacement) -> frozenset[str] | None:
    """Characters a global replacement takes care of; None when it may be any."""
    if item.flags is None or "g" not in item.flags:
        return frozenset()
    if item.literal is not None:
        return frozenset(item.literal) if len(item.literal) == 1 else frozenset()
    if item.text is UNKNOWN or "[^" in item.pattern or re.search(r"\[.*[^\\]-.*\]", item.pattern):
        return None
    alternatives = _ALTERNATIVES.fullmatch(item.pattern)
    if alternatives is not None:
        return frozenset(part[-1] for part in alternatives.group(1).split("|"))
    return class_members(item.pattern)


# --- self-closing tags expanded ---------------------------------------------------------------------------------------


def find_tag_expansion(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``<x/>`` rewritten as ``<x></x>`` by a pattern: text inside ``<style>`` or a comment becomes live markup."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD):
        given = arguments(site.instr)
        if site.instr[4] not in ("replace", "replaceAll") or len(given) < 2:
            continue
        text = facts.constant(site.function, given[1])
        if not isinstance(text, str) or not _OPEN_AND_CLOSE.search(text):
            continue
        found = facts.regexp(site.function, given[0])
        if found is None or _SELF_CLOSING.match(found[0].replace("\\/", "/")):
            yield Hit(site.instr[1], site.function, {})


# --- code around JSON -------------------------------------------------------------------------------------------------


def find_code_from_json(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Program text put together from constant code and encoded data, where the encoding is not made for code."""
    facts = facts_of(file)
    for site in facts.every(ir.TEMPLATE, ir.BINOP):
        pieces = site.instr[3] if site.instr[0] == ir.TEMPLATE else site.instr[4:6]
        if site.instr[0] == ir.BINOP and site.instr[3] != "+":
            continue
        before = ""
        for piece in pieces:
            text = facts.constant(site.function, piece)
            if isinstance(text, str):
                before += text
            elif _CODE.search(before) and _encoded(facts, site.function, piece):
                yield Hit(site.instr[1], site.function, {})
                break


def _encoded(facts: Facts, function: int, piece: ir.Operand) -> bool:
    for origin in facts.origins(function, piece, _through):
        site = origin.site
        if site is None or site.instr[0] not in (ir.CALL, ir.CALL_METHOD):
            continue
        name = facts.callee(site)
        given = arguments(site.instr)
        if name.rpartition(".")[2] in _ENCODERS and given and facts.constant(site.function, given[0]) is UNKNOWN:
            return name.startswith(("JSON.", "html", "serialize"))
    return False


def _through(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: pieces of text, joined lists, and functions of the file that return such text."""
    instr = site.instr
    if instr[0] == ir.CALL_METHOD and instr[4] == "join":
        return [instr[3]]
    if instr[0] == ir.MAKE:
        return [item for item in instr[4] if not isinstance(item, list)]
    if instr[0] in (ir.CALL, ir.CALL_METHOD):
        return []
    return parts(facts, site)
