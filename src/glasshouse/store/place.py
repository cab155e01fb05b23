"""Where the tables are: a SQLite file in the home, or what ``GLASSHOUSE_STORE`` names (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from glasshouse.words.errors import ConfigError

FILE_NAME = "store.db"


class StorePlace(msgspec.Struct, frozen=True):
    """A store.  ``file`` for SQLite, ``dsn`` (postgresql://...) for PostgreSQL; exactly one is set."""

    file: Path | None = None
    dsn: str = ""

    @property
    def sqlalchemy_url(self) -> str:
        """The address as SQLAlchemy spells it."""
        if self.file is not None:
            return f"sqlite:///{self.file}"
        return "postgresql+psycopg://" + self.dsn.partition("://")[2]

    def shown(self) -> str:
        """The address for messages, without a password."""
        if self.file is not None:
            return str(self.file)
        head, at, tail = self.dsn.partition("://")[2].rpartition("@")
        return f"postgresql://{head.partition(':')[0]}{at}{tail.partition('?')[0]}"


def store_place(environ: Mapping[str, str], home: Path) -> StorePlace:
    """The store that the environment names, by default ``store.db`` in the home."""
    named = environ.get("GLASSHOUSE_STORE", "")
    if not named:
        return StorePlace(file=home / FILE_NAME)
    if named.startswith(("postgresql://", "postgres://")):
        return StorePlace(dsn=named)
    if "://" in named:
        raise ConfigError(
            "GLASSHOUSE_STORE names a database that is not supported",
            hint="Give postgresql://USER@HOST/NAME, or the path of a SQLite file.",
        )
    return StorePlace(file=Path(named).expanduser().absolute())
