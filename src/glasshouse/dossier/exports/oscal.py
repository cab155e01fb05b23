"""OSCAL 1.2.1 assessment results: one observation per measure of the Code, pointing at the log entries behind it.

Identifiers are UUIDs of version 5 over the content, so that the same evidence gives the same file.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import msgspec

from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.measures import MeasureEvidence, measures
from glasshouse.dossier.render.basis import basis_text
from glasshouse.words.display import visible

SPACE = uuid.UUID("6f2a9d5e-1c0b-5b52-9c0e-2f8f6a3d9a11")
VERSION = "1.2.1"
NAMESPACE = "https://glasshouse.invalid/oscal"
METHODS = {"computed": "TEST", "attested": "INTERVIEW", "external": "EXAMINE", "missing": "EXAMINE"}


def oscal(evidence: Evidence) -> bytes:
    """The assessment results as JSON."""
    name, basis = evidence.model.identity.name, evidence.basis
    at = basis.as_of.isoformat()
    found = measures(evidence)
    document = {
        "assessment-results": {
            "uuid": _uuid(name, basis.checkpoint),
            "metadata": {
                "title": f"Evidence for {_line(name)}, by measure of the GPAI Code of Practice",
                "last-modified": at,
                "version": str(basis.size),
                "oscal-version": VERSION,
                "remarks": "Evidence as of the time named, not a statement that a measure is met.",
            },
            "import-ap": {"href": f"log:{quote(basis.origin)}?size={basis.size}"},
            "results": [
                {
                    "uuid": _uuid(name, basis.checkpoint, "result"),
                    "title": "Evidence in the log",
                    "description": f"Log {_line(basis.origin)}, {basis.size} entries, checkpoint {basis.checkpoint}.",
                    "start": at,
                    "end": at,
                    "reviewed-controls": {"control-selections": [{"include-all": {}}]},
                    "observations": [_observation(each, name, basis.checkpoint, at) for each in found],
                }
            ],
        }
    }
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _observation(each: MeasureEvidence, name: str, checkpoint: str, at: str) -> dict[str, Any]:
    value = each.value
    made: dict[str, Any] = {
        "uuid": _uuid(name, checkpoint, each.measure.id),
        "title": f"{each.measure.id}: {each.measure.title}",
        "description": _line(value.text) or "No evidence.",
        "props": [
            {"name": "measure", "ns": NAMESPACE, "value": each.measure.id},
            {"name": "basis", "ns": NAMESPACE, "value": value.basis},
        ],
        "methods": [METHODS[value.basis]],
        "collected": at,
        "remarks": basis_text(value),
    }
    if value.entries:
        evidence = [{"href": f"log:entry/{entry}", "description": "log entry"} for entry in value.entries[:100]]
        made["relevant-evidence"] = evidence
    return made


def _line(text: str) -> str:
    """On one line and without characters that turn or hide text: what OSCAL takes as a title."""
    return visible(" ".join(text.split()))


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(SPACE, "\n".join(parts)))
