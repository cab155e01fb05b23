"""Bad input gets one clear error that names what, where and what to do, and changes nothing that is stored."""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.notes import ED25519, parse_note, parse_vkey
from glasshouse.ledger.audit.policy import parse_policy
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.keys import new_signers
from glasshouse.words.errors import (
    EntryError,
    GlasshouseError,
    LedgerKeyError,
    LedgerVersionError,
    PathError,
    UsageError,
)

ENTRY = NewEntry(kind="x", organisation="o", key="k")
PAYLOAD = Payload("event", "e1", b"x")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of two entries with a receipt."""
    with Ledger.open(tmp_path / "log", origin="log.example.com/b") as ledger:
        ledger.append([ENTRY, ENTRY]).result()
        (tmp_path / "r.tlog-proof").write_text(ledger.reader.proof(1))
    return tmp_path / "log"


def entry(**changes: object) -> NewEntry:
    """An entry with one field out of form."""
    return NewEntry(**{"kind": "x", "organisation": "o", "key": "k", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        entry(kind="Act"),
        entry(kind="x" * 65),
        entry(kind="ledger.erasure"),
        entry(key="ledger"),
        entry(key="somebody with a name"),
        entry(key="k" * 65),
        entry(key=""),
        entry(organisation='o"'),
        entry(organisation="o\n"),
        entry(decision="Permit!"),
        entry(policy="abc"),
        entry(policy="AB" * 32),
        entry(part="ends"),
        entry(part="closes"),
        entry(about=-1),
        entry(payloads=(PAYLOAD, PAYLOAD)),
        entry(payloads=(Payload("Event", "e1", b""),)),
        entry(payloads=(Payload("event", "../e1", b""),)),
        entry(payloads=(Payload("event", ".e1", b""),)),
        entry(payloads=(Payload("event", "e1", bytes((64 << 20) + 1)),)),
        entry(payloads=tuple(Payload(f"p{n}", "e1", b"") for n in range(17))),
    ],
)
def test_an_entry_out_of_form_is_refused_at_once(log: Path, bad: NewEntry) -> None:
    with Ledger.open(log) as ledger:
        with pytest.raises(EntryError):
            ledger.append([ENTRY, bad] if bad.about is None else [bad])
        assert ledger.checkpoint().size == 2


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ([entry(about=2)], "does not exist yet"),
        ([entry(part="closes", about=0)], "does not wait for an outcome"),
        ([entry(part="opens"), entry(part="closes", about=-1), entry(part="closes", about=-2)], "does not wait"),
        ([entry(), entry(about=99)], "does not exist yet"),
    ],
)
def test_a_call_with_one_entry_that_does_not_fit_is_taken_not_at_all(
    log: Path, calls: list[NewEntry], says: str
) -> None:
    with Ledger.open(log) as ledger:
        future = ledger.append(calls)
        with pytest.raises(EntryError, match=says):
            future.result()
        assert ledger.append([ENTRY]).result()[0].index == 2
    assert verify(log).size == 3


@pytest.mark.parametrize("count", [0, 1001])
def test_a_call_has_one_to_a_thousand_entries(log: Path, count: int) -> None:
    with Ledger.open(log) as ledger, pytest.raises(EntryError, match="1 to 1000"):
        ledger.append([ENTRY] * count)


def test_a_key_that_others_can_read_is_refused(log: Path) -> None:
    os.chmod(log / "keys" / "log.key", 0o640)
    with pytest.raises(LedgerKeyError, match=r"others can read it \(mode 0640\)") as caught:
        Ledger.open(log)
    assert str(log / "keys" / "log.key") in caught.value.diagnostics()
    os.chmod(log / "keys" / "log.key", 0o600)
    Ledger.open(log).close()


def replace_key(log: Path) -> None:
    """Another key of the same name."""
    (log / "keys" / "log.key").write_text(new_signers("log.example.com/b", (ED25519,))[0].text)


def link_key(log: Path) -> None:
    """A link in the place of the key."""
    key = log / "keys" / "log.key"
    key.rename(log / "keys" / "real")
    key.symlink_to(log / "keys" / "real")


def newer_version(log: Path) -> None:
    """The mark of a version to come."""
    connection = sqlite3.connect(log / "ledger.db")
    connection.execute("PRAGMA user_version = 2")
    connection.close()


@pytest.mark.parametrize(
    ("break_it", "kind", "says"),
    [
        (lambda log: (log / "keys" / "log.key").unlink(), LedgerKeyError, "cannot be read"),
        (lambda log: (log / "keys" / "log.key").write_text("nonsense\n"), LedgerKeyError, "not a private key"),
        (lambda log: (log / "keys" / "log.key").write_text(""), LedgerKeyError, "holds no key"),
        (link_key, LedgerKeyError, "cannot be read"),
        (replace_key, LedgerKeyError, "not sign"),
        (lambda log: (log / "ledger.db").unlink(), LedgerKeyError, "would be a rollback"),
        (newer_version, LedgerVersionError, "has format 2"),
        (lambda log: (log / "ledger.db").write_bytes(b"not a database" * 400), GlasshouseError, "is damaged"),
        (lambda log: (log / "log.policy").write_text("quorum\n"), LedgerKeyError, "line 1 is not a policy line"),
        (lambda log: (log / "ledger.stopped").write_text("the disk failed\n"), GlasshouseError, "the disk failed"),
    ],
)
def test_a_log_that_cannot_be_trusted_does_not_open(
    log: Path, break_it: Callable[[Path], object], kind: type[GlasshouseError], says: str
) -> None:
    break_it(log)
    before = {path: path.read_bytes() for path in log.rglob("*") if path.is_file() and "ledger.db" not in path.name}
    with pytest.raises(kind, match=says) as caught:
        Ledger.open(log)
    assert caught.value.hint
    assert {path: path.read_bytes() for path in before} == before


def test_a_key_error_never_quotes_the_key(log: Path) -> None:
    key = log / "keys" / "log.key"
    secret = key.read_text().splitlines()[0].split("+", 4)[4]
    key.write_text(key.read_text().replace(secret, secret[:-1] + "!"))
    with pytest.raises(LedgerKeyError) as caught:
        Ledger.open(log)
    assert secret[8:20] not in caught.value.diagnostics()


def test_another_origin_is_refused(log: Path) -> None:
    with pytest.raises(UsageError, match=r"this log is 'log.example.com/b', not 'other'"):
        Ledger.open(log, origin="other")
    with pytest.raises(UsageError, match="no space"):
        Ledger.open(log.parent / "new", origin="two words")


def test_reading_a_directory_without_a_log_says_so(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="there is no log here"):
        Ledger.read(tmp_path)


def change(text: str, old: str, new: str) -> str:
    """The text with one change, which must be one."""
    assert old in text
    return text.replace(old, new, 1)


RECEIPT_CHANGES: list[tuple[Callable[[str], str], str]] = [
    (lambda text: change(text, "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"), "begins with the line"),
    (lambda text: change(text, "index 1", "index 01"), "not a decimal number"),
    (lambda text: change(text, "index 1", "index 7"), "no inclusion proof can show"),
    (lambda text: change(text, "index 1\n", f"index 1\n{'A' * 43}=\n"), "extra hashes"),
    (lambda text: change(text, "index 1\n", "index 1\nAAAA\n"), "32 bytes"),
    (lambda text: change(text, "index 1\n", f"index 1\n{f'{chr(65) * 43}={chr(10)}' * 64}"), "at most 63"),
    (lambda text: change(text, "\nlog.example.com/b\n", "\nlog.example.com/c\n"), "knows no log with the origin"),
    (lambda text: change(text, "\n2\n", "\n3\n"), "is wrong"),
    (lambda text: change(text, "\n2\n", "\n02\n"), "not a decimal number"),
    (lambda text: text[: text.index("—")], "signature lines"),
    (lambda text: text.replace("— log.example.com/b", "— somebody.else"), "is not signed by"),
    (lambda text: "", "begins with the line"),
    (lambda text: "\x00" * 10, "begins with the line"),
    (lambda text: text + "x" * (1 << 20), "more than"),
]


@pytest.mark.parametrize(("changed", "says"), RECEIPT_CHANGES)
def test_a_receipt_that_does_not_hold_says_why(log: Path, changed: Callable[[str], str], says: str) -> None:
    receipt = log.parent / "r.tlog-proof"
    verify(receipt, policy=log / "log.policy")
    receipt.write_text(changed(receipt.read_text()))
    with pytest.raises(Fault, match=says) as caught:
        verify(receipt, policy=log / "log.policy")
    assert str(receipt) in str(caught.value)


def test_a_known_key_with_a_wrong_signature_spoils_the_note_and_an_unknown_key_never_does(log: Path) -> None:
    receipt = log.parent / "r.tlog-proof"
    text = receipt.read_text()
    stranger = base64.b64encode(bytes(68)).decode()
    receipt.write_text(f"{text}— somebody.else {stranger}\n")
    assert verify(receipt, policy=log / "log.policy").entry == 1
    line = next(line for line in text.splitlines() if line.startswith("— "))
    known = base64.b64decode(line.split(" ")[2])[:4]
    receipt.write_text(f"{text}".replace(line, f"— log.example.com/b {base64.b64encode(known + bytes(64)).decode()}"))
    with pytest.raises(Fault, match="is wrong"):
        verify(receipt, policy=log / "log.policy")


VKEY = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").vkey
OTHER = parse_vkey("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop").vkey


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        f"log {VKEY}",
        f"log {VKEY}\nquorum none\nquorum none",
        f"log {VKEY}\nquorum w1",
        f"log {VKEY}\nlog {VKEY}\nquorum none",
        f"log {VKEY}\nwitness none {OTHER}\nquorum none",
        f"log {VKEY}\nwitness w1 {VKEY}\nquorum w1",
        f"log {VKEY}\nwitness w1 {OTHER}\nwitness w1 {OTHER}\nquorum w1",
        f"log {VKEY}\ngroup g 1 w1\nwitness w1 {OTHER}\nquorum g",
        f"log {VKEY}\nwitness w1 {OTHER}\ngroup g 2 w1\nquorum g",
        f"log {VKEY}\nwitness w1 {OTHER}\ngroup g 0 w1\nquorum g",
        f"log {VKEY}\nwitness w1 {OTHER}\ngroup g 1 w1 w1\nquorum g",
        f"log {VKEY}\nwitness w1 {OTHER}\ngroup g any w1\ngroup h any w1\nquorum h",
        f"log {VKEY}\nwitness w1 {OTHER}\ngroup g any\nquorum w1",
        f"log {VKEY} url more\nquorum none",
        "log nonsense\nquorum none",
    ],
)
def test_a_policy_out_of_form_is_refused(text: str) -> None:
    with pytest.raises(Fault):
        parse_policy(text)


def test_quorums_are_met_by_enough_members_and_not_by_fewer() -> None:
    keys = [new_signers(f"w{n}", (4,))[0].key for n in range(5)]
    lines = [f"log {VKEY}", "# a comment", "", *(f"witness w{n} {key.vkey} http://w{n}" for n, key in enumerate(keys))]
    lines += ["group a 2 w0 w1 w2", "group b any w3 w4", "group both all a b", "quorum both"]
    policy = parse_policy("\n".join(lines))
    assert not policy.is_met_by(keys[:3])
    assert not policy.is_met_by([keys[0], keys[3]])
    assert policy.is_met_by([keys[0], keys[2], keys[4]])
    assert policy.urls["w4"] == "http://w4"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a\n\n", b"\xff\n\n", b"a\n\n\xe2\x80\x94 b AAAA\n", b"a" * (2 << 20)])
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(Fault):
        parse_note(data)
