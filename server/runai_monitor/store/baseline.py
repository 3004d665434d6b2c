"""What had failed before this server first looked, and when it first looked at which project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from runai_monitor.store import tables
from runai_monitor.store.database import Database
from runai_monitor.store.portable import insert_missing
from runai_monitor.store.rows import required_instant, required_text


class BaselineStore:
    """Remembers old failures, so that a restart or a second look does not announce them as news."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def covered_projects(self) -> dict[str, datetime]:
        """The projects that were looked at completely, and when first."""
        table = tables.covered_projects
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(table.c.project, table.c.first_looked_at))).all()
        return {project: required_instant(at) for project, at in rows}

    async def cover(self, *, projects: Mapping[str, datetime], failing: Mapping[str, str]) -> None:
        """Notes a first look: these projects at these instants, with these workloads (id to status) already failing."""
        async with self._database.writing() as connection:
            for project, at in projects.items():
                row = {"project": project, "first_looked_at": required_text(at)}
                await insert_missing(connection, tables.covered_projects, row)
            for workload_id, status in failing.items():
                row = {"workload_id": workload_id, "status": status}
                await insert_missing(connection, tables.baseline, row)

    async def failing(self) -> dict[str, str]:
        """The workloads that have been failing since before the first look, with their status then."""
        table = tables.baseline
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(table.c.workload_id, table.c.status))).all()
        return {row.workload_id: row.status for row in rows}

    async def forget(self, workload_ids: Collection[str]) -> None:
        """These were healthy since, or are gone: what they do next is news."""
        if not workload_ids:
            return
        async with self._database.writing() as connection:
            # One row at a time: SQLite limits the variables of a statement.
            await connection.execute(
                delete(tables.baseline).where(tables.baseline.c.workload_id == bindparam("gone")),
                [{"gone": workload_id} for workload_id in workload_ids],
            )
