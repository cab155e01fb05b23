"""C and C++ files to ``ir.File``, without preprocessing or building.

Only functions that can matter are lowered (``relevance``).  Never raises on any bytes; what does not parse and what was
capped is part of the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import tree_sitter_c
import tree_sitter_cpp
from tree_sitter import Language, Parser

from glasshouse.scan.includes import KERNEL
from glasshouse.scan.ir import KERNEL_PACKAGE, PART_PACKAGE, File
from glasshouse.scan.language.c import statements  # noqa: F401  # registers its handlers
from glasshouse.scan.language.c.functions import lower_file
from glasshouse.scan.language.c.relevance import without_the_rest
from glasshouse.scan.language.c.state import Grammar, Lowering
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.parsing import broken, parsed, undisturbed, unparsed

_FRAMES_PER_LEVEL = 12
CPP_ENDINGS = (".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".inl", ".ipp", ".tpp", ".C", ".H")
_CPP_HEADER = re.compile(rb"^[ \t]*(class\s+\w+|namespace\b|template\s*<|using\s+\w)|\w::\w", re.MULTILINE)
_ANNOTATION = re.compile(
    rb"\b(?:__(?:user|iomem|rcu|percpu|force|kernel|init|exit|initdata|exitdata|initconst|must_check|maybe_unused|"
    rb"always_unused|read_mostly|ro_after_init|cold|hot|pure|packed|refdata|net_init|net_exit|net_initdata|sched|"
    rb"latent_entropy|noreturn|always_inline|bpf_kfunc|(?:releases|acquires|must_hold|printf)\([^()\n]*\))(?!\w)|"
    rb"(?:asmlinkage|noinline|notrace)\b)"
)
"""Annotations that say nothing about what the code does and that the grammar cannot read without their macros."""

_IMPLICIT = re.compile(
    rb"(\A\s*|[;}]\s*\n|\*/\s*\n|\n#[^\n]*\n)(?!(?:if|while|for|switch|return|else|do|sizeof|typedef|extern|namespace)\b)"
    rb"([A-Za-z_]\w*\s?\([^;{}()#]*\)\s*\{)"
)
"""A function without a type before its name (C of before 1999): the grammar wants one."""


_PACKED = re.compile(rb"\b_*packed_*\b|PACKED")
PART = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"', re.MULTILINE)


def _blank(match: re.Match[bytes]) -> bytes:
    return b" " * len(match.group())


class CFrontEnd:
    """Lowers C and C++ sources and headers."""

    language = "c"

    def __init__(self) -> None:
        self._grammars: dict[bool, tuple[Parser, Grammar]] = {}

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> File:
        """Lower one file."""
        return self.lower_with(source, path, limits, {})

    def lower_with(
        self, source: bytes, path: str, limits: LowerLimits, outside: Mapping[str, int], tag: str = ""
    ) -> File:
        """Lower one file with the constants of what it includes.

        With a ``tag``, which is to differ between files, it is lowered as a header for others: what only they may know
        stays a text, and what two definitions make unsure is left out.
        """
        parser, grammar = self._grammar(is_cpp(path, source))
        lines = source.count(b"\n") + (not source.endswith(b"\n"))
        kernel = KERNEL.search(source, 0, 8_000) is not None
        if kernel:
            source = without_the_rest(source, declarations=bool(tag))
        else:
            source = _IMPLICIT.sub(rb"\1int \2", source)
        packed = [match.start() for match in _PACKED.finditer(source)] if b"packed" in source else []
        source = _ANNOTATION.sub(_blank, source)
        lo = Lowering(grammar, source, limits, kernel)
        lo.outside, lo.tag, lo.packed = outside, tag, packed
        tree = parsed(parser, source, lo.deadline)
        if tree is None:
            return unparsed(path, "c", source)
        root = tree.root_node
        with undisturbed(limits, _FRAMES_PER_LEVEL):
            lower_file(lo, root)
        return File(
            path=path,
            language="c",
            package=KERNEL_PACKAGE if kernel else PART_PACKAGE if PART.search(source) else "",
            functions=lo.functions,
            classes=lo.classes,
            imports=[],
            lines=lines,
            nodes=root.descendant_count,
            errors=broken(root, lo.span, missing=False, until=lo.deadline + 1),
            notes=lo.notes,
        )

    def _grammar(self, cpp: bool) -> tuple[Parser, Grammar]:
        found = self._grammars.get(cpp)
        if found is None:
            language = Language(tree_sitter_cpp.language() if cpp else tree_sitter_c.language())
            found = self._grammars[cpp] = Parser(language), Grammar(language)
        return found


def is_cpp(path: str, source: bytes) -> bool:
    """By the ending; a ``.h`` by what it contains."""
    if path.endswith(CPP_ENDINGS):
        return True
    return path.endswith(".h") and _CPP_HEADER.search(source, 0, 60_000) is not None
