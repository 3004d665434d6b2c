"""What every channel's code promises."""

from __future__ import annotations

from typing import Protocol

from runai_monitor.model.notification import Notification


class Notifier(Protocol):
    """Sends one message; `name` is the channel's name in records and tools."""

    name: str

    async def send(self, notification: Notification) -> None:
        """Sends it, or says why not.

        Raises:
            DeliveryError: the channel did not take it; says whether and when it may later. Never holds a secret.
        """
        ...
