"""Secrets on disk: made once, readable by their owner alone, refused when others can read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from glasshouse.words.errors import DoorClosedError

SECRET_BYTES = 32


def read_or_make(file: Path) -> bytes:
    """The 32 random bytes in ``file``, made when it is missing; of two processes that make it, one wins."""
    try:
        return _read(file)
    except FileNotFoundError:
        pass
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(os.urandom(SECRET_BYTES))
                stream.flush()
                os.fsync(stream.fileno())
            os.link(temporary, file)  # fails when another process was first
        except FileExistsError:
            pass
        finally:
            os.unlink(temporary)
        return _read(file)
    except OSError as error:
        raise DoorClosedError(f"cannot make the secret: {error.strerror}", where=str(file)) from error


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise DoorClosedError(
                "others can read this secret",
                where=str(file),
                hint=f"Run `chmod 600 {file}`, and rotate what it protects.",
            )
        secret = stream.read(SECRET_BYTES + 1)
    if len(secret) != SECRET_BYTES:
        raise DoorClosedError(f"holds {len(secret)} bytes instead of {SECRET_BYTES}", where=str(file))
    return secret
