"""Requests that wait for people, and what people said."""

from __future__ import annotations

from typing import Literal

import msgspec

from glasshouse.words.act import Act
from glasshouse.words.canonical import digest

ApprovalState = Literal["waiting", "approved", "denied", "lapsed", "used"]
Verdict = Literal["approve", "deny"]


class CheckpointMark(msgspec.Struct, frozen=True):
    """A state of the log: origin, number of entries, root hash in hex."""

    origin: str
    size: int
    root: str


class ApprovalTerms(msgspec.Struct, frozen=True):
    """What an approver signs: the exact act, why it was asked, under which policy, at which state of the log."""

    id: str
    act: Act
    act_digest: str
    requester: str
    organisation: str
    why: str
    policies: tuple[str, ...]
    policy_hash: str
    checkpoint: CheckpointMark
    needed: int
    approvers: tuple[str, ...]
    asked_at: int
    lapses_at: int

    def digest(self) -> str:
        """SHA-256 of the terms: part of what every vote signs, with an Ed25519 key or a passkey."""
        return digest(self)


class Vote(msgspec.Struct, frozen=True):
    """One person's signed verdict; ``signature`` in base64url, for passkeys the assertion as JSON in base64url."""

    approver: str
    verdict: Verdict
    key_kind: Literal["ed25519", "passkey"]
    key_id: str
    signature: str
    voted_at: int
    reason: str = ""


class ApprovalRequest(msgspec.Struct, frozen=True):
    """Terms with what has come of them."""

    terms: ApprovalTerms
    state: ApprovalState = "waiting"
    votes: tuple[Vote, ...] = ()
