"""JSON logs: one object per line, arrays, ``{"Records": [...]}`` and objects that run over several lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.respond.read.interface import READ_BYTES, Chunk, Input
from glasshouse.respond.read.lines import CHUNK_BYTES, Faults, blocks, chunks
from glasshouse.respond.read.shapes import flat
from glasshouse.words.incident import NotRead

_WRAPPED = re.compile(r'\s*\{\s*"(?:Records|records|value|events|Events|items|logs|data)"\s*:\s*\[')
_OPEN = re.compile(r"\s*\[")
_BETWEEN = re.compile(r"[\s,]*")
BOM = b"\xef\xbb\xbf"


class JsonReader:
    """JSON in any of its log forms."""

    name = "json"

    def recognises(self, head: bytes, name: str) -> bool:
        del name
        return head.removeprefix(BOM).lstrip()[:1] in (b"{", b"[")

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        if _one_per_line(source.head):
            yield from _lines(source)
        else:
            yield from _values(source)


def _one_per_line(head: bytes) -> bool:
    """Whether the first line is an object of its own (or the only line is too long to tell and no wrapper)."""
    line, end, _ = head.removeprefix(BOM).lstrip().partition(b"\n")
    text = line.decode("utf-8", "replace")
    if _WRAPPED.match(text) or _OPEN.match(text):
        return False
    if not end:
        return line[:2] in (b'{"', b"{ ") and not _WRAPPED.match(text)
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, RecursionError):
        return line.rstrip() not in (b"{", b"") and line.rstrip().endswith(b"}")


def _lines(source: Input) -> Iterator[Chunk | NotRead]:
    decode = msgspec.json.Decoder().decode
    faults = Faults(source.name, "damaged-lines", "not JSON objects")
    first = number = 0
    for lines in blocks(source):
        events: list[dict[str, Any]] = []
        size = 0
        for line in lines:
            number += 1
            try:
                event = decode(line)
            except (msgspec.DecodeError, RecursionError):
                if line.strip():
                    again = _repaired(line)
                    if again is None:
                        faults.note(number)
                        continue
                    event = again
                else:
                    continue
            if type(event) is not dict:
                faults.note(number)
                continue
            size += len(line)
            events.append(flat(event))
        if events:
            yield Chunk(source.name, first, events, size)
            first += len(events)
    yield from faults.told(first)


def _repaired(line: bytes) -> dict[str, Any] | None:
    """A second try for lines with a byte order mark, invalid UTF-8 or lone surrogates; None when that fails too."""
    try:
        found = json.loads(line.removeprefix(BOM).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _values(source: Input) -> Iterator[Chunk | NotRead]:
    problems: list[NotRead] = []
    yield from chunks(source, _objects(source, problems))
    yield from problems


def _objects(source: Input, problems: list[NotRead]) -> Iterator[tuple[dict[str, Any], int]]:
    """The objects of an array or of a sequence, one at a time, so that a large array needs little memory."""
    decoder = json.JSONDecoder()
    text = codecs.getincrementaldecoder("utf-8-sig")("replace")
    buffer, at, ended, count, opened = "", 0, False, 0, False
    while True:
        if not opened and (found := _WRAPPED.match(buffer) or _OPEN.match(buffer)):
            at, opened = found.end(), True
        at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]
        try:
            value, end = decoder.raw_decode(buffer, at)
        except (ValueError, RecursionError):
            value, end = None, at
        if end > at and (end < len(buffer) or ended):
            opened = True
            for event in value if isinstance(value, list) else [value]:
                if isinstance(event, dict):
                    count += 1
                    yield flat(event), end - at
            at = end
            continue
        if opened and buffer[at : at + 1] == "]":
            return
        if ended:
            if buffer[at:].strip():
                problems.append(NotRead(source.name, "truncated", "the JSON text ends in the middle of a value", count))
            return
        if len(buffer) - at > source.limits.line_bytes:
            reason = f"a value is longer than {source.limits.line_bytes:,} bytes or damaged"
            problems.append(NotRead(source.name, "damaged", reason, count))
            return
        # read at least as much again as there is, so that a long value is tried few times
        data = source.stream.read(max(READ_BYTES, min(len(buffer) - at, CHUNK_BYTES)))
        ended = not data
        buffer, at = buffer[at:] + text.decode(data, final=ended), 0
