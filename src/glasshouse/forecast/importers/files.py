"""Documents from files, directories, zip archives and gzip files; bounded in number and bytes, links not followed."""

from __future__ import annotations

import gzip
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from glasshouse.forecast.importers.interface import Document, Rejected
from glasshouse.words.errors import PathError

MAX_DOCUMENT_BYTES = 1_500_000_000
"""One document after unpacking; a yearly feed has some hundred megabytes."""
MAX_DOCUMENTS = 2_000_000
MAX_RATIO = 200
"""Unpacked bytes per packed byte, above which an archive member is taken for a bomb."""


def documents(paths: list[Path], suffixes: tuple[str, ...]) -> Iterator[Document | Rejected]:
    """Every document below the paths whose name has one of the suffixes, one in memory at a time, in a fixed order."""
    count = 0
    for path in paths:
        if not path.exists():
            raise PathError("no such file or directory", where=str(path))
        for found in _below(path, suffixes):
            count += 1
            if count > MAX_DOCUMENTS:
                yield Rejected(str(path), f"only the first {MAX_DOCUMENTS:,} documents were read")
                return
            yield found


def _below(path: Path, suffixes: tuple[str, ...]) -> Iterator[Document | Rejected]:
    if path.is_file():
        yield from _file(path, suffixes, named=True)
        return
    for folder, folders, names in os.walk(path, followlinks=False):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            yield from _file(Path(folder) / name, suffixes, named=False)


def _file(path: Path, suffixes: tuple[str, ...], *, named: bool) -> Iterator[Document | Rejected]:
    """A file that a user named is read whatever its suffix; one found in a directory must have one of them."""
    lower = path.name.lower()
    wanted = lower.removesuffix(".gz").endswith(suffixes)
    if not (named or wanted or lower.endswith(".zip")):
        return
    try:
        details = path.stat() if named else path.lstat()
        if not stat.S_ISREG(details.st_mode):
            return
        if lower.endswith(".zip"):
            yield from _zip(path, suffixes)
        elif lower.endswith(".gz"):
            yield _gzip(path)
        elif details.st_size > MAX_DOCUMENT_BYTES:
            yield Rejected(str(path), f"larger than {MAX_DOCUMENT_BYTES:,} bytes")
        else:
            yield Document(str(path), path.read_bytes())
    except OSError as error:
        yield Rejected(str(path), f"cannot read: {error.strerror or error}")


def _gzip(path: Path) -> Document | Rejected:
    try:
        with gzip.open(path) as stream:
            content = stream.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        return Rejected(str(path), f"damaged gzip file: {error}")
    if len(content) > MAX_DOCUMENT_BYTES:
        return Rejected(str(path), f"larger than {MAX_DOCUMENT_BYTES:,} bytes unpacked")
    return Document(str(path)[:-3], content)


def _zip(path: Path, suffixes: tuple[str, ...]) -> Iterator[Document | Rejected]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        yield Rejected(str(path), f"damaged zip archive: {error}")
        return
    with archive:
        for member in archive.infolist():
            name = f"{path}!{member.filename}"
            if member.is_dir() or not member.filename.lower().endswith(suffixes):
                continue
            too_large = member.file_size > MAX_DOCUMENT_BYTES
            if too_large or member.file_size > MAX_RATIO * max(member.compress_size, 1_000):
                yield Rejected(name, f"unpacks to {member.file_size:,} bytes, too much for its size")
                continue
            try:
                with archive.open(member) as stream:
                    content = stream.read(member.file_size + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
                yield Rejected(name, f"damaged member: {error}")
                continue
            yield Document(name, content[: member.file_size])
