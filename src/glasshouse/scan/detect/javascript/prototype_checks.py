"""What keeps keys from outside away from prototypes: refused keys, own properties, objects without a prototype."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.scan import ir
from glasshouse.scan.detect.javascript.values import Facts, Site, arguments

OBJECT_TEST = re.compile(r"(?i)is[-_]?(plain)?[-_]?(obj|record|map)")
OWN = frozenset(["hasOwnProperty", "hasOwn", "has"])
CHECK_NAME = re.compile(
    r"(?i)(is|has|check|assert|valid|guard|deny|skip|ignore)?_?-?(un|in)?(safe|valid|forbidden|dangerous|prototype|"
    r"proto|pollut|special|reserved|blacklist|denied|disallowed|poison)\w*"
)  # a function or list of this name tells keys that lead to a prototype


def keys_checked(facts: Facts, function: int, merging: bool) -> bool:
    """The functions around, inside and called refuse the keys that lead to a prototype, or ask for own properties.

    Refusing ``__proto__`` alone leaves ``constructor.prototype``, unless functions are never descended into, as in a
    merge that asks whether it has plain objects before it.
    """
    near = _near(facts, function)
    texts = {text for index in near for text in facts.file.functions[index].consts if isinstance(text, str)}
    texts |= _listed(facts, near)
    if any("__proto__" in text for text in texts):
        if texts & {"constructor", "prototype", "object"} or (
            merging and any(_asks_for_objects(facts, i) for i in near)
        ):
            return True
        return any("|" in text or "," in text for text in texts)
    return any(_own_check_on_target(facts, index) or _named_check(facts, index) for index in near)


def _asks_for_objects(facts: Facts, function: int) -> bool:
    for site in facts.sites[function]:
        if site.instr[0] in (ir.CALL, ir.CALL_METHOD):
            name = site.instr[3] if site.instr[0] == ir.CALL and isinstance(site.instr[3], str) else facts.callee(site)
            if OBJECT_TEST.search(name):
                return True
    return False


def _near(facts: Facts, function: int) -> set[int]:
    """The function, those around and inside, and those of the file that these call."""
    near = {function} | set(facts.around(function)) - {0}
    near |= {index for index, item in enumerate(facts.file.functions) if item.parent in near and item.parent > 0}
    called = {target for target, sites in facts.calls_to.items() if any(site.function in near for site in sites)}
    return near | called


def _listed(facts: Facts, near: set[int]) -> set[str]:
    """Texts of lists, sets and patterns of the module that these functions name."""
    consts = [text for text in facts.file.functions[0].consts if isinstance(text, str) and "__proto__" in text]
    if not consts:
        return set()
    named: set[str] = set()
    for site in facts.sites[0]:
        if site.instr[0] in (ir.MAKE, ir.NEW, ir.CALL) and any(text in consts for text in _constants(facts, site)):
            named |= _variables(facts, site.instr[2])
    if any(name in _operands(site.instr) for index in near for site in facts.sites[index] for name in named):
        return {text for text in facts.file.functions[0].consts if isinstance(text, str)}
    return set()


def _constants(facts: Facts, site: Site) -> Iterator[str]:
    operands = site.instr[4] if site.instr[0] in (ir.MAKE, ir.NEW, ir.CALL) else []
    for item in operands:
        for operand in item if isinstance(item, list) else [item]:
            text = facts.constant(site.function, operand)
            if isinstance(text, str):
                yield text


def _variables(facts: Facts, operand: ir.Operand) -> set[str]:
    """The module's variables that hold a value, also wrapped (``new Set([...])``)."""
    held: set[ir.Operand] = {operand}
    for site in facts.sites[0]:
        instr = site.instr
        if (instr[0] == ir.MOVE and instr[3] in held) or (
            instr[0] in (ir.NEW, ir.CALL) and any(item in held for item in arguments(instr))
        ):
            held.add(instr[2])
    return {name for name in held if isinstance(name, str)}


def _operands(instr: ir.Instr) -> set[str]:
    found: set[str] = set()
    for item in instr[2:]:
        if isinstance(item, str):
            found.add(item)
        elif isinstance(item, list):
            found.update(part for part in item if isinstance(part, str))
    return found


def _own_check_on_target(facts: Facts, function: int) -> bool:
    """``dst.hasOwnProperty(key)`` protects; ``src.hasOwnProperty(key)`` does not: ``__proto__`` can be an own key."""
    stored = {facts.key(site.function, site.instr[2]) for site in facts.sites[function] if site.instr[0] == ir.SET_ITEM}
    for site in facts.sites[function]:
        if site.instr[0] not in (ir.CALL, ir.CALL_METHOD):
            continue
        name = facts.callee(site)
        given = arguments(site.instr)
        if site.instr[0] == ir.CALL_METHOD and site.instr[4] in OWN and not name.startswith("Object."):
            if facts.key(site.function, site.instr[3]) in stored:
                return True
        elif ("hasOwn" in name or name in OWN) and given and facts.key(site.function, given[0]) in stored:
            return True
    return False


def _named_check(facts: Facts, function: int) -> bool:
    """A function or list from elsewhere that says by its name what it is for: ``isUnsafeKey(key)``."""
    for site in facts.sites[function]:
        if site.instr[0] == ir.CALL and site.instr[4]:
            name = facts.callee(site).rpartition(".")[2].rpartition("/")[2]
        elif site.instr[0] == ir.CALL_METHOD and site.instr[4] in ("has", "includes", "indexOf", "test"):
            name = facts.path(site.function, site.instr[3]).rpartition(".")[2].rpartition("/")[2]
        elif site.instr[0] == ir.CALL_METHOD and site.instr[5]:
            name = str(site.instr[4])
        else:
            continue
        if CHECK_NAME.fullmatch(name):
            return True
    return False


def without_prototype(facts: Facts, site: Site) -> bool:
    """The object that is written to was made without a prototype: ``Object.create(null)``."""
    for origin in facts.origins(site.function, site.instr[2], _downwards, callers=True):
        made = origin.site
        if made is not None and made.instr[0] == ir.CALL_METHOD and made.instr[4] == "create" and made.instr[5]:
            if facts.constant(made.function, arguments(made.instr)[0]) is None:
                return True
    return False


def _downwards(facts: Facts, site: Site) -> list[ir.Operand]:
    return [site.instr[3]] if site.instr[0] in (ir.MOVE, ir.AWAIT, ir.ITEM) else []
