"""Leading a command through the door: one call before the work, and what the user is told about the receipt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from glasshouse.door.local import LocalPassage
    from glasshouse.words.act import Target


@contextmanager
def through_the_door(capability: str, targets: Sequence[Target], describes: str = "") -> Iterator[LocalPassage]:
    """Asks, records the request, runs the block, records the outcome; nothing may be shown before the block has ended.

    with through_the_door("events.respond", file_targets(logs), "respond to 3 files") as passage:
        report = gather(passage.watched(engine()))
    show(report)
    say_receipt(passage)
    """
    from glasshouse.door.local import local_passage

    with local_passage(capability, targets, os.environ, describes=describes) as passage:
        yield passage


def say_receipt(passage: LocalPassage) -> None:
    """The last line on standard error: where the receipt is."""
    from glasshouse.words.display import visible

    place = visible(str(passage.receipt_file))
    click.echo(f"glasshouse: recorded as entry {passage.entry}; receipt: glasshouse verify {place}", err=True)


def code_targets(paths: Iterable[Path]) -> tuple[Target, ...]:
    """Code named on the command line."""
    from glasshouse.door.local import code_targets as targets

    return targets(paths)


def file_targets(paths: Iterable[Path]) -> tuple[Target, ...]:
    """Other input files named on the command line."""
    from glasshouse.door.local import file_targets as targets

    return targets(paths)
