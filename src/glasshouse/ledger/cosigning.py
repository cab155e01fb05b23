"""Getting checkpoints cosigned: asks the witnesses, keeps what reaches the quorum, notices a rewritten history.

Runs beside the committer.  When no witness answers, appending goes on and receipts stay ``pending``; when a witness
holds a larger log, or another one, the log stops and both checkpoints are kept.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from glasshouse.ledger.audit.notes import Key, parse_checkpoint, parse_note, signers
from glasshouse.ledger.audit.policy import Policy
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.reader import LogReader
from glasshouse.ledger.receipt import SignedCheckpoint
from glasshouse.words.errors import LedgerBusyError, LedgerError, RollbackError

EVERY_S = 1.0
START_TIMEOUT_S = 2.0
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 256 << 10
EVIDENCE = "evidence"
_SIZE = "text/x.tlog.size"


class HttpAnswer(NamedTuple):
    """What a witness said."""

    status: int
    kind: str
    body: bytes


Ask = Callable[[str, str, bytes | None, float], HttpAnswer]


class UnreachableError(Exception):
    """The witness did not answer, or not in the protocol; another time it may."""


def ask_over_http(method: str, url: str, body: bytes | None, timeout: float) -> HttpAnswer:
    """One request; bounded in time and size, follows no redirect."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise UnreachableError(f"not an http address: {url[:200]}")
    connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, parts.path, body)
        response = connection.getresponse()
        data = response.read(MAX_ANSWER_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{url}: {error}") from None
    finally:
        connection.close()
    if len(data) > MAX_ANSWER_BYTES:
        raise UnreachableError(f"{url}: the answer is too long")
    return HttpAnswer(response.status, response.getheader("Content-Type", ""), data)


class WitnessClient:
    """What the log knows of one witness."""

    def __init__(self, name: str, key: Key, url: str, reader: LogReader, ask: Ask) -> None:
        self.name, self.key, self.url = name, key, url.rstrip("/")
        self._reader, self._ask = reader, ask
        self._size = 0

    def cosign(self, checkpoint: SignedCheckpoint, timeout: float) -> str:
        """The witness's signature lines under a checkpoint.

        Raises ``RollbackError`` when it holds history that this log does not, ``UnreachableError`` for anything else.
        """
        for _ in range(2):
            if self._size > checkpoint.size:
                raise self._rollback(checkpoint, timeout, f"holds size {self._size}, this log has {checkpoint.size}")
            answer = self._ask("POST", f"{self.url}/add-checkpoint", self._question(checkpoint), timeout)
            if answer.status == 200:
                self._size = checkpoint.size
                return self._checked_lines(checkpoint, answer.body)
            if answer.status == 422:
                raise self._rollback(checkpoint, timeout, f"holds another log at size {self._size}")
            if answer.status != 409 or answer.kind != _SIZE or not answer.body.strip().isdigit():
                break
            self._size = int(answer.body[:20])
        raise UnreachableError(f"witness {self.name} answered {answer.status}: {answer.body[:200]!r}")

    def _question(self, checkpoint: SignedCheckpoint) -> bytes:
        proof = self._reader.consistency(self._size, checkpoint.size) if self._size else []
        lines = [f"old {self._size}", *(base64.b64encode(each).decode() for each in proof)]
        return ("\n".join(lines) + f"\n\n{checkpoint.note}").encode()

    def _checked_lines(self, checkpoint: SignedCheckpoint, body: bytes) -> str:
        """Only the lines by the key in the policy; a witness that answers with a wrong one is no witness."""
        lines = body.decode("utf-8", "replace").splitlines()
        text = checkpoint.note.partition("\n\n")[0] + "\n\n"
        for line in lines:
            try:
                if self.key in signers(parse_note(f"{text}{line}\n".encode()), [self.key]):
                    return f"{line}\n"
            except Fault as fault:
                raise UnreachableError(f"witness {self.name}: {fault.what}") from None
        raise UnreachableError(f"witness {self.name} did not sign with the key in the policy")

    def _rollback(self, checkpoint: SignedCheckpoint, timeout: float, what: str) -> LedgerError | UnreachableError:
        """The error, if the witness can show what the log signed; a witness that only claims is not believed."""
        origin = checkpoint.note.partition("\n")[0]
        url = f"{self.url}/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"
        answer = self._ask("GET", url, None, timeout)
        own = signers(parse_note(checkpoint.note.encode()), self._reader.log_keys())
        try:
            note = parse_note(answer.body)
            theirs = parse_checkpoint(note.body)
            is_signed = bool(signers(note, own)) and theirs.origin == origin
        except Fault:
            is_signed = False
        if not is_signed or not self._contradicts(checkpoint, theirs.size, theirs.root):
            self._size = 0
            return UnreachableError(f"witness {self.name} claims what it cannot show")
        keep_evidence(self._reader.directory, checkpoint.note, answer.body.decode())
        return RollbackError(f"witness {self.name} {what}", where=str(self._reader.directory / EVIDENCE))

    def _contradicts(self, checkpoint: SignedCheckpoint, size: int, root: bytes) -> bool:
        if size > checkpoint.size or size == 0:
            return size > checkpoint.size
        return self._reader.root_at(size) != root


def keep_evidence(directory: Path, ours: str, theirs: str) -> None:
    """Keeps two checkpoints, both signed by this log, that do not belong to one history."""
    place = directory / EVIDENCE
    place.mkdir(mode=0o700, exist_ok=True)
    for note in (ours, theirs):
        (place / f"{hashlib.sha256(note.encode()).hexdigest()[:16]}.note").write_text(note, encoding="utf-8")


class Cosigning:
    """The thread that has the newest checkpoint cosigned, at most once in ``every`` seconds."""

    def __init__(
        self,
        policy: Policy,
        reader: LogReader,
        newest: Callable[[], SignedCheckpoint],
        keep: Callable[[int, str], None],
        stop: Callable[[LedgerError], None],
        *,
        every: float = EVERY_S,
        ask: Ask = ask_over_http,
    ) -> None:
        self._policy, self._newest, self._keep, self._stop, self._every = policy, newest, keep, stop, every
        named = policy.witnesses.items()
        urls = policy.urls
        self._clients = [WitnessClient(name, key, urls[name], reader, ask) for name, key in named if name in urls]
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="glasshouse-cosigning", daemon=True)

    def check_start(self, checkpoint: SignedCheckpoint) -> str | None:
        """Shows every witness what was signed last, before anything new is; the note if it reaches the quorum."""
        return self._ask_all(checkpoint, START_TIMEOUT_S)

    def start(self) -> None:
        """Begins to have checkpoints cosigned."""
        self._thread.start()

    def notice(self) -> None:
        """There is a new checkpoint."""
        self._wake.set()

    def close(self) -> None:
        """Ends; what is not cosigned now will be after the next start."""
        self._ended.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        retry = True
        while not self._ended.is_set():
            self._wake.wait(self._every if retry else None)
            self._wake.clear()
            if self._ended.is_set():
                return
            try:
                retry = not self._cosign_newest()
            except LedgerBusyError:
                retry = True
            except LedgerError as error:
                self._stop(error)
                return
            self._ended.wait(self._every)

    def _cosign_newest(self) -> bool:
        checkpoint = self._newest()
        note = self._ask_all(checkpoint, TIMEOUT_S)
        if note is not None:
            self._keep(checkpoint.size, note)
        return note is not None

    def _ask_all(self, checkpoint: SignedCheckpoint, timeout: float) -> str | None:
        lines, keys = [], []
        with ThreadPoolExecutor(max(1, len(self._clients))) as pool:
            asked = [(client, pool.submit(client.cosign, checkpoint, timeout)) for client in self._clients]
            for client, future in asked:
                try:
                    lines.append(future.result())
                    keys.append(client.key)
                except UnreachableError:
                    continue  # the quorum decides whether it matters; receipts say `pending` until it is reached
        return checkpoint.note + "".join(lines) if lines and self._policy.is_met_by(keys) else None
