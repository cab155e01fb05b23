"""The first tables: organisations, people, workloads, engagements, keys, approvals, halts, use, the generation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEARCHED: dict[str, tuple[str, ...]] = {
    "organisation": ("state",),
    "person": ("organisation",),
    "workload": ("organisation",),
    "engagement": ("organisation", "state"),
    "api_key": ("holder", "engagement", "state"),
    "approval": ("state",),
    "halt": ("kind",),
}
_TIMES: dict[str, tuple[str, ...]] = {
    "api_key": ("expires_at",),
    "approval": ("asked_at", "lapses_at"),
    "halt": ("ordered_at", "lifted_at"),
}


def upgrade() -> None:
    """Makes the tables."""
    for table, searched in _SEARCHED.items():
        op.create_table(
            table,
            sa.Column("id", sa.String(200), primary_key=True),
            *(sa.Column(name, sa.String(200), nullable=False) for name in searched),
            *(sa.Column(name, sa.BigInteger, nullable=False) for name in _TIMES.get(table, ())),
            sa.Column("doc", sa.Text, nullable=False),
        )
        for name in searched:
            op.create_index(f"ix_{table}_{name}", table, [name])
    op.create_table(
        "usage",
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("unit", sa.String(50), primary_key=True),
        sa.Column("period_start", sa.BigInteger, primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
    )
    op.create_index("usage_period", "usage", ["period_start"])
    generation = op.create_table(
        "generation",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(generation, [{"id": 1, "value": 0}])
