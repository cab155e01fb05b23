"""Programs of several files whose weak lines carry a comment with the weakness: ``# told 89``, ``// told 79``."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.interp.findings import Fact, Flow
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

MARK = re.compile(r"(?:#|//|/\*) told (\d+)")
LANGUAGES = {".py": "python", ".js": "javascript", ".ts": "javascript", ".tsx": "javascript"}


def told(files: dict[str, str]) -> set[tuple[str, str, int]]:
    """(path, stripped line, CWE) of every flow from a real source and every pattern found."""
    language = LANGUAGES[Path(next(iter(files))).suffix]
    lowered = [front_end(language).lower(code.encode(), path, LowerLimits()) for path, code in files.items()]
    analysis = analyse(lowered, {language: load_rules([language])})
    assert analysis.problems == ()
    found = set()
    items: list[Flow | Fact] = [*analysis.flows, *analysis.facts]
    for item in items:
        path, line = item.fn.module.file.path, ir.unpack_span(item.span)[0]
        found.add((path, files[path].splitlines()[line - 1].strip(), item.rule.cwe[0]))
    return found


def marked(files: dict[str, str]) -> set[tuple[str, str, int]]:
    """(path, stripped line, CWE) of every line that carries a mark."""
    return {
        (path, line.strip(), int(found[1]))
        for path, code in files.items()
        for line in code.splitlines()
        if (found := MARK.search(line)) is not None
    }


@functools.cache
def differences(files: tuple[tuple[str, str], ...]) -> tuple[set[tuple[str, str, int]], set[tuple[str, str, int]]]:
    """What is told and not marked, and what is marked and not told."""
    program = dict(files)
    found, wanted = told(program), marked(program)
    return found - wanted, wanted - found
