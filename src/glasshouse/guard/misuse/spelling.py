"""Word level of normalising: letters set apart, leetspeak, letter ciphers and misspellings, guided by known words.

A word is only ever replaced by one that the model knows, so ordinary text, code and other languages stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from glasshouse.guard.misuse.characters import upright
from glasshouse.guard.misuse.encodings import rot13, shifted
from glasshouse.guard.misuse.features import stem
from glasshouse.guard.misuse.shapes import SHAPE, SIGNS, SOLID

MAX_JOINED = 400
"""Characters of one run of letters set apart; a longer one is cut."""
MAX_TRIED = 2_000
"""Characters of a text on which ciphers are tried."""

_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:(?:[ \t]{1,3}|[.\-_*|,/+~\u00b7][ ]?)[^\W_](?![^\W_])){3,}")
_LEET_TOKEN = re.compile(r"[\w@$!|+()<€£¥§]{2,}")
_LEET_HINT = re.compile(r"[a-zA-Z][0-9@$!|€£¥§][a-zA-Z]|[0-9@$€£¥§][a-zA-Z]")
_LEET_ALONE = re.compile(r"(?<![^\s\"(])[14](?=[\s']|$)|(?<=[a-z]')[57](?!\w)")
"""What is a number in plain text and a word, or the end of one, beside words in leetspeak."""
_LEET = str.maketrans("0123456789@$!|+(<€£¥§", "oizeasgtbgasiltccelys")
_WORD = re.compile(r"[a-z']+")
_PUT_BETWEEN = re.compile(rb"\. ?a\.").search
"""One letter between two signs, in the classes of `SHAPE`: an expression that begins with one byte finds it quickly."""


class Speller:
    """Undoes disguises of words, given the words a model knows."""

    def __init__(self, known: frozenset[str], ordinary: frozenset[str], guarded: Iterable[str]) -> None:
        """``known`` words guide repairs, ``ordinary`` ones tell plain text from ciphers, ``guarded`` survive typos."""
        self.known = known
        self._stems = frozenset(map(stem, known))
        self._ordinary = ordinary
        self._near = _deletions(guarded)

    def suspects(self, text: str) -> bool:
        """Whether an ASCII text may have letters apart or leetspeak in it."""
        raw = text.encode()
        signs = raw.translate(SIGNS)
        # what `_LEET_HINT` looks for, at a fraction of its cost; a look for one byte costs a tenth of one for two
        if (b"0" in signs and b"0a" in signs) or (b"!" in signs and b"a!a" in signs):
            return True
        if _PUT_BETWEEN(raw.translate(SHAPE)) or _letters_alone(raw.translate(SOLID)) >= 4:
            return _SPACED.search(text) is not None
        return False

    def joined(self, text: str) -> tuple[str, bool]:
        """The text with letters set apart (``h a c k``) joined to words again, and whether there were any."""
        found = False

        def join(match: re.Match[str]) -> str:
            nonlocal found
            found = True
            run = match.group()[:MAX_JOINED]
            words = re.split(r"[ \t]{2,}", run) if re.search(r"[^\W_] [^\W_]", run) else [run]
            letters = [re.sub(r"[\W_]", "", word).lower() for word in words]
            return " ".join([piece for word in letters for piece in self.split(word)])

        return _SPACED.sub(join, text), found

    def split(self, letters: str) -> list[str]:
        """A run of letters as known words: the fewest letters left over, then the fewest words."""
        if letters in self.known or len(letters) < 4:
            return [letters]
        best: list[tuple[int, int, int]] = [(0, 0, 0)]
        for end in range(1, len(letters) + 1):
            options = [(best[end - 1][0] + 2, best[end - 1][1] + 1, end - 1)]
            for start in range(max(0, end - 18), end):
                if letters[start:end] in self.known:
                    cost = 0 if end - start > 1 else 1
                    options.append((best[start][0] + cost, best[start][1] + 1, start))
            best.append(min(options))
        pieces: list[str] = []
        end = len(letters)
        while end:
            start = best[end][2]
            pieces.append(letters[start:end])
            end = start
        return pieces[::-1]

    def without_leet(self, text: str) -> tuple[str, bool]:
        """The text with digits and signs that stand for letters read as letters, where a known word results."""
        if not _LEET_HINT.search(text):
            return text, False
        found = 0

        def read(match: re.Match[str]) -> str:
            nonlocal found
            word = match.group()
            if word.isalpha():
                return word
            for tried in (word, word.strip("!()<|+")):
                plain = tried.lower().translate(_LEET)
                for reading in (plain, plain.replace("i", "l"), plain.replace("l", "i")):
                    if reading.isalpha() and reading in self.known:
                        found += 1
                        return reading
            return word

        text = _LEET_TOKEN.sub(read, text)
        if found >= 2:
            text = _LEET_ALONE.sub(lambda match: match.group().translate(_LEET), text)
        return text, found > 0

    def deciphered(self, text: str) -> list[tuple[str, str]]:
        """(cipher, plain text) if the text has hardly an ordinary word as it stands and many once deciphered.

        Two readings where the words alone do not tell which is right.
        """
        tried = text[:MAX_TRIED].lower()
        words = tried.split()
        if len(words) < 3:
            return []
        for some in (words[: len(words) // 3], words):  # the first third of a plain text is enough
            if len(self._ordinary.intersection(some)) * 8 >= len(words):
                return []
        if self._ordinary_among(words) * 8 >= len(words):
            return []
        words = _WORD.findall(tried)
        if len(words) < 3 or self._ordinary_among(words) * 8 >= len(words):
            return []
        needed = max(2, (len(words) + 2) // 3)
        for name, decode in _CIPHERS:
            if self._ordinary_among(_WORD.findall(decode(tried))) >= needed:
                readings = [(name, decode(text[:MAX_TRIED]))]
                if name == "backwards":  # the words tell that they are turned, not whether their order is
                    readings.append(("words-backwards", _words_backwards(text[:MAX_TRIED])))
                return readings
        return []

    def corrected(self, word: str) -> str:
        """The guarded word one letter, or two swapped ones, away from an unknown ``word``; or the word itself."""
        if len(word) < 5 or len(word) > 20 or word in self.known or stem(word) in self._stems:
            return word
        near = self._near.get(word)
        if near is not None:
            return near
        for index in range(len(word)):
            shorter = word[:index] + word[index + 1 :]
            near = self._near.get(shorter)
            if near is not None and abs(len(near) - len(word)) <= 1:
                return near
        return word

    def _ordinary_among(self, words: list[str]) -> int:
        return sum(map(self._ordinary.__contains__, words))


def _letters_alone(solid: bytes) -> int:
    """How many signs stand alone between blanks, in the classes of `SOLID`; fewer than 4 may be told as fewer."""
    solid = b" %b " % solid
    found = solid.count(b" x ")  # of neighbours, which share a blank, it sees every other one
    return solid.replace(b" ", b"  ").count(b" x ") if found >= 2 else found


def _deletions(words: Iterable[str]) -> dict[str, str]:
    """Every guarded word, and every word minus one letter, to the word; ambiguous ones to the first in the alphabet."""
    near: dict[str, str] = {}
    for word in sorted(words):
        near[word] = word
    for word in sorted(words):
        if len(word) >= 6:
            for index in range(len(word)):
                near.setdefault(word[:index] + word[index + 1 :], word)
    return near


def _backwards(text: str) -> str:
    return text[::-1]


def _words_backwards(text: str) -> str:
    return " ".join([word[::-1] for word in text.split(" ")])


def _pig_latin(text: str) -> str:
    def back(match: re.Match[str]) -> str:
        start, onset = match.groups()
        return onset + start

    return re.sub(r"([a-z]+?)([bcdfghjklmnpqrstvwxyz]{0,3})ay\b", back, text.lower())


def _shift(by: int) -> Callable[[str], str]:
    return lambda text: shifted(text.lower(), by)


_CIPHERS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("rot13", rot13),
    ("backwards", _backwards),
    ("turned", upright),
    ("pig-latin", _pig_latin),
    *((f"caesar-{by}", _shift(26 - by)) for by in range(1, 26) if by != 13),
)
