"""Features: a model finds exactly what training listed and it knows; classes of bytes decide as the text would."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from glasshouse.guard.misuse.features import Lexicon, Reader, Vocabulary, stem, tokens
from glasshouse.guard.misuse.segments import complete_until, sentences
from glasshouse.guard.misuse.spelling import Speller

LEXICON = Lexicon(
    {
        "attack": ["hack into", "hack", "break in"],
        "victim": ["neighbour", "his phone"],
        "secret": ["without being seen"],
    }
)
WORDS = st.sampled_from(
    "hack hacking into break in the neighbour his phone without being seen "
    "don't 'quoted' rock'n'roll x1 42 3rd ? ! ... é".split()
)
TEXTS = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=80)
READER = Reader(LEXICON)
_LEET = re.compile(r"[a-zA-Z][0-9@$!|€£¥§][a-zA-Z]|[0-9@$€£¥§][a-zA-Z]")
ASCII = st.text(st.characters(max_codepoint=127), max_size=60)


@given(TEXTS, st.lists(TEXTS, max_size=3), st.integers(0, 1))
@example("hack into his phone without being seen. hack", ["hack into the phone"], 0)
def test_a_vocabulary_finds_what_training_lists_and_it_knows(text: str, others: list[str], first: int) -> None:
    known = sorted({each for said in (text, *others) for each in READER.features(said)})[first::2]
    assert Vocabulary(known, LEXICON).shown(READER.stems(text)) == set(known).intersection(READER.features(text))


@given(TEXTS | ASCII)
def test_words_are_read_the_same_way_by_bytes_and_by_expression(text: str) -> None:
    assert READER.stems(text) == [stem(word) for word in tokens(text)]


@given(ASCII)
@example("a!b")
@example("h.a.c.k")
@example("h a c k")
def test_a_text_that_could_be_leetspeak_is_always_suspected(text: str) -> None:
    speller = Speller(frozenset({"hack"}), frozenset(), [])
    if _LEET.search(text) or speller.joined(text)[1]:
        assert speller.suspects(text)


@given(st.text("ab .!\n?\"')x", max_size=60))
def test_sentences_end_where_the_expression_says(text: str) -> None:
    ends = [match.end() for match in re.finditer(r"(?<=[.!?;:])[\"')\]]*\s+|\n+", text)]
    assert [end for _, end in sentences(text)] == [*ends, *([len(text)] if text and len(text) not in ends else [])]


@given(st.lists(st.text("ab .!\n?\"')é", max_size=9), max_size=30))
def test_looking_only_at_what_is_new_finds_the_same_whole_sentences(pieces: list[str]) -> None:
    held, looked_at = "", 0
    for piece in pieces:
        held += piece
        size = complete_until(held, looked_at)
        assert size == complete_until(held)
        held = held[size:]
        looked_at = len(held)
