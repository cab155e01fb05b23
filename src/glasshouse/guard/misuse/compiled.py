"""The compiled half of screening, where it was built: what `screener` says of undisguised ASCII text, much quicker.

Built from ``native/`` when the package is, if the machine has Rust; without it everything is done in Python, with the
same answers.  It is called with the interpreter held, since a call takes microseconds.
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import threading
from collections.abc import Iterable
from importlib import resources
from typing import NamedTuple

from glasshouse.guard.misuse.model import Weights
from glasshouse.guard.misuse.shown import BYTES_EACH

LIBRARY = "libglasshouse_native.so"
SWITCH = "GLASSHOUSE_COMPILED"
"""The environment variable that, set to ``0``, leaves the compiled half out."""
_HEAD = struct.Struct("=dII")


class Found(NamedTuple):
    """What an undisguised text comes to."""

    evidence: float
    """Log odds, uncalibrated, of its best piece; minus infinity if it has none."""
    shown: bytes
    """The known features of all its sentences, as `shown.packed` makes it."""
    may_hide: bool
    """Whether something may be encoded in it, or it may be a cipher."""


class Compiled:
    """One set of weights, ready.  Safe to share between threads."""

    def __init__(self, library: ctypes.PyDLL, model: int, features: int) -> None:
        self._library, self._model = library, model
        self._weigh = library.glasshouse_weigh
        self._room = _HEAD.size + BYTES_EACH * features
        self._own = threading.local()

    def __del__(self) -> None:
        self._library.glasshouse_forget(self._model)

    def weigh(self, text: str) -> Found | None:
        """What an ASCII text comes to; ``None`` if it has to be read in Python."""
        try:
            answer = self._own.answer
        except AttributeError:
            answer = self._own.answer = ctypes.create_string_buffer(self._room)
        raw = text.encode()
        if self._weigh(self._model, raw, len(raw), answer, self._room) < 0:
            return None
        evidence, may_hide, count = _HEAD.unpack_from(answer)
        return Found(evidence, answer[_HEAD.size : _HEAD.size + BYTES_EACH * count], may_hide != 0)

    def together(self, shown: bytes) -> float:
        """The log odds, uncalibrated, of several texts together, given what each showed one after the other."""
        evidence: float = self._library.glasshouse_together(self._model, shown, len(shown))
        if math.isnan(evidence):
            raise ValueError("not the features of this model")
        return evidence


def load(weights: Weights) -> Compiled | None:
    """The compiled half with these weights; ``None`` where it was not built, is switched off or cannot take them."""
    if os.environ.get(SWITCH) == "0":
        return None
    library = _library()
    if library is None:
        return None
    described = describe(weights)
    model = library.glasshouse_model(described, len(described))
    return Compiled(library, model, len(weights.vocabulary)) if model else None


def describe(weights: Weights) -> bytes:
    """The numbers and words that the compiled half needs, as it reads them (``native/src/model.rs``)."""
    entries = [each for concept, phrases in weights.lexicon.items() for phrase in phrases for each in (concept, phrase)]
    lists = (weights.known, weights.guarded, weights.ordinary, weights.vocabulary, entries)
    return b"".join(
        [
            struct.pack("<ddd", weights.bias, weights.sentence_margin, weights.misuse_scale),
            *map(_listed, lists),
            struct.pack(f"<{len(weights.misuse)}i", *weights.misuse),
        ]
    )


def _listed(words: Iterable[str]) -> bytes:
    raw = [each.encode() for each in words]
    return struct.pack("<i", len(raw)) + b"".join([struct.pack("<i", len(each)) + each for each in raw])


def _library() -> ctypes.PyDLL | None:
    place = resources.files("glasshouse.guard.misuse") / "data" / LIBRARY
    if not place.is_file():
        return None
    library = ctypes.PyDLL(str(place))
    library.glasshouse_model.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.glasshouse_model.restype = ctypes.c_void_p
    library.glasshouse_forget.argtypes = [ctypes.c_void_p]
    library.glasshouse_forget.restype = None
    library.glasshouse_together.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.glasshouse_together.restype = ctypes.c_double
    library.glasshouse_weigh.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
        ctypes.c_size_t,
    ]
    library.glasshouse_weigh.restype = ctypes.c_int64
    return library
