"""Data flows of one rule's own: what its ``options`` call a source, followed to what they call a sink, in one file.

Backward from each sink argument over moves, concatenation, containers and calls (``javascript_values.Facts`` serves
every language), also through parameters of functions of the file.  Calls that clean (hashes, lengths, comparisons) end
the walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import UNKNOWN, Facts, Site, arguments, everything, facts_of
from glasshouse.scan.detect.mentions import mentions_of

CALLS = (ir.CALL, ir.CALL_METHOD, ir.NEW)
_CLEANING = re.compile(
    r"(?:^|\.)(?:len|bool|int|float|hash|type|isinstance|id|any|all|hexdigest|digest|hashpw|checkpw|verify|scrypt|pbkdf2\w*"
    r"|\w*hash\w*|encrypt\w*|mask\w*|redact\w*|compare_digest|basename|secure_filename|safe_join|startswith|endswith|isdigit"
    r"|find|count|index|exists|sha\d*|md5|blake2\w|bcrypt|argon2|get_secret|getpass|quote|remove|delete)$"
)


def find_flows(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Places where a source of the rule reaches one of its sinks."""
    sources = _Sources(options.get("sources", {}))
    mentions = mentions_of(file)
    if not (sources.names or mentions.may_call(sources.calls) or (sources.exceptions and mentions.catches)):
        return
    sinks = [sink for sink in map(_Sink, options.get("sinks", ())) if mentions.may_call(sink.paths)]
    if not sinks and not options.get("entry_returns"):
        return
    facts = facts_of(file)
    by_name: dict[str, list[_Sink]] = {}
    for sink in sinks:
        for path in sink.paths:
            by_name.setdefault(path.rpartition(".")[2], []).append(sink)
    for site in facts.every(*CALLS):
        name = facts.callee(site)
        for sink in by_name.get(name.rpartition(".")[2], ()):
            if sink.fits(facts, site, name):
                found = _first_source(facts, site, sink.values(site), sources)
                if found:
                    details = {"source": found, "sink": shown(name), "name": found, "value": ""}
                    yield Hit(site.instr[1], site.function, details)
                    break
    if options.get("entry_returns"):
        yield from _returns(facts, sources)


def _returns(facts: Facts, sources: _Sources) -> Iterator[Hit]:
    """What decorated functions (web routes) return."""
    for site in facts.every(ir.RETURN):
        function = facts.file.functions[site.function]
        if not any(
            re.search(r"(?i)\b(route|get|post|put|delete|patch|errorhandler|expose)$", d.name)
            for d in function.decorators
        ):
            continue
        found = _first_source(facts, site, [site.instr[2]], sources)
        if found:
            yield Hit(site.instr[1], site.function, {"source": found, "sink": "the answer", "name": found, "value": ""})


def shown(path: str) -> str:
    """A callee path as a reader knows it."""
    return path.removeprefix("?.").replace("()", "") or "this call"


def named(path: str, wanted: str) -> bool:
    """Whether a callee's path is the wanted one: the same, ``*.name``, or a method of a result whose type is known."""
    path, wanted = _plain(path), _plain(wanted)
    if path == wanted:
        return True
    given, _, name = path.rpartition(".")
    owner, _, last = wanted.rpartition(".")
    return name == last and (owner == "*" or given in _RESULTS.get(owner, ()))


def _plain(path: str) -> str:
    """The path without call marks and without entering a context manager."""
    return path.replace("()", "").replace(".__enter__", "")


# Factories whose result has a type that rules name.
_RESULTS = {
    "tarfile.TarFile": ("tarfile.open", "tarfile.TarFile.open"),
    "io.TextIOWrapper": ("open", "io.open", "codecs.open"),
    "logging.Logger": ("logging.getLogger",),
    "hashlib.hash": ("hashlib.md5", "hashlib.sha1", "hashlib.sha256", "hashlib.sha512", "hashlib.new"),
}


