"""Sealed payloads: AES-256-GCM under a key of their own, which the engagement's key wraps.

AES-GCM alone does not commit to a key: a second key and another plaintext can be made to fit one ciphertext.  So an
entry holds two hashes, of the ciphertext and, salted, of the plaintext.  The salt lies inside the ciphertext:
overwriting the sealed bytes destroys key, salt and content together.

Sealed bytes: nonce (12), wrapped key (48), ciphertext of salt (32) and content, tag (16).
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from typing import Any, NamedTuple

from glasshouse.ledger.audit.sources import WRAPPED_BYTES
from glasshouse.ledger.entry import Commitment, Payload
from glasshouse.ledger.keys import EngagementKeys
from glasshouse.words.errors import VerificationError
from glasshouse.words.randomness import RandomBytes

COMMIT = b"glasshouse/commit/v1"
SALT_BYTES = 32
_NONCE = bytes(12)  # every payload has its own key, used once


class Sealed(NamedTuple):
    """A payload ready to be stored."""

    commitment: Commitment
    engagement: str
    blob: bytes


_RANDOM = RandomBytes()


@cache
def _aesgcm_class() -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM


def _aesgcm(key: bytes) -> Any:
    return _aesgcm_class()(key)


@lru_cache(maxsize=256)
def cipher(key: bytes) -> Any:
    """AES-256-GCM under an engagement's key."""
    return _aesgcm(key)


def seal(payload: Payload, keys: EngagementKeys) -> Sealed:
    """Seals a payload under its engagement's key."""
    wrapping = cipher(keys.get_or_create(payload.engagement))
    random = _RANDOM.take(32 + SALT_BYTES + 12)
    key, salted, nonce = random[:32], random[32:64] + payload.data, random[64:]
    ciphertext = _aesgcm(key).encrypt(_NONCE, salted, payload.name.encode())
    wrapped = wrapping.encrypt(nonce, key, payload.engagement.encode())
    commitment = Commitment(
        hashlib.sha256(ciphertext).hexdigest(), hashlib.sha256(COMMIT + salted).hexdigest(), payload.name
    )
    return Sealed(commitment, payload.engagement, nonce + wrapped + ciphertext)


def unseal(blob: bytes, engagement: str, commitment: Commitment, keys: EngagementKeys) -> bytes:
    """The content of a sealed payload, checked against both hashes that its entry holds."""
    from cryptography.exceptions import InvalidTag

    wrapped, ciphertext = blob[:WRAPPED_BYTES], blob[WRAPPED_BYTES:]
    if hashlib.sha256(ciphertext).hexdigest() != commitment.ciphertext:
        raise VerificationError(f"payload {commitment.name} is not the one that the entry commits to")
    try:
        key = cipher(keys.existing(engagement)).decrypt(wrapped[:12], wrapped[12:], engagement.encode())
        salted: bytes = _aesgcm(key).decrypt(_NONCE, ciphertext, commitment.name.encode())
    except InvalidTag:
        raise VerificationError(f"the key of engagement {engagement} does not open payload {commitment.name}") from None
    if hashlib.sha256(COMMIT + salted).hexdigest() != commitment.commitment:
        raise VerificationError(f"payload {commitment.name} does not have the content that the entry commits to")
    return salted[SALT_BYTES:]
