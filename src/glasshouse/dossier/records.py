"""What documents keep in the log: statements, outside documents, training records, and the documents made."""

from __future__ import annotations

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
    plain = msgspec.structs.replace(statement, entry=-1, signer="")
    return b"glasshouse/attest/v1\n" + msgspec.json.encode(plain, order="deterministic")
