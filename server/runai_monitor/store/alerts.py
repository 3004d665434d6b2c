"""Alerts: every change of one is a transaction with its reason and its deliveries."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import anyio.lowlevel
from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, Change, Transition
from runai_monitor.model.audit import ITSELF, AuditAction, AuditEntry
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.audit import record
from runai_monitor.store.database import Database
from runai_monitor.store.portable import JsonDocument, JsonText, parsed
from runai_monitor.store.rows import (
    alert_columns,
    alert_document,
    alert_of,
    required_instant,
    required_text,
    storable,
    storable_alert,
)

_T = tables.alerts
_ANSWERS = frozenset({Change.RESOLVED, Change.ACKNOWLEDGED})
Router = Callable[[Alert], Sequence[str]]
"""The channels that are told of an alert as it is now."""
_LAST_CURSOR = 2**31 - 1
"""What the column holds in PostgreSQL; a reader may name any number."""
AT_ONCE = 100
"""Documents in memory at a time, and read without a pause: a few milliseconds, in which nobody else is served."""


class AlertStore:
    """Applies what the policy decided, and answers what is stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        changed: list[Alert] = []
        async with self._database.writing() as connection:
            for transition in transitions:
                alert = await _apply(connection, transition, channels, route)
                if alert is not None:
                    changed.append(alert)
        return changed

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
            changed = await _apply(connection, transition, channels, None)
            assert changed is not None
            return changed, True

    @asynccontextmanager
    async def reading(
        self,
        *,
        projects: Sequence[str] | None = None,
        project: str | None = None,
        state: AlertState | None = None,
        kind: AlertKind | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[AsyncIterator[Alert]]:
        """As `list`, without an end: newest first, as they are when the block begins; few are in memory at a time."""
        query = _chosen(projects=projects, project=project, state=state, since=since)
        if kind is not None:
            query = query.where(_T.c.kind == str(kind))
        if until is not None:
            query = query.where(_T.c.updated_at <= required_text(until))
        query = query.order_by(_T.c.cursor.desc())
        async with self._database.reading() as connection:
            documents = await connection.stream_scalars(query, execution_options={"yield_per": AT_ONCE})
            yield (alert_of(document) async for document in documents)

    async def get(self, alert_id: AlertId) -> Alert | None:
        """One alert, or None."""
        async with self._database.reading() as connection:
            return await _get(connection, alert_id)

    async def list(
        self,
        *,
        projects: Sequence[str] | None = None,
        project: str | None = None,
        state: AlertState | None = None,
        since: datetime | None = None,
        after_cursor: int | None = None,
        limit: int = 50,
    ) -> builtins.list[Alert]:
        """Alerts newest first, or oldest first with `after_cursor`; `projects` None means every project.

        Alerts that belong to no project (the monitor's own) are within every scope, and outside `project`.
        """
        query = _chosen(projects=projects, project=project, state=state, since=since)
        if after_cursor is not None:
            query = query.where(_T.c.cursor > min(after_cursor, _LAST_CURSOR))
        query = query.order_by(_T.c.cursor.asc() if after_cursor is not None else _T.c.cursor.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [alert_of(document) for document in (await connection.execute(query)).scalars()]

    async def latest_cursor(self) -> int:
        """The highest cursor given so far, 0 before the first alert."""
        async with self._database.reading() as connection:
            value = await connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "cursor"))
            return int(value.scalar_one())

    async def unresolved(self) -> builtins.list[Alert]:
        """Every alert that is not resolved, oldest change first."""
        query = select(_T.c.document).where(_T.c.state != str(AlertState.RESOLVED)).order_by(_T.c.cursor)
        async with self._database.reading() as connection:
            documents = (await connection.execute(query)).scalars().all()
        found: builtins.list[Alert] = []
        for first in range(0, len(documents), AT_ONCE):
            found += [alert_of(document) for document in documents[first : first + AT_ONCE]]
            await anyio.lowlevel.checkpoint()
        return found

    async def count_unresolved(self) -> dict[tuple[AlertKind, str, str], int]:
        """How many are not resolved, by kind, status and severity; counted where they are, however many there are."""
        unresolved = select(_T.c.kind, JsonDocument(_T.c.document).label("document")).where(
            _T.c.state != str(AlertState.RESOLVED)
        )
        seen = parsed(unresolved, "seen")
        status, severity = (JsonText(seen.c.document, path) for path in ("status", "severity"))
        query = select(seen.c.kind, status, severity, func.count()).group_by(seen.c.kind, status, severity)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return {(AlertKind(kind), str(word), str(level)): count for kind, word, level, count in rows}

    async def resolved_since(self, since: datetime) -> builtins.list[Alert]:
        """Every alert that was resolved since then, oldest change first."""
        is_over = (_T.c.state == str(AlertState.RESOLVED)) & (_T.c.updated_at >= required_text(since))
        query = select(_T.c.document).where(is_over).order_by(_T.c.cursor)
        async with self._database.reading() as connection:
            return [alert_of(document) for document in (await connection.execute(query)).scalars()]

    async def last_episodes(self) -> dict[tuple[AlertKind, str], int]:
        """The highest episode ever, by kind and subject id, those of deleted alerts included."""
        stored = select(_T.c.kind, _T.c.subject_id, func.max(_T.c.episode)).group_by(_T.c.kind, _T.c.subject_id)
        table = tables.episodes
        deleted = select(table.c.kind, table.c.subject_id, table.c.episode)
        found: dict[tuple[AlertKind, str], int] = {}
        async with self._database.reading() as connection:
            for query in (deleted, stored):
                for kind, subject, episode in (await connection.execute(query)).all():
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


