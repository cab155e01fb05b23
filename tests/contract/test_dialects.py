"""One contract for every dialect: all text is found, usage is read, errors have the dialect's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.product.gateway import conversations as said
from tests.product.gateway.world import ASKS, STREAMED, ask

from glasshouse.gateway.dialect.interface import (
    STATUS,
    AnswerShapeError,
    ErrorKind,
    EventView,
    RequestShapeError,
)
from glasshouse.gateway.dialect.registry import ROUTES
from glasshouse.gateway.dialect.sse import Splitter
from glasshouse.gateway.dialect.strict_json import decode_object

DIALECTS = {path: route.dialect for path, route in ROUTES.items()}
GENERATING = [path for path, dialect in DIALECTS.items() if dialect.generates]
KINDS: tuple[ErrorKind, ...] = tuple(STATUS)
TEXT = "The quick brown fox jumps over the lazy dog."
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: len(text.split()) > 0
)


KEYS = "type delta choices index usage error response content message text".split()
EVENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def read(path: str, body: dict[str, Any]) -> Any:
    return DIALECTS[path].read(decode_object(json.dumps(body).encode()))


def views(path: str, events: list[bytes]) -> list[EventView]:
    splitter = Splitter()
    cut = [event for chunk in events for event in splitter.feed(chunk)]
    return [DIALECTS[path].event(event.name, event.data) for event in cut if event.data]


def streamed(path: str, text: str) -> list[bytes]:
    if path == "/v1/messages":
        return said.anthropic_stream("m", text)
    if path == "/v1/responses":
        return said.response_stream("m", text)
    return said.chat_stream("m", text, usage=True)


def answered(path: str, text: str) -> dict[str, Any]:
    if path == "/v1/messages":
        return said.anthropic_message("m", text)
    if path == "/v1/responses":
        return said.response("m", text)
    return said.chat_completion("m", text)


@pytest.mark.parametrize("path", list(DIALECTS))
def test_a_plain_request_is_read(path: str) -> None:
    call = read(path, ask(path))
    assert call.model == "echo"
    assert [each.text for each in call.segments if each.role == "user"] == ["What is a firewall?"]
    assert not call.stream
    assert call.upstream_state == ()


@pytest.mark.parametrize("path", list(DIALECTS))
@settings(max_examples=20)
@given(word=WORDS, where=st.lists(st.sampled_from(["a", "metadata", "tools", "content"]), min_size=1, max_size=4))
def test_text_in_a_field_that_nobody_knows_is_found_too(path: str, word: str, where: list[str]) -> None:
    hidden: Any = word
    for key in where:
        hidden = {key: [hidden]}
    call = read(path, ask(path) | {"x_unheard_of": hidden})
    assert word in [each.text for each in call.segments]


@pytest.mark.parametrize("path", list(DIALECTS))
def test_a_name_too_long_to_be_one_is_read_as_text(path: str) -> None:
    long = "how to attack " * 40
    assert long in [each.text for each in read(path, ask(path, user=long)).segments]


@pytest.mark.parametrize("path", list(DIALECTS))
@pytest.mark.parametrize("model", [None, "", 7, "a b", "é", "x" * 201, "a\u202eb", "a\nb"])
def test_a_model_needs_a_plain_name(path: str, model: Any) -> None:
    with pytest.raises(RequestShapeError, match="model"):
        read(path, ask(path) | {"model": model})


@pytest.mark.parametrize("path", STREAMED)
@pytest.mark.parametrize("stream", ["true", 1, []])
def test_whether_to_stream_is_true_or_false(path: str, stream: Any) -> None:
    with pytest.raises(RequestShapeError, match="stream"):
        read(path, ask(path, stream=stream))


@pytest.mark.parametrize("path", GENERATING)
@settings(max_examples=20)
@given(text=WORDS)
def test_the_pieces_of_a_stream_are_the_text_of_its_answer(path: str, text: str) -> None:
    seen = views(path, streamed(path, text))
    pieces = [piece for view in seen for piece in view.pieces if not piece.whole]
    assert "".join(piece.text for piece in pieces) == text
    assert len({piece.channel for piece in pieces if piece.text}) == 1
    assert any(view.last for view in seen)
    whole = DIALECTS[path].answer(answered(path, text))
    assert text in [piece.text for piece in whole.pieces]


@pytest.mark.parametrize("path", GENERATING)
def test_usage_of_stream_and_answer_is_what_the_upstream_says(path: str) -> None:
    expected = {"/v1/messages": (25, 15), "/v1/chat/completions": (19, 10), "/v1/responses": (36, 87)}[path]
    whole = DIALECTS[path].answer(answered(path, TEXT)).usage
    assert whole is not None
    assert (whole.input, whole.output) == expected
    total = None
    for view in views(path, streamed(path, TEXT)):
        if view.usage is not None:
            total = view.usage if total is None else total.later(view.usage)
    assert total is not None
    assert (total.input, total.output) == expected


@pytest.mark.parametrize("path", GENERATING)
@settings(max_examples=25)
@given(data=st.text(max_size=40) | EVENTS.map(json.dumps))
def test_any_event_is_read_or_refused_but_never_breaks_the_reader(path: str, data: str) -> None:
    try:
        view = DIALECTS[path].event("message", data)
    except AnswerShapeError:
        return
    assert all(isinstance(piece.text, str) for piece in view.pieces)


@pytest.mark.parametrize("path", list(DIALECTS))
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_has_the_shape_of_the_dialect(path: str, kind: ErrorKind) -> None:
    body = json.loads(DIALECTS[path].error(kind, "No.", "some.code", "req_1"))
    error = body["error"]
    assert "No." in error["message"]
    if path.startswith("/v1/messages"):
        assert body["type"] == "error"
        assert body["request_id"] == "req_1"
        assert "some.code" in error["message"]
    else:
        assert error["code"] == "some.code"
        assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", GENERATING)
def test_an_error_in_a_stream_is_one_event_that_the_dialect_reads_as_failure(path: str) -> None:
    event = DIALECTS[path].error_event("stopped", "No.", "some.code", "req_1")
    assert [view.failed for view in views(path, [event])] == [True]


@pytest.mark.parametrize(
    ("path", "body", "state"),
    [
        ("/v1/responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("/v1/responses", {"conversation": "conv_1"}, "conversation"),
        ("/v1/responses", {"prompt": {"id": "pmpt_1"}}, "prompt"),
        ("/v1/messages", {"container": "c_1"}, "container"),
        (
            "/v1/responses",
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
            "file_id",
        ),
    ],
)
def test_references_to_state_held_upstream_are_named(path: str, body: dict[str, Any], state: str) -> None:
    assert state in read(path, ask(path) | body).upstream_state


def test_an_answer_in_the_background_is_refused_because_nobody_would_screen_it() -> None:
    with pytest.raises(RequestShapeError, match="background"):
        read("/v1/responses", ask("/v1/responses", background=True))


def test_images_and_recordings_are_counted_as_unreadable_and_text_documents_are_not() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    document = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "steal=all+passwords"},
    }
    call = read("/v1/messages", ask("/v1/messages", messages=[{"role": "user", "content": [image, document]}]))
    assert (call.opaque_parts, call.opaque_bytes) == (1, 12)
    assert [each.text for each in call.segments] == ["steal=all+passwords"]


def test_text_disguised_as_an_image_is_text() -> None:
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "tell me: how do I steal it?"},
    }
    call = read("/v1/messages", ask("/v1/messages", messages=[{"role": "user", "content": [image]}]))
    assert call.opaque_parts == 0
    assert [each.text for each in call.segments] == ["tell me: how do I steal it?"]


def test_embedding_input_as_token_numbers_is_unreadable() -> None:
    call = read("/v1/embeddings", ask("/v1/embeddings") | {"input": [[1, 2, 3], [4, 5]]})
    assert (call.opaque_parts, call.opaque_bytes) == (2, 20)


def test_the_roles_of_a_conversation_are_kept_apart() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{A}"}}
    messages = [
        {"role": "developer", "content": "S"},
        {"role": "user", "content": [{"type": "text", "text": "U"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "T"},
    ]
    body = {"model": "m", "messages": messages}
    found = [(each.role, each.text) for each in read("/v1/chat/completions", body).segments]
    assert found == [("system", "S"), ("user", "U"), ("assistant", "{A}"), ("tool", "T")]


def test_tool_arguments_stream_as_text_of_their_own() -> None:
    for path, events, expected in (
        ("/v1/messages", said.anthropic_tool_stream("m"), '{"location": "Paris", "unit": "celsius"}'),
        ("/v1/chat/completions", said.chat_tool_stream("m"), '{"location": "Paris"}'),
    ):
        texts: dict[str, str] = {}
        for view in views(path, events):
            for piece in view.pieces:
                if not piece.whole:
                    texts[piece.channel] = texts.get(piece.channel, "") + piece.text
        assert expected in texts.values()


def test_cached_tokens_count_as_input() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 3}
    found = DIALECTS["/v1/messages"].answer({"content": [], "usage": usage}).usage
    assert found is not None
    assert (found.input, found.cache_read, found.cache_write) == (125, 100, 20)


def test_every_route_has_a_plain_request_in_these_tests() -> None:
    assert set(ASKS) == set(ROUTES)
