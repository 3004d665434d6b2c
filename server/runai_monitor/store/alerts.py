"""Alerts: every change of one is a transaction with its reason and its deliveries."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.model.alert import (
    EVERY_ALERT,
    Alert,
    AlertFilter,
    AlertId,
    AlertKind,
    AlertState,
    Change,
    Transition,
)
from runai_monitor.pauses import Pauses
from runai_monitor.store import applying, tables
from runai_monitor.store.applying import Router, last_cursor
from runai_monitor.store.counting import UnresolvedCount
from runai_monitor.store.database import Database
from runai_monitor.store.rows import (
    alert_of,
    required_instant,
    required_text,
)

_T = tables.alerts
_LAST_CURSOR = 2**31 - 1
"""What the column holds in PostgreSQL; a reader may name any number."""
AT_ONCE = 100
"""Documents in memory at a time, and read without a pause: a few milliseconds, in which nobody else is served."""


class AlertStore:
    """Applies what the policy decided, and answers what is stored."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counting = UnresolvedCount(database)

    async def apply(
        self, transitions: Sequence[Transition], *, channels: Sequence[str], route: Router | None = None
    ) -> list[Alert]:
        """Stores transitions, the alerts they change and one pending delivery per channel told, all or nothing.

        `channels` are those that exist; `route` chooses among them by the alert as it is after the change, None chooses
        all. What ends or answers an alert is told where the alert was told, wherever it would be routed now.

        An opening of an alert that exists, and any other change of one that does not or is resolved already, are
        ignored: a decision may be applied twice after a crash. So is a reminder of an alert that was acknowledged while
        it was decided. `SUPPRESSED` records its reason only. The opening of an alert that awaits its diagnosis completes
        it: once, and it is then that the channels are told.

        Returns:
            The alerts that changed, as they are now, in the order of their cursors.

        Raises:
            StoreError: nothing was stored.
        """
        if not transitions:
            return []
        async with self._database.writing() as connection:
            return await applying.apply(connection, transitions, channels, route)

    async def acknowledge(
        self, alert_id: AlertId, *, author: str, note: str, at: datetime, channels: Sequence[str]
    ) -> tuple[Alert, bool] | None:
        """Notes that somebody takes care of an alert; those of the channels that were told of it are told that, too.

        Returns:
            The alert as it is now, and whether this changed it: one that is acknowledged or resolved stays as it is.
            None when there is no such alert.

        Raises:
            StoreError: nothing was stored.
        """
        async with self._database.writing() as connection:
            current = await _get(connection, alert_id)
            if current is None:
                return None
            if current.state is not AlertState.FIRING:
                return current, False
            transition = _acknowledgement(current, author=author, note=note, at=at)
            (changed,) = await applying.apply(connection, [transition], channels, None)
            return changed, True

    @asynccontextmanager
    async def reading(self, wanted: AlertFilter = EVERY_ALERT) -> AsyncIterator[AsyncIterator[Alert]]:
        """As `list`, without an end: as they are when the block begins; few are in memory at a time."""
        query = _chosen(wanted)
        async with self._database.reading() as connection:
            documents = await connection.stream_scalars(query, execution_options={"yield_per": AT_ONCE})
            yield (alert_of(document) async for document in documents)

    async def get(self, alert_id: AlertId) -> Alert | None:
        """One alert, or None."""
        async with self._database.reading() as connection:
            return await _get(connection, alert_id)

    async def list(self, wanted: AlertFilter = EVERY_ALERT, *, limit: int = 50) -> builtins.list[Alert]:
        """The first of the alerts that are wanted, in the order of the filter."""
        query = _chosen(wanted).limit(limit)
        async with self._database.reading() as connection:
            return [alert_of(document) for document in (await connection.execute(query)).scalars()]

    async def latest_cursor(self) -> int:
        """The highest cursor given so far, 0 before the first alert."""
        async with self._database.reading() as connection:
            return await last_cursor(connection)

    async def unresolved(self, *, kind: AlertKind | None = None) -> builtins.list[Alert]:
        """Every alert, of one kind if it is given, that is not resolved, oldest change first."""
        query = select(_T.c.document).where(_T.c.state != str(AlertState.RESOLVED)).order_by(_T.c.cursor)
        if kind is not None:
            query = query.where(_T.c.kind == str(kind))
        async with self._database.reading() as connection:
            documents = (await connection.execute(query)).scalars().all()
        return await _decoded(documents)

    async def count_unresolved(self, *, projects: Sequence[str] | None = None) -> dict[tuple[AlertKind, str, str], int]:
        """How many are not resolved, by kind, status and severity, however many there are.

        `projects` as in `AlertFilter`.
        """
        return await self._counting.by_kind(projects=projects)

    async def resolved_since(self, since: datetime) -> builtins.list[Alert]:
        """Every alert that was resolved since then, oldest change first."""
        is_over = (_T.c.state == str(AlertState.RESOLVED)) & (_T.c.updated_at >= required_text(since))
        query = select(_T.c.document).where(is_over).order_by(_T.c.cursor)
        async with self._database.reading() as connection:
            documents = (await connection.execute(query)).scalars().all()
        return await _decoded(documents)

    async def last_episodes(self) -> dict[tuple[AlertKind, str], int]:
        """The highest episode ever, by kind and subject id, those of deleted alerts included."""
        stored = select(_T.c.kind, _T.c.subject_id, func.max(_T.c.episode)).group_by(_T.c.kind, _T.c.subject_id)
        table = tables.episodes
        deleted = select(table.c.kind, table.c.subject_id, table.c.episode)
        found: dict[tuple[AlertKind, str], int] = {}
        pauses = Pauses()
        async with self._database.reading() as connection:
            for query in (deleted, stored):
                for kind, subject, episode in (await connection.execute(query)).all():
                    await pauses()
                    key = (AlertKind(kind), subject)
                    found[key] = max(episode, found.get(key, 0))
        return found

    async def transitions(self, alert_id: AlertId) -> builtins.list[tuple[datetime, Change, str]]:
        """What happened to one alert and why, oldest first."""
        table = tables.transitions
        query = (
            select(table.c.at, table.c.change, table.c.reason).where(table.c.alert_id == alert_id).order_by(table.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [(required_instant(at), Change(change), reason) for at, change, reason in rows]

    async def count_by_state(self) -> dict[AlertState, int]:
        """How many alerts are in each state."""
        query = select(_T.c.state, func.count()).group_by(_T.c.state)
        async with self._database.reading() as connection:
            return {AlertState(state): count for state, count in (await connection.execute(query)).all()}


async def _decoded(documents: Iterable[str]) -> builtins.list[Alert]:
    """Alerts of documents; after a storm there are thousands."""
    found: builtins.list[Alert] = []
    pauses = Pauses()
    for document in documents:
        await pauses()
        found.append(alert_of(document))
    return found


def _chosen(wanted: AlertFilter) -> Select[Any]:
    """The documents that a reader asks for, in the order of the filter."""
    query: Select[Any] = select(_T.c.document)
    if wanted.projects is not None:
        query = query.where(_T.c.project.in_([*wanted.projects, ""]))
    if wanted.project is not None:
        query = query.where(_T.c.project == wanted.project)
    if wanted.state is not None:
        query = query.where(_T.c.state == str(wanted.state))
    if wanted.kind is not None:
        query = query.where(_T.c.kind == str(wanted.kind))
    if wanted.since is not None:
        query = query.where(_T.c.updated_at >= required_text(wanted.since))
    if wanted.until is not None:
        query = query.where(_T.c.updated_at <= required_text(wanted.until))
    if wanted.after_cursor is None:
        return query.order_by(_T.c.cursor.desc())
    return query.where(_T.c.cursor > min(wanted.after_cursor, _LAST_CURSOR)).order_by(_T.c.cursor)


async def _get(connection: AsyncConnection, alert_id: AlertId) -> Alert | None:
    found = await connection.execute(select(_T.c.document).where(_T.c.alert_id == alert_id))
    document = found.scalar_one_or_none()
    return None if document is None else alert_of(document)


def _acknowledgement(alert: Alert, *, author: str, note: str, at: datetime) -> Transition:
    return Transition(
        change=Change.ACKNOWLEDGED,
        alert_id=alert.alert_id,
        kind=alert.kind,
        subject=alert.subject,
        episode=alert.episode,
        reason=f"acknowledged by {author}" + (f": {note}" if note else ""),
        status=alert.status,
        severity=alert.severity,
        summary=alert.summary,
        at=at,
        notify=True,
        rank=alert.rank,
        terminal=alert.terminal,
        author=author,
        awaits_diagnosis=alert.awaits_diagnosis,
    )
