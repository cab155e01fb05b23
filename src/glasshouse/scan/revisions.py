"""Another revision of the scanned tree: its files for ``--baseline-ref``, what changed since for ``--diff``.

The work tree is compared by our own hashing, because git would run the repository's clean filters on it.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from glasshouse.scan.discover.ignore_chain import IGNORE_NAMES, work_tree_root
from glasshouse.scan.discover.model import MEGABYTE, SourceFile
from glasshouse.scan.discover.opening import read_regular
from glasshouse.scan.discover.walk import report_path
from glasshouse.scan.git_commands import git_process, merge_base, run_git, tree_of
from glasshouse.scan.languages import language_of, needs_head
from glasshouse.words.errors import BaselineError
from glasshouse.words.finding import NotAnalysed

LAST_LINE = (1 << 31) - 1
"""End of a range that reaches to the end of the file."""

_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_DIFF_BATCH = 200


class ExportLimits(msgspec.Struct, frozen=True):
    """Bounds of one export."""

    max_file_bytes: int = 2 * MEGABYTE
    max_total_bytes: int = 2_000 * MEGABYTE
    max_files: int = 500_000
    max_path_bytes: int = 1_024


class Export(msgspec.Struct, frozen=True):
    """What an export wrote, and the source files it left out."""

    files: int
    bytes: int
    left_out: tuple[NotAnalysed, ...]


class TreeEntry(msgspec.Struct, frozen=True):
    """One regular file of a git tree; ``path`` as ``os.fsdecode`` gives it."""

    path: str
    object_id: str
    size: int


def repository_of(path: Path) -> Path | None:
    """The top of the git work tree that ``path`` lies in, or None."""
    absolute = os.path.abspath(path)
    found = work_tree_root(absolute if os.path.isdir(absolute) else os.path.dirname(absolute))
    return None if found is None else Path(found)


def wanted_for_scan(path: str) -> bool:
    """Whether a scan would look at a file of this name."""
    name = path.rpartition("/")[2]
    return language_of(name) is not None or name in IGNORE_NAMES or needs_head(name)


def export_tree(
    repo_root: Path,
    ref: str,
    dest: Path,
    limits: ExportLimits | None = None,
    wanted: Callable[[str], bool] = wanted_for_scan,
) -> Export:
    """Writes the wanted files of a revision below ``dest`` (an empty directory), byte for byte as they are stored.

    Links and submodules are left out, and so is any entry that would land outside ``dest`` or under ``.git``.  Raises
    BaselineError when the ref or the repository cannot be read.
    """
    limits = limits or ExportLimits()
    if os.listdir(dest):
        raise BaselineError("the directory to export to is not empty", where=str(dest))
    chosen: list[TreeEntry] = []
    left_out: list[NotAnalysed] = []
    total = 0
    for entry in list_tree(repo_root, ref):
        if not wanted(entry.path):
            continue
        problem = _refusal(entry, limits, total, len(chosen))
        if problem is None:
            chosen.append(entry)
            total += entry.size
        elif language_of(entry.path) is not None:
            left_out.append(NotAnalysed(report_path(entry.path), *problem, incomplete=True))
    written = 0
    for entry, data in read_objects(repo_root, chosen):
        try:
            _write(dest, entry.path, data)
            written += 1
        except OSError as error:
            reason = error.strerror or str(error)
            left_out.append(NotAnalysed(report_path(entry.path), "unwritable", reason, incomplete=True))
    return Export(written, total, tuple(left_out))


def changed_lines(repo_root: Path, ref: str, files: Sequence[SourceFile]) -> dict[str, list[tuple[int, int]]]:
    """For each changed file (by report path) the changed line ranges, both ends included, in order.

    A new file is one range up to ``LAST_LINE``.  Where lines were only removed, the lines around the gap count.
    """
    result: dict[str, list[tuple[int, int]]] = {}
    edited: list[tuple[SourceFile, TreeEntry, bytes]] = []
    for file, entry, data in _changes(repo_root, ref, files):
        if entry is None:
            result[file.path] = [(1, LAST_LINE)]
        else:
            edited.append((file, entry, data))
    for start in range(0, len(edited), _DIFF_BATCH):
        batch = edited[start : start + _DIFF_BATCH]
        for file, ranges in zip((item[0] for item in batch), _diff(repo_root, batch), strict=True):
            result[file.path] = ranges
    return result


def list_tree(repo_root: Path, ref: str) -> Iterator[TreeEntry]:
    """The regular files of a revision, in git's order."""
    root = os.fspath(repo_root)
    output = run_git(root, ["ls-tree", "-r", "-z", "--long", "--full-tree", tree_of(root, ref)], trusted=root)
    for record in output.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        fields = head.split()
        if tab and len(fields) == 4 and fields[0] in (b"100644", b"100755", b"100664") and fields[3].isdigit():
            yield TreeEntry(os.fsdecode(path), fields[2].decode("ascii"), int(fields[3]))


