"""Paths, folders and standard input as opened, decompressed inputs; chunks of events from all of them."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from glasshouse.respond.read.auditd import AuditdReader
from glasshouse.respond.read.evtx_log import EvtxReader
from glasshouse.respond.read.interface import HEAD_BYTES, Chunk, Input, Limits, Reader
from glasshouse.respond.read.json_lines import JsonReader
from glasshouse.respond.read.syslog import SyslogReader
from glasshouse.respond.read.table import CsvReader
from glasshouse.respond.read.zeek import ZeekReader
from glasshouse.words.errors import PathError
from glasshouse.words.incident import NotRead

READERS: tuple[Reader, ...] = (EvtxReader(), JsonReader(), ZeekReader(), AuditdReader(), SyslogReader(), CsvReader())
"""In this order: the first that recognises an input reads it."""

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
SPOOL_BYTES = 32_000_000
STDIN = "-"


def read_logs(places: list[Path], stdin: BinaryIO, limits: Limits | None = None) -> Iterator[Chunk | NotRead]:
    """The events of files, folders (all files below, in order of name) and standard input (``-``)."""
    limits = limits or Limits()
    count = 0
    for place in places:
        if str(place) == STDIN:
            yield from _read("standard input", stdin, limits)
            continue
        if not place.exists():
            raise PathError("no such file or folder", where=str(place))
        for file in _files(place):
            count += 1
            if count > limits.files:
                yield NotRead(str(place), "too-many-files", f"more than {limits.files:,} files; the rest was left out")
                return
            yield from _file(file, limits)


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)


def _file(file: Path, limits: Limits) -> Iterator[Chunk | NotRead]:
    try:
        if not file.is_file():
            yield NotRead(str(file), "not-a-file", "neither a file nor a folder")
            return
        with file.open("rb") as stream:
            yield from _read(str(file), stream, limits)
    except OSError as error:
        yield NotRead(str(file), "unreadable", error.strerror or type(error).__name__)


def _read(name: str, raw: BinaryIO, limits: Limits) -> Iterator[Chunk | NotRead]:
    records = 0
    try:
        stream = _Bounded(_decompressed(io.BufferedReader(_Raw(raw), HEAD_BYTES)), limits.file_bytes)
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
            head = stream.read(HEAD_BYTES)
            if not head:
                yield NotRead(name, "empty", "the file is empty")
                return
            reader = next((each for each in READERS if each.recognises(head, name)), None)
            if reader is None:
                yield NotRead(name, "unknown-format", "no format was recognised")
                return
            seekable = _seekable(raw, head, stream, reader, cast(BinaryIO, spool))
            for item in reader.read(Input(name, seekable, head, limits)):
                records += len(item.events) if isinstance(item, Chunk) else 0
                yield item
        if stream.exceeded:
            yield NotRead(name, "too-large", f"only the first {limits.file_bytes:,} bytes were read", records)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield NotRead(name, "truncated", f"the compressed data end early or are damaged: {error}", records)
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        yield NotRead(name, "truncated", f"the compressed data end early or are damaged: {error}", records)


def _seekable(raw: BinaryIO, head: bytes, stream: _Bounded, reader: Reader, spool: BinaryIO) -> BinaryIO:
    """EVTX and audit logs are read more than once: what cannot be rewound is copied to a temporary file."""
    if reader.name not in ("evtx", "auditd"):
        return cast(BinaryIO, io.BufferedReader(_Joined(head, stream), HEAD_BYTES))
    compressed = not head or head[:2] == GZIP
    if raw.seekable() and not compressed:
        raw.seek(0)
        if raw.read(len(head)) == head:
            raw.seek(0)
            return raw
    spool.write(head)
    while data := stream.read(1 << 20):
        spool.write(data)
    spool.seek(0)
    return spool


def _decompressed(stream: io.BufferedReader) -> Any:
    start = stream.peek(4)[:4]
    if start[:2] == GZIP:
        return gzip.GzipFile(fileobj=stream)
    if start == ZSTD:
        return _Zstd(stream)
    return stream


class _Raw(io.RawIOBase):
    """Reads from another stream without ever closing it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Zstd:
    """Decompresses frame after frame; raises when the last one is cut short, which the library passes over."""

    STEP_BYTES = 512
    """So little input at a time that even a bomb gives no more than some megabytes at once."""

    def __init__(self, stream: io.BufferedReader) -> None:
        import zstandard

        self._stream = stream
        self._library = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._frame = self._library.decompressobj()
        self._fed = False
        self._ready = bytearray()
        self._ended = False

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and not self._ended:
            self._step()
        data = bytes(self._ready[:size])
        del self._ready[:size]
        if not data and self._fed:
            raise EOFError("the last frame is cut short")
        return data

    def _step(self) -> None:
        data = self._stream.read(self.STEP_BYTES)
        if not data:
            self._ended = True
            return
        while data:
            self._ready += self._frame.decompress(data)
            self._fed = not self._frame.eof
            data = b""
            if self._frame.eof:
                data = self._frame.unused_data
                self._frame = self._library.decompressobj()


class _Bounded:
    """Reads up to a number of bytes and remembers whether there was more."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream, self._left, self.exceeded = stream, limit, False

    def read(self, size: int) -> bytes:
        if self._left <= 0:
            self.exceeded = self.exceeded or bool(self._stream.read(1))
            return b""
        data: bytes = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


class _Joined(io.RawIOBase):
    """The head that was read already, then the rest."""

    def __init__(self, head: bytes, stream: _Bounded) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
