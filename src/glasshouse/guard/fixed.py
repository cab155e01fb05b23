"""The core rules again, in plain Python: a second opinion on every decision, and no single library to trust.

`core` must name exactly the core rules that Cedar would name; `shipped` decides as the shipped set would.  Tests hold
both against Cedar over all facts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from glasshouse.access.facts import Facts


class Verdict(msgspec.Struct, frozen=True):
    """What an evaluator found: whether the act is allowed, and the ids of the rules that decided."""

    allowed: bool
    deciding: tuple[str, ...]


_CORE: tuple[tuple[str, Callable[[Facts], bool]], ...] = (
    ("core.halted", lambda facts: facts.halted),
    ("core.organisation-not-vetted", lambda facts: facts.organisation_state != "vetted"),
    ("core.caller-inactive", lambda facts: not facts.caller_active),
    ("core.key-not-live", lambda facts: not facts.key_live),
    (
        "core.foreign-engagement",
        lambda facts: facts.engagement_organisation != facts.organisation or not facts.member,
    ),
    ("core.engagement-not-active", lambda facts: facts.engagement_state != "active"),
    ("core.out-of-term", lambda facts: not facts.in_term),
    ("core.out-of-scope", lambda facts: not facts.in_scope),
    ("core.above-tier", lambda facts: facts.capability_tier > facts.engagement_tier),
    ("core.misuse", lambda facts: facts.screened and facts.misuse >= facts.misuse_denies_at),
)
CORE_IDS = tuple(name for name, _ in _CORE)
_WORK = ("analyse", "model", "respond")


def core(facts: Facts) -> tuple[str, ...]:
    """The ids of the core rules that forbid the request."""
    return tuple(name for name, forbids in _CORE if forbids(facts))


def shipped(facts: Facts) -> Verdict:
    """The verdict of the shipped policy set."""
    forbidden = list(core(facts))
    if facts.asks and not facts.approved:
        forbidden.append("ask.engagement")
    if facts.screened and facts.misuse >= facts.misuse_asks_at and not facts.approved:
        forbidden.append("ask.misuse")
    if forbidden:
        return Verdict(False, tuple(forbidden))
    granted = facts.capability in facts.granted
    if granted and facts.capability_group in _WORK and "operator" in facts.roles:
        return Verdict(True, ("grant.operator",))
    if granted and facts.capability_group == "administer" and "administrator" in facts.roles:
        return Verdict(True, ("grant.administrator",))
    return Verdict(False, ())
