"""The format for programs: JSON with the versioned schema ``schemas/scan-1.schema.json``.

Within version 1 fields are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.scan.baseline import BaselineEntry
from glasshouse.scan.render.interface import Context, FormatName, Report, by_mode, by_severity, ranked
from glasshouse.words.finding import Finding, NotAnalysed, UnusedIgnore

SCHEMA = "glasshouse/scan/1"


class JsonRenderer:
    """Everything in the report, one finding per line so that differences between two reports read well."""

    name: FormatName = "json"
    needs_rules = True

    def render(self, report: Report, context: Context) -> Iterator[str]:
        yield "{\n"
        yield f'"schema": {_text(SCHEMA)},\n'
        yield f'"tool": {_text({"name": "glasshouse", "version": context.version})},\n'
        yield f'"summary": {_text(_summary(report))},\n'
        yield f'"comparison": {_text(_comparison(report))},\n'
        yield f'"rules": {_text(_rules(report, context))},\n'
        yield from _array("findings", (_finding(item) for item in ranked(report.findings)))
        yield from _array("below_threshold", (_finding(item) for item in ranked(report.below)))
        yield from _array("fixed", (_known(item) for item in report.fixed))
        yield from _array("not_analysed", (_not_analysed(item) for item in report.not_analysed))
        if report.dependencies:
            yield from _array("dependencies", (msgspec.to_builtins(item) for item in report.dependencies))
        yield from _array("unused_ignores", (_unused(item) for item in report.unused_ignores), last=True)
        yield "}\n"


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _array(name: str, items: Iterator[dict[str, Any]], *, last: bool = False) -> Iterator[str]:
    yield f'"{name}": ['
    separator = "\n"
    for item in items:
        yield f"{separator}{_text(item)}"
        separator = ",\n"
    yield ("" if separator == "\n" else "\n") + ("]\n" if last else "],\n")


def _summary(report: Report) -> dict[str, Any]:
    summary = report.summary
    found: dict[str, Any] = {
        "complete": not report.incomplete,
        "findings": len(report.open),
        "by_severity": by_severity(report.open),
        "by_mode": by_mode(report.open),
        "suppressed": len(report.suppressed),
        "hidden": dict(sorted(report.hidden.items())),
        "files": summary.files,
        "lines": summary.lines,
        "functions": summary.functions,
        "languages": dict(sorted(summary.languages.items())),
        "not_analysed": dict(sorted(summary.not_analysed.items())),
        "mode": summary.mode,
        "notes": list(summary.notes),
    }
    if summary.components:
        found["components"] = dict(summary.components)
    if summary.looked_at:
        found["looked_at"] = summary.looked_at
    return found


def _comparison(report: Report) -> dict[str, Any] | None:
    if not report.compared_with:
        return None
    return {
        "with": report.compared_with,
        "new": len(report.open),
        "unchanged": len(report.unchanged),
        "fixed": len(report.fixed),
    }


def _rules(report: Report, context: Context) -> dict[str, Any]:
    """Title and classification of every rule that occurs."""
    occurring = sorted({item.rule_id for item in report.findings} & set(context.rules))
    return {
        name: {"title": rule.title, "severity": rule.severity, "cwe": list(rule.cwe), "owasp": rule.owasp}
        for name in occurring
        for rule in (context.rules[name],)
    }


def _finding(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(finding)
    found["cwe"] = list(finding.cwe)
    if finding.flaw is None:
        del found["flaw"]
    return found


def _known(entry: BaselineEntry) -> dict[str, Any]:
    return {"rule_id": entry.rule, "path": entry.path, "fingerprint": entry.fingerprint}


def _not_analysed(item: NotAnalysed) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(item)
    return made


def _unused(item: UnusedIgnore) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(item)
    return made


RENDERER = JsonRenderer()
