"""Features of a plain sentence: stems, pairs of neighbours, and the concepts of the lexicon with their order.

`Reader.features` lists all of them, for training; `Vocabulary.shown` finds those that a model knows, at a tenth of the
cost, because it builds nothing that the model does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import pairwise
from sys import intern

from glasshouse.guard.misuse.shapes import WORDS

MAX_TOKENS = 512
"""Tokens of one sentence that are read."""
REACH = 8
"""Tokens between two concepts that are still taken together."""
MAX_REMEMBERED = 20_000
"""Words whose stems are remembered."""

_SEVERAL = ""
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


def as_words(text: str) -> bytes:
    """An ASCII text in lower case, with all that is no part of a word blank; every place stays where it was."""
    return text.encode().translate(WORDS)


class Lexicon:
    """The concepts behind words and phrases."""

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        """``entries`` maps each concept to its words and phrases; the longest phrase at a place wins."""
        names = [intern(f"#{concept}") for concept in entries]
        self.pairs = {first: {second: intern(f"{first}>{second[1:]}") for second in names} for first in names}
        """The feature for one concept followed by another."""
        self._words: dict[str, list[str]] = {}
        self._phrases: dict[str, dict[str, list[tuple[list[str], str]]]] = {}
        for name, phrases in zip(names, entries.values(), strict=True):
            for phrase in phrases:
                first, *rest = [intern(stem(word)) for word in tokens(phrase)]
                if rest:
                    self._phrases.setdefault(first, {}).setdefault(rest[0], []).append((rest[1:], name))
                else:
                    self._words.setdefault(first, []).append(name)
        for following in self._phrases.values():
            for options in following.values():
                options.sort(key=lambda option: -len(option[0]))
        self._single = frozenset(self._words)
        self.beginnings = frozenset((first, second) for first, each in self._phrases.items() for second in each)
        """The pairs of stems that a phrase begins with."""

    def found(self, words: Sequence[str], pairs: Set[tuple[str, str]]) -> list[tuple[int, str]]:
        """(place, concept) of each hit in a list of stems; a word may stand for several concepts.

        ``pairs`` are the pairs of neighbours among them that are `beginnings`.
        """
        single = self._words
        wanted = self._single.intersection(words)
        if pairs:
            wanted = wanted.union([first for first, _ in pairs])
        if not wanted:
            return []
        hits: list[tuple[int, str]] = []
        for place, word in enumerate(words):
            if word in wanted and not (pairs and self._phrase(words, place, hits)):
                for concept in single.get(word, ()):
                    hits.append((place, concept))
        return hits

    def _phrase(self, words: Sequence[str], place: int, hits: list[tuple[int, str]]) -> bool:
        """Adds the longest phrases that begin at a place; whether there were any."""
        following = self._phrases.get(words[place])
        if following is None or place + 1 >= len(words):
            return False
        longest = -1
        for rest, concept in following.get(words[place + 1], ()):
            size = len(rest)
            if size < longest:
                break
            if not size or words[place + 2 : place + 2 + size] == rest:
                hits.append((place, concept))
                longest = size
        return longest >= 0


class _Stems(dict[bytes, str]):
    """Word -> stem, read when first asked for; `_SEVERAL` for what is not exactly one word."""

    def __init__(self, corrected: Callable[[str], str]) -> None:
        super().__init__()
        self._corrected = corrected

    def __missing__(self, word: bytes) -> str:
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        parts = tokens(word.decode())
        found = self[word] = intern(stem(self._corrected(parts[0]))) if len(parts) == 1 else _SEVERAL
        return found


class Reader:
    """Reads the words of sentences.  Safe to share between threads."""

    def __init__(self, lexicon: Lexicon, corrected: Callable[[str], str] = str) -> None:
        """``corrected`` maps a misspelt word to the word that is meant, any other to itself."""
        self._lexicon = lexicon
        self._stem = _Stems(corrected).__getitem__

    def stems(self, text: str) -> list[str]:
        """The stems of the text's words in order."""
        if text.isascii() and len(text) <= MAX_TOKENS:
            raw = text.encode().translate(WORDS)
            if b"?" in raw or b"!" in raw:
                raw = raw.replace(b"?", b" ? ").replace(b"!", b" ! ")
            words = list(map(self._stem, raw.split()))
            if _SEVERAL not in words:
                return words
        return [self._stem(word.encode()) for word in tokens(text)]

    def words_of(self, text: str, raw: bytes, start: int, end: int) -> list[str]:
        """The stems of a sentence of an ASCII text in order; ``raw`` is what `as_words` made of the whole text."""
        part = raw[start:end]
        if b"?" in part or b"!" in part:
            part = part.replace(b"?", b" ? ").replace(b"!", b" ! ")
        words = list(map(self._stem, part.split()))
        return words if _SEVERAL not in words else self.stems(text[start:end])

    def features(self, text: str) -> list[str]:
        """What a sentence shows: words, pairs of neighbours, concepts (``#``), ordered pairs of concepts (``#a>b``).

        Some may be listed twice.
        """
        words = self.stems(text)
        shown = [f"{one} {two}" for one, two in pairwise(words)]
        shown += words
        pairs = self._lexicon.pairs
        before: list[tuple[int, str]] = []
        for place, concept in self._lexicon.found(words, self._lexicon.beginnings.intersection(pairwise(words))):
            shown.append(concept)
            while before and place - before[0][0] > REACH:
                del before[0]
            for _, other in before:
                if other is not concept:
                    shown.append(pairs[other][concept])
            before.append((place, concept))
        return shown


def _interned(parted: tuple[str, str, str]) -> tuple[str, str]:
    return intern(parted[0]), intern(parted[2])


class Vocabulary:
    """The features that a model knows.

    Words and names are interned here and in the lexicon, so that finding one again compares places, not letters.
    """

    def __init__(self, known: Iterable[str], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        features = frozenset(map(intern, known))
        plain = {each for each in features if each[0] != "#"}
        self._words = {each for each in plain if " " not in each}
        self._pairs = {_interned(each.partition(" ")): each for each in plain - self._words}
        self._pair_name = self._pairs.__getitem__
        self._neighbours = lexicon.beginnings.union(self._pairs)
        self._concepts = {each for each in features - plain if ">" not in each}
        self._ordered = {
            first: {second: name for second, name in following.items() if name in features}
            for first, following in lexicon.pairs.items()
        }

    def shown(self, words: list[str]) -> set[str]:
        """The known ones among what `Reader.features` would list for a sentence of these stems."""
        shown = self._words.intersection(words)
        pairs = self._neighbours.intersection(pairwise(words))
        if pairs:
            shown.update(map(self._pair_name, self._pairs.keys() & pairs))
            pairs &= self._lexicon.beginnings
        hits = self._lexicon.found(words, pairs)
        if hits:
            self._add_concepts(hits, shown)
        return shown

    def _add_concepts(self, hits: list[tuple[int, str]], shown: set[str]) -> None:
        shown.update(self._concepts.intersection([concept for _, concept in hits]))
        first = 0
        for number, (place, concept) in enumerate(hits):
            while place - hits[first][0] > REACH:
                first += 1
            for _, other in hits[first:number]:
                name = self._ordered[other].get(concept)
                if name is not None and other is not concept:
                    shown.add(name)
