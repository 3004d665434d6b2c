"""Deliveries looked at one by one, and those given up begun anew."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from runai_monitor.errors import StoreError
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.audit import record_replayed
from runai_monitor.store.database import Database
from runai_monitor.store.rows import delivery_of, renewed, storable

log = logging.getLogger(__name__)

_T = tables.deliveries


class DeadLetterStore:
    """What became of deliveries, and the way back for those that were given up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self,
        *,
        states: Collection[DeliveryState] | None = None,
        channels: Collection[str] | None = None,
        projects: Collection[str] | None = None,
        delivery_id: int | None = None,
        limit: int = 50,
    ) -> builtins.list[Delivery]:
        """Deliveries, newest first; None for whichever. What cannot be read is left out: the log has its number.

        Alerts that belong to no project are within all `projects`.
        """
        query = select(_T).order_by(_T.c.delivery_id.desc()).limit(limit)
        if states is not None:
            query = query.where(_T.c.state.in_([str(state) for state in states]))
        if delivery_id is not None:
            query = query.where(_T.c.delivery_id == delivery_id)
        if channels is not None:
            query = query.where(_T.c.channel.in_(channels))
        if projects is not None:
            alerts = tables.alerts
            seen = select(alerts.c.alert_id).where(alerts.c.project.in_([*projects, ""]))
            query = query.where(_T.c.alert_id.in_(seen))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found: builtins.list[Delivery] = []
        for row in rows:
            try:
                found.append(delivery_of(row))
            except StoreError as error:
                log.warning("delivery %s cannot be shown: %s", row.delivery_id, error)
        return found

    async def replay(self, delivery_ids: Sequence[int], *, author: str, at: datetime) -> set[int]:
        """Begins a new series of attempts for each of these that is a dead letter; returns which were.

        The old row stays, told by the new one: replaying twice tells once. Both have the same idempotency key.
        """
        who = storable(author)
        query = (
            select(_T)
            .where(_T.c.delivery_id.in_(delivery_ids), _T.c.state == str(DeliveryState.FAILED))
            .order_by(_T.c.delivery_id)
        )
        async with self._database.writing() as connection:
            rows = (await connection.execute(query)).all()
            for row in rows:
                columns = renewed(
                    row,
                    channel=row.channel,
                    at=at,
                    why=f"sent late: replayed by {who}",
                    note=f"replay of delivery {row.delivery_id} by {who}",
                )
                result = await connection.execute(insert(_T).returning(_T.c.delivery_id), columns)
                told = {
                    "state": str(DeliveryState.GROUPED),
                    "told_by": result.scalar_one(),
                    "note": f"replayed by {who}",
                }
                await connection.execute(update(_T).where(_T.c.delivery_id == row.delivery_id).values(**told))
            await record_replayed(connection, [row.delivery_id for row in rows], author=who, at=at)
        return {row.delivery_id for row in rows}
