"""Loads ignore files: those of each directory on the walk, and those above it up to the top of the git work tree.

Git itself is never run, so nothing in the repository's configuration takes effect.
"""

from __future__ import annotations

import os

from glasshouse.scan.discover.ignore_rules import MAX_IGNORE_FILE_BYTES, IgnoreFile, IgnoreRule, ignored_by, parse_rules
from glasshouse.scan.discover.opening import read_bounded

IGNORE_NAMES = (".gitignore", ".glasshouseignore")  # the later one wins
MAX_PARENTS = 64


def work_tree_root(directory: str) -> str | None:
    """The nearest directory upwards that holds ``.git``, or None."""
    for _ in range(MAX_PARENTS):
        if os.path.lexists(os.path.join(directory, ".git")):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return None


def load(directory: str, depth: int, names: tuple[str, ...] = IGNORE_NAMES) -> tuple[IgnoreFile, ...]:
    """The ignore files of one directory as at most one ``IgnoreFile``."""
    rules: list[IgnoreRule] = []
    for name in names:
        text = read_bounded(os.path.join(directory, name), MAX_IGNORE_FILE_BYTES)
        if text:
            rules += parse_rules(text, name.rpartition("/")[2])
    return (IgnoreFile(depth, tuple(rules)),) if rules else ()


def inherited(directory: str) -> tuple[tuple[IgnoreFile, ...], list[str]]:
    """What applies to a walk from ``directory``: the chain from above, and the components from its origin to here.

    A directory that the user named is scanned even if ignored; then the files that ignore it no longer apply.
    """
    origin = work_tree_root(directory)
    if origin is None:
        return (), []
    chain = load(origin, 0, (".git/info/exclude",))
    if origin == directory:
        return chain, []
    parts = os.path.relpath(directory, origin).split(os.sep)
    at = origin
    for depth, part in enumerate(parts):
        chain += load(at, depth)
        if ignored_by(chain, parts[: depth + 1], directory=True) is not None:
            return (), []
        at = os.path.join(at, part)
    return chain, parts
