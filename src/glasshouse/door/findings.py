"""OCSF Vulnerability Findings (class 2002, schema 1.8.0) for what an act found.

Findings of an act go sealed with its outcome entry, at most `MAX_EVENTS` of them; the outcome's digest covers all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from glasshouse.door.events import metadata
from glasshouse.words.canonical import canonical
from glasshouse.words.dependency import PublishedFlaw
from glasshouse.words.finding import Finding

CLASS_UID, CLASS_NAME = 2002, "Vulnerability Finding"
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


def vulnerability_events(findings: Iterable[Finding], time_ms: int) -> list[bytes]:
    """Vulnerability Finding (2002) for weaknesses in code, at most `MAX_EVENTS`."""
    return [_vulnerability(each, time_ms) for each in islice(findings, MAX_EVENTS)]


def _vulnerability(finding: Finding, time_ms: int) -> bytes:
    uid = finding.fingerprint or f"{finding.rule_id}:{finding.location.path}:{finding.location.line}"
    event = _finding(uid, finding, time_ms)
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


def _finding(uid: str, finding: Finding, time_ms: int) -> dict[str, Any]:
    """What every finding event of the schema has."""
    severity_id, severity = _SEVERITY[finding.severity]
    return {
        "metadata": metadata(uid),
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": CLASS_NAME,
        "activity_id": _CREATE[0],
        "activity_name": _CREATE[1],
        "type_uid": CLASS_UID * 100 + _CREATE[0],
        "type_name": f"{CLASS_NAME}: {_CREATE[1]}",
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "time": time_ms,
        "finding_info": {"uid": uid, "title": finding.rule_id, "created_time": time_ms},
    }
