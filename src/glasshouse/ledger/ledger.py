"""A log opened for appending: as its committer, or through the committer that runs already."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from glasshouse.ledger.committer import now_ms
from glasshouse.ledger.entry import NewEntry, check_new
from glasshouse.ledger.opening import Opened, Opening, Places, become_committer, join_or_become, open_reader
from glasshouse.ledger.reader import LogReader
from glasshouse.ledger.receipt import Receipt, SignedCheckpoint
from glasshouse.ledger.remote import NotSentError
from glasshouse.ledger.requests import Append, Date, Erase, Hold, Request, Scrub, Waiter, new_future
from glasshouse.words.errors import EntryError, LedgerBusyError

if TYPE_CHECKING:
    import asyncio

    from glasshouse.ledger.cosigning import Ask, HttpAnswer

MAX_CALL_ENTRIES = 1_000
QUORUM_PAUSE_S = 0.01


class Ledger:
    """A log opened for appending; also reads.  Make one with ``Ledger.open``."""

    def __init__(self, opened: Opened, reopen: Callable[[], Opened] | None) -> None:
        self._opened, self._reopen = opened, reopen
        self._closing = ExitStack()  # a reader that was handed out before a takeover stays good until the end
        self._closing.callback(opened.close)
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        join: bool = False,
        origin: str | None = None,
        clock: Callable[[], int] = now_ms,
        steady: Callable[[], float] = time.monotonic,
        ask: Ask | None = None,
        cosign_every_s: float = 1.0,
        server: str | None = None,
    ) -> Ledger:
        """Opens the log in ``directory`` for appending; a log that does not exist is created, with its keys.

        Without ``join`` this process becomes the committer, and ``LedgerBusyError`` says that there is one already.
        ``origin`` names a new log, and is compared with the name of an existing one.  ``clock`` gives milliseconds
        since 1970, ``steady`` the seconds of a clock that nobody sets, ``ask`` is the way to witnesses.  ``server``
        is the address of a PostgreSQL database for a new log; its keys stay in the directory.
        """
        opening = Opening(Places(directory), origin, clock, steady, ask or _ask_over_http, cosign_every_s, server)
        if join:
            return cls(join_or_become(opening), lambda: join_or_become(opening))
        return cls(become_committer(opening), None)

    @staticmethod
    def read(directory: Path) -> LogReader:
        """The log in ``directory`` for reading only, beside its committer or without one."""
        return open_reader(directory)

    @property
    def reader(self) -> LogReader:
        """Entries, payloads and proofs of this log."""
        return self._opened.reader

    @property
    def directory(self) -> Path:
        """Where the log lies."""
        return self.reader.directory

    def append(self, entries: Sequence[NewEntry]) -> Future[tuple[Receipt, ...]]:
        """Appends the entries of one call, one after the other; the future holds their receipts once all are durable.

        Raises ``EntryError`` at once for an entry out of form; errors of writing come with the future.
        """
        future = new_future()
        self._submit(_checked(entries), Waiter(future))
        return future

    def append_async(self, entries: Sequence[NewEntry]) -> asyncio.Future[tuple[Receipt, ...]]:
        """The same for a coroutine, which awaits what is returned.

        What was handed in is written and cannot be called back: a task that is cancelled while it waits here learns so
        once the entries are durable, and the future holds their receipts.
        """
        import asyncio

        from glasshouse.ledger.durable import Durable

        loop = asyncio.get_running_loop()
        future: Durable[tuple[Receipt, ...]] = Durable(loop=loop)
        self._submit(_checked(entries), Waiter(future, loop))
        return future

    def erase(self, index: int, basis: str, approvals: Sequence[str]) -> Receipt:
        """Destroys the payloads of an entry for good; the receipt is that of the erasure entry.

        ``approvals`` are notes over ``retention.erasure_text`` signed by two approvers.  Raises ``ErasureRefusedError``
        under a legal hold, which the log also records, and when approvals are missing.
        """
        return self._ask(Erase(index, basis, tuple(approvals)))

    def hold(self, index: int, basis: str, *, release: bool = False) -> Receipt:
        """Puts the payloads of an entry under a legal hold, or releases them from it."""
        return self._ask(Hold(index, basis, release))

    def scrub(self) -> None:
        """Empties files beside the store that may still hold what was erased; raises while a reader prevents it."""
        future: Future[tuple[Receipt, ...]] = new_future()
        self._submit(Scrub(), Waiter(future))
        future.result()

    def wait_for_quorum(self, index: int, timeout_s: float) -> bool:
        """Waits until the witness quorum has cosigned a checkpoint over this entry; whether it did in that time."""
        patience = time.monotonic() + timeout_s
        while True:
            found = self.reader.cosigned_checkpoint()
            if found is not None and found.size > index:
                return True
            if time.monotonic() >= patience:
                return False
            time.sleep(QUORUM_PAUSE_S)

    def dated_checkpoint(self) -> SignedCheckpoint:
        """The newest checkpoint with all of the log's signatures, also the slow one: what is published."""
        future: Future[tuple[Receipt, ...]] = new_future()
        self._submit(Date(), Waiter(future))
        future.result()
        return self.reader.checkpoint()

    def checkpoint(self) -> SignedCheckpoint:
        """What the log has signed last."""
        return self._opened.writer.checkpoint()

    def _ask(self, request: Request) -> Receipt:
        future: Future[tuple[Receipt, ...]] = new_future()
        self._submit(request, Waiter(future))
        return future.result()[0]

    def _submit(self, request: Request, waiter: Waiter) -> None:
        while True:
            opened = self._current()
            try:
                opened.writer.submit(request, waiter)
                return
            except NotSentError:  # that committer ended; the next round finds or becomes another
                continue

    def _current(self) -> Opened:
        if self._closed:
            raise LedgerBusyError("the log was closed")
        if self._reopen is not None and not self._opened.writer.is_alive():
            with self._lock:
                if not self._opened.writer.is_alive():
                    self._opened = self._reopen()
                    self._closing.callback(self._opened.close)
        return self._opened

    def close(self) -> None:
        """Sees what was appended through, ends the committer if it is this one, and lets go of the log."""
        if not self._closed:
            self._closed = True
            self._closing.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _ask_over_http(method: str, url: str, body: bytes | None, timeout: float) -> HttpAnswer:
    from glasshouse.ledger.cosigning import ask_over_http

    return ask_over_http(method, url, body, timeout)


def _checked(entries: Sequence[NewEntry]) -> Append:
    taken = tuple(entries)
    if not 0 < len(taken) <= MAX_CALL_ENTRIES:
        raise EntryError(f"a call appends 1 to {MAX_CALL_ENTRIES} entries, not {len(taken)}")
    for position, entry in enumerate(taken):
        check_new(entry, position)
    return Append(taken)
