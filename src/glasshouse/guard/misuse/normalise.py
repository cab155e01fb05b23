"""A text as plain views: the text itself and everything hidden or encoded in it, layer by layer, within bounds.

`views` never raises and its work is linear in the text: at most `MAX_DEPTH` layers, `MAX_VIEWS` pieces, and
`MAX_DECODED` characters of decoded text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from glasshouse.guard.misuse.characters import fold, smuggled
from glasshouse.guard.misuse.encodings import encoded_pieces
from glasshouse.guard.misuse.segments import sentences
from glasshouse.guard.misuse.spelling import Speller

MAX_DEPTH = 4
MAX_VIEWS = 64
MAX_DECODED = 262_144


class View(NamedTuple):
    """One sentence in plain letters."""

    text: str
    start: int
    """Where it stands in the original text, in characters; for something decoded, where the encoded piece stands."""
    end: int
    layers: tuple[str, ...]
    """The disguises taken off, outermost first."""


class _Piece(NamedTuple):
    text: str
    start: int
    end: int
    layers: tuple[str, ...]


def views(text: str, speller: Speller) -> Iterator[View]:
    """Every sentence of the text and of what is encoded in it, plain.  The sentences of the text itself come first."""
    yield from _sentences(_Piece(text, 0, len(text), ()), speller)
    yield from hidden(text, speller)


def hidden(text: str, speller: Speller) -> Iterator[View]:
    """Every sentence of what is encoded in the text, without those of the text itself."""
    pending = [_Piece(text, 0, len(text), ())]
    left = MAX_DECODED
    taken = 0
    while pending:
        piece = pending.pop(0)
        if piece.layers:
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
    for name, plain in speller.deciphered(text):
        yield 0, len(text), name, plain


def _sentences(piece: _Piece, speller: Speller) -> Iterator[View]:
    text, layers = piece.text, piece.layers
    ordinary = text.isascii() and not speller.suspects(text)
    for start, end in sentences(text):
        place = (piece.start, piece.end) if layers else (start, end)
        if ordinary:
            yield View(text[start:end], *place, layers)
        else:
            yield View(*_plain(text[start:end], speller, place, layers))


def _plain(
    text: str, speller: Speller, place: tuple[int, int], layers: tuple[str, ...]
) -> tuple[str, int, int, tuple[str, ...]]:
    if not text.isascii():
        text, folded = fold(text, speller.known)
        layers += folded
    text, apart = speller.joined(text)
    text, leet = speller.without_leet(text)
    if apart:
        layers += ("letters-apart",)
    if leet:
        layers += ("leetspeak",)
    return text, *place, layers
