"""OCSF events for what passes the door: API Activity (6003), in the words of the published schema, version 1.8.0.

An event is the payload of an entry and is sealed beside the log, so it may name people; the entry itself may not.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

from glasshouse.door.activity import (
    ALLOWED,
    APPROVAL,
    DENIED,
    FAILURE,
    INFORMATIONAL,
    LOW,
    MEDIUM,
    OCSF_VERSION,
    PRODUCT,
    SUCCESS,
    UNKNOWN,
    Asked,
    Ended,
    Endpoint,
    Rule,
    activity,
)
from glasshouse.words.act import Act, Circumstances, InputProfile, Target
from glasshouse.words.approval import ApprovalRequest, Vote
from glasshouse.words.canonical import canonical
from glasshouse.words.decision import Ask, Decision, Deny, Permit
from glasshouse.words.party import Caller, KeyRecord
from glasshouse.words.passage import Outcome

_ACTION = {Permit: ALLOWED, Deny: DENIED, Ask: APPROVAL}
MAX_TARGETS_SHOWN = 200
MAX_ACTORS = 4_096


def request_event(
    caller: Caller, act: Act, circumstances: Circumstances, decision: Decision, time_ms: int, uid: str
) -> bytes:
    """The event of a request and of what policy said to it."""
    status, severity = (FAILURE, MEDIUM) if isinstance(decision, Deny) else (UNKNOWN, INFORMATIONAL)
    more = _who(caller, act)
    if not isinstance(decision, Permit):
        more["status_detail"] = decision.reason
    if circumstances.origin:
        more["src_endpoint"] = Endpoint(circumstances.origin)
    more["policy"] = Rule(decision.policies[0] if decision.policies else "none", decision.policy_hash)
    more["unmapped"] = Asked(
        approval=circumstances.approval,
        describes=act.describes,
        input=_input(circumstances.profile),
        input_digest=act.input_digest,
        misuse=circumstances.misuse,
        misuse_categories=circumstances.misuse_categories,
        policies=decision.policies,
        session=circumstances.session,
    )
    return activity(act.capability, time_ms, uid, status, severity, _ACTION[type(decision)], **more)


def outcome_event(caller: Caller, act: Act, outcome: Outcome, time_ms: int, uid: str) -> bytes:
    """The event of how an act ended."""
    status, severity = (SUCCESS, INFORMATIONAL) if outcome.status == "done" else (FAILURE, LOW)
    more = _who(caller, act)
    more["status_code"] = outcome.code or outcome.status
    more["unmapped"] = Ended(
        counts=outcome.counts,
        items=outcome.items,
        outcome=outcome.status,
        result_digest=outcome.digest,
        screened=[msgspec.to_builtins(each) for each in outcome.screened],
        size_bytes=outcome.size_bytes,
    )
    return activity(act.capability, time_ms, uid, status, severity, ALLOWED, **more)


def change_event(caller: Caller, act: Act, before: object, after: object, time_ms: int, uid: str) -> bytes:
    """The event of a change to the register, with the record before and after (without the MAC of a key)."""
    more = _who(caller, act)
    more["unmapped"] = _without_empty({"describes": act.describes, "before": _shown(before), "after": _shown(after)})
    return activity(act.capability, time_ms, uid, SUCCESS, INFORMATIONAL, ALLOWED, **more)


def refusal_event(code: str, count: int, time_ms: int, uid: str) -> bytes:
    """The event of keys that were refused: nobody is known, and the text of a key is never kept."""
    nobody = {"user": {"name": "unknown"}}
    return activity(
        "access.resolve", time_ms, uid, FAILURE, MEDIUM, DENIED, actor=nobody, count=count, status_code=code
    )


def interrupted_event(index: int, time_ms: int, uid: str) -> bytes:
    """The event that closes a request whose process died before it could say how the act ended."""
    unmapped = {"outcome": "interrupted", "about": index}
    return activity(
        "act.outcome", time_ms, uid, FAILURE, LOW, ALLOWED,
        actor={"app_name": "glasshouse"}, status_code="interrupted", unmapped=unmapped,
    )  # fmt: skip


def _shown(record: object) -> object:
    return msgspec.to_builtins(msgspec.structs.replace(record, mac="") if isinstance(record, KeyRecord) else record)


def _who(caller: Caller, act: Act) -> dict[str, Any]:
    """The fields of an event that say who acted on what."""
    more: dict[str, Any] = {"actor": _ACTORS.of(caller), "resources": _resources(act.targets[:MAX_TARGETS_SHOWN])}
    if len(act.targets) > MAX_TARGETS_SHOWN:
        more["count"] = len(act.targets)
    return more


def _input(profile: InputProfile | None) -> dict[str, int | str] | None:
    if profile is None:
        return None
    return {"characters": profile.characters, "code": profile.code, "language": profile.language}


def metadata(uid: str) -> dict[str, Any]:
    """The part that every OCSF event has: who reports it, in which version of the schema, under which id."""
    return {"version": OCSF_VERSION, "uid": uid, "product": PRODUCT}


def actor(caller: Caller) -> dict[str, Any]:
    """Who acted, as OCSF says it."""
    user: dict[str, Any] = {"uid": caller.id, "org": {"uid": caller.organisation.id, "name": caller.organisation.name}}
    if caller.kind == "local":
        user["name"] = caller.id.partition(":")[2]
    if caller.key is not None:
        user["credential_uid"] = caller.key.public_id
    return {"user": user, "authorizations": [{"policy": {"uid": f"engagement:{caller.engagement.id}"}}]}


class _Actors:
    """Actors as they stand in events, encoded once for as long as the directory gives the same caller."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Caller, msgspec.Raw]] = {}

    def of(self, caller: Caller) -> msgspec.Raw:
        known = self._known.get(caller.key_id)
        if known is not None and known[0] is caller:
            return known[1]
        found = msgspec.Raw(canonical(actor(caller)))
        if len(self._known) >= MAX_ACTORS:
            self._known.clear()
        self._known[caller.key_id] = (caller, found)
        return found


