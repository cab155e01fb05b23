"""An act from request to outcome: results stream, the last one leaves only when the outcome is in the log.

Whatever happens on the way is an outcome too: an error (``failed``), a reader that goes away or Ctrl-C
(``interrupted``), a halt (``stopped``), an answer that screening holds back (``withheld``).
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from glasshouse.words.canonical import canonical
from glasshouse.words.errors import GlasshouseError, StoppedError
from glasshouse.words.passage import Outcome, OutcomeStatus, Screened

if TYPE_CHECKING:
    from glasshouse.door.door import Door
    from glasshouse.door.entries import Admission
    from glasshouse.ledger import Receipt

T = TypeVar("T")
LOOK_EVERY_S = 0.25  # a halt ordered in another process stops a stream within this and the directory's own delay


class Screen(Protocol[T]):
    """Looks at results before they leave; may hold back at most what it must to judge them."""

    def feed(self, item: T) -> Sequence[T]:
        """What may leave now that ``item`` has come.  Raises `Withhold` to end the stream."""
        ...

    def finish(self) -> Sequence[T]:
        """What may leave at the end of the stream."""
        ...

    def screened(self) -> tuple[Screened, ...]:
        """What was looked at, for the outcome entry."""
        ...


class Withhold(Exception):  # noqa: N818 - it ends a stream, it is no fault
    """A screen's word that nothing more may leave.  ``last`` may still leave: the dialect's own error event."""

    def __init__(self, reason: str, last: Sequence[object] = ()) -> None:
        super().__init__(reason)
        self.reason, self.last = reason, last


class _Course(Generic[T]):
    """What both kinds of passage keep: the digest of what left, the one result held back, the outcome."""

    def __init__(
        self, door: Door, admission: Admission, screen: Screen[T] | None, encode: Callable[[T], bytes] | None
    ) -> None:
        self.door, self.admission = door, admission
        self.receipt: Receipt | None = None
        self.counts: dict[str, int] = {}
        self.events: list[bytes] = []
        self._screen, self._encode = screen, encode or _bytes_of
        self._held: list[T] = []
        self._hash = hashlib.sha256()
        self._items = self._size = 0
        self._looked_at = float("-inf")

    @property
    def concluded(self) -> bool:
        """Whether the outcome is in the log."""
        return self.receipt is not None

    def proof(self) -> str:
        """The receipt of the outcome as a ``.tlog-proof``, which `glasshouse verify` accepts."""
        assert self.receipt is not None, "the act has not ended"
        return self.door.log.reader.proof(self.receipt.index)

    def check(self) -> None:
        """Raises `StoppedError` when the act has lost its permission; looks at most four times a second."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        denied = self.door.must_stop(self.admission)
        if denied is not None:
            raise StoppedError(f"stopped: {denied.reason}", where=denied.code)

    def _take(self, item: T) -> list[T]:
        """What may leave now: all that the screen lets go but the last."""
        ready = self._held + list(self._screen.feed(item) if self._screen is not None else (item,))
        self._held = ready[-1:]
        return self._count(ready[:-1])

    def _end(self) -> list[T]:
        """The rest, which leaves when the outcome is recorded."""
        rest = self._held + list(self._screen.finish() if self._screen is not None else ())
        self._held = []
        return self._count(rest)

    def _count(self, items: list[T]) -> list[T]:
        for item in items:
            data = self._encode(item)
            self._hash.update(len(data).to_bytes(8, "big") + data)
            self._items += 1
            self._size += len(data)
        return items

    def _outcome(self, status: OutcomeStatus, code: str = "") -> Outcome:
        return Outcome(
            status,
            self._hash.hexdigest(),
            self._items,
            self._size,
            code,
            dict(self.counts),
            self._screen.screened() if self._screen is not None else (),
            tuple(self.events),
        )


class Passage(_Course[T]):
    """An act whose results come one after the other.  Also a context manager for acts that yield one result."""

    def through(self, results: Iterable[T]) -> Iterator[T]:
        """The results, screened; the outcome is durable before the last one leaves."""
        try:
            for item in results:
                self.check()
                yield from self._take(item)
            rest, status, code = self._end(), "done", ""
        except Withhold as withheld:
            rest, status, code = list(withheld.last), "withheld", withheld.reason  # type: ignore[arg-type]
        except BaseException as error:
            self._fail(error)
            raise
        self.conclude(status, code)  # type: ignore[arg-type]
        yield from rest

    def watched(self, results: Iterable[T]) -> Iterator[T]:
        """The results as they come, each counted into the digest, for a caller who gathers them before showing any.

        `conclude` is then the caller's to call, before anything is shown.
        """
        for item in results:
            self.check()
            yield from self._count([item])

    def conclude(self, status: OutcomeStatus = "done", code: str = "") -> Receipt:
        """Records the outcome; nothing may be shown before this returns."""
        if self.receipt is None:
            self.receipt = self.door.conclude(self.admission, self._outcome(status, code))
        return self.receipt

    def __enter__(self) -> Passage[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._fail(error)
        else:
            self.conclude()

    def _fail(self, error: BaseException) -> None:
        if not self.concluded:
            self.conclude(*_status_of(error))


class AsyncPassage(_Course[T]):
    """An act whose results come asynchronously; a stalled source is watched for halts too."""

    async def through(self, results: AsyncIterable[T]) -> AsyncIterator[T]:
        """The results, screened; the outcome is durable before the last one leaves."""
        source = aiter(results)
        try:
            while True:
                item = await self._next(source)
                if item is _END:
                    break
                for ready in self._take(item):  # type: ignore[arg-type]
                    yield ready
            rest, status, code = self._end(), "done", ""
        except Withhold as withheld:
            rest, status, code = list(withheld.last), "withheld", withheld.reason  # type: ignore[arg-type]
        except BaseException as error:
            await self._fail(error)
            raise
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
        await self.conclude(status, code)  # type: ignore[arg-type]
        for each in rest:
            yield each

    async def conclude(self, status: OutcomeStatus = "done", code: str = "") -> Receipt:
        """Records the outcome; the last result may leave when this returns."""
        if self.receipt is None:
            self.receipt = await self.door.conclude_async(self.admission, self._outcome(status, code))
        return self.receipt

    async def __aenter__(self) -> AsyncPassage[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            await self._fail(error)
        else:
            await self.conclude()

    async def _next(self, source: AsyncIterator[T]) -> T | object:
        import asyncio  # here and below: commands without an event loop should not wait for it to load

        task = asyncio.ensure_future(_step(source))
        try:
            while True:
                self.check()
                done, _ = await asyncio.wait({task}, timeout=LOOK_EVERY_S)
                if done:
                    return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _fail(self, error: BaseException) -> None:
        import asyncio

        if not self.concluded:
            await asyncio.shield(self.conclude(*_status_of(error)))


_END = object()


async def _step(source: AsyncIterator[T]) -> T | object:
    try:
        return await anext(source)
    except StopAsyncIteration:
        return _END


def _status_of(error: BaseException) -> tuple[OutcomeStatus, str]:
    if isinstance(error, StoppedError):
        return "stopped", error.where
    loaded = sys.modules.get("asyncio")  # where it is not, nobody can have raised its errors
    if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)) or (
        loaded is not None and isinstance(error, loaded.CancelledError)
    ):
        return "interrupted", ""
    if isinstance(error, GlasshouseError):
        return "failed", error.code
    return "failed", type(error).__name__


def _bytes_of(item: object) -> bytes:
    return item if isinstance(item, bytes) else canonical(item)
