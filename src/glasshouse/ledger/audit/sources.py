"""Where a log is read from: its published files, or the database of a live log."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from glasshouse.ledger.audit.entries import Story, ciphertexts
from glasshouse.ledger.audit.notes import MAX_NOTE_BYTES
from glasshouse.ledger.audit.proofs import TILE, Fault, perfect_root

MAX_ENTRY_BYTES = 65_535
MAX_PAYLOADS = 16  # of one entry: payload p of entry i has the row 16 i + p
WRAPPED_BYTES = 60  # of a payload's key, in front of its ciphertext
STORE_FORMAT = 1


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def read_bounded(path: Path, limit: int) -> bytes:
    """A regular file's bytes; refuses more than ``limit``, and a FIFO or device, which could keep us waiting."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Fault("is a FIFO, device or socket and no regular file", where=str(path))
            data = file.read(limit + 1)
    except OSError as error:
        raise Fault(f"cannot be read ({error.strerror})", where=str(path)) from None
    if len(data) > limit:
        raise Fault(f"has more than {limit} bytes", where=str(path))
    return data


def tile_path(level: int | str, number: int, width: int = TILE) -> str:
    """The path of a tile, or of an entry bundle with level ``entries``: C2SP tlog-tiles."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    partial = f".p/{width}" if width < TILE else ""
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def split_bundle(data: bytes, *, where: str, first: int) -> list[bytes]:
    """The entries of a bundle: each a 16-bit length and so many bytes."""
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big") if start <= end else end + 1
        if position > end:
            raise Fault("the bundle ends inside this entry", where=where, index=first + len(entries))
        entries.append(data[start:position])
    return entries


class Source(Protocol):
    """A place that holds a log."""

    where: str
    every_log_key: bool

    def checkpoint(self) -> bytes:
        """The signed note over everything that follows."""

    def earlier(self) -> bytes | None:
        """Another signed note that is kept, over a part of it."""

    def close(self) -> None:
        """Lets go of what is open."""

    def bundle(self, number: int, width: int) -> list[bytes]:
        """Entries from ``256 * number`` on."""

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """The stored hashes of a tile, or None where this place stores no such tile."""

    def check_payloads(self, first: int, commitments: list[bytes], story: Story) -> None:
        """Checks the payloads kept for the entries from ``first`` on."""

    def finish(self, size: int, root: bytes, story: Story) -> None:
        """Checks what else is stored against what the entries say."""


class PublishedFiles:
    """A published log: ``checkpoint`` and ``tile/``."""

    every_log_key = True

    def __init__(self, directory: Path) -> None:
        self.directory, self.where = directory, str(directory / "checkpoint")

    def checkpoint(self) -> bytes:
        """The file ``checkpoint``."""
        return read_bounded(self.directory / "checkpoint", MAX_NOTE_BYTES)

    def earlier(self) -> bytes | None:
        """Nothing: only the newest checkpoint is published."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The entries of one bundle file; a full one serves where the partial one was deleted."""
        path = self._existing("entries", number, width)
        data = read_bounded(path, TILE * (MAX_ENTRY_BYTES + 2))
        return split_bundle(data, where=str(path), first=number * TILE)[:width]

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """The hashes of one tile file."""
        return read_bounded(self._existing(level, number, width), TILE * 32)[: 32 * width]

    def _existing(self, level: int | str, number: int, width: int) -> Path:
        path = self.directory / tile_path(level, number, width)
        full = self.directory / tile_path(level, number)
        return full if width < TILE and not path.exists() and full.exists() else path

    def check_payloads(self, first: int, commitments: list[bytes], story: Story) -> None:
        """Payloads are never published."""

    def finish(self, size: int, root: bytes, story: Story) -> None:
        """A published log holds nothing else."""


