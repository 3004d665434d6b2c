"""The outbox and the record of what was told to whom: one row per alert change and channel."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertId, Change
from runai_monitor.model.notification import Delivery, DeliveryState, Notification
from runai_monitor.store import tables
from runai_monitor.store.audit import record_settled
from runai_monitor.store.database import Database
from runai_monitor.store.rows import alert_of, instant, required_instant, required_text, storable

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(hours=2)
"""Longer than any channel asks for between two attempts."""

_T = tables.deliveries


class DeliveryStore:
    """What is still to be told, and what became of what was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, channel: str, *, now: datetime, limit: int = 20) -> list[Delivery]:
        """Pending deliveries of a channel whose time has come, oldest first, with the alert as it was at that change.

        Of one alert only the oldest: "resolved" must not overtake the "failed" that waits for its next attempt.
        """
        # No pause is that long: it was reckoned by a clock that has been set back since.
        unbelievable = _T.c.next_attempt_at > required_text(now + LONGEST_PAUSE)
        query = (
            select(_T)
            .where(_next_of_its_alert(channel), (_T.c.next_attempt_at <= required_text(now)) | unbelievable)
            .order_by(_T.c.delivery_id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found: list[Delivery] = []
        for row in rows:
            try:
                found.append(_delivery(row))
            except StoreError as error:
                # Skipping it would meet it again for ever, and everything behind it.
                log.error("delivery %s to %s is given up: %s", row.delivery_id, channel, error)  # noqa: TRY400
                await self.record_failed(row.delivery_id, error=str(error))
        return found

    async def next_due_at(self, channel: str) -> datetime | None:
        """When the next pending delivery of a channel comes due, None when there is none."""
        query = select(func.min(_T.c.next_attempt_at)).where(_next_of_its_alert(channel))
        async with self._database.reading() as connection:
            return instant((await connection.execute(query)).scalar_one_or_none())

    async def record_delivered(self, delivery_id: int, *, at: datetime) -> None:
        """The channel took it."""
        await self._record(
            delivery_id,
            settled=(DeliveryState.DELIVERED, at, ""),
            state=str(DeliveryState.DELIVERED),
            delivered_at=required_text(at),
            next_attempt_at=None,
            last_error=None,
        )

    async def record_retry(self, delivery_id: int, *, error: str, next_attempt_at: datetime) -> None:
        """The channel did not take it; it is tried again."""
        await self._record(delivery_id, next_attempt_at=required_text(next_attempt_at), last_error=storable(error))

    async def record_failed(self, delivery_id: int, *, error: str) -> None:
        """The channel will never take it, or the time for retries is used up."""
        await self._record(
            delivery_id,
            settled=(DeliveryState.FAILED, datetime.now(UTC), error),
            state=str(DeliveryState.FAILED),
            next_attempt_at=None,
            last_error=storable(error),
        )

    async def counts(self) -> dict[str, dict[DeliveryState, int]]:
        """How many deliveries are in each state, by channel."""
        query = select(_T.c.channel, _T.c.state, func.count()).group_by(_T.c.channel, _T.c.state)
        found: dict[str, dict[DeliveryState, int]] = {}
        async with self._database.reading() as connection:
            for channel, state, count in (await connection.execute(query)).all():
                found.setdefault(channel, {})[DeliveryState(state)] = count
        return found

    async def last_errors(self) -> dict[str, str]:
        """The latest error of each channel that has a message it did not take."""
        open_errors = (_T.c.last_error.is_not(None)) & (_T.c.state != str(DeliveryState.DELIVERED))
        latest = select(func.max(_T.c.delivery_id)).where(open_errors).group_by(_T.c.channel)
        query = select(_T.c.channel, _T.c.last_error).where(_T.c.delivery_id.in_(latest))
        async with self._database.reading() as connection:
            return {row.channel: row.last_error for row in (await connection.execute(query)).all()}

    async def of_alert(self, alert_id: AlertId) -> list[Delivery]:
        """Every delivery of one alert, oldest first."""
        query = select(_T).where(_T.c.alert_id == alert_id).order_by(_T.c.delivery_id)
        async with self._database.reading() as connection:
            return [_delivery(row) for row in (await connection.execute(query)).all()]

    async def _record(
        self, delivery_id: int, *, settled: tuple[DeliveryState, datetime, str] | None = None, **values: Any
    ) -> None:
        statement = update(_T).where(_T.c.delivery_id == delivery_id).values(attempts=_T.c.attempts + 1, **values)
        async with self._database.writing() as connection:
            await connection.execute(statement)
            if settled is not None:
                state, at, note = settled
                await record_settled(connection, [delivery_id], state=state, at=at, note=note)


def _next_of_its_alert(channel: str) -> ColumnElement[bool]:
    """Pending in this channel, with no older pending one of the same alert before it."""
    older = _T.alias("older")
    pending = str(DeliveryState.PENDING)
    before = (
        select(older.c.delivery_id)
        .where(older.c.alert_id == _T.c.alert_id, older.c.channel == channel, older.c.state == pending)
        .where(older.c.delivery_id < _T.c.delivery_id)
        .correlate(_T)
    )
    return (_T.c.channel == channel) & (_T.c.state == pending) & ~before.exists()


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        channel=row.channel,
        notification=Notification(alert=alert_of(row.document), change=Change(row.change), reason=row.reason),
        state=DeliveryState(row.state),
        created_at=required_instant(row.created_at),
        attempts=row.attempts,
        next_attempt_at=instant(row.next_attempt_at),
        delivered_at=instant(row.delivered_at),
        last_error=row.last_error,
        idempotency_key=row.idempotency_key,
        lease_owner=row.lease_owner,
        lease_until=instant(row.lease_until),
        told_by=row.told_by,
        note=row.note,
    )
