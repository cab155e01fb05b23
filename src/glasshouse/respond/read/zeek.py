"""Zeek logs with tabs; Zeek's JSON is read as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.read.interface import Chunk, Input
from glasshouse.respond.read.lines import Faults, blocks, chunks
from glasshouse.words.incident import NotRead

MAX_COLUMNS = 512
_WEB = {
    "method": "cs-method",
    "uri": "c-uri",
    "host": "cs-host",
    "user_agent": "c-useragent",
    "status_code": "sc-status",
    "referrer": "cs-referer",
}


class ZeekReader:
    """Logs that start with ``#separator``."""

    name = "zeek"

    def recognises(self, head: bytes, name: str) -> bool:
        del name
        return head.startswith(b"#separator")

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        faults = Faults(source.name, "damaged-lines", "rows with another number of columns than the head says")
        path = _header(source.head).get("path", "")
        tag = SourceTag("zeek", path, ("proxy", "webserver") if path == "http" else (path,))
        count = [0]
        yield from chunks(source, _rows(source, faults, count), tag)
        yield from faults.told(count[0])


def _header(head: bytes) -> dict[str, str]:
    found = {}
    for line in head.split(b"\n")[:20]:
        if line.startswith(b"#"):
            name, _, value = line[1:].decode("utf-8", "replace").replace(" ", "\t", 1).partition("\t")
            found[name] = value.strip("\r")
    return found


def _rows(source: Input, faults: Faults, count: list[int]) -> Iterator[tuple[dict[str, Any], int]]:
    names: list[str] = []
    separator, empty, unset, number = "\t", "(empty)", "-", 0
    for lines in blocks(source):
        for line in lines:
            number += 1
            text = line.decode("utf-8", "replace").rstrip("\r")
            if text.startswith("#"):
                key, _, value = text[1:].partition(" " if text.startswith("#separator") else separator)
                match key:
                    case "separator":
                        separator = value.encode().decode("unicode_escape", "replace") or "\t"
                    case "fields":
                        names = value.split(separator)[:MAX_COLUMNS]
                    case "empty_field":
                        empty = value
                    case "unset_field":
                        unset = value
                continue
            values = text.split(separator)
            if not text or len(values) != len(names):
                if text:
                    faults.note(number)
                continue
            event: dict[str, Any] = {
                name: value for name, value in zip(names, values, strict=True) if value not in (unset, empty)
            }
            for zeek, sigma in _WEB.items():
                if zeek in event:
                    event.setdefault(sigma, event[zeek])
            count[0] += 1
            yield event, len(line)
