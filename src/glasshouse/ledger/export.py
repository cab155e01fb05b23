"""The published form of a log: tiles, entry bundles and the checkpoint as static files (C2SP tlog-tiles).

A pure function of the entries up to a checkpoint, so an interrupted export is finished by running it again; the file
``checkpoint`` comes last.  Payloads are never published.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from glasshouse.ledger.audit.notes import MAX_NOTE_BYTES, parse_checkpoint, parse_note
from glasshouse.ledger.audit.proofs import TILE, Fault, check_consistency, leaf_hash
from glasshouse.ledger.audit.sources import read_bounded, tile_path
from glasshouse.ledger.audit.verify import OWN_POLICY
from glasshouse.ledger.reader import LogReader
from glasshouse.ledger.receipt import SignedCheckpoint
from glasshouse.words.errors import PathError, VerificationError

Progress = Callable[[int, int], None]


def export(reader: LogReader, directory: Path, checkpoint: SignedCheckpoint, progress: Progress | None = None) -> int:
    """Publishes the log up to a checkpoint, from where an earlier export ended; returns the number of new entries.

    Raises ``VerificationError`` when the directory holds another log, or history that this log does not contain.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        before = _published_size(reader, directory, checkpoint)
        for first in range(before & -TILE, checkpoint.size, TILE):
            _write_bundle(reader, directory, first, min(TILE, checkpoint.size - first))
            if progress is not None:
                progress(min(first + TILE, checkpoint.size), checkpoint.size)
        level = 1
        while checkpoint.size >> 8 * level:
            _write_level(reader, directory, level, before >> 8 * level, checkpoint.size >> 8 * level)
            level += 1
        policy = reader.directory / OWN_POLICY
        if policy.exists():
            _write(directory / OWN_POLICY, policy.read_bytes())
        _write(directory / "checkpoint", checkpoint.note.encode())
    except OSError as error:
        raise PathError(f"cannot be written ({error.strerror})", where=str(error.filename or directory)) from None
    return checkpoint.size - before


def _published_size(reader: LogReader, directory: Path, checkpoint: SignedCheckpoint) -> int:
    """How much is there already, after checking that it is the beginning of this log."""
    file = directory / "checkpoint"
    if not file.exists():
        return 0
    try:
        found = parse_checkpoint(parse_note(read_bounded(file, MAX_NOTE_BYTES)).body)
        origin = checkpoint.note.partition("\n")[0]
        if found.origin != origin or found.size > checkpoint.size:
            raise Fault(f"is of {found.origin!r} at size {found.size}; this is {origin!r} at {checkpoint.size}")
        if found.size:
            proof = reader.consistency(found.size, checkpoint.size)
            check_consistency(found.size, checkpoint.size, proof, found.root, checkpoint.root)
    except Fault as fault:
        raise VerificationError(
            fault.what, where=str(file), hint="Export into an empty directory, and find out where this one comes from."
        ) from None
    return found.size


def _write_bundle(reader: LogReader, directory: Path, first: int, width: int) -> None:
    bodies = [body for _, body in reader.bodies(first, first + width)]
    number = first // TILE
    bundle = b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
    _write_tile(directory, "entries", number, width, bundle)
    _write_tile(directory, 0, number, width, b"".join(leaf_hash(body) for body in bodies))


def _write_level(reader: LogReader, directory: Path, level: int, before: int, hashes: int) -> None:
    for number in range(before // TILE, -(-hashes // TILE)):
        width = min(TILE, hashes - number * TILE)
        _write_tile(directory, level, number, width, reader.tile(level, number, width))


def _write_tile(directory: Path, level: int | str, number: int, width: int, data: bytes) -> None:
    _write(directory / tile_path(level, number, width), data)
    if width == TILE:  # partial ones are not needed any more: whoever asks for them gets the full one
        shutil.rmtree(directory / f"{tile_path(level, number)}.p", ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    os.replace(temporary, path)
