"""The analysis of any valid program is bounded, and what was left out is said."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
from tests.unit.scan.pathological_programs import FLASK, PROGRAMS, each

from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Finding, NotAnalysed, Result, ScanSummary

SECONDS = 6.0  # of processor time, on a machine that others use; each takes less than 2 on its own
BYTES = 400 << 20


def scanned(folder: Path, files: dict[str, str]) -> list[Result]:
    for name, text in files.items():
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(text)
    return list(scan_tree([folder], ScanSettings(jobs=1)))


def summary(results: list[Result]) -> ScanSummary:
    last = results[-1]
    assert isinstance(last, ScanSummary)
    return last


def failures(results: list[Result]) -> list[NotAnalysed]:
    return [item for item in results if isinstance(item, NotAnalysed) and item.code not in ("limit", "minified")]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_pathological_program_is_analysed_in_bounded_time_and_memory(name: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    results = scanned(tmp_path, {name: PROGRAMS[name]})
    assert time.process_time() - start < SECONDS
    assert failures(results) == []
    assert summary(results).files == 1
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < BYTES
