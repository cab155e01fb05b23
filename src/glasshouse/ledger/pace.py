"""How busy the writer of a log is: decides who writes what an event loop hands in.

Handing a batch to another thread and its receipts back costs two changes of threads, which for a lone entry is as much
as writing it.  Writing it where the event loop runs costs no such change, but nothing else runs there meanwhile.
"""

from __future__ import annotations

SMOOTHED_OVER = 8  # batches
QUICK_S = 0.002
"""A write that takes no longer may hold an event loop up."""
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

    def is_light(self) -> bool:
        """Whether the disk is quick and the log mostly idle."""
        return self._took <= QUICK_S and self._took * IDLE_SHARE <= self._apart
