"""What a tree of files offers, whatever holds it."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

MAX_LINKS = 40


class Node(msgspec.Struct, frozen=True):
    """One file, folder, link or other thing.

    ``path`` is relative to the root, without a leading slash; ``mode`` as ``lstat`` gives it; ``link`` is the target.
    """

    path: str
    mode: int
    owner: int = 0
    group: int = 0
    size: int = 0
    link: str = ""

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


class Unread(msgspec.Struct, frozen=True):
    """A part of a tree that was not looked at, and why."""

    path: str
    why: str


class Tree(Protocol):
    """A tree.  Links are followed inside it only: an absolute one starts at its root."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def nodes(self, enter: Callable[[str], bool]) -> Iterator[Node | Unread]:
        """Everything in it, in order of the paths; folders for which ``enter`` says no are passed over."""
        ...

    def node(self, path: str) -> Node | None:
        """What is at a path, without following a link at its end."""
        ...

    def read(self, path: str, limit: int) -> bytes | None:
        """A file's content, links followed; None for what is no file, is larger than ``limit`` bytes, or is gone."""
        ...


def resolve(path: str, link_at: Callable[[str], str | None]) -> str | None:
    """The path with all links followed inside the tree; None for a circle of links or a way out of the tree.

    ``link_at`` gives the target of a link, None where there is none.
    """
    waiting = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done: list[str] = []
    hops = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            if done:
                done.pop()
            continue
        target = link_at("/".join([*done, part]))
        if target is None:
            done.append(part)
            continue
        hops += 1
        if hops > MAX_LINKS:
            return None
        if target.startswith("/"):
            done = []
        waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
    return "/".join(done)


def beside(tree: Tree, folder: str, limit: int) -> Callable[[str], bytes | None]:
    """Reads files of a tree by paths relative to one of its folders (a leading slash: to its root)."""

    def read(path: str) -> bytes | None:
        joined = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
        outside = posixpath.normpath(posixpath.join(folder, path)).startswith("..") and not path.startswith("/")
        return None if outside else tree.read(joined, limit)

    return read
