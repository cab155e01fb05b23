"""What the front ends share around tree-sitter: parsing that watches the clock, and room for deep trees."""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.language.interface import LowerLimits

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

UNTIMED_BYTES = 200_000  # up to here a file parses within moments
CHUNK_BYTES = 65_536
FRAMES_SPARE = 1_000
MAX_BROKEN = 200  # regions of one file
TOO_LATE = "time limit reached while parsing; the file was not lowered"


def parsed(parser: Parser, source: bytes, deadline: float, untimed: int = UNTIMED_BYTES) -> Tree | None:
    """The tree; None when a file of more than ``untimed`` bytes is not parsed by ``deadline`` (monotonic seconds)."""
    if len(source) <= untimed:
        return parser.parse(source)
    try:
        return parser.parse(
            lambda offset, _: source[offset : offset + CHUNK_BYTES],
            progress_callback=lambda _offset, _error: time.monotonic() > deadline,
        )
    except ValueError:  # the callback stopped it
        parser.reset()
        return None


def unparsed(path: str, language: str, source: bytes) -> ir.File:
    """What is left of a file that took too long to parse."""
    module = ir.Function("<module>", "<module>", "module", [], [], [], 0, ir.pack_span(1, 0, 1, 0))
    module.capped = "time"
    lines = source.count(b"\n") + (not source.endswith(b"\n"))
    return ir.File(path, language, "", [module], [], [], lines, 0, [module.span], [TOO_LATE])


def broken(
    root: Node, span: Callable[[Node], int], *, limit: int = MAX_BROKEN, missing: bool = True, until: float = math.inf
) -> list[int]:
    """Spans of the outermost regions that did not parse, in source order, at most ``limit``, found ``until`` a time.

    ``missing``: tokens that the parser supplied count too (in C a missing semicolon is a macro's way).
    """
    found: list[int] = []
    pending = [root] if root.has_error else []
    while pending and len(found) < limit and (until == math.inf or time.monotonic() < until):
        node = pending.pop()
        if node.is_error or (missing and node.is_missing):
            found.append(span(node))
        elif node.has_error:
            pending.extend(reversed(node.children))
    return found


def node_span(node: Node) -> int:
    """The packed span of a node."""
    (line, column), (end_line, end_column) = node.start_point, node.end_point
    return ir.pack_span(line + 1, column, end_line + 1, end_column)


@contextmanager
def undisturbed(limits: LowerLimits, frames: int) -> Iterator[None]:
    """No garbage collection while nodes come and go, and room for nesting that takes ``frames`` calls a level."""
    collecting, before = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(before, FRAMES_SPARE + limits.max_depth * frames))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        if collecting:
            gc.enable()
