"""Other revisions: read without running anything the repository configures."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from glasshouse.scan.discover import SourceFile, discover
from glasshouse.scan.revisions import (
    LAST_LINE,
    ExportLimits,
    changed_lines,
    export_tree,
    repository_of,
)
from glasshouse.words.errors import BaselineError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(root: Path, *arguments: str, stdin: bytes = b"") -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=root, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("one\ntwo\nthree\nfour\n")
    (root / "src" / "b.py").write_text("b\n")
    (root / "notes.txt").write_text("not source\n")
    (root / "link.py").symlink_to("/etc/passwd")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def sources(root: Path) -> list[SourceFile]:
    return [item for item in discover([root]) if isinstance(item, SourceFile)]


def test_an_export_holds_the_source_files_as_stored_and_no_links(repository: Path, tmp_path: Path) -> None:
    (repository / "src" / "a.py").write_text("edited\n")
    (tmp_path / "out").mkdir()
    export = export_tree(repository, "HEAD", tmp_path / "out")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert files == ["src/a.py", "src/b.py"]
    assert (tmp_path / "out" / "src" / "a.py").read_text() == "one\ntwo\nthree\nfour\n"
    assert (export.files, export.left_out) == (2, ())


def test_nothing_that_the_repository_configures_runs(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py filter=trap diff=trap\n")
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-q", "-m", "attributes")
    for key in ("filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "diff.trap.command"):
        git(repository, "config", key, str(trap))
    for key in ("diff.trap.textconv", "diff.external", "core.fsmonitor", "core.pager", "core.sshCommand"):
        git(repository, "config", key, str(trap))
    (repository / "src" / "a.py").write_text("edited\n")
    (tmp_path / "out").mkdir()
    export_tree(repository, "HEAD", tmp_path / "out")
    assert changed_lines(repository, "HEAD", sources(repository)) == {"src/a.py": [(1, 1)]}
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("ref", ["-h", "--output=x", "", "no-such-ref", "a b", "HEAD\n", "x" * 600])
def test_what_is_no_revision_is_refused(repository: Path, ref: str) -> None:
    with pytest.raises(BaselineError):
        changed_lines(repository, ref, [])


def test_a_directory_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError):
        changed_lines(tmp_path, "HEAD", [])


def test_tree_entries_that_would_leave_the_directory_are_not_written(repository: Path, tmp_path: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"evil = 1\n")
    entry = bytes.fromhex(blob)
    names = (b"..", b".git", b"a\\b.py", b"ok.py")
    inner = git(repository, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=b"100644 x.py\0" + entry)
    modes = b"".join(
        (b"100644 " if name.endswith(b".py") else b"40000 ")
        + name
        + b"\0"
        + (entry if name.endswith(b".py") else bytes.fromhex(inner))
        for name in names
    )
    tree = git(repository, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=modes)
    (tmp_path / "out").mkdir()
    export = export_tree(repository, tree, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["ok.py"]
    assert {item.code for item in export.left_out} == {"unsafe-path"}
    assert not (tmp_path / "x.py").exists()


def test_an_export_is_bounded(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export = export_tree(repository, "HEAD", tmp_path / "out", ExportLimits(max_file_bytes=10))
    assert [(item.path, item.code) for item in export.left_out] == [("src/a.py", "too-large")]


def test_changes_are_edited_and_new_files_with_their_lines(repository: Path) -> None:
    (repository / "src" / "a.py").write_text("one\nTWO\nthree\nfour\nfive\nsix\n")
    (repository / "new.py").write_text("x\n")
    changes = changed_lines(repository, "HEAD", sources(repository))
    assert changes == {"new.py": [(1, LAST_LINE)], "src/a.py": [(2, 2), (5, 6)]}


def test_lines_around_removed_ones_count_as_changed(repository: Path) -> None:
    (repository / "src" / "a.py").write_text("one\nfour\n")
    assert changed_lines(repository, "HEAD", sources(repository)) == {"src/a.py": [(1, 2)]}


def test_line_ends_of_a_checkout_are_no_change(repository: Path) -> None:
    (repository / "src" / "a.py").write_bytes(b"one\r\ntwo\r\nthree\r\nfour\r\n")
    assert changed_lines(repository, "HEAD", sources(repository)) == {}


def test_what_happened_on_the_other_branch_is_no_change_of_ours(repository: Path) -> None:
    git(repository, "branch", "mine")
    (repository / "src" / "b.py").write_text("theirs\n")
    git(repository, "commit", "-qam", "theirs")
    git(repository, "branch", "theirs")
    git(repository, "checkout", "-q", "mine")
    (repository / "src" / "a.py").write_text("ours\n")
    assert list(changed_lines(repository, "theirs", sources(repository))) == ["src/a.py"]


def test_the_repository_of_a_path_is_found_without_git(repository: Path) -> None:
    assert repository_of(repository / "src" / "a.py") == repository
    assert repository_of(Path(os.sep)) is None
