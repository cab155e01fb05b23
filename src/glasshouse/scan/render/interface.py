"""What a report is made of, and what a format offers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from glasshouse.scan.baseline import BaselineEntry
from glasshouse.scan.render.redact import redacted
from glasshouse.scan.rules.schema import Rule
from glasshouse.words.dependency import Dependency
from glasshouse.words.finding import (
    CONFIDENCES,
    SEVERITIES,
    Finding,
    NotAnalysed,
    Result,
    ScanSummary,
    UnusedIgnore,
)

FormatName = Literal["text", "concise", "json", "sarif", "html"]

SEVERITY_RANK: dict[str, int] = {name: rank for rank, name in enumerate(SEVERITIES)}
CONFIDENCE_RANK: dict[str, int] = {name: rank for rank, name in enumerate(CONFIDENCES)}
EMPTY_SUMMARY = ScanSummary(0, 0, 0, {}, 0, 0, {}, "both")


class Report(msgspec.Struct, frozen=True):
    """A whole scan, ready to be shown.

    ``findings`` are in order of place and include suppressed ones.  ``compared_with`` names the baseline, if any;
    then ``fixed`` holds what only the baseline has.  ``hidden`` counts findings left out by a filter, by its name;
    ``below`` are those of them that are to be listed nevertheless, without asking for attention.
    ``dependencies`` are the components of a scan of dependencies.
    """

    findings: tuple[Finding, ...]
    not_analysed: tuple[NotAnalysed, ...] = ()
    unused_ignores: tuple[UnusedIgnore, ...] = ()
    summary: ScanSummary = EMPTY_SUMMARY
    compared_with: str = ""
    fixed: tuple[BaselineEntry, ...] = ()
    hidden: dict[str, int] = {}
    below: tuple[Finding, ...] = ()
    dependencies: tuple[Dependency, ...] = ()

    @property
    def open(self) -> list[Finding]:
        """Findings that ask for attention: not suppressed in the code and not already in the baseline."""
        return [item for item in self.findings if item.suppressed is None and item.status == "new"]

    @property
    def suppressed(self) -> list[Finding]:
        return [item for item in self.findings if item.suppressed is not None]

    @property
    def unchanged(self) -> list[Finding]:
        return [item for item in self.findings if item.suppressed is None and item.status == "unchanged"]

    @property
    def incomplete(self) -> list[NotAnalysed]:
        return [item for item in self.not_analysed if item.incomplete]


class Context(msgspec.Struct, frozen=True):
    """What a format may use besides the report.

    ``roots`` are folders below which source files may be read again for more context (none: only snippets are shown).
    """

    version: str
    rules: Mapping[str, Rule] = {}
    roots: tuple[Path, ...] = ()
    color: bool = False


class Renderer(Protocol):
    """One report format.  ``needs_rules``: wants ``Context.rules`` filled with the rules that occur."""

    name: FormatName
    needs_rules: bool

    def render(self, report: Report, context: Context) -> Iterator[str]:
        """The report as text, piece by piece."""
        ...


def gather(results: Iterable[Result]) -> Report:
    """Sorts the results of a scan into a report, with secrets redacted wherever they would show."""
    findings: list[Finding] = []
    not_analysed: list[NotAnalysed] = []
    unused: list[UnusedIgnore] = []
    dependencies: list[Dependency] = []
    summary = EMPTY_SUMMARY
    for raw in results:
        result = storable(raw)
        match result:
            case Finding():
                findings.append(result)
            case NotAnalysed():
                not_analysed.append(result)
            case UnusedIgnore():
                unused.append(result)
            case Dependency():
                dependencies.append(result)
            case ScanSummary():
                summary = result
    findings = redacted(findings)
    findings.sort(key=lambda item: (item.location, item.rule_id, item.mode, item.fingerprint, item.message))
    findings.sort(key=urgency)
    dependencies.sort(key=lambda item: (item.location, item.purl, item.name, item.version))
    not_analysed.sort(key=lambda item: (item.path, item.line, item.code, item.reason))
    unused.sort(key=lambda item: (item.location, item.rules))
    return Report(tuple(findings), tuple(not_analysed), tuple(unused), summary, dependencies=tuple(dependencies))


def urgency(finding: Finding) -> tuple[float, float]:
    """Order among flaws of dependencies: most likely to be exploited first, then most severe; all else is equal."""
    if finding.flaw is None:
        return 0.0, 0.0
    return -(finding.flaw.chance or 0.0), -float(SEVERITY_RANK[finding.severity])


def storable(result: Result) -> Result:
    """The result itself, or a copy whose text can be written as UTF-8 (names of files may hold any bytes)."""
    try:
        msgspec.json.encode(result)
    except UnicodeEncodeError:
        plain = json.dumps(msgspec.to_builtins(result), ensure_ascii=False).encode(errors="replace")
        return msgspec.json.decode(plain, type=type(result))
    return result


def most_severe_first(findings: Iterable[Finding]) -> list[Finding]:
    """Order for formats that may have to stop: severe, certain, of a class that attackers use, then by place.

    A flaw of a dependency that has a forecast comes by its chance of being exploited.
    """
    from glasshouse.forecast.priority import by_weakness

    return sorted(
        findings,
        key=lambda item: (
            urgency(item)[0],
            -SEVERITY_RANK[item.severity],
            item.mode != "application",
            -CONFIDENCE_RANK[item.confidence],
            -by_weakness(item.cwe),
            item.location,
            item.rule_id,
        ),
    )


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Order for people: what a reviewer is most likely to confirm, then as ``most_severe_first``."""
    return sorted(most_severe_first(findings), key=lambda item: -(item.probability or 0.0))


def rank_words(finding: Finding) -> str:
    """How the ranker sees a finding: ``ranked high (0.83)``; "" when it was not judged."""
    value = finding.probability
    if value is None:
        return ""
    return f"ranked {'high' if value >= 0.6 else 'low' if value < 0.4 else 'in the middle'} ({value:.2f})"


def by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """Counts for every severity, most severe first, zeros included."""
    counts = Counter(item.severity for item in findings)
    return {severity: counts[severity] for severity in reversed(SEVERITIES)}


def by_mode(findings: Iterable[Finding]) -> dict[str, int]:
    """Counts for both modes, zeros included."""
    counts = Counter(item.mode for item in findings)
    return {"application": counts["application"], "library": counts["library"]}


def cwe_names(finding: Finding) -> list[str]:
    return [f"CWE-{number}" for number in finding.cwe]
