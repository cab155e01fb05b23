"""A system under examination, and what a check says about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from glasshouse.inventory.trees.model import Node, Tree, Unread
from glasshouse.words.finding import Confidence, Severity

MAX_BYTES = 2_000_000
"""Files of settings are small; a larger one is not looked into."""
NOT_ENTERED = frozenset(
    {"proc", "sys", "dev", "run", "tmp", "var/tmp", "var/lib/docker", "var/lib/containers", "var/lib/containerd"}
)


class Hit(NamedTuple):
    """One place that breaks a rule.

    ``shown`` stands for the line in reports, so it never holds a secret; ``key`` tells hits of one file apart.
    """

    rule: str
    path: str
    name: str
    line: int = 0
    shown: str = ""
    key: str = ""
    severity: Severity | None = None
    confidence: Confidence | None = None


class System:
    """The files of a system, listed once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.unread: list[Unread] = []

    @cached_property
    def nodes(self) -> list[Node]:
        """Everything in it but what belongs to the kernel, to other systems, or to nobody for long."""
        found: list[Node] = []
        for each in self.tree.nodes(lambda path: path not in NOT_ENTERED):
            if isinstance(each, Unread):
                self.unread.append(each)
            else:
                found.append(each)
        return found

    @cached_property
    def _by_folder(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            found.setdefault(node.path.rpartition("/")[0], []).append(node)
        return found

    def inside(self, folder: str, pattern: str = "*") -> list[Node]:
        """What lies directly in a folder, by name."""
        return [each for each in self._by_folder.get(folder, ()) if fnmatchcase(each.path.rpartition("/")[2], pattern)]

    def lines(self, path: str) -> list[str]:
        """The lines of a text file; none where it is not there, too large or no text."""
        content = self.tree.read(path, MAX_BYTES)
        if content is None or b"\0" in content[:4_096]:
            return []
        return content.decode("utf-8", "replace").split("\n")


Check = Callable[[System], Iterator[Hit]]


def setting_lines(lines: Sequence[str], marks: str = "#;") -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and text[0] not in marks:
            yield number, text[:1_000]
