"""How long what is over is kept. Nothing that is open or waits is ever deleted, and no alert id is given twice."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, Table, and_, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.clock import Clock
from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertState
from runai_monitor.model.monitor import MonitorState
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.database import Database
from runai_monitor.store.rows import required_text

log = logging.getLogger(__name__)

FIRST_SWEEP_SECONDS = 60.0
"""After taking the lead: the first polls matter more."""
SWEEP_SECONDS = 3600.0
BATCH = 200
"""Rows deleted in one transaction: a few milliseconds, in which nobody else can write."""
PAUSE_SECONDS = 0.1
"""Between two batches, so that alerts are stored in between."""


class Kind(StrEnum):
    """What is deleted, each after its own time."""

    ALERTS = "alerts"
    """Resolved ones, with everything about them."""
    DELIVERIES = "deliveries"
    TRANSITIONS = "transitions"
    AUDIT = "audit"
    MONITORS = "monitors"
    SILENCES = "silences"


class Retention:
    """Deletes what is older than its kind is kept.

    Args:
        database: where it is.
        keep: how long each kind is kept after it was over; what is not named is kept for ever.
        clock: tells what is old.
    """

    def __init__(self, database: Database, *, keep: Mapping[Kind, timedelta], clock: Clock) -> None:
        self._database = database
        self._keep = dict(keep)
        self._clock = clock
        self.deleted: Counter[Kind] = Counter()
        """How much was deleted since the process started."""

    async def run(self) -> None:
        """Sweeps every hour until cancelled. For the leader only; what fails is tried again with the next sweep."""
        await self._clock.sleep(FIRST_SWEEP_SECONDS)
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                log.warning("what is old could not be deleted, trying again in an hour: %s", error)
            except Exception:  # supervised boundary: tidying up must not cost the watching
                log.exception("what is old could not be deleted because of a defect")
            await self._clock.sleep(SWEEP_SECONDS)

    async def sweep(self) -> Counter[Kind]:
        """Deletes everything that is due, in batches; returns how much.

        Raises:
            StoreError: a batch could not be deleted; those before it are.
        """
        found: Counter[Kind] = Counter()
        for kind, age in self._keep.items():
            before = required_text(self._clock.now() - age)
            while count := await self._delete_batch(kind, before):
                found[kind] += count
                self.deleted[kind] += count
                if count < BATCH:
                    break
                await self._clock.sleep(PAUSE_SECONDS)
        if found:
            log.info("deleted because of their age: %s", ", ".join(f"{n} {kind}" for kind, n in found.items()))
        return found

    async def _delete_batch(self, kind: Kind, before: str) -> int:
        async with self._database.writing() as connection:
            if kind is Kind.ALERTS:
                return await _delete_alerts(connection, before)
            table, old = _OLD[kind]
            (key,) = table.primary_key.columns
            batch = select(key).where(old(before)).order_by(key).limit(BATCH)
            ids = (await connection.execute(batch)).scalars().all()
            if ids:
                await connection.execute(delete(table).where(key.in_(ids)))
            return len(ids)


async def _delete_alerts(connection: AsyncConnection, before: str) -> int:
    alerts = tables.alerts
    waiting = exists().where(
        tables.deliveries.c.alert_id == alerts.c.alert_id, tables.deliveries.c.state == str(DeliveryState.PENDING)
    )
    batch = (
        select(alerts.c.alert_id, alerts.c.kind, alerts.c.subject_id, alerts.c.episode)
        .where(alerts.c.state == str(AlertState.RESOLVED), alerts.c.updated_at < before, ~waiting)
        .order_by(alerts.c.cursor)
        .limit(BATCH)
    )
    rows = (await connection.execute(batch)).all()
    if rows:
        await _remember_episodes(connection, rows)
        ids = [row.alert_id for row in rows]
        for table in (tables.threads, tables.deliveries, tables.transitions, alerts):
            await connection.execute(delete(table).where(table.c.alert_id.in_(ids)))
    return len(rows)


async def _remember_episodes(connection: AsyncConnection, rows: Sequence[Row[str, str, str, int]]) -> None:
    """An alert's id is made of kind, subject and episode: a number that was given stays given."""
    table = tables.episodes
    for row in rows:
        same = and_(table.c.kind == row.kind, table.c.subject_id == row.subject_id)
        known = (await connection.execute(select(table.c.episode).where(same))).scalar_one_or_none()
        if known is not None and known >= row.episode:
            continue
        await connection.execute(delete(table).where(same))
        values = {"kind": row.kind, "subject_id": row.subject_id, "episode": row.episode}
        await connection.execute(insert(table), values)


def _of_resolved(table: Table) -> ColumnElement[bool]:
    """What an open alert still needs (who was told of it, and what happened) is not old."""
    alerts = tables.alerts
    return exists().where(alerts.c.alert_id == table.c.alert_id, alerts.c.state == str(AlertState.RESOLVED))


def _old_delivery(before: str) -> ColumnElement[bool]:
    table = tables.deliveries
    over = and_(table.c.state != str(DeliveryState.PENDING), table.c.created_at < before)
    return and_(over, _of_resolved(table))


def _old_transition(before: str) -> ColumnElement[bool]:
    return and_(tables.transitions.c.at < before, _of_resolved(tables.transitions))


def _old_monitor(before: str) -> ColumnElement[bool]:
    table = tables.monitors
    ended = func.coalesce(table.c.stopped_at, table.c.ends_at, table.c.started_at)
    return and_(table.c.state != str(MonitorState.ACTIVE), ended < before)


_OLD = {
    Kind.DELIVERIES: (tables.deliveries, _old_delivery),
    Kind.TRANSITIONS: (tables.transitions, _old_transition),
    Kind.AUDIT: (tables.audit, lambda before: tables.audit.c.at < before),
    Kind.MONITORS: (tables.monitors, _old_monitor),
    Kind.SILENCES: (
        tables.silences,
        lambda before: func.coalesce(tables.silences.c.expired_at, tables.silences.c.ends_at) < before,
    ),
}
