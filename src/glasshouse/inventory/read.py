"""Which reader a file needs, by name and content, and its answer; bounded in bytes and entries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from glasshouse.inventory import lockfiles, packages, sbom
from glasshouse.inventory.component import MAX_COMPONENTS, Component, Inventory, LeftOut
from glasshouse.words.errors import InventoryError, PathError

MAX_BYTES = 200_000_000
MAX_LEFT_OUT = 1_000
MAX_FILES = 2_000
MAX_DEPTH = 12
_SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "vendor", "__pycache__", ".tox"})
_BILLS = (".cdx.json", ".spdx.json", "bom.json", "sbom.json", ".spdx")

Reader = Callable[[bytes], Iterator[Component | LeftOut]]

# By file name; a name that starts with * is a suffix.
BY_NAME: tuple[tuple[str, str, Reader], ...] = (
    ("package-lock.json", "npm lock file", lockfiles.npm),
    ("npm-shrinkwrap.json", "npm lock file", lockfiles.npm),
    ("yarn.lock", "yarn lock file", lockfiles.yarn),
    ("pnpm-lock.yaml", "pnpm lock file", lockfiles.pnpm),
    ("poetry.lock", "Poetry lock file", lockfiles.python_toml),
    ("uv.lock", "uv lock file", lockfiles.python_toml),
    ("pdm.lock", "PDM lock file", lockfiles.python_toml),
    ("pylock.toml", "pylock file", lockfiles.pylock),
    ("pipfile.lock", "Pipenv lock file", lockfiles.pipfile),
    ("*requirements.txt", "pip requirements", lockfiles.requirements),
    ("cargo.lock", "Cargo lock file", lockfiles.cargo),
    ("go.sum", "Go checksum file", lockfiles.go_sum),
    ("gemfile.lock", "Bundler lock file", lockfiles.gemfile),
    ("composer.lock", "Composer lock file", lockfiles.composer),
    ("packages.lock.json", "NuGet lock file", lockfiles.nuget),
    ("gradle.lockfile", "Gradle lock file", lockfiles.gradle),
    ("status", "dpkg database", packages.dpkg),
    ("installed", "apk database", packages.apk),
    ("*dpkg.txt", "dpkg-query list", packages.dpkg_list),
    ("*rpm.txt", "rpm list", packages.rpm_list),
)


def read_inventory(path: Path) -> Inventory:
    """The components of one file, each once.

    A file that is no inventory, is too large or cannot be read is an ``InventoryError`` or ``PathError``; entries
    that make no sense are listed in ``left_out`` and the rest goes on.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InventoryError(f"larger than {MAX_BYTES:,} bytes", where=str(path))
        content = path.read_bytes()
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=str(path)) from error
    return parse_inventory(path.name, content, shown=str(path))


def parse_inventory(name: str, content: bytes, *, shown: str = "") -> Inventory:
    """The same for content that is in memory; ``shown`` is the place that messages name."""
    shown = shown or name
    kind, reader = _reader(name.lower(), content, shown)
    found: dict[Component, None] = {}
    left_out: list[LeftOut] = []
    try:
        for item in reader(content):
            if isinstance(item, LeftOut):
                if len(left_out) < MAX_LEFT_OUT:
                    left_out.append(LeftOut(f"{shown}: {item.where}", item.why))
            elif len(found) < MAX_COMPONENTS:
                found[item] = None
            else:
                left_out.append(LeftOut(shown, f"only the first {MAX_COMPONENTS:,} components were read"))
                break
    except (ValueError, RecursionError) as error:
        raise InventoryError(f"not a valid {kind}: {str(error)[:300]}", where=shown) from error
    return Inventory(shown, kind, tuple(found), tuple(left_out))


def _reader(name: str, content: bytes, shown: str) -> tuple[str, Reader]:
    for pattern, kind, reader in BY_NAME:
        if name == pattern or (pattern.startswith("*") and name.endswith(pattern[1:])):
            return kind, reader
    head = content[:4_096].lstrip()
    if head.startswith((b"{", b"\xef\xbb\xbf{")):
        return "software bill of materials (JSON)", sbom.json_bill
    if head.startswith(b"<"):
        raise InventoryError(
            "XML bills of materials are not read", where=shown, hint="Export the bill as JSON (CycloneDX or SPDX)."
        )
    if b"SPDXVersion:" in head:
        return "SPDX tag-value document", sbom.spdx_tags
    hint = "Give CycloneDX or SPDX JSON, a lock file, dpkg's `status`, apk's `installed`, or a list *rpm.txt."
    raise InventoryError("not an inventory that can be read", where=shown, hint=hint)


def find_inventories(path: Path) -> list[Path]:
    """The path itself if it is a file; in a directory, the lock files and bills that are known by their names."""
    if not path.exists():
        raise PathError("no such file or directory", where=str(path))
    if path.is_file():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path, followlinks=False):
        depth = len(Path(folder).relative_to(path).parts)
        folders[:] = sorted(each for each in folders if each not in _SKIPPED and depth < MAX_DEPTH)
        found += [Path(folder) / name for name in sorted(names) if _known_by_name(name.lower())]
        if len(found) > MAX_FILES:
            raise InventoryError(
                f"more than {MAX_FILES:,} inventories", where=str(path), hint="Name the files you mean."
            )
    if not found:
        raise InventoryError("no inventory that is known by its name", where=str(path))
    return found


def _known_by_name(name: str) -> bool:
    if name.endswith(_BILLS):
        return True
    return any(
        name == pattern or (pattern.startswith("*") and name.endswith(pattern[1:]))
        for pattern, _, _ in BY_NAME
        if pattern not in ("status", "installed")
    )
