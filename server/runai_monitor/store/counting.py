"""How many alerts are not resolved, kept up from what has changed: in a storm thousands are open, and everybody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

import anyio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.model.alert import AlertKind, AlertState
from runai_monitor.store import tables
from runai_monitor.store.applying import last_cursor
from runai_monitor.store.database import Database
from runai_monitor.store.portable import JsonDocument, JsonText, parsed

_T = tables.alerts
_RESOLVED = str(AlertState.RESOLVED)
Counted = tuple[AlertKind, str, str]
"""What is counted apart: kind, status and severity."""


class UnresolvedCount:
    """Counts without reading again what it knows: each change of an alert gives it a higher cursor."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[str, Counted]] = {}
        """Projects and what is counted, by alert."""
        self._cursor = 0
        self._lock = anyio.Lock()

    async def by_kind(self, *, projects: Container[str] | None) -> dict[Counted, int]:
        """How many there are now, of these projects and of no project; of all when `projects` is None."""
        async with self._lock, self._database.reading() as connection:
            cursor = await last_cursor(connection)
            if cursor < self._cursor:
                self._known, self._cursor = {}, 0  # another database, or an older one
            if cursor > self._cursor:
                await self._learn(connection)
                self._cursor = cursor
            if await _how_many(connection) != len(self._known):
                self._known, self._cursor = {}, 0
                await self._learn(connection)
                self._cursor = cursor
        return Counter(
            counted
            for project, counted in self._known.values()
            if projects is None or not project or project in projects
        )

    async def _learn(self, connection: AsyncConnection) -> None:
        changed = select(
            _T.c.alert_id, _T.c.project, _T.c.kind, _T.c.state, JsonDocument(_T.c.document).label("document")
        )
        which = _T.c.cursor > self._cursor if self._cursor else _T.c.state != _RESOLVED
        seen = parsed(changed.where(which), "seen")
        status, severity = (JsonText(seen.c.document, path) for path in ("status", "severity"))
        query = select(seen.c.alert_id, seen.c.project, seen.c.kind, seen.c.state, status, severity)
        for alert_id, project, kind, state, word, level in (await connection.execute(query)).all():
            if state == _RESOLVED:
                self._known.pop(alert_id, None)
            else:
                self._known[alert_id] = (project, (AlertKind(kind), str(word), str(level)))


async def _how_many(connection: AsyncConnection) -> int:
    """Counted by index."""
    return (await connection.execute(select(func.count()).where(_T.c.state != _RESOLVED))).scalar_one()
