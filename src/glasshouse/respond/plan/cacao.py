"""Plans as CACAO 2.0 playbooks and back.

Every step is a CACAO action with a ``manual`` command, because people decide; what CACAO has no words for (blast
radius, rollback, approvals, expiry) stands in an extension, and so does the plan, so that nothing is lost on the way.
"""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

import msgspec

from glasshouse.respond.group.attack import attack
from glasshouse.respond.plan.defend import defend
from glasshouse.respond.plan.planner import NAMESPACE
from glasshouse.respond.report import iso
from glasshouse.words.errors import PlanError
from glasshouse.words.incident import Entity
from glasshouse.words.plan import APPROVALS_IRREVERSIBLE, APPROVALS_REVERSIBLE, Plan, PlanStep

EXTENSION = f"extension-definition--{uuid.uuid5(NAMESPACE, 'extension')}"
IDENTITY = f"identity--{uuid.uuid5(NAMESPACE, 'glasshouse')}"
RESPONDER = f"individual--{uuid.uuid5(NAMESPACE, 'responder')}"
MAX_PLAN_BYTES = 5_000_000
_SEVERITY = {"low": 25, "medium": 50, "high": 75, "critical": 100}
_ACTIVITY = {"contain": "restrict-access", "preserve": "analyze-collected-data", "eradicate": "eliminate-risk",
             "recover": "restore-capabilities"}  # fmt: skip


def playbook(plan: Plan) -> dict[str, Any]:
    """The plan as a playbook."""
    start, end = _id("start", plan.id), _id("end", plan.id)
    order = [*(step.id for step in plan.steps), end]
    workflow: dict[str, Any] = {start: {"type": "start", "on_completion": order[0]}}
    targets: dict[str, Any] = {}
    for step, following in zip(plan.steps, order[1:], strict=True):
        key, target = _target(step.target)
        targets[key] = target
        workflow[step.id] = _action(step, key, following)
    workflow[end] = {"type": "end"}
    found: dict[str, Any] = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": plan.id,
        "name": plan.title,
        "description": "A proposal by Glasshouse. Each step waits for approval; nothing is carried out before.",
        "playbook_types": ["mitigation", "remediation"],
        "playbook_activities": sorted({_ACTIVITY[step.phase] for step in plan.steps}) or ["eliminate-risk"],
        "created_by": IDENTITY,
        "created": iso(plan.created),
        "modified": iso(plan.created),
        "valid_from": iso(plan.created),
        "valid_until": iso(plan.expires),
        "severity": _SEVERITY.get(plan.severity, 0),
        "workflow_start": start,
        "workflow": workflow,
        "agent_definitions": {RESPONDER: {"type": "individual", "name": "responder"}},
        "extension_definitions": {EXTENSION: _EXTENSION_DEFINITION},
        "playbook_extensions": {EXTENSION: msgspec.to_builtins(plan)},
    }
    if targets:
        found["target_definitions"] = targets
    if plan.rules:
        found["external_references"] = [_rule(*rule) for rule in plan.rules]
    return found


_EXTENSION_DEFINITION = {
    "type": "extension-definition",
    "name": "Glasshouse response plan",
    "description": "Blast radius, precondition, rollback, approvals and expiry of each step.",
    "created_by": IDENTITY,
    "schema": "The fields of PlanStep in glasshouse.words.plan.",
    "version": "1.0.0",
}


def encode(plan: Plan) -> bytes:
    """The playbook as JSON text, indented."""
    return msgspec.json.format(msgspec.json.encode(playbook(plan)), indent=2) + b"\n"


def decode(data: bytes, where: str = "") -> Plan:
    """The plan in a playbook of ours; refuses one whose steps break the rules of a plan or differ from its workflow."""
    if len(data) > MAX_PLAN_BYTES:
        raise PlanError(f"the plan is larger than {MAX_PLAN_BYTES:,} bytes", where=where)
    try:
        body = msgspec.json.decode(data, type=dict[str, Any])
        plan = msgspec.convert(body["playbook_extensions"][EXTENSION], Plan)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError, RecursionError) as error:
        raise PlanError(f"not a plan of Glasshouse: {error}", where=where) from None
    for step in plan.steps:
        check(step, where)
    if body != msgspec.json.decode(msgspec.json.encode(playbook(plan))):
        raise PlanError("the playbook was changed: its steps and its plan say different things", where=where)
    return plan


def check(step: PlanStep, where: str = "") -> None:
    """Raises when a step asks for fewer approvals than its nature demands."""
    least = APPROVALS_REVERSIBLE if step.reversible else APPROVALS_IRREVERSIBLE
    if step.approvals < least:
        raise PlanError(f"step {step.id} needs {least} approvals and asks for {step.approvals}", where=where)


def _action(step: PlanStep, target: str, following: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "action",
        "name": step.title,
        "description": f"{step.phase.capitalize()}, because: {step.because}. Blast radius: {step.blast_radius}",
        "on_success": following,
        "commands": [{"type": "manual", "command": step.title, "playbook_activity": _ACTIVITY[step.phase]}],
        "agent": RESPONDER,
        "targets": [target],
        "step_extensions": {EXTENSION: msgspec.to_builtins(step)},
    }
    references = [_attack(each) for each in step.mitigations] + [_defend(each) for each in step.countermeasures]
    if references:
        found["external_references"] = references
    return found


def _attack(mitigation: str) -> dict[str, str]:
    url = f"https://attack.mitre.org/mitigations/{mitigation}/"
    name = attack().mitigations.get(mitigation, mitigation)
    return {"name": f"MITRE ATT&CK mitigation: {name}", "external_id": mitigation, "url": url}


def _defend(technique: str) -> dict[str, str]:
    found = defend().techniques.get(technique)
    url = found.url if found else "https://d3fend.mitre.org/"
    return {"name": f"MITRE D3FEND: {found.name if found else technique}", "external_id": technique, "url": url}


def _rule(rule_id: str, author: str, link: str) -> dict[str, str]:
    found = {"name": author or "unknown author", "description": "Sigma rule behind this plan", "external_id": rule_id}
    return {**found, "url": link} if link else found


def _target(entity: Entity) -> tuple[str, dict[str, Any]]:
    seed = f"{entity.kind} {entity.name} {entity.scope}"
    name = f"{entity.kind} {entity.name}" + (f" on {entity.scope}" if entity.scope else "")
    address = _address(entity)
    if address:
        return _id("net-address", seed), {"type": "net-address", "name": name, "address": address}
    return _id("individual", seed), {"type": "individual", "name": name}


def _address(entity: Entity) -> dict[str, list[str]] | None:
    if entity.kind == "address":
        try:
            version = ipaddress.ip_address(entity.name).version
        except ValueError:
            return {"dname": [entity.name]}
        return {f"ipv{version}": [entity.name]}
    if entity.kind in ("host", "domain"):
        return {"dname": [entity.name]}
    return {"dname": [entity.scope]} if entity.scope else None


def _id(kind: str, seed: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, seed)}"
