"""Lines of source around a finding, read again from disk where that is safe, otherwise just the finding's snippets.

Snippets come from the engine, which redacts secrets in them.  So a file is only shown from disk when every snippet
that we have of it agrees with the file: a redacted or outdated line rules the whole file out, and so does a finding
about a secret.
"""

from __future__ import annotations

import stat
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from glasshouse.words.finding import Finding
from glasshouse.words.location import Location

MAX_FILE_BYTES = 4_000_000
MAX_LINE_CHARACTERS = 400
KEPT_FILES = 32
# Findings about secrets in code; key blocks span lines that no snippet redacts, so such files are never read again.
SECRET_CWES = frozenset({256, 259, 260, 312, 321, 522, 540, 547, 798})
_ELLIPSIS = ("...", "\N{HORIZONTAL ELLIPSIS}")


class Line(msgspec.Struct, frozen=True):
    """One source line; ``offset`` is the column (from 0) of its first shown character; ``exact``: really read."""

    number: int
    text: str
    offset: int = 0
    exact: bool = True


class SourceLines:
    """Gives lines by path and number."""

    def __init__(self, findings: Iterable[Finding], roots: Iterable[Path]) -> None:
        self._roots = tuple(roots)
        self._snippets: dict[str, dict[int, str]] = {}
        self._files: OrderedDict[str, list[str] | None] = OrderedDict()
        self._closed: set[str] = set()
        for finding in findings:
            self._remember(finding.location, finding.snippet)
            if not SECRET_CWES.isdisjoint(finding.cwe):
                self._closed.add(finding.location.path)
            for step in finding.path:
                self._remember(step.location, step.snippet)

    def around(self, location: Location, before: int, after: int) -> list[Line]:
        """The lines of ``location`` with context, or the one snippet we have, or nothing."""
        lines = self._file(location.path)
        last = max(location.line, min(location.end_line or location.line, location.line + after + 8))
        if lines is None:
            return self.snippet_line(location)
        first = max(1, location.line - before)
        return [Line(n, lines[n - 1][:MAX_LINE_CHARACTERS]) for n in range(first, min(len(lines), last + after) + 1)]

    def at(self, location: Location) -> Line | None:
        """The one line a location starts in."""
        lines = self._file(location.path)
        if lines is not None and 1 <= location.line <= len(lines):
            return Line(location.line, lines[location.line - 1][:MAX_LINE_CHARACTERS])
        found = self.snippet_line(location)
        return found[0] if found else None

    def snippet_line(self, location: Location) -> list[Line]:
        text = self._snippets.get(location.path, {}).get(location.line, "")
        return [Line(location.line, text[:MAX_LINE_CHARACTERS], exact=False)] if text else []

    def _remember(self, location: Location, snippet: str) -> None:
        if snippet:
            self._snippets.setdefault(location.path, {}).setdefault(location.line, snippet)

    def _file(self, path: str) -> list[str] | None:
        if path in self._files:
            self._files.move_to_end(path)
            return self._files[path]
        lines = None
        for root in () if path in self._closed else self._roots:
            text = _read(root / path)
            if text is not None and agrees(text, self._snippets.get(path, {})):
                lines = text
                break
        self._files[path] = lines
        if len(self._files) > KEPT_FILES:
            self._files.popitem(last=False)
        return lines


def agrees(lines: list[str], snippets: Mapping[int, str]) -> bool:
    """Whether every snippet is what the file has at that line (snippets may be cut off at their end)."""
    if not snippets:
        return False
    for number, snippet in snippets.items():
        if not 1 <= number <= len(lines):
            return False
        wanted = snippet.split("\n", 1)[0].strip()
        real = lines[number - 1].strip()
        for ending in _ELLIPSIS:
            if wanted != real and wanted.endswith(ending):
                wanted = wanted.removesuffix(ending).rstrip()
        if wanted != real and not (wanted and len(wanted) >= 80 and real.startswith(wanted)):
            return False
    return True


def _read(path: Path) -> list[str] | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return None
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    if len(content) > MAX_FILE_BYTES:
        return None
    return [line.removesuffix("\r") for line in content.decode("utf-8-sig", "replace").split("\n")]
