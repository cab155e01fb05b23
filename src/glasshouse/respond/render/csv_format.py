"""The timeline as CSV: one detection per row, with its incident, that one's place, and its rule's author and link."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from glasshouse.respond import stake, threat
from glasshouse.respond.report import Report, iso
from glasshouse.words.incident import Detection

HEAD = ("time", "incident", "severity", "host", "level", "rule", "rule_id", "author", "link", "techniques", "source",
        "record", "events", "evidence", "priority", "vulnerabilities", "services")  # fmt: skip
"""``priority`` is the incident's place in the order of the report: 1 is to be looked at first."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report) -> Iterator[str]:
    """Rows in order of time; what a spreadsheet would take for a formula is quoted."""
    yield _line(HEAD)
    rows: list[tuple[float, tuple[str, ...]]] = []
    for place, incident in enumerate(report.incidents, 1):
        known = (
            str(place),
            "; ".join(f"{each.cve}: {threat.told(each)}" for each in incident.threats),
            "; ".join(map(stake.told, incident.stakes)),
        )
        rows += [(each.time or 0.0, _row(each, incident.id, incident.severity, known)) for each in incident.detections]
    rows += [(each.time or 0.0, _row(each, "", "", ("", "", ""))) for each in report.loose]
    for _, row in sorted(rows):
        yield _line(row)


def _row(each: Detection, incident: str, severity: str, known: tuple[str, str, str]) -> tuple[str, ...]:
    rule = each.rule
    evidence = "; ".join(f"{name}={value}" for name, value in each.evidence)
    return (
        iso(each.time) or "", incident, severity, each.host, rule.level, rule.title, rule.id, rule.author, rule.link,
        " ".join(rule.techniques), each.source, str(each.record), str(each.events), evidence, *known,
    )  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    )
    return text.getvalue()
