"""Features of a plain sentence: stems, pairs of neighbours, and the concepts of the lexicon with their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MAX_TOKENS = 512
"""Tokens of one sentence that are read."""
REACH = 8
"""Tokens between two concepts that are still taken together."""

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
        self._starting: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for concept, phrases in entries.items():
            for phrase in phrases:
                first, *rest = [stem(each) for each in tokens(phrase)]
                self._starting.setdefault(first, []).append((tuple(rest), concept))
        for options in self._starting.values():
            options.sort(key=lambda option: -len(option[0]))

    def found(self, stems: list[str]) -> list[tuple[int, str]]:
        """(place, concept) of each hit in order; a word may stand for several concepts."""
        hits = []
        starting = self._starting
        for place, word in enumerate(stems):
            if word in starting:
                longest = -1
                for rest, concept in starting[word]:
                    size = len(rest)
                    if size < longest:
                        break
                    if not size or tuple(stems[place + 1 : place + 1 + size]) == rest:
                        hits.append((place, concept))
                        longest = size
        return hits


def features(stems: list[str], lexicon: Lexicon) -> set[str]:
    """What a sentence of ``stems`` shows: words, pairs of neighbours, concepts, ordered pairs of concepts."""
    shown = set(stems)
    shown.update(map("{} {}".format, stems, stems[1:]))
    before: list[tuple[int, str]] = []
    for place, concept in lexicon.found(stems):
        shown.add("#" + concept)
        while before and place - before[0][0] > REACH:
            del before[0]
        for _, other in before:
            if other != concept:
                shown.add(f"#{other}>{concept}")
        before.append((place, concept))
    return shown
