"""The report as OCSF 1.8.0 events, one per line: Detection Finding (2004) and Incident Finding (2005)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.respond.report import Report
from glasshouse.words.incident import LEVEL_RANK, Detection, Incident, Technique

VERSION = "1.8.0"
MAX_OBSERVABLES = 50
DETECTION_FINDING, INCIDENT_FINDING = 2004, 2005
_CREATE, _NEW = 1, 1
_SEVERITY = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_OBSERVABLE = {"host": 1, "address": 2, "user": 4, "domain": 1, "file": 7, "process": 9}


def render(report: Report) -> Iterator[str]:
    """Every detection as a finding of its own, then every incident, which names the findings it is made of."""
    for incident in report.incidents:
        for number, each in enumerate(incident.detections):
            yield _line(detection(each, f"{incident.id}-{number}", report.version))
        yield _line(incident_finding(incident, report.version))
    for number, each in enumerate(report.loose):
        yield _line(detection(each, f"loose-{number}", report.version))


def _line(event: dict[str, Any]) -> str:
    return msgspec.json.encode(event).decode() + "\n"


def detection(each: Detection, uid: str, version: str) -> dict[str, Any]:
    """A detection as a Detection Finding; rule author and link stand in ``finding_info.analytic``."""
    severity_id, severity = _SEVERITY[each.rule.level]
    found = _base(DETECTION_FINDING, "Detection Finding", each.time, severity_id, severity, version)
    info: dict[str, Any] = {
        "uid": uid,
        "title": each.rule.title,
        "analytic": {
            "type_id": 1,
            "type": "Rule",
            "uid": each.rule.id,
            "name": each.rule.title,
            "desc": f"Sigma rule by {each.rule.author or 'unknown author'}",
        },
        "attacks": [{"technique": {"uid": technique}} for technique in each.rule.techniques],
    }
    if each.rule.link:
        info["src_url"] = each.rule.link
    found["finding_info"] = {key: value for key, value in info.items() if value}
    found["is_alert"] = LEVEL_RANK[each.rule.level] >= LEVEL_RANK["high"]
    found["evidences"] = [{"data": dict(each.evidence)}]
    found["count"] = each.events
    found["unmapped"] = {
        "rule": {"author": each.rule.author, "id": each.rule.id, "link": each.rule.link, "licence": each.rule.licence},
        "source": each.source,
        "record": each.record,
    }
    found["observables"] = _observables(each)
    return found


def _observables(each: Detection) -> list[dict[str, Any]]:
    return [
        {"name": f"{entity.kind}.name", "type_id": _OBSERVABLE.get(entity.kind, 99), "value": entity.name}
        for entity in each.entities[:MAX_OBSERVABLES]
    ]


def incident_finding(incident: Incident, version: str) -> dict[str, Any]:
    """An incident as an Incident Finding."""
    severity_id, severity = _SEVERITY[incident.severity]
    found = _base(INCIDENT_FINDING, "Incident Finding", incident.last, severity_id, severity, version)
    found |= {
        "status_id": _NEW,
        "status": "New",
        "assignee_group": {"name": "not assigned"},  # the class demands one who is in charge; nobody is yet
        "desc": incident.title,
        "count": len(incident.detections),
        "attacks": [_attack(each) for each in incident.techniques],
        "finding_info_list": [
            {"uid": f"{incident.id}-{number}", "title": each.rule.title}
            for number, each in enumerate(incident.detections)
        ],
        "unmapped": {
            "incident": incident.id,
            "score": incident.score,
            "hosts": list(incident.hosts),
            "threats": [msgspec.to_builtins(threat) for threat in incident.threats],
            "stakes": [msgspec.to_builtins(stake) for stake in incident.stakes],
            "links": [msgspec.to_builtins(link) for link in incident.links[:MAX_OBSERVABLES]],
            "rules": [
                {"id": rule.id, "author": rule.author, "link": rule.link}
                for rule in dict.fromkeys(each.rule for each in incident.detections)
            ],
        },
    }
    if incident.first is not None and incident.last is not None:
        found |= {"start_time": round(incident.first * 1000), "end_time": round(incident.last * 1000)}
    return found


def _attack(each: Technique) -> dict[str, Any]:
    found: dict[str, Any] = {"technique": {"uid": each.id, "name": each.name}, "version": "18.1"}
    if each.tactics:
        found["tactic"] = {"name": each.tactics[0].replace("-", " ").title()}
    return found


def _base(
    class_uid: int, name: str, time: float | None, severity_id: int, severity: str, version: str
) -> dict[str, Any]:
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class_uid,
        "class_name": name,
        "type_uid": class_uid * 100 + _CREATE,
        "type_name": f"{name}: Create",
        "severity_id": severity_id,
        "severity": severity,
        "time": round((time or 0.0) * 1000),
        "metadata": {
            "version": VERSION,
            "product": {"name": "Glasshouse respond", "vendor_name": "Glasshouse", "version": version},
        },
    }
