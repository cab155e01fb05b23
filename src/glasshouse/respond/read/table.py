"""CSV with a head line: exports of SIEMs and of timeline tools."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from glasshouse.respond.read.interface import Chunk, Input
from glasshouse.respond.read.json_lines import BOM
from glasshouse.respond.read.lines import Faults, blocks, chunks
from glasshouse.respond.read.shapes import flat
from glasshouse.words.incident import NotRead

MAX_COLUMNS = 2_000
_DELIMITERS = ",;\t|"
_RENAMED = {"Event ID": "EventID", "EventId": "EventID", "Id": "EventID", "LogName": "Channel",
            "ProviderName": "Provider_Name", "Source": "Provider_Name", "MachineName": "Computer"}  # fmt: skip


class CsvReader:
    """Comma, semicolon, tab or bar separated values, told by the name or by a head line of plain names."""

    name = "csv"

    def recognises(self, head: bytes, name: str) -> bool:
        line = head.removeprefix(BOM).partition(b"\n")[0].decode("utf-8", "replace")
        names = line.split(_delimiter(line))
        return len(names) > 1 and (
            name.lower().removesuffix(".gz").removesuffix(".zst").endswith((".csv", ".tsv"))
            or all(each.strip(' "\r').replace("_", "").replace(" ", "").replace(".", "").isalnum() for each in names)
        )

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        faults = Faults(source.name, "damaged-lines", "rows with more columns than the head line")
        count = [0]
        yield from chunks(source, _rows(source, faults, count))
        yield from faults.told(count[0])


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _rows(source: Input, faults: Faults, count: list[int]) -> Iterator[tuple[dict[str, Any], int]]:
    lines = (line.decode("utf-8-sig", "replace").replace("\0", "") + "\n" for block in blocks(source) for line in block)
    first = next(lines, "")
    delimiter = _delimiter(first)
    names = next(csv.reader([first], delimiter=delimiter), [])[:MAX_COLUMNS]
    names = [_RENAMED.get(name.strip(), name.strip()) for name in names]
    csv.field_size_limit(min(source.limits.line_bytes, 2**31 - 1))
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            faults.note(rows.line_num + 1)
            continue
        if row is None:
            return
        if len(row) > len(names):
            faults.note(rows.line_num + 1)
        count[0] += 1
        event = {name: value for name, value in zip(names, row, strict=False) if value and name}
        if event:
            yield flat(event), sum(map(len, row))
