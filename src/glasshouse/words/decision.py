"""The answer of policy: permit, deny with a reason, or ask people first."""

from __future__ import annotations

import msgspec


class Permit(msgspec.Struct, frozen=True, tag="permit"):
    """The act may go on.  ``policies`` are the ids that decided."""

    policies: tuple[str, ...]
    policy_hash: str


class Deny(msgspec.Struct, frozen=True, tag="deny"):
    """The act may not go on.  ``code`` is the id of the first rule that denied it; ``hint`` what would help."""

    code: str
    reason: str
    policies: tuple[str, ...]
    policy_hash: str
    hint: str = ""


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """The act may go on when ``needed`` of ``approvers`` (empty: anyone with the role) approve it in time."""

    reason: str
    policies: tuple[str, ...]
    policy_hash: str
    needed: int = 1
    approvers: tuple[str, ...] = ()
    lapses_after_s: int = 86_400


Decision = Permit | Deny | Ask
