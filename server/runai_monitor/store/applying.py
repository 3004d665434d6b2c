"""What a transaction of alerts writes: one round of reads, the decisions, one round of writes.

A storm brings thousands of transitions, and each statement costs a thread's turn.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.model.alert import Alert, AlertId, AlertState, Change, Transition
from runai_monitor.model.audit import ITSELF, AuditAction, AuditEntry
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.audit import record
from runai_monitor.store.rows import (
    alert_columns,
    alert_document,
    alert_of,
    required_text,
    storable,
    storable_alert,
)

_T = tables.alerts
_ANSWERS = frozenset({Change.RESOLVED, Change.ACKNOWLEDGED})
Router = Callable[[Alert], Sequence[str]]
"""The channels that are told of an alert as it is now."""


async def apply(
    connection: AsyncConnection, transitions: Sequence[Transition], channels: Sequence[str], route: Router | None
) -> list[Alert]:
    """Stores transitions as `AlertStore.apply` says, within a transaction; returns the alerts that changed."""
    known = await _get_all(connection, {transition.alert_id for transition in transitions})
    told = await _told(connection, [t.alert_id for t in transitions if t.notify and t.change in _ANSWERS])
    quick = [a.alert_id for a in known.values() if a.awaits_diagnosis and a.state is AlertState.ACKNOWLEDGED]
    answers = await _answers(connection, quick)
    written = _Written(known=known, told=told, answers=answers, cursor=await last_cursor(connection))
    for transition in transitions:
        written.add(transition, channels, route)
    await written.store(connection)
    return written.changed


class _Written:
    """What a transaction writes, decided transition by transition, each in the light of those before it."""

    def __init__(
        self, *, known: dict[AlertId, Alert], told: dict[AlertId, set[str]], answers: dict[AlertId, str], cursor: int
    ) -> None:
        self._answers = answers
        self._known = known
        self._stored = frozenset(known)
        self._told = told
        self._first_cursor = self._cursor = cursor
        self._transitions: list[dict[str, Any]] = []
        self._audited: list[AuditEntry] = []
        self._deliveries: list[dict[str, Any]] = []
        self.changed: list[Alert] = []

    def add(self, transition: Transition, channels: Sequence[str], route: Router | None) -> None:
        current = self._known.get(transition.alert_id)
        completes = current is not None and current.awaits_diagnosis and not transition.awaits_diagnosis
        if (transition.change is Change.OPENED) == (current is not None) and not completes:
            return
        if current is not None and current.state is AlertState.RESOLVED:
            return
        if transition.change is Change.REMINDED and current is not None and current.state is AlertState.ACKNOWLEDGED:
            return
        if transition.change is not Change.OPENED or current is None:
            self._transitions.append(_transition_columns(transition))
            self._audited.append(_audited(transition))
        if transition.change is Change.SUPPRESSED:
            return
        self._cursor += 1
        changed = _opened(transition, self._cursor) if current is None else _changed(current, transition, self._cursor)
        alert = self._known[transition.alert_id] = storable_alert(changed)
        self.changed.append(alert)
        if transition.notify:
            self._tell(alert, transition, channels, route)
            if completes and current is not None and current.state is AlertState.ACKNOWLEDGED:
                # Somebody was quicker than the diagnosis: there was no channel yet to tell who. Told as it was then, for
                # what it is now has its message, and each has a key of its own.
                reason = self._answers[current.alert_id]
                said = dataclasses.replace(transition, change=Change.ACKNOWLEDGED, reason=reason)
                self._tell(current, said, channels, route)

    def _tell(self, alert: Alert, transition: Transition, channels: Sequence[str], route: Router | None) -> None:
        told = self._told.setdefault(alert.alert_id, set())
        if transition.change in _ANSWERS:
            chosen: Sequence[str] = [name for name in channels if name in told]
        else:
            chosen = channels if route is None else route(alert)
        told.update(chosen)
        self._deliveries += [_delivery_columns(alert, transition, channel) for channel in chosen]

    async def store(self, connection: AsyncConnection) -> None:
        """Writes it. The transaction holds the write lock, so the order of cursors is that of commits."""
        newest = {alert.alert_id: alert for alert in self.changed}
        opened = [alert_columns(alert) for alert in newest.values() if alert.alert_id not in self._stored]
        updated = [alert_columns(alert) for alert in newest.values() if alert.alert_id in self._stored]
        if self._cursor != self._first_cursor:
            table = tables.meta
            await connection.execute(update(table).where(table.c.key == "cursor").values(value=str(self._cursor)))
        if opened:
            await connection.execute(insert(_T), opened)
        if updated:
            which = _T.c.alert_id == bindparam("which")
            names: dict[str, Any] = {name: bindparam(name) for name in updated[0] if name != "alert_id"}
            rows = [{"which": columns.pop("alert_id"), **columns} for columns in updated]
            await connection.execute(update(_T).where(which).values(names), rows)
        for rows_of, rows in ((tables.transitions, self._transitions), (tables.deliveries, self._deliveries)):
            if rows:
                await connection.execute(insert(rows_of), rows)
        await record(connection, *self._audited)


def _transition_columns(transition: Transition) -> dict[str, Any]:
    return {
        "alert_id": transition.alert_id,
        "at": required_text(transition.at),
        "change": str(transition.change),
        "reason": storable(transition.reason),
        "author": storable(transition.author),
    }


async def _get_all(connection: AsyncConnection, alert_ids: Collection[AlertId]) -> dict[AlertId, Alert]:
    found = await connection.execute(select(_T.c.document).where(_T.c.alert_id.in_(alert_ids)))
    return {alert.alert_id: alert for alert in map(alert_of, found.scalars())}


async def _told(connection: AsyncConnection, alert_ids: Collection[AlertId]) -> dict[AlertId, set[str]]:
    """The channels that were to be told of alerts so far."""
    if not alert_ids:
        return {}
    table = tables.deliveries
    query = select(table.c.alert_id, table.c.channel).where(table.c.alert_id.in_(alert_ids)).distinct()
    found: dict[AlertId, set[str]] = {}
    for alert_id, channel in (await connection.execute(query)).all():
        found.setdefault(AlertId(alert_id), set()).add(channel)
    return found


async def _answers(connection: AsyncConnection, alert_ids: Collection[AlertId]) -> dict[AlertId, str]:
    """What was said of the acknowledgements of alerts."""
    if not alert_ids:
        return {}
    table = tables.transitions
    query = select(table.c.alert_id, table.c.reason).where(
        table.c.alert_id.in_(alert_ids), table.c.change == str(Change.ACKNOWLEDGED)
    )
    return {AlertId(alert_id): reason for alert_id, reason in (await connection.execute(query)).all()}


async def last_cursor(connection: AsyncConnection) -> int:
    """The highest cursor given so far."""
    value = await connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "cursor"))
    return int(value.scalar_one())


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


def _audited(transition: Transition) -> AuditEntry:
    by_person = transition.change is Change.ACKNOWLEDGED
    return AuditEntry(
        at=transition.at,
        author=transition.author or ITSELF,
        action=AuditAction.ALERT_ACKNOWLEDGED if by_person else AuditAction.ALERT_CHANGED,
        target=transition.alert_id,
        detail=transition.reason if by_person else f"{transition.change} {transition.status}: {transition.reason}",
    )


def _delivery_columns(alert: Alert, transition: Transition, channel: str) -> dict[str, Any]:
    return {
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
    }
