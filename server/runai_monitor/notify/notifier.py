"""What every channel's code promises."""

from __future__ import annotations

from typing import Protocol

from runai_monitor.model.notification import Notification


class Notifier(Protocol):
    """Sends one message.

    `name` is the channel's name in records and tools; `spacing_seconds` what its service wants between two messages.
    """

    name: str
    spacing_seconds: float

    async def send(self, notification: Notification) -> None:
        """Sends it, or says why not.

        Raises:
            DeliveryError: the channel did not take it; says whether and when it may later. Never holds a secret.
        """
        ...


def idempotency_key(notification: Notification, channel: str) -> str:
    """What is the same in every attempt to send one message to one channel, and in no other; as its delivery has it."""
    alert = notification.alert
    if notification.test:
        return f"{alert.alert_id}/{alert.started_at:%Y%m%dT%H%M%S.%f}/{channel}"
    return f"{alert.alert_id}/{alert.cursor}/{channel}"
