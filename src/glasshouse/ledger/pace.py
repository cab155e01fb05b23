"""How busy the writer of a log is: decides when what an event loop hands in is written, and by whom.

A batch of one entry costs half of what a batch of eight does, so while calls are under way the log rests three times as
long as it wrote, and gathers what comes meanwhile.

Handing a batch to another thread and its receipts back costs two changes of threads, which for a lone entry is as much
as writing it.  Writing it where the event loop runs costs no such change, but nothing else runs there meanwhile.
"""

from __future__ import annotations

SMOOTHED_OVER = 8  # batches
QUICK_S = 0.002
"""A write that takes no longer may hold up what else an event loop does."""
PATIENCE_S = 0.02
"""One that takes no longer may hold an event loop up that waits for nothing else."""
IDLE_SHARE = 4
"""The log writes at most every fourth part of the time, as far as `LONGEST_PAUSE_S` allows; a loop may give it that."""
LONGEST_PAUSE_S = 0.002
"""What an entry waits at most for others to share its batch."""


class Pace:
    """What the last batches took, smoothed; times in seconds."""

    def __init__(self) -> None:
        self._took = self._apart = 0.0
        self._began = self._ended = float("-inf")

    def wrote(self, began: float, ended: float) -> None:
        """A batch was written."""
        self._took += (ended - began - self._took) / SMOOTHED_OVER
        self._apart += (min(began - self._began, 1.0) - self._apart) / SMOOTHED_OVER
        self._began, self._ended = began, ended

    def pause(self, now: float) -> float:
        """For how many seconds more others may join a batch; not after now if nothing was written lately."""
        rest = min((IDLE_SHARE - 1) * self._took, LONGEST_PAUSE_S)
        return max(0.0, self._ended + rest - now)

    def holds_nobody_up(self, *, alone: bool) -> bool:
        """Whether an event loop may write; ``alone`` says that nothing else is under way in this log."""
        if alone:
            return self._took <= PATIENCE_S
        return self._took <= QUICK_S and self._took * IDLE_SHARE <= self._apart
