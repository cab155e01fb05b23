"""Who acts: organisations and how they were vetted, people, workloads, keys, and the caller they resolve to."""

from __future__ import annotations

from typing import Literal

import msgspec

from glasshouse.words.engagement import Engagement

VettingState = Literal["applied", "vetted", "suspended", "revoked"]
Role = Literal["operator", "approver", "auditor", "administrator"]
KeyState = Literal["active", "rotated", "revoked"]
CallerKind = Literal["local", "person", "workload"]
ROLES: tuple[Role, ...] = ("operator", "approver", "auditor", "administrator")


class CriterionCheck(msgspec.Struct, frozen=True):
    """One admission criterion as it was checked: by whom, when, with what result, on which evidence (SHA-256)."""

    criterion: str
    met: bool
    reviewer: str
    checked_at: int
    evidence: str


class Appeal(msgspec.Struct, frozen=True):
    """An organisation's answer to a refusal, and what came of it."""

    filed_at: int
    grounds: str
    decided_at: int = 0
    upheld: bool = False
    decision: str = ""


class Organisation(msgspec.Struct, frozen=True):
    """An organisation.  ``reason`` says why it is suspended, revoked or was refused."""

    id: str
    name: str
    country: str = ""
    state: VettingState = "applied"
    reason: str = ""
    checks: tuple[CriterionCheck, ...] = ()
    appeals: tuple[Appeal, ...] = ()


class ApproverKey(msgspec.Struct, frozen=True):
    """A public key with which a person signs approvals.

    ``ed25519``: 32 bytes in hex.  ``passkey``: a WebAuthn credential (``id`` and COSE key in base64url), with the
    signature counter last seen.
    """

    kind: Literal["ed25519", "passkey"]
    id: str
    public: str
    sign_count: int = 0


class Person(msgspec.Struct, frozen=True):
    """A person of an organisation.  ``country`` is where they work (ISO 3166), ``clearance`` 0 to 3."""

    id: str
    organisation: str
    name: str
    roles: tuple[Role, ...] = ()
    country: str = ""
    employer: str = ""
    clearance: int = 0
    active: bool = True
    approver_keys: tuple[ApproverKey, ...] = ()


class Workload(msgspec.Struct, frozen=True):
    """A program that acts for an organisation."""

    id: str
    organisation: str
    name: str
    roles: tuple[Role, ...] = ("operator",)
    active: bool = True


class KeyRecord(msgspec.Struct, frozen=True):
    """What is stored of a key: never the secret, only ``mac``, its HMAC under the pepper, in hex."""

    public_id: str
    holder: str
    engagement: str
    mac: str
    issued_at: int
    expires_at: int
    state: KeyState = "active"
    replaced_by: str = ""


class Caller(msgspec.Struct, frozen=True):
    """Who is at the door, resolved: holder, organisation, key, and the engagement the key is for."""

    kind: CallerKind
    id: str
    organisation: Organisation
    engagement: Engagement
    roles: tuple[Role, ...]
    country: str = ""
    employer: str = ""
    clearance: int = 0
    active: bool = True
    key: KeyRecord | None = None

    @property
    def key_id(self) -> str:
        """The public id of the key, the only part that is ever logged; ``local`` without one."""
        return self.key.public_id if self.key is not None else "local"
