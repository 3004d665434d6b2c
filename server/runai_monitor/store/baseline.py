"""What had failed before this server first looked, and when it first looked at which project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from runai_monitor.store import tables
from runai_monitor.store.database import Database
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
            known = set((await connection.execute(select(tables.covered_projects.c.project))).scalars())
            for project, at in projects.items():
                if project not in known:
                    row = {"project": project, "first_looked_at": required_text(at)}
                    await connection.execute(insert(tables.covered_projects), row)
            old = set((await connection.execute(select(tables.baseline.c.workload_id))).scalars())
            for workload_id, status in failing.items():
                if workload_id not in old:
                    await connection.execute(insert(tables.baseline), {"workload_id": workload_id, "status": status})

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
            await connection.execute(
                delete(tables.baseline).where(tables.baseline.c.workload_id.in_(list(workload_ids)))
            )
