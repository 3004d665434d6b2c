"""Who leads, written down for the others to show. The lock decides; this only tells where it is held."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select

from runai_monitor.model.leader import Leader
from runai_monitor.store.database import Database
from runai_monitor.store.tables import meta

_MINE = meta.c.key == "leader"


class LeaderStore:
    """The process that took the lead last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, leader: Leader) -> None:
        """This one leads now."""
        async with self._database.writing() as connection:
            await connection.execute(delete(meta).where(_MINE))
            await connection.execute(insert(meta), {"key": "leader", "value": msgspec.json.encode(leader).decode()})

    async def latest(self) -> Leader | None:
        """Who took the lead last, None when nobody ever did."""
        async with self._database.reading() as connection:
            value = (await connection.execute(select(meta.c.value).where(_MINE))).scalar_one_or_none()
        try:
            return None if value is None else msgspec.json.decode(value, type=Leader)
        except msgspec.MsgspecError:
            return None  # a later version says more; the lock is what counts
