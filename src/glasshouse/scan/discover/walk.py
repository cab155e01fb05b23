"""The walk: named paths in, source files and what was left out, sorted by report path."""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from glasshouse.scan.discover import ignore_chain
from glasshouse.scan.discover.ignore_rules import IgnoreFile, ignored_by
from glasshouse.scan.discover.model import DiscoverSettings, SkipDirectory, SourceFile
from glasshouse.scan.discover.opening import read_bounded
from glasshouse.scan.languages import SHEBANG_BYTES, is_declaration, language_of, needs_head
from glasshouse.words.errors import PathError
from glasshouse.words.finding import NotAnalysed

Discovered = SourceFile | NotAnalysed

ARCHIVES = frozenset(
    ("zip", "jar", "war", "ear", "aar", "apk", "whl", "egg", "tar", "tgz", "tbz2", "txz", "tzst", "gz", "bz2", "xz",
     "zst", "7z", "rar", "cab", "iso", "deb", "rpm", "gem", "nupkg", "crx", "xpi")
)  # fmt: skip

_CHECKED_OUT = frozenset((".gitignore", ".glasshouseignore"))


def discover(paths: Sequence[Path], settings: DiscoverSettings | None = None) -> Iterator[Discovered]:
    """Source files below ``paths`` and, for each thing left out, why; in the order of report paths, each once.

    Directories in reports end with a slash.  Raises PathError (at once, not on first use of the iterator) when a named
    path does not exist.  Nothing is executed and no symbolic link inside a named directory is followed.
    """
    settings = settings or DiscoverSettings()
    named = sorted({os.path.abspath(path) for path in paths})
    for path in named:
        if not os.path.exists(path):
            raise PathError("no such file or directory", where=path)
    root = report_root(paths, settings.cwd)
    walks = [_Walk(path, root, frozenset(named), settings).run() for path in named]
    return _bounded(_unique(heapq.merge(*walks, key=lambda item: item.path)), settings.max_files)


def report_root(paths: Sequence[Path], cwd: str = "") -> str:
    """The directory that report paths are relative to (see the package docstring)."""
    base = os.path.abspath(cwd or os.getcwd())
    named = [os.path.abspath(path) for path in paths]
    if all(path == base or path.startswith(base.rstrip(os.sep) + os.sep) for path in named):
        return base
    directories = [path if os.path.isdir(path) else os.path.dirname(path) for path in named]
    try:
        return os.path.commonpath(directories)
    except ValueError:  # different drives on Windows
        return ""


def _unique(items: Iterator[Discovered]) -> Iterator[Discovered]:
    """Drops what overlapping named paths yield twice; a file beats a reason for leaving it out."""
    held: Discovered | None = None
    for item in items:
        if held is None or item.path != held.path:
            if held is not None:
                yield held
            held = item
        elif isinstance(held, NotAnalysed) or (isinstance(item, SourceFile) and item.named):
            held = item
    if held is not None:
        yield held


def _bounded(items: Iterator[Discovered], max_files: int) -> Iterator[Discovered]:
    files = 0
    for item in items:
        if isinstance(item, SourceFile):
            files += 1
            if files > max_files:
                reason = f"more than {max_files} source files; this one and all after it were left out"
                yield NotAnalysed(item.path, "too-many-files", reason, incomplete=True)
                return
        yield item


class _Directory:
    """A directory still to be listed."""

    __slots__ = ("absolute", "chain", "depth", "parts", "report")

    def __init__(self, absolute: str, report: str, parts: list[str], depth: int, chain: tuple[IgnoreFile, ...]) -> None:
        self.absolute = absolute
        self.report = report  # "" or ends with a slash
        self.parts = parts
        self.depth = depth
        self.chain = chain


