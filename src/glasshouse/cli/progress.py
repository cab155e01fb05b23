"""A progress bar on standard error, only on a terminal; rich is loaded only when one is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Callback = Callable[[str, int, int], None]


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Callback | None]:
    """The callback for a scan (phase, done, total), or None; the bar is gone when the block ends."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=8) as bar:
        task = bar.add_task("starting", total=None, rate="")

        def update(phase: str, done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            if bar.tasks[0].description != phase:
                bar.reset(task, description=phase, total=total or None, completed=done, rate="")
            else:
                bar.update(task, total=total or None, completed=done, rate=rate)

        yield update