def read_objects(repo_root: Path, entries: Sequence[TreeEntry]) -> Iterator[tuple[TreeEntry, bytes]]:
    """The stored content of each entry, in order, by one git process."""
    root = os.fspath(repo_root)
    with tempfile.TemporaryFile() as wanted:
        wanted.write(b"".join(entry.object_id.encode("ascii") + b"\n" for entry in entries))
        wanted.seek(0)
        with git_process(root, ["cat-file", "--batch", "--buffer"], stdin=wanted, trusted=root) as (_, output):
            for entry in entries:
                yield entry, _read_object(output, entry, root)


def _read_object(output: IO[bytes], entry: TreeEntry, root: str) -> bytes:
    fields = output.readline(200).split()
    if len(fields) != 3 or fields[1] != b"blob" or int(fields[2]) != entry.size:
        raise BaselineError(
            f"git could not give {report_path(entry.path)!r}; the repository may be damaged", where=root
        )
    data = output.read(entry.size + 1)
    if len(data) != entry.size + 1:
        raise BaselineError("git stopped before the end", where=root)
    return data[:-1]


def _refusal(entry: TreeEntry, limits: ExportLimits, total: int, count: int) -> tuple[str, str] | None:
    parts = entry.path.split("/")
    if len(os.fsencode(entry.path)) > limits.max_path_bytes or any(_unsafe(part) for part in parts):
        return "unsafe-path", "the path would leave the directory or cannot be written"
    if entry.size > limits.max_file_bytes:
        return "too-large", f"{entry.size} bytes, the limit is {limits.max_file_bytes}"
    if count >= limits.max_files or total + entry.size > limits.max_total_bytes:
        return "too-many-files", "the revision is larger than the limits of an export"
    return None


def _unsafe(part: str) -> bool:
    return (
        part in ("", ".", "..")
        or part.lower().rstrip(". ") in (".git", "git~1")
        or "\\" in part
        or ":" in part
        or len(os.fsencode(part)) > 255
    )


def _write(dest: Path, path: str, data: bytes) -> None:
    target = os.path.join(os.fspath(dest), *path.split("/"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(target, flags, 0o600), "wb") as file:
        file.write(data)


def _changes(
    repo_root: Path, ref: str, files: Sequence[SourceFile]
) -> Iterator[tuple[SourceFile, TreeEntry | None, bytes]]:
    """Files that differ from the merge base, each with its old entry (None: new) and its content now."""
    root = os.path.realpath(repo_root)
    old = {entry.path: entry for entry in list_tree(repo_root, merge_base(os.fspath(repo_root), ref))}
    for file in files:
        relative = os.path.relpath(os.path.realpath(file.absolute), root)
        entry = old.get(relative if os.sep == "/" else relative.replace(os.sep, "/"))
        try:
            data = read_regular(file.absolute, file.size + MEGABYTE)
        except OSError:
            continue  # reading it for the scan will tell why
        if entry is None or not _same(entry, data):
            yield file, entry, data


def _same(entry: TreeEntry, data: bytes) -> bool:
    """Whether the content is what git stores; git may have turned the line ends of a checkout into CRLF."""
    for content in (data, data.replace(b"\r\n", b"\n")) if b"\r\n" in data else (data,):
        if len(content) == entry.size:
            algorithm = hashlib.sha1 if len(entry.object_id) == 40 else hashlib.sha256
            digest = algorithm(b"blob %d\0" % len(content) + content)
            if digest.hexdigest() == entry.object_id:
                return True
    return False


def _diff(repo_root: Path, batch: Sequence[tuple[SourceFile, TreeEntry, bytes]]) -> Iterator[list[tuple[int, int]]]:
    """Changed ranges of each pair, by one git process outside any repository."""
    with tempfile.TemporaryDirectory() as directory:
        os.mkdir(os.path.join(directory, "a"))
        os.mkdir(os.path.join(directory, "b"))
        old = read_objects(repo_root, [entry for _, entry, _ in batch])
        for index, ((_, before), (_, _, now)) in enumerate(zip(old, batch, strict=True)):
            Path(directory, "a", f"{index:06}").write_bytes(before.replace(b"\0", b" "))
            Path(directory, "b", f"{index:06}").write_bytes(now.replace(b"\0", b" "))
        arguments = ["diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"]
        arguments += ["--text", "--ignore-cr-at-eol", "--src-prefix=", "--dst-prefix=", "-U0", "--", "a", "b"]
        output = run_git(directory, arguments, ok=(0, 1))
    ranges: list[list[tuple[int, int]]] = [[] for _ in batch]
    current = -1
    for line in output.split(b"\n"):
        if line.startswith(b"diff --git a/"):
            current = int(line[len(b"diff --git a/") :].split()[0])
        elif current >= 0 and (match := _HUNK.match(line)):
            start, count = int(match.group(1)), int(match.group(2) or b"1")
            ranges[current].append((start, start + count - 1) if count else (max(start, 1), start + 1))
    return iter(ranges)
