"""Server-sent events cut out of a byte stream, each with exactly the bytes it arrived in (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re

import msgspec

from glasshouse.gateway.dialect.interface import AnswerShapeError

MAX_EVENT_BYTES = 8_388_608
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLANK = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_MARK = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True):
    """One event: its raw bytes with the blank line that ends it, its name (empty: none given) and its data.

    Comments and events without data have empty ``data``; clients dispatch nothing for them.
    """

    raw: bytes
    name: str
    data: str


class Splitter:
    """Feed chunks, get complete events; ``flush`` gives what is left at the end of the stream."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._buffer = b""
        self._first = True
        self._max = max_event_bytes

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that ``chunk`` completes; `AnswerShapeError` for one that is too large or not UTF-8."""
        return [self.read(raw) for raw in self.cut(chunk)]

    def cut(self, chunk: bytes) -> list[bytes]:
        """The same as bytes, to be handed to `read` in this order."""
        buffer = self._buffer + chunk if self._buffer else chunk
        if b"\r" in buffer:
            start, found = 0, list[bytes]()
            while match := _BLANK.search(buffer, start):
                if match.end() == len(buffer) and buffer.endswith(b"\r"):
                    break  # a line feed may follow, and belongs to this line end
                found.append(buffer[start : match.end()])
                start = match.end()
            self._buffer = buffer[start:]
        else:
            *whole, self._buffer = buffer.split(b"\n\n")
            found = [each + b"\n\n" for each in whole]
        if len(self._buffer) > self._max:
            raise AnswerShapeError(f"an event is larger than {self._max} bytes")
        return found

    def read(self, raw: bytes) -> Event:
        """The event in its bytes."""
        if self._first or len(raw) > self._max or raw[:5] != b"data:" or b"\n" in raw[:-2] or b"\r" in raw:
            return self._event(raw)
        return _plain(raw)  # one line of data: nearly all events

    def flush(self) -> Event | None:
        """The unfinished event at the end of the stream, if any: the standard drops it, but some clients read it."""
        raw, self._buffer = self._buffer, b""
        return self._event(raw) if raw else None

    def _event(self, raw: bytes) -> Event:
        if len(raw) > self._max:
            raise AnswerShapeError(f"an event is larger than {self._max} bytes")
        text = raw
        if self._first:
            self._first = False
            text = raw.removeprefix(_MARK)
        return parse_event(raw, text)


def _plain(raw: bytes) -> Event:
    """An event that is one line of data without a carriage return."""
    try:
        data = raw[5:-2].decode()
    except UnicodeDecodeError:
        raise AnswerShapeError("an event is not UTF-8") from None
    return Event(raw, "", data[1:] if data[:1] == " " else data)


def parse_event(raw: bytes, text: bytes) -> Event:
    """Reads the fields of one event; the rules are the standard's, not a shortcut, so that no client reads another."""
    name = ""
    data: list[str] = []
    try:
        for line in _LINE_END.split(text) if b"\r" in text else text.split(b"\n"):
            if line.startswith(b"data:"):
                data.append(line[5:].decode().removeprefix(" "))
            elif line.startswith(b"event:"):
                name = line[6:].decode().removeprefix(" ")
            elif line == b"data":
                data.append("")
            elif line == b"event":
                name = ""
    except UnicodeDecodeError:
        raise AnswerShapeError("an event is not UTF-8") from None
    return Event(raw, name, "\n".join(data))
