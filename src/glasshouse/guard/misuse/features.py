"""Features of a plain sentence: stems, pairs of neighbours, and the concepts of the lexicon with their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

MAX_TOKENS = 512
"""Tokens of one sentence that are read."""
REACH = 8
"""Tokens between two concepts that are still taken together."""
MAX_REMEMBERED = 50_000
"""Words whose stems are remembered."""

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+|[?!]")
_ENDINGS = (
    ("ization", "iz"), ("isation", "iz"), ("ational", "at"), ("fulness", "ful"), ("iveness", "iv"),
    ("ising", "iz"), ("ised", "iz"), ("ises", "iz"), ("ise", "iz"), ("yse", "yz"), ("ysed", "yz"), ("ysing", "yz"),
    ("ations", ""), ("ation", ""), ("ators", ""), ("ator", ""), ("ating", ""), ("ated", ""), ("ates", ""), ("ate", ""),
    ("ements", ""), ("ement", ""), ("ings", ""), ("ing", ""), ("ions", ""), ("ion", ""), ("ies", "y"), ("ied", "y"),
    ("edly", ""), ("ed", ""), ("ers", ""), ("er", ""), ("ors", ""), ("or", ""), ("ely", ""), ("ly", ""), ("ous", ""),
    ("us", "us"), ("is", "is"), ("es", ""), ("s", ""), ("e", ""),
)  # fmt: skip


def stem(word: str) -> str:
    """A word without its ending; British and American spellings fall together."""
    if len(word) < 4:
        return word
    word = word.removesuffix("'s")
    if word[-2:] == "ss":
        return word
    for ending, left in _ENDINGS:
        if word.endswith(ending):
            base = word[: len(word) - len(ending)] + left
            if len(base) < 3:
                continue
            return base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" else base
    return word


def tokens(text: str) -> list[str]:
    """The words, numbers (all as ``0``) and question or exclamation marks of a text, in lower case."""
    found = _TOKEN.findall(text.lower()[: MAX_TOKENS * 8])[:MAX_TOKENS]
    return ["0" if each[0].isdigit() else each for each in found]


class Lexicon:
    """The concepts behind words and phrases."""

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        """``entries`` maps each concept to its words and phrases; the longest phrase at a place wins."""
        names = [f"#{concept}" for concept in entries]
        self.pairs = {first: {second: f"{first}>{second[1:]}" for second in names} for first in names}
        """The feature for one concept followed by another."""
        self._words: dict[str, list[str]] = {}
        self._phrases: dict[str, dict[str, list[tuple[list[str], str]]]] = {}
        for name, phrases in zip(names, entries.values(), strict=True):
            for phrase in phrases:
                first, *rest = [stem(word) for word in tokens(phrase)]
                if rest:
                    self._phrases.setdefault(first, {}).setdefault(rest[0], []).append((rest[1:], name))
                else:
                    self._words.setdefault(first, []).append(name)
        for following in self._phrases.values():
            for options in following.values():
                options.sort(key=lambda option: -len(option[0]))

    def found(self, words: list[str]) -> list[tuple[int, str]]:
        """(place, concept) of each hit in a list of stems; a word may stand for several concepts."""
        hits = []
        single, phrases = self._words, self._phrases
        last = len(words) - 1
        for place, word in enumerate(words):
            if word in phrases and place < last:
                longest = -1
                for rest, concept in phrases[word].get(words[place + 1], ()):
                    size = len(rest)
                    if size < longest:
                        break
                    if not size or words[place + 2 : place + 2 + size] == rest:
                        hits.append((place, concept))
                        longest = size
                if longest >= 0:
                    continue
            if word in single:
                for concept in single[word]:
                    hits.append((place, concept))
        return hits


class Reader:
    """Reads the features of sentences.  Safe to share between threads."""

    def __init__(self, lexicon: Lexicon, corrected: Callable[[str], str] = str) -> None:
        """``corrected`` maps a misspelt word to the word that is meant, any other to itself."""
        self._lexicon = lexicon
        self._corrected = corrected
        self._stems: dict[str, str] = {}

    def stems(self, text: str) -> list[str]:
        """The stems of the text's words in order."""
        words = tokens(text)
        known = self._stems
        try:
            return [known[word] for word in words]
        except KeyError:
            if len(known) > MAX_REMEMBERED:
                self._stems = known = {}
            read = [known.get(word) or stem(self._corrected(word)) for word in words]
            known.update(zip(words, read, strict=True))
            return read

    def features(self, text: str) -> list[str]:
        """What a sentence shows: words, pairs of neighbours, concepts (``#``), ordered pairs of concepts (``#a>b``).

        Some may be listed twice.
        """
        words = self.stems(text)
        shown = [f"{one} {two}" for one, two in pairwise(words)]
        shown += words
        pairs = self._lexicon.pairs
        before: list[tuple[int, str]] = []
        for place, concept in self._lexicon.found(words):
            shown.append(concept)
            while before and place - before[0][0] > REACH:
                del before[0]
            for _, other in before:
                if other is not concept:
                    shown.append(pairs[other][concept])
            before.append((place, concept))
        return shown
