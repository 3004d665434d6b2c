"""Slack through a bot token: one thread per alert, whose first message shows what became of it.

Source: docs.slack.dev, methods chat.postMessage and chat.update. The Web API answers 200 with `ok: false` and a word for
most errors, and 429 with Retry-After when it is asked too often.
"""

from __future__ import annotations

import logging
import re
from typing import Protocol

import httpx2

from runai_monitor.errors import DeliveryError, StoreError
from runai_monitor.model.alert import AlertId, Change
from runai_monitor.model.notification import Notification
from runai_monitor.notify.posting import (
    THROTTLED_PAUSE_SECONDS,
    TIMEOUT_SECONDS,
    Answer,
    Peer,
    encoded,
    post,
    refusal,
)
from runai_monitor.notify.render import slack_message

log = logging.getLogger(__name__)

# Of some eighty words these alone may pass by themselves; any other says that token, channel or message is wrong.
_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "accesslimited", "team_added_to_org"}
)
_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_ABOUT_THE_MESSAGE = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "markdown_text_conflict",
    }
)
_ROOT_IS_GONE = frozenset(
    {"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"}
)
_WORD = re.compile(r"[a-z][a-z_]{0,60}")
_SHOWN_IN_ROOT = frozenset({Change.RESOLVED, Change.ACKNOWLEDGED})
_SEEN_BY_ALL = frozenset({Change.ESCALATED, Change.REMINDED})
"""A reply notifies those who follow its thread; these must reach the channel."""


class Threads(Protocol):
    """Remembers where the conversation about an alert is, across restarts."""

    async def get(self, alert_id: AlertId, channel: str) -> str | None:
        """The reference, or None."""
        ...

    async def put(self, alert_id: AlertId, channel: str, reference: str) -> None:
        """Remembers it, in place of any before."""
        ...


class SlackBotNotifier:
    """Posts to one Slack channel. The token is a secret: it is in no error and no log."""

    spacing_seconds = 1.0  # docs.slack.dev, "Rate limits": chat.postMessage takes one message a second per channel

    def __init__(
        self,
        *,
        token: str,
        channel: str,
        http: httpx2.AsyncClient,
        threads: Threads | None,
        name: str,
        api_url: str = "https://slack.com/api/",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name = name
        self._headers = {"authorization": f"Bearer {token}"}
        self._channel = channel
        self._http = http
        self._threads = threads
        self._api_url = api_url
        self._timeout_seconds = timeout_seconds
        self._peer = Peer(
            name="Slack",
            advice=f"correct the token or the channel of channel {name}: the app needs chat:write and must be a member",
        )

    def __repr__(self) -> str:
        return f"SlackBotNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`. What is done to the first message comes before the reply: done twice, it is as done once."""
        message = slack_message(notification)
        alert_id = notification.alert.alert_id
        about_one = not notification.test and notification.digest is None
        root = await self._root(alert_id) if about_one else None
        if root is not None and notification.change in _SHOWN_IN_ROOT:
            root = await self._updated(root, slack_message(notification, whole=True))
        if root is None:
            posted = await self._call("chat.postMessage", {"channel": self._channel, **message})
            if about_one:
                await self._remember(alert_id, posted)
            return
        channel, _, thread = root.partition(":")
        reply = {"channel": channel, "thread_ts": thread, "reply_broadcast": notification.change in _SEEN_BY_ALL}
        await self._call("chat.postMessage", {**reply, **message})

    async def _updated(self, root: str, message: dict[str, object]) -> str | None:
        """Shows in the first message what became of its alert; None where somebody has deleted it."""
        channel, _, moment = root.partition(":")
        try:
            await self._call("chat.update", {"channel": channel, "ts": moment, **message})
        except _RootIsGoneError:
            return None
        return root

    async def _root(self, alert_id: AlertId) -> str | None:
        if self._threads is None:
            return None
        try:
            return await self._threads.get(alert_id, self.name)
        except StoreError:
            raise DeliveryError(
                f"the thread of channel {self.name} cannot be read from the store", retryable=True
            ) from None

    async def _remember(self, alert_id: AlertId, posted: Answer) -> None:
        channel, moment = posted.json.get("channel"), posted.json.get("ts")
        if self._threads is None or not isinstance(channel, str) or not isinstance(moment, str):
            return
        try:
            await self._threads.put(alert_id, self.name, f"{channel}:{moment}")
        except StoreError as error:
            # It is told: an error now would tell it again. What follows begins a thread of its own.
            log.warning("the thread of alert %s in channel %s cannot be kept: %s", alert_id, self.name, error)

    async def _call(self, method: str, body: dict[str, object]) -> Answer:
        answer = await post(
            self._http,
            self._api_url + method,
            encoded(body),
            peer=self._peer,
            headers={**self._headers, "content-type": "application/json; charset=utf-8"},
            timeout_seconds=self._timeout_seconds,
        )
        if answer.status == 200 and answer.json.get("ok") is True:
            return answer
        word = answer.json.get("error")
        if answer.status != 200 or not isinstance(word, str) or not _WORD.fullmatch(word):
            raise refusal(answer, self._peer)
        if method == "chat.update" and word in _ROOT_IS_GONE:
            raise _RootIsGoneError(word, retryable=False)
        raise self._said(word, answer)

    def _said(self, word: str, answer: Answer) -> DeliveryError:
        """What `ok: false` with this word means."""
        if word in _THROTTLED:
            pause = answer.retry_after_seconds or THROTTLED_PAUSE_SECONDS
            return DeliveryError(f"Slack answered {word}; it is tried again", retryable=True, retry_after_seconds=pause)
        if word in _PASSING:
            return DeliveryError(f"Slack answered {word}; it is tried again", retryable=True)
        if word in _ABOUT_THE_MESSAGE:
            return DeliveryError(
                f"Slack does not take this message ({word}); read the alert with get_alert and report this",
                retryable=False,
            )
        return DeliveryError(f"Slack refuses ({word}); {self._peer.advice}", retryable=False)


class _RootIsGoneError(DeliveryError):
    """The first message of the thread cannot be edited any more."""
