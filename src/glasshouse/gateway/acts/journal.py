"""Acts as files: how each stands, and its results, one a line.  Any process of the home can read them."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import msgspec

MAX_RESULTS = 1_000_000
KEPT_S = 7 * 86_400
_ID = re.compile(r"act-[0-9a-f]{24}")
State = Literal["running", "done", "withheld", "stopped", "failed", "interrupted"]


class ActRecord(msgspec.Struct, frozen=True):
    """How an act stands.  ``request`` and ``outcome`` are the indices of its entries in the log."""

    id: str
    capability: str
    engagement: str
    state: State
    results: int
    request: int
    outcome: int | None
    code: str
    message: str
    started_at: int
    ended_at: int | None


class Journal:
    """The acts of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def begin(self, record: ActRecord) -> Running:
        """A new act; hold on to what this returns for as long as it runs."""
        place = self._folder / record.id
        place.mkdir(mode=0o700)
        return Running(place, record)

    def find(self, name: str) -> ActRecord | None:
        """An act as it stands; one whose process died is interrupted."""
        if not _ID.fullmatch(name):
            return None
        try:
            record = msgspec.json.decode((self._folder / name / "state.json").read_bytes(), type=ActRecord)
            if record.state == "running" and not self._is_held(name):
                return msgspec.structs.replace(record, state="interrupted", code="act.interrupted")
        except (OSError, msgspec.DecodeError):
            return None
        return record

    def all(self, engagement: str) -> list[ActRecord]:
        """The acts of an engagement, newest first."""
        found = [self.find(each.name) for each in self._folder.iterdir()]
        mine = [each for each in found if each is not None and each.engagement == engagement]
        return sorted(mine, key=lambda each: (-each.started_at, each.id))

    def results(self, name: str, after: int, limit: int) -> list[bytes]:
        """Complete lines number ``after`` (from 0) and on, at most ``limit``."""
        found: list[bytes] = []
        with (self._folder / name / "results.ndjson").open("rb") as file:
            for number, line in enumerate(file):
                if len(found) == limit or not line.endswith(b"\n"):
                    break
                if number >= after:
                    found.append(line.rstrip(b"\n"))
        return found

    def forget(self, now: float) -> None:
        """Deletes acts that began long ago."""
        for place in list(self._folder.iterdir()):
            if now - place.stat().st_mtime > KEPT_S and not self._is_held(place.name):
                shutil.rmtree(place, ignore_errors=True)

    def _is_held(self, name: str) -> bool:
        with (self._folder / name / "results.ndjson").open("rb") as file:
            return not _try_lock(file)


class Running:
    """An act that this process runs; the lock on its results says that it does."""

    def __init__(self, place: Path, record: ActRecord) -> None:
        self._place, self.record = place, record
        self._file = (place / "results.ndjson").open("ab")
        _try_lock(self._file)
        self._write()

    def add(self, line: bytes) -> None:
        """One more result."""
        self._file.write(line + b"\n")
        self._file.flush()
        self.record = msgspec.structs.replace(self.record, results=self.record.results + 1)

    def end(self, state: State, outcome: int | None, code: str = "", message: str = "") -> None:
        """The act is over."""
        now = int(time.time())
        self.record = msgspec.structs.replace(
            self.record, state=state, outcome=outcome, code=code, message=message, ended_at=now
        )
        self._write()
        self._file.close()

    def _write(self) -> None:
        new = self._place / "state.new"
        new.write_bytes(msgspec.json.encode(self.record))
        os.replace(new, self._place / "state.json")


def new_id() -> str:
    """A name for an act that nobody can guess."""
    return f"act-{os.urandom(12).hex()}"


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def pages(lines: list[bytes]) -> Iterator[msgspec.Raw]:
    """Result lines as they go into an answer, unparsed."""
    return (msgspec.Raw(line) for line in lines)
