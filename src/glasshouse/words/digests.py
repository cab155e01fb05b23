"""Digests as documents and records write them: the algorithm, a colon, lower-case hexadecimal digits."""

from __future__ import annotations

import hashlib


def sha256_of(body: bytes) -> str:
    """The SHA-256 of some bytes, written ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
