"""Escapes and filters written as string replacements or tag patterns that miss what they are meant to catch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, facts_of

_META = frozenset("'\"`\\&<>\n\r\t*|;%$") | {"..", "../", "..\\", "<script", "</script"}
_BRACKETS = frozenset("{}[]()")
_ESCAPED = re.compile(r"\\([^a-zA-Z0-9])")
_ESCAPED_CONTROL = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}
_CLASS = re.compile(r"\(?\[((?:\\.|[^\]\\^])(?:\\.|[^\]\\])*)\]\)?")
_OPERATORS = re.compile(r"[\\^$.*+?()\[\]{}|]")
_MAX_CHAIN = 60
_DANGEROUS = (
    ("<!--", re.compile(r"<!--")),
    ("<script", re.compile(r"<\W{0,6}(?:\[[^\]]*\]\*?)?\(?[^a-z]{0,4}script|<[^a-z]{0,8}[*+]\??c?ript", re.IGNORECASE)),
    ("an event handler", re.compile(r"(?:^|\\b|\\s[*+]?|\W)on(?:\\w|\[|[a-z]+\s*=)", re.IGNORECASE)),
    ("../", re.compile(r"(?:\\\.|\[\.\]){2}(?:\\?/|\[[^\]]*/)|/(?:\\\.|\[\.\]){2}|\\\.\{2\}\\?/")),
    ("an Angular attribute", re.compile(r"^\\s[*+]?ng-")),
)


class Replacement(NamedTuple):
    """One call of ``replace``: what it looks for (text, or None when not plain text), and what it puts there."""

    site: Site
    pattern: str
    literal: str | None
    flags: str | None  # None: the pattern is a string
    text: Any


def literal_text(pattern: str) -> str | None:
    """The text a pattern stands for when it has no operators."""
    inner = pattern[1:-1] if pattern.startswith("(") and pattern.endswith(")") else pattern
    if inner in _ESCAPED_CONTROL:
        return _ESCAPED_CONTROL[inner]
    unescaped = _ESCAPED.sub("", inner)
    return None if _OPERATORS.search(unescaped) else _ESCAPED.sub(r"\1", inner)


def class_members(pattern: str) -> frozenset[str]:
    """Characters of a pattern that is one character class, else none."""
    match = _CLASS.fullmatch(pattern)
    if match is None:
        return frozenset()
    inner = match.group(1)
    return frozenset(_ESCAPED_CONTROL.get(item, item[-1]) for item in re.findall(r"\\.|.", inner, re.DOTALL))


def replacement_of(facts: Facts, site: Site) -> Replacement | None:
    """The call as a replacement with a constant pattern."""
    instr = site.instr
    given = arguments(instr)
    if instr[0] != ir.CALL_METHOD or instr[4] not in ("replace", "replaceAll") or len(given) < 2:
        return None
    text = facts.constant(site.function, given[1])
    wanted = facts.constant(site.function, given[0])
    if isinstance(wanted, str):
        flags = "g" if instr[4] == "replaceAll" else None
        return Replacement(site, wanted, wanted, flags, text)
    found = facts.regexp(site.function, given[0])
    if found is None:
        return None
    return Replacement(site, found[0], literal_text(found[0]), found[1], text)


_latest: list[tuple[Facts, list[Replacement]]] = []


def replacements(facts: Facts) -> list[Replacement]:
    """All replacements of the file, in order; kept for the detector that asks next."""
    if not (_latest and _latest[0][0] is facts):
        found = [item for site in facts.every(ir.CALL_METHOD) if (item := replacement_of(facts, site)) is not None]
        _latest[:] = [(facts, found)]
    return _latest[0][1]


def receivers(items: list[Replacement], facts: Facts) -> dict[int, list[Replacement]]:
    """For each replacement (by the identity of its instruction), those that work on its result later."""
    later: dict[int, list[Replacement]] = {}
    for item in items:
        for before in chain_before(facts, item):
            later.setdefault(id(before.site.instr), []).append(item)
    return later


def chain_before(facts: Facts, item: Replacement) -> list[Replacement]:
    """Earlier replacements whose result this one works on, nearest first."""
    found: list[Replacement] = []
    function, operand, limit = item.site.function, item.site.instr[3], item.site
    for _ in range(_MAX_CHAIN):
        site = _last_definition(facts, function, operand, limit)
        if site is None:
            break
        limit = site
        if site.instr[0] == ir.MOVE:
            operand = site.instr[3]
        elif site.instr[0] == ir.CALL_METHOD:
            before = replacement_of(facts, site)
            if before is not None:
                found.append(before)
            operand = site.instr[3]
        else:
            break
    return found


def _last_definition(facts: Facts, function: int, operand: ir.Operand, before: Site) -> Site | None:
    """The definition that textually precedes ``before`` most closely, in the same function."""
    candidates = [site for site in facts.definitions(function, operand) if site.function == function]
    if isinstance(operand, str):
        order = {id(site.instr): place for place, site in enumerate(facts.sites[function])}
        limit = order.get(id(before.instr), 0)
        candidates = [site for site in candidates if order[id(site.instr)] < limit]
    return candidates[-1] if candidates else None


def _in_loop(site: Site) -> bool:
    return any(outer[0] in (ir.LOOP, ir.DO_LOOP) for outer in site.within)


# --- only the first occurrence, or no backslash -----------------------------------------------------------------------


def find_incomplete_sanitization(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Replacements of metacharacters that change one occurrence only, and escapes that leave backslashes alone."""
    facts = facts_of(file)
    for item in replacements(facts):
        if facts.constant(item.site.function, item.site.instr[3]) is not UNKNOWN:
            continue
        if _first_only(facts, item):
            shown = item.literal if item.literal is not None else item.pattern
            yield _hit(item, f"only the first occurrence of {shown!r} is replaced")
        elif _leaves_backslash(facts, item):
            yield _hit(item, "the escape character itself (backslash) is not escaped")


