"""The JavaScript and TypeScript front end: ``.js .jsx .mjs .cjs .ts .mts .cts .tsx`` to the shared IR.

One walk over a tree-sitter tree.  ``module.exports``, ``exports`` and the ES export forms all write the variable
``$exports``; ``require`` and ``import`` are IMPORT instructions.  A ``let`` or ``const`` that hides a name of an
enclosing block of its function is renamed to ``name$n``.  JSX elements are calls of the variable ``$jsx``.
"""

from __future__ import annotations

import functools
import re
import time

from tree_sitter import Node

from glasshouse.scan.ir import File
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.javascript.grammar import grammar, grammar_name
from glasshouse.scan.language.javascript.lowering import MAX_ERRORS, Lowering
from glasshouse.scan.language.parsing import broken, node_span, parsed, undisturbed, unparsed

__all__ = ["JavaScriptFrontEnd"]

_TEST_PATH = re.compile(r"(?:^|/)(?:tests?|__tests__|specs?)/|\.(?:test|spec)\.[cm]?[jt]sx?$")
_FRAMES_PER_LEVEL = 12  # Python calls that one level of nesting can take
_MAX_RETRY_BYTES = 2_000_000


class JavaScriptFrontEnd:
    """Lowers JavaScript and TypeScript files."""

    language = "javascript"

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        """The IR of one file; never raises on any bytes."""
        name = grammar_name(path)
        deadline = time.monotonic() + limits.max_seconds
        tree = parsed(grammar(name).parser, source, deadline)
        if tree is None:
            return unparsed(path, "javascript", source)
        if name == "javascript" and tree.root_node.has_error and len(source) <= _MAX_RETRY_BYTES:
            retry = parsed(grammar("tsx").parser, source, deadline)
            if retry is not None and _errors(retry.root_node) < _errors(tree.root_node):
                name, tree = "tsx", retry
        with undisturbed(limits, _FRAMES_PER_LEVEL):
            return _lowering(name).lower(tree.root_node, source, path, limits, bool(_TEST_PATH.search(path)))


def _errors(root: Node) -> int:
    return len(broken(root, node_span, limit=MAX_ERRORS))


@functools.cache
def _lowering(name: str) -> Lowering:
    return Lowering(grammar(name))
