"""Words of a description, as the text model reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

MAX_CHARACTERS = 4_000
# d-link, 7-zip; serv-u; otherwise hyphens part words: out-of-bounds, tp-link
_WORD = re.compile(r"(?<![a-z0-9])[a-z0-9]-[a-z][a-z0-9]+|[a-z][a-z0-9]+-[a-z]\b|[0-9]*[a-z][a-z0-9]+")
_HYPHENS = str.maketrans("\u2010\u2011", "--")
_DROPPED = frozenset(
    "cve the of in to and an is for with by on that this as be or it from via are which at was".split()
)


def words(text: str) -> list[str]:
    """Lower-case words of two or more characters that hold a letter; at most ``MAX_CHARACTERS`` are read.

    A single letter or digit stays with the word that a hyphen joins it to, so that D-Link is not a link; OS X is
    one word, for its X alone would be none.
    """
    return _WORD.findall(text[:MAX_CHARACTERS].lower().translate(_HYPHENS).replace("os x", "os-x"))


def terms(tokens: Sequence[str]) -> set[str]:
    """Single words and pairs of neighbours, without the commonest function words."""
    kept = [token for token in tokens if token not in _DROPPED]
    found = set(kept)
    found.update([f"{first} {second}" for first, second in pairwise(kept)])
    return found
