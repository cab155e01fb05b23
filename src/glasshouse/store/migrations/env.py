"""Alembic's entry point: runs the migrations on the connection that `glasshouse.store.migrate` hands in."""

from __future__ import annotations

from alembic import context

from glasshouse.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
