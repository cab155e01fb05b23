"""Lines of source around a finding, read again from disk where that is safe, otherwise just the finding's snippets.

Snippets come from the engine, which redacts secrets in them.  So a file is only shown from disk when every snippet
that we have of it agrees with the file: a redacted or outdated line closes the whole file, and so does a finding about
a secret.  Of a closed file only lines are shown that the engine itself gave unredacted.  The line that lists a
dependency is shown without its neighbours, which may hold the passwords of package servers.
"""

from __future__ import annotations

import re
import stat
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from glasshouse.scan.render.redact import about_secret
from glasshouse.words.dependency import PublishedFlaw
from glasshouse.words.display import without_credentials
from glasshouse.words.finding import Finding
from glasshouse.words.location import Location

MAX_FILE_BYTES = 4_000_000
MAX_LINE_CHARACTERS = 400
MAX_LISTING_CHARACTERS = 160  # of the line of a dependency: what is beyond is not seen
KEPT_FILES = 32
_ELLIPSIS = ("...", "\N{HORIZONTAL ELLIPSIS}")


class Line(msgspec.Struct, frozen=True):
    """One source line; ``exact``: it is the line of the file, so columns can be trusted."""

    number: int
    text: str
    exact: bool = True


class SourceLines:
    """Gives lines by path and number."""

    def __init__(self, findings: Iterable[Finding], roots: Iterable[Path]) -> None:
        self._roots = tuple(roots)
        self._snippets: dict[str, dict[int, str]] = {}
        self._files: OrderedDict[str, tuple[list[str], bool]] = OrderedDict()
        self._closed: set[str] = set()
        self._listed: dict[tuple[str, int], PublishedFlaw] = {}
        for finding in findings:
            if finding.flaw is not None and "!/" not in finding.location.path:
                self._listed[finding.location.path, finding.location.line] = finding.flaw
            self._remember(finding.location, finding.snippet)
            if about_secret(finding):  # a key may span lines that no snippet redacts
                self._closed.add(finding.location.path)
            for step in finding.path:
                self._remember(step.location, step.snippet)

    def around(self, location: Location, before: int, after: int, snippet: str = "") -> list[Line]:
        """The lines of ``location`` with context, or the one line we have, or nothing.

        ``snippet`` is what the finding itself says of the line: two findings may say different things of one line.
        """
        listed = self._line_that_lists(location)
        if listed is not None:
            return [msgspec.structs.replace(listed, exact=False)]  # which part of it is meant is not told
        lines, is_open = self._file(location.path)
        if not is_open or (snippet and not agrees(lines, {location.line: snippet})):
            line = self.at(location, snippet)
            return [line] if line is not None else []
        last = max(location.line, min(location.end_line or location.line, location.line + after + 8))
        first = max(1, location.line - before)
        return [Line(n, lines[n - 1][:MAX_LINE_CHARACTERS]) for n in range(first, min(len(lines), last + after) + 1)]

    def at(self, location: Location, own: str = "") -> Line | None:
        """The one line a location starts in: from the file where that is safe, otherwise the snippet."""
        listed = self._line_that_lists(location)
        if listed is not None:
            return listed
        lines, is_open = self._file(location.path)
        snippet = own or self._snippets.get(location.path, {}).get(location.line, "")
        number = location.line
        agreed = agrees(lines, {number: snippet} if snippet else {})
        if 1 <= number <= len(lines) and (agreed or (is_open and not own)):
            return Line(number, lines[number - 1][:MAX_LINE_CHARACTERS])
        return Line(number, snippet[:MAX_LINE_CHARACTERS], exact=False) if snippet else None

    def _line_that_lists(self, location: Location) -> Line | None:
        """The line of a text file that lists a dependency, alone and without credentials; None where it says neither
        its name nor its version (a file of one long line, or one that has changed)."""
        flaw = self._listed.get((location.path, location.line))
        if flaw is None or location.path in self._closed:
            return None
        lines, _ = self._file(location.path)
        text = lines[location.line - 1] if location.line <= len(lines) else ""
        shown = without_credentials(text)
        start = _plain(shown[:MAX_LISTING_CHARACTERS])
        name = _plain(re.split("[:/]", flaw.name)[-1])
        if "\0" in text or "\ufffd" in text or not any(each and each in start for each in (name, _plain(flaw.version))):
            return None
        return Line(location.line, shown[:MAX_LINE_CHARACTERS], exact=shown == text)

    def _remember(self, location: Location, snippet: str) -> None:
        if snippet:
            self._snippets.setdefault(location.path, {}).setdefault(location.line, snippet)

    def _file(self, path: str) -> tuple[list[str], bool]:
        """The lines of a file (none: not to be had), and whether all of them may be shown."""
        if path in self._files:
            self._files.move_to_end(path)
            return self._files[path]
        snippets = self._snippets.get(path, {})
        found: tuple[list[str], bool] = ([], False)
        for root in self._roots:
            lines = _read(root / path)
            if lines is not None:
                found = (lines, path not in self._closed and agrees(lines, snippets))
                break
        self._files[path] = found
        if len(self._files) > KEPT_FILES:
            self._files.popitem(last=False)
        return found


def _plain(text: str) -> str:
    """Names as package managers compare them, near enough to find one in a line."""
    return re.sub("[-_.]", "", text).casefold()


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
