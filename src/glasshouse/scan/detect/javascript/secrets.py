"""Passwords and keys where they do not belong (logs, browser storage, fast hashes), and values that can be guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, everything, facts_of, parts

_PASSWORD = re.compile(r"(?i)(^|[a-z_])(pass(word|wd|phrase|code)s?|pwd|pword|passwd)\d*$|^pass$")
_SECRET = re.compile(
    r"(?i)(pass(word|wd|phrase|code)s?|pwd|secret|private_?key|api_?key|access_?key|auth_?token|access_?token|refresh_?token|"
    r"session_?token|credit_?card|card_?number|ssn|social_?security(_?number)?|cvv|credentials?)\d*(text|value|string)?$"
)
_HARMLESS = re.compile(
    r"(?i)hash|crypt|digest|masked|hidden|redact|public|length|count|valid|strength|policy|reset|expired|forgot|prompt|"
    r"label|error|message|field|input|element|selector|url|path|file|regex|rule|type|mode|changed|wrong|missing|name$|id$|key_?id|"
    r"^(is|has|show|no|needs?|use|require)_?[A-Z_]"
)
_GUESSABLE_USE = re.compile(
    r"(?i)(token|secret|password|passwd|passphrase|pwd|session_?id|sess_?id|^sid$|nonce|^salt$|_salt|api_?key|otp|csrf|xsrf|private_?key|"
    r"auth_?code|access_?key|activation|reset_?code|verification_?code|captcha|pin_?code|^iv$|encryption_?key)"
)
_SAME_TEXT = frozenset(
    {"toString", "trim", "concat", "slice", "substring", "toLowerCase", "toUpperCase", "join", "replace"}
)
_SAME_CALLS = frozenset(
    {
        "String",
        "JSON.stringify",
        "util.inspect",
        "util.format",
        "Buffer.from",
        "encodeURIComponent",
        "escape",
        "btoa",
        "Object.assign",
    }
)
_LOGGERS = re.compile(
    r"(?i)^(console|.*\b(logger|log|winston|bunyan|pino|signale|log4js)(\.\w+\(\))*|winston\.createLogger\(\)|pino\(\))\.(log|info|warn|error|debug|trace|dir|verbose|fatal|silly)$"
)
_STORES = re.compile(
    r"^(window\.)?(localStorage|sessionStorage)\.setItem$|\.cookie$|^(js-cookie|Cookies|cookie)\.set$|^fs(\.promises)?\.(writeFile|writeFileSync|appendFile|appendFileSync)$"
)
_FAST = re.compile(r"(?i)^(md[45]|sha-?(1|224|256|384|512)|ripemd160|rmd160|sha3-\d+|blake2\w+)$")


def secret_names(facts: Facts, function: int, operand: ir.Operand, pattern: re.Pattern[str]) -> Iterator[str]:
    """Names in the value's make-up that say it is secret; fields of a secret (its length) do not count."""
    for origin in facts.origins(function, operand, _kept):
        name = _name_of(facts, origin.operand, origin.site)
        if name and pattern.search(name) and not _HARMLESS.search(name):
            yield name
        if origin.site is not None and origin.site.instr[0] == ir.MAKE:
            yield from _member_names(facts, origin.site, pattern)


def _name_of(facts: Facts, operand: ir.Operand, site: Site | None) -> str:
    if site is not None and site.instr[0] == ir.ATTR:
        return str(site.instr[4])
    if site is not None and site.instr[0] == ir.ITEM:
        key = facts.literal(site.function, site.instr[4])
        return key if isinstance(key, str) else ""
    if site is not None and site.instr[0] in (ir.CALL, ir.CALL_METHOD):
        last = facts.callee(site).rpartition(".")[2]
        return last if re.match(r"(?i)(get|read|load|fetch|ask|prompt)_?\w+", last) else ""
    if isinstance(operand, str) and (site is None or not _is_constant(facts, site)):
        return operand
    return ""


def _is_constant(facts: Facts, site: Site) -> bool:
    return site.instr[0] == ir.MOVE and facts.constant(site.function, site.instr[3]) is not UNKNOWN


def _member_names(facts: Facts, site: Site, pattern: re.Pattern[str]) -> Iterator[str]:
    """Secret keys of an object literal whose values are not constants."""
    for item in site.instr[4] if site.instr[3] == "dict" else ():
        key = facts.literal(site.function, item[0]) if item and item[0] != "*" else None
        if not isinstance(key, str) or not pattern.search(key) or _HARMLESS.search(key):
            continue
        if facts.literal(site.function, item[1]) is UNKNOWN and not _masked(facts, site.function, item[1]):
            yield key


