"""OCSF finding events: vulnerabilities (2002), compliance (2003), detections (2004), incidents (2005); schema 1.8.0.

Findings of an act go sealed with its outcome entry, at most `MAX_EVENTS` of them; the outcome's digest covers all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec

from glasshouse.door.events import metadata
from glasshouse.words.canonical import canonical
from glasshouse.words.dependency import PublishedFlaw
from glasshouse.words.finding import Finding, Severity

MAX_EVENTS = 1_000
_SEVERITY: dict[str, tuple[int, str]] = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_CONFIDENCE = {"low": (1, "Low"), "medium": (2, "Medium"), "high": (3, "High")}
_CREATE = (1, "Create")


class Subject(msgspec.Struct, frozen=True):
    """What a finding is about, in the terms that all kinds of findings share.  ``uid`` is stable over runs."""

    uid: str
    title: str
    severity: Severity
    description: str = ""
    first_seen_ms: int | None = None


def vulnerability_events(findings: Iterable[Finding], time_ms: int) -> list[bytes]:
    """Vulnerability Finding (2002) for weaknesses in code, at most `MAX_EVENTS`."""
    return [_vulnerability(each, time_ms) for each in islice(findings, MAX_EVENTS)]


def _vulnerability(finding: Finding, time_ms: int) -> bytes:
    uid = finding.fingerprint or f"{finding.rule_id}:{finding.location.path}:{finding.location.line}"
    event = _finding(2002, "Vulnerability Finding", Subject(uid, finding.rule_id, finding.severity), time_ms)
    confidence_id, confidence = _CONFIDENCE[finding.confidence]
    place = finding.location
    event |= {"message": finding.message, "confidence_id": confidence_id, "confidence": confidence}
    code = {
        "file": {"name": place.path.rpartition("/")[2], "path": place.path, "type_id": 1},
        "start_line": place.line,
        "end_line": place.end_line or place.line,
    }
    weaknesses: list[dict[str, Any]] = [{"cwe": {"uid": f"CWE-{number}"}} for number in finding.cwe[:5]]
    shared = {
        "title": finding.rule_id,
        "desc": finding.message,
        "severity": _SEVERITY[finding.severity][1],
        "affected_code": [code],
        "is_fix_available": finding.fix is not None,
    }
    if finding.flaw is not None:
        shared |= _of_package(finding.flaw)
    event["vulnerabilities"] = [shared | each for each in weaknesses or [{}]]
    return canonical(event)


def _of_package(flaw: PublishedFlaw) -> dict[str, Any]:
    """What is known of a dependency's published flaw."""
    package = {"name": flaw.name, "version": flaw.version, "purl": flaw.purl}
    if flaw.fixed:
        package["fixed_in_version"] = flaw.fixed[0]
    return {
        "advisory": {"uid": flaw.advisory},
        "affected_packages": [{key: value for key, value in package.items() if value}],
        "is_fix_available": bool(flaw.fixed),
        "related_vulnerabilities": list(flaw.aliases),
    }


def detection_event(subject: Subject, time_ms: int, evidence: dict[str, Any] | None = None) -> bytes:
    """Detection Finding (2004).  ``evidence`` is kept as data of one evidence artefact."""
    event = _finding(2004, "Detection Finding", subject, time_ms)
    if evidence:
        event["evidences"] = [{"data": evidence}]
    return canonical(event)


def incident_event(
    subject: Subject, time_ms: int, detections: Iterable[Subject], *, assigned_to: str = "unassigned"
) -> bytes:
    """Incident Finding (2005): an incident with the findings that make it up, and the group that works on it."""
    event = _finding(2005, "Incident Finding", subject, time_ms)
    del event["finding_info"]
    event["finding_info_list"] = [_info(each, time_ms) for each in islice(detections, MAX_EVENTS)]
    event |= {"assignee_group": {"name": assigned_to}, "desc": subject.description or subject.title}
    event["metadata"]["profiles"] = ["incident"]
    return canonical(event)


def compliance_event(subject: Subject, time_ms: int, standard: str, control: str, *, passed: bool) -> bytes:
    """Compliance Finding (2003): one control of one standard, met or not."""
    event = _finding(2003, "Compliance Finding", subject, time_ms)
    status_id, status = (1, "Pass") if passed else (3, "Fail")
    event["compliance"] = {"standards": [standard], "control": control, "status_id": status_id, "status": status}
    return canonical(event)


def _finding(class_uid: int, class_name: str, subject: Subject, time_ms: int) -> dict[str, Any]:
    severity_id, severity = _SEVERITY[subject.severity]
    return {
        "metadata": metadata(subject.uid),
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class_uid,
        "class_name": class_name,
        "activity_id": _CREATE[0],
        "activity_name": _CREATE[1],
        "type_uid": class_uid * 100 + _CREATE[0],
        "type_name": f"{class_name}: {_CREATE[1]}",
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "time": time_ms,
        "finding_info": _info(subject, time_ms),
    }


def _info(subject: Subject, time_ms: int) -> dict[str, Any]:
    info: dict[str, Any] = {"uid": subject.uid, "title": subject.title, "created_time": time_ms}
    if subject.description:
        info["desc"] = subject.description
    if subject.first_seen_ms is not None:
        info["first_seen_time"] = subject.first_seen_ms
    return info
