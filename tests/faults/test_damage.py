"""No bit of what is stored can change unnoticed."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.export import export
from glasshouse.ledger.testing import Network
from glasshouse.words.errors import LedgerError

ENTRIES = 15
PAYLOAD = Payload("event", "e1", b"content")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A log of 15 entries with a witness, its published form, a receipt, and the policy an auditor has."""
    directory, network = tmp_path_factory.mktemp("damage"), Network()
    with Ledger.open(directory / "log", origin="log.example.com/d") as ledger:
        ledger.append([NewEntry(kind="x", organisation="o", key="k", payloads=(PAYLOAD,))]).result()
        line = network.add("w1", directory, ledger.reader.log_keys())
    own = directory / "log" / "log.policy"
    own.write_text(own.read_text().replace("quorum none", f"{line}\nquorum w1"))
    with Ledger.open(directory / "log", ask=network.ask, cosign_every_s=0.01) as ledger:
        for number in range(1, ENTRIES):
            ledger.append([NewEntry(kind="x", organisation="o", key=f"k{number % 3}", payloads=(PAYLOAD,))]).result()
        assert ledger.wait_for_quorum(ENTRIES - 1, 10)
        newest = ledger.reader.cosigned_checkpoint()
        assert newest is not None
        export(ledger.reader, directory / "published", newest)
        (directory / "9.tlog-proof").write_text(ledger.reader.proof(9))
    shutil.copy(own, directory / "policy")
    yield directory
    network.close()


