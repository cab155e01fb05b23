"""The ledger's own events as input of a response: every entry with its OCSF event, its kind, key and counter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from glasshouse.words.display import counted

if TYPE_CHECKING:
    from glasshouse.ledger import LogReader
    from glasshouse.respond.read.interface import Chunk
    from glasshouse.words.incident import NotRead

PAGE = 1_000
PAYLOAD = "event"


def ledger_events(directory: Path) -> Iterator[Chunk | NotRead]:
    """The entries in order; the number of an event is the index of its entry, so detections cite entries.

    ``entry.gap`` is true where the counter of a key does not follow on its previous entry.
    """
    from glasshouse.ledger import Ledger
    from glasshouse.respond.engine.route import SourceTag
    from glasshouse.respond.read.interface import Chunk
    from glasshouse.words.incident import NotRead

    tag = SourceTag("glasshouse", "gateway", ("ocsf",))
    counts: dict[str, int] = {}
    erased = 0
    reader = Ledger.read(directory)
    try:
        first, events = 0, []
        for index, entry in reader.entries():
            body: dict[str, Any] = {}
            if any(each.name == PAYLOAD for each in entry.payloads):
                found = _event(reader, index)
                erased += found is None
                body = found or {}
            gap = entry.key in counts and entry.count != counts[entry.key] + 1
            counts[entry.key] = entry.count
            body.setdefault("time", entry.time)
            body["entry"] = {"index": index, "kind": entry.kind, "key": entry.key, "count": entry.count, "gap": gap}
            events.append(body)
            if len(events) == PAGE:
                yield Chunk(str(directory), first, events, PAGE * 1_000, tag)
                first, events = index + 1, []
        if events:
            yield Chunk(str(directory), first, events, len(events) * 1_000, tag)
        if erased:
            these = counted(erased, "entry", "entries")
            reason = f"events were erased, or their keys are gone, of {these}; only the entries were read"
            yield NotRead(str(directory), "erased", reason, sum(counts.values()))
    finally:
        reader.close()


def _event(reader: LogReader, index: int) -> dict[str, Any] | None:
    from glasshouse.words.errors import ErasedError, LedgerKeyError

    try:
        found = msgspec.json.decode(reader.payload(index, PAYLOAD))
    except (ErasedError, LedgerKeyError, msgspec.DecodeError):
        return None
    return found if isinstance(found, dict) else None
