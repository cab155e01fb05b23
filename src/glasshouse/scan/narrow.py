"""Narrows a scan's findings to what the caller asked to see; what is left out is counted, never just gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from glasshouse.scan.discover.model import SourceFile
from glasshouse.scan.discover.walk import report_root
from glasshouse.scan.render.interface import CONFIDENCE_RANK, SEVERITY_RANK, Report
from glasshouse.scan.revisions import changed_lines, repository_of
from glasshouse.words.errors import BaselineError
from glasshouse.words.finding import Confidence, Finding, Severity

ChangedLines = dict[str, list[tuple[int, int]]]


def at_least(report: Report, severity: Severity, confidence: Confidence | float, *, listed: bool = False) -> Report:
    """Without findings below the severity, or below the confidence (of the rule) or probability (a number).

    ``listed``: what is left out stands in ``Report.below``.
    """
    lowest = SEVERITY_RANK[severity]
    narrow = keep(report, f"below severity {severity}", lambda item: SEVERITY_RANK[item.severity] >= lowest)
    reason = f"below confidence {confidence}"
    if isinstance(confidence, str):
        surest = CONFIDENCE_RANK[confidence]
        narrow = keep(narrow, reason, lambda item: CONFIDENCE_RANK[item.confidence] >= surest)
    else:
        least = confidence
        narrow = keep(narrow, reason, lambda item: item.probability is None or item.probability >= least)
    if not listed:
        return narrow
    kept = {id(item) for item in narrow.findings}
    return msgspec.structs.replace(narrow, below=tuple(item for item in report.open if id(item) not in kept))


def on_changed_lines(report: Report, paths: Sequence[Path], ref: str) -> Report:
    """Only findings of a scan of ``paths`` whose place or path touches a line that changed since ``ref``."""
    repository = repository_for(paths)
    changed = changed_lines(repository, ref, _files(report, Path(report_root(paths))))
    return keep(report, f"not on lines changed since {ref}", lambda item: touches(item, changed))


def repository_for(paths: Sequence[Path]) -> Path:
    """The one repository that all paths lie in; raises ``BaselineError`` when there is none."""
    found = {repository_of(path) for path in paths}
    repository = found.pop()
    if repository is None or found:
        where = ", ".join(str(path) for path in paths[:5])
        raise BaselineError("not inside one git repository", where=where, hint="--diff and --baseline-ref need git.")
    return repository


def touches(finding: Finding, changed: ChangedLines) -> bool:
    """Whether the place of a finding, or a step of its path, overlaps a changed range."""
    for location in (finding.location, *(step.location for step in finding.path)):
        last = max(location.line, location.end_line)
        if any(start <= last and location.line <= end for start, end in changed.get(location.path, ())):
            return True
    return False


def keep(report: Report, reason: str, wanted: Callable[[Finding], bool]) -> Report:
    """The report with only the wanted findings; open ones left out are counted under ``reason``."""
    kept = tuple(finding for finding in report.findings if wanted(finding))
    left_out = len(report.open) - sum(1 for item in kept if item.suppressed is None and item.status == "new")
    hidden = report.hidden | {reason: left_out} if left_out else report.hidden
    return msgspec.structs.replace(report, findings=kept, hidden=hidden)


def _files(report: Report, root: Path) -> Sequence[SourceFile]:
    """The files that findings speak of, as far as they can be opened."""
    places = (place for finding in report.findings for place in (finding.location, *(s.location for s in finding.path)))
    files = []
    for path in sorted({place.path for place in places}):
        absolute = os.path.join(root, path)
        try:
            status = os.stat(absolute)
        except (OSError, ValueError):
            continue
        files.append(SourceFile(path, absolute, status.st_size, status.st_mtime_ns, ""))
    return files
