"""Lock files of package managers: every version that will be installed, not what a manifest asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.inventory.component import Component, LeftOut

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_YARN_KEY = re.compile(r'^"?(@?[^@"\s,]+)@')
_YARN_VERSION = re.compile(r'^\s+version:?\s+"?([^"\s]+)')
_PNPM_KEY = re.compile(r"^/?(@?[^@(]+)[@/]([^@(/]+)")
_GEM = re.compile(r"^    ([A-Za-z0-9._-]+) \(([^)]+)\)$")
_GRADLE = re.compile(r"^([^:#\s]+:[^:\s]+):([^=\s]+)=")


def npm(content: bytes) -> Iterator[Component | LeftOut]:
    """package-lock.json, versions 1 to 3."""
    found = _json(content)
    packages = found.get("packages")
    if isinstance(packages, dict):
        for place, entry in packages.items():
            if place and isinstance(entry, dict) and not entry.get("link"):
                name = entry.get("name") or place.rpartition("node_modules/")[2]
                yield _one("npm", name, entry.get("version"))
        return
    stack = [found.get("dependencies")]
    while stack:
        level = stack.pop()
        for name, entry in level.items() if isinstance(level, dict) else ():
            if isinstance(entry, dict):
                yield _one("npm", name, entry.get("version"))
                stack.append(entry.get("dependencies"))


def yarn(content: bytes) -> Iterator[Component | LeftOut]:
    """yarn.lock, classic and berry."""
    name = ""
    for line in _lines(content):
        if line and not line[0].isspace() and not line.startswith("#"):
            match = _YARN_KEY.match(line)
            name = match[1] if match and not line.startswith("__metadata") else ""
        elif name and (version := _YARN_VERSION.match(line)):
            yield Component("npm", name, version[1])
            name = ""


def pnpm(content: bytes) -> Iterator[Component | LeftOut]:
    """pnpm-lock.yaml."""
    import yaml

    try:
        found = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    packages = found.get("packages") if isinstance(found, dict) else None
    for key in packages if isinstance(packages, dict) else ():
        match = _PNPM_KEY.match(str(key))
        yield Component("npm", match[1], match[2]) if match else LeftOut(str(key)[:100], "no name and version")


def python_toml(content: bytes) -> Iterator[Component | LeftOut]:
    """poetry.lock, uv.lock and pdm.lock: a list of [[package]]."""
    yield from _toml_packages(content, "package", "PyPI")


def pylock(content: bytes) -> Iterator[Component | LeftOut]:
    """pylock.toml (PEP 751)."""
    yield from _toml_packages(content, "packages", "PyPI")


def cargo(content: bytes) -> Iterator[Component | LeftOut]:
    """Cargo.lock."""
    yield from _toml_packages(content, "package", "crates.io")


def _toml_packages(content: bytes, key: str, ecosystem: str) -> Iterator[Component | LeftOut]:
    found = tomllib.loads(content.decode("utf-8"))
    for entry in _items(found.get(key)):
        source = entry.get("source") if isinstance(entry, dict) else None
        if isinstance(source, dict) and {"editable", "virtual"} & set(source):
            continue  # the project itself
        yield _one(ecosystem, _table(entry).get("name"), _table(entry).get("version"))


def pipfile(content: bytes) -> Iterator[Component | LeftOut]:
    """Pipfile.lock."""
    found = _json(content)
    for section in ("default", "develop"):
        for name, entry in _table(found.get(section)).items():
            version = _table(entry).get("version")
            yield _one("PyPI", name, version.lstrip("=") if isinstance(version, str) else None)


def requirements(content: bytes) -> Iterator[Component | LeftOut]:
    """requirements.txt; a requirement that is not pinned has no version that could be matched."""
    for number, line in enumerate(_lines(content), start=1):
        text = line.partition(" #")[0].strip()
        if not text or text.startswith(("#", "-", "\\")):
            continue
        match = _PINNED.match(text)
        if match:
            yield Component("PyPI", match[1], match[2])
        else:
            yield LeftOut(f"line {number}", f"not pinned to one version: {text[:80]}")


def go_sum(content: bytes) -> Iterator[Component | LeftOut]:
    """go.sum; modules of which only the go.mod file was read are not part of the build."""
    for line in _lines(content):
        parts = line.split()
        if len(parts) == 3 and not parts[1].endswith("/go.mod"):
            yield Component("Go", parts[0], parts[1].removeprefix("v"))


def gemfile(content: bytes) -> Iterator[Component | LeftOut]:
    """Gemfile.lock."""
    for line in _lines(content):
        if match := _GEM.match(line):
            yield Component("RubyGems", match[1], match[2].partition("-")[0])


def composer(content: bytes) -> Iterator[Component | LeftOut]:
    """composer.lock."""
    found = _json(content)
    for section in ("packages", "packages-dev"):
        for entry in _items(found.get(section)):
            version = _table(entry).get("version")
            name = _table(entry).get("name")
            yield _one("Packagist", name, version.removeprefix("v") if isinstance(version, str) else None)


def nuget(content: bytes) -> Iterator[Component | LeftOut]:
    """packages.lock.json."""
    for framework in _table(_json(content).get("dependencies")).values():
        for name, entry in _table(framework).items():
            if _table(entry).get("type") != "Project":
                yield _one("NuGet", name, _table(entry).get("resolved"))


def gradle(content: bytes) -> Iterator[Component | LeftOut]:
    """gradle.lockfile."""
    for line in _lines(content):
        if match := _GRADLE.match(line):
            yield Component("Maven", match[1], match[2])


def _one(ecosystem: str, name: Any, version: Any) -> Component | LeftOut:
    if not isinstance(name, str) or not name:
        return LeftOut("entry", "no name")
    if not isinstance(version, str) or not version:
        return LeftOut(name[:100], "no version")
    return Component(ecosystem, name[:300], version[:100])


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, dict):
        raise ValueError("the document is no object")
    return found


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
