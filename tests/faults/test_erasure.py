"""After an erasure neither content, nor key, nor salt is left in any file; a legal hold prevents it; proofs stay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.sources import MAX_PAYLOADS, WRAPPED_BYTES
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.keys import APPROVER_KINDS, EngagementKeys, Signer, new_signers
from glasshouse.ledger.opening import Places
from glasshouse.ledger.retention import Approvers, erasure_text
from glasshouse.ledger.seal import cipher
from glasshouse.ledger.store.sqlite import SqliteStore
from glasshouse.words.errors import EntryError, ErasedError, ErasureRefusedError

BASIS = "Art. 17 GDPR, request 12"


def content(number: int, length: int = 3000) -> bytes:
    """Content that occurs nowhere else."""
    return (f"<<content of payload {number}>>".encode() * length)[:length]


@pytest.fixture
def approvers(tmp_path: Path) -> tuple[Signer, ...]:
    """Two approvers that the log knows."""
    signers = new_signers("alice", APPROVER_KINDS) + new_signers("bob", APPROVER_KINDS)
    for signer in signers:
        Approvers(Places(tmp_path / "log").approvers).add(signer.key)
    return signers


@pytest.fixture
def ledger(tmp_path: Path, approvers: tuple[Signer, ...]) -> Iterator[Ledger]:
    """A log of 40 entries with payloads of different lengths, some within one page and some over many."""
    with Ledger.open(tmp_path / "log") as found:
        lengths = (20, 900, 3000, 30_000)
        for number in range(40):
            payload = Payload("event", f"e{number % 3}", content(number, lengths[number % 4]))
            found.append([NewEntry(kind="x", organisation="o", key="k", payloads=(payload,))]).result()
        yield found


def approvals(ledger: Ledger, signers: tuple[Signer, ...], index: int, basis: str = BASIS) -> list[str]:
    """What these approvers sign."""
    text = erasure_text(ledger.reader.origin, index, ledger.reader.body(index), basis)
    return [text.decode() + "\n" + signer.line(text, 0) for signer in signers]


def secrets(directory: Path, index: int) -> list[bytes]:
    """The secret bytes of a payload: ciphertext, salt, key, wrapped key."""
    store = SqliteStore(directory / "ledger.db", writable=False)
    stored = store.payload(index * MAX_PAYLOADS)
    store.close()
    assert stored is not None
    wrapped, ciphertext = stored.sealed[:WRAPPED_BYTES], stored.sealed[WRAPPED_BYTES:]
    wrapping = EngagementKeys(directory / "keys" / "engagements").existing(stored.engagement)
    key = cipher(wrapping).decrypt(wrapped[:12], wrapped[12:], stored.engagement.encode())
    salted = cipher(key).decrypt(bytes(12), ciphertext, b"event")
    return [ciphertext[:64], ciphertext[-64:], salted[:32], key, wrapped]


def files_with(directory: Path, needle: bytes) -> list[str]:
    """The files of a log, free pages and write-ahead log included, in which the bytes occur."""
    return [path.name for path in directory.rglob("*") if path.is_file() and needle in path.read_bytes()]


def test_no_file_holds_what_was_erased(ledger: Ledger, approvers: tuple[Signer, ...]) -> None:
    for index in range(40):
        hidden = [*secrets(ledger.directory, index), content(index, 20)]
        assert all(files_with(ledger.directory, needle) for needle in (hidden[0], hidden[4])), "it was there before"
        ledger.erase(index, BASIS, approvals(ledger, approvers, index))
        assert [files_with(ledger.directory, needle) for needle in hidden] == [[]] * len(hidden)
        with pytest.raises(ErasedError, match=f"erased under entry {40 + index}"):
            ledger.reader.payload(index, "event")
    report = verify(ledger.directory)
    assert report.erased == tuple((index, 40 + index) for index in range(40))


def test_nothing_erased_comes_back_in_a_later_file(ledger: Ledger, approvers: tuple[Signer, ...]) -> None:
    hidden = secrets(ledger.directory, 11)
    ledger.erase(11, BASIS, approvals(ledger, approvers, 11))
    for number in range(50):
        payload = Payload("event", "e1", content(100 + number))
        ledger.append([NewEntry(kind="x", organisation="o", key="k", payloads=(payload,))]).result()
    assert [files_with(ledger.directory, needle) for needle in hidden] == [[]] * len(hidden)
    assert ledger.reader.payload(10, "event") == content(10, 3000)


def test_receipts_from_before_the_erasure_still_verify(
    ledger: Ledger, approvers: tuple[Signer, ...], tmp_path: Path
) -> None:
    receipt = tmp_path / "5.tlog-proof"
    receipt.write_text(ledger.reader.proof(5))
    ledger.erase(5, BASIS, approvals(ledger, approvers, 5))
    assert verify(receipt, policy=ledger.directory / "log.policy").entry == 5
    receipt.write_text(ledger.reader.proof(5))
    assert verify(receipt, policy=ledger.directory / "log.policy").entry == 5


def test_under_a_legal_hold_nothing_is_erased_and_the_refusal_is_logged(
    ledger: Ledger, approvers: tuple[Signer, ...]
) -> None:
    ledger.hold(3, "proceedings 4 O 12/26")
    with pytest.raises(ErasureRefusedError, match="legal hold of entry 40; the refusal is entry 41"):
        ledger.erase(3, BASIS, approvals(ledger, approvers, 3))
    assert ledger.reader.payload(3, "event") == content(3, 30_000)
    refusal = ledger.reader.entry(41)
    assert (refusal.kind, refusal.about, refusal.decision) == ("ledger.refusal", 3, "deny")
    ledger.hold(3, "settled", release=True)
    ledger.erase(3, BASIS, approvals(ledger, approvers, 3))
    verify(ledger.directory)


@pytest.mark.parametrize("case", ["none", "one", "same twice", "other basis", "other entry", "stranger"])
def test_an_erasure_without_two_fitting_approvals_changes_nothing(
    ledger: Ledger, approvers: tuple[Signer, ...], case: str
) -> None:
    alice, bob = approvals(ledger, approvers, 3)
    stranger = approvals(ledger, new_signers("mallory", APPROVER_KINDS), 3)
    given = {
        "none": [],
        "one": [alice],
        "same twice": [alice, alice],
        "other basis": approvals(ledger, approvers, 3, "whim"),
        "other entry": approvals(ledger, approvers, 4),
        "stranger": [alice, *stranger],
    }
    with pytest.raises(ErasureRefusedError):
        ledger.erase(3, BASIS, given[case])
    assert ledger.checkpoint().size == 40
    assert bob.endswith("\n")


def test_one_key_cannot_approve_under_two_names(tmp_path: Path) -> None:
    from glasshouse.words.errors import LedgerKeyError

    (signer,) = new_signers("alice", APPROVER_KINDS)
    known = Approvers(tmp_path / "approvers")
    known.add(signer.key)
    for name in ("alice", "bob"):
        with pytest.raises(LedgerKeyError, match="already"):
            known.add(signer.key._replace(name=name))


def test_what_does_not_exist_cannot_be_erased_or_held(ledger: Ledger, approvers: tuple[Signer, ...]) -> None:
    with pytest.raises(EntryError, match="there is no entry 400"):
        ledger.hold(400, "x")
    with pytest.raises(EntryError, match="not under a legal hold"):
        ledger.hold(4, "x", release=True)
    ledger.erase(4, BASIS, approvals(ledger, approvers, 4))
    with pytest.raises(ErasedError):
        ledger.erase(4, BASIS, approvals(ledger, approvers, 4))


def test_a_payload_that_lies_there_again_after_its_erasure_is_found(
    ledger: Ledger, approvers: tuple[Signer, ...], tmp_path: Path
) -> None:
    import sqlite3

    from glasshouse.ledger.audit.proofs import Fault

    store = SqliteStore(ledger.directory / "ledger.db", writable=False)
    stored = store.payload(2 * MAX_PAYLOADS)
    store.close()
    assert stored is not None
    ledger.erase(2, BASIS, approvals(ledger, approvers, 2))
    shutil.copytree(ledger.directory, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    connection = sqlite3.connect(tmp_path / "copy" / "ledger.db")
    connection.execute("UPDATE payload SET sealed = ? WHERE id = ?", (stored.sealed, stored.id))
    connection.commit()
    connection.close()
    with pytest.raises(Fault, match="still stored though entry 40 erased it"):
        verify(tmp_path / "copy")


def test_removing_an_engagements_key_shreds_its_payloads_and_no_others(ledger: Ledger) -> None:
    from glasshouse.words.errors import LedgerKeyError

    os.unlink(ledger.directory / "keys" / "engagements" / "e1.key")
    fresh = Ledger.read(ledger.directory)
    with pytest.raises(LedgerKeyError):
        fresh.payload(1, "event")
    assert fresh.payload(0, "event") == content(0, 20)
    fresh.close()
