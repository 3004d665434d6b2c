"""Where each channel keeps the conversation about an alert, so that a restart does not begin another."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from runai_monitor.model.alert import AlertId
from runai_monitor.store import tables
from runai_monitor.store.database import Database

_T = tables.threads


class ThreadStore:
    """References as the channels name them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, alert_id: AlertId, channel: str) -> str | None:
        """The reference, or None.

        Raises:
            StoreError: it cannot be read.
        """
        query = select(_T.c.reference).where(_T.c.alert_id == alert_id, _T.c.channel == channel)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def put(self, alert_id: AlertId, channel: str, reference: str) -> None:
        """Remembers it, in place of any before.

        Raises:
            StoreError: it cannot be written.
        """
        async with self._database.writing() as connection:
            await connection.execute(delete(_T).where(_T.c.alert_id == alert_id, _T.c.channel == channel))
            await connection.execute(insert(_T), {"alert_id": alert_id, "channel": channel, "reference": reference})
