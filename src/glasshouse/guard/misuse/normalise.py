"""A text as plain views: the text itself and everything hidden or encoded in it, layer by layer, within bounds.

`views` never raises and its work is linear in the text: at most `MAX_DEPTH` layers, `MAX_VIEWS` pieces, and
`MAX_DECODED` characters of decoded text.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from glasshouse.guard.misuse.characters import fold, smuggled
from glasshouse.guard.misuse.encodings import encoded_pieces
from glasshouse.guard.misuse.segments import sentences
from glasshouse.guard.misuse.spelling import Speller

MAX_DEPTH = 4
MAX_VIEWS = 64
MAX_DECODED = 262_144


class View(msgspec.Struct, frozen=True):
    """One sentence in plain letters."""

    text: str
    start: int
    """Where it stands in the original text, in characters; for something decoded, where the encoded piece stands."""
    end: int
    layers: tuple[str, ...]
    """The disguises taken off, outermost first."""


class _Piece(msgspec.Struct, frozen=True):
    text: str
    start: int
    end: int
    layers: tuple[str, ...]


def views(text: str, speller: Speller) -> Iterator[View]:
    """Every sentence of the text and of what is encoded in it, plain.  The sentences of the text itself come first."""
    pending = [_Piece(text, 0, len(text), ())]
    left = MAX_DECODED
    taken = 0
    while pending:
        piece = pending.pop(0)
        yield from _sentences(piece, speller)
        if len(piece.layers) >= MAX_DEPTH:
            continue
        for start, end, name, decoded in _inside(piece.text, speller):
            if taken >= MAX_VIEWS or left <= 0:
                break
            taken += 1
            decoded = decoded[:left]
            left -= len(decoded)
            place = (start, end) if not piece.layers else (piece.start, piece.end)
            pending.append(_Piece(decoded, *place, (*piece.layers, name)))


def _inside(text: str, speller: Speller) -> Iterator[tuple[int, int, str, str]]:
    if not text.isascii():
        for start, end, hidden in smuggled(text):
            yield start, end, "smuggled", hidden
    yield from encoded_pieces(text)
    plain = speller.deciphered(text)
    if plain is not None:
        yield 0, len(text), *plain


def _sentences(piece: _Piece, speller: Speller) -> Iterator[View]:
    for start, end in sentences(piece.text):
        plain = piece.text[start:end]
        layers: tuple[str, ...] = piece.layers
        if not plain.isascii():
            plain, folded = fold(plain, speller.known)
            layers += folded
        plain, apart = speller.joined(plain)
        plain, leet = speller.without_leet(plain)
        if apart:
            layers += ("letters-apart",)
        if leet:
            layers += ("leetspeak",)
        place = (start, end) if not piece.layers else (piece.start, piece.end)
        yield View(plain, *place, layers)
