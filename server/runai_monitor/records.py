"""What is stored, for commands that run beside a server: the database is opened for one answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from runai_monitor import wiring
from runai_monitor.clock import SystemClock
from runai_monitor.errors import NotFoundError
from runai_monitor.operations.scope import Scope

if TYPE_CHECKING:
    from runai_monitor.model.notification import Delivery
    from runai_monitor.operations.deliveries import DeliveryDesk, Replay
    from runai_monitor.settings import Settings

log = logging.getLogger(__name__)


async def read_deliveries(settings: Settings, *, only_failed: bool, limit: int) -> list[Delivery]:
    """The record of deliveries, for the command line.

    Raises:
        StoreError: no database.
    """
    async with _delivery_desk(settings) as desk:
        return [] if desk is None else await desk.list(only_failed=only_failed, limit=limit)


async def replay_deliveries(settings: Settings, delivery_id: int | None, *, author: str) -> Replay:
    """Tells again what a channel did not take, for the command line: the serving process sends it.

    Raises:
        InputError, RefusedError, StoreError: as `DeliveryDesk.replay`.
    """
    async with _delivery_desk(settings) as desk:
        if desk is None:
            raise NotFoundError("nothing was ever stored there, so there is nothing to replay")
        return await desk.replay(delivery_id, author=author)


@asynccontextmanager
async def _delivery_desk(settings: Settings) -> AsyncIterator[DeliveryDesk | None]:
    """The desk on the stored deliveries; None when nothing was ever stored."""
    from runai_monitor.operations.deliveries import DeliveryDesk, DeliveryParts
    from runai_monitor.store.dead_letters import DeadLetterStore

    if not wiring.has_database(settings):
        log.warning("nothing was ever stored in %s: is that the state folder of your server?", settings.state_dir)
        yield None
        return
    database = await wiring.database_of(settings)

    async def parts() -> DeliveryParts:
        return DeliveryParts(dead_letters=DeadLetterStore(database), channels=None)

    try:
        yield DeliveryDesk(parts=parts, scope=Scope(wiring.allowed_projects(settings)), clock=SystemClock())
    finally:
        await database.aclose()