class Database:
    """The database of a live log, read in one transaction: entries, tiles, payloads, and what is derived from them."""

    every_log_key = False

    def __init__(self, file: Path) -> None:
        import sqlite3

        self.where = str(file)
        if not file.is_file():
            raise Fault("there is no such file", where=self.where)
        self.error = (sqlite3.Error, UnicodeError)  # a message may quote a damaged name, which is then no text
        self.connection = self._connect(file)
        try:
            self._execute("BEGIN")
            (version,) = self._row("PRAGMA user_version")
            if version != STORE_FORMAT:
                raise Fault(f"has format {version}; this verifier reads format {STORE_FORMAT}", where=self.where)
            state = self._row("SELECT size, root, time, latest, cosigned FROM state")
        except Fault:
            self.close()
            raise
        self.size, self.root, self.time, self.latest, self.cosigned = state

    def _connect(self, file: Path) -> Any:
        import sqlite3

        wal = file.with_name(f"{file.name}-wal")
        for mode in ("mode=ro", "mode=ro&immutable=1"):  # the second for a medium that nobody can write to
            connection = sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                return connection
            except sqlite3.OperationalError as error:
                connection.close()
                if "immutable" in mode or (wal.exists() and wal.stat().st_size):
                    raise Fault(f"the database cannot be read ({error})", where=self.where) from None
            except self.error as error:
                connection.close()
                raise Fault(f"the database is damaged ({error})", where=self.where) from None
        raise AssertionError

    def close(self) -> None:
        """Lets go of the file."""
        self.connection.close()

    def _execute(self, statement: str, *values: Any) -> Any:
        try:
            return self.connection.execute(statement, values)
        except self.error as error:
            raise Fault(f"the database is damaged ({error})", where=self.where) from None

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        try:
            return self._execute(statement, *values).fetchall()  # type: ignore[no-any-return]
        except self.error as error:
            raise Fault(f"the database is damaged ({error})", where=self.where) from None

    def _stream(self, statement: str) -> Iterator[Any]:
        cursor = self._execute(statement)
        try:
            yield from cursor
        except self.error as error:
            raise Fault(f"the database is damaged ({error})", where=self.where) from None

    def _row(self, statement: str, *values: Any) -> Any:
        rows = self._rows(statement, *values)
        if len(rows) != 1:
            raise Fault(f"{len(rows)} rows where there must be one: {statement}", where=self.where)
        return rows[0]

    def checkpoint(self) -> bytes:
        """The latest checkpoint."""
        return str(self.latest).encode()

    def earlier(self) -> bytes | None:
        """The latest checkpoint that the witnesses cosigned."""
        return None if self.cosigned is None else str(self.cosigned).encode()

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The entries in rows ``256 * number`` and up; a gap names the first index that is missing."""
        first = number * TILE
        rows = self._rows("SELECT idx, body FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", first, first + width)
        bodies = [body for _, body in rows]
        if len(bodies) == width and rows[-1][0] == first + width - 1 and set(map(type, bodies)) == {bytes}:
            return bodies
        entries: list[bytes] = []
        for index, body in rows:
            if index != first + len(entries) or not isinstance(body, bytes):
                break
            entries.append(body)
        return entries

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """The hashes of a full tile; the database stores no partial ones."""
        if width < TILE:
            return None
        root, hashes = self._row("SELECT root, hashes FROM tile WHERE id = ?", level << 48 | number)
        if not isinstance(hashes, bytes) or len(hashes) != TILE * 32:
            raise Fault(f"tile {level}/{number} is not 256 hashes", where=self.where, index=number * TILE)
        if root != perfect_root([hashes[at : at + 32] for at in range(0, len(hashes), 32)]):
            raise Fault(f"the root stored for tile {level}/{number} is wrong", where=self.where)
        return hashes

    def check_payloads(self, first: int, commitments: list[bytes], story: Story) -> None:
        """Each payload is there with the hash its entry states, or is erased under an entry that says so."""
        last = (first + len(commitments)) * MAX_PAYLOADS
        rows = self._rows("SELECT id, sealed FROM payload WHERE id >= ? AND id < ?", first * MAX_PAYLOADS, last)
        stored: dict[int, Any] = dict(rows)
        for index, text in enumerate(commitments, start=first):
            if not text:
                continue
            for position, expected in enumerate(ciphertexts(text)):
                sealed = stored.pop(index * MAX_PAYLOADS + position, None)
                self._check_payload(index, position, expected, sealed)
        if stored:
            raise Fault("a payload is stored that no entry names", where=self.where, index=min(stored) // MAX_PAYLOADS)

    def _check_payload(self, index: int, position: int, expected: bytes, sealed: Any) -> None:
        if not isinstance(sealed, bytes):
            raise Fault(f"payload {position} is missing", where=self.where, index=index)
        by = list(self._rows("SELECT entry FROM erased WHERE idx = ?", index))
        if by:
            if any(sealed):
                raise Fault(f"payload {position} is still stored though entry {by[0][0]} erased it", index=index)
        elif hashlib.sha256(sealed[WRAPPED_BYTES:]).digest() != expected:
            raise Fault(f"payload {position} is not the one that the entry commits to", where=self.where, index=index)

    def finish(self, size: int, root: bytes, story: Story) -> None:
        """The state, and every table derived from the entries, is what the entries give."""
        if (self.size, self.root) != (size, root) or self.time != story.time:
            raise Fault("the signer's state is not the one in the checkpoint", where=self.where)
        extra = list(self._rows("SELECT idx FROM entry WHERE idx < 0 OR idx >= ? LIMIT 1", size))
        if extra:
            raise Fault("an entry is stored that the checkpoint does not cover", where=self.where, index=extra[0][0])
        for table, expected in (("erased", story.erased), ("held", story.held)):
            if dict(self._rows(f"SELECT idx, entry FROM {table}")) != expected:  # noqa: S608 - two fixed names
                raise Fault(f"the table `{table}` is not what the entries say", where=self.where)
        if {row[0] for row in self._rows("SELECT idx FROM opened")} != story.opened:
            raise Fault("the table `opened` is not what the entries say", where=self.where)
        number = 0
        for key, count, previous in self._stream("SELECT key, count, previous FROM chain"):
            number += 1
            if not isinstance(key, str) or story.keys.get(key.encode()) != (count, previous):
                raise Fault(f"the table `chain` is wrong for key {key!r}", where=self.where)
        if number != story.keys.number:
            raise Fault(f"the table `chain` has {number} keys, the entries have {story.keys.number}", where=self.where)
        tiles = sum(size >> 8 * level for level in range(1, 8))
        if self._row("SELECT count(*) FROM tile")[0] != tiles:
            raise Fault(f"the table `tile` must have {tiles} rows", where=self.where)
