"""How busy the writer of a log is: decides who writes what an event loop hands in.

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
"""If the log writes at most every fourth part of the time, hardly an entry comes that could share a batch."""


class Pace:
    """What the last batches took, smoothed; times in seconds."""

    def __init__(self) -> None:
        self._took = self._apart = 0.0
        self._began = float("-inf")

    def wrote(self, began: float, ended: float) -> None:
        """A batch was written."""
        self._took += (ended - began - self._took) / SMOOTHED_OVER
        self._apart += (min(began - self._began, 1.0) - self._apart) / SMOOTHED_OVER
        self._began = began

    def holds_nobody_up(self, *, alone: bool) -> bool:
        """Whether an event loop may write; ``alone`` says that nothing else is under way in this log."""
        if alone:
            return self._took <= PATIENCE_S
        return self._took <= QUICK_S and self._took * IDLE_SHARE <= self._apart
