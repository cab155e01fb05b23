"""``glasshouse store``: upgrade, back up, restore and check the register's database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.admin import say
from glasshouse.words.display import counted

if TYPE_CHECKING:
    from glasshouse.store.place import StorePlace


@click.group("store", context_settings={"max_content_width": 110})
def command() -> None:
    """The database of organisations, people, keys, engagements and approvals.

    SQLite in the Glasshouse home, or PostgreSQL with GLASSHOUSE_STORE=postgresql://USER@HOST/NAME.  The log is not
    part of it.
    """


@command.command("upgrade")
def upgrade() -> None:
    """Bring the tables to this version; a SQLite file is copied first."""
    from glasshouse.store.copies import upgrade_store

    place = _place()
    before, after = upgrade_store(place)
    say(f"{place.shown()}: version {after}" + ("" if before == after else f", from {before or 'nothing'}"))


@command.command("backup")
@click.argument("file", type=click.Path())
def backup(file: str) -> None:
    """Write every record into a new FILE, readable by you alone."""
    from glasshouse.store.copies import backup as write
    from glasshouse.store.database import open_database

    database = open_database(_place())
    try:
        rows = write(database, Path(file))
    finally:
        database.close()
    say(f"{counted(rows, 'row')} in {file}")


@command.command("restore")
@click.argument("file", type=click.Path())
def restore(file: str) -> None:
    """Fill an empty store from a backup; it may be of the other kind of database."""
    from glasshouse.store.copies import restore as read

    place = _place()
    say(f"{counted(read(place, Path(file)), 'row')} restored into {place.shown()}")


@command.command("check")
def check() -> int:
    """Check the file, the version and every record; exit 1 and a list when something is wrong."""
    from glasshouse.store.copies import check as look

    place = _place()
    state = look(place)
    for problem in state.problems:
        say(problem)
    if state.problems:
        return 1
    counted = ", ".join(f"{number:,} {name}" for name, number in state.counts.items())
    say(f"{place.shown()}: version {state.revision}, {counted}")
    return 0


def _place() -> StorePlace:
    from glasshouse.door.home import home_folder
    from glasshouse.store.place import store_place

    return store_place(os.environ, home_folder(os.environ))