def _chosen(
    *, projects: Sequence[str] | None, project: str | None, state: AlertState | None, since: datetime | None
) -> Select[Any]:
    """The documents that a reader asks for, in no order yet."""
    query: Select[Any] = select(_T.c.document)
    if projects is not None:
        query = query.where(_T.c.project.in_([*projects, ""]))
    if project is not None:
        query = query.where(_T.c.project == project)
    if state is not None:
        query = query.where(_T.c.state == str(state))
    if since is not None:
        query = query.where(_T.c.updated_at >= required_text(since))
    return query


async def _apply(
    connection: AsyncConnection, transition: Transition, channels: Sequence[str], route: Router | None
) -> Alert | None:
    current = await _get(connection, transition.alert_id)
    completes = current is not None and current.awaits_diagnosis and not transition.awaits_diagnosis
    if (transition.change is Change.OPENED) == (current is not None) and not completes:
        return None
    if current is not None and current.state is AlertState.RESOLVED:
        return None
    if transition.change is Change.REMINDED and current is not None and current.state is AlertState.ACKNOWLEDGED:
        return None
    if transition.change is not Change.OPENED or current is None:
        await connection.execute(
            insert(tables.transitions),
            {
                "alert_id": transition.alert_id,
                "at": required_text(transition.at),
                "change": str(transition.change),
                "reason": storable(transition.reason),
                "author": storable(transition.author),
            },
        )
        await record(connection, _audited(transition))
    if transition.change is Change.SUPPRESSED:
        return None
    cursor = await _next_cursor(connection)
    alert = storable_alert(_opened(transition, cursor) if current is None else _changed(current, transition, cursor))
    if current is None:
        await connection.execute(insert(_T), alert_columns(alert))
    else:
        await connection.execute(update(_T).where(_T.c.alert_id == alert.alert_id).values(**alert_columns(alert)))
    if transition.notify:
        if transition.change in _ANSWERS:
            told = await told_channels(connection, alert.alert_id)
            chosen: Sequence[str] = [name for name in channels if name in told]
        else:
            chosen = channels if route is None else route(alert)
        await _enqueue(connection, alert, transition, chosen)
        if completes and current is not None and current.state is AlertState.ACKNOWLEDGED:
            # Somebody was quicker than the diagnosis: there was no channel yet to tell who.
            await _enqueue(connection, current, await _acknowledged(connection, current, transition), chosen)
    return alert


async def _acknowledged(connection: AsyncConnection, alert: Alert, transition: Transition) -> Transition:
    """What is told of an acknowledgement by an `alert` that no channel had heard of, now that `transition` tells it."""
    table = tables.transitions
    query = select(table.c.reason).where(table.c.alert_id == alert.alert_id, table.c.change == str(Change.ACKNOWLEDGED))
    reason = (await connection.execute(query.order_by(table.c.id.desc()).limit(1))).scalar_one()
    return dataclasses.replace(transition, change=Change.ACKNOWLEDGED, reason=reason)


