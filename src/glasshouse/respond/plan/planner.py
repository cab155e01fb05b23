"""From an incident to a plan: a table of actions, and targets from the evidence and nowhere else."""

from __future__ import annotations

import ipaddress
import uuid
from collections import Counter
from collections.abc import Iterator

from glasshouse.respond.group.attack import parent
from glasshouse.respond.group.rarity import EVERYWHERE
from glasshouse.respond.plan.actions import ACTIONS, Action
from glasshouse.words.incident import LEVEL_RANK, Entity, Incident
from glasshouse.words.plan import APPROVALS_IRREVERSIBLE, APPROVALS_REVERSIBLE, PHASES, Plan, PlanStep

NAMESPACE = uuid.UUID("3f6f4f0c-4b1e-5a0e-8d9e-0f2f6a1c7b52")
PLAN_HOURS = 168
MAX_TARGETS = 3
"""Targets per action; a plan that names everything is read by nobody."""
MAX_STEPS = 40
HOUR_S = 3600


def plan_for(incident: Incident, now: int) -> Plan:
    """The proposal for an incident at ``now`` (seconds since 1970); an incident without targets has no steps."""
    steps = [
        _step(action, target, incident, now)
        for phase in PHASES
        for action in ACTIONS
        if action.phase == phase and _fits(action, incident)
        for target in _targets(action, incident)
    ]
    rules = dict.fromkeys((each.rule.id, each.rule.author, each.rule.link) for each in incident.detections)
    return Plan(
        id=f"playbook--{uuid.uuid5(NAMESPACE, f'{incident.id} {now}')}",
        incident=incident.id,
        title=f"Response to {incident.id}: {incident.title}",
        severity=incident.severity,
        created=now,
        expires=now + PLAN_HOURS * HOUR_S,
        steps=tuple(steps[:MAX_STEPS]),
        techniques=tuple(each.id for each in incident.techniques),
        rules=tuple(rules),
    )


def _fits(action: Action, incident: Incident) -> bool:
    if incident.severity not in action.severities:
        return False
    if not action.tactics and not action.techniques:
        return True
    tactics = {tactic for each in incident.techniques for tactic in each.tactics}
    techniques = {parent(each.id) for each in incident.techniques}
    return bool(tactics & set(action.tactics) or techniques & set(action.techniques))


def _targets(action: Action, incident: Incident) -> Iterator[Entity]:
    """The entities of the evidence that the action can be done to, those of the gravest detections first."""
    weights: Counter[Entity] = Counter()
    for detection in incident.detections:
        for entity in detection.entities:
            if entity.kind in action.kinds and _allowed(action, entity):
                plain = Entity(entity.kind, entity.name, entity.scope)
                weights[plain] += 1 + 2 * LEVEL_RANK[detection.rule.level]
    chosen = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MAX_TARGETS]
    return (entity for entity, _ in chosen)


def _allowed(action: Action, entity: Entity) -> bool:
    match entity.kind:
        case "host":
            return not entity.role  # where a logon came from is what the caller said of itself
        case "user":
            return entity.name not in EVERYWHERE and not entity.name.endswith("$")
        case "address":
            return _foreign(entity.name)
        case "process":
            return not entity.name.startswith("pid ") or action.id != "terminate-process"
        case "file":
            return not entity.name.startswith(("c:\\windows\\system32\\", "c:\\windows\\syswow64\\", "/usr/", "/bin/"))
        case _:
            return True


def _foreign(name: str) -> bool:
    """Whether an address is one of the internet: blocking our own cuts off ourselves."""
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        return False


def _step(action: Action, target: Entity, incident: Incident, now: int) -> PlanStep:
    names = {"target": target.name, "host": target.scope or "its host"}
    because = next((d.rule.title for d in incident.detections if _names(d.entities, target)), incident.title)
    reversible = bool(action.rollback)
    return PlanStep(
        id=f"action--{uuid.uuid5(NAMESPACE, f'{incident.id} {action.id} {target} {now}')}",
        phase=action.phase,
        action=action.id,
        title=action.title.format(**names),
        target=target,
        because=because,
        blast_radius=action.blast_radius.format(**names),
        precondition=action.precondition.format(**names),
        rollback=action.rollback.format(**names),
        approvals=APPROVALS_REVERSIBLE if reversible else APPROVALS_IRREVERSIBLE,
        expires=now + action.hours * HOUR_S,
        mitigations=action.mitigations,
        countermeasures=action.countermeasures,
    )


def _names(entities: tuple[Entity, ...], target: Entity) -> bool:
    return any((each.kind, each.name, each.scope) == (target.kind, target.name, target.scope) for each in entities)