def _hit(item: Replacement, text: str) -> Hit:
    return Hit(item.site.instr[1], item.site.function, {"name": text})


def _first_only(facts: Facts, item: Replacement) -> bool:
    if (item.flags is not None and "g" in item.flags) or _in_loop(item.site):
        return False
    members = {item.literal} if item.literal is not None else class_members(item.pattern)
    if not members or not all(_special(member) for member in members):
        return False
    if item.text in members:
        return False
    if members <= _BRACKETS:
        return item.text not in ("", UNKNOWN)
    if item.literal == "\n" and _PROCESS.search(facts.path(item.site.function, item.site.instr[3])):
        return False  # the line break at the end of a program's output
    around = [*chain_before(facts, item), *_chain_after(facts, item)]
    return not any(other.pattern == item.pattern for other in around)


_PROCESS = re.compile(r"exec(File)?Sync\(|spawnSync\(")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


def _special(text: str) -> bool:
    """Text that means something to a later reader: a metacharacter, an encoded one, or a way out of a directory."""
    return text in _META or text in _BRACKETS or bool(_ENCODED.fullmatch(text)) or "../" in text or "..\\" in text


def _leaves_backslash(facts: Facts, item: Replacement) -> bool:
    if item.flags is None or not isinstance(item.text, str) or "\\\\" in item.pattern:
        return False
    members = {item.literal} if item.literal is not None else set(class_members(item.pattern))
    quotes = members & set("'\"`$;|&<>")
    if not quotes:
        return False
    plain = item.text in ("\\$1", "\\$&") or any(item.text == f"\\{member}" for member in members)
    if not plain or "\\" in members:
        return False
    around = [*chain_before(facts, item), *_chain_after(facts, item)]
    return not any("\\\\" in other.pattern or other.literal == "\\" for other in around) and not _from_json(facts, item)


def _chain_after(facts: Facts, item: Replacement) -> list[Replacement]:
    return [
        other
        for other in replacements(facts)
        if other.site.function == item.site.function
        and any(before.site is item.site for before in chain_before(facts, other))
    ]


def _from_json(facts: Facts, item: Replacement) -> bool:
    """JSON text has its backslashes escaped already."""
    return "JSON.stringify" in facts.path(item.site.function, item.site.instr[3])


# --- removing text that can build itself again ------------------------------------------------------------------------


