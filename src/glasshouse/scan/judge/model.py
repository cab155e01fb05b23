"""The weights of the ranker: one JSON file of numbers, read only if its digest is the expected one.

The value of a finding is a sum: a bias and, for each feature, a weight times the feature's value, in log odds.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping
from importlib import resources

import msgspec

from glasshouse.words.errors import ModelError

FORMAT = 1
MAX_BYTES = 2_000_000
MAX_WEIGHT = 20.0
DIGITS = 2
"""Decimals of a probability: finer differences mean nothing."""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What training produces, in log odds.  ``usual`` is the mean of each feature, from which reasons are told.

    ``by_hand`` are weights of which the labelled set says nothing; ``learned`` all others.
    """

    format: int
    name: str
    bias: float
    learned: dict[str, float]
    by_hand: dict[str, float]
    usual: dict[str, float]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names the weights that ship with this version."""

    file: str
    sha256: str
    licence: str


class Model:
    """Evaluates weights in plain Python."""

    def __init__(self, weights: Weights) -> None:
        self.name = weights.name
        self.bias = weights.bias
        self.weights = weights.learned | weights.by_hand
        self.usual = weights.usual

    def probability(self, features: Mapping[str, float]) -> float:
        """Between 0 and 1, at equal numbers of weak and safe places; rounded to ``DIGITS``.

        Features that the weights do not name (a new language) count nothing.
        """
        odds = math.fsum(self.weights.get(name, 0.0) * value for name, value in features.items()) + self.bias
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))), DIGITS)

    def pulls(self, features: Mapping[str, float]) -> list[tuple[str, float, float]]:
        """Feature, value and by how much it moves the log odds from a usual finding's; the strongest first."""
        found = [
            (name, value, self.weights[name] * (value - self.usual.get(name, 0.0)))
            for name, value in features.items()
            if name in self.weights
        ]
        return sorted(found, key=lambda item: (-abs(item[2]), item[0]))


@functools.cache
def shipped() -> Model:
    """The model of this version; ``ModelError`` if the installed file is not the one that was published."""
    folder = resources.files("glasshouse.scan.judge") / "data"
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    return Model(decode((folder / manifest.file).read_bytes(), manifest.sha256, manifest.file))


def decode(raw: bytes, sha256: str, where: str) -> Weights:
    """The weights in ``raw``; ``ModelError`` unless digest, format and values are right."""
    if len(raw) > MAX_BYTES:
        raise ModelError(f"the weights are larger than {MAX_BYTES} bytes", where=where)
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ModelError(f"the weights have digest {found}, not {sha256}", where=where)
    try:
        weights = msgspec.json.decode(raw, type=Weights)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"the weights are not in the expected format: {error}", where=where) from error
    values = [weights.bias, *weights.learned.values(), *weights.by_hand.values()]
    if weights.format != FORMAT or not all(abs(value) <= MAX_WEIGHT for value in values):
        raise ModelError("the weights are of another format than this version reads", where=where)
    return weights
