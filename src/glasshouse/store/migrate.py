"""Which version a store has, and bringing it up to the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from glasshouse.store.database import MIGRATIONS

if TYPE_CHECKING:
    from sqlalchemy import Engine


def revision(engine: Engine) -> str | None:
    """The version of the tables in a store; None when there are none of ours."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The version that this Glasshouse works with."""
    current = ScriptDirectory.from_config(_config()).get_current_head()
    assert current is not None
    return current


def known_revisions() -> tuple[str, ...]:
    """All versions up to the current one, oldest first."""
    return tuple(reversed([each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()]))


def upgrade(engine: Engine, to: str = "head") -> None:
    """Brings a store to a version, in one transaction."""
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
