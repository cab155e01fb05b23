"""Reading a file that somebody named: a FIFO or device is refused, where opening or reading it could wait for ever.

What is refused is an ``OSError`` with its reason in ``strerror``, so that callers tell it as any file they cannot read.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):  # the first opens a FIFO that nobody writes to
    _FLAGS |= getattr(os, _name, 0)
SPECIAL = "a FIFO, device or socket and no regular file; write its content into a file first"


def open_named(path: str | Path) -> BufferedReader:
    """A regular file, or one that a link leads to, opened for reading.  Raises ``OSError`` for everything else."""
    descriptor = os.open(path, _FLAGS)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, SPECIAL, str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_named(path: str | Path, limit: int) -> bytes:
    """At most ``limit`` + 1 bytes of a regular file, so that callers can tell more than the bound; else ``OSError``."""
    with open_named(path) as file:
        return file.read(limit + 1)