class _Sink:
    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.paths: Sequence[str] = entry.get("call", ())
        self.args: Sequence[str] = entry.get("args", ("0",))
        self.where = [_Test(item) for item in entry.get("where", ())]
        self.safe_when = [_Test(item) for item in entry.get("safe_when", ())]

    def fits(self, facts: Facts, site: Site, name: str) -> bool:
        if not any(named(name, path) for path in self.paths):
            return False
        if any(test.holds(facts, site) for test in self.safe_when):
            return False
        return all(test.holds(facts, site) for test in self.where)

    def values(self, site: Site) -> list[ir.Operand]:
        return [value for selector in self.args for value in pick(site, selector)]


class _Test:
    """A constant's ``equals`` or ``matches``; the schema's conditions as far as one file tells them."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.arg = str(entry.get("arg", "0"))
        self.equals = entry.get("equals")
        self.pattern = re.compile(str(entry["matches"])) if "matches" in entry else None

    def holds(self, facts: Facts, site: Site) -> bool:
        for value in pick(site, self.arg):
            constant = facts.constant(site.function, value)
            if constant is UNKNOWN:
                continue
            if self.equals is not None and constant in self.equals:
                return True
            if self.pattern is not None and self.pattern.search(str(constant)):
                return True
        return False


def pick(site: Site, selector: str) -> list[ir.Operand]:
    """Operands of a call that an argument selector names (fields are not told apart)."""
    instr = site.instr
    positional = arguments(instr)
    given = dict(keywords(instr))
    found: list[ir.Operand] = []
    for part in selector.split("|"):
        head = part.partition(".")[0]
        if head == "any":
            return [*positional, *given.values()]
        if head == "self" and instr[0] == ir.CALL_METHOD:
            found.append(instr[3])
        elif head.isdigit() and int(head) < len(positional):
            found.append(positional[int(head)])
        elif head in given:
            found.append(given[head])
        if found:
            break
    return found


def keywords(instr: ir.Instr) -> Iterator[tuple[str, ir.Operand]]:
    given = instr[6] if instr[0] == ir.CALL_METHOD else instr[5]
    for item in given if isinstance(given, list) else list(given.items()):
        if isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], str):
            yield item[0], item[1]


class _Sources:
    """What the rule calls a source, and how to name it."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.calls: Sequence[str] = (*options.get("call", ()), *options.get("iterate", ()))
        self.names = re.compile(options["names"]) if "names" in options else None
        self.not_names = re.compile(options["not_names"]) if "not_names" in options else None
        self.exceptions = bool(options.get("exceptions"))
        self.text = str(options.get("description", "this value"))

    def of(self, facts: Facts, function: int, operand: ir.Operand, site: Site | None) -> str:
        """A description when the value is a source, else ""."""
        name = operand if isinstance(operand, str) and not operand.startswith("$") else ""
        if site is not None and site.instr[0] == ir.ATTR:
            name = str(site.instr[4])
        elif site is not None and site.instr[0] == ir.ITEM:
            key = facts.literal(site.function, site.instr[4])
            name = key if isinstance(key, str) else name
        if name and self.names is not None and self.names.fullmatch(name):
            if self.not_names is None or not self.not_names.fullmatch(name):
                constant = facts.constant(function, operand)
                return "" if constant in (None, "", True, False) else f"{self.text} (`{name}`)"
        if site is not None and site.instr[0] in CALLS and self.calls:
            called = facts.callee(site)
            if any(named(called, path) for path in self.calls):
                return self.text
        if self.exceptions and name and site is None and _is_caught(facts, function, name):
            return f"{self.text} (`{name}`)"
        return ""


def _is_caught(facts: Facts, function: int, name: str) -> bool:
    return any(
        handler[1] == name for site in facts.sites[function] if site.instr[0] == ir.TRY for handler in site.instr[3]
    )


def _first_source(facts: Facts, site: Site, values: Sequence[ir.Operand], sources: _Sources) -> str:
    for value in values:
        for origin in facts.origins(site.function, value, _carried, callers=True):
            text = sources.of(facts, origin.function, origin.operand, origin.site)
            if text:
                return text
    return ""


def _carried(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: everything that took part, except through calls that clean and tests that give a boolean."""
    instr, op = site.instr, site.instr[0]
    if op in CALLS and _CLEANING.search(facts.callee(site).replace("()", "")):
        return []
    if op == ir.BINOP and instr[3] not in ("+", "%", "or", "and", "||", "&&", "/"):
        return []
    if op == ir.ITEM:
        return [instr[3]]
    return everything(facts, site)
