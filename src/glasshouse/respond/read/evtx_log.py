"""Windows event log files (EVTX), through the ``evtx`` wheel; damaged records and chunks are counted, not fatal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.respond.read.interface import Chunk, Input
from glasshouse.respond.read.lines import chunks
from glasshouse.respond.read.shapes import flat
from glasshouse.words import display
from glasshouse.words.incident import NotRead

MAGIC = b"ElfFile\x00"
MAX_FAULTS = 10_000
CHUNK, CHUNK_AT = b"ElfChnk", 4_096
"""The first chunk follows the file head."""


class EvtxReader:
    """Binary Windows event logs."""

    name = "evtx"

    def recognises(self, head: bytes, name: str) -> bool:
        del name
        return head.startswith(MAGIC)

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        faults: list[str] = []
        counted = [0]
        yield from chunks(source, _events(source, faults, counted))
        if not counted[0] and not faults:
            empty = source.head[CHUNK_AT : CHUNK_AT + len(CHUNK)] == CHUNK
            code, reason = ("empty", "it holds no record") if empty else ("damaged", "no record could be read")
            yield NotRead(source.name, code, reason)
        if faults:
            what = display.counted(len(faults), "damaged record or chunk", "damaged records or chunks")
            reason = f"{what}; the first: {faults[0][:200]}"
            yield NotRead(source.name, "damaged", reason, counted[0])


def _events(source: Input, faults: list[str], counted: list[int]) -> Iterator[tuple[dict[str, Any], int]]:
    from evtx import PyEvtxParser

    try:
        records = iter(PyEvtxParser(source.stream, number_of_threads=1).records_json())
    except (RuntimeError, OSError, ValueError) as error:
        faults.append(" ".join(str(error).split()))
        return
    decode = msgspec.json.Decoder().decode
    while len(faults) < MAX_FAULTS:
        try:
            record = next(records, None)
            if record is None:
                return
            event = decode(record["data"])
        except (RuntimeError, OSError, ValueError, msgspec.DecodeError) as error:
            faults.append(" ".join(str(error).split()))
            continue
        counted[0] += 1
        yield flat(event), len(record["data"])