_ACTORS = _Actors()


@functools.lru_cache(maxsize=1_024)
def _resources(targets: tuple[Target, ...]) -> msgspec.Raw:
    return msgspec.Raw(canonical([_resource(each) for each in targets]))


def _resource(target: Target) -> dict[str, Any]:
    name = f"{target.name}/{target.path}" if target.path else target.name
    return _without_empty({"type": target.kind, "name": name, "uid": target.tree or name})


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, ())}


def approval_event(caller: Caller, request: ApprovalRequest, time_ms: int) -> bytes:
    """The event of an act that waits for people, with its terms in full."""
    terms = request.terms
    more = _who(caller, terms.act)
    more["unmapped"] = {"approval_terms": msgspec.to_builtins(terms), "terms_digest": terms.digest()}
    return activity(
        terms.act.capability, time_ms, terms.id, UNKNOWN, INFORMATIONAL, APPROVAL, status_detail=terms.why, **more
    )


def vote_event(recorder: Caller, request: ApprovalRequest, vote: Vote, time_ms: int, refused: str = "") -> bytes:
    """The event of a vote with its signature, or of one that was refused and why."""
    terms = request.terms
    status, severity, action = (FAILURE, MEDIUM, DENIED) if refused else (SUCCESS, INFORMATIONAL, ALLOWED)
    unmapped = {
        "vote": msgspec.to_builtins(vote),
        "terms": msgspec.to_builtins(terms),
        "terms_digest": terms.digest(),
        "state": request.state,
    }
    voter = actor(recorder) | {"user": {"uid": vote.approver}}
    return activity(
        "approval.decide", time_ms, terms.id, status, severity, action,
        actor=voter, status_detail=refused, unmapped=unmapped,
    )  # fmt: skip
