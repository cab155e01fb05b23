"""Documents from files, directories, zip archives, gzip and xz files; bounded in number and bytes, links not followed.

An archive in an archive is opened too, one level deep: the CVE List's daily release is one.
"""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from glasshouse.forecast.importers.interface import Document, Rejected
from glasshouse.words.errors import PathError
from glasshouse.words.named_file import SPECIAL

MAX_DOCUMENT_BYTES = 1_500_000_000
"""One document after unpacking; a yearly feed has some hundred megabytes."""
MAX_DOCUMENTS = 2_000_000
MAX_RATIO = 200
"""Unpacked bytes per packed byte, above which an archive member is taken for a bomb."""
MAX_INNER_BYTES = 8_000_000_000
"""An archive within an archive; it is unpacked to a temporary file."""
XZ_MEMORY = 256_000_000
"""Bytes that unpacking an xz file may take beside its content."""
_CHUNK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


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
    if not path.is_dir():
        raise PathError(f"cannot read: {SPECIAL}", where=str(path))
    for folder, folders, names in os.walk(path, followlinks=False):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            yield from _file(Path(folder) / name, suffixes, named=False)


def _file(path: Path, suffixes: tuple[str, ...], *, named: bool) -> Iterator[Document | Rejected]:
    """A file that a user named is read whatever its suffix; one found in a directory must have one of them."""
    lower = path.name.lower()
    wanted = lower.removesuffix(".gz").removesuffix(".xz").endswith(suffixes)
    if not (named or wanted or lower.endswith(".zip")):
        return
    try:
        details = path.stat() if named else path.lstat()
        if not stat.S_ISREG(details.st_mode):
            return
        if lower.endswith(".zip"):
            yield from _zip(path, str(path), suffixes)
        elif lower.endswith((".gz", ".xz")):
            yield _unpacked(path)
        elif details.st_size > MAX_DOCUMENT_BYTES:
            yield Rejected(str(path), f"larger than {MAX_DOCUMENT_BYTES:,} bytes")
        else:
            yield Document(str(path), path.read_bytes())
    except OSError as error:
        yield Rejected(str(path), f"cannot read: {error.strerror or error}")


def _unpacked(path: Path) -> Document | Rejected:
    kind = "xz" if path.name.lower().endswith(".xz") else "gzip"
    try:
        content = _xz(path) if kind == "xz" else _gzip(path)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        return Rejected(str(path), f"damaged {kind} file: {error}")
    if len(content) > MAX_DOCUMENT_BYTES:
        return Rejected(str(path), f"larger than {MAX_DOCUMENT_BYTES:,} bytes unpacked")
    return Document(str(path)[:-3], content)


def _gzip(path: Path) -> bytes:
    with gzip.open(path) as stream:
        return stream.read(MAX_DOCUMENT_BYTES + 1)


def _xz(path: Path) -> bytes:
    """The content, at most a byte more than allowed.  The memory that the file itself may ask for is bounded too."""
    machine = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
    content = bytearray()
    with path.open("rb") as stream:
        while not machine.eof and len(content) <= MAX_DOCUMENT_BYTES:
            packed = stream.read(_CHUNK) if machine.needs_input else b""
            if machine.needs_input and not packed:
                raise EOFError("it ends early")
            content += machine.decompress(packed, MAX_DOCUMENT_BYTES + 1 - len(content))
    return bytes(content)


def _zip(
    source: Path | IO[bytes], shown: str, suffixes: tuple[str, ...], *, inner: bool = False
) -> Iterator[Document | Rejected]:
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError) as error:
        yield Rejected(shown, f"damaged zip archive: {error}")
        return
    wanted = suffixes if inner else (*suffixes, ".zip")
    with archive:
        for member in archive.infolist():
            name = f"{shown}!{member.filename}"
            lower = member.filename.lower()
            if member.is_dir() or not lower.endswith(wanted):
                continue
            limit = MAX_INNER_BYTES if lower.endswith(".zip") else MAX_DOCUMENT_BYTES
            if member.file_size > limit or member.file_size > MAX_RATIO * max(member.compress_size, 1_000):
                yield Rejected(name, f"unpacks to {member.file_size:,} bytes, too much for its size")
            elif lower.endswith(".zip"):
                yield from _inner(archive, member, name, suffixes)
            else:
                yield _member(archive, member, name)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Document | Rejected:
    try:
        with archive.open(member) as stream:
            content = stream.read(member.file_size + 1)
    except _DAMAGE as error:
        return Rejected(name, f"damaged member: {error}")
    return Document(name, content[: member.file_size])


def _inner(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, suffixes: tuple[str, ...]
) -> Iterator[Document | Rejected]:
    """The documents of an archive in an archive, by way of a temporary file: they are read in any order."""
    with tempfile.TemporaryFile() as copy:
        try:
            with archive.open(member) as stream:
                left = member.file_size
                while left > 0 and (part := stream.read(min(_CHUNK, left))):
                    left -= copy.write(part)
        except _DAMAGE as error:
            yield Rejected(name, f"damaged member: {error}")
            return
        yield from _zip(copy, name, suffixes, inner=True)
