"""``glasshouse scan`` on COBOL as a user meets it: copybooks of the tree count, and a changed one is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COPYBOOK = "       01  WS-AREA.\n           05  WS-PGM PIC X(8).\n"
PROGRAM = """\
000100 IDENTIFICATION DIVISION.
000200 PROGRAM-ID. MENU.
000300 DATA DIVISION.
000400 WORKING-STORAGE SECTION.
000500     COPY AREA.
000600 PROCEDURE DIVISION.
000700 MAIN-PARA.
000800     EXEC CICS RECEIVE INTO(WS-AREA) END-EXEC.
000900     EXEC CICS XCTL PROGRAM(WS-PGM) END-EXEC.
"""


def scan(folder: Path, expect: int) -> list[tuple[str, str, int, str]]:
    """Rule, path, line and function of each finding of `glasshouse scan .`."""
    environment = {**os.environ, "GLASSHOUSE_HOME": str(folder.parent / "home"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "glasshouse", "scan", ".", "--format", "json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    found = json.loads(done.stdout)["findings"]
    return [(each["rule_id"], each["location"]["path"], each["location"]["line"], each["function"]) for each in found]


def test_a_program_with_its_copybook_is_scanned_again_when_only_the_copybook_changed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "copy").mkdir(parents=True)
    (tree / "src").mkdir()
    (tree / "copy" / "AREA.cpy").write_text(COPYBOOK)
    (tree / "src" / "menu.cbl").write_text(PROGRAM)
    expected = [("cobol-cics-program", "src/menu.cbl", 9, "MAIN-PARA")]
    assert scan(tree, 1) == expected
    assert scan(tree, 1) == expected
    (tree / "copy" / "AREA.cpy").write_text(COPYBOOK.replace("05  WS-PGM", "05  WS-OTHER"))
    assert scan(tree, 0) == []
    (tree / "copy" / "AREA.cpy").unlink()
    assert scan(tree, 5) == []
