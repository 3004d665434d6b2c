"""The tables. Instants are ISO 8601 texts in UTC, so that a person with `sqlite3` can read them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text

SCHEMA_VERSION = 2

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("cursor", Integer, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("subject_id", Text, nullable=False, index=True),
    Column("project", Text, nullable=False, index=True),
    Column("episode", Integer, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("document", Text, nullable=False),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alert_id", Text, nullable=False, index=True),
    Column("at", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False, server_default=""),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Integer, primary_key=True, autoincrement=True),
    Column("alert_id", Text, ForeignKey("alerts.alert_id"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Text),
    Column("delivered_at", Text),
    Column("last_error", Text),
    Column("idempotency_key", Text, nullable=False, server_default=""),
    Column("lease_owner", Text),
    Column("lease_until", Text),
    Column("told_by", Integer),
    Column("note", Text, nullable=False, server_default=""),
    Index("deliveries_due", "channel", "state", "next_attempt_at"),
)

monitors = Table(
    "monitors",
    metadata,
    Column("monitor_id", Text, primary_key=True),
    Column("project", Text),
    Column("state", Text, nullable=False, index=True),
    Column("started_at", Text, nullable=False),
    Column("ends_at", Text),
    Column("stopped_at", Text),
    Column("poll_interval_seconds", Text, nullable=False),
    Column("only_failed", Integer, nullable=False),
    Column("auto_troubleshoot", Integer, nullable=False),
    Column("polls", Integer, nullable=False, default=0),
    Column("last_poll_at", Text),
    Column("last_error", Text),
    Column("last_error_at", Text),
    Column("next_poll_at", Text),
    Column("workloads", Integer, nullable=False, default=0),
)

covered_projects = Table(
    "covered_projects",
    metadata,
    Column("project", Text, primary_key=True),
    Column("first_looked_at", Text, nullable=False),
)

baseline = Table(
    "baseline", metadata, Column("workload_id", Text, primary_key=True), Column("status", Text, nullable=False)
)

threads = Table(
    "threads",
    metadata,
    Column("alert_id", Text, ForeignKey("alerts.alert_id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("reference", Text, nullable=False),
)
"""Where a channel keeps the conversation about an alert, as that channel names it (Slack: channel id and timestamp)."""

silences = Table(
    "silences",
    metadata,
    Column("silence_id", Text, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", Text, nullable=False),
    Column("ends_at", Text, nullable=False, index=True),
    Column("expired_at", Text),
    Column("expired_by", Text),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False, index=True),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False, index=True),
    Column("target", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
)

episodes = Table(
    "episodes",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("episode", Integer, nullable=False),
)
"""The last episode of alerts that retention deleted: a number is never given twice, for alert ids are made of it."""
