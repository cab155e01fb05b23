"""The rpm database in its SQLite form (rpm 4.16 and later), read from its bytes; the older forms are refused by name.

A header holds an index of 16-byte entries (tag, type, offset, count; big-endian) and the data they point into.  Tags
and types: rpm's ``rpmtag.h`` and ``header.c``.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing

from glasshouse.inventory.component import Component, Entry, LeftOut
from glasshouse.inventory.document import Document
from glasshouse.inventory.packages import ecosystem_of

MAX_PACKAGES = 100_000
MAX_ENTRIES = 65_536
MAX_HEADER_BYTES = 64 << 20
MAX_STEPS = 5_000
"""Thousands of steps of SQLite's machine before a hostile database is given up."""
_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_STRING_TYPES = (6, 8, 9)  # string, array of strings, translated string
_INT32 = 4
_WRITE_AHEAD = b"\x02\x02"
_OLD = {"Packages": "Berkeley DB", "Packages.db": "NDB"}


def rpm(document: Document) -> Iterator[Entry | LeftOut]:
    """rpmdb.sqlite."""
    if not document.content.startswith(b"SQLite format 3\0"):
        raise ValueError("not a SQLite file")
    if document.sibling("rpmdb.sqlite-wal"):
        yield LeftOut("rpmdb.sqlite-wal", "changes that were not merged into the database are not read")
    ecosystem = ecosystem_of(document, "redhat", "Red Hat")
    try:
        for number, blob in _headers(document.content):
            yield _entry(ecosystem, number, blob)
    except sqlite3.Error as error:
        raise ValueError(f"damaged database: {error}") from error


def old_rpm(document: Document) -> Iterator[Entry | LeftOut]:
    """The forms that cannot be read."""
    kind = _OLD.get(document.name, "unknown")
    hint = "give the output of `rpm -qa` as a file *rpm.txt"
    raise ValueError(f"an rpm database in {kind} form, which is not read; {hint}")


def _headers(content: bytes) -> Iterator[tuple[int, bytes]]:
    # The mark for write-ahead logging is taken out: a database in memory has no log beside it.
    plain = content[:18] + b"\x01\x01" + content[20:] if content[18:20] == _WRITE_AHEAD else content
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(plain)
        database.execute("PRAGMA trusted_schema = OFF")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_HEADER_BYTES)
        steps = iter(range(MAX_STEPS))
        database.set_progress_handler(lambda: next(steps, -1) == -1, 1_000)
        query = "SELECT hnum, blob FROM Packages ORDER BY hnum LIMIT ?"
        for number, blob in database.execute(query, (MAX_PACKAGES,)):
            yield int(number), blob if isinstance(blob, bytes) else b""


def _entry(ecosystem: str, number: int, blob: bytes) -> Entry | LeftOut:
    try:
        fields = _fields(blob)
    except (struct.error, ValueError, IndexError) as error:
        return LeftOut(f"package {number}", f"damaged header: {error}")
    name, version, release = (fields.get(tag, "") for tag in (_NAME, _VERSION, _RELEASE))
    if not name or not version:
        return LeftOut(name or f"package {number}", "no name and version")
    epoch = fields.get(_EPOCH, "")
    full = f"{epoch}:" if epoch not in ("", "0") else ""
    return Entry(Component(ecosystem, name, f"{full}{version}-{release}" if release else f"{full}{version}"))


def _fields(blob: bytes) -> dict[int, str]:
    if len(blob) < 8 or len(blob) > MAX_HEADER_BYTES:
        raise ValueError("size")
    count, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * count
    if count > MAX_ENTRIES or start + size > len(blob):
        raise ValueError("index larger than the header")
    found: dict[int, str] = {}
    for number in range(count):
        tag, kind, offset, values = struct.unpack_from(">IIII", blob, 8 + 16 * number)
        if tag not in (_NAME, _VERSION, _RELEASE, _EPOCH) or tag in found or not values:
            continue
        if kind in _STRING_TYPES:
            end = blob.index(b"\0", start + offset)
            found[tag] = blob[start + offset : end].decode("utf-8", "replace")[:300]
        elif kind == _INT32:
            found[tag] = str(struct.unpack_from(">I", blob, start + offset)[0])
    return found
