"""A witness as a process of its own, a log that asks it, and an auditor with the policy."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from glasshouse.ledger import Ledger, NewEntry


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The installed command."""
    command = [sys.executable, "-m", "glasshouse", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_detached_witness_cosigns_and_a_rolled_back_log_refuses(tmp_path: Path) -> None:
    log, state = tmp_path / "log", tmp_path / "witness"
    assert run("log", "init", "--log", log, "--origin", "log.example.com/p").returncode == 0
    options = ("--state", state, "--name", "w.example.com/1", "--logs", log / "log.policy", "--port", 0)
    started = run("witness", "serve", *options, "--detach")
    assert started.returncode == 0, started.stderr
    ed25519, post_quantum, process = started.stdout.splitlines()
    try:
        assert run("log", "witnesses", ed25519, post_quantum, "--need", 2, "--log", log).returncode == 0
        backup = tmp_path / "backup"
        subprocess.run(["cp", "-r", str(log), str(backup)], check=True)
        with Ledger.open(log) as ledger:
            (receipt,) = ledger.append([NewEntry(kind="x", organisation="o", key="k")]).result()
            assert receipt.quorum == "pending"
            assert ledger.wait_for_quorum(0, 20)
        assert run("log", "prove", 0, "--log", log, "-o", tmp_path / "r").returncode == 0
        done = run("verify", tmp_path / "r", "--policy", log / "log.policy")
        assert "witness quorum: reached" in done.stdout, done.stderr
        refused = run("log", "hold", 0, "--basis", "x", "--log", backup)
        assert refused.returncode == 6
        assert "holds size 1, this log has 0" in refused.stderr
    finally:
        match = re.fullmatch(r"# process (\d+)", process)
        assert match is not None
        os.kill(int(match[1]), signal.SIGTERM)
    evidence = run("witness", "evidence", "--state", state)
    assert evidence.stdout == ""


def test_a_port_in_use_and_a_witness_without_a_name_give_one_clear_error(tmp_path: Path) -> None:
    done = run("witness", "serve", "--state", tmp_path / "w", "--port", 0)
    assert done.returncode == 2
    assert "a new witness needs a name" in done.stderr
    done = run("witness", "serve", "--state", tmp_path / "w", "--port", 0, "--detach")
    assert done.returncode == 1
    assert "a new witness needs a name" in done.stderr
