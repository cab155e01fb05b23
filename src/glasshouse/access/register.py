"""Changing the register: organisations, people, workloads, engagements, keys and halts, each step by its state machine.

Every function changes the store and returns the new record; the door writes the change into the log.  Times are Unix
seconds.
"""

from __future__ import annotations

import re
import secrets

import msgspec

from glasshouse.access import keys, machines
from glasshouse.access.criteria import criteria, unmet
from glasshouse.store.records import Tables
from glasshouse.words.capability import CAPABILITIES, MAX_TIER
from glasshouse.words.engagement import Engagement
from glasshouse.words.errors import AccessError, TransitionError, UnknownRecordError
from glasshouse.words.halt import COHORT_KINDS, CohortKind, Halt
from glasshouse.words.party import (
    Appeal,
    ApproverKey,
    CriterionCheck,
    KeyRecord,
    Organisation,
    Person,
    Workload,
)

MAX_PATTERNS = 1000
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_replace = msgspec.structs.replace


def apply(tables: Tables, organisation: Organisation) -> Organisation:
    """A new organisation that applies for admission."""
    _check_id(organisation.id, "organisation")
    _check_country(organisation.country)
    tables.organisations.add(_replace(organisation, state=machines.ORGANISATION.initial, checks=(), appeals=()))
    return tables.organisations.get(organisation.id)


def record_check(tables: Tables, name: str, check: CriterionCheck) -> Organisation:
    """Adds the result of checking one criterion; the evidence is named by its SHA-256."""
    if check.criterion not in {each.id for each in criteria()}:
        raise AccessError(f"no criterion {check.criterion}", hint="`glasshouse access criteria` lists them.")
    if not _DIGEST.fullmatch(check.evidence):
        raise AccessError("the evidence must be named by a SHA-256 digest of 64 hex digits")
    return tables.organisations.change(name, lambda old: _replace(old, checks=(*old.checks, check)))


def move_organisation(tables: Tables, name: str, event: str, reason: str = "") -> Organisation:
    """Takes an organisation a step on: vet, refuse, suspend, reinstate, revoke, reapply."""
    if event in ("refuse", "suspend", "revoke") and not reason.strip():
        raise AccessError(f"to {event} an organisation takes a reason", hint="Give --reason.")

    def step(old: Organisation) -> Organisation:
        state = machines.ORGANISATION.after(old.state, event)
        if event == "vet" and (missing := unmet(old)):
            names = ", ".join(each.id for each in missing)
            raise TransitionError(f"{old.id} cannot be vetted: not met: {names}", hint="`glasshouse access org check`.")
        return _replace(old, state=state, reason=reason)

    return tables.organisations.change(name, step)


def appeal(tables: Tables, name: str, grounds: str, now: int) -> Organisation:
    """Records an appeal against a refusal, suspension or revocation."""

    def add(old: Organisation) -> Organisation:
        if old.state not in ("suspended", "revoked"):
            raise TransitionError(f"{name} is {old.state}: there is nothing to appeal against")
        return _replace(old, appeals=(*old.appeals, Appeal(now, grounds)))

    return tables.organisations.change(name, add)


def decide_appeal(tables: Tables, name: str, decision: str, now: int, *, upheld: bool) -> Organisation:
    """Decides the open appeal; upheld brings a suspended organisation back, and lets a revoked one apply again."""

    def decide(old: Organisation) -> Organisation:
        if not old.appeals or old.appeals[-1].decided_at:
            raise TransitionError(f"{name} has no open appeal")
        last = _replace(old.appeals[-1], decided_at=now, upheld=upheld, decision=decision)
        new = _replace(old, appeals=(*old.appeals[:-1], last))
        if not upheld:
            return new
        event = "reinstate" if old.state == "suspended" else "reapply"
        return _replace(new, state=machines.ORGANISATION.after(old.state, event), reason="appeal upheld")

    return tables.organisations.change(name, decide)


