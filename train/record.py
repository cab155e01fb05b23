"""The record that a training leaves beside its weights: digests, rows by source and label, seed, time.

`glasshouse assess training FILE` takes it into the log; datasheets and forms are computed from it.  What was not
recorded when the weights were made stays empty here and is shown as missing there.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from glasshouse.dossier.evidence import Training
from glasshouse.words.digests import sha256_of

HERE = Path(__file__).resolve().parent
RECORDS = HERE / "records"


class Clocked(msgspec.Struct, frozen=True):
    """When and on what a training ran; empty for a record made of weights that were there already, with a remark."""

    started: dt.datetime | None = None
    seconds: float = 0.0
    hardware: str = ""
    remark: str = ""


def clocked(started: dt.datetime, seconds: float) -> Clocked:
    """The clock of a training that ran in this process."""
    return Clocked(
        started.replace(microsecond=0), round(seconds, 1), f"{os.cpu_count()} CPU cores, {platform.machine()}"
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a training script that concern its record."""
    parser.add_argument("--records", type=Path, default=RECORDS, help="folder of the training record")
    parser.add_argument("--record-only", action="store_true", help="write the record of the weights that are there")
    parser.add_argument("--remark", default="", help="with --record-only: what is known about how they were made")


def files_digest(files: Iterable[Path]) -> str:
    """One digest over several files, each by its name and its own digest, in the order of their names."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda each: each.name):
        whole.update(f"{file.name} {sha256_of(file.read_bytes())}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def by_source(rows: Iterable[tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
    """(source, licence) of every row as (source, licence, rows), by name."""
    return tuple((name, licence, count) for (name, licence), count in sorted(Counter(rows).items()))


def write_record(record: Training, clock: Clocked, folder: Path = RECORDS) -> Path:
    """Writes the record as JSON; where it lies."""
    folder.mkdir(exist_ok=True)
    place = folder / f"{record.model}.json"
    record = msgspec.structs.replace(record, started=clock.started, seconds=clock.seconds, hardware=clock.hardware)
    fields = {name: value for name, value in msgspec.to_builtins(record).items() if name != "entry"}
    if clock.remark:
        fields["settings"]["remark"] = clock.remark
    place.write_bytes(msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n")
    return place
