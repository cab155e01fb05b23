"""What JavaScript's package managers write: npm, yarn, pnpm, and installed packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from glasshouse.inventory.component import Component, Entry, LeftOut
from glasshouse.inventory.document import Document, string, table
from glasshouse.inventory.entries import entry
from glasshouse.words.display import without_credentials
from glasshouse.words.yaml_text import one_plain_yaml

MAX_YAML_BYTES = 50_000_000
_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_YARN_KEY = re.compile(r'^"?(@?[^@"\s,/]+(?:/[^@"\s,]+)?)@([^",]*)')
_YARN_FIELD = re.compile(r'^  (version|resolution):?\s+"?([^"\s]+)')
_YARN_NEED = re.compile(r'^    "?(@?[^@"\s:]+)"?:?\s')
_PNPM_KEY = re.compile(r"^/?(@[^@/(]+/[^@/(]+|[^@/(]+)[@/]([^@(/]+)")
_ALIAS = re.compile(r"^npm:(@?[^@]+)@(.*)$")
_ARCHIVE = re.compile(r"^https?://\S+/-/[^/]*?-(\d[^/]*)\.tgz$")  # what a registry serves
_ADDRESS = re.compile(r"^(?:git|https?|file|ssh|github|link|workspace)[+:]")


def npm(document: Document) -> Iterator[Entry | LeftOut]:
    """package-lock.json and npm-shrinkwrap.json, versions 1 to 3."""
    found = document.json()
    packages = found.get("packages")
    if isinstance(packages, dict):
        yield from _flat(document, packages)
        return
    stack: list[Any] = [iter(table(found.get("dependencies")).items())]
    while stack:
        name, details = next(stack[-1], (None, None))
        if name is None:
            stack.pop()
        elif isinstance(details, dict):
            yield _version_1(str(name), details.get("version"), document.line_of_key(str(name)))
            stack.append(iter(table(details.get("dependencies")).items()))


def _flat(document: Document, packages: dict[str, Any]) -> Iterator[Entry | LeftOut]:
    own = [table(details) for place, details in packages.items() if "node_modules/" not in place]
    wanted = {name for details in own for group in _GROUPS for name in table(details.get(group))}
    for place, details in packages.items():
        if "node_modules/" not in place or not isinstance(details, dict) or details.get("link"):
            continue
        folder, _, name = place.rpartition("node_modules/")
        direct = (name in wanted and "node_modules/" not in folder) if "" in packages else None
        yield entry("npm", details.get("name") or name, details.get("version"), document.line_of_key(place), direct)


def _version_1(name: str, version: Any, line: int) -> Entry | LeftOut:
    if isinstance(version, str):
        if alias := _ALIAS.match(version):
            name, version = alias[1], alias[2]
        elif archive := _ARCHIVE.match(version):
            version = archive[1]
        elif _ADDRESS.match(version):
            return LeftOut(name[:100], f"not from a registry: {without_credentials(version)[:80]}", line)
    return entry("npm", name, version, line)


def yarn(document: Document) -> Iterator[Entry | LeftOut]:
    """yarn.lock, classic and berry; berry's workspaces tell what is direct."""
    blocks = list(_yarn_blocks(document.lines()))
    wanted = {name for block in blocks if block.own for name in block.needs}
    tells = any(block.own for block in blocks)
    for block in blocks:
        if block.own or block.range.startswith(("link:", "portal:")):
            continue
        direct = block.name in wanted if tells else None
        if block.range.startswith(("git", "http", "file:")) or "@git" in block.resolution:
            yield LeftOut(block.name[:100], f"not from a registry: {block.range[:80]}", block.line)
        else:
            yield entry("npm", block.real_name, block.version, block.line, direct)


class _Block:
    """One entry of a yarn.lock."""

    def __init__(self, name: str, wanted: str, line: int) -> None:
        self.name, self.range, self.line = name, wanted, line
        self.version = self.resolution = ""
        self.needs: list[str] = []

    @property
    def own(self) -> bool:
        """Whether it is a workspace: part of the project itself."""
        return self.range.startswith("workspace:")

    @property
    def real_name(self) -> str:
        """The name of the package that was resolved, which an alias hides."""
        match = _YARN_KEY.match(self.resolution) or _ALIAS.match(self.range)
        return match[1] if match else self.name


def _yarn_blocks(lines: list[str]) -> Iterator[_Block]:
    block: _Block | None = None
    in_needs = False
    for number, line in enumerate(lines, start=1):
        if line and not line[0].isspace() and not line.startswith(("#", "__metadata")):
            if block is not None:
                yield block
            match = _YARN_KEY.match(line)
            block, in_needs = (_Block(match[1], match[2], number) if match else None), False
        elif block is not None and (field := _YARN_FIELD.match(line)):
            setattr(block, field[1], field[2])
        elif block is not None and line.startswith("  ") and not line.startswith("   "):
            in_needs = line.strip().rstrip(":") in _GROUPS
        elif block is not None and in_needs and len(block.needs) < 10_000 and (need := _YARN_NEED.match(line)):
            block.needs.append(need[1])
    if block is not None:
        yield block


def pnpm(document: Document) -> Iterator[Entry | LeftOut]:
    """pnpm-lock.yaml, versions 5 to 9."""
    found = table(yaml_document(document))
    projects = [found, *table(found.get("importers")).values()]
    wanted = {str(name) for project in projects for group in _GROUPS for name in table(table(project).get(group))}
    for key, details in table(found.get("packages")).items():
        text = str(key)
        line = document.line_of(f"{text}:") or document.line_of(text)
        match = _PNPM_KEY.match(text)
        if match is None or _ADDRESS.match(match[2]):
            yield LeftOut(text[:100], "no name and version of a registry", line)
            continue
        name = string(table(details).get("name")) or match[1]
        version = string(table(details).get("version")) or match[2].partition("_")[0]
        yield entry("npm", name, version, line, name in wanted if wanted else None)


def yaml_document(document: Document) -> Any:
    """The YAML value that the content is; ``ValueError`` where it is none."""
    import yaml

    if len(document.content) > MAX_YAML_BYTES:
        raise ValueError(f"larger than {MAX_YAML_BYTES:,} bytes")
    try:
        return one_plain_yaml(document.content)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def installed(document: Document) -> Iterator[Entry | LeftOut]:
    """package.json of an installed package; the many that name no version are parts of a package."""
    found = document.json()
    name, version = string(found.get("name")), string(found.get("version"))
    if name and version:
        yield Entry(Component("npm", name, version), document.line_of_key("version"))
