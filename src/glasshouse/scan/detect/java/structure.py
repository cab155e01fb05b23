"""Java weaknesses that show in the shape of the code: checks that check nothing, constant nonces, shared temporary
files, locks in different orders, tests before use, numbers cut to fewer bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, everything, facts_of, same
from glasshouse.scan.detect.mentions import mentions_of

_CALLS = (ir.CALL, ir.CALL_METHOD, ir.NEW)
_TRUST_MANAGERS = ("X509TrustManager", "X509ExtendedTrustManager")
_VERIFIER_SETTERS = frozenset(
    {"setHostnameVerifier", "setDefaultHostnameVerifier", "hostnameVerifier", "setSSLHostnameVerifier"}
)
_SWITCH = re.compile(
    r"disable|skip|ignore|insecure|trust_?all|no_?verif|unsafe|allow_?(all|any|self)|verify", re.IGNORECASE
)
_LOGGING = frozenset(
    {"debug", "info", "warn", "error", "trace", "log", "println", "print", "fine", "warning", "severe"}
)
_NONCES = {"IvParameterSpec": 0, "GCMParameterSpec": 1}  # and which argument it is
_TEMPORARY = "java.io.tmpdir"
_MAKERS = frozenset({"mkdir", "mkdirs", "createNewFile"})
_FILE_CALLS = frozenset(
    {
        "createFile",
        "createDirectory",
        "createDirectories",
        "write",
        "writeString",
        "newBufferedWriter",
        "newOutputStream",
    }
)
_WRITERS = frozenset({"FileOutputStream", "FileWriter", "RandomAccessFile"})
_LOCKING = frozenset({"$monitor_enter", "lock", "lockInterruptibly"})
_TESTS = frozenset({"exists", "isFile", "isDirectory", "canRead", "canWrite", "notExists"})
_OPENERS = _WRITERS | {"FileInputStream", "FileReader", "createNewFile", "delete", "renameTo", "mkdir", "mkdirs"}
_OPENERS |= {"newInputStream", "newOutputStream", "readAllBytes", "write", "move", "copy", "createFile"}
_NUMBER_SOURCES = frozenset(
    {"getParameter", "getHeader", "readLine", "nextLine", "nextLong", "nextInt", "getenv", "getQueryString", "readLong"}
)
_WIDER = {"int": ("long", "double", "float"), "short": ("int", "long"), "byte": ("int", "long", "short")}


def _last(name: str) -> str:
    return name.rpartition(".")[2]


# --- checks that check nothing -------------------------------------------------------------------------------------
def find_trust_all(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Trust managers that accept every certificate and verifiers that accept every host name."""
    checking = any(name in ("checkServerTrusted", "verify") for cls in file.classes for name, _ in cls.methods)
    if not checking and mentions_of(file).called.isdisjoint(_VERIFIER_SETTERS):
        return
    facts = facts_of(file)
    blind: set[str] = set()
    for cls in file.classes:
        bases = {_last(base) for base in cls.bases}
        for name, index in cls.methods:
            if not 0 <= index < len(file.functions):
                continue
            trusting = name == "checkServerTrusted" and not bases.isdisjoint(_TRUST_MANAGERS)
            if trusting and _accepts_silently(facts, index):
                blind.add(cls.name)
                yield Hit(file.functions[index].span, index)
            elif name == "verify" and "HostnameVerifier" in bases and _only_true(facts, index):
                yield Hit(file.functions[index].span, index)
    yield from _verifier_lambdas(facts)
    yield from _blind_contexts(facts, blind)


def _accepts_silently(facts: Facts, function: int) -> bool:
    for site in facts.sites_of(function):
        op = site.instr[0]
        if op == ir.RAISE or (op in _CALLS and not (op == ir.CALL_METHOD and site.instr[4] in _LOGGING)):
            return False
    return not facts.file.functions[function].flags & ir.ABSTRACT


def _only_true(facts: Facts, function: int) -> bool:
    returned = [site for site in facts.sites_of(function) if site.instr[0] == ir.RETURN]
    if any(site.instr[0] == ir.CALL_METHOD and site.instr[4] not in _LOGGING for site in facts.sites_of(function)):
        return False  # something else may refuse, by throwing
    return bool(returned) and all(facts.constant(function, site.instr[2]) is True for site in returned)


