"""What documents keep in the log: statements, outside documents, training records, and the documents made."""

from __future__ import annotations

import base64

import msgspec

from glasshouse.dossier.evidence import Attestation, External, Training


class Attested(msgspec.Struct, frozen=True, tag="attest.statement"):
    """A signed statement; ``signature`` is Ed25519 over `statement_bytes`, ``public_key`` its key, both base64."""

    statement: Attestation
    public_key: str
    signature: str


class ExternalKept(msgspec.Struct, frozen=True, tag="attest.external"):
    """An outside document, kept unaltered."""

    external: External


class TrainingRecorded(msgspec.Struct, frozen=True, tag="assess.training"):
    """What a training script wrote about its weights."""

    training: Training


class DocumentMade(msgspec.Struct, frozen=True, tag="dossier.made"):
    """A document was made: its kind, subject, audience and digest."""

    kind: str
    subject: str
    audience: str
    digest: str


DossierRecord = Attested | ExternalKept | TrainingRecorded | DocumentMade


def statement_bytes(statement: Attestation) -> bytes:
    """What a person signs: the statement without what the log adds later."""
    plain = msgspec.structs.replace(statement, entry=-1, signer="", unsound=False)
    return b"glasshouse/attest/v1\n" + msgspec.json.encode(plain, order="deterministic")


def holds(public_key: str, signature: str, body: bytes) -> bool:
    """Whether a signature (Ed25519; key and signature base64) is one over these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), body)
    except (ValueError, InvalidSignature):
        return False
    return True
