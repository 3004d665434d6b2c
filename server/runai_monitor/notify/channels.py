"""From configured channels to the code that sends: what a kind needs is loaded only where there is a channel of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio.to_thread

from runai_monitor.clock import Clock
from runai_monitor.errors import SettingsError
from runai_monitor.settings.channel import Channel
from runai_monitor.settings.channels import (
    AppriseChannel,
    EmailChannel,
    PagerDutyChannel,
    SlackBotChannel,
    SlackChannel,
    TeamsChannel,
    WebhookChannel,
    signing_key,
)

if TYPE_CHECKING:
    import ssl

    import httpx2

    from runai_monitor.notify.notifier import Notifier
    from runai_monitor.settings import Settings
    from runai_monitor.store.database import Database


async def open_notifiers(
    stack: AsyncExitStack, settings: Settings, database: Database | None, clock: Clock
) -> dict[str, Notifier]:
    """A notifier per configured channel, by name; nothing is sent yet. What they open is closed with `stack`.

    Without a database, as in a check, no threads are remembered.

    Raises:
        SettingsError: certificate authorities or proxy of the environment cannot be used.
    """
    channels = settings.all_channels
    mail = [channel for channel in channels if isinstance(channel, EmailChannel)]
    web = [channel for channel in channels if not isinstance(channel, EmailChannel | AppriseChannel)]
    # In a thread: it brings the standard library's e-mail, and reads the certificate authorities.
    tls = await anyio.to_thread.run_sync(_load_mail) if mail else None
    build = _Builder(await _http(stack, web) if web else None, tls, database, clock)
    return {channel.name: build.notifier(channel) for channel in channels}


class _Builder:
    def __init__(
        self, http: httpx2.AsyncClient | None, tls: ssl.SSLContext | None, database: Database | None, clock: Clock
    ) -> None:
        self._shared_http = http
        self._shared_tls = tls
        self._database = database
        self._clock = clock

    @property
    def _http(self) -> httpx2.AsyncClient:
        assert self._shared_http is not None
        return self._shared_http

    def notifier(self, channel: Channel) -> Notifier:
        """The notifier of one channel."""
        kinds: dict[type[Channel], Callable[..., Notifier]] = {
            SlackChannel: self._slack,
            SlackBotChannel: self._slack_bot,
            EmailChannel: self._email,
            PagerDutyChannel: self._pagerduty,
            TeamsChannel: self._teams,
            WebhookChannel: self._webhook,
            AppriseChannel: self._apprise,
        }
        return kinds[type(channel)](channel)

    def _slack(self, channel: SlackChannel) -> Notifier:
        from runai_monitor.notify.slack import SlackNotifier

        return SlackNotifier(webhook_url=channel.webhook_url.get_secret_value(), http=self._http, name=channel.name)

    def _slack_bot(self, channel: SlackBotChannel) -> Notifier:
        from runai_monitor.notify.slack_bot import SlackBotNotifier

        threads = None
        if self._database is not None:
            from runai_monitor.store.threads import ThreadStore

            threads = ThreadStore(self._database)
        return SlackBotNotifier(
            token=channel.token.get_secret_value(),
            channel=channel.channel,
            http=self._http,
            threads=threads,
            name=channel.name,
            api_url=channel.api_url,
        )

    def _email(self, channel: EmailChannel) -> Notifier:
        from runai_monitor.notify.email import EmailNotifier

        assert self._shared_tls is not None
        return EmailNotifier(
            host=channel.host,
            port=channel.port,
            security=channel.security,
            username=channel.username,
            password=None if channel.password is None else channel.password.get_secret_value(),
            sender=channel.sender,
            recipients=channel.to,
            clock=self._clock,
            name=channel.name,
            tls=self._shared_tls,
        )

    def _pagerduty(self, channel: PagerDutyChannel) -> Notifier:
        from runai_monitor.notify.pagerduty import PagerDutyNotifier

        key = channel.routing_key.get_secret_value()
        return PagerDutyNotifier(routing_key=key, http=self._http, name=channel.name, api_url=channel.api_url)

    def _teams(self, channel: TeamsChannel) -> Notifier:
        from runai_monitor.notify.teams import TeamsNotifier

        return TeamsNotifier(webhook_url=channel.webhook_url.get_secret_value(), http=self._http, name=channel.name)

    def _webhook(self, channel: WebhookChannel) -> Notifier:
        from runai_monitor.notify.webhook import WebhookNotifier

        secret = channel.signing_secret
        return WebhookNotifier(
            url=channel.url.get_secret_value(),
            signing_key=None if secret is None else signing_key(secret.get_secret_value()),
            http=self._http,
            clock=self._clock,
            name=channel.name,
        )

    def _apprise(self, channel: AppriseChannel) -> Notifier:
        from runai_monitor.notify.apprise import AppriseNotifier

        return AppriseNotifier(url=channel.url.get_secret_value(), name=channel.name)


async def _http(stack: AsyncExitStack, channels: list[Channel]) -> httpx2.AsyncClient:
    import httpx2

    try:
        # In a thread: reading the certificate authorities takes up to 100 ms.
        opened = await anyio.to_thread.run_sync(httpx2.AsyncClient)
    except (OSError, ValueError, ImportError):
        names = ", ".join("Slack" if channel.name == "slack" else channel.name for channel in channels)
        # `from None`: the error quotes the address of the proxy, and with it a password.
        raise SettingsError(
            f"{names} cannot be reached with the certificate authorities of SSL_CERT_FILE (or SSL_CERT_DIR) or the proxy"
            " of HTTPS_PROXY (or ALL_PROXY, no SOCKS): correct these variables"
        ) from None
    return await stack.enter_async_context(opened)


def _load_mail() -> ssl.SSLContext:
    """What all mail is encrypted with: made for each message, it would hold up the event loop for up to 300 ms."""
    import ssl

    import runai_monitor.notify.email  # noqa: F401  # loaded here, in a thread, for `_email`

    return ssl.create_default_context()
