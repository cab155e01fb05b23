"""What policy is told about a request: everything already looked up, so that a decision needs no clock and no file."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import msgspec

from glasshouse.access import machines
from glasshouse.access.scope import outside
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.capability import CAPABILITIES, MAX_TIER, Capability
from glasshouse.words.halt import Halt
from glasshouse.words.party import Caller, KeyRecord

UNKNOWN_TIER = MAX_TIER + 1
PASS_UNDER_HALT = ("access.halt", "access.withdraw")
"""What whoever owns the machine may do under any halt: lift what was ordered, and take more rights away, never give."""


class Facts(msgspec.Struct, frozen=True):
    """The facts of one request.  Equal facts get equal decisions, so they are also the key of the decision cache.

    ``misuse`` is the screening score in per cent; ``screened`` tells whether there was one.  ``halted`` is set when a
    halt in force covers the caller, the engagement or a target.
    """

    caller_kind: str
    caller: str
    caller_active: bool
    roles: tuple[str, ...]
    country: str
    employer: str
    clearance: int
    organisation: str
    organisation_state: str
    key_live: bool
    engagement: str
    engagement_organisation: str
    engagement_state: str
    in_term: bool
    granted: tuple[str, ...]
    engagement_tier: int
    member: bool
    misuse_asks_at: int
    misuse_denies_at: int
    capability: str
    capability_group: str
    capability_tier: int
    in_scope: bool
    halted: bool
    asks: bool
    screened: bool
    misuse: int
    approved: bool = False


def facts_of(
    caller: Caller, act: Act, circumstances: Circumstances, halts: Iterable[Halt], now: int, *, approved: bool = False
) -> Facts:
    """The facts of a request at the time ``now`` (Unix seconds)."""
    capability = CAPABILITIES.get(act.capability)
    engagement = caller.engagement
    return Facts(
        caller_kind=caller.kind,
        caller=caller.id,
        caller_active=caller.active,
        roles=tuple(sorted(caller.roles)),
        country=caller.country,
        employer=caller.employer,
        clearance=caller.clearance,
        organisation=caller.organisation.id,
        organisation_state=caller.organisation.state,
        key_live=key_is_live(caller, now),
        engagement=engagement.id,
        engagement_organisation=engagement.organisation,
        engagement_state=engagement.state,
        in_term=engagement.term.holds(now),
        granted=tuple(sorted(engagement.capabilities)),
        engagement_tier=engagement.tier,
        member=not engagement.operators or caller.id in engagement.operators,
        misuse_asks_at=engagement.misuse_asks_at,
        misuse_denies_at=engagement.misuse_denies_at,
        capability=act.capability,
        capability_group=capability.group if capability else "",
        capability_tier=capability.tier if capability else UNKNOWN_TIER,
        in_scope=act.engagement == engagement.id and not out_of_scope(caller, act),
        halted=halt_on(caller, act, halts) is not None,
        asks=_asks(caller, act, capability),
        screened=circumstances.misuse is not None,
        misuse=max(0, min(100, circumstances.misuse or 0)),
        approved=approved,
    )


def out_of_scope(caller: Caller, act: Act) -> tuple[Target, ...]:
    """The targets that the caller's engagement does not cover or that the capability does not act on."""
    return _out_of_scope(caller, act)


@functools.lru_cache(maxsize=4096)
def _out_of_scope(caller: Caller, act: Act) -> tuple[Target, ...]:
    capability = CAPABILITIES.get(act.capability)
    kinds = capability.targets if capability else ()
    wrong_kind = tuple(target for target in act.targets if target.kind not in kinds)
    return wrong_kind + outside(caller.engagement.scope, tuple(each for each in act.targets if each not in wrong_kind))


def key_is_live(caller: Caller, now: int) -> bool:
    """Whether the key may be used now; a caller without one (the local user) needs none."""
    return caller.kind == "local" if caller.key is None else record_is_live(caller.key, now)


def record_is_live(key: KeyRecord, now: int) -> bool:
    """Whether a key is neither revoked nor outside its time."""
    return key.state in machines.KEY.live and key.issued_at <= now < key.expires_at


def halt_on(caller: Caller, act: Act, halts: Iterable[Halt]) -> Halt | None:
    """The first halt in force that covers the request."""
    return next((halt for halt in halts if not halt.lifted_at and _covers(halt, caller, act)), None)


def _covers(halt: Halt, caller: Caller, act: Act) -> bool:
    if caller.kind == "local" and act.capability in PASS_UNDER_HALT:
        return False
    match halt.kind:
        case "all":
            return True
        case "organisation":
            return halt.value in (caller.organisation.id, caller.engagement.organisation)
        case "country":
            return halt.value.upper() in (caller.country.upper(), caller.organisation.country.upper())
        case "employer":
            return halt.value.casefold() == caller.employer.casefold()
        case "tier":
            return not halt.value.isdecimal() or caller.engagement.tier >= int(halt.value)
        case "engagement":
            return halt.value == caller.engagement.id
        case "model":
            return any(target.kind == "model" and target.name == halt.value for target in act.targets)
        case "release":
            model, _, tier = halt.value.rpartition("@")
            named = any(target.kind == "model" and target.name == model for target in act.targets)
            return named and act.capability != "model.assess" and tier == str(caller.engagement.tier)
        case "key":
            return halt.value == caller.key_id
        case "holder":
            return halt.value == caller.id


def _asks(caller: Caller, act: Act, capability: Capability | None) -> bool:
    return (capability is not None and capability.asks) or caller.engagement.rule_for(act.capability) is not None
