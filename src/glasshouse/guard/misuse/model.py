"""The weights of the misuse model: one msgpack file, read only if its digest is the expected one.

The file holds numbers and words, no code: decoding it can build nothing but the struct below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import msgspec

from glasshouse.guard.misuse.verdicts import CATEGORIES
from glasshouse.words.errors import ModelError
from glasshouse.words.named_file import read_named

FORMAT = 1
MAX_BYTES = 5_000_000
"""Bytes of a weights file."""


class Weights(msgspec.Struct, frozen=True):
    """What training produces.  Quantised: a weight is its integer times the scale beside it."""

    format: int
    name: str
    vocabulary: list[str]
    misuse: list[int]
    misuse_scale: float
    bias: float
    sentence_margin: float
    """By how much a sentence alone must be clearer than a block of sentences, in log odds."""
    slope: float
    """Calibration: value = 1 / (1 + exp(-(slope * raw + offset)))."""
    offset: float
    categories: list[str]
    category_weights: list[list[int]]
    """One row per category, one number per word of the vocabulary."""
    category_scale: float
    category_bias: list[float]
    lexicon: dict[str, list[str]]
    known: list[str]
    """Words that guide the undoing of disguises."""
    guarded: list[str]
    """Words that are recognised although a letter is wrong."""
    ordinary: list[str]
    """Words by which plain English is recognised."""
    thresholds: dict[str, float]
    """Name of an operating point -> value; how each was calibrated is in the model card."""


class Manifest(msgspec.Struct, frozen=True):
    """Names the weights that ship with this version."""

    file: str
    sha256: str
    licence: str


def shipped() -> tuple[bytes, str]:
    """The weights that come with the package, and the digest that the manifest promises."""
    folder = resources.files("glasshouse.guard.misuse") / "data"
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    return (folder / manifest.file).read_bytes(), manifest.sha256


def from_file(path: Path) -> bytes:
    """The bytes of a weights file of the operator's own; `ModelError` if there is none or it is too large."""
    try:
        return read_named(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(f"the weights cannot be read: {error.strerror}", where=str(path)) from error


def decode(raw: bytes, sha256: str, where: str) -> Weights:
    """The weights in ``raw``; `ModelError` unless digest, format and sizes are right."""
    if len(raw) > MAX_BYTES:
        raise ModelError(f"the weights are larger than {MAX_BYTES} bytes", where=where)
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ModelError(f"the weights have digest {found}, not {sha256}", where=where)
    try:
        weights = msgspec.msgpack.decode(raw, type=Weights)
    except msgspec.DecodeError as error:
        raise ModelError(f"the weights are not in the expected format: {error}", where=where) from error
    if weights.format != FORMAT or tuple(weights.categories) != CATEGORIES or not _sizes_agree(weights):
        raise ModelError("the weights are of another format than this version reads", where=where)
    return weights


def _sizes_agree(weights: Weights) -> bool:
    size = len(weights.vocabulary)
    rows = [weights.misuse, *weights.category_weights]
    return all(len(row) == size for row in rows) and len(weights.category_weights) == len(weights.category_bias)


def by_category(weights: Weights) -> Mapping[str, tuple[float, ...]]:
    """Feature -> weight for each category."""
    scale = weights.category_scale
    columns = zip(*[[weight * scale for weight in row] for row in weights.category_weights], strict=True)
    return dict(zip(weights.vocabulary, columns, strict=True))
