"""What is told to channels, and the record of telling it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runai_monitor.model.alert import Alert, Change


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """The channel refused it for good, or the time for retries is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message for one channel: which alert, as it was at that change, and why it is told.

    `test` marks a message that somebody asked for to try the channel: there is no such alert.
    """

    alert: Alert
    change: Change
    reason: str
    test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recorded attempt series of one notification to one channel."""

    delivery_id: int
    channel: str
    notification: Notification
    state: DeliveryState
    created_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    last_error: str | None = None
