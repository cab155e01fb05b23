"""Limits on waiting that cost no timer each: one look at all of them, a few times a second while there are any."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

LOOK_EVERY_S = 0.1
"""By how much a wait may last longer than it was allowed to."""


class Wait:
    """One wait, as a context: `TimeoutError` when what it encloses takes too long.  The same as `asyncio.timeout`."""

    __slots__ = ("_before", "_deadlines", "_expired", "_task", "ends_at")

    def __init__(self, deadlines: Deadlines, ends_at: float) -> None:
        self._deadlines, self.ends_at = deadlines, ends_at
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        self._expired = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        assert self._task is not None, "only tasks wait"
        self._before = self._task.cancelling()
        self._deadlines.add(self)

    def expire(self) -> None:
        """Ends the wait, because its time is up."""
        if self._task is not None and not self._expired:
            self._expired = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.discard(self)
        task, self._task = self._task, None
        if self._expired and task is not None:
            others = task.uncancel() > self._before
            if kind is asyncio.CancelledError and not others:
                raise TimeoutError from error


class Deadlines:
    """The waits of one event loop."""

    def __init__(self) -> None:
        self._waits: set[Wait] = set()
        self._looks = False

    def within(self, seconds: float) -> Wait:
        """A limit of so many seconds from now; `LOOK_EVERY_S` more may pass."""
        return Wait(self, time.monotonic() + seconds)

    def until(self, ends_at: float) -> Wait:
        """The same up to a moment of `time.monotonic`."""
        return Wait(self, ends_at)

    def add(self, wait: Wait) -> None:
        """Watches over a wait that begins."""
        self._waits.add(wait)
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def discard(self, wait: Wait) -> None:
        """Forgets a wait that is over."""
        self._waits.discard(wait)

    def _look(self) -> None:
        now = time.monotonic()
        for wait in [each for each in self._waits if each.ends_at <= now]:
            wait.expire()
        self._looks = bool(self._waits)
        if self._looks:
            asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)
