"""Where inventories are looked for: one file, a project's folder, a root file system, a container image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from glasshouse.inventory.component import Inventory, LeftOut
from glasshouse.inventory.document import Document
from glasshouse.inventory.manifests import MANIFESTS, unlocked
from glasshouse.inventory.prose import begins_as_bill, looks_right
from glasshouse.inventory.read import MAX_BYTES, by_place, is_inventory, parse_document, read_inventory
from glasshouse.inventory.trees.folder import FolderTree
from glasshouse.inventory.trees.image import ImageTree, Wanted, is_image
from glasshouse.inventory.trees.model import Tree, Unread, beside
from glasshouse.words.errors import GlasshouseError, InventoryError, PathError

MAX_FILES = 2_000
MAX_FILES_OF_A_SYSTEM = 200_000
MAX_DEPTH = 12
SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "vendor", "__pycache__", ".tox"})
# What is no part of a system's own files: mounts of the kernel, and the files of other systems.
_NOT_OF_A_SYSTEM = frozenset(
    {"proc", "sys", "dev", "run", "var/lib/docker", "var/lib/containers", "var/lib/containerd"}
)
_ROOT_MARKS = (
    "etc/os-release",
    "usr/lib/os-release",
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d",
    "lib/apk/db/installed",
    "var/lib/rpm",
    "usr/lib/sysimage/rpm",
    "etc/passwd",
)
# A distribution's own packages keep these, and its database lists them already.
_OF_THE_DISTRIBUTION = re.compile(r"^(?:usr/)?lib(?:64|32)?/|^usr/share/")

Kind = Literal["file", "project", "system", "image"]


class Place(NamedTuple):
    """Something that a user named.  ``tree`` is None for a single file."""

    path: Path
    kind: Kind
    tree: Tree | None


def open_place(path: Path, wanted: Wanted | None = None) -> Place:
    """What is at a path; ``wanted`` names further files of an image whose contents will be read."""
    if not path.exists():
        raise PathError("no such file or directory", where=str(path))
    if is_image(path):
        return Place(
            path, "image", ImageTree(path, lambda each: _wanted(each) or (wanted is not None and wanted(each)))
        )
    if not path.is_dir():
        return Place(path, "file", None)
    tree = FolderTree(path)
    return Place(path, "system" if _is_root(tree) else "project", tree)


def is_system(path: Path) -> bool:
    """Whether a path is a container image or the root of a file system."""
    return is_image(path) or (path.is_dir() and _is_root(FolderTree(path)))


def _is_root(tree: Tree) -> bool:
    return any(tree.node(mark) is not None for mark in _ROOT_MARKS)


def of_system(path: Path) -> Inventory:
    """All that an image or root file system lists, as one inventory."""
    found = list(inventories(open_place(path), str(path)))
    read = [each for each in found if isinstance(each, Inventory)]
    left_out = [each for each in found if isinstance(each, LeftOut)]
    left_out += [item for each in read for item in each.left_out]
    return Inventory(str(path), "system", tuple(entry for each in read for entry in each.entries), tuple(left_out))


def inventories(place: Place, shown: str) -> Iterator[Inventory | LeftOut]:
    """Every inventory of a place; ``shown`` is what its paths start with.

    A file that cannot be read is left out, and so is a manifest that only asks for ranges and has no lock file.
    """
    if place.tree is None:
        try:
            found = read_inventory(place.path)
            yield Inventory(shown, found.format, found.entries, tuple(_renamed(each, shown) for each in found.left_out))
        except GlasshouseError as error:
            yield LeftOut(shown, error.what)
        return
    inner = f"{shown}!/" if place.kind == "image" else f"{shown.rstrip('/')}/" if shown else ""
    system = place.kind != "project"
    locked: set[tuple[str, str]] = set()
    manifests: list[str] = []
    count = 0
    for each in _walk(place.tree, system=system):
        if isinstance(each, Unread):
            yield LeftOut(inner + each.path, each.why)
            continue
        folder, _, name = each.rpartition("/")
        if name in MANIFESTS and not system:
            manifests.append(each)
            continue
        locked.add((folder, name.lower()))
        count += 1
        if count > (MAX_FILES_OF_A_SYSTEM if system else MAX_FILES):
            yield LeftOut(inner + each, f"only the first {count - 1:,} inventories were read")
            return
        yield _of_tree(place.tree, each, inner + each, system=system)
    for path in manifests:
        if (content := place.tree.read(path, MAX_BYTES)) and (why := unlocked(path, content, locked)):
            yield LeftOut(inner + path, why, code="no-lock-file")


def _renamed(left_out: LeftOut, shown: str) -> LeftOut:
    return LeftOut(f"{shown}: {left_out.where.rpartition(': ')[2]}", left_out.why, left_out.line, left_out.code)


def _of_tree(tree: Tree, path: str, name: str, *, system: bool) -> Inventory | LeftOut:
    content = tree.read(path, MAX_BYTES)
    if content is None:
        return LeftOut(name, f"cannot be read, or is larger than {MAX_BYTES:,} bytes")
    folder, _, own = path.rpartition("/")
    document = Document(own, content, beside(tree, folder, MAX_BYTES))
    try:
        return parse_document(document, shown=name, inside=path if system else "")
    except GlasshouseError as error:
        return LeftOut(name, error.what)


def _walk(tree: Tree, *, system: bool, bills: bool = False) -> Iterator[str | Unread]:
    """Paths of inventories and, in a project, of manifests; ``bills``: also of JSON files that begin as bills do."""

    def enter(path: str) -> bool:
        if system:
            return path not in _NOT_OF_A_SYSTEM and not path.endswith("/.git")
        return path.rpartition("/")[2] not in SKIPPED and path.count("/") < MAX_DEPTH

    for node in tree.nodes(enter):
        if isinstance(node, Unread):
            yield node
        elif node.is_file and (_of_system(node.path) if system else _of_project(node.path)):
            if system or looks_right(node.path, tree):
                yield node.path
        elif bills and node.is_file and node.path.lower().endswith(".json") and begins_as_bill(node.path, tree):
            yield node.path


def _of_project(path: str) -> bool:
    return path.rpartition("/")[2] in MANIFESTS or is_inventory(path)


def _of_system(path: str) -> bool:
    """Whether a file of a system is an inventory of its own or of something installed there."""
    found = by_place(path)
    if found is not None:
        return "database" in found[0] or not _OF_THE_DISTRIBUTION.match(path)
    return is_inventory(path)


def _wanted(path: str) -> bool:
    """Whether a file of an image is read: an inventory, or what readers of inventories look at beside it."""
    return path.endswith(("etc/os-release", "usr/lib/os-release", "rpmdb.sqlite-wal")) or _of_system(path)


def find_inventories(path: Path) -> list[Path]:
    """The path itself if it is a file; in a folder, lock files known by their names, and bills by name or beginning."""
    if not path.exists():
        raise PathError("no such file or directory", where=str(path))
    if path.is_file():
        return [path]
    walked = _walk(FolderTree(path), system=False, bills=True)
    found = [path / each for each in walked if isinstance(each, str) and each.rpartition("/")[2] not in MANIFESTS]
    if len(found) > MAX_FILES:
        raise InventoryError(f"more than {MAX_FILES:,} inventories", where=str(path), hint="Name the files you mean.")
    if not found:
        raise InventoryError("no lock file that is known by its name, and no bill of materials", where=str(path))
    return found