def flips(size: int, step: int) -> Iterator[tuple[int, int]]:
    """Byte and bit to flip: every bit, or one bit of every ``step``-th byte, another one each time."""
    if step == 0:
        yield from ((at, bit) for at in range(size) for bit in range(8))
    else:
        yield from ((at, at // step % 8) for at in range(0, size, step))


@pytest.mark.parametrize("step", [5, pytest.param(0, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/15", "tile/entries/000.p/15"])
def test_every_flipped_bit_of_a_published_file_is_detected(place: Path, tmp_path: Path, name: str, step: int) -> None:
    shutil.copytree(place / "published", tmp_path / "copy")
    file = tmp_path / "copy" / name
    data = file.read_bytes()
    verify(tmp_path / "copy", policy=place / "policy")
    for at, bit in flips(len(data), step):
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        file.write_bytes(changed)
        with pytest.raises(Fault):
            verify(tmp_path / "copy", policy=place / "policy")


@pytest.mark.parametrize("step", [5, pytest.param(0, marks=pytest.mark.long)])
def test_every_flipped_bit_of_a_receipt_is_detected(place: Path, tmp_path: Path, step: int) -> None:
    data = (place / "9.tlog-proof").read_bytes()
    ours, theirs = data.rindex(b"\xe2\x80\x94", 0, data.rindex(b"\xe2\x80\x94")), len(data)
    file = tmp_path / "r"
    accepted = set()
    for at, bit in flips(len(data), step):
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        file.write_bytes(changed)
        try:
            report = verify(file, policy=place / "policy")
        except Fault:
            continue
        accepted.add(at)  # a line that now names an unknown signer is not counted, as the note format wants
        assert len(report.signed_by) < 3
        assert (report.size, report.entry, report.quorum) == (ENTRIES, 9, "reached")
    assert all(data.rfind(b"\n\n", 0, at) > 0 for at in accepted), "only signature lines may become unknown"
    assert ours < theirs


def everything(directory: Path) -> list[object]:
    """All that a log says: its checkpoints, entries, payloads, holds, erasures, open requests."""
    with Ledger.read(directory) as reader:
        found: list[object] = [reader.checkpoint(), reader.cosigned_checkpoint(), reader.unanswered()]
        found += list(reader.bodies())
        found += [reader.payload(index, "event") for index in range(ENTRIES)]
        return found + [(reader.erased_by(index), reader.held_by(index)) for index in range(ENTRIES)]


@pytest.mark.parametrize("share", [400, pytest.param(20_000, marks=pytest.mark.long)])
def test_a_flipped_bit_of_the_database_is_detected_or_changes_nothing_that_it_says(
    place: Path, tmp_path: Path, share: int
) -> None:
    shutil.copytree(place / "log", tmp_path / "log", ignore=shutil.ignore_patterns("*.sock", "*-wal", "*-shm"))
    file, data = tmp_path / "log" / "ledger.db", (place / "log" / "ledger.db").read_bytes()
    said = everything(tmp_path / "log")
    chosen = random.Random(7).sample(list(flips(len(data), 0)), share)
    detected = harmless = 0
    for at, bit in chosen:
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        file.write_bytes(changed)
        for other in ("-wal", "-shm"):
            (tmp_path / "log" / f"ledger.db{other}").unlink(missing_ok=True)
        try:
            verify(tmp_path / "log")
            assert everything(tmp_path / "log") == said, f"bit {bit} of byte {at} changed the log unnoticed"
            harmless += 1
        except (Fault, LedgerError):  # by the verifier, or by reading: the wrapped key of a payload is not in the log
            detected += 1
    assert detected + harmless == len(chosen)
    assert detected > harmless / 4


def test_damage_that_is_no_text_is_told_as_damage(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "log", tmp_path / "log", ignore=shutil.ignore_patterns("*.sock", "*-wal", "*-shm"))
    file, data = tmp_path / "log" / "ledger.db", (place / "log" / "ledger.db").read_bytes()
    for word in (b"idx INTEGER", b"CREATE TABLE", b"TABLE state", b"chain"):
        at = data.index(word)
        for offset in range(len(word)):
            file.write_bytes(data[: at + offset] + b"\xac" + data[at + offset + 1 :])
            for reading in (verify, everything):
                try:
                    reading(tmp_path / "log")
                except (Fault, LedgerError):
                    continue


@pytest.mark.parametrize("name", ["log.key", "engagements/e1.key"])
def test_a_flipped_bit_of_a_key_file_is_detected(place: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(place / "log", tmp_path / "log", ignore=shutil.ignore_patterns("*.sock"))
    (tmp_path / "log" / "log.policy").write_text((place / "log" / "log.policy").read_text())
    file = tmp_path / "log" / "keys" / name
    data = file.read_bytes()

    def use() -> None:
        if name == "log.key":
            Ledger.open(tmp_path / "log", ask=lambda *_: pytest.fail("nothing may be asked")).close()
        else:
            with Ledger.read(tmp_path / "log") as reader:
                reader.payload(0, "event")

    for at in range(0, len(data), 3):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        file.write_bytes(changed)
        with pytest.raises(LedgerError):
            use()


@pytest.mark.parametrize("index", [0, 7, 14])
def test_the_first_entry_at_fault_is_named(place: Path, tmp_path: Path, index: int) -> None:
    shutil.copytree(place / "published", tmp_path / "copy")
    file = tmp_path / "copy" / "tile" / "entries" / "000.p" / "15"
    with Ledger.read(place / "log") as reader:
        body = reader.body(index)
    file.write_bytes(file.read_bytes().replace(body, body.replace(b'"kind":"x"', b'"kind":"y"')))
    with pytest.raises(Fault) as caught:
        verify(tmp_path / "copy", policy=place / "policy")
    assert caught.value.index == index


@pytest.mark.parametrize("lost", ["checkpoint", "tile/0/000.p/15", "tile/entries/000.p/15"])
def test_a_missing_file_is_named(place: Path, tmp_path: Path, lost: str) -> None:
    shutil.copytree(place / "published", tmp_path / "copy")
    os.unlink(tmp_path / "copy" / lost)
    with pytest.raises(Fault, match=lost.replace(".", r"\.")):
        verify(tmp_path / "copy", policy=place / "policy")
