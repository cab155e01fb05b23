"""What is new since an earlier state: a baseline file, or another revision of the same tree scanned the same way."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from glasshouse.scan.baseline import Baseline, baseline_of, compare, with_fingerprints
from glasshouse.scan.discover.walk import report_root
from glasshouse.scan.languages import language_of
from glasshouse.scan.narrow import repository_for
from glasshouse.scan.render.interface import Report, gather
from glasshouse.scan.revisions import export_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.errors import NothingToAnalyseError
from glasshouse.words.finding import Finding, Result

Scan = Callable[[Sequence[Path], ScanSettings], Iterable[Result]]


def against(
    report: Report, baseline: Baseline, name: str, covered: Callable[[str], bool], rules: frozenset[str] | None = None
) -> Report:
    """The report with new and unchanged told apart.

    Only entries of ``covered`` paths, of ``rules`` (None: all) and of completely analysed files can count as fixed.
    """
    unsure = {item.path for item in report.incomplete}
    findings, gone = compare(report.findings, baseline, lambda path: path not in unsure and covered(path))
    fixed = tuple(entry for entry in gone if rules is None or entry.rule in rules)
    return msgspec.structs.replace(report, findings=tuple(findings), fixed=fixed, compared_with=name)


def below(paths: Sequence[Path], languages: Iterable[str] = ()) -> Callable[[str], bool]:
    """A test whether a report path lies below the named paths and is in one of the languages (empty: any)."""
    root = report_root(paths)
    named = [os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/") for path in paths]
    wanted = frozenset(languages)

    def covered(path: str) -> bool:
        if wanted and (language_of(path) or "") not in wanted:
            return False
        return any(name == "." or path == name or path.startswith(name.rstrip("/") + "/") for name in named)

    return covered


def baseline_at(ref: str, paths: Sequence[Path], settings: ScanSettings, scan: Scan) -> Baseline:
    """The findings of another revision, as a baseline for a scan of ``paths`` in the work tree."""
    root = Path(report_root(paths))
    repository = Path(os.path.realpath(repository_for(paths)))
    with tempfile.TemporaryDirectory(prefix="glasshouse-") as directory:
        exported = Path(os.path.realpath(directory))
        export_tree(repository, ref, exported)
        there = [exported / os.path.relpath(os.path.realpath(path), repository) for path in paths]
        there = [path for path in there if path.exists()]
        if not there:
            return baseline_of(())
        # The export is gone after this scan, so a cache of it would only grow.
        plain = msgspec.structs.replace(settings, cache_dir=None)
        try:
            found = gather(scan(there, plain)).findings
        except NothingToAnalyseError:
            return baseline_of(())
        shift = _Shift(Path(report_root(there)), exported, repository, Path(os.path.realpath(root)))
        return baseline_of(with_fingerprints([shift.finding(item) for item in found]))


class _Shift(msgspec.Struct, frozen=True):
    """Report paths of the exported tree, turned into those of the work tree."""

    from_root: Path
    exported: Path
    repository: Path
    to_root: Path

    def finding(self, finding: Finding) -> Finding:
        relative = os.path.relpath(self.from_root / finding.location.path, self.exported)
        path = os.path.relpath(self.repository / relative, self.to_root).replace(os.sep, "/")
        return msgspec.structs.replace(finding, location=msgspec.structs.replace(finding.location, path=path))
