"""A witness as a process of its own, a log that asks it, and an auditor with the policy."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from glasshouse.ledger import Ledger, NewEntry
from glasshouse.ledger.keys import WITNESS_KINDS, new_signers


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


def process_in(said: str) -> int:
    """The process that `witness start` names."""
    match = re.search(r"process (\d+)", said)
    assert match is not None, said
    return int(match[1])


def test_a_witness_beside_the_log_is_started_with_one_command_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "ledger"
    assert run("log", "init", "--log", log, "--origin", "log.example.com/s").returncode == 0
    started = run("witness", "start", "--log", log)
    assert started.returncode == 0, started.stderr
    first = process_in(started.stdout)
    policy = (log / "log.policy").read_text()
    try:
        assert "the witness runs at" in run("witness", "start", "--log", log).stdout
    finally:
        os.kill(first, signal.SIGTERM)
    with Ledger.open(log) as ledger:
        (receipt,) = ledger.append([NewEntry(kind="x", organisation="o", key="k")]).result()
        assert receipt.quorum == "pending"
    again = run("witness", "start", "--log", log)
    try:
        with Ledger.open(log) as ledger:
            assert ledger.wait_for_quorum(0, 20)
        assert (log / "log.policy").read_text() == policy
        assert "witness quorum: reached" in run("verify", log).stdout
    finally:
        os.kill(process_in(again.stdout), signal.SIGTERM)
    other = policy.replace("log.example.com/s/witness", "w.example.com/other").split("witness ", 1)[0] + "quorum none\n"
    (log / "log.policy").write_text(other)
    line = "witness w2 " + new_signers("w2.example.com", WITNESS_KINDS)[0].key.vkey + " http://127.0.0.1:1"
    assert run("log", "witnesses", line, "--need", 1, "--log", log).returncode == 0
    refused = run("witness", "start", "--log", log)
    assert refused.returncode == 2
    assert "other witnesses" in refused.stderr


def test_a_port_in_use_and_a_witness_without_a_name_give_one_clear_error(tmp_path: Path) -> None:
    done = run("witness", "serve", "--state", tmp_path / "w", "--port", 0)
    assert done.returncode == 2
    assert "a new witness needs a name" in done.stderr
    done = run("witness", "serve", "--state", tmp_path / "w", "--port", 0, "--detach")
    assert done.returncode == 1
    assert "a new witness needs a name" in done.stderr
