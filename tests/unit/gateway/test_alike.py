"""An event that is read by comparing it with an earlier one says what it says when it is read in full."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glasshouse.gateway.dialect.alike import TRIES, Alike
from glasshouse.gateway.dialect.anthropic_messages import AnthropicMessages
from glasshouse.gateway.dialect.interface import Dialect, EventView, Piece
from glasshouse.gateway.dialect.openai_chat import OpenAIChat
from glasshouse.gateway.dialect.openai_responses import OpenAIResponses
from glasshouse.gateway.dialect.sse import parse_event

TEXTS = st.text('ab":,{}\\é\n\u2028', max_size=4) | st.sampled_from(["content", "index", "text_delta", "0", ","])


def chat(text: str, more: str) -> object:
    return {"id": more, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def tool(text: str, more: str) -> object:
    call = {"index": 0, "id": more, "function": {"arguments": text}}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


def block(text: str, more: str) -> object:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}, "note": more}


def output(text: str, more: str) -> object:
    return {"type": "response.output_text.delta", "item_id": more, "output_index": 0, "delta": text}


SHAPES = [(OpenAIChat(), chat), (OpenAIChat(), tool), (AnthropicMessages(), block), (OpenAIResponses(), output)]


def view(dialect: Dialect, raw: bytes) -> EventView:
    event = parse_event(raw, raw)
    return dialect.event(event.name, event.data)


@given(st.sampled_from(SHAPES), st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), st.booleans())
@example(SHAPES[0], [("a", "b"), ("b", "b"), ("c", "b"), ('"', "b"), ("\n", "b")], False)
@example(SHAPES[0], [("x", "x"), ("y", "x")], False)
def test_a_compared_event_says_what_it_says_in_full(
    shape: tuple[Dialect, object], texts: list[tuple[str, str]], escaped: bool
) -> None:
    dialect, build = shape
    alike, learnt = Alike(dialect), ""
    for text, more in texts:
        data = msgspec.json.encode(build(text, more))  # type: ignore[operator]
        if escaped:
            data = data.replace(b"a", b"\\u0061")
        raw = b"data: %b\n\n" % data
        full = view(dialect, raw)
        found = alike.text(raw)
        if found is not None:
            assert full == EventView((Piece(learnt, found),))
        elif len(full.pieces) == 1 and full.pieces[0].text and alike.learn(raw, full.pieces[0]):
            learnt = full.pieces[0].channel


@pytest.mark.parametrize("shape", SHAPES)
def test_the_next_delta_of_a_plain_stream_is_compared(shape: tuple[Dialect, object]) -> None:
    dialect, build = shape
    raws = [b"data: %b\n\n" % msgspec.json.encode(build(text, "m")) for text in ("One", " two")]  # type: ignore[operator]
    alike = Alike(dialect)
    assert alike.text(raws[0]) is None
    assert alike.learn(raws[0], view(dialect, raws[0]).pieces[0])
    assert alike.text(raws[1]) == " two"


def test_bytes_that_are_no_text_are_left_to_the_full_reading() -> None:
    alike, raw = Alike(OpenAIChat()), b"data: %b\n\n" % msgspec.json.encode(chat("One", "m"))
    assert alike.learn(raw, view(OpenAIChat(), raw).pieces[0])
    for literal in (b"\xff", b"\xed\xa0\x80", b"\t", b"\\", b'"', b""):
        assert alike.text(raw.replace(b"One", literal)) is None


def test_a_stream_whose_events_all_differ_is_soon_read_in_full_only() -> None:
    alike = Alike(OpenAIChat())
    raws = [b"data: %b\n\n" % msgspec.json.encode(chat("One", f"m{number}")) for number in range(TRIES + 1)]
    learnt = [alike.learn(raw, view(OpenAIChat(), raw).pieces[0]) for raw in raws]
    assert learnt == [*[True] * TRIES, False]
