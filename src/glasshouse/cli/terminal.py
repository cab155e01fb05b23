"""What the terminal can do, and writing to it or to files so that a reader never sees half a report."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Literal

from glasshouse.words.errors import PathError

Color = Literal["auto", "always", "never"]


def use_color(choice: Color, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """``--color`` wins, then NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, TERM=dumb, then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name, "0") not in ("", "0"):
            return True
    return is_terminal and environ.get("TERM") != "dumb"


def write_stdout(pieces: Iterable[str], *, utf8: bool) -> None:
    """Writes the report.  ``utf8``: the format prescribes it; otherwise the terminal's encoding, with escapes.

    A reader that went away (``| head``) is no error.
    """
    encoding = "utf-8" if utf8 else (sys.stdout.encoding or "utf-8")
    try:
        sys.stdout.flush()
        _write(sys.stdout.buffer, pieces, encoding)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(path: Path, pieces: Iterable[str]) -> None:
    """Writes a file at once: the old one stays until the new one is complete.  Devices are written in place."""
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                _write(stream, pieces, "utf-8")
            return
        target = Path(os.path.realpath(path))
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                _write(stream, pieces, "utf-8")
            os.chmod(name, _mode_for(target))
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise PathError(f"cannot write: {error.strerror}", where=str(path)) from error


def _mode_for(target: Path) -> int:
    """The mode a plain ``open`` would have given."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _write(stream: IO[bytes], pieces: Iterable[str], encoding: str) -> None:
    for piece in pieces:
        stream.write(piece.encode(encoding, "backslashreplace"))
