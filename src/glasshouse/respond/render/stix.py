"""The report as a STIX 2.1 bundle: one report object per incident, with its techniques, vulnerabilities and rules.

Reports stand in the order in which incidents are to be looked at, and their descriptions say so.

Identifiers are derived from content, so the same run gives the same bundle.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.respond import stake, threat
from glasshouse.respond.report import Report, iso
from glasshouse.words.display import counted
from glasshouse.words.incident import Entity, Incident, RuleRef, Threat

# the namespace that STIX 2.1 section 2.9 gives for identifiers of cyber observables
SCO_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
NAMESPACE = uuid.UUID("7d1f5c66-0d5b-5d0b-9b1e-6a0a5f0f4c11")
MAX_OBSERVABLES = 100


def render(report: Report) -> Iterator[str]:
    """The bundle."""
    objects: dict[str, dict[str, Any]] = {}
    author = {
        "type": "identity",
        "spec_version": "2.1",
        "id": _id("identity", "glasshouse"),
        "created": report.made_iso,
        "modified": report.made_iso,
        "name": "Glasshouse",
        "identity_class": "system",
    }
    objects[author["id"]] = author
    for place, incident in enumerate(report.incidents, 1):
        among = f"{place} of {len(report.incidents)} to look at"
        for each in _incident(incident, author["id"], report.made_iso, among):
            objects.setdefault(each["id"], each)
    bundle = {"type": "bundle", "id": _id("bundle", report.made + "".join(objects)), "objects": list(objects.values())}
    yield msgspec.json.format(msgspec.json.encode(bundle)).decode() + "\n"


def _incident(incident: Incident, author: str, made: str, among: str) -> Iterator[dict[str, Any]]:
    common = {"spec_version": "2.1", "created_by_ref": author, "created": made, "modified": made}
    named: list[str] = []
    for technique in incident.techniques:
        reference = {"source_name": "mitre-attack", "external_id": technique.id}
        pattern = {"type": "attack-pattern", "id": _id("attack-pattern", technique.id), **common}
        yield {**pattern, "name": technique.name, "external_references": [reference]}
        named.append(pattern["id"])
    for each in incident.threats:
        flaw = _vulnerability(each, common)
        yield flaw
        named.append(flaw["id"])
    for entity in incident.entities[:MAX_OBSERVABLES]:
        observable = _observable(entity)
        if observable is not None:
            yield observable
            named.append(observable["id"])
    rules = dict.fromkeys(each.rule for each in incident.detections)
    for rule in rules:
        note = _note(rule, incident, common)
        yield note
    yield {
        "type": "report",
        "id": _id("report", incident.id),
        **common,
        "name": incident.title,
        "description": _described(incident, among),
        "published": made,
        "report_types": ["incident"],
        "object_refs": named or [author],
        "external_references": [_rule(rule) for rule in rules],
    }


def _described(incident: Incident, among: str) -> str:
    where = ", ".join(incident.hosts) or "no named host"
    known = [f"{each.cve}: {threat.told(each)}" for each in incident.threats]
    known += map(stake.told, incident.stakes)
    return ". ".join([f"{incident.severity} incident {incident.id} on {where}, {among}", *known])


def _vulnerability(each: Threat, common: dict[str, str]) -> dict[str, Any]:
    """A vulnerability that the incident names, as section 4.18 has it, with what the forecast says."""
    return {
        "type": "vulnerability",
        "id": _id("vulnerability", each.cve),
        **common,
        "name": each.cve,
        "description": threat.known(each),
        "external_references": [{"source_name": "cve", "external_id": each.cve}],
    }


def _note(rule: RuleRef, incident: Incident, common: dict[str, str]) -> dict[str, Any]:
    times = [each.time for each in incident.detections if each.rule == rule and each.time is not None]
    span = f", {iso(min(times))} to {iso(max(times))}" if times else ""
    count = sum(1 for each in incident.detections if each.rule == rule)
    return {
        "type": "note",
        "id": _id("note", f"{incident.id} {rule.id}"),
        **common,
        "abstract": rule.title,
        "content": f"Sigma rule {rule.id} by {rule.author or 'unknown author'} matched {counted(count, 'time')}{span}.",
        "object_refs": [_id("report", incident.id)],
    }


def _rule(rule: RuleRef) -> dict[str, str]:
    found = {"source_name": "sigma", "external_id": rule.id, "description": f"{rule.title}, by {rule.author}"}
    return {**found, "url": rule.link} if rule.link else found


def _observable(entity: Entity) -> dict[str, Any] | None:
    if not entity.name:
        return None
    match entity.kind:
        case "address":
            try:
                version = ipaddress.ip_address(entity.name).version
            except ValueError:
                return None
            return _sco(f"ipv{version}-addr", {"value": entity.name})
        case "domain":
            return _sco("domain-name", {"value": entity.name})
        case "user":
            return _sco("user-account", {"account_login": entity.name})
        case "file":
            name = entity.name.replace("\\", "/").rpartition("/")[2]
            return _sco("file", {"name": name or entity.name})
        case _:
            return None


def _sco(kind: str, properties: dict[str, str]) -> dict[str, Any]:
    seed = msgspec.json.encode(properties, order="sorted").decode()
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid5(SCO_NAMESPACE, seed)}", **properties}


def _id(kind: str, seed: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, f'{kind} {seed}')}"
