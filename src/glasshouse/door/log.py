"""What the door needs of the log: durable entries with receipts, and which requests still wait for their outcome."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from glasshouse.words.errors import DoorClosedError, GlasshouseError

if TYPE_CHECKING:
    import asyncio

    from glasshouse.door.home import Home
    from glasshouse.ledger import LogReader, NewEntry, Receipt, SignedCheckpoint


class Log(Protocol):
    """A log that can be appended to; `glasshouse.ledger.Ledger` is one."""

    @property
    def reader(self) -> LogReader:
        """What has been written: entries, payloads, proofs."""
        ...

    def append(self, entries: Sequence[NewEntry]) -> Future[tuple[Receipt, ...]]:
        """A future that is done when the entries are durable and signed."""
        ...

    def append_async(self, entries: Sequence[NewEntry]) -> asyncio.Future[tuple[Receipt, ...]]:
        """The same for a coroutine; the future refuses to be cancelled, since the write cannot be called back."""
        ...

    def checkpoint(self) -> SignedCheckpoint:
        """The state of the log that was signed last."""
        ...

    def close(self) -> None:
        """Writes what waits and lets go."""
        ...


def open_log(home: Home) -> Log:
    """The home's log; `DoorClosedError` when it cannot be opened, because nothing acts then."""
    from glasshouse.ledger import Ledger

    try:
        return Ledger.open(home.log, join=True)
    except GlasshouseError as error:
        raise closed(error, "the log cannot be opened, so nothing was done") from error


class RestingLog:
    """A log that is open only while it is needed.

    A command that works for minutes must not be the one through which all others append, and an engine that starts
    worker processes must not do so while a committer's thread runs.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._log: Log | None = None

    def rest(self) -> None:
        """Lets go of the log until it is needed again."""
        if self._log is not None:
            self._log.close()
            self._log = None

    close = rest

    @property
    def reader(self) -> LogReader:
        """As `Log.reader`."""
        return self._opened().reader

    def append(self, entries: Sequence[NewEntry]) -> Future[tuple[Receipt, ...]]:
        """As `Log.append`."""
        return self._opened().append(entries)

    def append_async(self, entries: Sequence[NewEntry]) -> asyncio.Future[tuple[Receipt, ...]]:
        """As `Log.append_async`."""
        return self._opened().append_async(entries)

    def checkpoint(self) -> SignedCheckpoint:
        """As `Log.checkpoint`."""
        return self._opened().checkpoint()

    def _opened(self) -> Log:
        if self._log is None:
            self._log = open_log(self._home)
        return self._log


def closed(error: GlasshouseError, what: str) -> DoorClosedError:
    """The door's error for an error of the log."""
    return DoorClosedError(f"{what}: {error.what}", where=error.where, hint=error.hint)
