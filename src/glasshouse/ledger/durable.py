"""Futures of what is being written: nobody can cancel them, because nobody can call the write back."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


class Durable(asyncio.Future[T]):
    """Ends when the write has ended.  Costs a turn of the event loop less than `asyncio.shield` around a plain one."""

    def cancel(self, msg: Any = None) -> bool:
        """Refused; a task that waits for this is cancelled as soon as it is done."""
        return False