def add_person(tables: Tables, person: Person) -> Person:
    """A new person of an organisation that exists."""
    _check_id(person.id, "person")
    _check_country(person.country)
    if not 0 <= person.clearance <= MAX_TIER:
        raise AccessError(f"a clearance is 0 to {MAX_TIER}, not {person.clearance}")
    tables.organisations.get(person.organisation)
    if tables.workloads.find(person.id) is not None:
        raise AccessError(f"{person.id} is the name of a workload already")
    tables.people.add(person)
    return person


def add_workload(tables: Tables, workload: Workload) -> Workload:
    """A new workload of an organisation that exists."""
    _check_id(workload.id, "workload")
    tables.organisations.get(workload.organisation)
    if tables.people.find(workload.id) is not None:
        raise AccessError(f"{workload.id} is the name of a person already")
    tables.workloads.add(workload)
    return workload


def add_approver_key(tables: Tables, name: str, key: ApproverKey) -> Person:
    """Registers a public key with which a person signs approvals."""

    def add(old: Person) -> Person:
        if any(each.id == key.id for each in old.approver_keys):
            raise AccessError(f"{name} has that key already")
        return _replace(old, approver_keys=(*old.approver_keys, key))

    return tables.people.change(name, add)


def deactivate(tables: Tables, name: str) -> None:
    """A person or workload that has left: none of their keys works from now on."""
    if tables.people.find(name) is not None:
        tables.people.change(name, lambda old: _replace(old, active=False))
    else:
        tables.workloads.change(name, lambda old: _replace(old, active=False))


def draft(tables: Tables, engagement: Engagement) -> Engagement:
    """A new engagement in draft; `AccessError` for what can never be granted."""
    check_engagement(engagement)
    tables.organisations.get(engagement.organisation)
    new = _replace(engagement, state=machines.ENGAGEMENT.initial)
    tables.engagements.add(new)
    return new


def move_engagement(tables: Tables, name: str, event: str) -> Engagement:
    """Takes an engagement a step on: request, return, activate, pause, resume, expire, revoke."""

    def step(old: Engagement) -> Engagement:
        return _replace(old, state=machines.ENGAGEMENT.after(old.state, event))

    return tables.engagements.change(name, step)


def check_engagement(engagement: Engagement) -> None:
    """Raises `AccessError` for an engagement that contradicts itself."""
    _check_id(engagement.id, "engagement")
    where = f"engagement {engagement.id}"
    if not engagement.purpose.strip():
        raise AccessError("an engagement has a purpose", where=where)
    if engagement.term.ends_at <= engagement.term.starts_at:
        raise AccessError("the term ends before it starts", where=where)
    if not 0 <= engagement.tier <= MAX_TIER:
        raise AccessError(f"a tier is 0 to {MAX_TIER}, not {engagement.tier}", where=where)
    for name in engagement.capabilities:
        if name not in CAPABILITIES:
            raise AccessError(f"no capability {name}", where=where, hint=f"One of {', '.join(CAPABILITIES)}.")
        if CAPABILITIES[name].tier > engagement.tier:
            raise AccessError(
                f"{name} needs tier {CAPABILITIES[name].tier}", where=where, hint="Raise tier, or leave it out."
            )
    for rule in engagement.approvals:
        if rule.needed < 1 or (rule.approvers and len(set(rule.approvers)) < rule.needed):
            raise AccessError(f"{rule.needed} approvals of {len(set(rule.approvers))} approvers", where=where)
    scope = engagement.scope
    patterns = (*scope.files, *scope.hosts, *scope.packages, *scope.models, *scope.records)
    patterns += tuple(glob for code in scope.code for glob in (code.origin, code.tree, *code.globs))
    if len(patterns) > MAX_PATTERNS or any(len(each) > 512 or "\0" in each for each in patterns):
        raise AccessError(f"a scope has at most {MAX_PATTERNS} patterns of at most 512 characters", where=where)
    if any(not code.origin and not code.tree for code in scope.code):
        raise AccessError("a code scope names an origin or a tree", where=where)


