"""Schema 2: who is behind a change; leases, keys and digests of deliveries; threads, silences, audit, episodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Adds columns and tables; what is stored stays as it is."""
    op.add_column("transitions", sa.Column("author", sa.Text, nullable=False, server_default=""))
    for column in (
        sa.Column("idempotency_key", sa.Text, nullable=False, server_default=""),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.Text),
        sa.Column("told_by", sa.Integer),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("deliveries", column)
    # What waits to be told needs a key that no other delivery has; what it is made of does not matter.
    op.execute("UPDATE deliveries SET idempotency_key = alert_id || '/' || delivery_id || '/' || channel")
    _tables()


def _tables() -> None:
    op.create_table(
        "threads",
        sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.alert_id"), primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False),
    )
    op.create_table(
        "silences",
        sa.Column("silence_id", sa.Text, primary_key=True),
        sa.Column("matchers", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("starts_at", sa.Text, nullable=False),
        sa.Column("ends_at", sa.Text, nullable=False, index=True),
        sa.Column("expired_at", sa.Text),
        sa.Column("expired_by", sa.Text),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False, index=True),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False, index=True),
        sa.Column("target", sa.Text, nullable=False, index=True),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "episodes",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("episode", sa.Integer, nullable=False),
    )
