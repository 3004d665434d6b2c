"""From the schema of an older version to ours, by Alembic. Loaded only when there is something to upgrade.

`meta.schema_version` is the one record of the schema; Alembic's own table exists within the transaction only.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from runai_monitor.store.tables import SCHEMA_VERSION

# Alembic tells every step at INFO, which means nothing to who runs a monitor.
logging.getLogger("alembic").setLevel(logging.WARNING)


def upgrade(connection: Connection, found: int, *, to: str = str(SCHEMA_VERSION)) -> None:
    """Brings the tables from schema `found` (0: none) to `to`, within the transaction the connection is in."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.stamp(config, str(found) if found else "base")
    command.upgrade(config, to)
    connection.execute(text("DROP TABLE alembic_version"))
    connection.execute(text("UPDATE meta SET value = :to WHERE key = 'schema_version'"), {"to": to})
