"""One byte form for every value, so that two parties who mean the same thing sign the same digest."""

from __future__ import annotations

import hashlib

import msgspec

_ENCODER = msgspec.json.Encoder(order="deterministic")


def canonical(value: object) -> bytes:
    """Deterministic JSON (sorted keys, no blanks) of a value type."""
    return _ENCODER.encode(value)


def digest(value: object) -> str:
    """SHA-256 of the canonical form, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
