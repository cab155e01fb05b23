"""Lock files of Go, Rust, Ruby, PHP and .NET."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from glasshouse.inventory.component import Component, Entry, LeftOut
from glasshouse.inventory.document import Document, items, table
from glasshouse.inventory.entries import entry
from glasshouse.inventory.python_files import toml_tables

_GO_LINE = re.compile(r"^(?:require\s+)?([^\s()]+)\s+(v[^\s()]+)$")
_GO_REPLACE = re.compile(r"^(?:replace\s+)?([^\s()]+)(?:\s+(v\S+))?\s*=>\s*([^\s()]+)(?:\s+(v\S+))?$")
_GO_VERSION = re.compile(r"^go\s+1\.(\d+)")
COMPLETE_SINCE = 17
"""Since Go 1.17 go.mod lists every module of the build; before, only those that are named in it."""
_GEM = re.compile(r"^    ([A-Za-z0-9._-]+) \(([^)]+)\)$")
_GEM_ASKED = re.compile(r"^  ([A-Za-z0-9._-]+)")


def go_mod(document: Document) -> Iterator[Entry | LeftOut]:
    """go.mod: the modules that are required, with what replaces them."""
    replaced: dict[str, tuple[str, str, str]] = {}
    found: list[tuple[str, str, int, bool]] = []
    block, minor = "", 0
    for number, line in enumerate(document.lines(), start=1):
        code, _, remark = line.partition("//")
        text = code.strip()
        if text.endswith("("):
            block = text.removesuffix("(").strip()
        elif text == ")":
            block = ""
        elif match := _GO_VERSION.match(text):
            minor = int(match[1][:6])
        elif (block == "replace" or text.startswith("replace ")) and (match := _GO_REPLACE.match(text)):
            replaced[match[1]] = (match[2] or "", match[3], match[4] or "")
        elif (block == "require" or text.startswith("require ")) and (match := _GO_LINE.match(text)):
            found.append((match[1], match[2], number, "indirect" not in remark))
    if minor < COMPLETE_SINCE and not document.sibling("go.sum"):
        yield LeftOut("modules", f"before Go 1.{COMPLETE_SINCE} go.mod does not list what its modules need; no go.sum")
    for name, version, number, direct in found:
        old, other, new = replaced.get(name, ("", "", ""))
        if other and old in ("", version):
            if not new:
                continue  # a folder of this tree takes its place
            name, version = other, new
        yield Entry(Component("Go", name, version.removeprefix("v")), number, direct)


def go_sum(document: Document) -> Iterator[Entry | LeftOut]:
    """go.sum; modules of which only the go.mod file was read are not part of the build.

    Nothing where the go.mod beside it is complete: go.sum also keeps versions that are not used.
    """
    beside = document.sibling("go.mod")
    minor = re.search(rb"(?m)^go\s+1\.(\d{1,6})", beside) if beside else None
    if minor and int(minor[1]) >= COMPLETE_SINCE:
        return
    for number, line in enumerate(document.lines(), start=1):
        parts = line.split()
        if len(parts) == 3 and not parts[1].endswith("/go.mod"):
            yield Entry(Component("Go", parts[0], parts[1].removeprefix("v")), number)


def cargo(document: Document) -> Iterator[Entry | LeftOut]:
    """Cargo.lock; a package without a source is part of the project."""
    packages = toml_tables(document, "package")
    own = [package for _, package in packages if "source" not in package]
    wanted = {str(need).partition(" ")[0] for package in own for need in items(package.get("dependencies"))}
    for line, package in packages:
        if "source" in package:
            name = package.get("name")
            yield entry("crates.io", name, package.get("version"), line, name in wanted if own else None)


def gemfile(document: Document) -> Iterator[Entry | LeftOut]:
    """Gemfile.lock."""
    lines = document.lines()
    asked: set[str] = set()
    section = ""
    for line in lines:
        if line and not line[0].isspace():
            section = line.strip()
        elif section == "DEPENDENCIES" and (match := _GEM_ASKED.match(line)):
            asked.add(match[1])
    for number, line in enumerate(lines, start=1):
        if match := _GEM.match(line):
            version = match[2].partition("-")[0]
            yield Entry(Component("RubyGems", match[1], version), number, match[1] in asked if asked else None)


def composer(document: Document) -> Iterator[Entry | LeftOut]:
    """composer.lock."""
    found = document.json()
    for section in ("packages", "packages-dev"):
        for details in items(found.get(section)):
            version, name = table(details).get("version"), table(details).get("name")
            line = document.line_of(f'"name": "{name}"') if isinstance(name, str) else 0
            yield entry("Packagist", name, version.removeprefix("v") if isinstance(version, str) else None, line)


def nuget(document: Document) -> Iterator[Entry | LeftOut]:
    """packages.lock.json."""
    kinds: dict[Any, bool] = {"Direct": True, "Transitive": False}
    for framework in table(document.json().get("dependencies")).values():
        for name, details in table(framework).items():
            kind = table(details).get("type")
            if kind != "Project":
                direct = kinds.get(kind) if isinstance(kind, str) else None
                yield entry("NuGet", name, table(details).get("resolved"), document.line_of_key(name), direct)
