"""One file to read an inventory from: its bytes, its lines, and the files beside it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import msgspec

MAX_MISSES = 200
"""Searches for a line that may fail before no more are made: each goes through the whole file."""


def no_siblings(path: str) -> bytes | None:
    """Where a file stands alone."""
    return None


class Document:
    """A file.

    ``sibling`` gives another file of the same tree by its path relative to this one's folder, or, with a leading
    slash, to the tree's root.
    """

    def __init__(self, name: str, content: bytes, sibling: Callable[[str], bytes | None] = no_siblings) -> None:
        self.name, self.content, self.sibling = name, content, sibling
        self._starts: list[int] | None = None
        self._from = 0
        self._misses = 0

    def text(self) -> str:
        """The content as text; bytes that are no UTF-8 are replaced."""
        return self.content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")

    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return self.text().split("\n")

    def json(self) -> dict[str, Any]:
        """The JSON object that the content is; ``ValueError`` where it is none."""
        try:
            found = msgspec.json.decode(self.content.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(str(error)) from error
        if not isinstance(found, dict):
            raise ValueError("the document is no object")
        return found

    def line_of(self, needle: str) -> int:
        """The line of the next occurrence after the last one that was asked for, else of the first; 0: none."""
        if self._misses > MAX_MISSES:
            return 0
        data = needle.encode("utf-8", "surrogatepass")
        at = self.content.find(data, self._from)
        if at < 0:
            self._misses += 1
            at = self.content.find(data)
        if at < 0:
            return 0
        self._from = at + 1
        return self.line_at(at)

    def line_of_key(self, key: str) -> int:
        """The line of a key of a JSON object."""
        return self.line_of(f"{msgspec.json.encode(key).decode()}:") or self.line_of(msgspec.json.encode(key).decode())

    def line_at(self, offset: int) -> int:
        """The line in which a byte lies, from 1."""
        if self._starts is None:
            self._starts = [0, *(match.end() for match in re.finditer(rb"\n", self.content))]
        return bisect_right(self._starts, offset)


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def table(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def string(value: Any, limit: int = 500) -> str:
    """A bounded string; empty for anything else."""
    return value.strip()[:limit] if isinstance(value, str) else ""