async def told_channels(connection: AsyncConnection, alert_id: AlertId) -> set[str]:
    """The channels that were to be told of an alert so far."""
    table = tables.deliveries
    query = select(table.c.channel).where(table.c.alert_id == alert_id).distinct()
    return set((await connection.execute(query)).scalars())


async def _get(connection: AsyncConnection, alert_id: AlertId) -> Alert | None:
    found = await connection.execute(select(_T.c.document).where(_T.c.alert_id == alert_id))
    document = found.scalar_one_or_none()
    return None if document is None else alert_of(document)


async def _next_cursor(connection: AsyncConnection) -> int:
    """The next cursor; the transaction holds the write lock, so the order of cursors is that of commits."""
    table = tables.meta
    value = await connection.execute(select(table.c.value).where(table.c.key == "cursor"))
    cursor = int(value.scalar_one()) + 1
    await connection.execute(update(table).where(table.c.key == "cursor").values(value=str(cursor)))
    return cursor


def _opened(transition: Transition, cursor: int) -> Alert:
    return Alert(
        alert_id=transition.alert_id,
        cursor=cursor,
        kind=transition.kind,
        status=transition.status,
        state=AlertState.FIRING,
        severity=transition.severity,
        subject=transition.subject,
        summary=transition.summary,
        started_at=transition.at,
        updated_at=transition.at,
        episode=transition.episode,
        rank=transition.rank,
        terminal=transition.terminal,
        recommendations=transition.recommendations,
        notifications=int(transition.notify),
        notified_at=transition.at if transition.notify else None,
        diagnosis=transition.diagnosis,
        awaits_diagnosis=transition.awaits_diagnosis,
    )


def _changed(alert: Alert, transition: Transition, cursor: int) -> Alert:
    resolved = transition.change is Change.RESOLVED
    acknowledged = transition.change is Change.ACKNOWLEDGED
    counted = transition.notify and not resolved and not acknowledged
    state = {Change.RESOLVED: AlertState.RESOLVED, Change.ACKNOWLEDGED: AlertState.ACKNOWLEDGED}
    return dataclasses.replace(
        alert,
        cursor=cursor,
        status=transition.status,
        state=state.get(transition.change, alert.state),
        severity=transition.severity,
        subject=transition.subject,
        summary=transition.summary,
        updated_at=transition.at,
        rank=transition.rank,
        terminal=transition.terminal,
        recommendations=transition.recommendations or alert.recommendations,
        resolved_at=transition.at if resolved else None,
        notifications=alert.notifications + int(counted),
        notified_at=transition.at if counted else alert.notified_at,
        acknowledged_at=transition.at if acknowledged else alert.acknowledged_at,
        acknowledged_by=storable(transition.author) if acknowledged else alert.acknowledged_by,
        diagnosis=transition.diagnosis or alert.diagnosis,
        awaits_diagnosis=transition.awaits_diagnosis,
    )


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


def _audited(transition: Transition) -> AuditEntry:
    by_person = transition.change is Change.ACKNOWLEDGED
    return AuditEntry(
        at=transition.at,
        author=transition.author or ITSELF,
        action=AuditAction.ALERT_ACKNOWLEDGED if by_person else AuditAction.ALERT_CHANGED,
        target=transition.alert_id,
        detail=transition.reason if by_person else f"{transition.change} {transition.status}: {transition.reason}",
    )


async def _enqueue(connection: AsyncConnection, alert: Alert, transition: Transition, channels: Sequence[str]) -> None:
    for channel in channels:
        await connection.execute(
            insert(tables.deliveries),
            {
                "alert_id": alert.alert_id,
                "channel": channel,
                "change": str(transition.change),
                "reason": storable(transition.reason),
                "document": alert_document(alert),
                "state": str(DeliveryState.PENDING),
                "created_at": required_text(transition.at),
                "attempts": 0,
                "idempotency_key": f"{alert.alert_id}/{alert.cursor}/{channel}",
                "next_attempt_at": required_text(transition.at),
            },
        )
