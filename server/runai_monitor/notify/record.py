"""What sending needs of the store: which rows are due, and where it is written what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from runai_monitor.model.notification import Delivery, DeliveryState


class Deliveries(Protocol):
    """What a sender needs of the store."""

    async def due(self, channel: str, *, owner: str, now: datetime, limit: int = 500) -> list[int]:
        """Pending deliveries that may be sent now, oldest first, none before an older one of its alert."""
        ...

    async def load(self, delivery_ids: Sequence[int], *, now: datetime) -> list[Delivery]:
        """The deliveries themselves, oldest first; one that cannot be read is left out and given up."""
        ...

    async def next_due_at(self, channel: str, *, now: datetime) -> datetime | None:
        """When the next that is not due yet comes due."""
        ...

    async def claim(self, delivery_ids: Sequence[int], *, owner: str, now: datetime, until: datetime) -> bool:
        """Leases all of these or none."""
        ...

    async def record_told(self, delivery_ids: Sequence[int], *, at: datetime) -> None:
        """The channel took one message for these, whose state the first carries."""
        ...

    async def record_retry(
        self, delivery_ids: Sequence[int], *, error: str, next_attempt_at: datetime, channel_until: datetime | None
    ) -> None:
        """They are tried again; nothing is sent to the channel before `channel_until`."""
        ...

    async def record_failed(
        self, delivery_ids: Sequence[int], *, error: str, at: datetime, fallback: str | None = None
    ) -> None:
        """They are dead letters; the fallback channel tells them instead."""
        ...

    async def settle(self, delivery_ids: Sequence[int], *, state: DeliveryState, note: str) -> None:
        """No message tells these."""
        ...

    async def hasten(self, channel: str, *, now: datetime) -> None:
        """Everything pending may be sent now."""
        ...

    async def paused_until(self, channel: str) -> datetime | None:
        """When the channel last said it wants to be asked again."""
        ...

    async def release_others(self, owner: str) -> None:
        """Ends the leases of every other owner."""
        ...
