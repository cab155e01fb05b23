"""The fact store: an append-only SQLite table of dated claims, read as of a day.

Adding a fact again changes nothing, and no fact is ever changed: what was known on a day stays what it was.  Advisories
(which versions of which package are affected) lie in a table of their own, indexed by package.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from glasshouse.forecast.background import Listing
from glasshouse.forecast.facts import CVE_ID, AnyClaim, Day, Fact, Knowledge, Listed, known_on
from glasshouse.inventory.advisory import Advisory
from glasshouse.words.errors import ForecastStoreError

SCHEMA_VERSION = 1
BATCH = 5_000
Item = TypeVar("Item")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS fact (
  cve INTEGER NOT NULL, known_at INTEGER NOT NULL, source INTEGER NOT NULL, digest BLOB NOT NULL, claim BLOB NOT NULL,
  PRIMARY KEY (cve, known_at, source, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listing (cve INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS advisory (
  ecosystem TEXT NOT NULL, package TEXT NOT NULL, id TEXT NOT NULL, modified TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ecosystem, package, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS advisory_by_id ON advisory (id, modified);
CREATE TABLE IF NOT EXISTS file (
  kind TEXT NOT NULL, digest BLOB NOT NULL, name TEXT NOT NULL, imported_on INTEGER NOT NULL, facts INTEGER NOT NULL,
  PRIMARY KEY (kind, digest)) WITHOUT ROWID;
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnyClaim).decode
_decode_advisory = msgspec.msgpack.Decoder(Advisory).decode


class Feed(msgspec.Struct, frozen=True):
    """What one source has told so far: facts, and the first and last day on which they were known."""

    source: str
    facts: int
    first: Day
    last: Day


class AdvisoryCount(msgspec.Struct, frozen=True):
    """Advisories about an ecosystem: how many packages they name in all, and when the latest was modified."""

    count: int
    latest: str


class FactStore(AbstractContextManager["FactStore"]):
    """The facts in one SQLite file; ``:memory:`` for none."""

    def __init__(self, path: Path | str) -> None:
        try:
            if isinstance(path, Path):
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
            try:
                self._prepare(str(path))
            except BaseException:
                self._database.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise ForecastStoreError(f"cannot open the fact store: {error}", where=str(path)) from error
        self._sources: dict[str, int] = dict(self._rows("SELECT name, id FROM source"))
        self._names = {number: name for name, number in self._sources.items()}

    def _prepare(self, path: str) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise ForecastStoreError(f"fact store of version {version}, expected {SCHEMA_VERSION}", where=path)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database.close()

    # --- adding

    def add(self, facts: Iterable[Fact]) -> int:
        """Adds facts in batches, each one transaction; the number of those that were new."""
        return sum(self._add_batch(batch) for batch in _batches(facts))

    def _add_batch(self, facts: list[Fact]) -> int:
        rows, listings = [], []
        for fact in facts:
            number = cve_number(fact.cve)
            body = _encode(fact.claim)
            digest = hashlib.blake2b(body, digest_size=12).digest()
            rows.append((number, fact.known_at, self._source(fact.source), digest, body))
            if isinstance(fact.claim, Listed):
                listings.append((number,))
        with _transaction(self._database):
            before = self._database.total_changes
            self._database.executemany("INSERT OR IGNORE INTO fact VALUES (?, ?, ?, ?, ?)", rows)
            added = self._database.total_changes - before
            self._database.executemany("INSERT OR IGNORE INTO listing VALUES (?)", listings)
        return added

    def add_advisories(self, advisories: Iterable[Advisory]) -> int:
        """Adds advisories, or replaces them by a later modified version; how many rows changed.

        A package that a later version of an advisory does not name any more is not affected any more.
        """
        changed = 0
        for batch in _batches(advisories):
            rows = [(each.ecosystem, each.package, each.id, each.modified, _encode(each)) for each in batch]
            with _transaction(self._database):
                before = self._database.total_changes
                self._database.executemany(
                    "INSERT INTO advisory VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "modified = excluded.modified, body = excluded.body WHERE excluded.modified > advisory.modified "
                    "OR (excluded.modified = advisory.modified AND excluded.body <> advisory.body)",
                    rows,
                )
                latest = sorted({(each.id, each.modified) for each in batch})
                self._database.executemany("DELETE FROM advisory WHERE id = ? AND modified < ?", latest)
                changed += self._database.total_changes - before
        return changed

    def has_file(self, kind: str, digest: bytes) -> bool:
        """Whether a file with this content was imported before."""
        row = self._database.execute("SELECT 1 FROM file WHERE kind = ? AND digest = ?", (kind, digest)).fetchone()
        return row is not None

    def note_file(self, kind: str, digest: bytes, name: str, on: Day, facts: int) -> None:
        """Remembers an imported file, so that the next import passes over it."""
        self._database.execute("INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?, ?)", (kind, digest, name, on, facts))

    def _source(self, name: str) -> int:
        number = self._sources.get(name)
        if number is None:
            self._database.execute("INSERT OR IGNORE INTO source (name) VALUES (?)", (name,))
            number = self._database.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()[0]
            assert isinstance(number, int)
            self._sources[name] = number
            self._names[number] = name
        return number

    # --- reading, always as of a day

    def about(self, cve: str, day: Day) -> Knowledge | None:
        """What was known about one CVE on a day."""
        number = cve_number(cve)
        rows = self._rows(
            "SELECT known_at, source, claim FROM fact WHERE cve = ? AND known_at <= ? ORDER BY known_at", (number, day)
        )
        return known_on(cve, [self._fact(cve, row) for row in rows], day)

    def everything(self, day: Day) -> Iterator[Knowledge]:
        """What was known about every CVE on a day, in the order of the ids; one CVE in memory at a time."""
        rows = self._rows("SELECT cve, known_at, source, claim FROM fact WHERE known_at <= ? ORDER BY cve", (day,))
        for number, group in groupby(rows, key=lambda row: row[0]):
            cve = cve_name(number)
            known = known_on(cve, [self._fact(cve, row[1:]) for row in group], day)
            if known is not None:
                yield known

    def listings(self, day: Day) -> tuple[Listing, ...]:
        """Known-exploited listings as of a day, oldest first."""
        rows = self._rows(
            "SELECT fact.cve, known_at, source, claim FROM listing JOIN fact ON fact.cve = listing.cve "
            "WHERE known_at <= ? ORDER BY fact.cve, known_at",
            (day,),
        )
        found = []
        for number, group in groupby(rows, key=lambda row: row[0]):
            name = cve_name(number)
            known = known_on(name, [self._fact(name, row[1:]) for row in group], day)
            if known is not None and known.listed is not None and known.listed_on is not None:
                found.append(Listing(known.listed_on, known.listed.vendor, known.listed.product, known.cwes))
        return tuple(sorted(found, key=lambda each: each.day))

    def advisories_about(self, ecosystem: str, packages: Sequence[str]) -> Iterator[Advisory]:
        """Advisories about packages of an ecosystem, by their normalised names."""
        query = (
            "SELECT body FROM json_each(?) AS wanted CROSS JOIN advisory "
            "ON advisory.ecosystem = ? AND advisory.package = wanted.value"
        )
        for row in self._rows(query, (msgspec.json.encode(packages).decode(), ecosystem)):
            yield _decode_advisory(row[0])

    def ecosystems(self) -> frozenset[str]:
        """Ecosystems about which there is any advisory."""
        query = (  # steps from one to the next in the index, instead of going through every row
            "WITH RECURSIVE step(name) AS (SELECT min(ecosystem) FROM advisory UNION ALL SELECT (SELECT min(ecosystem) "
            "FROM advisory WHERE ecosystem > step.name) FROM step WHERE step.name IS NOT NULL) "
            "SELECT name FROM step WHERE name IS NOT NULL"
        )
        return frozenset(row[0] for row in self._rows(query))

    def advisory_counts(self) -> dict[str, AdvisoryCount]:
        """How many advisories there are about each ecosystem, withdrawn ones included, and how late the last one is."""
        query = "SELECT ecosystem, count(*), max(modified) FROM advisory GROUP BY ecosystem"
        return {row[0]: AdvisoryCount(row[1], row[2]) for row in self._rows(query)}

    def last_import(self, kind: str) -> Day | None:
        """The day of the last import of a kind of file."""
        found = self._database.execute("SELECT max(imported_on) FROM file WHERE kind = ?", (kind,)).fetchone()[0]
        return Day(found) if found is not None else None

    def ecosystem_of(self, names: Collection[str]) -> dict[str, str]:
        """Of these CVEs, the ecosystem whose packages they are about; the first by name where there are several."""
        found: dict[str, str] = {}
        wanted = frozenset(names)
        for ecosystem, body in self._rows("SELECT ecosystem, body FROM advisory ORDER BY ecosystem"):
            for name in wanted.intersection(_decode_advisory(body).cves):
                found.setdefault(name, ecosystem)
        return found

    def feeds(self, day: Day) -> tuple[Feed, ...]:
        """What each source had told by a day."""
        query = "SELECT source, count(*), min(known_at), max(known_at) FROM fact WHERE known_at <= ? GROUP BY source"
        found = [Feed(self._names[row[0]], row[1], row[2], row[3]) for row in self._rows(query, (day,))]
        return tuple(sorted(found, key=lambda feed: feed.source))

    def last_day(self) -> Day | None:
        """The latest day on which anything became known."""
        found = self._database.execute("SELECT max(known_at) FROM fact").fetchone()[0]
        return Day(found) if found is not None else None

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> Iterator[tuple]:  # type: ignore[type-arg]
        with closing(self._database.execute(query, values)) as cursor:
            yield from cursor

    def _fact(self, cve: str, row: tuple[int, int, bytes]) -> Fact:
        return Fact(cve, Day(row[0]), self._names[row[1]], _decode(row[2]))


def cve_number(cve: str) -> int:
    """The id as one number that sorts like the ids."""
    match = CVE_ID.fullmatch(cve)
    if match is None:
        raise ValueError(f"not a CVE id: {cve!r}")
    return int(match[1]) * 10**12 + int(match[2])


def cve_name(number: int) -> str:
    """The id of a number."""
    year, rest = divmod(number, 10**12)
    return f"CVE-{year:04d}-{rest:04d}"


class _transaction(AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
