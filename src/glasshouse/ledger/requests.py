"""What the committer is asked to do: append, erase, hold, release; the same from this process and from others."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec

from glasshouse.ledger.entry import NewEntry
from glasshouse.ledger.receipt import SignedCheckpoint
from glasshouse.words.errors import LedgerError


class Append(msgspec.Struct, frozen=True, tag="append"):
    """Entries that follow each other."""

    entries: tuple[NewEntry, ...]


class Erase(msgspec.Struct, frozen=True, tag="erase"):
    """Destroys the payloads of an entry; ``approvals`` are signed notes of approvers over the request."""

    index: int
    basis: str
    approvals: tuple[str, ...]


class Hold(msgspec.Struct, frozen=True, tag="hold"):
    """Puts an entry's payloads under a legal hold, or releases them from it."""

    index: int
    basis: str
    release: bool


class Date(msgspec.Struct, frozen=True, tag="date"):
    """Has the newest checkpoint carry all of the log's signatures, the slow one too; answered without receipts."""


class Scrub(msgspec.Struct, frozen=True, tag="scrub"):
    """Empties what may still hold erased payloads beside the store; answered without receipts."""


Request = Append | Erase | Hold | Date | Scrub


class Waiter:
    """Who waits for the answer: a future of a thread, or, with a loop, a future of asyncio."""

    __slots__ = ("_started", "future", "loop")

    def __init__(self, future: Any, loop: Any = None) -> None:
        self.future: Any = future
        self.loop: Any = loop
        self._started = loop is not None

    def start(self) -> bool:
        """Whether the caller still waits; from now on it cannot cancel.  A request sent twice starts once."""
        self._started = self._started or bool(self.future.set_running_or_notify_cancel())
        return self._started


class Writer(Protocol):
    """The way to the committer: in this process, or through its socket."""

    def submit(self, request: Request, waiter: Waiter) -> None:
        """Sends a request on its way; the waiter gets a tuple of receipts, or a ``LedgerError``."""

    def checkpoint(self) -> SignedCheckpoint:
        """What the log has signed last, as far as this process knows."""

    def is_alive(self) -> bool:
        """Whether it can still take requests."""

    def close(self) -> None:
        """Sees what was submitted through, and ends."""


def answer(answers: list[tuple[Waiter, Any]], here: Any = None) -> None:
    """Gives each waiter its receipts or its error; all waiters of one event loop are woken together.

    ``here`` is the event loop that this runs in, if it runs in one.
    """
    by_loop: dict[Any, list[tuple[Any, Any]]] = {}
    for waiter, result in answers:
        if waiter.loop is None:
            resolve(waiter.future, result)
        else:
            by_loop.setdefault(waiter.loop, []).append((waiter.future, result))
    for loop, pairs in by_loop.items():
        if loop is here:
            _resolve_all(pairs)
            continue
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(_resolve_all, pairs)


def _resolve_all(pairs: list[tuple[Any, Any]]) -> None:
    for future, result in pairs:
        resolve(future, result)


def resolve(future: Any, result: Any) -> None:
    """Ends a future with a result or an error, unless its caller gave up."""
    if future.done():
        return
    if isinstance(result, LedgerError):
        future.set_exception(result)
    else:
        future.set_result(result)


def new_future() -> Future[Any]:
    """A future of a thread."""
    return Future()
