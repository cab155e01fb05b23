"""Wherever a command reads a file that somebody named, a FIFO is refused with an error that names it: nothing waits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.product.warm import Warm

from glasshouse.door.door import Door

REFUSED = """
explain x --rule-path PIPE
rules --rule-path PIPE
rules --test --rule-path PIPE
scan src --baseline PIPE
scan src --rule-path PIPE
respond log.txt --placeholders PIPE
respond log.txt --rules PIPE
respond log.txt --services PIPE
respond rules import PIPE
respond run PIPE
log approve 1 --basis x --key PIPE
log erase 1 --basis x --approval PIPE
witness serve --state state --logs PIPE
verify home/ledger --policy PIPE
assess commit --framework PIPE
assess gate PIPE --tier vetted
assess import log.txt --model PIPE --suite s
assess model PIPE
assess run PIPE
assess training PIPE
attest x --value y --key PIPE --name a --role b
dossier diff PIPE PIPE
duty representative name i --name n --country FR --contact c --mandate PIPE --since 2026-01-01
serve --config PIPE
access engagement draft PIPE
access org check a c --met --reviewer r --evidence PIPE
policy explain PIPE
policy check --folder policies
approve x --as a --key PIPE --yes
deny x --reason r --as a --key PIPE --yes
store restore PIPE
forecast import epss PIPE
forecast import kev PIPE
advisories import PIPE
exposure requirements.txt --services PIPE
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a FIFO that nobody writes to, and what else the commands name: a home with a log, too."""
    folder = tmp_path_factory.mktemp("special")
    for name in ("src", "policies"):
        (folder / name).mkdir()
    (folder / "src" / "a.py").write_text("x = 1\n")
    (folder / "log.txt").write_text("x\n")
    (folder / "requirements.txt").write_text("flask==1.0\n")
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "policies" / "pipe.cedar")
    Door.open({"GLASSHOUSE_HOME": str(folder / "home")}).close()
    return folder


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Commands that need no start each."""
    with Warm(tmp_path_factory.mktemp("warm") / "warm") as running:
        yield running


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_a_fifo_is_refused_where_a_file_is_read(line: str, place: Path, warm: Warm) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHOUSE")}
    environ |= {"HOME": str(place), "GLASSHOUSE_HOME": str(place / "home")}
    done = warm.run([{"PIPE": "pipe"}.get(word, word) for word in line.split()], place, environ)
    assert done.returncode in (2, 3, 6), (done.returncode, done.stdout, done.stderr)
    assert "Usage:" not in done.stderr
    assert "pipe" in done.stderr
    assert "FIFO" in done.stderr or "not a file" in done.stderr, done.stderr
