"""Alerts that a channel was not told of because they were silenced, and that are still open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.model.alert import Alert, AlertId, AlertState, Change
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.database import Database
from runai_monitor.store.rows import alert_document, alert_of, required_text, storable

_T = tables.deliveries
_NEWS = (str(Change.OPENED), str(Change.ESCALATED))
"""What is still worth telling afterwards; a reminder is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """One open alert, as it is now, and the deliveries of it to one channel that were silenced."""

    alert: Alert
    channel: str
    change: Change
    delivery_ids: tuple[int, ...]


class UntoldStore:
    """Finds what was silenced, and puts it back into the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def silenced(self) -> list[Untold]:
        """What was silenced, was not told since, and is not over; oldest first."""
        alerts = tables.alerts
        query = (
            select(_T.c.delivery_id, _T.c.alert_id, _T.c.channel, _T.c.change, alerts.c.document)
            .join(alerts, alerts.c.alert_id == _T.c.alert_id)
            .where(_T.c.state == str(DeliveryState.SILENCED), _T.c.told_by.is_(None), _T.c.change.in_(_NEWS))
            .where(alerts.c.state != str(AlertState.RESOLVED))
            .order_by(_T.c.delivery_id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        groups: dict[tuple[str, str], Untold] = {}
        for row in rows:
            key = (row.alert_id, row.channel)
            known = groups.get(key)
            groups[key] = Untold(
                alert=known.alert if known else alert_of(row.document),
                channel=row.channel,
                # Who has not heard of it at all must hear of it as new.
                change=known.change if known else Change(row.change),
                delivery_ids=(*(known.delivery_ids if known else ()), row.delivery_id),
            )
        return list(groups.values())

    async def tell(self, untold: Untold, *, reason: str, at: datetime) -> bool:
        """Puts one into the outbox, as its alert is then; false when that is over, or another process did so already."""
        async with self._database.writing() as connection:
            alert = await _open_alert(connection, untold.alert.alert_id)
            if alert is None or await _is_told(connection, untold.delivery_ids):
                return False
            row = {
                "alert_id": alert.alert_id,
                "channel": untold.channel,
                "change": str(untold.change),
                "reason": storable(reason),
                "document": alert_document(alert),
                "state": str(DeliveryState.PENDING),
                "created_at": required_text(at),
                "attempts": 0,
                "next_attempt_at": required_text(at),
                "idempotency_key": f"{alert.alert_id}/{alert.cursor}/{untold.channel}/{untold.delivery_ids[0]}",
            }
            stored = await connection.execute(insert(_T).returning(_T.c.delivery_id), row)
            told_by = {"told_by": stored.scalar_one()}
            await connection.execute(update(_T).where(_T.c.delivery_id.in_(untold.delivery_ids)).values(told_by))
            return True


async def _open_alert(connection: AsyncConnection, alert_id: AlertId) -> Alert | None:
    table = tables.alerts
    found = await connection.execute(select(table.c.document).where(table.c.alert_id == alert_id))
    document = found.scalar_one_or_none()
    alert = None if document is None else alert_of(document)
    return None if alert is None or alert.state is AlertState.RESOLVED else alert


async def _is_told(connection: AsyncConnection, delivery_ids: Collection[int]) -> bool:
    query = select(_T.c.delivery_id).where(_T.c.delivery_id.in_(delivery_ids), _T.c.told_by.is_not(None)).limit(1)
    return (await connection.execute(query)).first() is not None
