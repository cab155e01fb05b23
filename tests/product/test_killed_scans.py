"""The installed command, killed in the middle of a scan without a chance to clean up, and run again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glasshouse.scan.cache import KEEP_EVERY

FILES = 3 * KEEP_EVERY
LOOK_S = 0.01
PATIENCE_S = 60.0
LARGER_THAN_A_STATE = 200  # bytes of a cached value


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """C files that take a little time each, each with one weakness."""
    root = tmp_path / "tree"
    root.mkdir()
    work = "".join(
        f"  if (a[{n}] > {n}) {{ p = malloc({n + 8}); if (!p) return {n}; memset(p, 0, {n}); free(p); }}\n"
        for n in range(12)
    )
    for number in range(FILES):
        heavy = f"int g{number}(int *a) {{\n  char *p;\n{work}  return 0;\n}}\n"
        weak = f"void f{number}(void) {{ char b[4]; gets(b); }}\n"
        (root / f"f{number:04}.c").write_text(f"#include <stdlib.h>\n{heavy}{weak}")
    return root


def command(tree: Path, output: Path, *options: str) -> list[str]:
    """A scan that reports the uses of `gets`."""
    scan = [sys.executable, "-m", "glasshouse", "scan", str(tree), "--format", "json", "--output", str(output)]
    return [*scan, "--no-config", "--quiet", "--jobs", "2", "--rules", "c-dangerous-function", *options]


def finished(cache: Path) -> int:
    """Files of which the cache holds what was made of them."""
    found = 0
    for file in cache.rglob("*.sqlite"):
        base = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            query = f"SELECT count(*) FROM blobs WHERE length(value) > {LARGER_THAN_A_STATE}"
            found += base.execute(query).fetchone()[0]
        except sqlite3.Error:
            continue  # being made
        finally:
            base.close()
    return found


def kill_in_the_middle(tree: Path, output: Path, cache: Path, environment: dict[str, str]) -> None:
    """Start a scan, and kill it and its workers once the cache holds some of the files."""
    process = subprocess.Popen(
        command(tree, output, "--cache-dir", str(cache)), env=environment, start_new_session=True
    )
    until = time.monotonic() + PATIENCE_S
    try:
        while process.poll() is None and time.monotonic() < until and finished(cache) < KEEP_EVERY:
            try:
                process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                continue
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the scan ended before it could be killed"


def found_in(tree: Path, output: Path, environment: dict[str, str], *options: str) -> str:
    """The report of a scan that runs to its end."""
    done = subprocess.run(command(tree, output, *options), env=environment, timeout=PATIENCE_S * 2, check=False)
    assert done.returncode in (0, 1)
    return output.read_text()


def test_a_killed_scan_goes_on_where_it_was(tree: Path, tmp_path: Path) -> None:
    environment = os.environ | {"GLASSHOUSE_HOME": str(tmp_path / "home")}
    cache = tmp_path / "cache"
    kill_in_the_middle(tree, tmp_path / "never.json", cache, environment)
    assert not (tmp_path / "never.json").exists()
    kept = finished(cache)
    assert KEEP_EVERY <= kept < FILES
    other = shutil.copytree(cache, tmp_path / "other")

    fresh = found_in(tree, tmp_path / "fresh.json", environment, "--no-cache")
    assert len(json.loads(fresh)["findings"]) == FILES
    assert found_in(tree, tmp_path / "resumed.json", environment, "--cache-dir", str(cache)) == fresh

    for file in tree.iterdir():  # a harmless text of the same size and time: only a file that is read again shows it
        status = file.stat()
        file.write_text(file.read_text().replace("gets(b)", "puts(b)"))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    swapped = found_in(tree, tmp_path / "swapped.json", environment, "--cache-dir", str(other))
    assert len(json.loads(swapped)["findings"]) == kept