def find_multi_character_sanitization(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Removal of dangerous text of several characters in one pass."""
    facts = facts_of(file)
    for item in replacements(facts):
        if item.text != "" or _in_loop(item.site) or item.flags is None or item.pattern.startswith("^"):
            continue
        if _enclosing_loops(facts, item.site.function):
            continue
        written = _HEX.sub(_plain_character, item.pattern)
        for name, pattern in _DANGEROUS:
            if pattern.search(written) and not _harmless_removal(name, written):
                yield Hit(item.site.instr[1], item.site.function, {"value": name})
                break


_HEX = re.compile(r"\\x([0-9A-Fa-f]{2})")
_WORD = re.compile(r"[A-Za-z]{3}")


def _plain_character(match: re.Match[str]) -> str:
    return re.escape(chr(int(match.group(1), 16)))


def _harmless_removal(name: str, pattern: str) -> bool:
    """End tags alone start nothing, and ``../`` within more text is a certain path and not any way upwards."""
    if name == "<script":
        return "script" not in re.sub(r"\\?/script", "", pattern.lower()).replace("cript", "script")
    return name == "../" and _WORD.search(pattern) is not None


def _enclosing_loops(facts: Facts, function: int) -> bool:
    """The replacement sits in a callback that is called until nothing changes: too hard to tell, taken as repeated."""
    return any(_in_loop(callback.site) for callback in facts.callbacks.get(function, ()))


# --- order of escapes -------------------------------------------------------------------------------------------------


def find_double_escaping(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``&`` escaped after others that make ``&``, or undone before others that need it (also backslash and percent)."""
    facts = facts_of(file)
    for item in replacements(facts):
        if not isinstance(item.text, str) or item.literal is None:
            continue
        before = [
            other for other in chain_before(facts, item) if other.literal is not None or class_members(other.pattern)
        ]
        for mark in "&\\%":
            if item.literal == mark and item.text != mark and mark in item.text and _makes(before, mark):
                yield _hit(item, f"{mark!r} is escaped again after other replacements have produced it")
            elif mark in item.literal and len(item.literal) > 1 and mark not in item.text:
                early = next((o for o in before if _undoes(o, mark)), None)
                if early is not None:
                    yield Hit(
                        early.site.instr[1],
                        early.site.function,
                        {"name": f"{mark!r} is restored before other escapes are undone, so text is unescaped twice"},
                    )


def _makes(before: list[Replacement], mark: str) -> bool:
    return any(isinstance(o.text, str) and mark in o.text and o.literal != mark and o.text != mark for o in before)


def _undoes(item: Replacement, mark: str) -> bool:
    return item.text == mark and item.literal is not None and mark in item.literal and len(item.literal) > 1


# --- tag patterns -----------------------------------------------------------------------------------------------------


def find_bad_tag_filters(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Patterns for script tags or comments that do not match what browsers accept."""
    facts = facts_of(file)
    for site in facts.every(ir.NEW, ir.CALL):
        target = site.instr[2]
        if facts.path(site.function, site.instr[3]) != "RegExp":
            continue
        found = facts.regexp(site.function, target)
        fault = _tag_fault(*found) if found is not None else ""
        if fault:
            yield Hit(site.instr[1], site.function, {"name": fault})


def _tag_fault(pattern: str, flags: str) -> str:
    """What a tag pattern misses, or ""."""
    text = pattern.replace("\\/", "/").replace("\\-", "-").replace("\\!", "!")
    lower = text.lower()
    if re.search(r"<\(?/?\W{0,3}script", lower) and ">" in lower:
        if "script" in text and "i" not in flags and "[ss]" not in lower:
            return "does not match upper-case <SCRIPT> tags"
        if re.search(r"/script>", lower):
            return "does not match script end tags such as </script >"
        if re.search(r"script.{0,12}>(\(\??:?)?\.[*+]", lower) and "s" not in flags:
            return "does not match scripts that hold line breaks"
    if "<!--" in lower and "--" in lower.split("<!--", 1)[1]:
        rest = lower.split("<!--", 1)[1]
        if re.search(r"^\(?(\?:)?\.[*+]", rest) and "s" not in flags:
            return "does not match comments that hold line breaks"
        if re.search(r"--(\\s\*)?>", rest) and "!" not in rest:
            return "does not match comments that end with --!>"
    return ""
