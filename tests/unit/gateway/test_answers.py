"""Laws of the screen: order and bytes are kept, nothing leaves unseen, nothing is more than a sentence late."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.gateway.answers import AnswerScreen
from glasshouse.gateway.dialect.openai_chat import OpenAIChat
from glasshouse.guard.misuse import Screener

SCREENER = Screener.load()
NEVER = 1.1
ALWAYS = 0.0
WORDS = st.lists(
    st.sampled_from(["Hello", " there.", " A", " wall", "! It", " is", "\n", " no?", " é", ""]), max_size=30
)
CHANNELS = st.lists(st.tuples(st.integers(0, 2), WORDS), min_size=1, max_size=4)


def events(parts: list[tuple[int, list[str]]]) -> list[bytes]:
    """A chat stream whose choices speak one after the other."""
    found = []
    for choice, words in parts:
        for word in words:
            delta = {"choices": [{"index": choice, "delta": {"content": word}, "finish_reason": None}]}
            found.append(b"data: " + msgspec.json.encode(delta) + b"\n\n")
    return [*found, b"data: [DONE]\n\n"]


def screen(stop_at: float = NEVER) -> AnswerScreen:
    return AnswerScreen(SCREENER, OpenAIChat(), stop_at)


@given(CHANNELS, st.lists(st.integers(0, 4000), max_size=10))
def test_what_leaves_is_what_came_in_its_order(parts: list[tuple[int, list[str]]], cuts: list[int]) -> None:
    stream = b"".join(events(parts))
    points = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    answer, left = screen(), b""
    for start, end in itertools.pairwise(points):
        left += b"".join(answer.feed(stream[start:end]))
        assert stream.startswith(left)
        assert left != stream  # the last event waits for the outcome's entry
    left += b"".join(answer.finish())
    assert left == stream
    assert answer.ended
    (screened,) = answer.screened()
    assert (screened.ranges[0].start, screened.ranges[0].end, screened.withheld) == (0, len(stream), ())


@given(WORDS.filter(lambda words: any(word.strip() for word in words)))
def test_with_a_threshold_that_everything_reaches_no_text_leaves(words: list[str]) -> None:
    answer, left = screen(ALWAYS), b""
    for event in events([(0, words)]):
        left += b"".join(answer.feed(event))
    left += b"".join(answer.finish())
    assert answer.stopped
    texts = [each["choices"][0]["delta"]["content"] for each in map(msgspec.json.decode, left.split(b"data: ")[1:])]
    assert "".join(texts).strip() == ""
    (screened,) = answer.screened()
    assert screened.withheld[0].start == len(left)


def test_a_sentence_leaves_when_the_next_one_begins() -> None:
    answer = screen()
    *first, begun, _ = events([(0, ["One", " two", " three.", " Four", " five"])])
    left = b"".join(b"".join(answer.feed(event)) for event in [*first, begun])
    assert b" three." in left
    assert b" five" not in left


def test_a_text_that_only_repeats_what_streamed_is_not_looked_at_twice() -> None:
    class Counting:
        digest = SCREENER.digest
        scored = 0

        def score(self, text: str) -> object:
            self.scored += 1
            return SCREENER.score(text)

        def stream(self, *, stop_at: float) -> object:
            return SCREENER.stream(stop_at=stop_at)

    counting = Counting()
    answer = AnswerScreen(counting, OpenAIChat(), NEVER)  # type: ignore[arg-type]
    for event in events([(0, ["One", " two."])])[:-1]:
        answer.feed(event)
    repeated = {"choices": [{"index": 0, "delta": {"annotations": [{"text": "One two."}]}, "finish_reason": None}]}
    answer.feed(b"data: " + msgspec.json.encode(repeated) + b"\n\n")
    assert counting.scored == 0
