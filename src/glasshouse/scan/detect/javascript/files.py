"""Paths: in shell commands, out of archives, in shared temporary directories; and selectors of jQuery plugins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import Facts, Site, arguments, facts_of, parts

_SHELL = frozenset(
    {
        "child_process.exec",
        "child_process.execSync",
        "shelljs.exec",
        "execa.command",
        "execa.commandSync",
        "execa.shell",
        "execa.shellSync",
    }
)
_LOCAL_PATHS = re.compile(
    r"^(__dirname|__filename|os\.(tmpdir|homedir)\(\)|process\.(cwd\(\)|execPath)|require\.resolve\(\)|import\.meta\.(dirname|filename|url))$"
)
_PATH_CALLS = re.compile(r"^path(\.posix|\.win32)?\.(join|resolve|normalize|dirname|relative)$")
_WRITES = re.compile(
    r"^(fs|fs-extra|graceful-fs)(/promises|\.promises)?\."
    r"(writeFile|writeFileSync|createWriteStream|open|openSync|appendFile|appendFileSync|outputFile|outputFileSync|mkdir|mkdirSync)$"
)
_ENTRY_FIELDS = frozenset({"path", "entryName", "fileName", "filename", "name", "props", "relativePath"})
_ENTRY_LISTS = re.compile(r"(getEntries|entries|Parse|Extract|extract|list|files)\(\)|\.(files|entries)$")
_ARCHIVES = re.compile(r"zip|^tar|tar-|yauzl|decompress|unrar|7z|archive|extract|jar|gunzip", re.IGNORECASE)
_TEMPORARY = re.compile(r"/(var/)?tmp(/|$)")
_RANDOM = re.compile(r"mkdtemp|random|uuid|nanoid|tmp\.|tempy|temp-|tempfile|cuid|unique|mktemp", re.IGNORECASE)


def _joined(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: pieces of a text and arguments of path functions."""
    if site.instr[0] in (ir.CALL, ir.CALL_METHOD):
        return arguments(site.instr) if _PATH_CALLS.match(facts.callee(site)) else []
    return parts(facts, site)


# --- paths in commands ------------------------------------------------------------------------------------------------


def find_paths_in_commands(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Shell command lines with a path of this machine that is not quoted."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        given = arguments(site.instr)
        if not given or facts.callee(site) not in _SHELL:
            continue
        for origin in facts.origins(site.function, given[0], _joined, callers=True):
            if _LOCAL_PATHS.match(facts.path(origin.function, origin.operand)):
                yield Hit(site.instr[1], site.function, {"sink": "the command"})
                break


# --- archives ---------------------------------------------------------------------------------------------------------


def find_zip_slips(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Writes to the path that an archive entry names, where nothing looks for ``..`` or the target directory."""
    facts = facts_of(file)
    if not any(_ARCHIVES.search(item.module) for item in file.imports):
        return
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        given = arguments(site.instr)
        if not given or not _WRITES.match(facts.callee(site)):
            continue
        for origin in facts.origins(site.function, given[0], _joined, callers=True):
            found = origin.site
            if found is None or found.instr[0] != ir.ATTR or found.instr[4] not in _ENTRY_FIELDS:
                continue
            if _is_entry(facts, found.function, found.instr[3]) and not _looks_for_parent(
                facts, site.function, found.function
            ):
                yield Hit(site.instr[1], site.function)
                break


def _is_entry(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """The operand is an archive entry (or its header): a callback's parameter or an element of a list of entries."""
    for origin in facts.origins(function, operand, _entry_steps):
        if origin.site is not None:
            if origin.site.instr[0] == ir.FOREACH and _ENTRY_LISTS.search(
                facts.path(origin.function, origin.site.instr[4])
            ):
                return True
            continue
        place = facts.parameter(origin.function, origin.operand)
        for callback in facts.callbacks.get(place[0], ()) if place is not None else ():
            if place is not None and place[1] == 0 and _gives_entries(facts, callback.site):
                return True
    return False


def _entry_steps(facts: Facts, site: Site) -> list[ir.Operand]:
    return [site.instr[3]] if site.instr[0] in (ir.MOVE, ir.ATTR, ir.AWAIT) else []


def _gives_entries(facts: Facts, site: Site) -> bool:
    name = facts.callee(site).rpartition(".")[2]
    if name in ("on", "once", "addListener"):
        return facts.constant(site.function, arguments(site.instr)[0]) in ("entry", "file")
    if name in ("forEach", "map", "each", "filter"):
        return bool(_ENTRY_LISTS.search(facts.path(site.function, site.instr[3])))
    return False


def _looks_for_parent(facts: Facts, *functions: int) -> bool:
    """A function around names ``..`` or tests the beginning of the target."""
    for function in functions:
        for index in facts.around(function):
            if index == 0 and function != 0:
                continue
            if any(isinstance(text, str) and ".." in text for text in facts.file.functions[index].consts):
                return True
            if any(_tests_beginning(facts, site) for site in facts.sites[index]):
                return True
    return False


def _tests_beginning(facts: Facts, site: Site) -> bool:
    """``target.startsWith(dir)``, ``target.indexOf(dir) !== 0``, ``path.relative(dir, target)``."""
    instr = site.instr
    if instr[0] == ir.CALL_METHOD:
        return instr[4] in ("startsWith", "relative", "basename", "isPathInside")
    if instr[0] == ir.CALL:
        return "inside" in facts.callee(site).lower()
    if instr[0] != ir.BINOP or facts.constant(site.function, instr[5]) != 0:
        return False
    found = facts.single(site.function, instr[4])
    return found is not None and found.instr[0] == ir.CALL_METHOD and found.instr[4] == "indexOf"


# --- temporary files --------------------------------------------------------------------------------------------------


def find_insecure_temporary_files(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Files written below the shared temporary directory under a name that others can foresee."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        given = arguments(site.instr)
        if not given or not _WRITES.match(facts.callee(site)) or "mkdir" in facts.callee(site):
            continue
        shared = False
        random = False
        for origin in facts.origins(site.function, given[0], _joined, callers=True):
            path = facts.path(origin.function, origin.operand)
            shared = shared or path == "os.tmpdir()" or _begins_in_tmp(facts, origin.site)
            random = random or bool(_RANDOM.search(path))
        text = facts.constant(site.function, given[0])
        shared = shared or (isinstance(text, str) and bool(_TEMPORARY.match(text)))
        if shared and not random:
            yield Hit(site.instr[1], site.function)


def _begins_in_tmp(facts: Facts, site: Site | None) -> bool:
    if site is None:
        return False
    instr = site.instr
    first: list[ir.Operand] = instr[4:5] if instr[0] == ir.BINOP else instr[3][:1] if instr[0] == ir.TEMPLATE else []
    if instr[0] in (ir.CALL, ir.CALL_METHOD) and _PATH_CALLS.match(facts.callee(site)):
        first = arguments(instr)[:1]
    values = [facts.constant(site.function, operand) for operand in first]
    return any(isinstance(value, str) and _TEMPORARY.match(value) for value in values)
