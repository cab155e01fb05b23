"""The register and the policies for reading, without a log: explaining records nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from glasshouse.access.directory import Directory
from glasshouse.door.home import find_home
from glasshouse.guard.decide import Guard
from glasshouse.guard.policy import load_policies
from glasshouse.store.database import open_database
from glasshouse.store.place import store_place
from glasshouse.store.records import Tables
from glasshouse.store.watch import Watch


class Register(msgspec.Struct, frozen=True):
    """What explaining needs."""

    tables: Tables
    directory: Directory
    guard: Guard
    now: int


@contextmanager
def open_register(environ: Mapping[str, str]) -> Iterator[Register]:
    """The register of the home that the environment names."""
    home = find_home(environ)
    place = store_place(environ, home.folder)
    database = open_database(place)
    tables = Tables(database)
    watch = Watch(place)
    try:
        directory = Directory(lambda: tables, watch, home.pepper)
        yield Register(tables, directory, Guard(load_policies(home.policies)), int(time.time()))
    finally:
        watch.close()
        database.close()
