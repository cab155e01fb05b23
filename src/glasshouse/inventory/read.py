"""Which reader a file needs, by name and content, and its answer; bounded in bytes and entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from glasshouse.inventory import (
    javascript_files,
    jvm_files,
    other_files,
    packages,
    python_files,
    rpm_database,
    sbom,
)
from glasshouse.inventory.component import MAX_COMPONENTS, Entry, Inventory, LeftOut
from glasshouse.inventory.document import Document, no_siblings
from glasshouse.inventory.trees.folder import FolderTree
from glasshouse.inventory.trees.model import beside
from glasshouse.words.errors import InventoryError, PathError
from glasshouse.words.named_file import read_named

MAX_BYTES = 200_000_000
MAX_LEFT_OUT = 1_000

Reader = Callable[[Document], Iterator[Entry | LeftOut]]

# By file name, in lower case.
BY_NAME: tuple[tuple[str, str, Reader], ...] = (
    ("package-lock.json", "npm lock file", javascript_files.npm),
    ("npm-shrinkwrap.json", "npm lock file", javascript_files.npm),
    ("yarn.lock", "yarn lock file", javascript_files.yarn),
    ("pnpm-lock.yaml", "pnpm lock file", javascript_files.pnpm),
    ("poetry.lock", "Poetry lock file", python_files.lock),
    ("uv.lock", "uv lock file", python_files.lock),
    ("pdm.lock", "PDM lock file", python_files.lock),
    ("pylock.toml", "pylock file", python_files.pylock),
    ("pylock.*.toml", "pylock file", python_files.pylock),
    ("pipfile.lock", "Pipenv lock file", python_files.pipfile),
    ("*requirements*.txt", "pip requirements", python_files.requirements),
    ("*constraints*.txt", "pip constraints", python_files.requirements),
    ("cargo.lock", "Cargo lock file", other_files.cargo),
    ("go.mod", "Go module file", other_files.go_mod),
    ("go.sum", "Go checksum file", other_files.go_sum),
    ("gemfile.lock", "Bundler lock file", other_files.gemfile),
    ("composer.lock", "Composer lock file", other_files.composer),
    ("packages.lock.json", "NuGet lock file", other_files.nuget),
    ("pom.xml", "Maven project", jvm_files.pom),
    ("gradle.lockfile", "Gradle lock file", jvm_files.gradle_lock),
    ("*.versions.toml", "Gradle version catalogue", jvm_files.catalogue),
    ("*dpkg.txt", "dpkg-query list", packages.dpkg_list),
    ("*rpm.txt", "rpm list", packages.rpm_list),
)
BILLS = ("*.cdx.json", "*.cdx.xml", "*.spdx.json", "*.spdx", "*bom.json", "*bom.xml")
# Parts of a root file system: by the end of the path.
BY_PLACE: tuple[tuple[str, str, Reader], ...] = (
    ("var/lib/dpkg/status", "dpkg database", packages.dpkg),
    ("var/lib/dpkg/status.d/*", "dpkg database", packages.dpkg),
    ("lib/apk/db/installed", "apk database", packages.apk),
    ("rpm/rpmdb.sqlite", "rpm database", rpm_database.rpm),
    ("rpm/Packages", "rpm database", rpm_database.old_rpm),
    ("rpm/Packages.db", "rpm database", rpm_database.old_rpm),
)
# Files outside a root file system that only their name tells apart.
ALONE: tuple[tuple[str, str, Reader], ...] = (
    ("status", "dpkg database", packages.dpkg),
    ("installed", "apk database", packages.apk),
    ("rpmdb.sqlite", "rpm database", rpm_database.rpm),
    ("Packages", "rpm database", rpm_database.old_rpm),
    ("Packages.db", "rpm database", rpm_database.old_rpm),
    ("METADATA", "installed Python distribution", python_files.installed),
    ("package.json", "installed npm package", javascript_files.installed),
)


def read_inventory(path: Path) -> Inventory:
    """What one file lists.

    A file that is no inventory, is too large or cannot be read is an ``InventoryError`` or ``PathError``; entries
    that make no sense are listed in ``left_out`` and the rest goes on.
    """
    try:
        content = read_named(path, MAX_BYTES)
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=str(path)) from error
    if len(content) > MAX_BYTES:
        raise InventoryError(f"larger than {MAX_BYTES:,} bytes", where=str(path))
    root, inside = _root_of(path)
    sibling = beside(FolderTree(root), inside.rpartition("/")[0], MAX_BYTES)
    return parse_document(Document(path.name, content, sibling), shown=str(path))


def _root_of(path: Path) -> tuple[Path, str]:
    """The tree that a named file belongs to: the root file system of a package database, else its folder."""
    text = path.as_posix()
    for pattern, _, _ in BY_PLACE:
        parts = pattern.count("/") + (4 if pattern.startswith("rpm/") else 1)
        if fnmatchcase(text, f"*/{pattern}") and len(path.parents) >= parts:
            root = path.parents[parts - 1]
            return root, path.relative_to(root).as_posix()
    return path.parent, path.name


def parse_inventory(name: str, content: bytes, *, shown: str = "") -> Inventory:
    """The same for content that is in memory; ``shown`` is the place that messages name."""
    return parse_document(Document(name, content, no_siblings), shown=shown or name)


def parse_document(document: Document, *, shown: str, inside: str = "") -> Inventory:
    """What a document lists; ``inside`` is its path in a root file system, if it comes from one."""
    kind, reader = _reader(document, shown, inside)
    entries: dict[Entry, None] = {}
    left_out: list[LeftOut] = []
    try:
        for item in reader(document):
            if isinstance(item, LeftOut):
                if len(left_out) < MAX_LEFT_OUT:
                    left_out.append(LeftOut(f"{shown}: {item.where}", item.why, item.line, item.code))
            elif len(entries) < MAX_COMPONENTS:
                entries[item] = None
            else:
                left_out.append(LeftOut(shown, f"only the first {MAX_COMPONENTS:,} components were read"))
                break
    except (ValueError, RecursionError) as error:
        raise InventoryError(f"not a valid {kind}: {str(error)[:300]}", where=shown) from error
    return Inventory(shown, kind, tuple(entries), tuple(left_out))


def _reader(document: Document, shown: str, inside: str) -> tuple[str, Reader]:
    if inside and (found := by_place(inside)) is not None:
        return found
    if (found := by_name(document.name)) is not None:
        return found
    for name, kind, reader in ALONE:
        if document.name == name:
            return kind, reader
    head = document.content[:4_096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"{"):
        return "software bill of materials (JSON)", sbom.json_bill
    if head.startswith(b"<"):
        return "software bill of materials (XML)", sbom.xml_bill
    if b"SPDXVersion:" in head:
        return "SPDX tag-value document", sbom.spdx_tags
    hint = "Give CycloneDX or SPDX, a lock file, a package database of a distribution, or a list *rpm.txt."
    raise InventoryError("not an inventory that can be read", where=shown, hint=hint)


def by_name(name: str) -> tuple[str, Reader] | None:
    """The reader of files with this name."""
    lower = name.lower()
    for pattern, kind, reader in BY_NAME:
        if fnmatchcase(lower, pattern):
            return kind, reader
    return None


def by_place(path: str) -> tuple[str, Reader] | None:
    """The reader of a file at this place of a root file system."""
    for pattern, kind, reader in BY_PLACE:
        if fnmatchcase(path, f"*{pattern}") and not path.endswith(".md5sums"):
            return kind, reader
    if path.endswith(".dist-info/METADATA"):
        return "installed Python distribution", python_files.installed
    if "node_modules/" in path and path.endswith("/package.json"):
        return "installed npm package", javascript_files.installed
    return None


def is_inventory(path: str) -> bool:
    """Whether a file of a project is an inventory, by its name."""
    name = path.rpartition("/")[2].lower()
    if any(fnmatchcase(name, pattern) for pattern in BILLS) or by_name(name) is not None:
        return True
    return python_files.is_requirements(name, path)
