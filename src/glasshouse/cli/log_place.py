"""Which log a command is about: ``--log DIR``, or the one in Glasshouse's own directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from glasshouse.words.places import home

if TYPE_CHECKING:
    from glasshouse.ledger import Ledger, LogReader


F = TypeVar("F", bound=Callable[..., object])


def with_log(function: F) -> F:
    """Adds the option ``--log``."""
    text = "Directory of the log.  [default: $GLASSHOUSE_HOME/ledger]"
    return click.option("--log", "place", metavar="DIR", type=click.Path(path_type=Path), help=text)(function)


def log_directory(place: Path | None) -> Path:
    """The directory that was named, or the default one."""
    if place is not None:
        return place
    from glasshouse.door.home import log_folder

    base = home(os.environ)
    if base is None:
        raise click.UsageError("no home directory is known; name the log with --log DIR")
    return log_folder(base)


def reading(place: Path | None) -> LogReader:
    """The log for reading."""
    from glasshouse.ledger import Ledger

    return Ledger.read(log_directory(place))


def appending(place: Path | None) -> Ledger:
    """The existing log for appending, through the committer that runs or as the committer."""
    from glasshouse.ledger import Ledger

    directory = log_directory(place)
    Ledger.read(directory).close()  # says clearly when there is none: these commands do not begin a log
    return Ledger.open(directory, join=True)


def take_up_policy(directory: Path) -> None:
    """Opens a log once, so that a changed policy holds from now on."""
    from glasshouse.ledger import Ledger
    from glasshouse.words.errors import LedgerBusyError

    try:
        Ledger.open(directory).close()
    except LedgerBusyError:
        click.echo("another process holds the log: this takes effect when that one has ended", err=True)
