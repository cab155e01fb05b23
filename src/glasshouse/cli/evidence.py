"""What the commands of assurance share: keeping a record through the door, and gathering what the log holds."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from glasshouse.cli.passing import file_targets, through_the_door

if TYPE_CHECKING:
    from glasshouse.door.local import LocalPassage
    from glasshouse.dossier.collect import Log, Record
    from glasshouse.dossier.document import Basis
    from glasshouse.ledger import LogReader

MAX_FILE_BYTES = 1_000_000_000  # of a report, mandate or statement


@contextmanager
def recording(
    subject: str, describes: str, files: Sequence[Path] = (), capability: str = "evidence.record"
) -> Iterator[LocalPassage]:
    """An act that keeps records about ``subject``; nothing may be shown before the block has ended."""
    from glasshouse.words.act import Target

    targets = (Target("record", subject), *file_targets(files))
    with through_the_door(capability, targets, describes) as passage:
        yield passage


def keep(passage: LocalPassage, record: Record) -> int:
    """Keeps a record; the index of its entry.  Raises `EvidenceError` for one that could never be read again."""
    from glasshouse.dossier.collect import encoded

    return passage.record(str(record.__struct_config__.tag), encoded(record))


def log_reader() -> LogReader:
    """The home's log for reading."""
    from glasshouse.door.home import home_folder, log_folder
    from glasshouse.ledger import Ledger

    return Ledger.read(log_folder(home_folder(os.environ)))


def gathered() -> tuple[Log, Basis]:
    """One pass over the home's log, and what it rests on; an empty one where nothing was ever recorded."""
    from glasshouse.door.home import home_folder, log_folder
    from glasshouse.dossier.collect import Log, gather
    from glasshouse.dossier.involvement import involvements
    from glasshouse.dossier.log_source import NO_LOG, basis_of, looked, observed
    from glasshouse.duties.records import fold
    from glasshouse.ledger.audit.verify import DATABASE

    if not (log_folder(home_folder(os.environ)) / DATABASE).exists():
        return Log(), NO_LOG
    reader = log_reader()
    try:
        checkpoint = reader.checkpoint()
        log = gather(observed(reader, checkpoint.size))
        linked = {name: case.linked for name, case in fold(log.duties).cases.items() if case.linked}
        if linked:
            wanted = frozenset[int]().union(*linked.values())
            log.involved = involvements(linked, looked(reader, checkpoint.size, wanted))
        return log, basis_of(reader, checkpoint)
    finally:
        reader.close()


def read_file(path: Path) -> bytes:
    """A file named on the command line; one clear error when it cannot be read."""
    from glasshouse.words.errors import PathError
    from glasshouse.words.named_file import read_named

    try:
        body = read_named(path, MAX_FILE_BYTES)
    except OSError as error:
        raise PathError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(body) > MAX_FILE_BYTES:
        raise PathError(f"larger than {MAX_FILE_BYTES:,} bytes", where=str(path))
    return body


def signed(body: bytes, key_file: Path) -> tuple[str, str]:
    """Public key and signature of a person over some bytes, both base64 (Ed25519)."""
    from cryptography.hazmat.primitives import serialization

    from glasshouse.guard.signatures import read_key_file

    key = read_key_file(key_file)
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(public).decode(), base64.b64encode(key.sign(body)).decode()
