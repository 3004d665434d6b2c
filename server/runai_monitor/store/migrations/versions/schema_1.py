"""Schema 1, the first released one: alerts with their transitions and deliveries, monitors, the first look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table("meta", sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
    _alerts()
    _deliveries()
    _monitors()
    op.create_table(
        "covered_projects",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("first_looked_at", sa.Text, nullable=False),
    )
    op.create_table(
        "baseline", sa.Column("workload_id", sa.Text, primary_key=True), sa.Column("status", sa.Text, nullable=False)
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Integer, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, index=True),
        sa.Column("subject_id", sa.Text, nullable=False, index=True),
        sa.Column("project", sa.Text, nullable=False, index=True),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("alert_id", sa.Text, nullable=False, index=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.alert_id"), nullable=False, index=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.Text),
        sa.Column("delivered_at", sa.Text),
        sa.Column("last_error", sa.Text),
    )
    op.create_index("deliveries_due", "deliveries", ["channel", "state", "next_attempt_at"])


def _monitors() -> None:
    op.create_table(
        "monitors",
        sa.Column("monitor_id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text),
        sa.Column("state", sa.Text, nullable=False, index=True),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("ends_at", sa.Text),
        sa.Column("stopped_at", sa.Text),
        sa.Column("poll_interval_seconds", sa.Text, nullable=False),
        sa.Column("only_failed", sa.Integer, nullable=False),
        sa.Column("auto_troubleshoot", sa.Integer, nullable=False),
        sa.Column("polls", sa.Integer, nullable=False),
        sa.Column("last_poll_at", sa.Text),
        sa.Column("last_error", sa.Text),
        sa.Column("last_error_at", sa.Text),
        sa.Column("next_poll_at", sa.Text),
        sa.Column("workloads", sa.Integer, nullable=False),
    )
