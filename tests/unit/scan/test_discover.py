"""What discovery finds, in which order, and why it leaves things out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshouse.scan.discover import DiscoverSettings, SourceFile, discover, report_root
from glasshouse.words.errors import PathError
from glasshouse.words.finding import NotAnalysed

NOBODY = 65534


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may read everything; act as somebody who may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def write(root: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(*paths: Path, settings: DiscoverSettings | None = None) -> list[str]:
    return [item.path for item in discover(paths, settings) if isinstance(item, SourceFile)]


def left_out(*paths: Path, settings: DiscoverSettings | None = None) -> dict[str, tuple[str, bool]]:
    items = discover(paths, settings)
    return {item.path: (item.code, item.incomplete) for item in items if isinstance(item, NotAnalysed)}


def test_files_come_sorted_by_path_whatever_the_disk_says(tree: Path) -> None:
    write(tree, "b.py", "a/z.py", "a.py", "a-b/c.js", "c/D.java", "notes.txt")
    paths = found(tree)
    assert paths == sorted(paths) == ["a-b/c.js", "a.py", "a/z.py", "b.py", "c/D.java"]


def test_a_file_below_two_named_paths_comes_once(tree: Path) -> None:
    write(tree, "a/x.py", "a/b/y.py")
    assert found(tree, tree / "a", tree / "a" / "b", tree / "a" / "x.py") == ["a/b/y.py", "a/x.py"]


def test_paths_are_relative_to_the_current_directory_when_all_lie_below_it(tree: Path) -> None:
    write(tree, "src/x.py")
    assert found(tree / "src") == ["src/x.py"]


def test_paths_elsewhere_are_relative_to_the_directory_that_holds_them_all(tree: Path, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path_factory.mktemp("other")
    write(other, "a/x.py", "b/x.py")
    assert found(other) == ["a/x.py", "b/x.py"]
    assert found(other / "a" / "x.py") == ["x.py"]
    assert found(other / "a", other / "b") == ["a/x.py", "b/x.py"]
    assert report_root([other / "a", other / "b"]) == str(other)


def test_a_missing_path_is_the_users_mistake(tree: Path) -> None:
    with pytest.raises(PathError):
        discover([tree / "nothing"])


def test_ignore_files_nest_and_negate(tree: Path) -> None:
    write(tree, ".gitignore", text="*.gen.py\n/out/\n")
    write(tree, "sub/.gitignore", text="!keep.gen.py\nlocal.py\n")
    write(tree, "a.gen.py", "out/x.py", "sub/keep.gen.py", "sub/b.gen.py", "sub/local.py", "local.py")
    assert found(tree) == ["local.py", "sub/keep.gen.py"]
    assert left_out(tree)["out/"] == ("ignored", False)
    assert left_out(tree)["sub/local.py"] == ("ignored", False)
    assert len(found(tree, settings=DiscoverSettings(ignore_files=False))) == 6


def test_our_own_ignore_file_overrules_gits(tree: Path) -> None:
    write(tree, ".gitignore", text="gen.py\n")
    write(tree, ".glasshouseignore", text="!gen.py\ntests/\n")
    write(tree, "gen.py", "tests/x.py")
    assert found(tree) == ["gen.py"]


def test_ignore_files_above_the_named_directory_apply_up_to_the_work_tree(tree: Path) -> None:
    write(tree, ".gitignore", text="hidden.py\n")
    write(tree, ".git/info/exclude", text="private.py\n")
    write(tree, "src/hidden.py", "src/private.py", "src/seen.py")
    assert found(tree / "src") == ["src/seen.py"]


def test_what_the_user_names_is_scanned_even_if_ignored(tree: Path) -> None:
    write(tree, ".gitignore", text="*.py\nout/\n")
    write(tree, "a.py", "out/x.js", "node_modules/m/i.js")
    assert found(tree / "a.py") == ["a.py"]
    assert found(tree, tree / "out") == ["out/x.js"]
    assert found(tree / "node_modules") == ["node_modules/m/i.js"]


def test_dependencies_and_vendored_code_are_left_out_once_per_directory(tree: Path) -> None:
    write(tree, "package.json", "node_modules/a/i.js", "node_modules/b/i.js", "third_party/x.py", "env/pyvenv.cfg")
    write(tree, ".pc/fix.patch/src/a.py")
    write(tree, "env/lib/x.py", "vendor/x.js", "static/vendor/jq.js", "__pycache__/x.py", "dist/app.js", "app.js")
    assert found(tree) == ["app.js"]
    assert {path: code for path, (code, _) in left_out(tree).items()} == {
        "dist/": "build-output",
        "env/": "dependency",
        ".pc/": "build-output",
        "node_modules/": "dependency",
        "static/vendor/": "vendored",
        "third_party/": "vendored",
        "vendor/": "vendored",
    }


def test_own_packages_that_share_a_name_with_build_output_are_scanned(tree: Path) -> None:
    write(tree, "pyproject.toml", "build/__init__.py", "build/x.py", "src/main/java/shop/vendor/Vendor.java")
    write(tree, "lib/target/x.py")
    assert found(tree) == [
        "build/__init__.py",
        "build/x.py",
        "lib/target/x.py",
        "src/main/java/shop/vendor/Vendor.java",
    ]


def test_symbolic_links_are_not_followed_and_loops_end(tree: Path, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    outside = tmp_path_factory.mktemp("outside")
    write(outside, "secret.py")
    write(tree, "a/x.py", "a/data.txt")
    (tree / "a" / "loop").symlink_to(tree / "a")
    (tree / "a" / "self.py").symlink_to("self.py")
    (tree / "away").symlink_to(outside)
    (tree / "leak.py").symlink_to(outside / "secret.py")
    (tree / "twin.py").symlink_to(tree / "a" / "x.py")
    (tree / "mask.py").symlink_to(tree / "a" / "data.txt")
    assert found(tree) == ["a/x.py"]
    assert sorted(left_out(tree)) == ["a/self.py", "away/", "leak.py", "mask.py"]


def test_a_named_symbolic_link_is_followed(tree: Path) -> None:
    write(tree, "real/x.py")
    (tree / "link.py").symlink_to(tree / "real" / "x.py")
    assert found(tree / "link.py") == ["link.py"]


def test_special_files_are_reported_and_never_opened(tree: Path) -> None:
    os.mkfifo(tree / "pipe.py")
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock.py")
        assert {code for code, _ in left_out(tree).values()} == {"special-file"}
    assert left_out(tree / "pipe.py") == {"pipe.py": ("special-file", True)}
    assert left_out(Path("/dev/zero"), settings=DiscoverSettings(cwd="/dev")) == {"zero": ("special-file", True)}


def test_archives_are_named_and_not_opened(tree: Path) -> None:
    write(tree, "lib.jar", "dump.tar.gz")
    assert left_out(tree) == {"dump.tar.gz": ("archive", False), "lib.jar": ("archive", False)}


def test_unreadable_directories_make_the_scan_incomplete(tree: Path, unprivileged: None) -> None:
    readable = Path("/proc/self")  # exists for everybody; the tree itself may not be reachable
    assert readable.exists()
    os.seteuid(0) if os.getuid() == 0 else None
    write(tree, "closed/x.py", "open/y.py")
    for parent in [tree, *tree.parents]:
        if parent.stat().st_mode & 0o005 != 0o005 and parent.stat().st_uid == os.geteuid():
            parent.chmod(0o755)
    (tree / "closed").chmod(0o700 if os.getuid() == 0 else 0o000)
    if os.getuid() == 0:
        os.seteuid(NOBODY)
    result = list(discover([tree / "closed", tree / "open"], DiscoverSettings(cwd=str(tree))))
    assert [(item.path, getattr(item, "code", "")) for item in result] == [
        ("closed/", "unreadable"),
        ("open/y.py", ""),
    ]
    if os.getuid() != 0:
        (tree / "closed").chmod(0o700)


def test_limits_stop_the_walk_and_say_so(tree: Path) -> None:
    write(tree, "a/b/c/d.py", "big.py", "x.py", text="y" * 200)
    assert left_out(tree, settings=DiscoverSettings(max_depth=2))["a/b/c/"] == ("too-deep", True)
    assert left_out(tree, settings=DiscoverSettings(max_file_bytes=100))["big.py"] == ("too-large", True)
    assert left_out(tree, settings=DiscoverSettings(max_files=1))["big.py"] == ("too-many-files", True)
    assert ("too-many-files", True) in left_out(tree, settings=DiscoverSettings(max_entries=2)).values()


def test_a_named_file_that_we_cannot_read_as_source_is_reported(tree: Path) -> None:
    write(tree, "a.xyz", "a.pyi", "a.zip", "b.py")
    assert left_out(tree / "a.xyz") == {"a.xyz": ("unknown-language", True)}
    assert left_out(tree / "a.pyi") == {"a.pyi": ("declarations", False)}
    assert left_out(tree / "a.zip") == {"a.zip": ("archive", True)}
    only_java = DiscoverSettings(languages=frozenset(("java",)))
    assert left_out(tree / "b.py", settings=only_java) == {"b.py": ("not-selected", False)}
    assert found(tree, settings=only_java) == []


def test_scripts_without_extension_are_found_by_their_shebang(tree: Path) -> None:
    write(tree, "bin/tool", text="#!/usr/bin/env python3\n")
    write(tree, "bin/other", text="#!/bin/sh\n")
    assert found(tree) == ["bin/tool"]


def test_names_that_are_no_text_still_give_valid_report_paths(tree: Path) -> None:
    try:
        (tree / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    write(tree, "gr\u00fc\u00df.py")
    paths = found(tree)
    assert paths == ["caf\\xe9.py", "gr\u00fc\u00df.py"]
    assert all(path.encode() for path in paths)
