"""OCSF events for what passes the door: API Activity (6003), in the words of the published schema, version 1.8.0.

An event is the payload of an entry and is sealed beside the log, so it may name people; the entry itself may not.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

from glasshouse import __version__
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.approval import ApprovalRequest, Vote
from glasshouse.words.canonical import canonical
from glasshouse.words.decision import Ask, Decision, Deny, Permit
from glasshouse.words.party import Caller, KeyRecord
from glasshouse.words.passage import Outcome

OCSF_VERSION = "1.8.0"
API_ACTIVITY = 6003
_ACTIVITY = {
    "access.change": (3, "Update"),
    "access.withdraw": (3, "Update"),
    "access.halt": (3, "Update"),
    "log.erase": (4, "Delete"),
}
_OTHER = (99, "Other")
_READ = (2, "Read")
_SUCCESS, _FAILURE, _UNKNOWN = (1, "Success"), (2, "Failure"), (0, "Unknown")
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_SEVERITY = {1: "Informational", 2: "Low", 3: "Medium"}
_ACTION = {Permit: (1, "Allowed"), Deny: (2, "Denied"), Ask: (99, "Approval requested")}
MAX_TARGETS_SHOWN = 200
MAX_ACTORS = 4_096


def request_event(
    caller: Caller, act: Act, circumstances: Circumstances, decision: Decision, time_ms: int, uid: str
) -> bytes:
    """The event of a request and of what policy said to it."""
    status, severity = _UNKNOWN, _INFORMATIONAL
    if isinstance(decision, Deny):
        status, severity = _FAILURE, _MEDIUM
    detail = "" if isinstance(decision, Permit) else decision.reason
    event = _activity(caller, act, time_ms, uid, status, severity)
    action_id, disposition = _ACTION[type(decision)]
    event |= {"action_id": action_id, "action": disposition}
    if detail:
        event["status_detail"] = detail
    if circumstances.origin:
        event["src_endpoint"] = {"ip": circumstances.origin}
    event["policy"] = {
        "uid": decision.policies[0] if decision.policies else "none",
        "version": decision.policy_hash,
    }
    event["unmapped"] = _without_empty(
        {
            "describes": act.describes,
            "input_digest": act.input_digest,
            "policies": list(decision.policies),
            "misuse": circumstances.misuse,
            "misuse_categories": list(circumstances.misuse_categories),
            "input": msgspec.to_builtins(circumstances.profile),
            "session": circumstances.session,
            "approval": circumstances.approval,
        }
    )
    return canonical(event)


def outcome_event(caller: Caller, act: Act, outcome: Outcome, time_ms: int, uid: str) -> bytes:
    """The event of how an act ended."""
    good = outcome.status == "done"
    event = _activity(caller, act, time_ms, uid, _SUCCESS if good else _FAILURE, _INFORMATIONAL if good else _LOW)
    event |= {"action_id": 1, "action": "Allowed", "status_code": outcome.code or outcome.status}
    event["unmapped"] = _without_empty(
        {
            "outcome": outcome.status,
            "result_digest": outcome.digest,
            "items": outcome.items,
            "size_bytes": outcome.size_bytes,
            "counts": outcome.counts,
            "screened": [msgspec.to_builtins(each) for each in outcome.screened],
        }
    )
    return canonical(event)


def change_event(caller: Caller, act: Act, before: object, after: object, time_ms: int, uid: str) -> bytes:
    """The event of a change to the register, with the record before and after (without the MAC of a key)."""
    event = _activity(caller, act, time_ms, uid, _SUCCESS, _INFORMATIONAL)
    event |= {"action_id": 1, "action": "Allowed"}
    event["unmapped"] = _without_empty({"describes": act.describes, "before": _shown(before), "after": _shown(after)})
    return canonical(event)


def refusal_event(code: str, count: int, time_ms: int, uid: str) -> bytes:
    """The event of keys that were refused: nobody is known, and the text of a key is never kept."""
    event = _frame("access.resolve", time_ms, uid, _FAILURE, _MEDIUM)
    event |= {"action_id": 2, "action": "Denied", "status_code": code, "actor": {"user": {"name": "unknown"}}}
    event["count"] = count
    return canonical(event)


def interrupted_event(index: int, time_ms: int, uid: str) -> bytes:
    """The event that closes a request whose process died before it could say how the act ended."""
    event = _frame("act.outcome", time_ms, uid, _FAILURE, _LOW)
    event |= {"action_id": 1, "action": "Allowed", "status_code": "interrupted", "actor": {"app_name": "glasshouse"}}
    event["unmapped"] = {"outcome": "interrupted", "about": index}
    return canonical(event)


def _shown(record: object) -> object:
    return msgspec.to_builtins(msgspec.structs.replace(record, mac="") if isinstance(record, KeyRecord) else record)


def _activity(
    caller: Caller, act: Act, time_ms: int, uid: str, status: tuple[int, str], severity: int
) -> dict[str, Any]:
    event = _frame(act.capability, time_ms, uid, status, severity)
    event["actor"] = _ACTORS.of(caller)
    event["resources"] = _resources(act.targets[:MAX_TARGETS_SHOWN])
    if len(act.targets) > MAX_TARGETS_SHOWN:
        event["count"] = len(act.targets)
    return event


def _frame(operation: str, time_ms: int, uid: str, status: tuple[int, str], severity: int) -> dict[str, Any]:
    event = dict(_unchanging(operation, status, severity))
    event["metadata"] = metadata(uid) | {"profiles": ["security_control"]}
    event["time"] = time_ms
    event["api"] = {"operation": operation, "service": {"name": "glasshouse"}, "request": {"uid": uid}}
    event["src_endpoint"] = {"name": "localhost"}
    return event


@functools.lru_cache(maxsize=256)
def _unchanging(operation: str, status: tuple[int, str], severity: int) -> dict[str, Any]:
    """What all events of one operation and status have in common; not to be changed."""
    activity_id, activity = _ACTIVITY.get(operation, _READ if operation.endswith("scan") else _OTHER)
    return {
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": API_ACTIVITY,
        "class_name": "API Activity",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": API_ACTIVITY * 100 + activity_id,
        "type_name": f"API Activity: {activity}",
        "severity_id": severity,
        "severity": _SEVERITY[severity],
        "status_id": status[0],
        "status": status[1],
    }


def metadata(uid: str) -> dict[str, Any]:
    """The part that every OCSF event has: who reports it, in which version of the schema, under which id."""
    return {
        "version": OCSF_VERSION,
        "uid": uid,
        "product": {"name": "Glasshouse", "vendor_name": "Glasshouse", "version": __version__},
    }


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
    event = _activity(caller, terms.act, time_ms, terms.id, _UNKNOWN, _INFORMATIONAL)
    event |= {"action_id": 99, "action": "Approval requested", "status_detail": terms.why}
    event["unmapped"] = {"approval_terms": msgspec.to_builtins(terms), "terms_digest": terms.digest()}
    return canonical(event)


def vote_event(recorder: Caller, request: ApprovalRequest, vote: Vote, time_ms: int, refused: str = "") -> bytes:
    """The event of a vote with its signature, or of one that was refused and why."""
    terms = request.terms
    status = _FAILURE if refused else _SUCCESS
    event = _frame("approval.decide", time_ms, terms.id, status, _MEDIUM if refused else _INFORMATIONAL)
    event |= {"actor": actor(recorder), "action_id": 2 if refused else 1, "action": "Denied" if refused else "Allowed"}
    event["actor"]["user"] = {"uid": vote.approver}
    if refused:
        event["status_detail"] = refused
    event["unmapped"] = {
        "vote": msgspec.to_builtins(vote),
        "terms": msgspec.to_builtins(terms),
        "terms_digest": terms.digest(),
        "state": request.state,
    }
    return canonical(event)
