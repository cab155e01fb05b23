"""A folder on this machine as a tree; links are followed as if the folder were the root of its own file system."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from glasshouse.inventory.trees.model import Node, Unread, resolve

MAX_NODES = 5_000_000
MAX_DEPTH = 100


class FolderTree:
    """The folder at ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)
        self._links: dict[str, str | None] = {}

    def nodes(self, enter: Callable[[str], bool]) -> Iterator[Node | Unread]:
        waiting = [""]
        count = 0
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(self.root / folder) as found:
                    entries = sorted(found, key=lambda each: each.name)
            except OSError as error:
                yield Unread(folder or ".", f"cannot be read: {error.strerror}")
                continue
            inner = []
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                node = self._node(path, entry.path)
                count += 1
                if count > MAX_NODES:
                    yield Unread(".", f"only the first {MAX_NODES:,} files were looked at")
                    return
                if node is None:
                    continue
                yield node
                if node.is_folder and enter(path):
                    if path.count("/") >= MAX_DEPTH:
                        yield Unread(path, f"deeper than {MAX_DEPTH} folders")
                    else:
                        inner.append(path)
            waiting += reversed(inner)

    def node(self, path: str) -> Node | None:
        folder, _, name = path.rpartition("/")
        real = resolve(folder, self._link_at)
        if real is None or not name:
            return None
        return self._node(path, str(self.root / real / name))

    def _node(self, path: str, place: str) -> Node | None:
        try:
            found = os.lstat(place)
            link = os.readlink(place) if stat.S_ISLNK(found.st_mode) else ""
        except (OSError, ValueError):
            return None
        return Node(path, found.st_mode, found.st_uid, found.st_gid, found.st_size, link)

    def read(self, path: str, limit: int) -> bytes | None:
        real = resolve(path, self._link_at)
        if not real:
            return None
        try:
            handle = os.open(self.root / real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
                return None
            try:
                content = file.read(limit + 1)
            except OSError:
                return None
        return content if len(content) <= limit else None

    def _link_at(self, path: str) -> str | None:
        if path not in self._links:
            if len(self._links) > 100_000:
                self._links.clear()
            try:
                self._links[path] = os.readlink(self.root / path)
            except (OSError, ValueError):
                self._links[path] = None
        return self._links[path]
