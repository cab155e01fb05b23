"""SARIF 2.1.0 (OASIS standard), within the limits that GitHub code scanning sets.

Paths are relative to ``%SRCROOT%``, columns count Unicode code points, the same report gives the same bytes.
Findings in library mode are at most warnings, because their data comes from a parameter and not from a known source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from glasshouse.scan.render.interface import Context, FormatName, Report, cwe_names, most_severe_first
from glasshouse.scan.rules.loader import SUBJECTS
from glasshouse.scan.rules.schema import Rule
from glasshouse.words.finding import Finding, Fix, NotAnalysed, Severity, Step
from glasshouse.words.location import Location

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
MAX_STEPS = 1_000
MAX_TAGS = 20
MAX_NOTIFICATIONS = 1_000
MAX_MESSAGE_CHARACTERS = 1_000
MAX_HELP_CHARACTERS = 10_000
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")
SECURITY_SEVERITY: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}


class SarifRenderer:
    """One run.  When there are more results than consumers accept, the most severe stay and a notification says so."""

    name: FormatName = "sarif"
    needs_rules = True

    def render(self, report: Report, context: Context) -> Iterator[str]:
        found = report.findings
        kept = found if len(found) <= MAX_RESULTS else tuple(most_severe_first(found)[:MAX_RESULTS])
        shown = len(kept)
        kept += report.below[: MAX_RESULTS - shown]
        rule_ids = sorted({finding.rule_id for finding in kept})
        index = {name: position for position, name in enumerate(rule_ids)}
        cwes = _cwes(kept, context.rules, rule_ids)
        rules = [_rule(name, context.rules.get(name), kept) for name in rule_ids]
        driver: dict[str, Any] = {"name": "Glasshouse", "semanticVersion": context.version, "rules": rules}
        if cwes:
            driver["supportedTaxonomies"] = [{"name": "CWE", "index": 0}]
        yield f'{{"$schema":{_text(SCHEMA_URI)},"version":"2.1.0","runs":[{{\n'
        yield f'"tool":{_text({"driver": driver})},\n'
        yield f'"invocations":{_text([_invocation(report, len(found) - shown)])},\n'
        yield '"columnKind":"unicodeCodePoints",\n'
        yield '"originalUriBaseIds":{"%SRCROOT%":{"description":{"text":"The folder that was scanned."}}},\n'
        if cwes:
            yield f'"taxonomies":{_text([_taxonomy(cwes)])},\n'
        yield f'"properties":{_text(_run_properties(report))},\n'
        yield '"results":['
        for position, finding in enumerate(kept):
            result = _result(finding, index[finding.rule_id], report)
            if position >= shown:
                result |= {"level": "note", "properties": result["properties"] | {"belowThreshold": True}}
            yield ("\n" if position == 0 else ",\n") + _text(result)
        yield "\n]}]}\n"


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _bounded(text: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _message(text: str) -> dict[str, str]:
    return {"text": _bounded(text) or "(no text)"}


def _plain_message(text: str) -> dict[str, str]:
    """A message made of text that others wrote: what would read as a link or a placeholder is escaped."""
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", _LINK.sub(r"\\[", _bounded(text))) or "(no text)"}


def level(severity: Severity, mode: str) -> str:
    """SARIF level of a finding."""
    if severity == "low":
        return "note"
    if severity == "medium" or mode == "library":
        return "warning"
    return "error"


def _result(finding: Finding, rule_index: int, report: Report) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule_id,
        "ruleIndex": rule_index,
        "level": level(finding.severity, finding.mode),
        "message": _plain_message(finding.message),
        "locations": [_location(finding.location, function=finding.function)],
        "properties": {
            "mode": finding.mode,
            "confidence": finding.confidence,
            "severity": finding.severity,
            "reasons": [_bounded(reason) for reason in finding.reasons],
            "cwe": cwe_names(finding),
        },
    }
    if finding.probability is not None:
        result["rank"] = round(100 * finding.probability, 1)
        result["properties"]["because"] = list(finding.because)
    if finding.flaw is not None:
        result["properties"]["flaw"] = {
            key: value
            for key, value in msgspec.to_builtins(finding.flaw).items()
            if value not in (None, "", (), [], 0.0)
        }
    if finding.fingerprint:
        result["partialFingerprints"] = {"glasshouse/v1": finding.fingerprint}
    if finding.cwe:
        result["taxa"] = [
            {"id": str(number), "toolComponent": {"name": "CWE"}} for number in dict.fromkeys(finding.cwe)
        ]
    if finding.path:
        flow = {"threadFlows": [{"locations": [_flow_step(step) for step in _kept_steps(finding.path)]}]}
        result["codeFlows"] = [flow]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix)]
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": _bounded(finding.suppressed) or "none given"}]
    if report.compared_with:
        result["baselineState"] = "new" if finding.status == "new" else "unchanged"
    return result


def _kept_steps(path: tuple[Step, ...]) -> tuple[Step, ...]:
    return path if len(path) <= MAX_STEPS else (*path[: MAX_STEPS - 1], path[-1])


def _flow_step(step: Step) -> dict[str, Any]:
    location = _location(step.location)
    location["message"] = _plain_message(step.message)
    return {"location": location}


def _location(location: Location, function: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(location.path)}}
    region = _region(location)
    if region:
        made["physicalLocation"]["region"] = region
    if function:
        made["logicalLocations"] = [{"fullyQualifiedName": _bounded(function), "kind": "function"}]
    return made


def _artifact(path: str) -> dict[str, str]:
    relative = path.lstrip("/")
    return {"uri": quote(relative, safe="/-._~") or ".", "uriBaseId": "%SRCROOT%"}


def _region(location: Location) -> dict[str, int]:
    """Only what is known and consistent; consumers refuse results without a line and regions that end early."""
    if location.line < 1:
        return {"startLine": 1}
    region = {"startLine": location.line, "startColumn": max(1, location.column)}
    end_line = max(location.line, location.end_line)
    if location.end_line:
        region["endLine"] = end_line
    if location.end_column >= 1 and (end_line > location.line or location.end_column >= region["startColumn"]):
        region["endColumn"] = location.end_column
    return region


def _fix(fix: Fix) -> dict[str, Any]:
    replacement = {"deletedRegion": _region(fix.location), "insertedContent": {"text": fix.replacement}}
    change = {"artifactLocation": _artifact(fix.location.path), "replacements": [replacement]}
    return {"description": _message(fix.description), "artifactChanges": [change]}


def _rule(name: str, rule: Rule | None, kept: tuple[Finding, ...]) -> dict[str, Any]:
    if rule is None:
        example = next(finding for finding in kept if finding.rule_id == name)
        severity, confidence, cwe = example.severity, example.confidence, example.cwe
        made: dict[str, Any] = {"id": name, "shortDescription": {"text": name}}
        tags = ["security"]
    else:
        severity, confidence, cwe = rule.severity, rule.confidence, rule.cwe
        made = {"id": name, "name": _camel(name)} | _rule_texts(rule)
        tags = ["security", *rule.languages, f"owasp/{rule.owasp}"]
    names = [f"external/cwe/cwe-{number:03d}" for number in cwe]
    made["defaultConfiguration"] = {"level": level(severity, "application")}
    made["properties"] = {
        "tags": list(dict.fromkeys([tags[0], *names, *tags[1:]]))[:MAX_TAGS],
        "cwe": [f"CWE-{number}" for number in cwe],
        "precision": confidence,
        "problem.severity": level(severity, "application").replace("note", "recommendation"),
        "security-severity": SECURITY_SEVERITY[severity],
    }
    if cwe:
        made["relationships"] = [
            {"target": {"id": str(number), "toolComponent": {"name": "CWE"}}, "kinds": ["superset"]}
            for number in dict.fromkeys(cwe)
        ]
    return made


def _rule_texts(rule: Rule) -> dict[str, Any]:
    fence = "```"
    language = rule.languages[0] if rule.languages and rule.languages[0] not in SUBJECTS else ""
    plain = f"{rule.why}\n\nHow to fix: {rule.fix.text}\n\nBefore:\n{rule.fix.before}\n\nAfter:\n{rule.fix.after}"
    markdown = (
        f"{rule.why.strip()}\n\n**How to fix.** {rule.fix.text.strip()}\n\nBefore:\n\n"
        f"{fence}{language}\n{rule.fix.before.rstrip()}\n{fence}\n\nAfter:\n\n"
        f"{fence}{language}\n{rule.fix.after.rstrip()}\n{fence}\n"
    )
    if rule.references:
        markdown += "\nReferences:\n\n" + "".join(f"- {reference}\n" for reference in rule.references)
    return {
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.why.strip()),
        "help": {"text": _bounded(plain, MAX_HELP_CHARACTERS), "markdown": _bounded(markdown, MAX_HELP_CHARACTERS)},
    }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.replace("_", "-").split("-"))


def _cwes(kept: tuple[Finding, ...], rules: Mapping[str, Rule], rule_ids: list[str]) -> list[int]:
    numbers = {number for finding in kept for number in finding.cwe}
    numbers |= {number for name in rule_ids if name in rules for number in rules[name].cwe}
    return sorted(numbers)


def _taxonomy(cwes: list[int]) -> dict[str, Any]:
    return {
        "name": "CWE",
        "organization": "MITRE",
        "shortDescription": {"text": "The MITRE Common Weakness Enumeration"},
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": False,
        "taxa": [
            {"id": str(number), "helpUri": f"https://cwe.mitre.org/data/definitions/{number}.html"} for number in cwes
        ],
    }


def _invocation(report: Report, left_out: int) -> dict[str, Any]:
    incomplete = report.incomplete
    notes = [_notification(item) for item in incomplete[:MAX_NOTIFICATIONS]]
    if len(incomplete) > MAX_NOTIFICATIONS:
        text = f"{len(incomplete) - MAX_NOTIFICATIONS} more files were not analysed."
        notes.append({"level": "warning", "message": {"text": text}})
    if left_out:
        text = f"{left_out} less severe results are left out, because a run may hold {MAX_RESULTS}."
        notes.append({"level": "warning", "message": {"text": text}})
    made: dict[str, Any] = {"executionSuccessful": not incomplete}
    if notes:
        made["toolExecutionNotifications"] = notes
    return made


def _notification(item: NotAnalysed) -> dict[str, Any]:
    return {
        "descriptor": {"id": item.code},
        "level": "warning",
        "message": _plain_message(f"Not analysed in full: {item.reason}"),
        "locations": [_location(Location(item.path, item.line))],
    }


def _run_properties(report: Report) -> dict[str, Any]:
    summary = report.summary
    return {
        "mode": summary.mode,
        "files": summary.files,
        "lines": summary.lines,
        "notAnalysed": dict(sorted(summary.not_analysed.items())),
        "hidden": dict(sorted(report.hidden.items())),
        "fixed": len(report.fixed),
    }


RENDERER = SarifRenderer()
