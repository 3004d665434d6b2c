"""Whether a database is ours, of which schema, and how it gets the tables of this version."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Collection

import anyio.to_thread
from sqlalchemy import Connection, insert, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.errors import StoreError
from runai_monitor.store.tables import SCHEMA_VERSION, meta, metadata

log = logging.getLogger(__name__)
_SCHEMA = meta.c.key == "schema_version"

OLDEST = 1
"""The first schema that was released, and the oldest that is upgraded."""


def upgrade_due(tables: Collection[str], found: str | None, place: str, *, elsewhere: str) -> bool:
    """Judges what was found in a database: False when it is empty or of our schema, True when of an older one.

    Args:
        tables: their names.
        found: what `meta` says of the schema, None when it says nothing.
        place: the database, for the message.
        elsewhere: how the reader chooses another database, for the message.

    Raises:
        StoreError: it is another program's, or of a schema this version does not know.
    """
    if not tables:
        return False
    if found is None:
        raise StoreError(f"{place} is another program's database; {elsewhere}")
    if found == str(SCHEMA_VERSION):
        return False
    if found.isascii() and found.isdigit() and OLDEST <= int(found) < SCHEMA_VERSION:
        return True
    raise StoreError(
        f"{place} was written by another version of runai-monitor (schema {found}, this one knows {SCHEMA_VERSION}); "
        f"install the newer runai-monitor or {elsewhere}"
    )


async def load_upgrade() -> None:
    """Loads Alembic in a thread, before a transaction that others wait for; only for a database that is due."""
    await anyio.to_thread.run_sync(importlib.import_module, "runai_monitor.store.migrations")


async def is_due(connection: AsyncConnection, place: str, *, elsewhere: str) -> bool:
    """As `upgrade_due`, of what is in a database that is open."""
    tables, found = await connection.run_sync(_look)
    return upgrade_due(tables, found, place, elsewhere=elsewhere)


async def prepare(connection: AsyncConnection, place: str, *, elsewhere: str) -> None:
    """Creates the tables of an empty database, upgrades those of an older version, makes sure that ours can be written.

    Within one writing transaction, and by what is found now: another process may have been quicker.

    Raises:
        StoreError: the database is not ours, or of a schema this version does not know.
    """
    tables, found = await connection.run_sync(_look)
    if not tables:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(meta), {"key": "schema_version", "value": str(SCHEMA_VERSION)})
        await connection.execute(insert(meta), {"key": "cursor", "value": "0"})
    elif upgrade_due(tables, found, place, elsewhere=elsewhere):
        from runai_monitor.store.migrations import upgrade

        assert found is not None
        log.info("%s is brought from schema %s to %s", place, found, SCHEMA_VERSION)
        await connection.run_sync(upgrade, int(found))
    else:
        # Some read-only disks and replicas open well, and would refuse the first alert.
        await connection.execute(update(meta).where(_SCHEMA).values(value=str(SCHEMA_VERSION)))


def _look(connection: Connection) -> tuple[list[str], str | None]:
    """The names of the tables, and the schema that `meta` names."""
    inspector = inspect(connection)
    tables = inspector.get_table_names()
    # Another program's `meta` has other columns.
    if "meta" not in tables or not {"key", "value"} <= {column["name"] for column in inspector.get_columns("meta")}:
        return tables, None
    return tables, connection.scalar(select(meta.c.value).where(_SCHEMA))
