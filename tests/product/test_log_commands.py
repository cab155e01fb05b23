"""The commands ``glasshouse log`` and ``glasshouse verify``, and the self-contained verifier, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "deploy" / "verifier" / "verify_glasshouse.py"
EVENT = Payload("event", "e1", b"the content of the event")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The installed command."""
    command = [sys.executable, "-m", "glasshouse", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)


def verifier(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The self-contained verifier, isolated from everything that is installed but cryptography."""
    command = [sys.executable, "-I", str(VERIFIER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 300 entries with its published form and a receipt."""
    directory = tmp_path_factory.mktemp("log")
    with Ledger.open(directory / "log", origin="log.example.com/test") as ledger:
        first = NewEntry(kind="act.request", organisation="o1", key="k0", part="opens", payloads=(EVENT,))
        calls = [ledger.append([first])]
        calls += [ledger.append([NewEntry(kind="x", organisation="o1", key=f"k{n % 5}")]) for n in range(299)]
        calls[-1].result()
    assert run("log", "export", directory / "published", "--log", directory / "log").returncode == 0
    assert run("log", "prove", 7, "--log", directory / "log", "-o", directory / "7.tlog-proof").returncode == 0
    return directory


def test_the_log_inside_an_installations_directory_is_found(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        ledger.append([NewEntry(kind="x", organisation="o", key="k")]).result()
    assert run("verify", tmp_path).stdout.startswith("live log holds: ")


@pytest.mark.parametrize("what", ["log", "published", "7.tlog-proof"])
def test_both_verifiers_say_the_same(log: Path, what: str) -> None:
    policy = log / "log" / "log.policy"
    ours = run("verify", log / what, "--policy", policy, "--format", "json")
    alone = verifier(log / what, "--policy", policy, "--format", "json")
    assert (ours.returncode, alone.returncode) == (0, 0), ours.stderr + alone.stderr
    assert json.loads(ours.stdout) == json.loads(alone.stdout)
    assert json.loads(ours.stdout)["size"] == 300


def test_a_changed_entry_is_named_by_both(log: Path, tmp_path: Path) -> None:
    bundle = next((log / "published" / "tile" / "entries" / "000").parent.glob("000"))
    (tmp_path / "copy").mkdir()
    subprocess.run(["cp", "-r", str(log / "published"), str(tmp_path / "copy")], check=True)
    copy = tmp_path / "copy" / "published" / bundle.relative_to(log / "published")
    copy.write_bytes(copy.read_bytes().replace(b'"kind":"x"', b'"kind":"y"', 1))
    for done in (run("verify", copy.parents[2]), verifier(copy.parents[2])):
        assert done.returncode == 6
        assert "entry 1: it does not have the hash that the tile states" in done.stderr


def test_the_single_file_is_free_of_undefined_names() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", "--no-cache", "-"]
    done = subprocess.run(command, input=VERIFIER.read_text(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "change", [("index 7", "index x"), ("extra ", "extra !"), ("\n\n", "\n"), ("@v1", "@v9"), ("=\n", "\n")]
)
def test_both_verifiers_refuse_a_malformed_receipt_in_the_same_words(
    log: Path, tmp_path: Path, change: tuple[str, str]
) -> None:
    text = (log / "7.tlog-proof").read_text()
    assert change[0] in text
    (tmp_path / "r").write_text(text.replace(*change, 1))
    policy = ("--policy", log / "log" / "log.policy", "--format", "json")
    ours, alone = run("verify", tmp_path / "r", *policy), verifier(tmp_path / "r", *policy)
    assert (ours.returncode, alone.returncode) == (6, 6), alone.stderr
    assert json.loads(ours.stdout) == json.loads(alone.stdout)


def test_a_checkpoint_seen_earlier_must_still_be_part_of_the_log(log: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with Ledger.open(tmp_path / "other", origin="log.example.com/test") as other:
        other.append([NewEntry(kind="x", organisation="o", key="k")]).result()
        seen.write_text(other.checkpoint().note)
    done = run("verify", log / "log", "--since", seen)
    assert done.returncode == 6
    note = run("log", "checkpoint", "--log", log / "log").stdout
    seen.write_text(note)
    assert run("verify", log / "log", "--since", seen).returncode == 0


def test_show_prints_an_entry_and_its_payload(log: Path) -> None:
    assert run("log", "show", 0, "--log", log / "log").stdout.startswith("       0  ")
    assert run("log", "show", 0, "--log", log / "log", "--payload", "event").stdout == "the content of the event"
    assert json.loads(run("log", "show", 3, "--log", log / "log", "--format", "json").stdout)["key"] == "k2"


def test_tail_prints_the_newest_entries(log: Path) -> None:
    lines = run("log", "tail", "--log", log / "log", "-n", 3, "--format", "json").stdout.splitlines()
    assert [json.loads(line)["index"] for line in lines] == [297, 298, 299]


def test_tail_follows_what_another_process_appends(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.append([NewEntry(kind="x", organisation="o", key="k")]).result()
        command = [sys.executable, "-m", "glasshouse", "log", "tail", "--follow", "--log", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
            assert tail.stdout is not None
            assert " x none " in tail.stdout.readline()
            ledger.append([NewEntry(kind="later", organisation="o", key="k")]).result()
            assert " later none " in tail.stdout.readline()
            tail.terminate()


def test_an_erasure_needs_two_approvers_and_leaves_every_proof_intact(tmp_path: Path) -> None:
    place = ("--log", tmp_path / "log")
    with Ledger.open(tmp_path / "log") as ledger:
        ledger.append([NewEntry(kind="x", organisation="o", key="k", payloads=(EVENT,))]).result()
    assert run("log", "prove", 0, *place, "-o", tmp_path / "r").returncode == 0
    approvals: list[object] = []
    for name in ("alice", "bob"):
        assert run("log", "approver", name, *place, "--key", tmp_path / name).returncode == 0
        signed = ("--key", tmp_path / name, "-o", tmp_path / f"{name}.ok")
        assert run("log", "approve", 0, *place, "--basis", "Art. 17", *signed).returncode == 0
        approvals += ["--approval", tmp_path / f"{name}.ok"]
    one = run("log", "erase", 0, *place, "--basis", "Art. 17", *approvals[:2])
    assert one.returncode == 3
    assert "1 known approvers signed; 2 are needed" in one.stderr
    twice = run("log", "erase", 0, *place, "--basis", "Art. 17", *approvals[:2], *approvals[:2])
    assert twice.returncode == 3
    other_basis = run("log", "erase", 0, *place, "--basis", "another", *approvals)
    assert other_basis.returncode == 3
    assert run("log", "erase", 0, *place, "--basis", "Art. 17", *approvals).returncode == 0
    for done in (run("verify", tmp_path / "log"), verifier(tmp_path / "log")):
        assert done.returncode == 0
        assert "entry 0: payload erased under entry 1" in done.stdout
    assert run("verify", tmp_path / "r", "--policy", tmp_path / "log" / "log.policy").returncode == 0
    gone = run("log", "show", 0, *place, "--payload", "event")
    assert gone.returncode == 2
    assert "erased under entry 1" in gone.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["log", "show", "5"], 2, "there is no log here"),
        (["log", "checkpoint"], 2, "there is no log here"),
        (["verify", "."], 6, "log.policy"),
        (["verify"], 2, "name a receipt or a directory"),
        (["verify", "nothing"], 2, "does not exist"),
    ],
)
def test_a_log_that_is_not_there_gives_one_clear_error(
    arguments: list[str], code: int, says: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "glasshouse", *arguments]
    environment = {**os.environ, "GLASSHOUSE_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.splitlines()) <= 5
