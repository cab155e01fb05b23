"""What Python's package managers write: pip, Pipenv, Poetry, uv, PDM, and installed distributions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from glasshouse.inventory.component import Component, Entry, LeftOut
from glasshouse.inventory.document import Document, items, table
from glasshouse.inventory.entries import entry
from glasshouse.words.display import without_credentials
from glasshouse.words.toml_text import plain_toml

_PINNED = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\s*\[[^\]]*\])?\s*\(?\s*===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)(.?)"
)
_TABLE = re.compile(rb"(?m)^\[\[packages?\]\][ \t]*\r?$")
_OWN_SOURCES = frozenset({"editable", "virtual"})
_HEADER_LINES = 300


def requirements(document: Document) -> Iterator[Entry | LeftOut]:
    """Requirements and constraints of pip; what is not pinned has no version that could be matched."""
    lines = document.lines()
    for number, line in enumerate(lines, start=1):
        text = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if not text or text.startswith("\\"):
            continue
        if text.startswith("-"):
            if problem := _option(text):
                yield LeftOut(f"line {number}", problem, number)
            continue
        match = _PINNED.match(text)
        if match and match[3] not in ("*", ",") and not match[2].endswith("."):
            component = Component("PyPI", match[1], match[2])
            yield Entry(component, number, _asked_for(lines, number), pin=_pin(lines, number, match[2]))
        else:
            yield LeftOut(
                f"line {number}", f"not pinned to one version: {without_credentials(text)[:80]}", number, "not-pinned"
            )


def _pin(lines: list[str], number: int, version: str) -> tuple[int, int] | None:
    """Where the version stands; None where a hash belongs to it, which only the package manager can renew."""
    line, following = lines[number - 1], lines[number].strip() if number < len(lines) else ""
    at = line.find(version, line.find("=="))
    if at < 0 or "--hash" in line or following.startswith("--hash"):
        return None
    return at + 1, at + 1 + len(version)


def _option(text: str) -> str:
    """Why an option line hides requirements from us; empty when it does not."""
    words = re.split(r"[\s=]+", text, maxsplit=1)
    value = words[1].strip() if len(words) > 1 else ""
    if words[0] in ("-e", "--editable"):
        return "" if re.match(r"\.|/|file:", value) else f"not from an index: {without_credentials(value)[:80]}"
    if words[0] in ("-r", "--requirement", "-c", "--constraint"):
        known = value.rpartition("/")[2].lower()
        return (
            ""
            if is_requirements(known, value)
            else f"another file of requirements, not read: {without_credentials(value)[:80]}"
        )
    return ""


def is_requirements(name: str, path: str = "") -> bool:
    """Whether a file of this name (in lower case) holds requirements or constraints."""
    folder = path.rpartition("/")[0].rpartition("/")[2].lower()
    return name.endswith(".txt") and ("requirements" in name or "constraints" in name or folder == "requirements")


def _asked_for(lines: list[str], number: int) -> bool | None:
    """What pip-compile notes about who wants a pin: a file (direct) or other packages."""
    remarks = [lines[number - 1].partition(" #")[2]]
    for line in lines[number : number + 50]:
        stripped = line.strip()
        if not stripped.startswith(("#", "--hash")):
            break
        remarks.append(stripped.removeprefix("#") if stripped.startswith("#") else "")
    text = " ".join(remarks)
    if "via" not in text.split():
        return None
    return bool(re.search(r"-[rc] |pyproject\.toml|setup\.(?:py|cfg)|\.in\b", text))


def lock(document: Document) -> Iterator[Entry | LeftOut]:
    """poetry.lock, uv.lock and pdm.lock: a list of [[package]]."""
    packages = toml_tables(document, "package")
    own = [package for _, package in packages if _OWN_SOURCES & set(table(package.get("source")))]
    wanted = {name for package in own for name in _needed(package)}
    for line, package in packages:
        if _OWN_SOURCES & set(table(package.get("source"))):
            continue  # the project itself
        direct = package.get("name") in wanted if own else None
        yield entry("PyPI", package.get("name"), package.get("version"), line, direct)


def _needed(package: dict[str, Any]) -> Iterator[str]:
    groups = [package.get("dependencies")]
    for key in ("optional-dependencies", "dev-dependencies"):
        groups += table(package.get(key)).values()
    for group in groups:
        for each in items(group):
            if isinstance(name := table(each).get("name"), str):
                yield name


def pylock(document: Document) -> Iterator[Entry | LeftOut]:
    """pylock.toml (PEP 751)."""
    for line, package in toml_tables(document, "packages"):
        yield entry("PyPI", package.get("name"), package.get("version"), line)


def toml_tables(document: Document, key: str) -> list[tuple[int, dict[str, Any]]]:
    """The tables of an array of tables, each with its line (0 where the file is written in another way)."""
    found = plain_toml(document.content.decode("utf-8"))
    tables = [table(each) for each in items(found.get(key))]
    starts = [document.line_at(match.start()) for match in _TABLE.finditer(document.content)]
    if len(starts) != len(tables):
        starts = [0] * len(tables)
    return list(zip(starts, tables, strict=True))


def pipfile(document: Document) -> Iterator[Entry | LeftOut]:
    """Pipfile.lock."""
    found = document.json()
    for section in ("default", "develop"):
        for name, details in table(found.get(section)).items():
            version = table(details).get("version")
            yield entry(
                "PyPI", name, version.lstrip("=") if isinstance(version, str) else None, document.line_of_key(name)
            )


def installed(document: Document) -> Iterator[Entry | LeftOut]:
    """METADATA of an installed distribution."""
    fields: dict[str, str] = {}
    for line in document.text()[:60_000].split("\n")[:_HEADER_LINES]:
        if not line.strip():
            break
        key, _, value = line.partition(":")
        fields.setdefault(key.lower(), value.strip())
    yield entry("PyPI", fields.get("name"), fields.get("version"), 1)
