"""Source trees that want to crash, hang or flood the scan: it ends in time, and says what it left out."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.errors import PathError
from glasshouse.words.finding import NotAnalysed, Result, ScanSummary

WEAK = b'import os, sys\n\n\ndef main():\n    os.system("ls " + sys.argv[1])\n\n\nmain()\n'
MEMORY = 1 << 30
"""Address space that a scan may have, in bytes: ten times what an ordinary small scan takes."""


def environment(home: Path) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("GLASSHOUSE", "XDG_"))}
    return variables | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GLASSHOUSE_SCAN_RULES": "py-command-injection"}


def bounded_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Done:
    """What one run of the command left behind."""

    def __init__(self, status: int, report: bytes, messages: bytes) -> None:
        self.status = status
        self.report = report
        self.messages = messages

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.report)
        return value

    @property
    def left_out(self) -> dict[str, str]:
        """Code by path of everything that was not analysed."""
        return {item["path"]: item["code"] for item in self.json["not_analysed"]}


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., Done]:
    """Runs the installed command on a tree, in one gigabyte of memory and at most a minute."""

    def run(tree: Path, *arguments: str, form: str = "json", jobs: int = 2) -> Done:
        command = [
            sys.executable,
            "-m",
            "glasshouse",
            "scan",
            ".",
            "--format",
            form,
            "--jobs",
            str(jobs),
            "--no-cache",
        ]
        done = subprocess.run(
            [*command, *arguments],
            cwd=tree,
            env=environment(tmp_path / "home"),
            capture_output=True,
            timeout=60,
            check=False,
            preexec_fn=bounded_memory,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        assert b"internal error" not in done.stderr, done.stderr.decode()
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one weak file, so that a scan has something to find beside what is hostile."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "weak.py").write_bytes(WEAK)
    return folder


def places(done: Done) -> list[str]:
    return [item["location"]["path"] for item in done.json["findings"]]


# --- contents ---------------------------------------------------------------------------------------------------------

ODD_CONTENTS = {
    "syntax-error": b"def f(:\n  return ]\nclass\n" + WEAK,
    "binary": bytes(range(256)) * 64,
}


@pytest.mark.parametrize("code", ODD_CONTENTS)
def test_a_file_that_cannot_be_read_in_full_is_listed_and_makes_the_scan_incomplete(
    code: str, tree: Path, scan: Callable[..., Done]
) -> None:
    (tree / "odd.py").write_bytes(ODD_CONTENTS[code])
    done = scan(tree)
    assert done.left_out == {"odd.py": code}
    assert "weak.py" in places(done)
    assert done.status == (5 if done.json["not_analysed"][0]["incomplete"] else 1)
    assert scan(tree, "--allow-incomplete").status == 1


def test_encodings_and_nul_bytes_change_nothing_about_what_is_found(tree: Path, scan: Callable[..., Done]) -> None:
    text = WEAK.decode()
    (tree / "latin.py").write_bytes(b"# caf\xe9\n" + WEAK)
    (tree / "declared.py").write_bytes(b"# -*- coding: cp1252 -*-\n# \x80\x99\n" + WEAK)
    (tree / "bom.py").write_bytes(b"\xef\xbb\xbf" + WEAK)
    (tree / "utf16.py").write_bytes(text.encode("utf-16"))
    (tree / "nul.py").write_bytes(b"# a\x00b\n" + WEAK)
    (tree / "crlf.py").write_bytes(WEAK.replace(b"\n", b"\r\n"))
    done = scan(tree)
    assert done.status == 1
    assert done.left_out == {}
    assert sorted(places(done)) == sorted(file.name for file in tree.iterdir())


def test_empty_files_are_analysed_and_clean(tree: Path, scan: Callable[..., Done]) -> None:
    (tree / "weak.py").write_bytes(b"")
    for name in ("a.js", "b.ts", "C.java", "d.go", "e.php", "blank.py"):
        (tree / name).write_bytes(b"" if name != "blank.py" else b"\n\n  \n\t\n")
    done = scan(tree)
    assert (done.status, done.left_out, done.json["findings"]) == (0, {}, [])


def test_a_line_of_100_megabytes_is_refused_by_size_before_it_is_read(tree: Path, scan: Callable[..., Done]) -> None:
    for name in ("long.py", "long.js", "Long.java"):
        with (tree / name).open("wb") as file:
            file.write(b"x = 1;")
            file.truncate(100 << 20)
    done = scan(tree)
    assert done.status == 5
    assert done.left_out == dict.fromkeys(("Long.java", "long.js", "long.py"), "too-large")
    assert places(done) == ["weak.py"]


def test_a_line_as_long_as_the_limit_allows_is_scanned_in_bounded_memory(tree: Path, scan: Callable[..., Done]) -> None:
    (tree / "sum.py").write_bytes(b"x = " + b"1+" * 900_000 + b"1\n")
    (tree / "list.py").write_bytes(b"x = [" + b"'a'," * 450_000 + b"]\n")
    (tree / "text.py").write_bytes(b"x = '" + b"a" * 1_900_000 + b"'\n")
    done = scan(tree)
    assert done.status in (1, 5)
    assert set(done.left_out.values()) <= {"limit", "generated", "minified", "timeout"}
    assert places(done) == ["weak.py"]


NESTED = {
    "python": ("deep.py", "x = " + "(" * 50_000 + "1" + ")" * 50_000 + "\n"),
    "python-lists": ("deep.py", "x = " + "[" * 50_000),
    "python-blocks": ("deep.py", "".join(" " * n + "if x:\n" for n in range(1900))),
    "python-calls": ("deep.py", "x = " + "f(" * 50_000 + ")" * 50_000 + "\n"),
    "python-attributes": ("deep.py", "x = a" + ".b" * 50_000 + "\n"),
    "python-unary": ("deep.py", "x = " + "not " * 50_000 + "y\n"),
    "javascript": ("deep.js", "x = " + "(\n" * 50_000 + "1" + ")\n" * 50_000),
    "javascript-blocks": ("deep.js", "if(a){\n" * 50_000 + "}\n" * 50_000),
    "javascript-functions": ("deep.js", "(function(){\n" * 50_000),
    "javascript-arrays": ("deep.js", "x = " + "[\n" * 50_000 + "]\n" * 50_000),
    "javascript-elements": ("deep.jsx", "x = " + "<a>\n" * 50_000),
    "typescript-types": ("deep.ts", "let x: " + "A<\n" * 50_000 + "B" + ">\n" * 50_000),
    "java": ("Deep.java", "class A { int x = " + "(\n" * 50_000 + "1" + ")\n" * 50_000 + "; }"),
    "java-blocks": ("Deep.java", "class A { void f() { " + "{\n" * 50_000 + "}\n" * 50_000 + "} }"),
    "java-classes": ("Deep.java", "class A {\n" * 50_000 + "}\n" * 50_000),
    "go": ("deep.go", "package a\nvar x = " + "(\n" * 50_000 + "1" + ")\n" * 50_000),
    "go-blocks": ("deep.go", "package a\nfunc f() " + "{\n" * 50_000 + "}\n" * 50_000),
    "go-functions": ("deep.go", "package a\nvar x = " + "func() any { return\n" * 20_000),
    "php": ("deep.php", "<?php $x = " + "(\n" * 50_000 + "1" + ")\n" * 50_000 + ";"),
    "php-blocks": ("deep.php", "<?php " + "if ($a) {\n" * 50_000 + "}\n" * 50_000),
    "php-arrays": ("deep.php", "<?php $x = " + "[\n" * 50_000 + "]\n" * 50_000 + ";"),
    "cobol": ("deep.cob", "       PROCEDURE DIVISION.\n" + "           IF A = B\n" * 50_000),
    "php-closures": ("deep.php", "<?php " + "function () {\n" * 20_000),
    "java-lambdas": ("Deep.java", "class A { Object o = " + "x ->\n" * 50_000 + "1; }"),
}


UNBOUNDED = frozenset(["python-attributes", "typescript-types"])  # analysed in full at any depth


@pytest.mark.parametrize("kind", NESTED)
def test_nesting_50000_deep_ends_and_is_said(kind: str, tmp_path: Path) -> None:
    name, text = NESTED[kind]
    (tmp_path / name).write_text(text)
    start = time.process_time()
    results = list(scan_tree([tmp_path], ScanSettings(jobs=1)))
    assert time.process_time() - start < 10
    codes = {item.code for item in left_out(results)}
    assert codes <= {"limit", "syntax-error"}
    assert bool(codes) is (kind not in UNBOUNDED)


def left_out(results: list[Result]) -> list[NotAnalysed]:
    return [item for item in results if isinstance(item, NotAnalysed)]


# --- many, missing and special files ---------------------------------------------------------------------------------


def test_20000_tiny_files_are_scanned_in_bounded_time_and_memory(tree: Path, scan: Callable[..., Done]) -> None:
    for number in range(200):
        folder = tree / f"d{number}"
        folder.mkdir()
        for inner in range(100):
            (folder / f"m{inner}.py").write_bytes(b"x = 1\n")
    done = scan(tree, form="concise")
    assert done.status == 1
    assert done.report.count(b"\n") == 1


def test_symbolic_links_are_not_followed_round_or_out(tree: Path, scan: Callable[..., Done]) -> None:
    outside = tree.parent / "outside.py"
    outside.write_bytes(WEAK)
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    (tree / "self.py").symlink_to("self.py")
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("a")
    (tree / "out.py").symlink_to(outside)
    (tree / "gone.py").symlink_to("nowhere.py")
    (tree / "again.py").symlink_to("weak.py")
    done = scan(tree)
    assert places(done) == ["weak.py"]
    assert set(done.left_out) == {"gone.py", "out.py", "self.py"}
    assert set(done.left_out.values()) == {"symlink"}
    assert done.status == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file and directory; see the vanishing ones instead")
def test_what_may_not_be_read_is_listed(tree: Path, scan: Callable[..., Done]) -> None:
    (tree / "closed").mkdir()
    (tree / "secret.py").write_bytes(WEAK)
    for name in ("closed", "secret.py"):
        (tree / name).chmod(0)
    done = scan(tree)
    (tree / "closed").chmod(0o700)
    assert done.left_out == {"closed/": "unreadable", "secret.py": "unreadable"}
    assert done.status == 5


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_that_vanish_while_they_are_scanned_are_listed(jobs: int, tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"m{number:02}.py").write_bytes(WEAK)

    def remove(phase: str, done: int, total: int) -> None:
        if phase == "reading" and done == 1:
            for file in tmp_path.iterdir():
                file.unlink()

    results = list(scan_tree([tmp_path], ScanSettings(jobs=jobs), remove))
    summary = results[-1]
    assert isinstance(summary, ScanSummary)
    missing = left_out(results)
    assert summary.files + len(missing) == 40
    assert {item.code for item in missing} <= {"vanished"}
    assert all(item.incomplete for item in missing)
    assert jobs == 2 or len(missing) == 39


def test_a_directory_that_becomes_a_file_and_a_file_that_grows_are_no_crash(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"m{number}.py").write_bytes(WEAK)

    def change(phase: str, done: int, total: int) -> None:
        if phase == "reading" and done == 1:
            (tmp_path / "m1.py").unlink()
            (tmp_path / "m1.py").mkdir()
            with (tmp_path / "m2.py").open("r+b") as file:
                file.truncate(50 << 20)
            (tmp_path / "m3.py").unlink()
            os.mkfifo(tmp_path / "m3.py")

    results = list(scan_tree([tmp_path], ScanSettings(jobs=1), change))
    assert [Path(item.path).name for item in left_out(results)] == ["m1.py", "m2.py", "m3.py"]
    assert all(item.incomplete for item in left_out(results))


def test_archives_fifos_sockets_and_devices_are_listed_and_never_opened(tree: Path, scan: Callable[..., Done]) -> None:
    with zipfile.ZipFile(tree / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weak.py", b"\0" * (10 << 20))
    (tree / "code.jar").write_bytes(b"PK\x03\x04")
    os.mkfifo(tree / "pipe.py")
    (tree / "zero.py").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tree)  # the path of a socket is short
        try:
            listener.bind("socket.py")
        finally:
            os.chdir(here)
        done = scan(tree)
    assert done.status == 1
    special = {"pipe.py": "special-file", "socket.py": "special-file", "zero.py": "symlink"}
    assert done.left_out == {"bomb.zip": "archive", "code.jar": "archive"} | special


@pytest.mark.parametrize("name", ["pipe.py", "/dev/zero", "bomb.zip", "notes.txt"])
def test_something_named_that_is_no_source_file_is_incomplete(name: str, tree: Path, scan: Callable[..., Done]) -> None:
    os.mkfifo(tree / "pipe.py")
    (tree / "bomb.zip").write_bytes(b"PK\x03\x04")
    (tree / "notes.txt").write_bytes(b"x")
    done = scan(tree, name)
    assert done.status == 5
    assert len([item for item in done.json["not_analysed"] if item["incomplete"]]) == 1


# --- names -----------------------------------------------------------------------------------------------------------

NAMES = [
    b"new\nline.py",
    b"\x1b[31mred\x1b]0;title\x07.py",
    b"<img src=x onerror=alert(1)>.py",
    b"'\"`;$(touch pwned)&.py",
    b"bad\xff\xfeutf8.py",
    "\u202egnp.py".encode(),
    b"-rf.py",
    b" .py",
    b"%s%n{0}.py",
    b"a" * 250 + b".py",
]


@pytest.mark.parametrize("form", ["text", "concise", "json", "sarif", "html"])
def test_hostile_file_names_are_shown_without_acting(form: str, tree: Path, scan: Callable[..., Done]) -> None:
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(tree) + b"/" + name)).write_bytes(WEAK)
    done = scan(tree, form=form)
    assert done.status == (0 if form == "sarif" else 1)
    for output in (done.report, done.messages):
        text = output.decode("utf-8")
        assert not any(sign in text for sign in ("\x1b", "\x07"))
        assert form == "json" or "\u202e" not in text  # JSON is for programs
        assert form != "html" or "<img" not in text
    if form == "concise":
        assert len(done.report.splitlines()) == len(NAMES) + 1
    elif form == "json":
        assert len(set(places(done))) == len(NAMES) + 1
    assert not (tree / "pwned").exists()


# --- surroundings ----------------------------------------------------------------------------------------------------


def command(tree: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "glasshouse", "scan", *arguments],
        cwd=tree,
        env=environment(tree.parent / "home"),
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("kind", ["a file in its place", "rubbish in it", "below a device"])
def test_a_cache_that_cannot_be_used_costs_only_time(kind: str, tree: Path) -> None:
    cache = tree.parent / "cache"
    if kind == "a file in its place":
        cache.write_bytes(b"")
    elif kind == "below a device":
        cache = Path("/dev/null/cache")
    else:
        cache.mkdir()
        for name in ("cache.db", "scan.db", "cache.sqlite", "scan-cache.db"):
            (cache / name).write_bytes(b"rubbish" * 1000)
    process = command(tree, ".", "--format", "concise", "--cache-dir", str(cache), stdout=subprocess.PIPE)
    report, messages = process.communicate(timeout=60)
    assert process.returncode == 1, messages
    assert report.startswith(b"weak.py:5:")
    assert b"Traceback" not in messages


@pytest.fixture
def busy(tree: Path) -> Path:
    """A tree that takes some seconds to scan."""
    text = "".join(f"def f{n}(x):\n    y = [x, {n}]\n    return f{n + 1}(y) if x else y\n\n\n" for n in range(3000))
    for number in range(30):
        (tree / f"m{number}.py").write_text(text)
    return tree


def children(process: int) -> set[int]:
    """Processes started by this one (Linux)."""
    found: set[int] = set()
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        found |= {int(word) for word in task.read_text().split()}
    return found


@pytest.fixture
def waiting() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is so, without sleeping for a fixed time."""

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)

    return until


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process table of Linux")
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_exits_130_without_traceback_or_orphans(
    busy: Path, waiting: Callable[[Callable[[], bool]], None]
) -> None:
    process = command(busy, ".", "--jobs", "2", "--no-cache", stdout=subprocess.PIPE)
    waiting(lambda: len(children(process.pid)) == 2 or process.poll() is not None)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    report, messages = process.communicate(timeout=20)
    assert process.returncode == 130
    assert report == b""
    assert b"Traceback" not in messages
    assert b"interrupted" in messages
    assert len(workers) == 2
    waiting(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_a_reader_that_goes_away_ends_the_report_quietly(form: str, tree: Path) -> None:
    for number in range(100):
        (tree / f"m{number}.py").write_bytes(WEAK)
    read, write = os.pipe()
    process = command(tree, ".", "--format", form, "--no-cache", stdout=write)
    os.close(write)
    os.close(read)
    _, messages = process.communicate(timeout=60)
    assert process.returncode in (0, 1)
    assert b"Traceback" not in messages
    assert b"BrokenPipe" not in messages


def test_a_full_disk_is_an_error_with_a_reason(tree: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = command(tree, ".", "--format", "json", "--no-cache", stdout=full)
        _, messages = process.communicate(timeout=60)
    assert process.returncode not in (0, 1)
    assert b"Traceback" not in messages
    assert b"space" in messages.lower()


@pytest.mark.parametrize("path", ["nowhere", "weak.py/inner", "x" * 5000, "\udcff\udcfe"])
def test_a_wrong_path_is_a_usage_error(path: str, tree: Path) -> None:
    process = command(tree, path, stdout=subprocess.PIPE)
    report, messages = process.communicate(timeout=60)
    assert process.returncode == 2
    assert report == b""
    assert b"Traceback" not in messages


def test_a_path_with_a_nul_byte_is_refused_by_the_library(tmp_path: Path) -> None:
    with pytest.raises((PathError, ValueError)):
        list(scan_tree([tmp_path / "a\0b"]))
