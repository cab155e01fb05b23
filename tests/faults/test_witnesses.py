"""A witness answers as the protocol says, never goes back, and a log cannot get two histories past a quorum."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry
from glasshouse.ledger.audit.notes import Key, parse_checkpoint, parse_note, parse_vkey, signers
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.cosigning import EVIDENCE, HttpAnswer
from glasshouse.ledger.keys import WITNESS_KINDS, new_signers
from glasshouse.ledger.testing import START_MS, Network
from glasshouse.ledger.witness import Witness
from glasshouse.ledger.witness_policy import set_witnesses
from glasshouse.words.errors import LedgerKeyError, RollbackError

ENTRY = NewEntry(kind="x", organisation="o", key="k")
VECTORS = json.loads((Path(__file__).parents[1] / "unit" / "ledger" / "tlog_vectors.json").read_text())


@pytest.fixture
def network() -> Iterator[Network]:
    """An empty network."""
    found = Network()
    yield found
    found.close()


def begin(directory: Path, network: Network, names: tuple[str, ...], quorum: str) -> None:
    """A log of three entries whose policy names new witnesses."""
    with Ledger.open(directory / "log", origin="log.example.com/w") as ledger:
        for _ in range(3):
            ledger.append([ENTRY]).result()
        keys = ledger.reader.log_keys()
    lines = [network.add(name, directory, keys) for name in names]
    group = f"group all {quorum} {' '.join(names)}\nquorum all\n"
    policy = directory / "log" / "log.policy"
    policy.write_text(policy.read_text().replace("quorum none\n", "\n".join(lines) + "\n" + group))


def open_log(directory: Path, network: Network) -> Ledger:
    """The log with its witnesses, which are asked again without delay."""
    return Ledger.open(directory, ask=network.ask, cosign_every_s=0.01)


def test_the_published_conversation_gets_the_published_answers(tmp_path: Path) -> None:
    talk = VECTORS["witness_add_checkpoint"]
    log = Key(talk["log_origin"], 1, bytes.fromhex(talk["log_ed25519_hex"]))
    witness = Witness(tmp_path, new_signers("example.com/witness", WITNESS_KINDS), (log,), lambda: START_MS)
    for step in talk["steps"]:
        answer = witness.add_checkpoint(step["body"].encode())
        assert answer.status == step["status"], step["name"]
        if answer.status == 200:
            assert answer.body.startswith("— example.com/witness ")
            note = parse_note(step["body"].partition("\n\n")[2].encode() + answer.body.encode())
            assert set(signers(note, [each.key for each in witness.signers])) == {each.key for each in witness.signers}
        if answer.status == 409:
            assert answer.kind == "text/x.tlog.size"
            assert answer.body in step["body_contains"] + "\n"
    witness.close()


def test_what_was_cosigned_last_can_be_fetched(tmp_path: Path) -> None:
    talk = VECTORS["witness_add_checkpoint"]
    log = Key(talk["log_origin"], 1, bytes.fromhex(talk["log_ed25519_hex"]))
    witness = Witness(tmp_path, new_signers("example.com/witness", WITNESS_KINDS), (log,), lambda: START_MS)
    assert witness.checkpoint("0" * 64).status == 404
    witness.add_checkpoint(talk["steps"][0]["body"].encode())
    import hashlib

    found = witness.checkpoint(hashlib.sha256(log.name.encode()).hexdigest())
    assert found.status == 200
    note = parse_note(found.body.encode())
    assert parse_checkpoint(note.body).size == 1
    assert len(signers(note, [log, *(each.key for each in witness.signers)])) == 3
    witness.close()


def test_racing_requests_never_take_a_witness_back(tmp_path: Path) -> None:
    steps = {step["name"]: step["body"].encode() for step in VECTORS["witness_add_checkpoint"]["steps"]}
    log_name = VECTORS["witness_add_checkpoint"]["log_origin"]
    log = Key(log_name, 1, bytes.fromhex(VECTORS["witness_add_checkpoint"]["log_ed25519_hex"]))
    inside, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        inside.set()
        assert go_on.wait(10)

    witness = Witness(tmp_path, new_signers("w", WITNESS_KINDS), (log,), lambda: START_MS, pause)
    go_on.set()
    assert witness.add_checkpoint(steps["first cosignature at size 1"]).status == 200
    inside.clear()
    go_on.clear()
    statuses: list[int] = []
    slow = threading.Thread(target=lambda: statuses.append(witness.add_checkpoint(steps["grow to size 3"]).status))
    slow.start()
    assert inside.wait(10)
    other = threading.Thread(target=lambda: statuses.append(witness.add_checkpoint(steps["grow to size 3"]).status))
    other.start()
    go_on.set()
    slow.join()
    other.join()
    assert sorted(statuses) == [200, 409]
    witness.close()


def test_a_receipt_waits_for_the_quorum_and_then_carries_it(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1", "w2", "w3"), "2")
    network.down |= {"w1", "w2"}
    with open_log(tmp_path / "log", network) as ledger:
        (receipt,) = ledger.append([ENTRY]).result()
        assert receipt.quorum == "pending"
        assert not ledger.wait_for_quorum(receipt.index, 0.1)
        network.down.discard("w2")
        assert ledger.wait_for_quorum(receipt.index, 10)
        (tmp_path / "r.tlog-proof").write_text(ledger.reader.proof(receipt.index))
    report = verify(tmp_path / "r.tlog-proof", policy=tmp_path / "log" / "log.policy")
    assert report.quorum == "reached"
    assert sum(name.startswith("witness") for name in report.signed_by) == 2
    assert verify(tmp_path / "log").quorum == "reached"


def test_a_receipt_without_its_quorum_does_not_verify(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1", "w2"), "all")
    network.down |= {"w1"}
    with open_log(tmp_path / "log", network) as ledger:
        (receipt,) = ledger.append([ENTRY]).result()
        (tmp_path / "r.tlog-proof").write_text(ledger.reader.proof(receipt.index))
    with pytest.raises(Fault, match="cosignatures that quorum 'all' needs"):
        verify(tmp_path / "r.tlog-proof", policy=tmp_path / "log" / "log.policy")


def test_yesterdays_directory_refuses_to_sign_while_witnesses_hold_more(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1",), "any")
    with open_log(tmp_path / "log", network) as ledger:
        assert ledger.wait_for_quorum(2, 10)
    shutil.copytree(tmp_path / "log", tmp_path / "yesterday")
    with open_log(tmp_path / "log", network) as ledger:
        (receipt,) = ledger.append([ENTRY]).result()
        assert ledger.wait_for_quorum(receipt.index, 10)
    with pytest.raises(RollbackError, match="holds size 4, this log has 3"):
        open_log(tmp_path / "yesterday", network)
    assert len(list((tmp_path / "yesterday" / EVIDENCE).iterdir())) == 2


def test_a_rollback_that_shows_only_later_stops_the_log(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1",), "any")
    shutil.copytree(tmp_path / "log", tmp_path / "yesterday")
    with open_log(tmp_path / "log", network) as ledger:
        for _ in range(5):
            (receipt,) = ledger.append([ENTRY]).result()
        assert ledger.wait_for_quorum(receipt.index, 10)
    network.down.add("w1")
    with open_log(tmp_path / "yesterday", network) as ledger:
        ledger.append([ENTRY]).result()
        network.down.clear()
        assert not ledger.wait_for_quorum(3, 0.5)
        with pytest.raises(RollbackError):
            ledger.append([ENTRY]).result()


def test_of_two_histories_at_most_one_reaches_a_quorum_and_both_are_kept(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1", "w2"), "2")
    with open_log(tmp_path / "log", network) as ledger:
        assert ledger.wait_for_quorum(2, 10)
    shutil.copytree(tmp_path / "log", tmp_path / "fork")
    reached = []
    for name, blind, kind in (("log", "w2", "left"), ("fork", "w1", "right")):
        network.down = {blind}
        with open_log(tmp_path / name, network) as ledger:
            ledger.append([NewEntry(kind=kind, organisation="o", key="k")]).result()
            reached.append(ledger.wait_for_quorum(3, 0.3))
    assert reached == [False, False]
    network.down = set()
    with pytest.raises(RollbackError, match="holds another log"):
        open_log(tmp_path / "fork", network)
    notes = [parse_note(path.read_bytes()) for path in (tmp_path / "fork" / EVIDENCE).iterdir()]
    found = {parse_checkpoint(note.body) for note in notes}
    assert {checkpoint.size for checkpoint in found} == {4}
    assert len(found) == 2
    (pair,) = network.witnesses["w1"].evidence()
    assert {parse_checkpoint(parse_note(each.encode()).body) for each in pair} == found


@pytest.mark.parametrize(
    "lie",
    [
        HttpAnswer(200, "", b""),
        HttpAnswer(200, "", "— witness.example.com/w1 AAAAAAAAAAA=\n".encode()),
        HttpAnswer(409, "text/x.tlog.size", b"999\n"),
        HttpAnswer(409, "text/x.tlog.size", b"9" * 5000),
        HttpAnswer(409, "text/plain", b"4\n"),
        HttpAnswer(422, "", b"no"),
        HttpAnswer(500, "", b"\xff\xfe"),
        HttpAnswer(302, "", b""),
    ],
)
def test_a_lying_witness_can_delay_a_quorum_and_nothing_else(tmp_path: Path, network: Network, lie: HttpAnswer) -> None:
    begin(tmp_path, network, ("w1", "w2"), "any")
    network.lies["w1"] = lie
    with open_log(tmp_path / "log", network) as ledger:
        (receipt,) = ledger.append([ENTRY]).result()
        assert ledger.wait_for_quorum(receipt.index, 10)
        ledger.append([ENTRY]).result()
    assert verify(tmp_path / "log").quorum == "reached"


def test_other_witnesses_begin_anew_and_the_log_verifies_throughout(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1",), "all")
    with open_log(tmp_path / "log", network) as ledger:
        assert ledger.wait_for_quorum(2, 10)
        keys = ledger.reader.log_keys()
    set_witnesses(tmp_path / "log", [network.add("w2", tmp_path, keys)], 1)
    with pytest.raises(Fault, match="cosigned checkpoint"):
        verify(tmp_path / "log")
    network.down.add("w2")
    with open_log(tmp_path / "log", network) as ledger:
        assert ledger.reader.cosigned_checkpoint() is None
        assert verify(tmp_path / "log").quorum == "pending"
    network.down.clear()
    with open_log(tmp_path / "log", network) as ledger:
        assert ledger.wait_for_quorum(2, 10)
    assert verify(tmp_path / "log").quorum == "reached"


def test_a_changed_line_of_a_cosigned_checkpoint_is_a_fault(tmp_path: Path, network: Network) -> None:
    begin(tmp_path, network, ("w1",), "all")
    with open_log(tmp_path / "log", network) as ledger:
        assert ledger.wait_for_quorum(2, 10)
    with closing(sqlite3.connect(tmp_path / "log" / "ledger.db", isolation_level=None)) as database:
        (note,) = database.execute("SELECT cosigned FROM state").fetchone()
        for line in note.partition("\n\n")[2].splitlines():
            other = "B" if line[30] == "A" else "A"
            for changed in (line.replace("/", ".", 1).replace("example", "exbmple"), line[:30] + other + line[31:]):
                database.execute("UPDATE state SET cosigned = ?", (note.replace(line, changed),))
                with pytest.raises(Fault):
                    verify(tmp_path / "log")


def test_a_policy_that_does_not_name_the_logs_own_keys_is_refused(tmp_path: Path) -> None:
    Ledger.open(tmp_path).close()
    other = parse_vkey(VECTORS["small_log"]["vkey"]).vkey
    (tmp_path / "log.policy").write_text(f"log {other}\nquorum none\n")
    with pytest.raises(LedgerKeyError, match="does not name this log's own keys"):
        Ledger.open(tmp_path)
