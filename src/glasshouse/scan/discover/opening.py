"""Opens and reads files of a hostile tree.

It never blocks on a FIFO or device, never follows a link in the last component and never reads past a bound.
"""

from __future__ import annotations

import os
import stat

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


class SpecialFileError(OSError):
    """The path is no regular file (FIFO, device, socket, directory)."""


def read_regular(path: str, max_bytes: int) -> bytes:
    """At most ``max_bytes`` + 1 bytes of a regular file, so that callers can tell "more than the bound".

    Raises OSError as ``os.open`` does (a symbolic link fails with ELOOP), SpecialFileError for anything else.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SpecialFileError(path)
        chunks: list[bytes] = []
        left = max_bytes + 1
        while left > 0 and (chunk := os.read(descriptor, min(left, 1 << 20))):
            chunks.append(chunk)
            left -= len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    finally:
        os.close(descriptor)


def read_bounded(path: str, max_bytes: int) -> bytes:
    """The first ``max_bytes`` of a regular file, or nothing when it cannot be read."""
    try:
        return read_regular(path, max_bytes)[:max_bytes]
    except OSError:
        return b""
