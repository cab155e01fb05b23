"""Maven's pom.xml, with what other poms of the same tree define; Gradle's lock files and version catalogues."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from glasshouse.inventory.component import Component, Entry, LeftOut
from glasshouse.inventory.document import Document, string, table
from glasshouse.inventory.entries import entry
from glasshouse.inventory.xml_tree import Element, parse_xml
from glasshouse.words.toml_text import plain_toml

MAX_PARENTS = 20
MAX_ROUNDS = 20
_PROPERTY = re.compile(r"\$\{([^${}]{1,200})\}")
_GRADLE = re.compile(r"^([^:#\s]+:[^:\s]+):([^=\s]+)=")
_RANGE = re.compile(r"[\[\](),+]|latest\.|^LATEST$|^RELEASE$")


def pom(document: Document) -> Iterator[Entry | LeftOut]:
    """The dependencies of a pom.xml that have one version, after properties and dependencyManagement of its tree."""
    project = _Project(document)
    own = project.levels[0]
    for holder in (own, *own.every("profiles", "profile")):
        for each in holder.every("dependencies", "dependency"):
            yield project.dependency(each)


class _Project:
    """A pom and its parents, as far as the tree holds them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        root = parse_xml(document.content)
        if root.tag != "project":
            raise ValueError(f"the root element is <{root.tag[:40]}>, not <project>")
        self.levels = [root]
        self.missing = ""  # the parent that is not in the tree
        self._find_parents()
        self.properties = self._properties()
        self.managed = self._managed()

    def _find_parents(self) -> None:
        folder = ""
        while len(self.levels) <= MAX_PARENTS and (parent := self.levels[-1].first("parent")) is not None:
            place = parent.first("relativePath")
            relative = "../pom.xml" if place is None else place.text
            path = posixpath.normpath(posixpath.join(folder, relative)) if relative else ""
            if path and not path.endswith(".xml"):
                path += "/pom.xml"
            found = self._pom(path, parent.value("artifactId")) if path else None
            if found is None:
                self.missing = ":".join(parent.value(key) for key in ("groupId", "artifactId", "version"))
                return
            self.levels.append(found)
            folder = posixpath.dirname(path)

    def _pom(self, path: str, artifact: str) -> Element | None:
        content = self.document.sibling(path)
        try:
            root = parse_xml(content) if content is not None else None
        except ValueError:
            return None
        return root if root is not None and root.value("artifactId") == artifact else None

    def _properties(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for level in reversed(self.levels):
            if (holder := level.first("properties")) is not None:
                found |= {child.tag: child.text for child in holder.children}
            for key in ("groupId", "version", "artifactId"):
                if value := level.value(key) or level.value("parent", key):
                    found[f"project.{key}"] = found[f"pom.{key}"] = value
                if value := level.value("parent", key):
                    found[f"project.parent.{key}"] = found[f"parent.{key}"] = value
        return found

    def _managed(self) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for level in reversed(self.levels):
            for each in level.every("dependencyManagement", "dependencies", "dependency"):
                key = self.filled(each.value("groupId")), self.filled(each.value("artifactId"))
                found[key] = each.value("version")
        return found

    def filled(self, text: str) -> str:
        """The text with the properties that are known put in."""
        for _ in range(MAX_ROUNDS):
            filled = _PROPERTY.sub(lambda match: self.properties.get(match[1].strip(), match[0]), text)
            if filled == text or len(filled) > 1_000:
                break
            text = filled
        return text[:1_000]

    def dependency(self, each: Element) -> Entry | LeftOut:
        """One dependency, or why its version is not known."""
        group, artifact = self.filled(each.value("groupId")), self.filled(each.value("artifactId"))
        name, line = f"{group}:{artifact}", (each.first("version") or each).line
        version = self.filled(each.value("version") or self.managed.get((group, artifact), ""))
        where = f"; its parent {self.missing} is not in this tree" if self.missing else ""
        if "${" in name:
            return LeftOut(name[:100], f"no property gives its name{where}", line)
        if not version:
            return LeftOut(name[:100], f"no version here or in a dependencyManagement of this tree{where}", line)
        if match := _PROPERTY.search(version):
            return LeftOut(name[:100], f"the property {match[1][:80]} is not defined in this tree{where}", line)
        if _RANGE.search(version):
            return LeftOut(name[:100], f"not one version: {version[:80]}", line, "not-pinned")
        return entry("Maven", name, version, line, True)


def gradle_lock(document: Document) -> Iterator[Entry | LeftOut]:
    """gradle.lockfile."""
    for number, line in enumerate(document.lines(), start=1):
        if match := _GRADLE.match(line):
            yield Entry(Component("Maven", match[1], match[2]), number)


def catalogue(document: Document) -> Iterator[Entry | LeftOut]:
    """A version catalogue of Gradle (libs.versions.toml): what a build may use, by its own words."""
    found = plain_toml(document.content.decode("utf-8"))
    versions = table(found.get("versions"))
    for alias, details in table(found.get("libraries")).items():
        line = document.line_of(f"{alias} =") or document.line_of(f"{alias}=")
        name, version = _library(details, versions)
        if not name or ":" not in name:
            yield LeftOut(alias[:100], "no module", line)
        elif not version:
            yield LeftOut(name[:100], "no version in the catalogue", line)
        elif _RANGE.search(version):
            yield LeftOut(name[:100], f"not one version: {version[:80]}", line, "not-pinned")
        else:
            yield entry("Maven", name, version, line, True)


def _library(details: Any, versions: dict[str, Any]) -> tuple[str, str]:
    if isinstance(details, str):
        group, _, rest = details.partition(":")
        artifact, _, own = rest.partition(":")
        return f"{group}:{artifact}", own
    found = table(details)
    name = string(found.get("module")) or f"{string(found.get('group'))}:{string(found.get('name'))}".strip(":")
    version: Any = found.get("version")
    if isinstance(version, dict) and "ref" in version:
        version = versions.get(string(version.get("ref")))
    if isinstance(version, dict):
        version = version.get("strictly") or version.get("require") or version.get("prefer")
    return name, string(version)