def _masked(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """The value is the result of some function: taken as hashed or encrypted, except for plain copies."""
    site = facts.single(function, operand)
    if site is None or site.instr[0] not in (ir.CALL, ir.CALL_METHOD):
        return False
    return not _keeps_text(facts, site) and not _name_of(facts, operand, site)


def _keeps_text(facts: Facts, site: Site) -> bool:
    if site.instr[0] == ir.CALL_METHOD and site.instr[4] in _SAME_TEXT:
        return True
    return facts.callee(site) in _SAME_CALLS


def _kept(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: where the text itself stays readable."""
    op = site.instr[0]
    if op in (ir.ATTR, ir.ITEM):
        return [site.instr[3]] if op == ir.ATTR and site.instr[4] in ("value", "text", "data", "raw") else []
    if op in (ir.CALL, ir.CALL_METHOD):
        if not _keeps_text(facts, site):
            return []
        return [*([site.instr[3]] if op == ir.CALL_METHOD else []), *arguments(site.instr)]
    if op == ir.MAKE and site.instr[3] == "list":
        return everything(facts, site)
    return parts(facts, site)


# --- logs and storage -------------------------------------------------------------------------------------------------


def find_cleartext_logging(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Calls of a logger with a secret, or with the whole environment."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        if not _LOGGERS.match(facts.callee(site)):
            continue
        for operand in arguments(site.instr):
            name = next(secret_names(facts, site.function, operand, _SECRET), "")
            if not name and _is_environment(facts, site.function, operand):
                name = "the environment"
            if name:
                yield Hit(site.instr[1], site.function, {"name": name})
                break


def _is_environment(facts: Facts, function: int, operand: ir.Operand) -> bool:
    return any(facts.path(o.function, o.operand) == "process.env" for o in facts.origins(function, operand, _kept))


def find_cleartext_storage(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Secrets put into browser storage, cookies or files."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD, ir.SET_ATTR):
        if site.instr[0] == ir.SET_ATTR:
            holder = facts.path(site.function, site.instr[2])
            cookie = holder == "document" and site.instr[3] == "cookie"
            if not cookie and holder not in (
                "localStorage",
                "sessionStorage",
                "window.localStorage",
                "window.sessionStorage",
            ):
                continue
            values = [site.instr[4]]
        elif _STORES.search(facts.callee(site)):
            values = arguments(site.instr)[1:2]
        else:
            continue
        name = next((name for value in values for name in secret_names(facts, site.function, value, _SECRET)), "")
        if name:
            yield Hit(site.instr[1], site.function, {"name": name})


# --- passwords and fast hashes ----------------------------------------------------------------------------------------


def find_fast_password_hashes(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Passwords given to MD5, SHA-1, SHA-2 or SHA-3."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        given = arguments(site.instr)
        if not given or not _is_fast_hash(facts, site):
            continue
        name = next(secret_names(facts, site.function, given[0], _PASSWORD), "")
        if name:
            yield Hit(site.instr[1], site.function, {"name": name})


def _is_fast_hash(facts: Facts, site: Site) -> bool:
    name = facts.callee(site)
    if re.match(
        r"(?i)^(md5|sha1|sha256|blueimp-md5|js-md5|js-sha1|js-sha256(\.sha256)?|crypto-js\.(MD5|SHA\w+)|CryptoJS\.(MD5|SHA\w+)|crypto-js/(md5|sha\d+))$",
        name,
    ):
        return True
    if site.instr[0] != ir.CALL_METHOD or site.instr[4] != "update":
        return False
    for origin in facts.origins(site.function, site.instr[3], _receivers, callers=True):
        made = origin.site
        if (
            made is not None
            and made.instr[0] in (ir.CALL, ir.CALL_METHOD)
            and facts.callee(made) == "crypto.createHash"
        ):
            wanted = arguments(made.instr)
            algorithm = facts.constant(made.function, wanted[0]) if wanted else None
            return not isinstance(algorithm, str) or bool(_FAST.match(algorithm))
    return False


def _receivers(facts: Facts, site: Site) -> list[ir.Operand]:
    return [site.instr[3]] if site.instr[0] in (ir.MOVE, ir.CALL_METHOD, ir.ATTR) else []


# --- values that can be guessed ---------------------------------------------------------------------------------------

_WEAK_RANDOM = frozenset(
    {
        "Math.random()",
        "lodash.random()",
        "_.random()",
        "underscore.random()",
        "crypto.pseudoRandomBytes()",
        "goog.math.randomInt()",
    }
)


def find_insecure_randomness(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Secrets, by their names, made with ``Math.random``."""
    facts = facts_of(file)
    if not any("andom" in str(site.instr[4]) for site in facts.every(ir.CALL_METHOD)):
        return
    seen: set[int] = set()
    for site in facts.every(ir.MOVE, ir.SET_ATTR, ir.SET_ITEM, ir.MAKE, ir.RETURN, ir.CALL_METHOD):
        for name, operand in _named_values(facts, site):
            if _GUESSABLE_USE.search(name) and _is_random(facts, site.function, operand) and site.instr[1] not in seen:
                seen.add(site.instr[1])
                yield Hit(site.instr[1], site.function, {"name": name})


def _named_values(facts: Facts, site: Site) -> Iterator[tuple[str, ir.Operand]]:
    """(name, value) pairs that an instruction gives names to."""
    instr, op = site.instr, site.instr[0]
    if op == ir.MOVE and isinstance(instr[2], str):
        yield instr[2], instr[3]
    elif op == ir.SET_ATTR:
        yield str(instr[3]), instr[4]
    elif op == ir.SET_ITEM:
        key = facts.literal(site.function, instr[3])
        yield key if isinstance(key, str) else "", instr[4]
    elif op == ir.MAKE and instr[3] == "dict":
        for item in instr[4]:
            key = facts.literal(site.function, item[0]) if item[0] != "*" else None
            yield key if isinstance(key, str) else "", item[1]
    elif op == ir.RETURN:
        yield facts.file.functions[site.function].name, instr[2]
    elif (
        op == ir.CALL_METHOD
        and instr[4] in ("cookie", "setItem", "createHmac", "createCipheriv")
        and len(arguments(instr)) > 1
    ):
        key = facts.constant(site.function, arguments(instr)[0])
        yield key if isinstance(key, str) else "", arguments(instr)[1]


def _is_random(facts: Facts, function: int, operand: ir.Operand) -> bool:
    return any(facts.path(o.function, o.operand) in _WEAK_RANDOM for o in facts.origins(function, operand, _numbers))


def _numbers(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: through arithmetic and string methods, not through unknown functions."""
    if site.instr[0] == ir.CALL:
        name = facts.path(site.function, site.instr[3])
        return arguments(site.instr) if name in ("String", "Number", "parseInt", "btoa", "md5", "sha1") else []
    if site.instr[0] in (ir.MAKE, ir.NEW):
        return []
    return everything(facts, site)


_FAIR_DIVISORS = frozenset(1 << bits for bits in range(9))


def find_biased_randomness(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Random bytes reduced by a remainder that does not divide 256."""
    facts = facts_of(file)
    for site in facts.every(ir.BINOP):
        instr = site.instr
        if instr[3] not in ("%", "/"):
            continue
        divisor = facts.constant(site.function, instr[5])
        if divisor in _FAIR_DIVISORS or (instr[3] == "/" and not _rounded(facts, site)):
            continue
        if _is_random_byte(facts, site.function, instr[4]) and not _drawn_again(site):
            yield Hit(instr[1], site.function)


def _is_random_byte(facts: Facts, function: int, operand: ir.Operand) -> bool:
    for origin in facts.origins(function, operand, _receivers_and_items):
        if re.match(
            r"crypto\.(randomBytes|pseudoRandomBytes|getRandomValues)\(\)(\.\[\]|\.read\w+\(\))",
            facts.path(origin.function, origin.operand),
        ):
            return True
    return False


def _receivers_and_items(facts: Facts, site: Site) -> list[ir.Operand]:
    return [site.instr[3]] if site.instr[0] in (ir.MOVE, ir.ITEM, ir.CALL_METHOD) else []


def _rounded(facts: Facts, site: Site) -> bool:
    """The quotient is given to ``Math.round`` or ``Math.floor``, also after a multiplication."""
    results = {site.instr[2]}
    for other in facts.sites[site.function]:
        instr = other.instr
        if instr[0] == ir.BINOP and instr[3] == "*" and results & {instr[4], instr[5]}:
            results.add(instr[2])
        elif instr[0] == ir.CALL_METHOD and instr[4] in ("round", "floor", "ceil") and results & set(arguments(instr)):
            return True
    return False


def _drawn_again(site: Site) -> bool:
    """Inside a loop without end that is left only for fair values."""
    return any(outer[0] == ir.LOOP and outer[4] == "" for outer in site.within)
