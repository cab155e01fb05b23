"""What a caller gets for an entry, and the text form of proofs."""

from __future__ import annotations

import base64
from typing import Literal

import msgspec

from glasshouse.ledger.audit.verify import PROOF_HEADER

Quorum = Literal["none", "pending", "reached"]


class SignedCheckpoint(msgspec.Struct, frozen=True):
    """A promise of the log: so many entries with that root, signed."""

    size: int
    root: bytes
    note: str
    """The signed note, with all its signature lines."""


class Receipt(msgspec.Struct, frozen=True):
    """The log's answer: this entry is number ``index``, durable, and covered by the checkpoint."""

    index: int
    leaf_hash: bytes
    entry: bytes
    checkpoint: SignedCheckpoint
    quorum: Quorum


def proof_text(index: int, hashes: list[bytes], checkpoint: str, entry: bytes | None) -> str:
    """A ``.tlog-proof`` file (C2SP tlog-proof); the entry travels in its ``extra`` line."""
    lines = [PROOF_HEADER]
    if entry is not None:
        lines.append(f"extra {base64.b64encode(entry).decode()}")
    lines.append(f"index {index}")
    lines += [base64.b64encode(each).decode() for each in hashes]
    return "\n".join(lines) + f"\n\n{checkpoint}"


def checkpoint_body(origin: str, size: int, root: bytes) -> bytes:
    """The text of a checkpoint that signatures cover (C2SP tlog-checkpoint)."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