def _verifier_lambdas(facts: Facts) -> Iterator[Hit]:
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] not in _VERIFIER_SETTERS or _is_switched(facts, site):
            continue
        for argument in arguments(site.instr):
            if _trusts_any_host(facts, site.function, argument):
                yield Hit(site.instr[1], site.function)


def _trusts_any_host(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """Whether a verifier is a lambda or an object of a class here that says yes to every name."""
    target = facts.function_of(function, operand)
    if target is not None:
        return _only_true(facts, target)
    for origin in facts.origins(function, operand, same):
        made = origin.site
        if made is not None and made.instr[0] == ir.NEW:
            name = _class_name(facts, made)
            for cls in facts.file.classes:
                if cls.name == name and "HostnameVerifier" in {_last(base) for base in cls.bases}:
                    return any(method == "verify" and _only_true(facts, index) for method, index in cls.methods)
    return False


def _is_switched(facts: Facts, site: Site) -> bool:
    """Whether a switch named after what it does (a setting for tests) decides on the call."""
    for outer in site.within:
        if outer[0] != ir.IF:
            continue
        for origin in facts.origins(site.function, outer[2], everything):
            names = [origin.operand] if isinstance(origin.operand, str) else []
            if origin.site is not None:
                names += [item for item in origin.site.instr[2:5] if isinstance(item, str)]
                given = arguments(origin.site.instr) if origin.site.instr[0] in _CALLS else []
                names += [text for item in given if isinstance(text := facts.constant(origin.site.function, item), str)]
            if any(_SWITCH.search(name) for name in names):
                return True
    return False


def _blind_contexts(facts: Facts, blind: set[str]) -> Iterator[Hit]:
    """``context.init(keys, trustManagers, random)`` with a manager of such a class."""
    for site in facts.every(ir.CALL_METHOD):
        given = arguments(site.instr)
        if site.instr[4] != "init" or len(given) != 3 or not blind:
            continue
        for origin in facts.origins(site.function, given[1], everything):
            made = origin.site
            if made is not None and made.instr[0] == ir.NEW and _class_name(facts, made) in blind:
                yield Hit(site.instr[1], site.function)
                break


def _class_name(facts: Facts, made: Site) -> str:
    cls = made.instr[3]
    if isinstance(cls, str):
        return cls
    definition = facts.single(made.function, cls)
    if definition is not None and definition.instr[0] == ir.CLASS:
        return facts.file.classes[definition.instr[3]].name
    return _last(facts.path(made.function, cls))


# --- constant nonces -----------------------------------------------------------------------------------------------
def find_constant_nonces(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Initialisation vectors that only come from constants."""
    if mentions_of(file).called.isdisjoint(_NONCES):
        return
    facts = facts_of(file)
    for site in facts.every(ir.NEW):
        name = _last(facts.path(site.function, site.instr[3]))
        position = _NONCES.get(name)
        given = arguments(site.instr)
        if position is None or len(given) <= position:
            continue
        if _is_fixed(facts, site.function, given[position], 0):
            yield Hit(site.instr[1], site.function)


def _is_fixed(facts: Facts, function: int, operand: ir.Operand, depth: int) -> bool:
    if facts.literal(function, operand) is not UNKNOWN:
        return True
    if depth > 8 or facts.parameter(function, operand) is not None or _is_filled(facts, function, operand):
        return False
    found = facts.definitions(function, operand)
    return bool(found) and all(_fixed_by(facts, site, depth) for site in found)


def _fixed_by(facts: Facts, site: Site, depth: int) -> bool:
    instr, op = site.instr, site.instr[0]
    if op in (ir.MOVE, ir.CAST):
        return _is_fixed(facts, site.function, instr[-1], depth + 1)
    if op == ir.MAKE:
        return all(_is_fixed(facts, site.function, item, depth + 1) for item in instr[4] if not isinstance(item, list))
    if op == ir.CALL:
        return bool(instr[3] == "$array")
    if op == ir.CALL_METHOD and instr[4] in ("getBytes", "toCharArray", "decode", "decodeHex", "copyOf", "clone"):
        return all(_is_fixed(facts, site.function, item, depth + 1) for item in (arguments(instr)[:1] or [instr[3]]))
    return op == ir.ATTR and _fixed_field(facts, str(instr[4]), depth)


def _fixed_field(facts: Facts, name: str, depth: int) -> bool:
    """A field that is only written where it is declared, with constants."""
    written = [site for site in facts.every(ir.SET_ATTR) if site.instr[3] == name]
    moved = [
        site
        for site in facts.every(ir.MOVE)
        if site.instr[2] == name and facts.file.functions[site.function].kind == "class"
    ]
    places = [(site, site.instr[4]) for site in written] + [(site, site.instr[3]) for site in moved]
    if len(places) != 1 or _is_filled(facts, places[0][0].function, places[0][1]) or _field_is_filled(facts, name):
        return False
    return _is_fixed(facts, places[0][0].function, places[0][1], depth + 1)


def _is_filled(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """Whether something else gets the array and may write into it."""
    if not isinstance(operand, str):
        return False
    key = facts.key(function, operand)
    for site in facts.every(ir.CALL_METHOD, ir.CALL, ir.SET_ITEM):
        given = [site.instr[2]] if site.instr[0] == ir.SET_ITEM else arguments(site.instr)
        if any(isinstance(item, str) and facts.key(site.function, item) == key for item in given):
            return True
    return False


def _field_is_filled(facts: Facts, name: str) -> bool:
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] in ("nextBytes", "arraycopy", "read", "readFully", "get"):
            for item in arguments(site.instr):
                made = facts.single(site.function, item)
                if made is not None and made.instr[0] == ir.ATTR and made.instr[4] == name:
                    return True
    return False


# --- temporary files -----------------------------------------------------------------------------------------------
def find_shared_temporary_paths(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Files made by name in the shared temporary directory."""
    if not any(_TEMPORARY in function.consts for function in file.functions):
        return
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD, ir.NEW):
        made = _made_path(facts, site)
        if made is not None and _in_temporary(facts, site.function, made):
            yield Hit(site.instr[1], site.function)


def _made_path(facts: Facts, site: Site) -> ir.Operand | None:
    instr, given = site.instr, arguments(site.instr)
    if instr[0] == ir.NEW:
        return given[0] if given and _last(facts.path(site.function, instr[3])) in _WRITERS else None
    if instr[4] in _MAKERS and not given:
        return instr[3] if isinstance(instr[3], int | str) else None
    if instr[4] not in _FILE_CALLS or _last(facts.path(site.function, instr[3])) != "Files" or not given:
        return None
    return None if instr[4].startswith("create") and len(given) > 1 else given[0]


def _in_temporary(facts: Facts, function: int, operand: ir.Operand) -> bool:
    found = False
    for origin in facts.origins(function, operand, everything, callers=True):
        site = origin.site
        if site is None or site.instr[0] != ir.CALL_METHOD:
            continue
        if site.instr[4] in ("createTempFile", "createTempDirectory", "randomUUID"):
            return False
        given = arguments(site.instr)
        if site.instr[4] == "getProperty" and given and facts.constant(site.function, given[0]) == _TEMPORARY:
            found = True
    return found


# --- locks ---------------------------------------------------------------------------------------------------------
def find_lock_orders(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Two locks that are taken in one order here and in the other order elsewhere in the class."""
    mentions = mentions_of(file)
    if mentions.called.isdisjoint(_LOCKING):
        return
    facts = facts_of(file)
    pairs: dict[tuple[int, str, str], list[tuple[int, int]]] = {}
    for index, function in enumerate(file.functions):
        if function.cls >= 0 and not mentions.words[index].isdisjoint(_LOCKING):
            for outer, inner, span in _nested_locks(facts, index, function.body, {}):
                pairs.setdefault((function.cls, outer, inner), []).append((span, index))
    for (cls, outer, inner), places in pairs.items():
        if (cls, inner, outer) in pairs and outer != inner:
            for span, index in places:
                yield Hit(span, index, {"name": inner})


def _nested_locks(facts: Facts, function: int, block: ir.Block, held: dict[str, int]) -> Iterator[tuple[str, str, int]]:
    """(outer lock, inner lock, where the outer one is taken); ``held``: lock to where it was taken."""
    for instr in block:
        lock, taken = _lock_change(facts, function, instr)
        if lock and taken:
            yield from ((other, lock, span) for other, span in held.items() if other != lock)
            held.setdefault(lock, instr[1])
        elif lock:
            held.pop(lock, None)
        elif instr[0] in (ir.IF, ir.LOOP, ir.DO_LOOP, ir.FOREACH, ir.TRY, ir.BLOCK):
            for field in instr[2:]:
                if isinstance(field, list) and field and isinstance(field[0], list) and isinstance(field[0][0], int):
                    yield from _nested_locks(facts, function, field, held)


def _lock_change(facts: Facts, function: int, instr: ir.Instr) -> tuple[str, bool]:
    """(lock, taken or released) when the instruction is about a lock."""
    if instr[0] == ir.CALL and instr[3] in ("$monitor_enter", "$monitor_exit"):
        return _lock_name(facts, function, instr[4][0]), bool(instr[3] == "$monitor_enter")
    if instr[0] == ir.CALL_METHOD and instr[4] in ("lock", "unlock", "lockInterruptibly") and not instr[5]:
        return _lock_name(facts, function, instr[3]), bool(instr[4] != "unlock")
    return "", False


def _lock_name(facts: Facts, function: int, operand: ir.Operand) -> str:
    place = facts.parameter(function, operand)
    if place is not None:
        return ""
    made = facts.single(function, operand) if isinstance(operand, int) else None
    if made is not None and made.instr[0] == ir.ATTR:
        return f"{made.instr[3]}.{made.instr[4]}"
    return operand if isinstance(operand, str) else ""


# --- tests before use ----------------------------------------------------------------------------------------------
def find_check_then_use(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """A file that is tested in a condition and opened, made or removed in the branch."""
    called = mentions_of(file).called
    if called.isdisjoint(_OPENERS) or called.isdisjoint(_TESTS):
        return
    facts = facts_of(file)
    seen: set[int] = set()
    for site in facts.every(ir.CALL_METHOD, ir.NEW):
        used = _opened(facts, site)
        if used is None:
            continue
        for outer in site.within:
            if outer[0] == ir.IF and outer[1] not in seen and _tests(facts, site.function, outer[2], used, 0):
                seen.add(outer[1])
                yield Hit(outer[1], site.function)


def _opened(facts: Facts, site: Site) -> str | None:
    instr, given = site.instr, arguments(site.instr)
    if instr[0] == ir.NEW:
        name = _last(facts.path(site.function, instr[3]))
        return _place(facts, site.function, given[0]) if given and name in _OPENERS else None
    if instr[4] not in _OPENERS:
        return None
    if _last(facts.path(site.function, instr[3])) == "Files":
        return _place(facts, site.function, given[0]) if given else None
    return _place(facts, site.function, instr[3]) if not given or instr[4] == "renameTo" else None


def _place(facts: Facts, function: int, operand: ir.Operand) -> str | None:
    if isinstance(operand, str):
        return operand
    made = facts.single(function, operand)
    return f"{made.instr[3]}.{made.instr[4]}" if made is not None and made.instr[0] == ir.ATTR else None


def _tests(facts: Facts, function: int, operand: ir.Operand, used: str, depth: int) -> bool:
    if depth > 6:
        return False
    for site in facts.definitions(function, operand):
        instr, op = site.instr, site.instr[0]
        if op == ir.UNOP and _tests(facts, function, instr[4], used, depth + 1):
            return True
        if op == ir.MOVE and _tests(facts, function, instr[3], used, depth + 1):
            return True
        if op == ir.CALL_METHOD and instr[4] in _TESTS:
            subject = arguments(instr)[0] if arguments(instr) else instr[3]
            if _place(facts, function, subject) == used:
                return True
    return False


# --- numbers -------------------------------------------------------------------------------------------------------
def find_narrowing_casts(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """A wide number that comes from outside and is cast to fewer bits without a test of its range."""
    if mentions_of(file).called.isdisjoint(_NUMBER_SOURCES):
        return
    facts = facts_of(file)
    for site in facts.every(ir.CAST):
        operand = site.instr[4]
        wider = _WIDER.get(site.instr[3])
        if wider is None or not isinstance(operand, str) or _is_compared(facts, site.function, operand):
            continue
        declared = {
            other.instr[3]
            for other in facts.sites_of(site.function)
            if other.instr[0] == ir.DECLARE and other.instr[2] == operand
        }
        if declared.isdisjoint(wider):
            continue
        for origin in facts.origins(site.function, operand, everything):
            made = origin.site
            if made is not None and made.instr[0] == ir.CALL_METHOD and made.instr[4] in _NUMBER_SOURCES:
                yield Hit(site.instr[1], site.function)
                break


def _is_compared(facts: Facts, function: int, operand: str) -> bool:
    return any(
        site.instr[0] == ir.BINOP and site.instr[3] in ("<", "<=", ">", ">=") and operand in site.instr[4:6]
        for site in facts.sites_of(function)
    )
