"""Which version a store has, and bringing it up to the current one.

Alembic and what it brings take longer to import than a command takes to run, so they are imported only to migrate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from glasshouse.store.database import MIGRATIONS

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

HEAD = "0001"
"""The version that this Glasshouse works with: that of the last module in ``migrations/versions`` (a test compares)."""


def revision(engine: Engine) -> str | None:
    """The version of the tables in a store; None when there are none of ours."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def head() -> str:
    """The version that this Glasshouse works with."""
    return HEAD


def known_revisions() -> tuple[str, ...]:
    """All versions up to the current one, oldest first."""
    from alembic.script import ScriptDirectory

    return tuple(reversed([each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()]))


def upgrade(engine: Engine, to: str = "head") -> None:
    """Brings a store to a version, in one transaction."""
    from alembic import command

    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
