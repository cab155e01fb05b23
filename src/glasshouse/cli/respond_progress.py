"""Progress of a response on standard error: bytes, events per second, detections so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Callback = Callable[[int, int, int], None]
INTERVAL_S = 0.2


@contextmanager
def event_progress(*, shown: bool) -> Iterator[Callback | None]:
    """The callback for a run (bytes, events, detections), or None; the line is gone when the block ends."""
    if not shown:
        yield None
        return
    from rich.console import Console

    started = time.monotonic()
    last = [started]
    with Console(stderr=True).status("reading ...") as status:

        def update(size: int, events: int, detections: int) -> None:
            now = time.monotonic()
            if now - last[0] >= INTERVAL_S:
                last[0] = now
                rate = events / max(now - started, 1e-6)
                status.update(
                    f"{size / 1e6:,.0f} MB, {events:,} events ({rate:,.0f}/s), {detections:,} detections so far"
                )

        yield update