class _Walk:
    """One named path.  ``named`` are all of them: what another walk covers is not reported as left out here."""

    def __init__(self, start: str, root: str, named: frozenset[str], settings: DiscoverSettings) -> None:
        self._start = start
        self._root = root
        self._named = named
        self._settings = settings
        self._skips = {skip.name: skip for skip in settings.skips}
        self._entries = 0

    def run(self) -> Iterator[Discovered]:
        report = report_path(os.path.relpath(self._start, self._root) if self._root else self._start)
        if not os.path.isdir(self._start):
            yield self._named_file(report)
            return
        chain: tuple[IgnoreFile, ...] = ()
        parts: list[str] = []
        if self._settings.ignore_files:
            chain, parts = ignore_chain.inherited(self._start)
        top = _Directory(self._start, "" if report == "." else report + "/", parts, 0, chain)
        stack: list[_Directory | Discovered] = [top]
        while stack:
            item = stack.pop()
            if not isinstance(item, _Directory):
                yield item
                continue
            stack.extend(self._list(item))
            if self._entries > self._settings.max_entries:
                reason = f"more than {self._settings.max_entries} directory entries; the rest was left out"
                yield NotAnalysed(item.report or "./", "too-many-files", reason, incomplete=True)
                return

    def _list(self, directory: _Directory) -> list[_Directory | Discovered]:
        """What one directory holds, last first, because the caller takes from the end."""
        try:
            with os.scandir(directory.absolute) as scan:
                entries = []
                for entry in scan:
                    entries.append(entry)
                    self._entries += 1
                    if self._entries > self._settings.max_entries:
                        break
        except FileNotFoundError:
            return [_left_out(directory.report or "./", "vanished", "vanished during the scan", incomplete=True)]
        except OSError as error:
            return [_left_out(directory.report or "./", "unreadable", error.strerror or str(error), incomplete=True)]
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names and directory.depth:
            return [_left_out(directory.report, "dependency", "a Python virtual environment", incomplete=False)]
        if self._settings.ignore_files and not names.isdisjoint(_CHECKED_OUT):
            directory.chain += ignore_chain.load(directory.absolute, len(directory.parts))
        found: list[tuple[str, _Directory | Discovered]] = []
        for entry in entries:
            item = self._entry(entry, directory, names)
            if item is not None:
                found.append((item.report if isinstance(item, _Directory) else item.path, item))
        found.sort(key=_first, reverse=True)
        return [item for _, item in found]

    def _entry(self, entry: os.DirEntry[str], directory: _Directory, names: set[str]) -> _Directory | Discovered | None:
        try:
            if entry.is_file(follow_symlinks=False):
                return self._file(entry, directory)
            if entry.is_dir(follow_symlinks=False):
                return self._subdirectory(entry, directory, names)
            if entry.is_symlink():
                return self._symlink(entry, directory)
            return _left_out(directory.report + report_path(entry.name), "special-file", _SPECIAL, incomplete=False)
        except FileNotFoundError:
            return _left_out(directory.report + report_path(entry.name), "vanished", "vanished", incomplete=True)
        except OSError as error:
            report = directory.report + report_path(entry.name)
            return _left_out(report, "unreadable", error.strerror or str(error), incomplete=True)

    def _subdirectory(
        self, entry: os.DirEntry[str], directory: _Directory, names: set[str]
    ) -> _Directory | NotAnalysed | None:
        report = directory.report + report_path(entry.name) + "/"
        skip = self._skips.get(entry.name)
        if skip is not None and _applies(skip, entry, directory, names):
            if skip.quiet or entry.path in self._named:
                return None
            return _left_out(report, skip.code, f"{skip.reason} ({skip.name})", incomplete=False)
        parts = [*directory.parts, entry.name]
        if directory.chain:
            rule = ignored_by(directory.chain, parts, directory=True)
            if rule is not None:
                reason = f"ignored by {rule.source}"
                return None if entry.path in self._named else _left_out(report, "ignored", reason, incomplete=False)
        if directory.depth >= self._settings.max_depth:
            reason = f"more than {self._settings.max_depth} directories deep"
            return _left_out(report, "too-deep", reason, incomplete=True)
        return _Directory(entry.path, report, parts, directory.depth + 1, directory.chain)

    def _file(self, entry: os.DirEntry[str], directory: _Directory) -> Discovered | None:
        name = entry.name
        language = language_of(name)
        if language is None:
            if name.rpartition(".")[2].lower() in ARCHIVES and "." in name:
                return _left_out(directory.report + report_path(name), "archive", _ARCHIVE, incomplete=False)
            if not needs_head(name):
                return None
            language = language_of(name, read_bounded(entry.path, SHEBANG_BYTES))
            if language is None:
                return None
        if self._settings.languages and language not in self._settings.languages:
            return None
        report = directory.report + report_path(name)
        if directory.chain:
            rule = ignored_by(directory.chain, [*directory.parts, name], directory=False)
            if rule is not None:
                return _left_out(report, "ignored", f"ignored by {rule.source}", incomplete=False)
        return self._source_file(report, entry.path, language, entry.stat(follow_symlinks=False), named=False)

    def _symlink(self, entry: os.DirEntry[str], directory: _Directory) -> NotAnalysed | None:
        """A link is never followed: a target inside the tree is met at its own place, one outside is not ours."""
        directory_link = os.path.isdir(entry.path)  # unlike entry.is_dir(), no error where links lead round
        if language_of(entry.name) is None and not directory_link:
            return None
        target, start = os.path.realpath(entry.path), os.path.realpath(self._start)
        inside = os.path.exists(target) and (target == start or target.startswith(start.rstrip(os.sep) + os.sep))
        if inside and (directory_link or language_of(target) is not None):
            return None
        reason = "a symbolic link to a file that is no source" if inside else "a symbolic link that leaves the tree"
        if not os.path.exists(target):
            reason = "a symbolic link that leads nowhere"
        slash = "/" if directory_link else ""
        return _left_out(directory.report + report_path(entry.name) + slash, "symlink", reason, incomplete=False)

    def _named_file(self, report: str) -> Discovered:
        absolute = os.path.realpath(self._start)
        try:
            status = os.stat(absolute)
        except OSError as error:
            return _left_out(report, "unreadable", error.strerror or str(error), incomplete=True)
        if not stat.S_ISREG(status.st_mode):
            return _left_out(report, "special-file", _SPECIAL, incomplete=True)
        name = os.path.basename(self._start)
        head = read_bounded(absolute, SHEBANG_BYTES) if "." not in name else None
        language = language_of(name, head)
        if language is None and is_declaration(name):
            return _left_out(report, "declarations", "only declares types", incomplete=False)
        if language is None and name.rpartition(".")[2].lower() in ARCHIVES:
            return _left_out(report, "archive", _ARCHIVE, incomplete=True)
        if language is None:
            return _left_out(report, "unknown-language", "no language we read has this name", incomplete=True)
        if self._settings.languages and language not in self._settings.languages:
            return _left_out(report, "not-selected", f"{language} is not selected", incomplete=False)
        return self._source_file(report, absolute, language, status, named=True)

    def _source_file(
        self, report: str, absolute: str, language: str, status: os.stat_result, *, named: bool
    ) -> Discovered:
        if not stat.S_ISREG(status.st_mode):
            return _left_out(report, "special-file", _SPECIAL, incomplete=named)
        if status.st_size > self._settings.max_file_bytes:
            reason = f"{status.st_size} bytes, the limit is {self._settings.max_file_bytes}"
            return _left_out(report, "too-large", reason, incomplete=True)
        return SourceFile(report, absolute, status.st_size, status.st_mtime_ns, language, named)


_SPECIAL = "no regular file (FIFO, device or socket)"
_ARCHIVE = "an archive; unpack it to scan what it holds"


def report_path(path: str) -> str:
    """A path for reports: forward slashes, and bytes that are no UTF-8 written as ``\\xNN``."""
    if os.sep != "/":
        path = path.replace(os.sep, "/")
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _applies(skip: SkipDirectory, entry: os.DirEntry[str], directory: _Directory, siblings: set[str]) -> bool:
    if not skip.beside and not skip.inside:
        return True
    parent = os.path.basename(directory.absolute)
    if siblings.isdisjoint(skip.beside) and parent not in skip.inside:
        return False
    return not os.path.lexists(os.path.join(entry.path, "__init__.py"))


def _left_out(report: str, code: str, reason: str, *, incomplete: bool) -> NotAnalysed:
    return NotAnalysed(report, code, reason, incomplete)


def _first(pair: tuple[str, object]) -> str:
    return pair[0]
