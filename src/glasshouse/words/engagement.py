"""Engagements: a purpose, a scope, a term, capabilities, approvers and limits, agreed before anything is done."""

from __future__ import annotations

from typing import Literal

import msgspec

EngagementState = Literal["draft", "requested", "active", "paused", "expired", "revoked"]
Keeps = Literal["nothing", "sealed"]


class CodeScope(msgspec.Struct, frozen=True):
    """Code trees: those of a repository below path globs, or exactly one tree by its digest.

    ``origin`` is a repository's URL or an absolute folder.  In ``globs`` ``*`` stays in one folder and ``**`` crosses
    folders.
    """

    origin: str = ""
    globs: tuple[str, ...] = ("**",)
    tree: str = ""


class Scope(msgspec.Struct, frozen=True):
    """What may be acted on; an empty tuple means none.

    ``hosts``: names (``*.example.org`` covers names below), addresses or networks (CIDR).  ``packages``: package URLs,
    with or without version.  ``models``: names, with ``*``.  ``files``: absolute paths or folders.  ``records``:
    identifiers of ours, with ``*``.
    """

    code: tuple[CodeScope, ...] = ()
    files: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    records: tuple[str, ...] = ()


class Term(msgspec.Struct, frozen=True):
    """From ``starts_at`` (inclusive) to ``ends_at`` (exclusive), Unix seconds."""

    starts_at: int
    ends_at: int

    def holds(self, now: int) -> bool:
        """Whether ``now`` lies in the term."""
        return self.starts_at <= now < self.ends_at


class ApprovalRule(msgspec.Struct, frozen=True):
    """Acts of these capabilities wait for ``needed`` approvals out of ``approvers`` (empty: anyone with the role)."""

    capabilities: tuple[str, ...]
    needed: int = 1
    approvers: tuple[str, ...] = ()
    lapses_after_s: int = 86_400


class Quota(msgspec.Struct, frozen=True):
    """Limits of use; None means no limit.  Money is in millionths of the currency the prices are in."""

    acts_per_day: int | None = None
    requests_per_minute: int | None = None
    concurrent_requests: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    money_micros_per_day: int | None = None
    money_micros_per_month: int | None = None


MISUSE_DENIES_AT = 95
"""The screening score, in whole per cent, from which on a request is denied where an engagement says nothing: the
screener's calibrated point ``deny``, to the nearest per cent.  A test holds the two together."""


class Engagement(msgspec.Struct, frozen=True):
    """An agreement under which an organisation acts.

    ``operators`` are the people and workloads that may use it (empty: every operator of the organisation).
    ``misuse_asks_at`` and ``misuse_denies_at`` are screening scores in per cent (101: never).
    """

    id: str
    organisation: str
    purpose: str
    scope: Scope
    capabilities: tuple[str, ...]
    tier: int
    term: Term
    state: EngagementState = "draft"
    operators: tuple[str, ...] = ()
    approvals: tuple[ApprovalRule, ...] = ()
    quota: Quota = Quota()
    misuse_asks_at: int = 101
    misuse_denies_at: int = MISUSE_DENIES_AT
    fallback_model: str = ""
    keeps: Keeps = "nothing"
    """What the log keeps of a call to a model besides digests and sizes: nothing, or prompt and answer, sealed."""

    def rule_for(self, capability: str) -> ApprovalRule | None:
        """The approval rule for a capability, the one with most approvals if several apply."""
        rules = [rule for rule in self.approvals if capability in rule.capabilities]
        return max(rules, key=lambda rule: rule.needed, default=None)
