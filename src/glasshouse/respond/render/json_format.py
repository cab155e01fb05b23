"""The report as one JSON object; fields are those of the values in glasshouse/words/incident.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.respond.report import Report, iso
from glasshouse.words.incident import Detection, Incident

SCHEMA = "glasshouse/respond/1"


def render(report: Report) -> Iterator[str]:
    """One incident or detection per line."""
    run = report.run
    head = {
        "schema": SCHEMA,
        "version": report.version,
        "made": report.made,
        "partial": run.partial,
        "events": run.events,
        "bytes": run.bytes,
        "rules_in_use": run.rules,
        "events_without_rules": run.unrouted,
        "events_of_unknown_kind": run.unknown,
        "detections_left_out": run.left_out,
        "not_analysed": run.not_read,
        "rule_problems": run.problems,
    }
    yield msgspec.json.encode(head).decode()[:-1]
    yield ',\n"incidents": [\n'
    yield from _listed(map(incident, report.incidents))
    yield '],\n"detections": [\n'
    yield from _listed(map(detection, report.loose))
    yield "]}\n"


def _listed(items: Any) -> Iterator[str]:
    for number, item in enumerate(items):
        yield (",\n" if number else "") + msgspec.json.encode(item).decode()
    yield "\n"


def incident(each: Incident) -> dict[str, Any]:
    """An incident as JSON holds it."""
    return {
        "id": each.id,
        "title": each.title,
        "severity": each.severity,
        "score": each.score,
        "first": iso(each.first),
        "last": iso(each.last),
        "hosts": each.hosts,
        "techniques": each.techniques,
        "tactics": each.tactics,
        "threats": each.threats,
        "stakes": each.stakes,
        "entities": each.entities,
        "links": each.links,
        "detections": [detection(found) for found in each.detections],
    }


def detection(each: Detection) -> dict[str, Any]:
    """A detection with its rule's author, id and link."""
    return {
        "rule": each.rule,
        "time": iso(each.time),
        "host": each.host,
        "source": each.source,
        "record": each.record,
        "events": each.events,
        "entities": each.entities,
        "evidence": dict(each.evidence),
    }
