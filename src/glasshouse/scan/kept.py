"""What a scan knows of the last one of the same paths: where it is kept, and what an edit since then changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from glasshouse.scan import ir, lowered
from glasshouse.scan.alignment import Alignment, aligned
from glasshouse.scan.cache import Cache
from glasshouse.scan.definitions import mentioned, noticing

if TYPE_CHECKING:
    from glasshouse.scan.moves import Edited, Record
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
        edited: Edited | None = None
        if record is not None and [(file.path, file.language) for file in files] == [row[:2] for row in record.files]:
            keys = [self.contents.get(position) for position in positions]
            changed = [n for n, (row, key) in enumerate(zip(record.files, keys, strict=True)) if row[2] != key]
            edited = self._edited(record, changed, keys, files) if len(changed) <= MAX_EDITED else None
        state = self._state(record) if record is not None and edited is not None else b""
        self._earlier = Earlier(record, edited, state)
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

    def _edited(
        self, record: Record, changed: Sequence[int], keys: Sequence[bytes | None], files: Sequence[ir.File]
    ) -> Edited | None:
        """What was edited; None if that is not plain, or if more than functions may notice it."""
        from glasshouse.scan.moves import Edited

        old = self._old(record, changed)
        if len(old) < len(changed):
            return None
        edits = {}
        for number, file in old.items():
            edit = aligned(file, files[number])
            if edit is None:
                return None
            edits[number] = edit
        for place, name in record.starred:
            if self._mentioned([name], [keys[number] for number in edits if number != place]):
                return None
        found = self._noticing(record, keys, edits, old, files)
        return None if found is None else Edited(edits, found, self._elsewhere(keys, edits))

    def _old(self, record: Record, changed: Sequence[int]) -> dict[int, ir.File]:
        """Files as they were; without those that are not known any more."""
        blobs = self.cache.get_many("lowered", [record.files[number][2] for number in changed])
        self.lowered.update(blobs)
        found = {}
        for number in changed:
            blob = blobs.get(record.files[number][2])
            file = lowered.decode_lazily(blob).file if blob is not None else None
            if file is not None:
                found[number] = file
        return found

    def _noticing(
        self,
        record: Record,
        keys: Sequence[bytes | None],
        edits: dict[int, Alignment],
        old: dict[int, ir.File],
        files: Sequence[ir.File],
    ) -> set[tuple[int, int]] | None:
        """Functions that stay as they are and may notice what comes or goes; None if more than functions may."""
        come = {name for edit in edits.values() for name in edit.coming()}
        gone = {name for edit in edits.values() for name in edit.going()}
        found: set[tuple[int, int]] = set()
        for number, (row, key, file) in enumerate(zip(record.files, keys, files, strict=True)):
            own = number in edits or file.language != "python" or any(entry.local == "*" for entry in file.imports)
            if come and self._mentioned(come, [row[2]]):
                functions = noticing(old.get(number, file), come, own)
                if functions is None:
                    return None
                found.update((number, index) for index in functions)
            if gone and self._mentioned(gone, [key]):
                functions = noticing(file, gone, own)
                if functions is None:
                    return None
                edit = edits.get(number)
                before = {new: index for index, new in edit.same.items()} if edit is not None else None
                found.update(
                    (number, index if before is None else before[index])
                    for index in functions
                    if before is None or index in before
                )
        return found

    def _elsewhere(self, keys: Sequence[bytes | None], edits: dict[int, Alignment]) -> set[tuple[int, str]]:
        """Files with names that have come or gone there, which the new code of other edited files holds."""
        found = {(file, name) for file, edit in edits.items() for name in edit.coming() | edit.going()}
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
