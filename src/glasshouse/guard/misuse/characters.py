"""Character level of normalising: hidden characters out, look-alikes folded, smuggled text read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from glasshouse.guard.misuse.confusables import FOLD, TURNED, UPRIGHT

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]+"
)
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_FOREIGN_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_LATIN = re.compile("[A-Za-z]")
_SYMBOL_LETTERS = re.compile("[\U0001f130-\U0001f189\U0001f1e6-\U0001f1ff]")
_TURNED_ONLY = frozenset("".join(TURNED.values())) - frozenset("abcdefghijklmnopqrstuvwxyz")


def fold(text: str, known: Container[str]) -> tuple[str, tuple[str, ...]]:
    """The text as a reader sees it, in ASCII letters where they are meant, and which disguises were taken off.

    Words of another script stay as they are unless they read as a ``known`` word once folded.
    """
    layers = []
    seen = _INVISIBLE.sub("", text)
    if len(seen) != len(text):
        layers.append("invisible")
    wide = unicodedata.normalize("NFKD", seen)
    bare = "".join([each for each in wide if not unicodedata.combining(each)])
    if _styled(seen, bare):
        layers.append("styled")
    if bare.isascii():
        return bare, tuple(layers)
    if _looks_turned(bare):
        return upright(bare), (*layers, "turned")
    plain = _SYMBOL_LETTERS.sub(lambda match: FOLD.get(ord(match.group()), match.group()), bare)
    plain = _FOREIGN_WORD.sub(lambda match: _fold_word(match.group(), known), plain)
    if plain != bare:
        layers.append("homoglyphs")
    return plain, tuple(layers)


def smuggled(text: str) -> list[tuple[int, int, str]]:
    """Text carried in invisible tag characters or variation selectors: (start, end, text), offsets in characters."""
    found = []
    for match in _TAGS.finditer(text):
        found.append((match.start(), match.end(), "".join([chr(ord(each) - 0xE0000) for each in match.group()])))
    for match in _SELECTORS.finditer(text):
        raw = bytes([_selector_byte(ord(each)) for each in match.group()])
        found.append((match.start(), match.end(), raw.decode("utf-8", "replace")))
    return found


def upright(text: str) -> str:
    """A text of turned letters, the right way up."""
    return text.translate(UPRIGHT)[::-1]


def _fold_word(word: str, known: Container[str]) -> str:
    folded = word.translate(FOLD)
    if not folded.isascii():
        return word
    return folded if _LATIN.search(word) or folded.lower() in known else word


def _selector_byte(code: int) -> int:
    return code - 0xFE00 if code < 0xE0100 else code - 0xE0100 + 16


def _looks_turned(text: str) -> bool:
    turned = sum(each in _TURNED_ONLY for each in text)
    return turned >= 4 and turned * 4 >= sum(map(str.isalpha, text))


def _styled(before: str, after: str) -> bool:
    """Letters such as mathematical bold or full width, which compatibility mapping turned into ASCII."""
    return after.isascii() and sum(ord(each) > 0x2000 and each.isalnum() for each in before) >= 3
