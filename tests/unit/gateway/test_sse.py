"""Streams are cut into events without losing or changing a byte, however they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.gateway.dialect.interface import AnswerShapeError
from glasshouse.gateway.dialect.sse import Event, Splitter

LINES = st.sampled_from(
    ["data: x", "data:y", "data", "event: e", "event:", ": note", "id: 7", "", "data: é", "retry: 1"]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in chunks."""
    points = sorted({place % (len(stream) + 1) for place in places})
    return [stream[a:b] for a, b in zip([0, *points], [*points, len(stream)], strict=True) if a != b]


def events(chunks: list[bytes]) -> list[Event]:
    splitter = Splitter()
    found = [event for chunk in chunks for event in splitter.feed(chunk)]
    rest = splitter.flush()
    return [*found, rest] if rest is not None else found


def dispatched(stream: str) -> list[tuple[str, str]]:
    """What the standard dispatches, read line by line (WHATWG HTML, 9.2.6): the second opinion."""
    found: list[tuple[str, str]] = []
    name, data = "", list[str]()
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        field, _, value = line.partition(":")
        if not line:
            if data:
                found.append((name, "\n".join(data)))
            name, data = "", []
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            name = value.removeprefix(" ")
    if data:
        found.append((name, "\n".join(data)))  # some clients read an unfinished event
    return found


@given(st.lists(st.tuples(LINES, ENDS), max_size=25), st.lists(st.integers(0, 400), max_size=8))
def test_no_byte_is_lost_and_every_client_sees_what_was_screened(
    lines: list[tuple[str, str]], places: list[int]
) -> None:
    text = "".join(line + end for line, end in lines)
    stream = text.encode()
    found = events(cut(stream, places))
    assert b"".join(event.raw for event in found) == stream
    seen = [(event.name, event.data) for event in found if event.data]
    assert seen == [each for each in dispatched(text) if each[1]]


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=5))
def test_any_bytes_are_cut_or_refused(stream: bytes, places: list[int]) -> None:
    try:
        found = events(cut(stream, places))
    except AnswerShapeError:
        return
    assert b"".join(event.raw for event in found) == stream


def test_an_event_without_end_is_refused_at_the_limit() -> None:
    splitter = Splitter(max_event_bytes=100)
    with pytest.raises(AnswerShapeError, match="larger than 100"):
        list(splitter.feed(b"data: " + b"x" * 100))
