"""The outbox and the record of what was told to whom: one row per alert change and channel.

A row is sent by the process that leases it, and by no other until that lease has ended: a process that dies holds
nothing up for long. What becomes of a message is recorded in one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertId, Change
from runai_monitor.model.notification import INSTEAD, Delivery, DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.audit import record_settled
from runai_monitor.store.database import Database
from runai_monitor.store.rows import delivery_of, instant, renewed, required_instant, required_text, storable

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(hours=2)
"""Longer than any pause between two attempts, and than any lease: what lies further ahead was reckoned by a clock that
has been set back since."""

_T = tables.deliveries
_PENDING = _T.c.state == str(DeliveryState.PENDING)
_FREE = {"lease_owner": None, "lease_until": None}
_ANSWERS = frozenset({str(Change.ACKNOWLEDGED), str(Change.RESOLVED)})
"""Changes that are told wherever the alert was told."""


class DeliveryStore:
    """What is still to be told, and what became of what was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, channel: str, *, owner: str, now: datetime, limit: int = 500) -> list[int]:
        """The pending deliveries of a channel that may be sent now, oldest first.

        None that another process is sending, and none before an older one of the same alert: "resolved" must not
        overtake the "failed" that waits for its next attempt.
        """
        older = _T.alias("older")
        before = (
            select(older.c.delivery_id)
            .where(older.c.alert_id == _T.c.alert_id, older.c.channel == channel)
            .where(older.c.state == str(DeliveryState.PENDING), older.c.delivery_id < _T.c.delivery_id)
            .where(~(_is_time(older.c, now) & _is_free(older.c, owner, now)))
            .correlate(_T)
        )
        query = (
            select(_T.c.delivery_id)
            .where(_T.c.channel == channel, _PENDING, _is_time(_T.c, now), _is_free(_T.c, owner, now))
            .where(~before.exists())
            .order_by(_T.c.delivery_id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def load(self, delivery_ids: Sequence[int], *, now: datetime) -> list[Delivery]:
        """The deliveries with the alert as it was at that change; one that cannot be read becomes a dead letter."""
        query = select(_T).where(_T.c.delivery_id.in_(delivery_ids)).order_by(_T.c.delivery_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found: list[Delivery] = []
        for row in rows:
            try:
                found.append(delivery_of(row))
            except StoreError as error:
                # Skipping it would meet it again for ever, and everything behind it.
                log.error("delivery %s to %s is given up: %s", row.delivery_id, row.channel, error)  # noqa: TRY400  # one sentence says it
                await self.record_failed([row.delivery_id], error=str(error), at=now)
        return found

    async def next_due_at(self, channel: str, *, now: datetime) -> datetime | None:
        """When the next delivery of a channel that may not be sent yet may be, None when there is none."""
        wanted = (_T.c.next_attempt_at, _T.c.lease_until)
        queries = [
            select(func.min(column)).where(_T.c.channel == channel, _PENDING, column > required_text(now))
            for column in wanted
        ]
        async with self._database.reading() as connection:
            found = [(await connection.execute(query)).scalar_one_or_none() for query in queries]
        return min((required_instant(text) for text in found if text is not None), default=None)

    async def claim(self, delivery_ids: Sequence[int], *, owner: str, now: datetime, until: datetime) -> bool:
        """Leases all of these for one attempt, or none: false when another process has told or leased one of them."""
        free = update(_T).where(_T.c.delivery_id.in_(delivery_ids), _PENDING, _is_free(_T.c, owner, now))
        count = select(func.count()).where(_T.c.delivery_id.in_(delivery_ids), _PENDING, _is_free(_T.c, owner, now))
        async with self._database.writing() as connection:
            if (await connection.execute(count)).scalar_one() != len(set(delivery_ids)):
                return False
            await connection.execute(free.values(lease_owner=owner, lease_until=required_text(until)))
            return True

    async def release_others(self, owner: str) -> None:
        """Ends every lease that is not this owner's: for a process that knows that no other is left to send."""
        statement = update(_T).where(_T.c.lease_owner.is_not(None), _T.c.lease_owner != owner)
        async with self._database.writing() as connection:
            await connection.execute(statement.values(_FREE))

    async def record_told(self, delivery_ids: Sequence[int], *, at: datetime) -> None:
        """The channel took one message for these: the first is delivered, the others were told by it."""
        first, *others = delivery_ids
        told = {"delivered_at": required_text(at), "next_attempt_at": None, "last_error": None}
        async with self._database.writing() as connection:
            await _record(connection, [first], state=str(DeliveryState.DELIVERED), **told)
            await _record(connection, others, state=str(DeliveryState.GROUPED), told_by=first, **told)
            await record_settled(connection, [first], state=DeliveryState.DELIVERED, at=at)
            await record_settled(connection, others, state=DeliveryState.GROUPED, at=at, note=f"told by {first}")

    async def record_retry(
        self, delivery_ids: Sequence[int], *, error: str, next_attempt_at: datetime, channel_until: datetime | None
    ) -> None:
        """The channel did not take it; it is tried again. `channel_until` is when the channel wants to be asked again."""
        async with self._database.writing() as connection:
            await _record(
                connection, delivery_ids, next_attempt_at=required_text(next_attempt_at), last_error=storable(error)
            )
            if channel_until is not None:
                channel = select(_T.c.channel).where(_T.c.delivery_id == delivery_ids[0])
                name = (await connection.execute(channel)).scalar_one()
                await connection.execute(delete(tables.meta).where(tables.meta.c.key == _paused_key(name)))
                row = {"key": _paused_key(name), "value": required_text(channel_until)}
                await connection.execute(insert(tables.meta), row)

    async def record_failed(
        self, delivery_ids: Sequence[int], *, error: str, at: datetime, fallback: str | None = None
    ) -> None:
        """These are dead letters. `fallback` is the channel that is to tell them instead, with the reason.

        Where it tells of a failure that is over by now, it is to tell the end, too. What the fallback itself refuses ends
        there.
        """
        async with self._database.writing() as connection:
            query = select(_T).where(_T.c.delivery_id.in_(delivery_ids), _PENDING).order_by(_T.c.delivery_id)
            rows = (await connection.execute(query)).all()
            await _record(
                connection,
                delivery_ids,
                state=str(DeliveryState.FAILED),
                next_attempt_at=None,
                last_error=storable(error),
            )
            failed = [row.delivery_id for row in rows]
            await record_settled(connection, failed, state=DeliveryState.FAILED, at=at, note=error)
            for row in rows:
                if fallback is not None and row.channel != fallback:
                    await _tell_instead(connection, row, fallback=fallback, why=storable(error), at=at)

    async def settle(self, delivery_ids: Sequence[int], *, state: DeliveryState, note: str, at: datetime) -> None:
        """No message tells these, and why."""
        statement = update(_T).where(_T.c.delivery_id.in_(delivery_ids), _PENDING)
        async with self._database.writing() as connection:
            await connection.execute(
                statement.values(state=str(state), note=storable(note), next_attempt_at=None, **_FREE)
            )
            await record_settled(connection, delivery_ids, state=state, at=at, note=note)

    async def hasten(self, channel: str, *, now: datetime) -> None:
        """Lets every pending delivery of a channel be tried now: it takes messages again, or the clock was set."""
        statement = update(_T).where(_T.c.channel == channel, _PENDING, _T.c.next_attempt_at > required_text(now))
        async with self._database.writing() as connection:
            await connection.execute(statement.values(next_attempt_at=required_text(now)))

    async def paused_until(self, channel: str) -> datetime | None:
        """When the channel last said it wants to be asked again."""
        query = select(tables.meta.c.value).where(tables.meta.c.key == _paused_key(channel))
        async with self._database.reading() as connection:
            return instant((await connection.execute(query)).scalar_one_or_none())

    async def counts(self) -> dict[str, dict[DeliveryState, int]]:
        """How many deliveries are in each state, by channel."""
        query = select(_T.c.channel, _T.c.state, func.count()).group_by(_T.c.channel, _T.c.state)
        found: dict[str, dict[DeliveryState, int]] = {}
        async with self._database.reading() as connection:
            for channel, state, count in (await connection.execute(query)).all():
                found.setdefault(channel, {})[DeliveryState(state)] = count
        return found

    async def oldest_pending(self) -> dict[str, datetime]:
        """Since when the oldest pending delivery of each channel waits."""
        query = select(_T.c.channel, func.min(_T.c.created_at)).where(_PENDING).group_by(_T.c.channel)
        async with self._database.reading() as connection:
            return {channel: required_instant(at) for channel, at in (await connection.execute(query)).all()}

    async def last_errors(self) -> dict[str, str]:
        """The latest error of each channel that has a message it did not take."""
        untold = _T.c.state.in_([str(DeliveryState.PENDING), str(DeliveryState.FAILED)])
        latest = select(func.max(_T.c.delivery_id)).where(_T.c.last_error.is_not(None), untold).group_by(_T.c.channel)
        query = select(_T.c.channel, _T.c.last_error).where(_T.c.delivery_id.in_(latest))
        async with self._database.reading() as connection:
            return {row.channel: row.last_error for row in (await connection.execute(query)).all()}

    async def of_alert(self, alert_id: AlertId) -> list[Delivery]:
        """Every delivery of one alert, oldest first."""
        query = select(_T).where(_T.c.alert_id == alert_id).order_by(_T.c.delivery_id)
        async with self._database.reading() as connection:
            return [delivery_of(row) for row in (await connection.execute(query)).all()]


async def _tell_instead(connection: AsyncConnection, row: Row[Any], *, fallback: str, why: str, at: datetime) -> None:
    """Has the fallback tell what a channel did not take, and the end that waits behind it; an answer only once."""
    why = f"{row.channel} did not take it: {why}"
    waiting = (
        select(_T)
        .where(_T.c.alert_id == row.alert_id, _T.c.channel == row.channel, _PENDING)
        .where(_T.c.change == str(Change.RESOLVED), _T.c.delivery_id > row.delivery_id)
        .limit(1)
    )
    told = [(row, f"{INSTEAD} {row.delivery_id}")]
    if row.change not in _ANSWERS:
        ends = (await connection.execute(waiting)).all()
        told += [(end, f"the end of what is told instead of delivery {row.delivery_id}") for end in ends]
    for one, note in told:
        # Whoever was told of the alert gets an answer to it by itself; the opening may have come to the fallback after it.
        there = select(func.count()).where(
            _T.c.alert_id == one.alert_id, _T.c.channel == fallback, _T.c.change == one.change
        )
        if one.change in _ANSWERS and (await connection.execute(there)).scalar_one():
            continue
        await connection.execute(insert(_T), renewed(one, channel=fallback, at=at, why=why, note=note))


async def _record(connection: AsyncConnection, delivery_ids: Collection[int], **values: Any) -> None:
    """What became of an attempt; whatever else has been recorded of it meanwhile stays."""
    statement = update(_T).where(_T.c.delivery_id.in_(delivery_ids), _PENDING)
    await connection.execute(statement.values(attempts=_T.c.attempts + 1, **_FREE, **values))


def _is_time(columns: Any, now: datetime) -> ColumnElement[bool]:
    """Whether the next attempt may be made; the first one always may, whatever the clock said when it was stored."""
    return or_(
        columns.attempts == 0,
        columns.next_attempt_at == null(),
        columns.next_attempt_at <= required_text(now),
        columns.next_attempt_at > required_text(now + LONGEST_PAUSE),
    )


def _is_free(columns: Any, owner: str, now: datetime) -> ColumnElement[bool]:
    """Whether this owner may take it; its own leases are of attempts that came to nothing."""
    return or_(
        columns.lease_until == null(),
        columns.lease_owner == owner,
        columns.lease_until <= required_text(now),
        columns.lease_until > required_text(now + LONGEST_PAUSE),
    )


def _paused_key(channel: str) -> str:
    return f"paused_until/{channel}"
