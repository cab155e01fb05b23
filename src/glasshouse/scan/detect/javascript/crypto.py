"""Settings of cryptography and tokens that cannot be read off one call: nonces, host checks, unverified tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, facts_of

_HARMLESS_OPS = frozenset({ir.RETURN, ir.NOP, ir.MOVE, ir.UNOP, ir.DECLARE})


def find_static_nonces(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Encryption with an initialisation vector that is constant."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        given = arguments(site.instr)
        if facts.callee(site) != "crypto.createCipheriv" or len(given) < 3:
            continue
        if _is_fixed(facts, site.function, given[2]):
            yield Hit(site.instr[1], site.function)


def _is_fixed(facts: Facts, function: int, operand: ir.Operand) -> bool:
    value = facts.constant(function, operand)
    if value is not UNKNOWN:
        return isinstance(value, str) and value != ""
    for origin in facts.origins(function, operand, _moves):
        site = origin.site
        if site is None or site.instr[0] == ir.MOVE:
            continue
        name = facts.callee(site) if site.instr[0] in (ir.CALL, ir.CALL_METHOD, ir.NEW) else ""
        given = arguments(site.instr) if name else []
        if name in ("Buffer.alloc", "Buffer.from", "Buffer", "Uint8Array"):
            return bool(given) and all(_constant_part(facts, site, item) for item in given)
        return False
    return False


def _moves(facts: Facts, site: Site) -> list[ir.Operand]:
    return [site.instr[3]] if site.instr[0] == ir.MOVE else []


def _constant_part(facts: Facts, site: Site, operand: ir.Operand) -> bool:
    if facts.constant(site.function, operand) is not UNKNOWN:
        return True
    made = facts.single(site.function, operand)
    if made is None or made.instr[0] != ir.MAKE:
        return False
    return all(
        facts.literal(made.function, item) is not UNKNOWN for item in made.instr[4] if not isinstance(item, list)
    )


def find_disabled_hostname_checks(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``checkServerIdentity`` replaced by a function that does nothing."""
    facts = facts_of(file)
    for site in facts.every(ir.MAKE, ir.SET_ATTR):
        if site.instr[0] == ir.SET_ATTR:
            pairs = [(site.instr[3], site.instr[4])]
        elif site.instr[3] == "dict":
            pairs = [(facts.literal(site.function, item[0]), item[1]) for item in site.instr[4] if item[0] != "*"]
        else:
            continue
        for name, value in pairs:
            target = facts.function_of(site.function, value) if name == "checkServerIdentity" else None
            if target is not None and _does_nothing(facts, target):
                yield Hit(file.functions[target].span, target)


def _does_nothing(facts: Facts, function: int) -> bool:
    return all(site.instr[0] in _HARMLESS_OPS for site in facts.sites[function])


_DECODERS = frozenset(["jsonwebtoken.decode", "jose.decodeJwt", "hono/jwt.decode"])
_NEST_DECODER = re.compile(r"(?i)jwt\w*\.decode$")
_REQUESTS = frozenset(["req", "request", "ctx", "context", "c"])
_VERIFIER = re.compile(r"(?i)(^|\.)(jwt)?verify(async|jwt)?$|jwtverify")


def find_unverified_tokens(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``jwt.decode`` in a file that never verifies a token, or in a handler of requests that does not."""
    facts = facts_of(file)
    calls = [(site, facts.callee(site)) for site in facts.every(ir.CALL, ir.CALL_METHOD)]
    nest = any(entry.module == "@nestjs/jwt" for entry in file.imports)
    decoding = [
        site
        for site, name in calls
        if arguments(site.instr) and (name in _DECODERS or (nest and _NEST_DECODER.search(name) is not None))
    ]
    if not decoding:
        return
    verifying = {index for site, name in calls if _VERIFIER.search(name) for index in _inside(facts, site.function)}
    for site in decoding:
        inside = _inside(facts, site.function)
        handles = any(param.name in _REQUESTS for index in inside for param in file.functions[index].params[:1])
        if verifying.isdisjoint(inside) and (handles or not verifying):
            yield Hit(site.instr[1], site.function)


def _inside(facts: Facts, function: int) -> set[int]:
    """The function and those it lies in; the module only where the function is the module."""
    return {index for index in facts.around(function) if index == function or index > 0}
