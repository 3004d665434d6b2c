"""Everything else, through Apprise: one URL names the service and how to log in there.

Apprise is synchronous and says of a failure only that it was one; so every failure but an unknown URL is tried again.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import anyio
import anyio.to_thread

from runai_monitor.errors import DeliveryError
from runai_monitor.model.notification import Notification
from runai_monitor.notify.message import Message, as_text, message_of
from runai_monitor.notify.posting import TIMEOUT_SECONDS
from runai_monitor.notify.safe_text import plain, unmentioned

_REPORT = 1_000
_TITLE = 150
_BODY = 4_000


class AppriseNotifier:
    """Sends to one Apprise URL. It is a secret: it is in no error and no log."""

    spacing_seconds = 1.0  # what its services have in common: none of them wants messages for people faster

    def __init__(self, *, url: str, name: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.name = name
        self._url = url
        self._timeout_seconds = timeout_seconds

    def __repr__(self) -> str:
        return f"AppriseNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`."""
        message = message_of(notification)
        title = unmentioned(plain(message.title, _TITLE))
        body = _body(message)
        try:
            with anyio.fail_after(self._timeout_seconds):
                taken = await anyio.to_thread.run_sync(self._notify, title, body, abandon_on_cancel=True)
        except TimeoutError:
            said = f"channel {self.name} did not answer within {self._timeout_seconds:.0f} s"
            raise DeliveryError(f"{said}; it is tried again", retryable=True) from None
        if taken is None:
            raise DeliveryError(
                f"Apprise does not understand the url of channel {self.name}; correct it as Apprise documents that service",
                retryable=False,
            )
        if not taken:
            raise DeliveryError(
                f"Apprise could not deliver to channel {self.name}: the service does not answer or refuses what its url"
                " holds; try it with the apprise command",
                retryable=True,
            )

    def _notify(self, title: str, body: str) -> bool | None:
        """Whether the service took it; None where the URL names none."""
        import apprise  # brings a hundred services: only where it is used

        # It writes addresses into its log, and what it says cannot be told apart from what a service says.
        logging.getLogger(apprise.LOGGER_NAME).setLevel(logging.CRITICAL + 1)
        asset = apprise.AppriseAsset(
            app_id="runai-monitor",
            async_mode=False,
            http_redirects=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        services = apprise.Apprise(asset=asset)
        if not services.add(self._url):
            return None
        for service in services:
            service.overflow_mode = apprise.OverflowMode.TRUNCATE
        return bool(services.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))


def _body(message: Message) -> str:
    """The text; what is too much goes before the footer, which says how to read the rest."""
    text = unmentioned(as_text(replace(message, footer=""), excerpt_characters=_REPORT))
    footer = unmentioned(message.footer)
    return f"{text[: _BODY - len(footer)]}\n\n{footer}"
