"""Checks of hosts that other hosts pass too: a name looked for anywhere in an address, or a pattern with open dots."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, facts_of
from glasshouse.scan.detect.private_flow import CALLS, named, pick, shown

_TOP = r"(?:com|org|net|io|edu|gov|dev|app|cloud|info|biz|co|uk|de|fr|eu|us|cn|ru|jp|ch|example)"
_HOST = re.compile(rf"(?i)(?:https?://|\.)?(?:[a-z0-9-]{{1,63}}\.){{1,6}}{_TOP}(?::\d+)?/?")
_OPEN_DOT = re.compile(rf"(?i)[a-z0-9)]\.(?=(?:[a-z0-9-]{{1,63}}\\?\.){{0,6}}{_TOP}(?![a-z0-9_-]))")
_ADDRESS = re.compile(
    r"(?i)(?:.*(?:^|[._]))?(?:\w*(?:url|uri|link|href|origin|referr?er|redirect|netloc|hostname|host|domain|location)|next|target)"
)


def find_host_checks(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``"good.com" in url``, ``url.startswith("https://good.com")`` and ``host.endswith("good.com")``."""
    if not any(isinstance(value, str) and _HOST.fullmatch(value) for f in file.functions for value in f.consts):
        return
    facts = facts_of(file)
    for site in facts.every(ir.BINOP, ir.CALL_METHOD):
        instr = site.instr
        if instr[0] == ir.BINOP and instr[3] in ("in", "not in"):
            checked, host = instr[5], _host(facts, site, instr[4])
            wrong = bool(host)
        elif instr[0] == ir.CALL_METHOD and instr[4] in ("startswith", "endswith") and instr[5]:
            checked, host = instr[3], _host(facts, site, instr[5][0])
            open_end = not host.endswith("/") and "://" in host
            wrong = bool(host) and (open_end if instr[4] == "startswith" else not host.startswith((".", "http", "@")))
        else:
            continue
        if wrong and _is_address(facts, site, checked):
            yield Hit(instr[1], site.function, {"name": host, "value": host, "sink": str(instr[4])})


def find_open_host_patterns(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Patterns such as ``^https://www.good.com/``, whose dots match any character."""
    if not any(isinstance(value, str) and _is_open(value) for f in file.functions for value in f.consts):
        return
    facts = facts_of(file)
    for site in facts.every(*CALLS):
        name = facts.callee(site)
        for entry in options.get("calls", ()):
            if not any(named(name, path) for path in entry["call"]):
                continue
            for operand in (item for selector in entry["args"] for item in pick(site, selector)):
                pattern = facts.constant(site.function, operand)
                if isinstance(pattern, str) and _is_open(pattern):
                    details = {"name": pattern[:80], "value": pattern[:80], "sink": shown(name)}
                    yield Hit(site.instr[1], site.function, details)
            break


def _host(facts: Facts, site: Site, operand: ir.Operand) -> str:
    value = facts.constant(site.function, operand)
    return value if value is not UNKNOWN and isinstance(value, str) and _HOST.fullmatch(value) else ""


def _is_address(facts: Facts, site: Site, operand: ir.Operand) -> bool:
    """Whether the checked value is named like an address or a part of one."""
    path = facts.path(site.function, operand).replace("()", "")
    last = path.removesuffix(".lower").removesuffix(".strip").rpartition(".")[2]
    return _ADDRESS.fullmatch(last) is not None


def _is_open(pattern: str) -> bool:
    """A host that an address must begin with or be, with an unescaped dot in front of one of its labels."""
    return len(pattern) <= 1000 and _OPEN_DOT.search(pattern) is not None and "://" in pattern.replace("\\/", "/")
