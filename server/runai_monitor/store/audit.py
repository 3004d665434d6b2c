"""Who did what and when. What entries record is stored in the same transaction.

They are only ever added; `retention` alone deletes them, when they are old.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.model.audit import ITSELF, AuditAction, AuditEntry
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.database import Database
from runai_monitor.store.rows import required_instant, required_text, storable

LONGEST_DETAIL = 500
_AT_ONCE = 500
"""Rows that are in memory at a time."""
_T = tables.audit


class AuditStore:
    """The record, for those who act without storing anything else, and for readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entry: AuditEntry) -> None:
        """Adds one entry.

        Raises:
            StoreError: it was not recorded.
        """
        async with self._database.writing() as connection:
            await record(connection, entry)

    @asynccontextmanager
    async def reading(
        self,
        *,
        since: datetime | None = None,
        author: str | None = None,
        action: AuditAction | None = None,
        target: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[AsyncIterator[AuditEntry]]:
        """The entries, newest first, as they are when the block begins; few are in memory at a time.

        `author` is a part of the author's name, whatever the case of its letters.
        """
        query: Select[Any] = select(_T).order_by(_T.c.id.desc())
        if since is not None:
            query = query.where(_T.c.at >= required_text(since))
        if author is not None:
            query = query.where(_T.c.author.icontains(author, autoescape=True))
        if action is not None:
            query = query.where(_T.c.action == str(action))
        if target is not None:
            query = query.where(_T.c.target == target)
        if limit is not None:
            query = query.limit(limit)
        async with self._database.reading() as connection:
            rows = await connection.stream(query, execution_options={"yield_per": _AT_ONCE})
            yield (_entry(row) async for row in rows)


async def record(connection: AsyncConnection, *entries: AuditEntry) -> None:
    """Adds entries within the transaction of what they record."""
    if entries:
        await connection.execute(insert(_T), [_columns(entry) for entry in entries])


async def record_settled(
    connection: AsyncConnection, delivery_ids: Collection[int], *, state: DeliveryState, at: datetime, note: str = ""
) -> None:
    """Adds that deliveries reached a state that they stay in, within the transaction that says so."""
    said = f"{state}" + (f", {note}" if note else "")
    await _record_deliveries(
        connection, delivery_ids, action=AuditAction.DELIVERY_SETTLED, author=ITSELF, at=at, said=said
    )


async def record_replayed(
    connection: AsyncConnection, delivery_ids: Collection[int], *, author: str, at: datetime
) -> None:
    """Adds that somebody has deliveries tried again, within the transaction that puts them back."""
    await _record_deliveries(
        connection, delivery_ids, action=AuditAction.DELIVERY_REPLAYED, author=author, at=at, said="replayed"
    )


async def _record_deliveries(
    connection: AsyncConnection,
    delivery_ids: Collection[int],
    *,
    action: AuditAction,
    author: str,
    at: datetime,
    said: str,
) -> None:
    table = tables.deliveries
    query = select(table.c.delivery_id, table.c.alert_id, table.c.channel, table.c.change).where(
        table.c.delivery_id.in_(list(delivery_ids))
    )
    rows = (await connection.execute(query.order_by(table.c.delivery_id))).all()
    await record(
        connection,
        *(
            AuditEntry(
                at=at,
                author=author,
                action=action,
                target=row.alert_id,
                detail=f"delivery {row.delivery_id} to {row.channel} ({row.change}): {said}",
            )
            for row in rows
        ),
    )


def _columns(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": required_text(entry.at),
        "author": storable(entry.author) or ITSELF,
        "action": str(entry.action),
        "target": storable(entry.target),
        "detail": " ".join(storable(entry.detail)[:LONGEST_DETAIL].split()),
    }


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        at=required_instant(row.at),
        author=row.author,
        action=AuditAction(row.action),
        target=row.target,
        detail=row.detail,
    )
