"""What a text showed, kept small: the numbers of its features in the vocabulary, four bytes each, ascending.

Conversations and streams remember thousands of these.  Several one after the other are what all of them showed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

BYTES_EACH = array("I").itemsize


def packed(features: Iterable[int]) -> bytes:
    """The features as bytes."""
    return array("I", sorted(features)).tobytes()


def unpacked(shown: bytes) -> set[int]:
    """The features in bytes of `packed`, or of several together."""
    return set(memoryview(shown).cast("I"))
