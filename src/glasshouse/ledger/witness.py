"""A witness: cosigns what it has seen of a log, and only what contains all that it has seen before (C2SP tlog-witness).

Size and root are compared and stored in one transaction, and the cosignature leaves after it.  Two checkpoints of one
size with different roots, both signed by the log, are kept as evidence.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from glasshouse.ledger.audit.notes import Checkpoint, Key, decimal, parse_checkpoint, parse_note, signers, strict_base64
from glasshouse.ledger.audit.proofs import EMPTY_ROOT, MAX_PROOF_HASHES, Fault, check_consistency
from glasshouse.ledger.keys import Signer
from glasshouse.words.errors import LedgerError

MAX_REQUEST_BYTES = 256 << 10
MAX_EVIDENCE = 1_000
DATABASE = "witness.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (origin TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,
    root BLOB NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS evidence (note TEXT PRIMARY KEY, against TEXT NOT NULL) WITHOUT ROWID;
"""


class Response(NamedTuple):
    """An answer over HTTP."""

    status: int
    body: str
    kind: str = "text/plain; charset=utf-8"


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """The answer that ends the handling of a request."""

    def __init__(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        super().__init__(text)
        self.response = Response(status, f"{text}\n", kind)


class Question(NamedTuple):
    """A parsed request to cosign."""

    old: int
    proof: list[bytes]
    text: bytes
    checkpoint: Checkpoint


class Witness:
    """A witness's state and keys; safe to use from any thread.

    ``before_store`` is called between the comparison and the commit: tests use it to force a race.
    """

    def __init__(
        self,
        directory: Path,
        signers: tuple[Signer, ...],
        logs: tuple[Key, ...],
        clock: Callable[[], int],
        before_store: Callable[[], None] = lambda: None,
    ) -> None:
        self.signers, self.logs, self._clock, self._before_store = signers, logs, clock, before_store
        self._lock = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = directory / DATABASE
        self._connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._connection.close()
            raise LedgerError(f"cannot be used ({error})", where=str(self._file)) from None

    def add_checkpoint(self, data: bytes) -> Response:
        """The answer to ``POST add-checkpoint``."""
        try:
            question = _parse(data)
            note = parse_note(question.text)
            keys = [key for key in self.logs if key.name == question.checkpoint.origin]
            if not keys:
                raise Refusal(404, "unknown log")
            try:
                if not signers(note, keys):
                    raise Refusal(403, "no signature by a known key of this log")
            except Fault as fault:
                raise Refusal(403, fault.what) from None
            with self._lock:
                return self._compare_and_store(question, note.body)
        except Refusal as refusal:
            return refusal.response
        except sqlite3.Error as error:
            return Response(500, f"the witness cannot store its state: {error}\n")

    def _compare_and_store(self, question: Question, body: bytes) -> Response:
        connection, new = self._connection, question.checkpoint
        connection.execute("BEGIN IMMEDIATE")
        try:
            row = connection.execute("SELECT size, root, note FROM log WHERE origin = ?", (new.origin,)).fetchone()
            size, root, before = row or (0, EMPTY_ROOT, "")
            if new.size == size and new.root != root and before:
                self._keep_evidence(question.text.decode(), before)
            if question.old != size:
                raise Refusal(409, str(size), "text/x.tlog.size")
            _check_growth(question, root)
            self._before_store()
            now = self._clock() // 1000
            lines = "".join(signer.line(body, now) for signer in self.signers)
            found = hashlib.sha256(new.origin.encode()).hexdigest()
            values = (new.origin, found, new.size, new.root, question.text.decode() + lines)
            connection.execute("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?)", values)
            connection.execute("COMMIT")
            return Response(200, lines)
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")  # nothing but evidence can have changed

    def _keep_evidence(self, note: str, against: str) -> None:
        (count,) = self._connection.execute("SELECT count(*) FROM evidence").fetchone()
        if count < MAX_EVIDENCE:
            self._connection.execute("INSERT OR IGNORE INTO evidence VALUES (?, ?)", (note, against))

    def checkpoint(self, origin_hash: str) -> Response:
        """The answer to ``GET <hex of the hash of the origin>/checkpoint``."""
        with self._lock:
            row = self._connection.execute("SELECT note FROM log WHERE hash = ?", (origin_hash,)).fetchone()
        return Response(200, row[0]) if row else Response(404, "no checkpoint of this log was cosigned here\n")

    def evidence(self) -> list[tuple[str, str]]:
        """Pairs of checkpoints that show a log with two histories."""
        with self._lock:
            return self._connection.execute("SELECT note, against FROM evidence").fetchall()

    def close(self) -> None:
        """Lets go of the state."""
        self._connection.close()


def _parse(data: bytes) -> Question:
    head, blank, text = data.partition(b"\n\n")
    try:
        if len(data) > MAX_REQUEST_BYTES or not blank:
            raise Fault("a request is `old SIZE`, hashes, a blank line and a checkpoint")
        lines = head.decode("ascii").split("\n")
        if not lines[0].startswith("old ") or len(lines) - 1 > MAX_PROOF_HASHES:
            raise Fault("a request begins with `old SIZE` and at most 63 hashes")
        old, proof = decimal(lines[0][4:]), [strict_base64(line) for line in lines[1:]]
        checkpoint = parse_checkpoint(parse_note(text).body)
    except (Fault, UnicodeDecodeError) as error:
        raise Refusal(400, str(error)) from None
    if old > checkpoint.size:
        raise Refusal(400, f"old size {old} is larger than the checkpoint's {checkpoint.size}")
    return Question(old, proof, text, checkpoint)


def _check_growth(question: Question, root: bytes) -> None:
    old, new = question.old, question.checkpoint
    try:
        if new.size == 0 and new.root != EMPTY_ROOT:
            raise Fault("a checkpoint of size 0 must have the root of the empty tree")
        if old:
            check_consistency(old, new.size, question.proof, root, new.root)
        elif question.proof:
            raise Fault("the proof from size 0 must be empty")
    except Fault as fault:
        raise Refusal(422, f"consistency proof: {fault.what}") from None