def issue_key(
    tables: Tables, pepper: bytes, holder: str, engagement: str, now: int, lifetime_s: int, environment: str = "live"
) -> tuple[keys.ParsedKey, KeyRecord]:
    """A new key for a person or workload under an engagement; its text exists only in what this returns."""
    if not 0 < lifetime_s <= keys.MAX_LIFETIME_S:
        raise AccessError(f"a key lives at most {keys.MAX_LIFETIME_S // 86_400} days")
    person = tables.people.find(holder) or tables.workloads.find(holder)
    if person is None:
        raise UnknownRecordError(f"no person or workload {holder}")
    if tables.engagements.get(engagement).organisation != person.organisation:
        raise AccessError(f"{holder} is not of the organisation of engagement {engagement}")
    key = keys.mint(environment)
    record = KeyRecord(key.public_id, holder, engagement, keys.fingerprint(key, pepper), now, now + lifetime_s)
    tables.keys.add(record)
    return key, record


def rotate_key(
    tables: Tables, pepper: bytes, public_id: str, now: int, lifetime_s: int, overlap_s: int
) -> tuple[keys.ParsedKey, KeyRecord]:
    """A new key in place of an old one, which goes on for ``overlap_s`` and no longer."""
    old = tables.keys.get(public_id)
    machines.KEY.after(old.state, "rotate")
    key, record = issue_key(tables, pepper, old.holder, old.engagement, now, lifetime_s)

    def retire(each: KeyRecord) -> KeyRecord:
        state = machines.KEY.after(each.state, "rotate")
        ends = min(each.expires_at, now + max(0, overlap_s))
        return _replace(each, state=state, replaced_by=record.public_id, expires_at=ends)

    tables.keys.change(public_id, retire)
    return key, record


def revoke_key(tables: Tables, public_id: str) -> KeyRecord:
    """Revokes a key for good; nothing leads back."""
    return tables.keys.change(public_id, lambda old: _replace(old, state=machines.KEY.after(old.state, "revoke")))


def order_halt(tables: Tables, kind: CohortKind, value: str, reason: str, by: str, now: int) -> Halt:
    """Shuts out a cohort, or everything, in every process, until the halt is lifted."""
    if kind not in COHORT_KINDS or (kind == "all") != (value == ""):
        raise AccessError("a halt covers everything, or one kind of cohort with its value")
    if kind == "tier" and not (value.isdecimal() and int(value) <= MAX_TIER):
        raise AccessError(f"a tier is 0 to {MAX_TIER}, not {value!r}")
    halt = Halt(secrets.token_hex(6), kind, value, reason, by, now)
    tables.halts.add(halt)
    return halt


def covers_somebody(tables: Tables, kind: CohortKind, value: str) -> bool:
    """Whether a halt would shut out anybody in the register today; `UnknownRecordError` for an id that it lacks.

    A misspelt id must not pass for a halt: whoever orders one in a hurry would believe that somebody was stopped.
    """
    get = {"organisation": tables.organisations.get, "engagement": tables.engagements.get, "key": tables.keys.get}
    if kind in get and value != "local":
        get[kind](value)
    if kind == "holder" and not value.startswith("local:") and not tables.workloads.find(value):
        tables.people.get(value)
    if kind == "employer":
        return any(each.employer.casefold() == value.casefold() for each in tables.people.all())
    if kind == "country":
        countries = [each.country for each in tables.organisations.all()]
        countries += [each.country for each in tables.people.all()]
        return value.upper() in (each.upper() for each in countries)
    return True


def lift_halt(tables: Tables, name: str, now: int) -> Halt:
    """Lifts a halt; what it covered is admitted again if nothing else stands against it."""

    def lift(old: Halt) -> Halt:
        if old.lifted_at:
            raise TransitionError(f"halt {name} is lifted already")
        return _replace(old, lifted_at=max(now, 1))

    return tables.halts.change(name, lift)


def _check_id(name: str, kind: str) -> None:
    if not _ID.fullmatch(name):
        raise AccessError(
            f"{name[:80]!r} is no name of a {kind}", hint="Lower-case letters, digits, . _ -, at most 63."
        )
    if name == "local":
        raise AccessError("`local` is the built-in name of this machine's user", hint="Choose another name.")


def _check_country(country: str) -> None:
    if country and not _COUNTRY.fullmatch(country):
        raise AccessError(f"{country!r} is no country code", hint="Two capital letters (ISO 3166-1), such as FR.")
