"""What Alembic runs: on the connection that it was given, within that connection's transaction."""

from __future__ import annotations

from alembic import context

from runai_monitor.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # All or nothing: SQLite can undo changes of tables too, which Alembic does not assume.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
