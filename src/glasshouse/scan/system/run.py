"""A scan of systems: root file systems and images in, findings out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from glasshouse.inventory.places import Place, open_place
from glasshouse.scan.baseline import finding_fingerprint
from glasshouse.scan.discover.walk import report_path, report_root
from glasshouse.scan.report import fill
from glasshouse.scan.rules.loader import load_rules
from glasshouse.scan.rules.schema import Rule
from glasshouse.scan.system import credentials
from glasshouse.scan.system.accounts import accounts, readable_hashes, sudo
from glasshouse.scan.system.files import modes
from glasshouse.scan.system.kernel import kernel_config, sysctl
from glasshouse.scan.system.model import Check, Hit, System
from glasshouse.scan.system.services import services
from glasshouse.scan.system.ssh import ssh
from glasshouse.words.errors import NothingToAnalyseError
from glasshouse.words.finding import Finding, NotAnalysed, Result, ScanSummary
from glasshouse.words.location import Location

CHECKS: tuple[Check, ...] = (
    *(modes, accounts, readable_hashes, sudo, ssh, sysctl, kernel_config, services, credentials.credentials),
)
MAX_HITS = 500
"""Findings of one rule in one system; what goes beyond is counted."""
Progress = Callable[[str, int, int], None]
_SETTINGS = ("etc/", "boot/config-", "usr/lib/sysctl.d/", "lib/sysctl.d/", "usr/local/lib/")


def wanted(path: str) -> bool:
    """Whether the content of a file of an image is looked at."""
    return path.startswith(_SETTINGS) or credentials.wanted(path)


def scan_system(paths: Sequence[Path], progress: Progress | None = None) -> Iterator[Result]:
    """Findings of all rules, what was not looked at and, last, a summary.

    Raises ``PathError`` for a path that does not exist and ``NothingToAnalyseError`` for one that is no system.
    """
    root = report_root(paths)
    rules = load_rules(("system",), select=("system-*",)).rules
    findings: list[Finding] = []
    problems: list[NotAnalysed] = []
    files = 0
    for number, path in enumerate(paths):
        if progress is not None:
            progress("reading", number, len(paths))
        place = open_place(path, wanted)
        if place.tree is None or place.kind not in ("system", "image"):
            hint = "Name the folder that holds etc/ and usr/, or a tar file of `docker save`."
            raise NothingToAnalyseError("not the root of a file system and not an image", where=str(path), hint=hint)
        shown = os.path.relpath(os.path.abspath(path), root) if root else str(path)
        system = System(place.tree)
        for hit in found(system, rules, problems, _prefix(place, shown)):
            findings.append(_finding(hit, rules[hit.rule], _prefix(place, shown)))
        prefix = _prefix(place, shown)
        problems += (NotAnalysed(report_path(prefix + each.path), "not-read", each.why, True) for each in system.unread)
        files += len(system.nodes)
    yield from findings
    yield from problems
    yield ScanSummary(
        files=files,
        looked_at=files,
        lines=0,
        functions=0,
        languages={},
        findings=len(findings),
        suppressed=0,
        not_analysed=dict(sorted(Counter(each.code for each in problems).items())),
        mode="system",
    )


def found(system: System, rules: Mapping[str, Rule], problems: list[NotAnalysed], prefix: str) -> Iterator[Hit]:
    """The hits of the chosen rules, at most ``MAX_HITS`` of each."""
    counts: Counter[str] = Counter()
    for check in CHECKS:
        for hit in check(system):
            if hit.rule in rules:
                counts[hit.rule] += 1
                if counts[hit.rule] <= MAX_HITS:
                    yield hit
    for rule, count in sorted(counts.items()):
        if count > MAX_HITS:
            reason = f"{rule}: {count:,} places, only the first {MAX_HITS} are shown"
            problems.append(NotAnalysed(prefix or ".", "too-many", reason, False))


def _prefix(place: Place, shown: str) -> str:
    if place.kind == "image":
        return f"{shown}!/"
    return "" if shown == "." else f"{shown.rstrip('/')}/"


def _finding(hit: Hit, rule: Rule, prefix: str) -> Finding:
    path = report_path(prefix + hit.path)
    return Finding(
        rule_id=rule.id,
        message=fill(rule.message, {"name": report_path(hit.name), "value": report_path("/" + hit.path)}),
        location=Location(path, max(hit.line, 1)),
        severity=hit.severity or rule.severity,
        confidence=hit.confidence or rule.confidence,
        cwe=rule.cwe,
        snippet=report_path(hit.shown)[:240],
        reasons=(f"found by `{rule.detector}`",),
        fingerprint=finding_fingerprint(rule.id, path, "", hit.key, 0),
    )
