"""What a scan knows of the last one of the same paths: where it is kept, and what an edit since then changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from glasshouse.scan import ir, lowered
from glasshouse.scan.alignment import Alignment, aligned
from glasshouse.scan.cache import Cache
from glasshouse.scan.definitions import mentioned

if TYPE_CHECKING:
    from glasshouse.scan.moves import Record
    from glasshouse.scan.reuse import Earlier

MAX_EDITED = 50  # files; with more, everything is analysed


class Kept:
    """The cache as one scan uses it.  ``contents``: content keys by position; ``lowered``: files by content key."""

    most = MAX_EDITED

    def __init__(self, cache: Cache, chosen: bytes, key: bytes) -> None:
        self.cache = cache
        self.chosen = chosen
        self.contents: dict[int, bytes] = {}
        self.lowered: dict[bytes, bytes] = {}
        self._key = key
        self._earlier: Earlier | None = None

    @property
    def used(self) -> bool:
        """Whether what was known has been of use."""
        return self._earlier is not None and self._earlier.used

    def recall(self, positions: Sequence[int], files: Sequence[ir.File]) -> Earlier:
        """What is known from the last scan of the same files; ``positions`` are those of the files."""
        from glasshouse.scan.reuse import Earlier

        record = self._record()
        edits: dict[int, Alignment] | None = None
        elsewhere: set[tuple[int, str]] = set()
        if record is not None and [(file.path, file.language) for file in files] == [row[:2] for row in record.files]:
            keys = [self.contents.get(position) for position in positions]
            edited = [n for n, (row, key) in enumerate(zip(record.files, keys, strict=True)) if row[2] != key]
            edits = self._edits(record, edited, files) if len(edited) <= MAX_EDITED else None
            edits = edits if edits is not None and self._unnoticed(record, keys, edits) else None
            elsewhere = self._elsewhere(keys, edits) if edits is not None else set()
        state = self._state(record) if record is not None and edits is not None else b""
        self._earlier = Earlier(record, edits, state, elsewhere)
        return self._earlier

    def keep(self, positions: Sequence[int], files: Sequence[ir.File]) -> None:
        """Keep the outcome of the analysis, if something can be made of it the next time."""
        from glasshouse.scan.moves import Record

        earlier = self._earlier
        outcome = earlier.outcome if earlier is not None else None
        if earlier is None or outcome is None or any(position not in self.contents for position in positions):
            self.cache.delete_many("analysis", [self._key])
            return
        rows = [
            (file.path, file.language, self.contents[position], len(file.functions), len(file.classes))
            for position, file in zip(positions, files, strict=True)
        ]
        digest = blake2b(earlier.state, digest_size=16).digest() if earlier.state else b""
        record = Record(
            rows, outcome, digest, earlier.functions, earlier.spans, earlier.parts, earlier.defined, earlier.starred
        )
        self.cache.put_many("analysis", [(self._key, msgspec.msgpack.encode(record))])
        if earlier.renewed and digest:
            self.cache.put_many("modules", [(self._key, digest + earlier.state)])

    def _state(self, record: Record) -> bytes:
        """The state that belongs to a record; empty if there is none."""
        blob = self.cache.get_many("modules", [self._key]).get(self._key, b"")
        return blob[16:] if record.state and blob[:16] == record.state else b""

    def _record(self) -> Record | None:
        from glasshouse.scan.moves import Record

        blob = self.cache.get_many("analysis", [self._key]).get(self._key)
        try:
            return msgspec.msgpack.decode(blob, type=Record) if blob is not None else None
        except msgspec.MsgspecError:  # of another shape: as good as none
            return None

    def _unnoticed(self, record: Record, keys: Sequence[bytes | None], edits: dict[int, Alignment]) -> bool:
        """Whether code that stays as it is names no definition that has come or gone."""
        come = {name for edit in edits.values() for _, name in edit.come.values()}
        gone = {name for edit in edits.values() for _, name in edit.gone.values()}
        for names, contents in ((come, [row[2] for row in record.files]), (gone, keys)):
            if names and self._mentioned(names, contents):
                return False
        for file, name in record.starred:
            if self._mentioned([name], [keys[number] for number in edits if number != file]):
                return False
        return True

    def _elsewhere(self, keys: Sequence[bytes | None], edits: dict[int, Alignment]) -> set[tuple[int, str]]:
        """Files with names that have come or gone there, which the new code of other edited files holds."""
        found = {(file, name) for file, edit in edits.items() for _, name in (*edit.come.values(), *edit.gone.values())}
        return {
            (file, name)
            for file, name in found
            if self._mentioned([name], [keys[number] for number in edits if number != file])
        }

    def _mentioned(self, names: Iterable[str], contents: Iterable[bytes | None]) -> bool:
        """Whether one of some lowered files holds one of the names (yes, if a file is not known)."""
        blobs = [self.lowered.get(key or b"") for key in contents]
        known = [blob for blob in blobs if blob is not None]
        return len(known) < len(blobs) or mentioned(names, known)

    def _edits(self, record: Record, edited: Sequence[int], files: Sequence[ir.File]) -> dict[int, Alignment] | None:
        """How each edited file has changed; None if that of one is not known or not plain."""
        blobs = self.cache.get_many("lowered", [record.files[number][2] for number in edited])
        found = {}
        for number in edited:
            blob = blobs.get(record.files[number][2])
            old = lowered.decode_lazily(blob).file if blob is not None else None
            if blob is not None:
                self.lowered[record.files[number][2]] = blob
            edit = aligned(old, files[number]) if old is not None else None
            if edit is None:
                return None
            found[number] = edit
        return found
