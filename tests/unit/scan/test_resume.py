"""A scan that is stopped goes on where it was: finished files are not read again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glasshouse.scan import ScanSettings, language, scan_tree
from glasshouse.scan.cache import KEEP_EVERY
from glasshouse.scan.stored import GRAMMARS
from glasshouse.words.errors import NothingToAnalyseError
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


@pytest.mark.parametrize(
    ("name", "text"), [("a.c", "void f(char *s) { char b[4]; gets(b); }\n"), ("a.py", "eval(input())\n")]
)
def test_a_folder_scanned_alone_leaves_nothing_wrong_for_the_folder_above(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / name).write_text(text)
    kept = ScanSettings(cache_dir=tmp_path / "cache", jobs=1)
    assert {item.location.path for item in scan_tree([tmp_path / "tree" / "sub"], kept) if isinstance(item, Finding)}
    above = list(scan_tree([tmp_path / "tree"], kept))
    assert above == list(scan_tree([tmp_path / "tree"], ScanSettings(cache_dir=None, jobs=1)))
    assert {item.location.path for item in above if isinstance(item, Finding)} == {f"sub/{name}"}


def test_the_cache_starts_afresh_with_each_new_grammar() -> None:
    sources = (Path(language.__file__).parent).rglob("*.py")
    used = {
        name for file in sources for name in re.findall(r"^import (tree_sitter_\w+)", file.read_text(), re.MULTILINE)
    }
    assert used <= set(GRAMMARS)
    assert used


def test_a_tree_that_is_ignored_whole_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("eval(input())\n")
    (tmp_path / ".gitignore").write_text("/*\n")
    with pytest.raises(NothingToAnalyseError, match=r"1 left out as ignored by \.gitignore") as caught:
        list(scan_tree([tmp_path], ScanSettings(cache_dir=None, jobs=1)))
    assert "--no-ignore-files" in caught.value.hint
