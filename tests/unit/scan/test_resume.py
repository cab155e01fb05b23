"""A scan that is stopped goes on where it was: finished files are not read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.scan import ScanSettings, scan_tree
from glasshouse.scan.run import KEEP_EVERY
from glasshouse.words.finding import Finding

FILES = 3 * KEEP_EVERY


class StoppedError(Exception):
    """Stands for Ctrl-C."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    for number in range(FILES):
        text = f"#include <stdio.h>\nvoid f{number}(void) {{ char b[4]; gets(b); }}\n"
        (root / f"f{number:03}.c").write_text(text)
    return root


def test_finished_files_survive_an_interruption(tree: Path, tmp_path: Path) -> None:
    settings = ScanSettings(cache_dir=tmp_path / "cache", jobs=1)
    stop_at = 2 * KEEP_EVERY + 7

    def stop(phase: str, done: int, total: int) -> None:
        if phase == "reading" and done == stop_at:
            raise StoppedError

    with pytest.raises(StoppedError):
        list(scan_tree([tree], settings, stop))
    totals: list[int] = []
    results = list(
        scan_tree([tree], settings, lambda phase, _done, total: totals.append(total) if phase == "reading" else None)
    )
    assert totals
    assert totals[0] <= FILES - stop_at + 1
    assert sum(isinstance(item, Finding) for item in results) == sum(
        isinstance(item, Finding) for item in scan_tree([tree], ScanSettings(cache_dir=None, jobs=1))
    )
